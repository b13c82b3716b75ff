/*
 * From a file name and flags to a configuration, with every fault printed for whoever started us.
 */
#ifndef NARROWGATE_PROXY_LOAD_H
#define NARROWGATE_PROXY_LOAD_H

#include <stdio.h>
#include "policy/config.h"

/* Where the configuration comes from; kept by whoever reloads. */
struct load_source {
	const char *file;          /* NULL: no file */
	struct config_flags flags;
};

/*
 * The file `serve` and `stdio` use: the given one, else $NARROWGATE_CONFIG, else `fallback` when it exists; NULL: none.
 */
const char *load_default_file(const char *given, const char *fallback);
/* NULL with one line a fault in *faults. */
struct config *load_config(const struct load_source *, struct faults *);
/* Prints `file:line:column: text` lines. */
void load_print_faults(FILE *to, const struct faults *);

#endif
