#include "policy/selector.h"

#define TEMPLATE_MAX_PARTS 16
#define TEMPLATE_MAX_TEXTS 100000u

/* --- reading ----------------------------------------------------------------------------------------------------- */

static bool cut_tail(struct slice *s, struct slice tail)
{
	if (!slice_ends(*s, tail))
		return false;
	s->n -= tail.n;
	return true;
}

/* A reference's inside, from behind `{` to before `}`. */
static enum err parse_ref(struct template_part *part, struct slice text, struct arena *a, const char **why)
{
	struct slice ref = slice_cut(&text, '|');
	part->has_default = text.p != NULL;
	part->text = text;
	ref = slice_trim(ref);
	if (cut_tail(&ref, SL(":segment")))
		part->form = FORM_SEGMENT;
	else if (cut_tail(&ref, SL(":rooted")))
		part->form = FORM_ROOTED;
	part->kind = PART_REF;
	if (slice_starts(ref, SL("arg."))) {
		part->kind = PART_ARG;
		ref = slice_from(ref, 4);
	}
	return selector_parse(&part->ref, slice_eq(ref, SL(".")) ? SL("$") : ref, a, why);
}

/* Reads one part off *rest. */
static enum err parse_part(struct template_part *part, struct slice *rest, struct arena *a, const char **why)
{
	*part = (struct template_part){ .kind = PART_TEXT };
	if (rest->p[0] != '{') {
		size_t n = 0;
		while (n < rest->n && rest->p[n] != '{' && rest->p[n] != '}')
			n++;
		*why = "a `}` without its `{`";
		part->text = slice_head(*rest, n);
		*rest = slice_from(*rest, n);
		return n ? E_OK : E_INVALID;
	}
	ptrdiff_t end = slice_find(*rest, SL("}"));
	*why = "a `{` without its `}`";
	if (end < 0)
		return E_INVALID;
	struct slice inside = slice_make(rest->p + 1, (size_t)end - 1);
	*rest = slice_from(*rest, (size_t)end + 1);
	return parse_ref(part, inside, a, why);
}

static enum err keep_parts(struct template *out, const struct template_part *parts, size_t n, struct arena *a)
{
	struct template_part *copy = arena_array(a, n, sizeof *copy);
	if (!copy)
		return E_NOMEM;
	memcpy(copy, parts, n * sizeof *copy);
	out->parts = copy;
	out->n = n;
	return E_OK;
}

static enum err parse_re(struct template *out, struct slice ref, struct slice pattern, struct arena *a,
	const char **why)
{
	struct template_part part = { 0 };
	size_t at;
	*why = "re(…) needs a reference here: re(argument, \"PATTERN\")";
	if (ref.n == 0)
		return E_INVALID;
	enum err err = parse_ref(&part, ref, a, why);
	if (err != E_OK)
		return err;
	out->regex = regex_compile(pattern, a, why, &at);
	if (!out->regex)
		return E_INVALID;
	*why = "the pattern of re(…) needs a group (?<p>…)";
	return regex_has(out->regex, "p") ? keep_parts(out, &part, 1, a) : E_INVALID;
}

enum err template_parse(struct template *out, struct slice text, struct arena *a, const char **why)
{
	struct template_part parts[TEMPLATE_MAX_PARTS];
	struct slice ref, pattern, rest = text;
	size_t n = 0;
	*out = (struct template){ .source = text };
	if (regex_call(text, a, &ref, &pattern, why))
		return parse_re(out, ref, pattern, a, why);
	if (*why)
		return E_INVALID;
	while (rest.n) {
		if (n == TEMPLATE_MAX_PARTS) {
			*why = "a template has too many parts";
			return E_INVALID;
		}
		enum err err = parse_part(&parts[n++], &rest, a, why);
		if (err != E_OK)
			return err;
	}
	*why = "out of memory";
	return keep_parts(out, parts, n, a);
}

/* --- making texts ------------------------------------------------------------------------------------------------ */

/* The texts one part stands for. */
struct choices {
	const struct template_part *part;
	struct slice *v;
	size_t n, cap;
	struct arena *arena;
	bool bad, nomem;
};

static bool choices_add(struct choices *c, struct slice text)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 4;
		struct slice *v = arena_array(c->arena, cap, sizeof *v);
		if (!v) {
			c->nomem = true;
			return false;
		}
		if (c->n)
			memcpy(v, c->v, c->n * sizeof *v);
		c->v = v;
		c->cap = cap;
	}
	c->v[c->n++] = text;
	return true;
}

static bool has_slash(struct slice s)
{
	return s.n && memchr(s.p, '/', s.n);
}

static bool on_found(void *ctx, const struct found *f)
{
	struct choices *c = ctx;
	enum json_type type = json_type(f->json, f->tok);
	if (type != JSON_STRING && type != JSON_NUMBER) {
		c->bad = true;
		return true;
	}
	struct slice text = type == JSON_STRING ? json_string(f->json, f->tok, c->arena) : json_raw(f->json, f->tok);
	if (!text.p) {
		c->nomem = true;
		return false;
	}
	if (c->part->form == FORM_SEGMENT && (has_slash(text) || text.n == 0)) {
		c->bad = true;
		return true;
	}
	return choices_add(c, text);
}

/* E_NOT_FOUND: a reference without default found nothing that may stand there. */
static enum err choose(struct choices *c, const struct template_scope *scope)
{
	const struct template_part *part = c->part;
	if (part->kind == PART_TEXT)
		return choices_add(c, part->text) ? E_OK : E_NOMEM;
	const struct json *json = part->kind == PART_ARG ? scope->args_json : scope->json;
	uint32_t root = part->kind == PART_ARG ? scope->args_root : scope->root;
	enum err err = json ? selector_each(&part->ref, json, root, c->arena, on_found, c) : E_OK;
	if (err != E_OK || c->nomem)
		return err != E_OK ? err : E_NOMEM;
	if (c->n == 0 && !c->bad && part->has_default && !choices_add(c, part->text))
		return E_NOMEM;
	return c->n ? E_OK : E_NOT_FOUND;
}

struct making {
	struct arena *arena;
	bool (*each)(void *ctx, struct slice text);
	void *ctx;
	bool *bad_type;
};

/* Joins one choice of every part; pick[i] says which. */
static struct slice join(const struct choices *c, const size_t *pick, size_t n, struct arena *a)
{
	size_t total = 0;
	for (size_t i = 0; i < n; i++) {
		struct slice s = c[i].v[pick[i]];
		if (c[i].part->form == FORM_ROOTED && has_slash(s))
			return s;
		total += s.n;
	}
	if (n == 1)
		return c[0].v[pick[0]];
	char *out = arena_alloc_raw(a, total + 1);
	if (!out)
		return (struct slice){ NULL, 0 };
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		struct slice s = c[i].v[pick[i]];
		if (s.n)
			memcpy(out + at, s.p, s.n);
		at += s.n;
	}
	return (struct slice){ out, total };
}

/* Steps to the next combination; false after the last. */
static bool next_pick(const struct choices *c, size_t *pick, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		if (++pick[i] < c[i].n)
			return true;
		pick[i] = 0;
	}
	return false;
}

static enum err make_joined(const struct choices *c, size_t n, struct making *m)
{
	size_t pick[TEMPLATE_MAX_PARTS] = { 0 }, total = 1;
	for (size_t i = 0; i < n; i++) {
		total *= c[i].n;
		if (total > TEMPLATE_MAX_TEXTS)
			return E_TOO_MANY;
	}
	do {
		struct slice text = n ? join(c, pick, n, m->arena) : SL("");
		if (!text.p)
			return E_NOMEM;
		if (!m->each(m->ctx, text))
			return E_OK;
	} while (next_pick(c, pick, n));
	return E_OK;
}

/* Every match's group p in one text. False when `each` had enough. */
static bool make_matches(const struct regex *re, struct slice text, struct making *m)
{
	size_t from = 0, start, end, p, q;
	bool any = false, overrun = false;
	while (regex_match(re, text, from, &start, &end, &overrun)) {
		if (!regex_group(re, "p", &p, &q))
			break;
		any = true;
		if (!m->each(m->ctx, slice_make(text.p + p, q - p)))
			return false;
		from = end > start ? end : end + 1;
	}
	if (!any || overrun)
		*m->bad_type = true;
	return true;
}

enum err template_each(const struct template *t, const struct template_scope *scope, struct arena *a,
	bool (*each)(void *ctx, struct slice text), void *ctx, bool *missing, bool *bad_type)
{
	struct choices c[TEMPLATE_MAX_PARTS];
	struct making m = { .arena = a, .each = each, .ctx = ctx, .bad_type = bad_type };
	for (size_t i = 0; i < t->n; i++) {
		c[i] = (struct choices){ .part = &t->parts[i], .arena = a };
		enum err err = choose(&c[i], scope);
		*bad_type |= c[i].bad;
		*missing |= err == E_NOT_FOUND && !c[i].bad;
		if (err != E_OK)
			return err == E_NOT_FOUND ? E_OK : err;
	}
	if (!t->regex)
		return make_joined(c, t->n, &m);
	for (size_t i = 0; i < c[0].n; i++)
		if (!make_matches(t->regex, c[0].v[i], &m))
			break;
	return E_OK;
}
