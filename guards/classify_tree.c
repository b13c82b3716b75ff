#include "guards/facts.h"
#include "guards/names.h"

/* JSON written in a string of JSON written in a string …: deeper than this nobody means it. */
#define TREE_MAX_NESTING 4

struct tree {
	struct facts *f;
	const struct json *json;
	const uint32_t *skip; /* tokens that something else has judged already, sorted */
	size_t n_skip;
	unsigned nesting;
};

static void walk(struct tree *t, uint32_t tok, struct slice name, enum look as);

static bool is_skipped(const struct tree *t, uint32_t tok)
{
	size_t lo = 0, hi = t->n_skip;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->skip[mid] == tok)
			return true;
		if (t->skip[mid] < tok)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/*
 * `[urgent] rotate [soon]` is prose, as is a sentence in quotes; what has quotes or braces inside its brackets may be
 * read in a vault's own way.
 */
static bool is_prose(struct slice s)
{
	char first = slice_trim(s).p[0];

	if (first == '"')
		return true;
	return first == '[' && !memchr(s.p, '"', s.n) && !memchr(s.p, '\'', s.n) && !memchr(s.p, '{', s.n);
}

/*
 * A text that starts and ends like JSON, but that the strict reader refuses, is one that a vault may read in its own
 * way.
 */
static void walk_text(struct tree *t, struct slice text, struct slice name, enum look as)
{
	struct json inner;
	enum err e = t->nesting < TREE_MAX_NESTING ? json_parse(&inner, text, t->f->arena, NULL) : E_TOO_DEEP;

	if (e == E_NOMEM)
		t->f->nomem = true;
	else if (e != E_OK && (look_is_path(as) || !is_prose(text)))
		fact_unknown(t->f, name);
	else if (e == E_OK)
		walk(&(struct tree){ .f = t->f, .json = &inner, .nesting = t->nesting + 1 }, 0, name, as);
}

static bool is_web_address(struct slice s)
{
	return slice_starts(s, SL("https://")) || slice_starts(s, SL("http://"));
}

static void walk_string(struct tree *t, uint32_t tok, struct slice name, enum look as)
{
	struct slice text = facts_text(t->f, t->json, tok);
	bool path_like = as == LOOK_KEY && text.n && memchr(text.p, '/', text.n) && !is_web_address(text);

	if (look_is_tenant(as))
		fact_tenant(t->f, text, as == LOOK_PARTNER, name);
	else if (look_text_is_json(text))
		walk_text(t, text, name, as);
	else if (look_is_path(as) || path_like) {
		fact_path_wide(t->f, text, name);
		fact_path_at(t->f, t->json, tok);
	}
}

static void walk_scalar(struct tree *t, uint32_t tok, struct slice name, enum look as)
{
	/* `multi_tenant: true` names nobody. */
	if (look_is_tenant(as) && !json_is(t->json, tok, JSON_TRUE) && !json_is(t->json, tok, JSON_FALSE))
		fact_tenant(t->f, json_raw(t->json, tok), as == LOOK_PARTNER, name);
	else if (look_is_path(as) && !json_is(t->json, tok, JSON_NULL))
		fact_path_fault(t->f, PATH_TYPE, name);
}

/* What stands below a name that looks like a path stays one: filter.path.eq. */
static void walk_object(struct tree *t, uint32_t tok, enum look as)
{
	const struct json *j = t->json;

	for (uint32_t c = json_first(j, tok); c < j->tok[tok].next; c = j->tok[c + 1].next) {
		struct slice name = facts_text(t->f, j, c);
		enum look l = names_look(t->f->view, name);
		bool below_path = look_is_path(as) && l == LOOK_NOTHING;

		if (below_path && look_text_is_path(t->f->view->policy, name))
			fact_path_wide(t->f, name, name);
		bool weaker = l == LOOK_NOTHING || l == LOOK_KEY || l == LOOK_HARMLESS || l == LOOK_VALUE;

		walk(t, c + 1, name, weaker && (look_is_path(as) || look_is_tenant(as)) ? as : l);
	}
}

/* Recursion is as deep as the reader lets documents be. */
static void walk(struct tree *t, uint32_t tok, struct slice name, enum look as)
{
	const struct json *j = t->json;

	if (t->f->nomem || is_skipped(t, tok))
		return;
	switch (json_type(j, tok)) {
	case JSON_OBJECT:
		walk_object(t, tok, as);
		break;
	case JSON_ARRAY:
		for (uint32_t c = json_first(j, tok); c < j->tok[tok].next; c = j->tok[c].next)
			walk(t, c, name, as);
		break;
	case JSON_STRING:
		walk_string(t, tok, name, as);
		break;
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
	case JSON_NUMBER:
		walk_scalar(t, tok, name, as);
		break;
	}
}

void classify_tree(
	struct facts *f, const struct json *json, uint32_t tok, struct slice name, const uint32_t *skip, size_t n_skip)
{
	struct tree t = { .f = f, .json = json, .skip = skip, .n_skip = n_skip };

	walk(&t, tok, name, LOOK_NOTHING);
}

static bool name_looks_judged(struct facts *f, struct slice name)
{
	enum look l = names_look(f->view, name);

	return look_is_path(l) || look_is_tenant(l) || l == LOOK_KEY;
}

bool tree_looks_judged(struct facts *f, const struct json *j, uint32_t tok)
{
	for (uint32_t t = tok; t < j->tok[tok].next; t++) {
		if (!json_is(j, t, JSON_STRING))
			continue;
		struct slice text = facts_text(f, j, t);
		if (look_text_is_path(f->view->policy, text) || look_text_is_tenant(text) || look_text_is_json(text))
			return true;
		if ((j->tok[t].flags & JSON_NAME) && name_looks_judged(f, text))
			return true;
	}
	return false;
}
