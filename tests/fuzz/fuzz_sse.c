/*
 * The reader of event streams. The first byte says how the rest is cut: whatever the pieces are, and wherever the
 * receiver stops, the events, the retry time and the outcome are those of the stream in one piece. What is written reads back.
 */
#include <stdio.h>
#include <stdlib.h>
#include "mcp/sse.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_EVENT = 200 };

struct result {
	struct buf seen;
	bool stops;
	enum err err;
	uint64_t retry_ms;
};

static void note(struct buf *seen, struct slice s)
{
	buf_add_fmt(seen, "%zu:", s.n);
	buf_add(seen, s);
}

static bool on_event(void *ctx, const struct sse_event *e)
{
	struct result *r = ctx;

	REQUIRE(e->data.n <= MAX_EVENT && e->type.n > 0);
	note(&r->seen, e->type);
	note(&r->seen, e->id);
	note(&r->seen, e->data);
	REQUIRE(slice_eq(e->mark.id, e->id) && (e->mark.has_data || !e->data.n));
	buf_add_fmt(&r->seen, "%d%d%llu;", e->mark.has_data, e->mark.has_retry, (unsigned long long)e->mark.retry_ms);
	return !r->stops;
}

static void run(struct slice stream, size_t piece, bool stops, struct result *result)
{
	struct sse_reader r;

	*result = (struct result){ .stops = stops };
	buf_init(&result->seen, 1u << 24);
	sse_reader_init(&r, MAX_EVENT);
	while (stream.n && result->err == E_OK) {
		struct slice part = slice_head(stream, piece);
		size_t used;
		result->err = sse_feed(&r, part, &used, on_event, result);
		REQUIRE(used > 0 && used <= part.n && (stops || result->err != E_OK || used == part.n));
		stream = slice_from(stream, used);
	}
	result->retry_ms = r.retry_ms;
	sse_reader_finish(&r);
	REQUIRE(result->seen.failed == E_OK);
}

static void reads_alike(struct slice stream, size_t piece, bool stops)
{
	struct result whole, cut;

	run(stream, stream.n, false, &whole);
	run(stream, piece, stops, &cut);
	REQUIRE(whole.err == cut.err && whole.retry_ms == cut.retry_ms);
	REQUIRE(slice_eq(buf_slice(&whole.seen), buf_slice(&cut.seen)));
	buf_finish(&whole.seen);
	buf_finish(&cut.seen);
}

static void reads_back(struct slice json)
{
	struct result got;
	struct buf out, want;

	buf_init(&out, 1u << 20);
	buf_init(&want, 1u << 20);
	REQUIRE(sse_write_message(&out, json) == E_OK);
	note(&want, SL("message"));
	note(&want, SL(""));
	note(&want, json);
	for (size_t i = 0; i < json.n; i++)
		if (want.p[want.n - json.n + i] == '\n' || want.p[want.n - json.n + i] == '\r')
			want.p[want.n - json.n + i] = ' ';
	buf_add(&want, SL("100;")); /* data, no retry */
	run(buf_slice(&out), 7, false, &got);
	REQUIRE(got.err == E_OK && slice_eq(buf_slice(&got.seen), buf_slice(&want)));
	buf_finish(&got.seen);
	buf_finish(&want);
	buf_finish(&out);
}

/* An id that may be written reads back, on an event of its own; others are refused. */
static void mark_reads_back(struct slice id)
{
	struct sse_mark mark = { id, 7, true, true };
	bool bad = memchr(id.p, '\n', id.n) || memchr(id.p, '\r', id.n) || memchr(id.p, 0, id.n);
	struct result got;
	struct buf out, want;

	buf_init(&out, 1u << 20);
	buf_init(&want, 1u << 20);
	REQUIRE(sse_write_mark(&out, &mark) == (bad ? E_INVALID : E_OK));
	if (!bad) {
		REQUIRE(sse_write_end(&out, &mark) == E_OK);
		note(&want, SL("message"));
		note(&want, id);
		note(&want, SL(""));
		buf_add(&want, SL("117;"));
		run(buf_slice(&out), 5, false, &got);
		REQUIRE(got.err == E_OK && slice_eq(buf_slice(&got.seen), buf_slice(&want)));
		buf_finish(&got.seen);
	}
	buf_finish(&want);
	buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream = { (const char *)data + 1, size - 1 };

	if (size == 0)
		return 0;
	reads_alike(stream, 1u + (data[0] >> 1) % 16, data[0] & 1);
	if (stream.n <= MAX_EVENT)
		reads_back(stream);
	if (stream.n && stream.n <= MAX_EVENT)
		mark_reads_back(stream);
	return 0;
}
