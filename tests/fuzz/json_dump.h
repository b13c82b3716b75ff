/*
 * A JSON value as bytes that are the same exactly when the values are: how readers are compared with each other.
 * Knows nothing of any reader's types, so that each can be fed into it from a file of its own.
 */
#ifndef NARROWGATE_FUZZ_JSON_DUMP_H
#define NARROWGATE_FUZZ_JSON_DUMP_H

#include <stdint.h>
#include <stdlib.h>
#include "base/buf.h"

/* What a reader says of a number. */
enum dump_numbers {
	DUMP_TEXT,   /* its text */
	DUMP_TYPED,  /* an integer of 64 bits, or a double */
	DUMP_DOUBLE, /* a double, always */
};

static inline void dump_bytes(struct buf *out, const void *p, size_t n)
{
	if (buf_add(out, slice_make(p, n)) != E_OK)
		abort();
}

/* n null, t and f, [ ] and { }: a mark that says all. */
static inline void dump_mark(struct buf *out, char mark)
{
	dump_bytes(out, &mark, 1);
}

static inline void dump_counted(struct buf *out, char mark, struct slice s)
{
	dump_mark(out, mark);
	dump_bytes(out, &s.n, sizeof(s.n));
	dump_bytes(out, s.p, s.n);
}

static inline void dump_string(struct buf *out, struct slice s)
{
	dump_counted(out, 's', s);
}

static inline void dump_text_number(struct buf *out, struct slice s)
{
	dump_counted(out, '#', s);
}

static inline void dump_integer(struct buf *out, int64_t value)
{
	dump_mark(out, 'i');
	dump_bytes(out, &value, sizeof(value));
}

static inline void dump_double(struct buf *out, double value)
{
	dump_mark(out, 'd');
	dump_bytes(out, &value, sizeof(value));
}

#endif
