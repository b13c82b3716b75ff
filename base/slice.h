/*
 * Borrowed bytes: a pointer and a length, never NUL-terminated, never owned.
 * A slice lives as long as whatever it points into; each header that returns one says what that is.
 */
#ifndef NARROWGATE_BASE_SLICE_H
#define NARROWGATE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

/* A slice over a string literal. */
#define SL(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })
/* For printf("%.*s"). */
#define SL_ARG(s) (int)(s).n, ((s).n ? (s).p : "")

static inline struct slice slice_of(const char *z)
{
	return (struct slice){ z, z ? strlen(z) : 0 };
}

static inline struct slice slice_make(const char *p, size_t n)
{
	return (struct slice){ p, n };
}

/* slice_same for n > 0 bytes whose first are the same. */
bool slice_rest_same(const char *p, const char *q, size_t n);
/*
 * Whether n bytes are the same. Names are short and mostly differ in the first byte, so the library's memcmp, a far call, is
 * only for literals (which the compiler compares in place) and long texts.
 */
static inline bool slice_same(const char *p, const char *q, size_t n)
{
	if (__builtin_constant_p(n))
		return n == 0 || memcmp(p, q, n) == 0;
	return n == 0 || (p[0] == q[0] && slice_rest_same(p, q, n));
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && slice_same(a.p, b.p, b.n);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_same(s.p, prefix.p, prefix.n);
}

static inline bool slice_ends(struct slice s, struct slice tail)
{
	return s.n >= tail.n && slice_same(s.p + s.n - tail.n, tail.p, tail.n);
}

/* The part of s from byte `from` on (empty when from is past the end). */
static inline struct slice slice_from(struct slice s, size_t from)
{
	return from >= s.n ? (struct slice){ s.p ? s.p + s.n : s.p, 0 } : (struct slice){ s.p + from, s.n - from };
}

/* The first n bytes of s (all of s when it is shorter). */
static inline struct slice slice_head(struct slice s, size_t n)
{
	return (struct slice){ s.p, s.n < n ? s.n : n };
}

/* slice_eq_nocase for two of the same length. */
bool slice_same_nocase(struct slice a, struct slice b);
/* ASCII letters compared without case; every other byte exactly. */
static inline bool slice_eq_nocase(struct slice a, struct slice b)
{
	return a.n == b.n && slice_same_nocase(a, b);
}

/* Offset of the first `needle` in s, or -1. An empty needle is found at 0. */
ptrdiff_t slice_find(struct slice s, struct slice needle);

/* s without leading and trailing spaces, tabs, CR and LF. */
struct slice slice_trim(struct slice s);

/*
 * Cuts the part before the first `sep` off *rest and returns it; *rest is left behind the separator.
 * Without a separator all of *rest is returned, and *rest becomes {NULL, 0}: the sign that nothing is left.
 */
struct slice slice_cut(struct slice *rest, char sep);

#endif
