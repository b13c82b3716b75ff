/*
 * Each answer is fed whole, byte by byte, in two parts at every place, and with a receiver that stops at every
 * message.
 */
#include "tests/unit/check.h"
#include "upstream/http_answer.h"

#define MAX_MESSAGE 128

struct listener {
	struct buf seen; /* `stream;` and each message in brackets */
	bool stops;
};

static void on_stream(void *ctx)
{
	buf_add(&((struct listener *)ctx)->seen, SL("stream;"));
}

static bool on_message(void *ctx, struct slice json)
{
	struct listener *l = ctx;

	buf_add_fmt(&l->seen, "[%.*s]", SL_ARG(json));
	return !l->stops;
}

/* `{id}`, or `(id)` for an event without a message. */
static void on_mark(void *ctx, const struct sse_mark *mark, bool alone)
{
	buf_add_fmt(&((struct listener *)ctx)->seen, alone ? "(%.*s)" : "{%.*s}", SL_ARG(mark->id));
}

/* The bytes are copied, and gone after the call, as those of a read buffer are. */
static enum http_answer_state feed(
	struct http_answer *a, struct slice bytes, const struct http_answer_sink *sink, size_t *rest)
{
	char *copy = malloc(bytes.n + 1);
	struct slice in = slice_make(copy, bytes.n);

	if (bytes.n)
		memcpy(copy, bytes.p, bytes.n);
	enum http_answer_state state = http_answer_feed(a, &in, sink);
	while (state == HTTP_ANSWER_HELD) {
		assert_true(http_answer_hold(a, in));
		if (copy)
			memset(copy, 'X', bytes.n);
		free(copy);
		copy = NULL;
		in = SL("");
		if (http_answer_holds(a))
			in = http_answer_unhold(a);
		state = http_answer_feed(a, &in, sink);
	}
	*rest = in.n;
	free(copy);
	return state;
}

struct want {
	struct http_asked asked;
	enum upstream_outcome outcome;
	const char *seen;
	bool keep, surplus;
	bool eof; /* the connection ends behind it */
};

static const struct http_asked post = { HTTP_VERB_POST, false, true }, note = { HTTP_VERB_POST, false, false };
static const struct http_asked in_session = { HTTP_VERB_POST, true, true }, listen_get = { HTTP_VERB_GET, true, false };
static const struct http_asked end_session = { HTTP_VERB_DELETE, true, false };

static void run(struct http_answer *a, struct slice text, size_t first, size_t piece, bool stops, const struct want *w)
{
	struct listener l = { .stops = stops };
	struct http_answer_sink sink = { on_stream, on_message, &l, on_mark };
	enum http_answer_state state;
	size_t rest = 0;

	buf_init(&l.seen, 1u << 20);
	http_answer_begin(a, w->asked);
	state = feed(a, slice_head(text, first), &sink, &rest);
	for (size_t at = first; state == HTTP_ANSWER_MORE && at < text.n; at += piece)
		state = feed(a, slice_head(slice_from(text, at), piece), &sink, &rest);
	if (state == HTTP_ANSWER_MORE && w->eof)
		do
			state = http_answer_end(a, &sink);
		while (state == HTTP_ANSWER_HELD);
	if (!a->decided || a->outcome != w->outcome)
		print_error("answer: %.*s\ncut at %zu, by %zu: %s\n", SL_ARG(text), first, piece,
			upstream_outcome_text(a->outcome));
	assert_true(a->decided);
	assert_int_equal(a->outcome, w->outcome);
	assert_slice(buf_slice(&l.seen), slice_of(w->seen));
	if (state == HTTP_ANSWER_DONE) {
		assert_int_equal(a->keep, w->keep);
		if (piece > text.n && first == 0)
			assert_int_equal(rest > 0, w->surplus);
	} else {
		assert_false(w->keep && !w->eof && w->outcome == UP_DONE);
	}
	buf_finish(&l.seen);
}

static void run_all(const char *z, struct want w)
{
	struct slice text = slice_of(z);
	struct http_answer a;

	http_answer_init(&a, MAX_MESSAGE);
	for (int stops = 0; stops < 2; stops++) {
		run(&a, text, 0, 1, stops, &w);
		for (size_t cut = 0; cut <= text.n; cut++)
			run(&a, text, cut, SIZE_MAX / 2, stops, &w);
	}
	http_answer_finish(&a);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define JSON "Content-Type: application/json\r\n"
#define EVENTS "Content-Type: text/event-stream\r\n"

static void test_json(void **state)
{
	(void)state;
	run_all(OK JSON "Content-Length: 9\r\n\r\n{\"id\": 1}",
		(struct want){ post, UP_DONE, "[{\"id\": 1}]", .keep = true });
	run_all(OK JSON "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"i\r\n6;x=y\r\nd\": 1}\r\n0\r\nTrailer: x\r\n\r\n",
		(struct want){ post, UP_DONE, "[{\"id\": 1}]", .keep = true });
	run_all(OK "content-type:  Application/JSON; charset=utf-8\r\nContent-Encoding: identity\r\ncontent-length: "
		"2\r\n\r\n{}",
		(struct want){ post, UP_DONE, "[{}]", .keep = true });
	run_all(OK JSON "\r\n{}", (struct want){ post, UP_DONE, "[{}]", .eof = true });
	run_all("HTTP/1.0 200 OK\r\n" JSON "Content-Length: 2\r\n\r\n{}", (struct want){ post, UP_DONE, "[{}]" });
	run_all(OK JSON "Connection: close\r\nContent-Length: 2\r\n\r\n{}", (struct want){ post, UP_DONE, "[{}]" });
	run_all("HTTP/1.1 100 Continue\r\nContent-Type: text/plain\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" OK JSON
		"Content-Length: 2\r\n\r\n{}", (struct want){ post, UP_DONE, "[{}]", .keep = true });
}

static void test_events(void **state)
{
	(void)state;
	run_all(OK EVENTS
		"\r\nid: 1\ndata:\n\n: hello\ndata: {\"a\":1}\n\nevent: message\r\ndata: {\"b\":\r\ndata: 2}\r\n\r\n",
		(struct want){ post, UP_DONE, "stream;(1)[{\"a\":1}][{\"b\":\n2}]", .eof = true });
	run_all(OK EVENTS "\r\nid: p\nretry: 5\ndata: \n\nid: q\ndata: {}\n\nid: r\nevent: other\ndata: {}\n\nretry: 6\n\n",
		(struct want){ post, UP_DONE, "stream;(p){q}[{}](r)()", .eof = true });
	run_all(OK "content-TYPE: Text/Event-Stream;charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
		"7\r\ndata: {\r\n4\r\n}\n\nd\r\n7\r\nata: 2\n\r\nB\r\n\ndata: 33\n\n\r\n0\r\n\r\n",
		(struct want){ post, UP_DONE, "stream;[{}][2][33]", .keep = true });
	run_all(OK EVENTS "Content-Length: 33\r\n\r\nevent: ping\ndata: x\n\ndata: last\n\n",
		(struct want){ post, UP_DONE, "stream;[last]", .keep = true });
	run_all(OK EVENTS "Content-Length: 8\r\n\r\n: bye\n\n\n",
		(struct want){ post, UP_NO_ANSWER, "stream;", .keep = true });
	run_all(OK EVENTS "Content-Length: 8\r\n\r\n: bye\n\n\n",
		(struct want){ listen_get, UP_DONE, "stream;", .keep = true });
}

static void test_statuses(void **state)
{
	static const char rpc[] = "HTTP/1.1 400 No\r\n" JSON "Content-Length: 2\r\n\r\n{}";

	(void)state;
	run_all("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", (struct want){ note, UP_DONE, "", .keep = true });
	run_all("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		(struct want){ note, UP_DONE, "", .keep = true });
	run_all("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
		(struct want){ post, UP_NO_ANSWER, "", .keep = true });
	run_all("HTTP/1.1 204 No Content\r\n\r\n", (struct want){ end_session, UP_DONE, "", .keep = true });
	run_all(OK JSON "Content-Length: 0\r\n\r\n", (struct want){ post, UP_NO_ANSWER, "", .keep = true });
	run_all(OK "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nok",
		(struct want){ note, UP_DONE, "", .keep = true });
	run_all("HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 2\r\n\r\n{}",
		(struct want){ post, UP_REDIRECT, "", .keep = true });
	run_all("HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer x\r\n" JSON "Content-Length: 2\r\n\r\n{}",
		(struct want){ post, UP_UNAUTHORIZED, "", .keep = true });
	run_all("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
		(struct want){ post, UP_UNAUTHORIZED, "", .keep = true });
	run_all("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
		(struct want){ in_session, UP_SESSION_LOST, "", .keep = true });
	run_all("HTTP/1.1 404 No\r\n" JSON "Content-Length: 2\r\n\r\n{}",
		(struct want){ post, UP_STATUS, "[{}]", .keep = true });
	run_all("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
		(struct want){ listen_get, UP_NOT_OFFERED, "", .keep = true });
	run_all("HTTP/1.1 405 No\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n",
		(struct want){ listen_get, UP_NOT_OFFERED, "", .keep = true });
	run_all("HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n",
		(struct want){ end_session, UP_NOT_OFFERED, "", .keep = true });
	run_all("HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n", (struct want){ post, UP_STATUS, "", .keep = true });
	run_all(rpc, (struct want){ post, UP_STATUS, "[{}]", .keep = true });
	run_all("HTTP/1.1 502 Bad\r\n" JSON "Content-Length: 2\r\n\r\n{}",
		(struct want){ post, UP_STATUS, "", .keep = true });
	run_all("HTTP/1.1 503 Bad\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
		(struct want){ post, UP_STATUS, "", .keep = true });
}

static void test_garbage(void **state)
{
	static const char *const texts[] = {
		OK "Content-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
		OK "Content-Length: 2\r\n\r\n{}",
		OK JSON "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
		OK JSON JSON "Content-Length: 2\r\n\r\n{}",
		OK JSON "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		OK JSON "Content-Length: +2\r\n\r\n{}",
		OK JSON "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		OK JSON "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		OK JSON "Transfer-Encoding: identity\r\n\r\n{}",
		OK JSON "Transfer-Encoding: chunked\r\n\r\n2x\r\n{}\r\n0\r\n\r\n",
		OK JSON "Content-Length : 2\r\n\r\n{}",
		OK JSON "Con tent: 2\r\n\r\n{}",
		OK JSON "X: a\rb\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/2.0 200 OK\r\n" JSON "Content-Length: 2\r\n\r\n{}",
		"HTTP/0.9 200 OK\r\n" JSON "Content-Length: 2\r\n\r\n{}",
		"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
		"HTTP/1.1 99 What\r\n\r\n",
		"ICY 200 OK\r\n\r\n",
		"{\"jsonrpc\":\"2.0\"}",
		OK EVENTS "Mcp-Session-Id: a b\r\n\r\n",
		OK EVENTS "Mcp-Session-Id: a\r\nmcp-session-id: b\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		run_all(texts[i], (struct want){ post, UP_GARBAGE, "" });
	run_all(OK JSON "Content-Length: 2\r\n\r\n{}", (struct want){ listen_get, UP_GARBAGE, "" });
}

static void test_sizes(void **state)
{
	struct http_answer a;
	char text[512];

	(void)state;
	snprintf(text, sizeof text, OK JSON "Content-Length: %d\r\n\r\n%0*d", MAX_MESSAGE, MAX_MESSAGE, 1);
	http_answer_init(&a, MAX_MESSAGE);
	char want[MAX_MESSAGE + 3];
	snprintf(want, sizeof want, "[%0*d]", MAX_MESSAGE, 1);
	run(&a, slice_of(text), 0, SIZE_MAX / 2, false, &(struct want){ post, UP_DONE, want, .keep = true });
	run(&a, slice_of(text), 0, 7, false, &(struct want){ post, UP_DONE, want, .keep = true });
	snprintf(text, sizeof text, OK JSON "Content-Length: %d\r\n\r\n", MAX_MESSAGE + 1);
	run(&a, slice_of(text), 0, SIZE_MAX / 2, false, &(struct want){ post, UP_TOO_BIG, "" });
	snprintf(text, sizeof text, OK JSON "\r\n%0*d", MAX_MESSAGE + 1, 1);
	run(&a, slice_of(text), 0, SIZE_MAX / 2, false, &(struct want){ post, UP_TOO_BIG, "" });
	run(&a, slice_of(text), 0, 50, false, &(struct want){ post, UP_TOO_BIG, "" });
	snprintf(text, sizeof text, OK EVENTS "\r\ndata: %0*d\n\n", MAX_MESSAGE + 1, 1);
	run(&a, slice_of(text), 0, SIZE_MAX / 2, false, &(struct want){ post, UP_TOO_BIG, "stream;" });
	snprintf(text, sizeof text, OK EVENTS "\r\ndata: 1\n\ndata: %0*d", 2 * MAX_MESSAGE, 1);
	run(&a, slice_of(text), 0, 1, false, &(struct want){ post, UP_TOO_BIG, "stream;[1]" });
	http_answer_finish(&a);
}

static void test_endless_heads(void **state)
{
	struct listener l = { 0 };
	struct http_answer_sink sink = { on_stream, on_message, &l, on_mark };
	static const char *const lines[] = { "X-Y: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
		"a:\r\n", "HTTP/1.1 100 C\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct http_answer a;
		struct slice in = i == 2 ? SL("") : slice_of("HTTP/1.1 200 OK\r\n");
		enum http_answer_state s;
		int n = 0;

		http_answer_init(&a, MAX_MESSAGE);
		http_answer_begin(&a, post);
		s = http_answer_feed(&a, &in, &sink);
		for (; s == HTTP_ANSWER_MORE && n < 100000; n++) {
			in = slice_of(lines[i]);
			s = http_answer_feed(&a, &in, &sink);
		}
		assert_int_equal(s, HTTP_ANSWER_FAILED);
		assert_int_equal(a.outcome, UP_GARBAGE);
		assert_true(n < 20000);
		http_answer_finish(&a);
	}
}

static void test_broken(void **state)
{
	(void)state;
	run_all("", (struct want){ post, UP_BROKEN, "", .eof = true });
	run_all("HTTP/1.1 20", (struct want){ post, UP_BROKEN, "", .eof = true });
	run_all(OK JSON "Content-Length: 20\r\n\r\n{\"id\": 1}", (struct want){ post, UP_BROKEN, "", .eof = true });
	run_all(OK JSON "Transfer-Encoding: chunked\r\n\r\n9\r\n{\"id\": 1}\r\n",
		(struct want){ post, UP_BROKEN, "", .eof = true });
	run_all(OK EVENTS "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n",
		(struct want){ post, UP_BROKEN, "stream;[1]", .eof = true });
}

static void test_surplus(void **state)
{
	(void)state;
	run_all(OK JSON "Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n",
		(struct want){ post, UP_DONE, "[{}]", .keep = true, .surplus = true });
	run_all("HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\nx",
		(struct want){ note, UP_DONE, "", .keep = true, .surplus = true });
	run_all("HTTP/1.1 204 OK\r\n\r\nx", (struct want){ note, UP_DONE, "", .keep = true, .surplus = true });
	run_all(OK JSON "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nx",
		(struct want){ post, UP_DONE, "[{}]", .keep = true, .surplus = true });
}

static void test_fields(void **state)
{
	struct listener l = { 0 };
	struct http_answer_sink sink = { on_stream, on_message, &l, on_mark };
	struct http_answer a;
	struct slice in =
		slice_of("HTTP/1.1 100 C\r\nMcp-Session-Id: no\r\n\r\nHTTP/1.1 202 OK\r\nmcp-session-ID: 4f7f-AB.~\r\n"
			"Keep-Alive: max=100, timeout=5\r\nMcp-Session-Id-More: "
			"x\r\nA-Header-Whose-Name-Is-Much-Too-Long-To-Matter: x\r\n"
			"Content-Length: 0\r\n\r\n");

	(void)state;
	http_answer_init(&a, MAX_MESSAGE);
	http_answer_begin(&a, note);
	assert_int_equal(http_answer_feed(&a, &in, &sink), HTTP_ANSWER_DONE);
	assert_slice(buf_slice(&a.session), SL("4f7f-AB.~"));
	assert_int_equal(a.keep_alive_ms, 5000);
	assert_int_equal(a.status, 202);
	http_answer_begin(&a, note);
	assert_int_equal(a.session.n, 0);
	assert_int_equal(a.keep_alive_ms, 0);
	http_answer_finish(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_endless_heads),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_surplus),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
