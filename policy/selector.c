#include "policy/selector.h"

/* --- reading ----------------------------------------------------------------------------------------------------- */

struct parse {
	struct slice rest;
	struct step steps[SELECTOR_MAX_STEPS];
	size_t n;
	unsigned open; /* json( not yet closed */
	const char *why;
};

static bool take(struct parse *p, struct slice word)
{
	if (!slice_starts(p->rest, word))
		return false;
	p->rest = slice_from(p->rest, word.n);
	return true;
}

static bool add_step(struct parse *p, enum step_kind kind, struct slice name)
{
	if (p->n == SELECTOR_MAX_STEPS) {
		p->why = "a selector has too many steps";
		return false;
	}
	if (p->n && (p->steps[p->n - 1].kind == STEP_LEAVES || p->steps[p->n - 1].kind == STEP_NAMES)) {
		p->why = "nothing may follow `**` or `[~]`";
		return false;
	}
	p->steps[p->n++] = (struct step){ .kind = kind, .name = name };
	return true;
}

static bool in_name(char c)
{
	return (unsigned char)c > ' ' && c != 127 && !strchr(".[](){}|:\"'$*~,", c);
}

static bool parse_name(struct parse *p)
{
	size_t n = 0;
	while (n < p->rest.n && in_name(p->rest.p[n]))
		n++;
	if (n == 0) {
		p->why = "a member name is missing in a selector";
		return false;
	}
	struct slice name = slice_head(p->rest, n);
	p->rest = slice_from(p->rest, n);
	return add_step(p, STEP_MEMBER, name);
}

static bool parse_quoted(struct parse *p)
{
	ptrdiff_t end = slice_find(p->rest, SL("\"]"));
	if (end <= 0) {
		p->why = "`[\"` needs a name and `\"]`";
		return false;
	}
	struct slice name = slice_head(p->rest, (size_t)end);
	p->rest = slice_from(p->rest, (size_t)end + 2);
	return add_step(p, STEP_MEMBER, name);
}

static bool parse_step(struct parse *p)
{
	if (take(p, SL(".**")))
		return add_step(p, STEP_LEAVES, (struct slice){ NULL, 0 });
	if (take(p, SL(".*")))
		return add_step(p, STEP_VALUES, (struct slice){ NULL, 0 });
	if (take(p, SL("[*]")))
		return add_step(p, STEP_ITEMS, (struct slice){ NULL, 0 });
	if (take(p, SL("[~]")))
		return add_step(p, STEP_NAMES, (struct slice){ NULL, 0 });
	if (take(p, SL("[\"")))
		return parse_quoted(p);
	if (p->open && take(p, SL(")"))) {
		p->open--;
		return add_step(p, STEP_JSON, (struct slice){ NULL, 0 });
	}
	if (take(p, SL(".")))
		return parse_name(p);
	p->why = "a selector is made of .name, [*], .*, [~], .**, [\"name\"] and json(…)";
	return false;
}

static bool parse_all(struct parse *p)
{
	while (take(p, SL("json(")))
		p->open++;
	if (!take(p, SL("$")) && !slice_starts(p->rest, SL("[")) && !parse_name(p))
		return false;
	while (p->rest.n)
		if (!parse_step(p))
			return false;
	if (p->open)
		p->why = "json( is not closed";
	return p->open == 0;
}

enum err selector_parse(struct selector *out, struct slice text, struct arena *a, const char **why)
{
	struct parse p = { .rest = slice_trim(text) };
	*out = (struct selector){ .source = p.rest };
	if (!parse_all(&p)) {
		*why = p.why;
		return E_INVALID;
	}
	struct step *steps = arena_array(a, p.n, sizeof *steps);
	if (!steps) {
		*why = "out of memory";
		return E_NOMEM;
	}
	memcpy(steps, p.steps, p.n * sizeof *steps);
	out->steps = steps;
	out->n = p.n;
	return E_OK;
}

/* --- finding ----------------------------------------------------------------------------------------------------- */

struct walk {
	const struct selector *selector;
	struct arena *arena;
	bool (*each)(void *ctx, const struct found *);
	void *ctx;
	enum err err;
};

/* Where a walk stands. */
struct spot {
	const struct json *json;
	uint32_t tok, holder;
	bool nested;
};

/* False ends the walk: `each` had enough, or w->err is set. Recursion goes one level per step. */
static bool walk_on(struct walk *w, struct spot at, size_t step);

static bool emit(struct walk *w, struct spot at)
{
	struct found f = { .json = at.json, .tok = at.tok, .nested = at.nested, .holder = at.holder };
	f.is_name = (at.json->tok[at.tok].flags & JSON_NAME) != 0;
	return w->each(w->ctx, &f);
}

static bool walk_children(struct walk *w, struct spot at, size_t step, enum step_kind kind)
{
	const struct json *j = at.json;
	bool array = kind == STEP_ITEMS;
	if (!json_is(j, at.tok, array ? JSON_ARRAY : JSON_OBJECT))
		return true;
	uint32_t end = j->tok[at.tok].next;
	for (uint32_t c = json_first(j, at.tok); c < end;) {
		uint32_t value = array ? c : c + 1;
		struct spot next = { j, kind == STEP_NAMES ? c : value, at.tok, at.nested };

		arena_worked(w->arena, ARENA_STEP_TOKEN);
		if (!walk_on(w, next, step + 1))
			return false;
		c = j->tok[value].next;
	}
	return true;
}

static bool walk_leaves(struct walk *w, struct spot at, size_t step)
{
	const struct json *j = at.json;
	uint32_t end = j->tok[at.tok].next;
	for (uint32_t t = at.tok; t < end; t++) {
		bool leaf = j->tok[t].type < JSON_ARRAY && !(j->tok[t].flags & JSON_NAME);
		if (leaf && !walk_on(w, (struct spot){ j, t, at.tok, at.nested }, step + 1))
			return false;
	}
	return true;
}

static bool walk_json(struct walk *w, struct spot at, size_t step)
{
	enum json_type type = json_type(at.json, at.tok);
	if (type == JSON_ARRAY || type == JSON_OBJECT)
		return walk_on(w, at, step + 1);
	struct json *inner = ARENA_NEW(w->arena, struct json);
	struct slice text = { NULL, 0 };
	if (inner && type == JSON_STRING)
		text = json_string(at.json, at.tok, w->arena);
	if (!inner || (type == JSON_STRING && !text.p)) {
		w->err = E_NOMEM;
		return false;
	}
	enum err err = type == JSON_STRING ? json_parse(inner, text, w->arena, NULL) : E_SYNTAX;
	if (err != E_OK) {
		w->err = err == E_NOMEM ? E_NOMEM : E_SYNTAX;
		return false;
	}
	return walk_on(w, (struct spot){ inner, 0, JSON_NONE, true }, step + 1);
}

static bool walk_on(struct walk *w, struct spot at, size_t step)
{
	const struct step *steps = w->selector->steps;
	size_t n = w->selector->n;

	for (; step < n && steps[step].kind == STEP_MEMBER; step++) {
		at.holder = at.tok;
		at.tok = json_member(at.json, at.tok, steps[step].name);
		if (at.tok == JSON_NONE)
			return true;
	}
	if (step == n)
		return emit(w, at);
	switch (steps[step].kind) {
	case STEP_MEMBER:
		break;
	case STEP_ITEMS:
	case STEP_VALUES:
	case STEP_NAMES:
		return walk_children(w, at, step, steps[step].kind);
	case STEP_LEAVES:
		return walk_leaves(w, at, step);
	case STEP_JSON:
		return walk_json(w, at, step);
	}
	return false;
}

enum err selector_each(const struct selector *s, const struct json *json, uint32_t root, struct arena *a,
	bool (*each)(void *ctx, const struct found *), void *ctx)
{
	struct walk w = { .selector = s, .arena = a, .each = each, .ctx = ctx };
	if (root != JSON_NONE)
		walk_on(&w, (struct spot){ json, root, JSON_NONE, false }, 0);
	return w.err;
}
