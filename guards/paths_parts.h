/* Inside of the paths guard's result half: paths_result.c goes over the answer, the others over one payload each. */
#ifndef NARROWGATE_GUARDS_PATHS_PARTS_H
#define NARROWGATE_GUARDS_PATHS_PARTS_H

#include "guards/filter.h"
#include "guards/scope.h"

struct paths {
	struct scope scope;
	const struct view *view;
	const struct call *call;   /* NULL: sent by the vault itself */
	const struct rule *rule;   /* NULL: the catalog does not know it */
	bool bears;                /* values may hold slashes: only what the catalog names is judged */
	bool extra;                /* what is looked at stands beside the data */
	bool lists_root;           /* the call lists secrets, and from the root */
	uint32_t root;             /* of the document looked at by names */
	uint64_t removed;
	enum err err;
};

enum items_found { ITEMS_NONE, ITEMS_FOUND, ITEMS_ALONE };

/*
 * The list items the catalog names, each judged by its path. ITEMS_NONE: the selectors found no list here. ITEMS_ALONE:
 * something outside cannot be cut out (paths_items.c).
 */
enum items_found paths_items(struct paths *, struct doc *, uint32_t root);
/* The catalog's paths are relative to the call's arguments: names on their own mean nothing. */
bool paths_are_relative(const struct paths *);
/* What members and bare strings say by themselves; true when something outside stands alone (paths_names.c). */
bool paths_names(struct paths *, struct doc *, uint32_t root);
/* A list in prose: lines by the catalog's pattern, words without one; true when it cannot be cut (paths_lines.c). */
bool paths_lines(struct paths *, struct doc *);
/* Stands where a sentence named something outside. */
#define OUTSIDE_MARKER "[outside]"
/* Replaces the words of a text that name something outside. False, always: nothing is left of them. */
bool paths_hide(struct paths *, struct doc *);
/* The same for a sentence that is a string of a JSON document. What is JSON itself is left to paths_names. */
void paths_sentence(struct paths *, struct doc *, uint32_t tok);

#endif
