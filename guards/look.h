/*
 * What a name or a text looks like, when no catalog says what it is: a path, a tenant, a value. Judged on sight, so it
 * errs to the careful side; a catalog that names the argument always knows better.
 */
#ifndef NARROWGATE_GUARDS_LOOK_H
#define NARROWGATE_GUARDS_LOOK_H

#include "policy/catalog.h"

enum look {
	LOOK_NOTHING,
	LOOK_PATH,     /* path, secret_path, uri: one path */
	LOOK_PREFIX,   /* prefix, path_pattern: everything below */
	LOOK_FOLDER,   /* folder, namespace: joined with a key beside it */
	LOOK_KEY,      /* key, from, source: a path where nothing better is known */
	LOOK_TENANT,
	LOOK_PARTNER,
	LOOK_VALUE,    /* value, password: may hold anything */
	LOOK_HARMLESS, /* limit, cursor */
};

/* Names are compared without case and by their letters and digits only; of a longer one the end counts. */
#define LOOK_MAX_NAME 64

/* Folds a name so, into `out`. */
struct slice look_fold(struct slice name, char out[LOOK_MAX_NAME]);
/* By the catalog's own words alone. */
enum look look_vocabulary(const struct vocabulary *, struct slice name);
/* By our own words alone. guards/names.h asks both. */
enum look look_word(struct slice name);
static inline bool look_is_path(enum look l)
{
	return l == LOOK_PATH || l == LOOK_PREFIX || l == LOOK_FOLDER;
}
static inline bool look_is_tenant(enum look l)
{
	return l == LOOK_TENANT || l == LOOK_PARTNER;
}

/*
 * A slash or what may become one, `..`, an escape, a scheme; or a word that is the first segment of a prefix of the
 * policy.
 */
bool look_text_is_path(const struct policy *, struct slice text);
/* tnt_acme, org:acme … */
bool look_text_is_tenant(struct slice text);
/* Starts and ends like a JSON object or array, or like a string that holds one. */
bool look_text_is_json(struct slice text);

/* --- look_args.c ---------------------------------------------------------------------------------------------- */

/* `method`, `action`, `op`: says what is to be done. `sql`, `script`: is what is to be done. */
bool look_is_verb(struct slice name);
bool look_is_script(struct slice name);
/* `delete`, `create_if_missing`, `rotateAfterRead`: a switch that makes a read do more. */
bool look_is_deed(struct slice name);

enum look_holds {
	HOLDS_ANYTHING,
	HOLDS_NUMBER, /* version: an integer, as a number or as its digits */
	HOLDS_WORD,   /* policy_id, engine: what a vault puts into an address of its own */
	HOLDS_PROSE,  /* reason, cursor: sentences, and what only the vault can read */
	HOLDS_OBJECT, /* options: members that are written as a string are read in the vault's own way */
};
/* `id`, `uuid`, `ref`: what names the very item, without saying where it lies. */
bool look_is_item_id(struct slice name);
enum look_holds look_holds(struct slice name);
bool look_text_is_number(struct slice text);
/* Holds nothing that ends a segment of an address: no slash, escape, query, `..`, control character. */
bool look_text_is_word(struct slice text);
/* Whether both names are one to a vault that compares them without case and separators, or folds letters. */
bool look_same_name(struct slice a, struct slice b, struct arena *);

#endif
