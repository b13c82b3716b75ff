/*
 * Server-sent events (WHATWG HTML §9.2), incrementally, no I/O: LF, CR or CRLF, a BOM, several data lines, comments,
 * `id`, `retry`, unknown fields. Events are made anew downstream: parsed JSON crosses, and marks (ids made anew, numbers).
 */
#ifndef NARROWGATE_MCP_SSE_H
#define NARROWGATE_MCP_SSE_H

#include <stdint.h>
#include "base/buf.h"

/* What an event says beside its data, by which a stream can be taken up where it broke. */
struct sse_mark {
	struct slice id;   /* empty: none */
	uint64_t retry_ms; /* how long to wait before taking it up, where has_retry */
	bool has_retry;
	bool has_data;     /* there were data lines, perhaps empty ones (MCP 2025-11-25 primes a stream with one) */
};

struct sse_event {
	struct slice type; /* "message" when the stream named none */
	struct slice data; /* lines joined with \n; empty for priming events */
	struct slice id;   /* the event's own; empty when it had none */
	struct sse_mark mark;
};

struct sse_reader {
	struct buf data, type, id, line;
	size_t max_bytes;
	bool started, after_cr, has_data, has_retry;
	uint64_t retry_ms; /* 0: never sent */
};

/* `max_event_bytes` bounds one event's data, and each line of the stream with 16 bytes more for the field's name. */
void sse_reader_init(struct sse_reader *, size_t max_event_bytes);
void sse_reader_finish(struct sse_reader *);
/*
 * Feeds bytes; `event` is called for each complete event that has data (or an id, or a retry), with slices valid during the call.
 * It returns false to stop: *used says how many bytes were taken, and the rest may be fed later. It must neither feed nor
 * finish this reader. E_TOO_BIG, E_NOMEM: the stream cannot go on.
 */
enum err sse_feed(struct sse_reader *, struct slice bytes, size_t *used,
	bool (*event)(void *ctx, const struct sse_event *), void *ctx);

/* Adds one event: `event: message\ndata: …\n\n`. CR and LF inside `json` (whitespace of the JSON) become spaces. */
enum err sse_write_message(struct buf *out, struct slice json);

/*
 * Adds the lines of a mark, without ending the event: a message follows, or sse_write_end. An id with a line end or a NUL is
 * E_INVALID, and nothing is added.
 */
enum err sse_write_mark(struct buf *out, const struct sse_mark *);
/* Ends an event that has no message: with an empty data line where the mark says so. */
enum err sse_write_end(struct buf *out, const struct sse_mark *);

#endif
