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

/* The catalog's own words (may be NULL) first, then ours. */
enum look look_name(const struct vocabulary *, struct slice name);
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
/* Starts and ends like a JSON object or array. */
bool look_text_is_json(struct slice text);

#endif
