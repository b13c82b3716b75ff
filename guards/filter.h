/*
 * Cutting out of a JSON document what must not be seen: list items and map entries go, and the totals that counted them
 * follow; what stands alone cannot be cut out, and the whole answer is then refused. Paths and tenants share it.
 */
#ifndef NARROWGATE_GUARDS_FILTER_H
#define NARROWGATE_GUARDS_FILTER_H

#include "guards/guard.h"

struct filter {
	/* The object itself says that it lies outside: by its own members, not by what is below them. */
	bool (*object)(struct filter *, struct doc *, uint32_t obj);
	/* A string in an array; `name` is the member the array stands under. */
	bool (*item)(struct filter *, struct slice text, struct slice name);
	/* An object in an array that stands under `name`, by what the list is one of; NULL: by its own members alone. */
	bool (*element)(struct filter *, struct doc *, uint32_t obj, struct slice name);
	/* A member's name. */
	bool (*name)(struct filter *, struct slice name);
	/* A member that is not looked into; NULL: none. */
	bool (*skip)(struct filter *, struct slice name);
	void *ctx;
	bool totals_span;    /* some cursor says that more pages follow: totals count what is not here */
	uint64_t removed;
	enum err err;
};

/* True when what stands at `tok` is outside and was not cut out. */
bool filter_walk(struct filter *, struct doc *, uint32_t tok, struct slice name);
/* Whether the string names a member that counts the items of a list. */
bool filter_is_total_name(const struct json *, uint32_t tok);
/* Removes an item or entry and counts it. */
void filter_cut(struct filter *, struct doc *, uint32_t tok);
/* Whether the object, or an object right below it, holds a cursor to a next page. */
bool filter_has_cursor(const struct doc *, uint32_t obj);
/*
 * The totals that stand in an object beside a list that had `had` entries, of which `cut` went: one that equals the
 * list's length follows it, one that is larger counts other pages, and goes.
 */
void filter_totals(struct filter *, struct doc *, uint32_t obj, uint64_t had, uint64_t cut);

#endif
