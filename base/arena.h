/*
 * Memory of one exchange: allocations are never freed one by one; arena_reset and arena_free wipe and give back all at once.
 * Small enough to embed; the first block is kept over a reset, so an arena that is reused costs no malloc.
 */
#ifndef NARROWGATE_BASE_ARENA_H
#define NARROWGATE_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include "base/slice.h"

struct arena_block;

/*
 * A long work is put aside now and then, so that others get their turn. Whoever works on the memory of an arena says how many bytes
 * are done (arena_worked); a pace that hangs on the arena rests when they are enough. Nobody else need know of it. What was
 * borrowed from somewhere else than the arena may have changed when the work goes on.
 */
struct pace {
	size_t left;                 /* bytes of work until the next rest */
	void (*rest)(struct pace *); /* comes back when the work may go on, with `left` set anew */
};

struct arena {
	struct arena_block *first;
	struct arena_block *current;
	size_t used_bytes; /* over all blocks */
	size_t max_bytes;
	struct pace *pace; /* NULL: works without a rest. Borrowed; kept over a reset. */
};

/* Some work is done; may rest. */
static inline void arena_worked(struct arena *a, size_t bytes)
{
	if (!a->pace)
		return;
	if (a->pace->left > bytes)
		a->pace->left -= bytes;
	else
		a->pace->rest(a->pace);
}
/* What a step of a walk over tokens counts for, and what is said at a time where bytes are counted. */
#define ARENA_STEP_TOKEN 128
#define ARENA_STEP_BYTES (16 * 1024)

void arena_init(struct arena *a, size_t max_bytes);
/* Wipes and frees all but the first block. */
void arena_reset(struct arena *a);
/* Wipes and frees everything; the arena may be used again. */
void arena_finish(struct arena *a);

/* n bytes, zeroed, aligned for any type. NULL when the limit is reached or memory is out. n == 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t n);
/* The same without zeroing. */
void *arena_alloc_raw(struct arena *a, size_t n);
/*
 * Gives back what lies behind the first `keep` of the n bytes at p, where nothing was written. When p was not the last allocation,
 * nothing happens.
 */
void arena_shrink(struct arena *a, void *p, size_t n, size_t keep);
/* n elements of `size` bytes, zeroed; NULL on overflow. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* A copy of s, NUL-terminated behind its end. {NULL, 0} on failure. */
struct slice arena_dup(struct arena *a, struct slice s);
/* The three one behind the other, NUL-terminated. {NULL, 0} on failure. */
struct slice arena_join(struct arena *a, struct slice x, struct slice y, struct slice z);
/* Formatted text, NUL-terminated. {NULL, 0} on failure. */
struct slice arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
