/*
 * A text reduced to what remains however it is written: its letters and digits, case folded, full-width and look-alike letters as
 * the ASCII ones they imitate, without marks, spaces, signs and what nobody sees. Two texts that differ only in these are one.
 */
#ifndef NARROWGATE_BASE_BARE_H
#define NARROWGATE_BASE_BARE_H

#include <stdint.h>
#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

struct bare {
	char *p;
	uint32_t *at;  /* of each byte: where its character stands in the texts added so far; NULL: not wanted */
	size_t n, cap;
	size_t read;   /* bytes of the texts added so far */
	bool signs;    /* ASCII signs stay (spaces do not) */
	bool places;   /* `at` is wanted */
	struct arena *arena;
};

/* Room for `n` bytes of text; more is made when it is needed. E_NOMEM. */
enum err bare_init(struct bare *, size_t n, bool signs, bool places, struct arena *);
/*
 * Adds a text, which need not be valid UTF-8: bytes that are none stay as they are. What stands behind it up to `end` may be read too,
 * which is faster for short texts. E_NOMEM.
 */
enum err bare_add_in(struct bare *, struct slice text, const char *end);
static inline enum err bare_add(struct bare *b, struct slice text)
{
	return bare_add_in(b, text, text.p + text.n);
}
/* Adds a byte that no bare text holds, so that nothing is found across it. E_NOMEM. */
enum err bare_break(struct bare *);

static inline struct slice bare_text(const struct bare *b)
{
	return slice_make(b->p, b->n);
}

#endif
