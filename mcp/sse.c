#include "mcp/sse.h"

#include "mcp/oneline.h"

enum {
	KEEP_BYTES = 64 * 1024, /* what a reader keeps allocated between events, by buffer */
	NAME_BYTES = 16,        /* a line may be longer than the data it carries by its field's name */
	TYPE_BYTES = 256,
	ID_BYTES = 4096,
};

void sse_reader_init(struct sse_reader *r, size_t max_event_bytes)
{
	size_t line = max_event_bytes > SIZE_MAX - NAME_BYTES ? SIZE_MAX : max_event_bytes + NAME_BYTES;

	*r = (struct sse_reader){ .max_bytes = max_event_bytes };
	buf_init(&r->data, max_event_bytes);
	buf_init(&r->line, line);
	buf_init(&r->type, TYPE_BYTES);
	buf_init(&r->id, ID_BYTES);
}

void sse_reader_finish(struct sse_reader *r)
{
	buf_finish(&r->data);
	buf_finish(&r->line);
	buf_finish(&r->type);
	buf_finish(&r->id);
	sse_reader_init(r, r->max_bytes);
}

/* --- one line ----------------------------------------------------------------------------------------------------- */

static enum err set(struct buf *b, struct slice value)
{
	buf_clear(b);
	return buf_add(b, value);
}

static enum err add_data(struct sse_reader *r, struct slice value)
{
	enum err e = r->has_data ? buf_add_char(&r->data, '\n') : E_OK;

	r->has_data = true;
	return e == E_OK ? buf_add(&r->data, value) : e;
}

/* Digits alone count, and only as many as surely fit. */
static void set_retry(struct sse_reader *r, struct slice value)
{
	uint64_t ms = 0;

	if (value.n == 0 || value.n > 15)
		return;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return;
		ms = ms * 10 + (uint64_t)(value.p[i] - '0');
	}
	r->has_retry = true;
	r->retry_ms = ms;
}

/* A line that is not empty. Comments are fields with an empty name, and ignored like any unknown one. */
static enum err take_field(struct sse_reader *r, struct slice text)
{
	const char *colon = memchr(text.p, ':', text.n);
	struct slice name = colon ? slice_head(text, (size_t)(colon - text.p)) : text;
	struct slice value = slice_from(text, name.n + 1);

	if (value.n && value.p[0] == ' ')
		value = slice_from(value, 1);
	if (slice_eq(name, SL("data")))
		return add_data(r, value);
	if (slice_eq(name, SL("event")))
		return set(&r->type, value);
	if (slice_eq(name, SL("id")) && (value.n == 0 || !memchr(value.p, '\0', value.n)))
		return set(&r->id, value);
	if (slice_eq(name, SL("retry")))
		set_retry(r, value);
	return E_OK;
}

/* An empty line: the event is complete. False when the receiver wants no more. */
static bool dispatch(struct sse_reader *r, bool (*event)(void *ctx, const struct sse_event *), void *ctx)
{
	bool more = true;

	if (r->has_data || r->id.n || r->has_retry) {
		struct sse_event e = { .data = buf_slice(&r->data), .id = buf_slice(&r->id) };
		e.mark = (struct sse_mark){ e.id, r->has_retry ? r->retry_ms : 0, r->has_retry, r->has_data };
		e.type = r->type.n ? buf_slice(&r->type) : SL("message");
		more = event(ctx, &e);
	}
	buf_trim(&r->data, KEEP_BYTES);
	buf_clear(&r->type);
	buf_clear(&r->id);
	r->has_data = r->has_retry = false;
	return more;
}

/* The end of a line that begins in the buffer or, if that is empty, in `part`: then nothing but data is copied. */
static enum err end_line(struct sse_reader *r, struct slice part, bool *more,
	bool (*event)(void *ctx, const struct sse_event *), void *ctx)
{
	struct slice text = part;
	enum err e = E_OK;

	if (r->line.n) {
		e = buf_add(&r->line, part);
		text = buf_slice(&r->line);
	} else if (part.n > r->line.max) {
		e = E_TOO_BIG;
	}
	if (e != E_OK)
		return e;
	if (!r->started && slice_starts(text, SL("\xEF\xBB\xBF")))
		text = slice_from(text, 3);
	r->started = true;
	if (text.n)
		e = take_field(r, text);
	else
		*more = dispatch(r, event, ctx);
	buf_trim(&r->line, KEEP_BYTES);
	return e;
}

/* --- the stream --------------------------------------------------------------------------------------------------- */

/* Where the next LF and the next CR are, or `end`: neither is searched for twice over the same bytes. */
struct ends {
	const char *end, *lf, *cr;
};

static const char *find_byte(const char *p, const char *end, char c)
{
	const char *at = memchr(p, c, (size_t)(end - p));

	return at ? at : end;
}

static const char *find_end(struct ends *ends, const char *p)
{
	if (ends->lf < p)
		ends->lf = find_byte(p, ends->end, '\n');
	if (ends->cr < p)
		ends->cr = find_byte(p, ends->end, '\r');
	return ends->lf < ends->cr ? ends->lf : ends->cr;
}

enum err sse_feed(struct sse_reader *r, struct slice bytes, size_t *used,
	bool (*event)(void *ctx, const struct sse_event *), void *ctx)
{
	const char *p = bytes.p, *end = bytes.p + bytes.n;
	struct ends ends;
	enum err e = E_OK;
	bool more = true;

	*used = 0;
	if (bytes.n == 0)
		return E_OK;
	ends = (struct ends){ end, find_byte(p, end, '\n'), find_byte(p, end, '\r') };
	while (p < end && more && e == E_OK) {
		const char *at;
		if (r->after_cr && *p == '\n')
			p++;
		r->after_cr = false;
		if (p == end)
			break;
		at = find_end(&ends, p);
		if (at == end) {
			e = buf_add(&r->line, slice_make(p, (size_t)(end - p)));
			p = end;
			break;
		}
		r->after_cr = *at == '\r';
		e = end_line(r, slice_make(p, (size_t)(at - p)), &more, event, ctx);
		p = at + 1;
	}
	*used = bytes.n - (size_t)(end - p);
	return e;
}

enum err sse_write_message(struct buf *out, struct slice json)
{
	return oneline_add(out, SL("event: message\ndata: "), json, SL("\n\n"));
}

enum err sse_write_mark(struct buf *out, const struct sse_mark *m)
{
	for (size_t i = 0; i < m->id.n; i++)
		if (m->id.p[i] == '\n' || m->id.p[i] == '\r' || m->id.p[i] == 0)
			return E_INVALID;
	if (m->id.n) {
		buf_add(out, SL("id: "));
		buf_add(out, m->id);
		buf_add_char(out, '\n');
	}
	if (m->has_retry)
		buf_add_fmt(out, "retry: %llu\n", (unsigned long long)m->retry_ms);
	return out->failed;
}

enum err sse_write_end(struct buf *out, const struct sse_mark *m)
{
	return buf_add(out, m->has_data ? SL("data: \n\n") : SL("\n"));
}
