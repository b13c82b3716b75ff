/*
 * Growable bytes with a cap. A buf owns its memory, cannot be made without a maximum, and is wiped before it is freed.
 * An error leaves the buffer as it was; `failed` remembers that one happened, so that a run of adds is checked once.
 */
#ifndef NARROWGATE_BASE_BUF_H
#define NARROWGATE_BASE_BUF_H

#include <stdarg.h>
#include "base/err.h"
#include "base/slice.h"

struct buf {
	char *p;
	size_t n;       /* bytes in use */
	size_t cap;     /* bytes allocated */
	size_t max;     /* bytes it may ever hold */
	enum err failed; /* the first error of an add since the last buf_clear */
};

void buf_init(struct buf *b, size_t max_bytes);
/* Wipes and frees; the buffer may be used again, empty. */
void buf_finish(struct buf *b);
/* Empties, keeps the memory. The old bytes stay in memory until overwritten: use buf_finish for secrets. */
void buf_clear(struct buf *b);
/* Empties; when more than keep_bytes were allocated, wipes and frees them: for buffers that outlive one big message. */
void buf_trim(struct buf *b, size_t keep_bytes);
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);

/* Makes room for `more` bytes behind the content; b->p + b->n may then be written to. E_TOO_BIG, E_NOMEM. */
enum err buf_reserve(struct buf *b, size_t more);
/* s must not lie in the buffer itself. */
static inline enum err buf_add(struct buf *b, struct slice s)
{
	if (s.n > b->cap - b->n) {
		enum err e = buf_reserve(b, s.n);

		if (e != E_OK)
			return e;
	}
	if (s.n)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	return E_OK;
}
enum err buf_add_char(struct buf *b, char c);
enum err buf_add_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds s as a quoted JSON string (RFC 8259 §7): quotes, backslashes and control characters escaped, one line. s is UTF-8. */
enum err buf_add_json_string(struct buf *b, struct slice s);
/* The same without the quotes: a long text can be added in parts, cut anywhere. On error the part may be there in part. */
enum err buf_add_json_text(struct buf *b, struct slice s);

static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){ b->p, b->n };
}

#endif
