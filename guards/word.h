/*
 * Tables of short words, which are looked into for every name of every message: words are compared as numbers that sort
 * like their bytes, without a call.
 */
#ifndef NARROWGATE_GUARDS_WORD_H
#define NARROWGATE_GUARDS_WORD_H

#include <endian.h>
#include <stdint.h>
#include "base/slice.h"

#define WORD_ROOM 24 /* a word with at least one NUL behind it */

/* A row of such a table; the rows are sorted by bytes. */
struct word {
	char text[WORD_ROOM];
	int means;
};

static inline uint64_t word_part(const char *eight)
{
	uint64_t v;

	memcpy(&v, eight, sizeof v);
	return be64toh(v);
}

/* memcmp of two texts of WORD_ROOM bytes whose first eight are the same. */
static inline int word_order_rest(const char *a, const char *b)
{
	for (size_t i = 8; i < WORD_ROOM; i += 8) {
		uint64_t x = word_part(a + i), y = word_part(b + i);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/* The row of `s`, or NULL. */
static inline const struct word *word_find(const struct word *rows, size_t n, struct slice s)
{
	char text[WORD_ROOM] = { 0 };
	const struct word *low = rows;

	if (s.n == 0 || s.n >= WORD_ROOM)
		return NULL;
	memcpy(text, s.p, s.n);
	uint64_t want = word_part(text);
	while (n > 0) {
		const struct word *mid = low + n / 2;
		uint64_t have = word_part(mid->text);
		int order = have < want ? -1 : have > want ? 1 : word_order_rest(mid->text, text);

		if (order == 0)
			return mid->text[s.n - 1] ? mid : NULL; /* else `s` ends in NULs */
		if (order < 0) {
			low = mid + 1;
			n--;
		}
		n /= 2;
	}
	return NULL;
}

/* Whether the word is in the list, which ends with NULL. First letters mostly tell. */
static inline bool word_among(struct slice s, const char *const *list)
{
	for (; s.n && *list; list++)
		if (**list == s.p[0] && slice_eq(s, slice_of(*list)))
			return true;
	return false;
}
static inline bool word_among_nocase(struct slice s, const char *const *list)
{
	for (; s.n && *list; list++)
		if (((**list ^ s.p[0]) & ~0x20) == 0 && slice_eq_nocase(s, slice_of(*list)))
			return true;
	return false;
}

/* slice_ends and slice_starts where the answer is mostly no; `tail` and `head` are not empty. */
static inline bool word_ends(struct slice s, struct slice tail)
{
	return s.n >= tail.n && s.p[s.n - 1] == tail.p[tail.n - 1] && slice_ends(s, tail);
}
static inline bool word_starts(struct slice s, struct slice head)
{
	return s.n >= head.n && s.p[0] == head.p[0] && slice_starts(s, head);
}

/* The last two bytes as a number, for a switch that spares most names a list of tails. */
#define WORD_PAIR(a, b) ((unsigned)(a) << 8 | (unsigned)(b))
static inline unsigned word_last_pair(struct slice s)
{
	return s.n < 2 ? 0 : WORD_PAIR((unsigned char)s.p[s.n - 2], (unsigned char)s.p[s.n - 1]);
}

#endif
