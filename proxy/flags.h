/*
 * Command lines: long options by getopt_long, one table a command, and the help text made from it.
 */
#ifndef NARROWGATE_PROXY_FLAGS_H
#define NARROWGATE_PROXY_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

#define FLAG_MAX_VALUES 64

struct flag {
	const char *name;        /* "config" for --config */
	char letter;             /* 'c' for -c; 0: none */
	const char *value;       /* "FILE" in the help; NULL: a switch */
	const char *help;
	bool many;               /* may be given several times */
	const char *given[FLAG_MAX_VALUES]; /* filled in; a switch gets "" */
	size_t n;
};

/*
 * Reads argv against `flags` (ended by a NULL name). Returns the index of the first operand (behind `--` too), -1 on
 * misuse (one line on stderr has been written), or -2 when --help was asked for and printed.
 */
int flags_parse(int argc, char **argv, const char *usage, const char *about, struct flag *flags);

/* The last value given, or NULL. */
const char *flag_value(const struct flag *);
/* All values as slices into `out` (FLAG_MAX_VALUES of them); returns how many. */
size_t flag_values(const struct flag *, struct slice *out);

#endif
