#include "guards/filter.h"

static void note(struct filter *f, enum err e)
{
	if (f->err == E_OK)
		f->err = e;
}

void filter_cut(struct filter *f, struct doc *d, uint32_t tok)
{
	if (doc_has(d, tok, DOC_GONE))
		return;
	note(f, doc_remove(d, tok));
	f->removed++;
}

bool filter_is_total_name(const struct json *j, uint32_t tok)
{
	static const char *const NAMES[] = { "total", "count", "total_count", "totalCount", "totalItems", "total_items",
		"found", "matches", "size", NULL };

	return json_string_among(j, tok, NAMES);
}

static bool is_cursor(const struct json *j, uint32_t name)
{
	static const char *const NAMES[] = { "nextCursor", "next_cursor", "cursor", "nextToken", "next_token",
		"nextPageToken", "next_page_token", NULL };

	return json_string_among(j, name, NAMES) && !json_is(j, name + 1, JSON_NULL) &&
		!json_is(j, name + 1, JSON_FALSE);
}

static bool is_total(const struct json *j, uint32_t name)
{
	return json_is(j, name + 1, JSON_NUMBER) && filter_is_total_name(j, name);
}

bool filter_has_cursor(const struct doc *d, uint32_t obj)
{
	const struct json *j = &d->json;

	if (!json_is(j, obj, JSON_OBJECT))
		return false;
	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next; t = j->tok[t + 1].next) {
		if (is_cursor(j, t))
			return true;
		if (!json_is(j, t + 1, JSON_OBJECT))
			continue;
		for (uint32_t k = json_first(j, t + 1); k < j->tok[t + 1].next; k = j->tok[k + 1].next)
			if (is_cursor(j, k))
				return true;
	}
	return false;
}

void filter_totals(struct filter *f, struct doc *d, uint32_t obj, uint64_t had, uint64_t cut)
{
	const struct json *j = &d->json;
	int64_t n;

	if (!json_is(j, obj, JSON_OBJECT) || (cut == 0 && !f->totals_span))
		return;
	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next; t = j->tok[t + 1].next) {
		if (!is_total(j, t))
			continue;
		if (f->totals_span || !json_int(j, t + 1, &n) || n < 0 || (uint64_t)n > had)
			note(f, doc_remove(d, t));
		else if ((uint64_t)n == had)
			note(f, doc_count_less(d, t + 1, cut));
	}
}

/* A string may hold a document of its own, which then speaks for the string. */
static bool walk_string(struct filter *f, struct doc *d, uint32_t tok, struct slice name)
{
	if (!doc_looks_json(d, tok))
		return false;
	struct doc *inner = doc_inside(d, tok, SL(""));
	if (!inner) {
		note(f, E_TOO_DEEP);
		return true;
	}
	return inner->kind == DOC_JSON && filter_walk(f, inner, 0, name);
}

/* *cut gets how many items went. */
static void walk_array(struct filter *f, struct doc *d, uint32_t array, struct slice name, uint64_t *cut)
{
	const struct json *j = &d->json;

	for (uint32_t t = json_first(j, array); t < j->tok[array].next && f->err == E_OK; t = j->tok[t].next) {
		bool outside;

		arena_worked(d->arena, ARENA_STEP_TOKEN);
		if (doc_has(d, t, DOC_GONE | DOC_ITEM | DOC_VALUE))
			continue;
		if (json_is(j, t, JSON_STRING)) {
			struct slice text = json_string(j, t, d->arena);
			outside = !text.p || f->item(f, text, name) || walk_string(f, d, t, name);
		} else {
			bool element = f->element && json_is(j, t, JSON_OBJECT) && f->element(f, d, t, name);
			outside = element || filter_walk(f, d, t, name);
		}
		if (outside) {
			filter_cut(f, d, t);
			(*cut)++;
		}
	}
}

/* Several members that are all objects: entries of a map rather than fields of a record. */
static bool is_map(const struct json *j, uint32_t obj)
{
	if (j->tok[obj].count < 2)
		return false;
	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next; t = j->tok[t + 1].next)
		if (!json_is(j, t + 1, JSON_OBJECT))
			return false;
	return true;
}

static bool walk_object(struct filter *f, struct doc *d, uint32_t obj, uint64_t *cut);

/* What stands under a member. *cut gets how many of its items or entries went. */
static bool walk_value(struct filter *f, struct doc *d, uint32_t value, struct slice name, uint64_t *cut)
{
	const struct json *j = &d->json;

	if (doc_has(d, value, DOC_ITEM) || (f->skip && f->skip(f, name)))
		return false;
	if (json_is(j, value, JSON_STRING))
		return walk_string(f, d, value, name);
	if (json_is(j, value, JSON_ARRAY))
		walk_array(f, d, value, name, cut);
	return json_is(j, value, JSON_OBJECT) && walk_object(f, d, value, cut);
}

/* Recursion is bounded by the reader's depth times DOC_MAX_DEPTH. */
static bool walk_object(struct filter *f, struct doc *d, uint32_t obj, uint64_t *cut)
{
	const struct json *j = &d->json;
	bool map = is_map(j, obj);

	if (f->object(f, d, obj))
		return true;
	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next && f->err == E_OK; t = j->tok[t + 1].next) {
		struct slice name = json_string(j, t, d->arena);
		uint64_t below = 0;

		arena_worked(d->arena, ARENA_STEP_TOKEN);
		if (doc_has(d, t + 1, DOC_GONE | DOC_VALUE))
			continue;
		if (!name.p) {
			note(f, E_NOMEM);
			return true;
		}
		bool cut_name = f->name && f->name(f, name);
		bool outside = cut_name || walk_value(f, d, t + 1, name, &below);
		if (outside && !cut_name && !map)
			return true;
		if (outside) {
			filter_cut(f, d, t + 1);
			(*cut)++;
		}
		if (json_is(j, t + 1, JSON_ARRAY) || json_is(j, t + 1, JSON_OBJECT))
			filter_totals(f, d, obj, j->tok[t + 1].count, below);
	}
	return f->err != E_OK;
}

bool filter_walk(struct filter *f, struct doc *d, uint32_t tok, struct slice name)
{
	uint64_t cut = 0;

	if (f->err != E_OK || doc_has(d, tok, DOC_GONE | DOC_ITEM))
		return f->err != E_OK;
	if (json_is(&d->json, tok, JSON_ARRAY))
		walk_array(f, d, tok, name, &cut);
	return json_is(&d->json, tok, JSON_OBJECT) && walk_object(f, d, tok, &cut);
}
