#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/json_scan.h"
#include "base/wipe.h"

enum { FIRST_CAP = 256 };

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void buf_finish(struct buf *b)
{
	wipe(b->p, b->cap);
	free(b->p);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = E_OK;
}

void buf_trim(struct buf *b, size_t keep_bytes)
{
	if (b->cap > keep_bytes)
		buf_finish(b);
	else
		buf_clear(b);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	b->n -= n;
	if (n)
		memmove(b->p, b->p + n, b->n);
}

static enum err buf_fail(struct buf *b, enum err e)
{
	if (b->failed == E_OK)
		b->failed = e;
	return e;
}

/* Not realloc: what is left behind must be wiped. */
static enum err buf_grow(struct buf *b, size_t need)
{
	size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
	char *p;

	if (cap < FIRST_CAP)
		cap = b->max < FIRST_CAP ? b->max : FIRST_CAP;
	if (cap < need)
		cap = need;
	p = malloc(cap);
	if (!p)
		return buf_fail(b, E_NOMEM);
	if (b->p) {
		memcpy(p, b->p, b->n);
		wipe(b->p, b->cap);
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
	return E_OK;
}

enum err buf_reserve(struct buf *b, size_t more)
{
	if (more <= b->cap - b->n)
		return E_OK;
	if (more > b->max - b->n)
		return buf_fail(b, E_TOO_BIG);
	return buf_grow(b, b->n + more);
}

enum err buf_add_char(struct buf *b, char c)
{
	enum err e = buf_reserve(b, 1);

	if (e == E_OK)
		b->p[b->n++] = c;
	return e;
}

enum err buf_add_fmt(struct buf *b, const char *fmt, ...)
{
	va_list args;
	char *p;
	enum err e;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n <= 0)
		return n < 0 ? buf_fail(b, E_INVALID) : E_OK;
	/* vsnprintf ends with a NUL, which may not fit into the buffer: a full one is written by way of a copy. */
	e = buf_reserve(b, (size_t)n);
	if (e != E_OK)
		return e;
	p = b->cap - b->n > (size_t)n ? b->p + b->n : malloc((size_t)n + 1);
	if (!p)
		return buf_fail(b, E_NOMEM);
	va_start(args, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, args);
	va_end(args);
	if (p != b->p + b->n) {
		memcpy(b->p + b->n, p, (size_t)n);
		wipe(p, (size_t)n);
		free(p);
	}
	b->n += (size_t)n;
	return E_OK;
}

/* Writes the escape of c to `text`; returns its length. */
static inline size_t escape(char c, char text[6])
{
	static const char letter[128][2] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t",
	};
	static const char hex[] = "0123456789abcdef";

	memcpy(text, letter[c & 0x7F], 2);
	if (__builtin_expect(text[0] != 0, 1))
		return 2;
	memcpy(text, "\\u00", 4);
	text[4] = hex[(unsigned char)c >> 4];
	text[5] = hex[(unsigned char)c & 15];
	return 6;
}

static inline bool needs_escape(char c)
{
	static const bool special[256] = { ['"'] = true, ['\\'] = true, [0 ... 0x1F] = true };

	return special[(unsigned char)c];
}

/* Byte by byte where the maximum is near, for it must be met exactly. */
static enum err add_json_tightly(struct buf *b, struct slice s)
{
	enum err e = E_OK;

	for (size_t i = 0; e == E_OK && i < s.n; i++) {
		char text[6];
		e = needs_escape(s.p[i]) ? buf_add(b, slice_make(text, escape(s.p[i], text))) : buf_add_char(b, s.p[i]);
	}
	return e;
}

/* The end of a text, and short ones, with room for whatever they become. */
static void add_json_bytes(struct buf *b, struct slice s)
{
	char *out = b->p + b->n;

	for (const char *p = s.p, *end = s.p + s.n; p < end; p++) {
		*out++ = *p;
		if (needs_escape(*p))
			out += escape(*p, out - 1) - 1;
	}
	b->n = (size_t)(out - b->p);
}

#define BLOCK_ROOM (7 * JSON_SCAN_BYTES) /* a block of nothing but escapes, and the copies made ahead */

/* One block; what stands behind an escape is copied again, a whole block each time. */
static inline char *add_json_block(char *out, const char *p)
{
	unsigned marks = scan_escape_mask(p), from = 0;

	scan_copy(out, p);
	for (; marks; marks &= marks - 1) {
		unsigned i = (unsigned)__builtin_ctz(marks);

		out += i - from;
		out += escape(p[i], out);
		from = i + 1;
		scan_copy(out, p + from);
	}
	return out + JSON_SCAN_BYTES - from;
}

/* As many blocks of s as there is room for; returns the rest of it. Two blocks are read at a time. */
static struct slice add_json_blocks(struct buf *b, struct slice s)
{
	const char *p = s.p, *end = s.p + s.n;
	char *out = b->p + b->n, *out_end = b->p + b->cap;

	for (; end - p >= 2 * JSON_SCAN_BYTES && out_end - out >= BLOCK_ROOM; p += JSON_SCAN_BYTES)
		out = add_json_block(out, p);
	b->n = (size_t)(out - b->p);
	return slice_make(p, (size_t)(end - p));
}

enum err buf_add_json_text(struct buf *b, struct slice s)
{
	if (s.n == 0)
		return b->failed;
	while (s.n >= 2 * JSON_SCAN_BYTES && b->max - b->n >= BLOCK_ROOM) {
		if (b->cap - b->n < BLOCK_ROOM && buf_reserve(b, BLOCK_ROOM) != E_OK)
			return b->failed;
		s = add_json_blocks(b, s);
	}
	if (s.n >= 2 * JSON_SCAN_BYTES || b->cap - b->n < 6 * s.n)
		return add_json_tightly(b, s);
	add_json_bytes(b, s);
	return E_OK;
}

enum err buf_add_json_string(struct buf *b, struct slice s)
{
	size_t before = b->n;
	enum err e = s.n > b->max ? buf_fail(b, E_TOO_BIG) : buf_reserve(b, s.n + 2);

	if (e == E_OK)
		e = buf_add_char(b, '"');
	if (e == E_OK)
		e = buf_add_json_text(b, s);
	if (e == E_OK)
		e = buf_add_char(b, '"');
	if (e != E_OK)
		b->n = before;
	return e;
}
