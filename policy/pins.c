#include "policy/pins.h"

#include <stdlib.h>
#include "base/json_canon.h"
#include "base/table.h"
#include "policy/yaml.h"

#define MAX_DEFINITION_BYTES ((size_t)4 << 20) /* as much as a message may have, by default */
#define MAX_FILE_BYTES       ((size_t)64 << 20)
#define MAX_PINS             100000

static const struct pin_row rows[N_PIN_KINDS] = {
	[PIN_TOOL] = { "tool", "tools/list", "tools", "name",
		{ "annotations", "description", "inputSchema", "name", "outputSchema", "title", NULL } },
	[PIN_PROMPT] = { "prompt", "prompts/list", "prompts", "name", { "arguments", "description", "name", "title", NULL } },
	[PIN_RESOURCE] = { "resource", "resources/list", "resources", "uri",
		{ "description", "mimeType", "name", "title", "uri", NULL } },
	[PIN_TEMPLATE] = { "template", "resources/templates/list", "resourceTemplates", "uriTemplate",
		{ "description", "mimeType", "name", "title", "uriTemplate", NULL } },
};

const struct pin_row *pin_row(enum pin_kind kind)
{
	return &rows[kind];
}

/* --- one definition ---------------------------------------------------------------------------------------------------- */

/* Never 0, which says that there is none. */
static uint32_t mark_of(struct slice text)
{
	unsigned char digest[DIGEST_BYTES];
	uint32_t mark;

	digest_sha256(text, digest);
	memcpy(&mark, digest, sizeof mark);
	return mark ? mark : 1;
}

static enum err add_members(const struct pin_row *row, const struct json *j, uint32_t item, struct definition *d, struct buf *b, struct arena *a)
{
	enum err e = buf_add_char(b, '{');

	for (size_t i = 0; e == E_OK && row->members[i]; i++) {
		struct slice name = slice_of(row->members[i]);
		uint32_t value = json_member(j, item, name);

		if (value == JSON_NONE)
			continue;
		buf_add_fmt(b, "%s\"%s\":", b->n > 1 ? "," : "", row->members[i]);
		size_t from = b->n;
		e = json_canon(j, value, b, a);
		d->marks[i] = e == E_OK ? mark_of(slice_from(buf_slice(b), from)) : 0;
	}
	buf_add_char(b, '}');
	return e == E_OK ? b->failed : e;
}

enum err definition_read(enum pin_kind kind, const struct json *j, uint32_t item, struct definition *out, struct arena *a)
{
	const struct pin_row *row = &rows[kind];
	uint32_t key = json_member(j, item, slice_of(row->key));
	struct buf b;

	*out = (struct definition){ .name = SL("") };
	if (!json_is(j, key, JSON_STRING))
		return E_INVALID;
	out->name = json_string(j, key, a);
	buf_init(&b, MAX_DEFINITION_BYTES);
	enum err e = out->name.p ? add_members(row, j, item, out, &b, a) : E_NOMEM;
	if (e == E_OK) {
		digest_sha256(buf_slice(&b), out->digest);
		out->text = arena_dup(a, buf_slice(&b));
		e = out->text.p ? E_OK : E_NOMEM;
	}
	buf_finish(&b);
	return e;
}

/* --- the file ---------------------------------------------------------------------------------------------------------- */

struct pins {
	struct slice file;
	unsigned char digest[DIGEST_BYTES];
	struct table *by_name[N_PIN_KINDS]; /* struct pin */
	struct pin **in_order;
	size_t n;
	struct arena arena;
};

struct reader {
	struct pins *pins;
	struct faults *faults;
	struct arena scratch;        /* of one line */
	struct slice line;
	uint32_t number;
};

static struct origin at(const struct reader *r, size_t offset)
{
	return (struct origin){ .file = r->pins->file, .line = r->number, .column = (unsigned)offset + 1 };
}

static struct origin at_token(const struct reader *r, const struct json *j, uint32_t tok)
{
	return at(r, j->tok[tok].off);
}

/* The kind that the line's one member names; N_PIN_KINDS and a fault otherwise. */
static enum pin_kind read_kind(struct reader *r, const struct json *j)
{
	static const char *const words[] = { "tool", "prompt", "resource", "template", NULL };
	bool one = json_is(j, 0, JSON_OBJECT) && j->tok[0].count == 1;

	for (int k = 0; one && k < N_PIN_KINDS; k++)
		if (json_string_eq(j, 1, slice_of(words[k])))
			return (enum pin_kind)k;
	const char *near = one ? yaml_nearest(json_raw(j, 1), words) : NULL;

	if (near)
		faults_add(r->faults, at(r, j->tok[1].off), "a line pins a tool, prompt, resource or template: is `%s` meant?", near);
	else
		faults_add(r->faults, at(r, one ? j->tok[1].off : 0), "a line pins a tool, prompt, resource or template: {\"tool\":{…}}");
	return N_PIN_KINDS;
}

/* Members that do not count would pin nothing: whoever wrote them thinks they do. */
static bool has_only_known(struct reader *r, const struct pin_row *row, const struct json *j, uint32_t item)
{
	size_t before = r->faults->n;

	for (uint32_t t = json_first(j, item); t < j->tok[item].next; t = j->tok[t + 1].next)
		if (!json_string_among(j, t, row->members))
			faults_add(r->faults, at_token(r, j, t), "`%.*s` is not pinned of a %s", SL_ARG(slice_head(json_raw(j, t), 40)), row->word);
	return r->faults->n == before;
}

static enum err keep(struct reader *r, enum pin_kind kind, const struct definition *d)
{
	struct arena *a = &r->pins->arena;
	struct pin *pin = ARENA_NEW(a, struct pin);

	if (!pin)
		return E_NOMEM;
	*pin = (struct pin){ .is = *d, .kind = kind, .line = r->number };
	pin->is.name = arena_dup(a, d->name);
	pin->is.text = arena_dup(a, d->text);
	if (!pin->is.name.p || !pin->is.text.p)
		return E_NOMEM;
	r->pins->in_order[r->pins->n++] = pin;
	return table_put(r->pins->by_name[kind], pin->is.name, pin, 0, 0);
}

static void read_definition(struct reader *r, const struct json *j, enum pin_kind kind)
{
	const struct pin_row *row = &rows[kind];
	struct definition d;

	if (!json_is(j, 2, JSON_OBJECT) || !json_is(j, json_member(j, 2, slice_of(row->key)), JSON_STRING)) {
		faults_add(r->faults, at_token(r, j, 2), "a %s has a `%s`", row->word, row->key);
		return;
	}
	if (!has_only_known(r, row, j, 2))
		return;
	enum err e = definition_read(kind, j, 2, &d, &r->scratch);
	const struct pin *before = e == E_OK ? pins_find(r->pins, kind, d.name) : NULL;

	if (before)
		faults_add(r->faults, at_token(r, j, json_member(j, 2, slice_of(row->key))), "the %s is pinned in line %u already", row->word, before->line);
	else if (e == E_OK)
		e = keep(r, kind, &d);
	if (e != E_OK)
		faults_add(r->faults, at(r, 0), "%s", err_text(e));
}

static void read_line(struct reader *r)
{
	struct json j;
	size_t fault = 0;
	enum err e = json_parse(&j, r->line, &r->scratch, &fault);

	if (e != E_OK) {
		faults_add(r->faults, at(r, fault), "no definition in JSON: %s", err_text(e));
		return;
	}
	enum pin_kind kind = read_kind(r, &j);

	if (kind != N_PIN_KINDS)
		read_definition(r, &j, kind);
}

static size_t count_lines(struct slice text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

static void read_lines(struct reader *r, struct slice text)
{
	while (text.n) {
		struct slice line = slice_cut(&text, '\n');

		r->number++;
		r->line = line.n && line.p[line.n - 1] == '\r' ? slice_head(line, line.n - 1) : line;
		if (slice_trim(r->line).n && r->line.p[0] != '#')
			read_line(r);
		arena_reset(&r->scratch);
	}
}

static struct pins *create(struct slice text, struct slice file)
{
	struct pins *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	arena_init(&p->arena, MAX_FILE_BYTES);
	digest_sha256(text, p->digest);
	p->file = arena_dup(&p->arena, file);
	bool made = true;

	for (int k = 0; k < N_PIN_KINDS; k++)
		made &= (p->by_name[k] = table_create(MAX_PINS, NULL)) != NULL;
	p->in_order = arena_array(&p->arena, count_lines(text), sizeof *p->in_order);
	if (made && p->in_order && p->file.p)
		return p;
	pins_free(p);
	return NULL;
}

struct pins *pins_parse(struct slice text, struct slice file, struct faults *faults)
{
	struct reader r = { .pins = create(text, file), .faults = faults };
	size_t before = faults->n;

	if (!r.pins) {
		faults_add(faults, (struct origin){ .file = file }, "out of memory");
		return NULL;
	}
	arena_init(&r.scratch, MAX_FILE_BYTES);
	read_lines(&r, text);
	arena_finish(&r.scratch);
	if (faults->n == before && !faults->lost)
		return r.pins;
	pins_free(r.pins);
	return NULL;
}

void pins_free(struct pins *p)
{
	if (!p)
		return;
	for (int k = 0; k < N_PIN_KINDS; k++)
		table_free(p->by_name[k]);
	arena_finish(&p->arena);
	free(p);
}

const struct pin *pins_find(const struct pins *p, enum pin_kind kind, struct slice name)
{
	return p ? table_get(p->by_name[kind], name, 0) : NULL;
}

size_t pins_count(const struct pins *p)
{
	return p ? p->n : 0;
}

const struct pin *pins_at(const struct pins *p, size_t i)
{
	return p->in_order[i];
}

struct slice pins_file(const struct pins *p)
{
	return p->file;
}

const unsigned char *pins_digest(const struct pins *p)
{
	return p->digest;
}

enum err pins_add_line(struct buf *out, enum pin_kind kind, struct slice text)
{
	return buf_add_fmt(out, "{\"%s\":%.*s}\n", rows[kind].word, SL_ARG(text));
}
