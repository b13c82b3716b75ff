#include "base/slice.h"

#include <stdint.h>

static inline uint64_t load8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t load4(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

#define LONG_BYTES 64

bool slice_rest_same(const char *p, const char *q, size_t n)
{
	if (n < 4)
		return p[n / 2] == q[n / 2] && p[n - 1] == q[n - 1];
	if (n < 8)
		return load4(p) == load4(q) && load4(p + n - 4) == load4(q + n - 4);
	if (n > LONG_BYTES)
		return memcmp(p, q, n) == 0;
	for (size_t i = 0; i + 8 < n; i += 8)
		if (load8(p + i) != load8(q + i))
			return false;
	return load8(p + n - 8) == load8(q + n - 8);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* The eight bytes at p with A to Z as a to z. A sum's top bit says whether the byte is at least `A`, or over `Z`. */
static uint64_t lower_word(const char *p)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t v, low, upper;

	memcpy(&v, p, sizeof(v));
	low = v & ones * 0x7F;
	upper = ((low + ones * (0x80 - 'A')) ^ (low + ones * (0x7F - 'Z'))) & ~v & ones * 0x80;
	return v | upper >> 2;
}

bool slice_same_nocase(struct slice a, struct slice b)
{
	if (a.n < sizeof(uint64_t)) {
		for (size_t i = 0; i < a.n; i++)
			if (lower(a.p[i]) != lower(b.p[i]))
				return false;
		return true;
	}
	for (size_t i = 0; i + sizeof(uint64_t) < a.n; i += sizeof(uint64_t))
		if (lower_word(a.p + i) != lower_word(b.p + i))
			return false;
	return lower_word(a.p + a.n - sizeof(uint64_t)) == lower_word(b.p + b.n - sizeof(uint64_t));
}

/* memmem prepares a table first, which costs more than most texts are long. */
#define WORTH_PREPARING_BYTES 256

ptrdiff_t slice_find(struct slice s, struct slice needle)
{
	if (needle.n == 0)
		return 0;
	if (s.n < needle.n)
		return -1;
	if (s.n >= WORTH_PREPARING_BYTES) {
		const char *at = memmem(s.p, s.n, needle.p, needle.n);
		return at ? at - s.p : -1;
	}
	const char *end = s.p + s.n - needle.n + 1;
	for (const char *at = s.p; at < end && (at = memchr(at, needle.p[0], (size_t)(end - at))) != NULL; at++)
		if (memcmp(at, needle.p, needle.n) == 0)
			return at - s.p;
	return -1;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.n && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct slice slice_cut(struct slice *rest, char sep)
{
	struct slice head = *rest;
	const char *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;

	if (!at) {
		*rest = (struct slice){ NULL, 0 };
		return head;
	}
	head.n = (size_t)(at - head.p);
	*rest = slice_from(*rest, head.n + 1);
	return head;
}
