#include "policy/config_inside.h"
#include <stdlib.h>

void *config_array(struct loader *l, size_t n, size_t size)
{
	void *p = arena_array(l->arena, n, size);

	if (!p)
		faults_add(l->faults, (struct origin){ .file = l->file }, "out of memory");
	return p;
}

static bool is_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/* One `${NAME}` or `${NAME:-default}`, given without its braces. */
static bool expand_one(struct loader *l, struct slice inner, struct origin at, struct buf *out)
{
	char name[128];
	size_t n = 0;

	while (n < inner.n && is_name_char(inner.p[n], n == 0))
		n++;
	struct slice rest = slice_from(inner, n);
	bool has_default = slice_starts(rest, SL(":-"));

	if (n == 0 || n >= sizeof name || (rest.n && !has_default)) {
		faults_add(l->faults, at, "`${…}` holds a variable's name, or a name and `:-` and a default");
		return false;
	}
	memcpy(name, inner.p, n);
	name[n] = 0;
	const char *value = l->env_get ? l->env_get(l->env_ctx, name) : NULL;

	if (has_default && (!value || !*value)) {
		buf_add(out, slice_from(rest, 2));
	} else if (value) {
		buf_add(out, slice_of(value));
	} else {
		faults_add(
			l->faults, at, "the variable `%s` is not set: set it, or write `${%s:-default}`", name, name);
		return false;
	}
	return true;
}

static bool expand(struct loader *l, struct slice text, struct origin at, struct buf *out)
{
	while (text.n) {
		const char *dollar = memchr(text.p, '$', text.n);
		size_t n = dollar ? (size_t)(dollar - text.p) : text.n;

		buf_add(out, slice_head(text, n));
		text = slice_from(text, n);
		if (text.n == 0)
			break;
		if (slice_starts(text, SL("$$"))) {
			buf_add_char(out, '$');
			text = slice_from(text, 2);
			continue;
		}
		if (!slice_starts(text, SL("${"))) {
			buf_add_char(out, '$');
			text = slice_from(text, 1);
			continue;
		}
		ptrdiff_t end = slice_find(text, SL("}"));

		if (end < 0) {
			faults_add(l->faults, at, "`${` without its `}`; write `$$` for a dollar");
			return false;
		}
		if (!expand_one(l, slice_make(text.p + 2, (size_t)end - 2), at, out))
			return false;
		text = slice_from(text, (size_t)end + 1);
	}
	return true;
}

static struct slice expanded(struct loader *l, struct slice text, struct origin at)
{
	struct buf out;
	struct slice result = { NULL, 0 };

	if (!text.n || !memchr(text.p, '$', text.n))
		return text;
	buf_init(&out, 64 << 10);
	if (expand(l, text, at, &out)) {
		if (!out.failed)
			result = arena_dup(l->arena, buf_slice(&out));
		if (!result.p)
			faults_add(l->faults, at, "too long when expanded");
	}
	buf_finish(&out);
	return result;
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
			return true;
	return false;
}

struct slice config_text(struct loader *l, const struct yaml_node *node)
{
	struct slice text = yaml_text(node, l->faults);

	if (!text.p)
		return text;
	text = expanded(l, text, node->at);
	if (!text.p)
		return text;
	if (text.n == 0)
		faults_add(l->faults, node->at, "an empty text");
	else if (has_control(text))
		faults_add(l->faults, node->at, "a control character in a text");
	else
		return text;
	return (struct slice){ NULL, 0 };
}

const struct slice *config_texts(struct loader *l, const struct yaml_node *node, size_t *n, bool may_be_empty)
{
	*n = 0;
	if (!yaml_is(node, YAML_LIST, l->faults))
		return NULL;
	if (node->n == 0 && !may_be_empty) {
		faults_add(l->faults, node->at, "an empty list");
		return NULL;
	}
	struct slice *v = config_array(l, node->n, sizeof *v);
	if (!v)
		return NULL;
	for (const struct yaml_node *c = node->first; c; c = c->next) {
		v[*n] = config_text(l, c);
		if (v[*n].p)
			++*n;
	}
	return v;
}

struct slice config_path(struct loader *l, const struct yaml_node *node)
{
	struct slice text = config_text(l, node);

	if (!text.p || text.p[0] == '/' || l->dir.n == 0)
		return text;
	text = arena_fmt(l->arena, "%.*s%.*s", SL_ARG(l->dir), SL_ARG(text));
	if (!text.p)
		faults_add(l->faults, node->at, "out of memory");
	return text;
}

int config_word(struct loader *l, const struct yaml_node *node, const char *const *words)
{
	struct slice text = config_text(l, node);

	return text.p ? yaml_word(node, text, words, l->faults) : -1;
}

/* Digits, then a unit of the table; false when it is neither, or too large. */
struct unit {
	const char *name;
	uint64_t factor;
};

static bool read_amount(struct slice text, const struct unit *units, uint64_t *out)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && i < 15; i++)
		n = 10 * n + (uint64_t)(text.p[i] - '0');
	if (i == 0)
		return false;
	for (; units->name; units++) {
		if (!slice_eq(slice_from(text, i), slice_of(units->name)))
			continue;
		*out = n * units->factor;
		return n <= UINT64_MAX / units->factor;
	}
	return false;
}

#define MAX_DURATION_MS (24ull * 3600 * 1000)

uint64_t config_duration(struct loader *l, const struct yaml_node *node, uint64_t deflt)
{
	static const struct unit units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 3600 * 1000 },
		{ 0 } };
	struct slice text = config_text(l, node);
	uint64_t ms;

	if (!text.p)
		return deflt;
	if (read_amount(text, units, &ms) && ms > 0 && ms <= MAX_DURATION_MS)
		return ms;
	faults_add(l->faults, node->at, "`%.*s` is a time with its unit, at most 24h: 500ms, 25s, 2m, 1h",
		SL_ARG(node->key));
	return deflt;
}

size_t config_size(struct loader *l, const struct yaml_node *node, size_t deflt, size_t least, size_t most)
{
	static const struct unit units[] = { { "", 1 }, { "B", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { 0 } };
	struct slice text = config_text(l, node);
	uint64_t bytes;

	if (!text.p)
		return deflt;
	if (read_amount(text, units, &bytes) && bytes >= least && bytes <= most)
		return (size_t)bytes;
	faults_add(l->faults, node->at, "`%.*s` is a size from %zu to %zu bytes: 65536, 64KiB, 4MiB", SL_ARG(node->key),
		least, most);
	return deflt;
}

void config_not_here(struct loader *l, struct origin at, const char *what)
{
	faults_add(l->faults, at, "%s is not in this version", what);
}

void config_hash_add(struct loader *l, struct slice what, struct slice text)
{
	buf_add_fmt(&l->hashed, "%.*s %zu\n", SL_ARG(what), text.n);
	buf_add(&l->hashed, text);
	buf_add_char(&l->hashed, '\n');
}
