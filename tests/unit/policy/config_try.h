/*
 * Loads a configuration in a test: text, variables and flags in; a config or its faults as text out.
 */
#ifndef NARROWGATE_TESTS_CONFIG_TRY_H
#define NARROWGATE_TESTS_CONFIG_TRY_H

#include "policy/config.h"

struct try {
	struct config *config;  /* NULL: there were faults */
	struct faults faults;
	struct buf text;        /* the faults, or what try_print printed */
};

/* cmocka fixtures: *state becomes a struct try. */
int try_start(void **state);
int try_stop(void **state);

/* Loads; `env` is NAME=VALUE strings, NULL-terminated (or NULL), `flags` may be NULL. The config before is given back. */
struct config *try_load(struct try *, const char *yaml, const struct config_flags *flags, const char *const *env);
/* The same under a file name, which is where relative paths start; no text and no name: no file. */
struct config *try_load_as(struct try *, const char *yaml, const char *file, const struct config_flags *flags,
	const char *const *env);
/* The faults of the last load, "file:line:column: text" a line; without a line, "file: text". */
const char *try_faults(struct try *);
/* The first agent's effective profile. */
const char *try_print(struct try *);

/* One file and what it must say; `faults` NULL: it loads. */
struct try_row {
	const char *yaml, *faults;
};
void try_rows(struct try *, const struct try_row *rows, size_t n);

#endif
