/*
 * Inside of the catalog loader: what its files share. Every function adds a fault, with its place, for what it cannot
 * read.
 */
#ifndef NARROWGATE_POLICY_CATALOG_READ_H
#define NARROWGATE_POLICY_CATALOG_READ_H

#include "policy/catalog.h"
#include "policy/yaml.h"

struct catalog_reader {
	struct arena *arena; /* the catalog's */
	struct faults *faults;
};

/* The children of a list, or a single value as a list of itself; NULL nodes give none. Step with ->next, *n times. */
const struct yaml_node *catalog_each(const struct yaml_node *, size_t *n);
/* n zeroed elements, or NULL and a fault. */
void *catalog_array(struct catalog_reader *, const struct yaml_node *at, size_t n, size_t size);

/* Each takes one value or a list of them; an absent (NULL) node leaves *v and *n as they are. */
void catalog_texts(struct catalog_reader *, const struct yaml_node *, const struct slice **v, size_t *n);
void catalog_selectors(struct catalog_reader *, const struct yaml_node *, const struct selector **v, size_t *n);
void catalog_templates(struct catalog_reader *, const struct yaml_node *, const struct template **v, size_t *n);

/* One of each. *out is untouched where the node is absent or wrong. */
void catalog_selector(struct catalog_reader *, const struct yaml_node *, struct selector *out);
void catalog_template(struct catalog_reader *, const struct yaml_node *, struct template *out);
/* `by_line`: `^` and `$` match at the ends of lines. NULL when absent or wrong. */
const struct regex *catalog_regex(struct catalog_reader *, const struct yaml_node *, bool by_line);
const struct regex *catalog_pattern(struct catalog_reader *, const struct yaml_node *at, struct slice pattern,
	bool by_line);
/* Index of the text in a NULL-terminated list; `deflt` when absent, or (with a fault) when it is none of them. */
unsigned catalog_one_of(struct catalog_reader *, const struct yaml_node *, const char *const *words, unsigned deflt);
enum action catalog_action(struct catalog_reader *, const struct yaml_node *);
/* A whole number of at most `max`; 0 when absent or wrong. */
unsigned catalog_number(struct catalog_reader *, const struct yaml_node *, unsigned max);
/* true or false; false when absent or wrong. */
bool catalog_flag(struct catalog_reader *, const struct yaml_node *);
/* A map whose keys are all in the NULL-terminated list; false (with a fault) when it is no map. Absent: no fault. */
bool catalog_map(struct catalog_reader *, const struct yaml_node *, const char *const *keys);

/* catalog_tenant.c */
void catalog_read_tenant(struct catalog_reader *, const struct yaml_node *, struct tenant_rule *out);
/* catalog_out.c: where a result holds values, items and counts. */
void catalog_read_out(struct catalog_reader *, const struct yaml_node *, struct out_rule *out);
/* catalog_handle.c */
void catalog_read_takes(struct catalog_reader *, const struct yaml_node *, struct rule *);
void catalog_read_gives(struct catalog_reader *, const struct yaml_node *, struct rule *);
/* catalog_do.c */
void catalog_read_do(struct catalog_reader *, const struct yaml_node *, struct action_rule *out);
/* catalog_rule.c: a map of name -> rule. The array is sorted by name. */
void catalog_read_rules(struct catalog_reader *, const struct yaml_node *, const struct rule **v, size_t *n);
/* catalog_words.c */
void catalog_read_vocabulary(struct catalog_reader *, const struct yaml_node *, struct vocabulary *out);

/* catalog_lookup.c: the order rules and words are sorted in, as memcmp says it. */
int catalog_order(struct slice a, struct slice b);
/* catalog_uri.c: a URI template's variables, in order. False with a static *why when it is not well formed. */
bool catalog_uri_vars(struct slice uri_template, struct slice vars[CATALOG_MAX_VARS], size_t *n, const char **why);

#endif
