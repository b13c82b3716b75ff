#include "mcp/ndjson.h"

#include "mcp/oneline.h"

/* What a reader keeps allocated between lines. */
enum { KEEP_BYTES = 64 * 1024 };

void ndjson_reader_init(struct ndjson_reader *r, size_t max_line_bytes)
{
	buf_init(&r->line, max_line_bytes);
}

void ndjson_reader_finish(struct ndjson_reader *r)
{
	buf_finish(&r->line);
}

/* Hands a line on, unless it is blank; false when the receiver wants no more. */
static bool deliver(struct slice text, bool (*line)(void *ctx, struct slice), void *ctx)
{
	if (text.n == 0 || slice_trim(text).n == 0)
		return true;
	if (text.p[text.n - 1] == '\r')
		text.n--;
	return line(ctx, text);
}

/* A line that begins in the buffer or, if that is empty, in `part`. The common case copies nothing. */
static enum err end_line(struct ndjson_reader *r, struct slice part, bool *more,
	bool (*line)(void *ctx, struct slice), void *ctx)
{
	enum err e;

	if (r->line.n == 0) {
		if (part.n > r->line.max)
			return E_TOO_BIG;
		*more = deliver(part, line, ctx);
		return E_OK;
	}
	e = buf_add(&r->line, part);
	if (e != E_OK)
		return e;
	*more = deliver(buf_slice(&r->line), line, ctx);
	buf_trim(&r->line, KEEP_BYTES);
	return E_OK;
}

enum err ndjson_feed(struct ndjson_reader *r, struct slice bytes, size_t *used,
	bool (*line)(void *ctx, struct slice), void *ctx)
{
	struct slice rest = bytes;
	enum err e = E_OK;
	bool more = true;

	*used = 0;
	while (rest.n && more && e == E_OK) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct slice part = end ? slice_head(rest, (size_t)(end - rest.p)) : rest;

		e = end ? end_line(r, part, &more, line, ctx) : buf_add(&r->line, part);
		rest = slice_from(rest, part.n + (end ? 1 : 0));
		*used = bytes.n - rest.n;
	}
	return e;
}

enum err ndjson_end(struct ndjson_reader *r, bool (*line)(void *ctx, struct slice), void *ctx)
{
	bool more;

	return end_line(r, SL(""), &more, line, ctx);
}

enum err ndjson_write(struct buf *out, struct slice json)
{
	return oneline_add(out, SL(""), json, SL("\n"));
}
