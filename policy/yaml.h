/*
 * YAML as a small read-only tree with a place for every node, over libyaml. Anchors, aliases, tags, several documents and
 * duplicate keys are refused: a configuration must read the same to everyone.
 */
#ifndef NARROWGATE_POLICY_YAML_H
#define NARROWGATE_POLICY_YAML_H

#include "policy/catalog.h" /* struct faults, struct origin */

enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	struct origin at;
	struct slice key;              /* of a map's entry; empty elsewhere */
	struct origin key_at;
	struct slice text;             /* YAML_SCALAR: the decoded text */
	bool plain;                    /* YAML_SCALAR: written without quotes (so `true` may be a boolean) */
	const struct yaml_node *first; /* children of a list or map */
	const struct yaml_node *next;  /* sibling */
	size_t n;                      /* number of children */
};

/* The root of the only document, in the arena; NULL (and a fault) on errors. An empty text gives a YAML_NULL root. */
const struct yaml_node *yaml_parse(struct slice text, struct slice file, struct arena *, struct faults *);
/* NULL when `map` is NULL, no map, or has no such key. */
const struct yaml_node *yaml_get(const struct yaml_node *map, struct slice key);
/* Whether the node is of this kind; a fault that says what it must be when it is not. */
bool yaml_is(const struct yaml_node *, enum yaml_kind, struct faults *);
/* Adds a fault for every key of `map` that is not in the NULL-terminated list, naming the nearest valid one, or all of
 * them when none is near. No map: nothing. */
void yaml_only(const struct yaml_node *map, const char *const *keys, struct faults *);
/* The index of `word` (the node's text) among the NULL-terminated words; -1 and a fault that names the nearest, or all. */
int yaml_word(const struct yaml_node *, struct slice word, const char *const *words, struct faults *);
/* Plain `true`/`false` only (YAML 1.2 core); otherwise a fault, and `deflt`. */
bool yaml_bool(const struct yaml_node *, bool deflt, struct faults *);
/* A scalar's text (quoted or plain); a fault and {NULL,0} for lists, maps and null. */
struct slice yaml_text(const struct yaml_node *, struct faults *);
/* The valid name nearest to `word` by edit distance, or NULL when none is near. */
const char *yaml_nearest(struct slice word, const char *const *names);

#endif
