/*
 * Other people's JSON readers, to be compared with ours; each program links those whose symbols do not clash.
 */
#ifndef NARROWGATE_FUZZ_ORACLE_H
#define NARROWGATE_FUZZ_ORACLE_H

#include <stdbool.h>
#include "json_dump.h"

/* Known faults and limits of a library: where one of them applies, its reading is not held against us. */
enum oracle_fault {
	FAULT_BIG_INTEGER = 1, /* refuses an integer outside of int64 */
	FAULT_LONG_NUMBER = 2, /* refuses a number written with 64 characters or more */
	FAULT_CUT_AT_NUL = 4,  /* a string ends at its first U+0000 */
	FAULT_EATS_NUL = 8,    /* passes over a NUL byte behind a number or a literal, which is no JSON */
};

struct oracle {
	const char *name;
	enum dump_numbers numbers;
	unsigned faults;
	bool strict; /* what it takes, we take as well */
	/* False when the text is refused. */
	bool (*read)(struct slice text, struct buf *out);
};

/* Ends with a row without name. */
extern const struct oracle oracles[];

#endif
