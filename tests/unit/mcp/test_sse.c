/* Each stream is fed whole, byte by byte, in two parts at every place, and with a receiver that stops after each event. */
#include "tests/unit/check.h"
#include "mcp/sse.h"

struct listener {
	struct buf seen; /* `type|id|data;` for each event */
	bool stops;
};

static bool on_event(void *ctx, const struct sse_event *e)
{
	struct listener *l = ctx;

	assert_int_equal(buf_add_fmt(&l->seen, "%.*s|%.*s|", SL_ARG(e->type), SL_ARG(e->id)), E_OK);
	buf_add(&l->seen, e->data);
	buf_add_char(&l->seen, ';');
	return !l->stops;
}

static enum err feed(struct sse_reader *r, struct slice bytes, struct listener *l)
{
	while (bytes.n) {
		size_t used = SIZE_MAX;
		enum err e = sse_feed(r, bytes, &used, on_event, l);
		if (e != E_OK)
			return e;
		assert_true(used > 0 && used <= bytes.n);
		assert_true(l->stops || used == bytes.n);
		bytes = slice_from(bytes, used);
	}
	return E_OK;
}

/* Feeds the stream in pieces: `first` bytes, then `piece` at a time. */
static void run(struct slice stream, size_t first, size_t piece, bool stops, enum err want_err, struct slice want)
{
	struct listener l = { .stops = stops };
	struct sse_reader r;
	enum err e;

	buf_init(&l.seen, 1u << 20);
	sse_reader_init(&r, 64);
	e = feed(&r, slice_head(stream, first), &l);
	for (size_t at = first; e == E_OK && at < stream.n; at += piece)
		e = feed(&r, slice_head(slice_from(stream, at), piece), &l);
	assert_int_equal(e, want_err);
	assert_slice(buf_slice(&l.seen), want);
	sse_reader_finish(&r);
	buf_finish(&l.seen);
}

static void run_all(struct slice stream, enum err want_err, struct slice want)
{
	for (int stops = 0; stops < 2; stops++) {
		run(stream, 0, 1, stops, want_err, want);
		for (size_t cut = 0; cut <= stream.n; cut++)
			run(stream, cut, SIZE_MAX / 2, stops, want_err, want);
	}
}

static void events(void **state)
{
	static const struct {
		struct slice stream, want;
	} rows[] = {
		{ SL("data: {\"a\":1}\n\n"), SL("message||{\"a\":1};") },
		{ SL("event: message\ndata: x\n\n"), SL("message||x;") },
		{ SL("event: endpoint\ndata: /m?s=1\n\ndata: x\n\n"), SL("endpoint||/m?s=1;message||x;") },
		/* line ends */
		{ SL("data: a\r\rdata: b\r\r"), SL("message||a;message||b;") },
		{ SL("data: a\r\n\r\ndata: b\r\n\r\n"), SL("message||a;message||b;") },
		{ SL("data: a\r\ndata: b\r\n\r\n"), SL("message||a\nb;") },
		{ SL("data: a\n\r\ndata: b\r\n\ndata: c\r\n\rdata: d\n\r"), SL("message||a;message||b;message||c;message||d;") },
		{ SL("data: a\n\r\n\rdata: b\r\n\n\n\r\n\n"), SL("message||a;message||b;") },
		/* several data lines, empty ones too */
		{ SL("data: a\ndata: b\ndata\ndata:\ndata:c\n\n"), SL("message||a\nb\n\n\nc;") },
		{ SL("data\n\n"), SL("message||;") },
		{ SL("data:\n\n"), SL("message||;") },
		/* one space goes, the rest stays; a colon inside is data */
		{ SL("data:  a: b \n\n"), SL("message|| a: b ;") },
		{ SL("data:\ta\n\n"), SL("message||\ta;") },
		/* comments, unknown fields, names of other case or with spaces */
		{ SL(":keep-alive\n\n: x\n\n:\ndata: a\nfoo: b\nDATA: c\n data: d\ndata : e\n\n"), SL("message||a;") },
		/* an event needs data or an id */
		{ SL("event: x\n\ndata: a\n\n"), SL("message||a;") },
		{ SL("\n\n\n\r\n"), SL("") },
		/* ids: priming events; of their own event only; none with NUL */
		{ SL("id: 7\ndata:\n\nid: 8\n\ndata: a\n\n"), SL("message|7|;message|8|;message||a;") },
		{ SL("id: 1\nid: 2\nid: 3\0\ndata: a\n\nid\n\n"), SL("message|2|a;") },
		{ SL("event: a\nevent: b\ndata: x\n\n"), SL("b||x;") },
		{ SL("event: a\nevent:\ndata: x\n\n"), SL("message||x;") },
		/* a BOM, at the start only */
		{ SL("\xef\xbb\xbf" "data: a\n\n"), SL("message||a;") },
		{ SL("\xef\xbb\xbf\n" "\xef\xbb\xbf" "data: a\n\ndata: b\n\n"), SL("message||b;") },
		{ SL("\xef\xbb\xbf\xef\xbb\xbf" "data: a\n\n"), SL("") },
		/* unfinished at the end: not an event */
		{ SL("data: a\n\ndata: b\n"), SL("message||a;") },
		{ SL("data: a\n\ndata: b"), SL("message||a;") },
		/* bytes of any kind, NUL too */
		{ SL("data: \xc3\xa9\0\xff\n\n"), SL("message||\xc3\xa9\0\xff;") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		run_all(rows[i].stream, E_OK, rows[i].want);
}

#define TEN "0123456789"
#define SIXTY_FOUR TEN TEN TEN TEN TEN TEN "abcd"

static void limits(void **state)
{
	(void)state;
	run_all(SL("data: " SIXTY_FOUR "\n\n"), E_OK, SL("message||" SIXTY_FOUR ";"));
	run_all(SL("data: x\n\ndata: " SIXTY_FOUR "e\n\n"), E_TOO_BIG, SL("message||x;"));
	run_all(SL("data: " TEN TEN TEN TEN TEN TEN "\ndata: abc\n\n"), E_OK, SL("message||" TEN TEN TEN TEN TEN TEN "\nabc;"));
	run_all(SL("data: " TEN TEN TEN TEN TEN TEN "\ndata: abcd\n\n"), E_TOO_BIG, SL(""));
	run_all(SL(":" SIXTY_FOUR "012345678901234\n\n"), E_OK, SL(""));
	run_all(SL(":" SIXTY_FOUR "0123456789012345\n\n"), E_TOO_BIG, SL(""));
}

static void retry(void **state)
{
	static const struct {
		struct slice stream;
		uint64_t want;
	} rows[] = {
		{ SL("data: a\n\n"), 0 }, { SL("retry: 1500\n"), 1500 }, { SL("retry: 1500\nretry: -1\nretry: 2x\nretry:\nretry\n"), 1500 },
		{ SL("retry: 99999999999999999999999\n"), 0 }, { SL("retry:7\nretry: 8\n\n"), 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct listener l = { .stops = false };
		struct sse_reader r;
		buf_init(&l.seen, 100);
		sse_reader_init(&r, 100);
		assert_int_equal(feed(&r, rows[i].stream, &l), E_OK);
		assert_true(r.retry_ms == rows[i].want);
		sse_reader_finish(&r);
		buf_finish(&l.seen);
	}
}

/* The time is linear in the bytes, whatever the line ends are: each of these is a second's work if it is not. */
static void many_line_ends(void **state)
{
	static char bytes[1u << 20];
	static const char *const kinds[] = { "\r", "\n", "\r\n", ":\r", "d\n" };

	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		struct listener l = { .stops = false };
		struct sse_reader r;
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = kinds[k][i % strlen(kinds[k])];
		buf_init(&l.seen, 100);
		sse_reader_init(&r, 100);
		assert_int_equal(feed(&r, slice_make(bytes, sizeof(bytes)), &l), E_OK);
		sse_reader_finish(&r);
		buf_finish(&l.seen);
	}
}

static void write_message(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 60);
	assert_int_equal(sse_write_message(&b, SL("{\r\n\"a\":\n1\r}")), E_OK);
	assert_slice(buf_slice(&b), SL("event: message\ndata: {  \"a\": 1 }\n\n"));
	assert_int_equal(sse_write_message(&b, SL("{}")), E_OK);
	assert_slice(buf_slice(&b), SL("event: message\ndata: {  \"a\": 1 }\n\nevent: message\ndata: {}\n\n"));
	assert_int_equal(sse_write_message(&b, SL("{}")), E_TOO_BIG);
	assert_slice(buf_slice(&b), SL("event: message\ndata: {  \"a\": 1 }\n\nevent: message\ndata: {}\n\n"));
	run_all(buf_slice(&b), E_OK, SL("message||{  \"a\": 1 };message||{};"));
	buf_finish(&b);
}

static bool note_mark(void *ctx, const struct sse_event *e)
{
	struct listener *l = ctx;

	buf_add_fmt(&l->seen, "%.*s|%d|%llu|%d;", SL_ARG(e->mark.id), e->mark.has_retry, (unsigned long long)e->mark.retry_ms,
		e->mark.has_data);
	return true;
}

/* An id and a retry belong to the event they stand on, and what was written is read so again. */
static void marks(void **state)
{
	static const struct {
		struct slice stream, want;
	} rows[] = {
		{ SL("id: e1\nretry: 50\ndata: \n\n"), SL("e1|1|50|1;") },
		{ SL("id: e1\n\n"), SL("e1|0|0|0;") },
		{ SL("retry: 0\n\n"), SL("|1|0|0;") },
		{ SL("retry: 7\n\nid: a\ndata: x\n\ndata: y\n\n"), SL("|1|7|0;a|0|0|1;|0|0|1;") },
		{ SL("retry: x\n\n: c\n\n"), SL("") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct listener l = { .stops = false };
		struct sse_reader r;
		size_t used;
		buf_init(&l.seen, 1u << 10);
		sse_reader_init(&r, 100);
		assert_int_equal(sse_feed(&r, rows[i].stream, &used, note_mark, &l), E_OK);
		assert_slice(buf_slice(&l.seen), rows[i].want);
		sse_reader_finish(&r);
		buf_finish(&l.seen);
	}
}

static void write_marks(void **state)
{
	const struct sse_mark prime = { SL("e1"), 50, true, true }, plain = { SL("e2"), 0, false, true };
	const struct sse_mark wait = { SL(""), 9, true, false };
	static const struct slice bad[] = { { "a\nb", 3 }, { "a\rb", 3 }, { "a\0b", 3 } };
	struct buf b;

	(void)state;
	buf_init(&b, 200);
	sse_write_mark(&b, &prime);
	sse_write_end(&b, &prime);
	sse_write_mark(&b, &plain);
	sse_write_message(&b, SL("{}"));
	sse_write_mark(&b, &wait);
	sse_write_end(&b, &wait);
	assert_slice(buf_slice(&b),
		SL("id: e1\nretry: 50\ndata: \n\nid: e2\nevent: message\ndata: {}\n\nretry: 9\n\n"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) { /* HTTP-16 */
		size_t n = b.n;

		assert_int_equal(sse_write_mark(&b, &(struct sse_mark){ .id = bad[i] }), E_INVALID);
		assert_int_equal(b.n, n);
	}
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events),
		cmocka_unit_test(limits),
		cmocka_unit_test(retry),
		cmocka_unit_test(many_line_ends),
		cmocka_unit_test(write_message),
		cmocka_unit_test(marks),
		cmocka_unit_test(write_marks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
