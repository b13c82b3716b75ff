#include "base/base64.h"

#include <stdint.h>

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits of a character, or -1. */
static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

bool base64_decode(struct slice *out, struct slice coded, struct arena *a)
{
	char *p = arena_alloc_raw(a, coded.n / 4 * 3 + 3);
	uint32_t bits = 0;
	size_t n = 0, held = 0, padding = 0;

	if (!p)
		return false;
	for (size_t i = 0; i < coded.n; i++) {
		char c = coded.p[i];
		if (c == '\r' || c == '\n')
			continue;
		if (c == '=') {
			padding++;
			continue;
		}
		int six = sextet(c);
		if (six < 0 || padding)
			return false;
		bits = bits << 6 | (uint32_t)six;
		held += 6;
		if (held >= 8) {
			held -= 8;
			p[n++] = (char)(bits >> held & 0xff);
		}
	}
	/* A lone last character holds no whole byte. */
	if (held == 6 || padding > 2)
		return false;
	*out = slice_make(p, n);
	return true;
}

struct slice base64_encode(struct slice bytes, struct arena *a)
{
	size_t n = 0;
	char *p = arena_alloc_raw(a, (bytes.n + 2) / 3 * 4 + 1);

	if (!p)
		return (struct slice){ NULL, 0 };
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t have = bytes.n - i < 3 ? bytes.n - i : 3;
		uint32_t b = (uint32_t)(unsigned char)bytes.p[i] << 16;
		if (have > 1)
			b |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
		if (have > 2)
			b |= (unsigned char)bytes.p[i + 2];
		p[n++] = ALPHABET[b >> 18];
		p[n++] = ALPHABET[b >> 12 & 63];
		p[n++] = have > 1 ? ALPHABET[b >> 6 & 63] : '=';
		p[n++] = have > 2 ? ALPHABET[b & 63] : '=';
	}
	return slice_make(p, n);
}
