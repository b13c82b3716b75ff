/*
 * Text files compiled into the program by policy/embed.py: the built-in profiles and catalogs.
 */
#ifndef NARROWGATE_POLICY_EMBED_H
#define NARROWGATE_POLICY_EMBED_H

#include "base/slice.h"

struct embedded {
	const char *name; /* the file's, without folder and extension */
	const char *text; /* NUL-terminated behind `length` bytes */
	size_t length;
};

/* profiles/NAME.yaml, sorted by name. */
extern const struct embedded policy_profiles[];
extern const size_t policy_profiles_count;
extern const char policy_profiles_names[]; /* "auditor, observer, …" for error texts */
/* catalogs/NAME.yaml, sorted by name. */
extern const struct embedded policy_catalogs[];
extern const size_t policy_catalogs_count;
extern const char policy_catalogs_names[]; /* "1claw, agent-secret-store, …" for error texts */

#endif
