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

struct word_key {
	uint64_t at[WORD_ROOM / 8];
};

static inline struct word_key word_key(const char text[WORD_ROOM])
{
	struct word_key k;

	memcpy(&k, text, sizeof k);
	for (size_t i = 0; i < WORD_ROOM / 8; i++)
		k.at[i] = be64toh(k.at[i]);
	return k;
}

/* The row of `s`, or NULL. */
static inline const struct word *word_find(const struct word *rows, size_t n, struct slice s)
{
	char text[WORD_ROOM] = { 0 };
	size_t lo = 0;

	if (s.n == 0 || s.n >= WORD_ROOM)
		return NULL;
	memcpy(text, s.p, s.n);
	struct word_key want = word_key(text);
	while (lo < n) {
		size_t mid = lo + (n - lo) / 2, i = 0;
		struct word_key have = word_key(rows[mid].text);

		while (i < WORD_ROOM / 8 - 1 && have.at[i] == want.at[i])
			i++;
		if (have.at[i] < want.at[i])
			lo = mid + 1;
		else if (have.at[i] > want.at[i])
			n = mid;
		else
			return rows[mid].text[s.n - 1] ? &rows[mid] : NULL; /* else `s` ends in NULs */
	}
	return NULL;
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

#endif
