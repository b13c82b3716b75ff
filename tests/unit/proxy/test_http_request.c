/* The request reader: every row is read in one piece, byte by byte, and in two halves; all three must agree. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "proxy/http_request.h"
#include "proxy/media.h"

static const struct http_limits limits = { .max_head_bytes = 32 * 1024, .max_fields = 100, .max_body_bytes = 1000 };

#define H "Host: localhost\r\n"
#define POST "POST /mcp HTTP/1.1\r\n" H

struct row {
	const char *id;   /* of threats or what it shows */
	const char *text;
	int status;       /* 0: a whole request */
	const char *body;
	const char *rest; /* pipelined bytes behind it */
};

static const struct row rows[] = {
	{ "plain", "GET /mcp HTTP/1.1\r\n" H "\r\n", 0, "", "" },
	{ "body", POST "Content-Length: 5\r\n\r\nhello", 0, "hello", "" },
	{ "empty body", POST "Content-Length: 0\r\n\r\n", 0, "", "" },
	{ "no length is no body", POST "\r\n", 0, "", "" },
	{ "pipelined", POST "Content-Length: 2\r\n\r\nabGET /x", 0, "ab", "GET /x" },
	{ "chunked", POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n00a\r\n0123456789\r\n0\r\n\r\n", 0, "abc0123456789", "" },
	{ "chunked and pipelined", POST "Transfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nPOST ", 0, "x", "POST " },
	{ "chunked and empty", POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, "", "" },
	{ "unknown fields pass", "GET / HTTP/1.1\r\nX-A: 1\r\n" H "x-a: 2\r\nCookie: c\r\nTE: trailers\r\n\r\n", 0, "", "" },
	{ "white space around a value", "GET / HTTP/1.1\r\nHost: \t a \t \r\n\r\n", 0, "", "" },
	{ "two Accept lines", "GET / HTTP/1.1\r\n" H "Accept: text/html\r\nAccept: text/event-stream\r\n\r\n", 0, "", "" },
	{ "expect", POST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nok", 0, "ok", "" },
	{ "HTTP-05 other method", "PATCH /mcp HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 0, "x", "" },

	{ "HTTP-01 no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400 },
	{ "HTTP-01 empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400 },
	{ "HTTP-01 two Hosts", "GET / HTTP/1.1\r\n" H "Host: evil\r\n\r\n", 400 },
	{ "HTTP-01 the same Host twice", "GET / HTTP/1.1\r\n" H H "\r\n", 400 },
	{ "HTTP-05 absolute form", "GET http://localhost/mcp HTTP/1.1\r\n" H "\r\n", 400 },
	{ "HTTP-05 authority form", "CONNECT localhost:80 HTTP/1.1\r\n" H "\r\n", 400 },
	{ "HTTP-05 asterisk form", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 400 },
	{ "HTTP-05 no such method", "BREW /mcp HTTP/1.1\r\n" H "\r\n", 405 },
	{ "HTTP-05 method in lower case", "post /mcp HTTP/1.1\r\n" H "\r\n", 405 },
	{ "HTTP-08 both lengths", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 both lengths, the other way", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 double length", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400 },
	{ "HTTP-08 two lengths", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400 },
	{ "HTTP-08 length list", POST "Content-Length: 5, 5\r\n\r\nhello", 400 },
	{ "HTTP-08 signed length", POST "Content-Length: +5\r\n\r\nhello", 400 },
	{ "HTTP-08 negative length", POST "Content-Length: -5\r\n\r\nhello", 400 },
	{ "HTTP-08 hex length", POST "Content-Length: 0x5\r\n\r\nhello", 400 },
	{ "HTTP-08 split length", POST "Content-Length: 5 5\r\n\r\nhello", 400 },
	{ "HTTP-08 empty length", POST "Content-Length:\r\n\r\n", 400 },
	{ "HTTP-08 huge length", POST "Content-Length: 184467440737095516160\r\n\r\n", 400 },
	{ "HTTP-08 odd coding", POST "Transfer-Encoding: gzip\r\n\r\n", 400 },
	{ "HTTP-08 coding list", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 chunked twice", POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 two coding lines", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 quoted coding", POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 coding with vertical tab", POST "Transfer-Encoding: \x0b" "chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 coding with a tab", POST "Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 empty coding", POST "Transfer-Encoding:\r\n\r\n", 400 },
	{ "HTTP-08 space before colon", POST "Content-Length : 5\r\n\r\nhello", 400 },
	{ "HTTP-08 tab before colon", POST "Content-Length\t: 5\r\n\r\nhello", 400 },
	{ "HTTP-08 space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400 },
	{ "HTTP-08 folded field", "GET / HTTP/1.1\r\n" H "X-A: b\r\n c\r\n\r\n", 400 },
	{ "HTTP-08 folded with tab", POST "Transfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400 },
	{ "HTTP-08 bare LF in fields", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400 },
	{ "HTTP-08 bare LF at the end", "GET / HTTP/1.1\r\n" H "\n", 400 },
	{ "HTTP-08 bare CR in a value", "GET / HTTP/1.1\r\n" H "X: a\rY: b\r\n\r\n", 400 },
	{ "HTTP-08 CR CR LF", "GET / HTTP/1.1\r\n" H "\r\r\n", 400 },
	{ "HTTP-08 leading CRLF", "\r\nGET / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "HTTP-08 no version", "GET /\r\n\r\n", 400 },
	{ "HTTP-08 no version, a space", "GET / \r\n\r\n", 400 },
	{ "HTTP-08 two spaces", "GET  / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "HTTP-08 space in the target", "GET /a b HTTP/1.1\r\n" H "\r\n", 400 },
	{ "HTTP-08 tab in the target", "GET /a\tb HTTP/1.1\r\n" H "\r\n", 400 },
	{ "HTTP-08 byte over 7F in the target", "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 400 },
	{ "HTTP-08 space behind the version", "GET / HTTP/1.1 \r\n" H "\r\n", 400 },
	{ "HTTP-08 version in lower case", "GET / http/1.1\r\n" H "\r\n", 400 },
	{ "HTTP-08 HTTP/1.0", "GET / HTTP/1.0\r\n" H "\r\n", 505 },
	{ "HTTP-08 HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", 505 },
	{ "HTTP-08 HTTP/1.2", "GET / HTTP/1.2\r\n" H "\r\n", 505 },
	{ "HTTP-08 HTTP/1.10", "GET / HTTP/1.10\r\n" H "\r\n", 400 },
	{ "HTTP-08 preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400 },
	{ "HTTP-08 h2c", "GET / HTTP/1.1\r\n" H "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n", 400 },
	{ "HTTP-08 control byte in a value", "GET / HTTP/1.1\r\n" H "X: a\x01" "b\r\n\r\n", 400 },
	{ "HTTP-08 a line without colon", "GET / HTTP/1.1\r\n" H "nonsense\r\n\r\n", 400 },
	{ "HTTP-08 no name", "GET / HTTP/1.1\r\n" H ": x\r\n\r\n", 400 },
	{ "HTTP-08 a name that is no token", "GET / HTTP/1.1\r\n" H "X(a): x\r\n\r\n", 400 },
	{ "HTTP-08 a body with GET", "GET / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 400 },
	{ "HTTP-08 chunks with DELETE", "DELETE / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 chunk extension", POST "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 chunk size with a space", POST "Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 chunk size with 0x", POST "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 chunk size with a sign", POST "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 chunk size of nine digits", POST "Transfer-Encoding: chunked\r\n\r\n000000003\r\nabc\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 no chunk size", POST "Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 chunk with bare LF", POST "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", 400 },
	{ "HTTP-08 chunk longer than said", POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400 },
	{ "HTTP-08 trailer", POST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", 400 },
	{ "HTTP-08 last chunk with bare LF", POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\n", 400 },
	{ "HTTP-09 body over the limit", POST "Content-Length: 1001\r\n\r\n", 413 },
	{ "HTTP-09 chunk over the limit", POST "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413 },
	{ "HTTP-09 chunks over the limit", POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n3e8\r\n", 413 },
	{ "HTTP-09 chunk of 4 GiB", POST "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", 413 },
	{ "HTTP-09 expectation and a body over the limit", POST "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n", 417 },
	{ "HTTP-09 another expectation", POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", 417 },
	{ "two session ids", POST "Mcp-Session-Id: a\r\nmcp-session-id: b\r\n\r\n", 400 },
	{ "two authorizations", POST "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400 },
	{ "two versions", POST "MCP-Protocol-Version: 2025-06-18\r\nMCP-Protocol-Version: 2025-06-18\r\n\r\n", 400 },
	{ "two origins", POST "Origin: http://localhost\r\nOrigin: http://evil\r\n\r\n", 400 },
	{ "two content types", POST "Content-Type: application/json\r\nContent-Type: text/plain\r\n\r\n", 400 },
};

/* Reads the text in pieces of `step` bytes, as a connection would: what comes after a refusal is never looked at. */
static enum http_progress read_in_steps(struct http_request *r, struct buf *in, const char *text, size_t n, size_t step)
{
	enum http_progress p = READ_MORE;

	http_request_init(r, &limits);
	for (size_t at = 0; at < n && p != READ_BAD; at += step) {
		assert_int_equal(buf_add(in, slice_make(text + at, n - at < step ? n - at : step)), E_OK);
		if (p == READ_DONE)
			continue;
		p = http_request_feed(r, in);
		if (p == READ_HEAD)
			p = http_request_feed(r, in);
	}
	return p;
}

static void check_row(const struct row *row, size_t step)
{
	struct http_request r;
	struct buf in;
	enum http_progress p;

	buf_init(&in, 65536);
	p = read_in_steps(&r, &in, row->text, strlen(row->text), step);
	if (p != (row->status ? READ_BAD : READ_DONE) || r.status != row->status)
		fail_msg("%s, step %zu: progress %d, status %d (%s), want %d", row->id, step, (int)p, r.status, r.why ? r.why : "", row->status);
	if (p == READ_DONE) {
		struct slice body = http_request_body(&r, &in);

		if (!slice_eq(body, slice_of(row->body)))
			fail_msg("%s: body `%.*s`", row->id, SL_ARG(body));
		if (!slice_eq(slice_from(buf_slice(&in), http_request_bytes(&r)), slice_of(row->rest)))
			fail_msg("%s, step %zu: wrong rest", row->id, step);
	}
	buf_finish(&in);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		check_row(&rows[i], strlen(rows[i].text));
		check_row(&rows[i], 1);
		check_row(&rows[i], strlen(rows[i].text) / 2 + 1);
	}
}

static enum http_progress read_all(struct http_request *r, struct buf *in, const char *text)
{
	buf_init(in, 1024 * 1024);
	return read_in_steps(r, in, text, strlen(text), strlen(text));
}

static void test_fields(void **state)
{
	struct http_request r;
	struct buf in;

	(void)state;
	assert_int_equal(read_all(&r, &in, "POST /a/mcp HTTP/1.1\r\nHOST:  x:1 \r\nmcp-session-id:abc\r\nAuthorization: Bearer k y\r\n"
		"Accept: application/json\r\nAccept: text/event-stream;q=0.5\r\nConnection: close\r\nContent-Length: 1\r\n\r\n7"), READ_DONE);
	assert_true(slice_eq(http_request_target(&r, &in), SL("/a/mcp")));
	assert_true(slice_eq(http_request_field(&r, &in, FIELD_HOST), SL("x:1")));
	assert_true(slice_eq(http_request_field(&r, &in, FIELD_MCP_SESSION_ID), SL("abc")));
	assert_true(slice_eq(http_request_field(&r, &in, FIELD_AUTHORIZATION), SL("Bearer k y")));
	assert_null(http_request_field(&r, &in, FIELD_ORIGIN).p);
	assert_int_equal(r.accepted, MEDIA_JSON | MEDIA_EVENT_STREAM);
	assert_int_equal(r.verb, VERB_POST);
	assert_false(r.keep_alive);
	assert_int_equal(http_request_wants(&r), http_request_bytes(&r));
	buf_finish(&in);
}

static void test_reset_reads_the_next(void **state)
{
	struct http_request r;
	struct buf in;

	(void)state;
	assert_int_equal(read_all(&r, &in, POST "Content-Length: 2\r\n\r\nabDELETE /mcp HTTP/1.1\r\n" H "\r\n"), READ_DONE);
	buf_consume(&in, http_request_bytes(&r));
	http_request_reset(&r);
	assert_int_equal(http_request_feed(&r, &in), READ_HEAD);
	assert_int_equal(http_request_feed(&r, &in), READ_DONE);
	assert_int_equal(r.verb, VERB_DELETE);
	assert_null(http_request_field(&r, &in, FIELD_CONTENT_LENGTH).p);
	buf_finish(&in);
}

/* HTTP-09: head and field count at their limits, and one over. */
static void test_head_limits(void **state)
{
	static const struct http_limits small = { .max_head_bytes = 200, .max_fields = 3, .max_body_bytes = 10 };
	struct http_request r;
	struct buf in;
	char text[512];

	(void)state;
	for (int over = 0; over < 2; over++) {
		int n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" H "X: %0*d\r\n\r\n", 200 - 16 - 17 - 7 + over, 0);

		assert_int_equal(n, 200 + over);
		buf_init(&in, 1024);
		buf_add(&in, slice_of(text));
		http_request_init(&r, &small);
		assert_int_equal(http_request_feed(&r, &in), over ? READ_BAD : READ_HEAD);
		assert_int_equal(r.status, over ? 431 : 0);
		buf_finish(&in);
	}
	for (int over = 0; over < 2; over++) {
		buf_init(&in, 1024);
		buf_add(&in, SL("GET / HTTP/1.1\r\n" H "A: 1\r\nB: 2\r\n"));
		buf_add(&in, over ? SL("C: 3\r\n\r\n") : SL("\r\n"));
		http_request_init(&r, &small);
		assert_int_equal(http_request_feed(&r, &in), over ? READ_BAD : READ_HEAD);
		assert_int_equal(r.status, over ? 431 : 0);
		buf_finish(&in);
	}
}

/* HTTP-09: a head without end is refused when the limit is reached, not later. */
static void test_endless_head(void **state)
{
	struct http_request r;
	struct buf in;
	enum http_progress p = READ_MORE;

	(void)state;
	buf_init(&in, 65536);
	http_request_init(&r, &limits);
	buf_add(&in, SL("GET /"));
	while (p == READ_MORE && in.n < 40000) {
		buf_add_char(&in, 'a');
		p = http_request_feed(&r, &in);
	}
	assert_int_equal(p, READ_BAD);
	assert_int_equal(r.status, 431);
	assert_int_equal(in.n, limits.max_head_bytes);
	buf_finish(&in);
}

static void test_media(void **state)
{
	unsigned both = MEDIA_JSON | MEDIA_EVENT_STREAM;

	(void)state;
	assert_int_equal(media_accepted(SL("application/json, text/event-stream")), both);
	assert_int_equal(media_accepted(SL("TEXT/Event-Stream;q=0.1 ,application/*")), both);
	assert_int_equal(media_accepted(SL("*/*")), both);
	assert_int_equal(media_accepted(SL("text/*")), MEDIA_EVENT_STREAM);
	assert_int_equal(media_accepted(SL("application/json;q=0, text/event-stream; q=0.000")), 0);
	assert_int_equal(media_accepted(SL("application/jsonp, text/event-stream2, text/html")), 0);
	assert_int_equal(media_accepted(SL("")), 0);
	assert_int_equal(media_accepted((struct slice){ NULL, 0 }), 0);
	assert_true(media_is_json(SL("application/json")));
	assert_true(media_is_json(SL("Application/JSON ; Charset=UTF-8")));
	assert_true(media_is_json(SL("application/json;charset=\"utf-8\";a=b")));
	assert_false(media_is_json(SL("application/json;charset=utf-16")));
	assert_false(media_is_json(SL("application/json; x=y; charset=latin1")));
	assert_false(media_is_json(SL("text/plain")));
	assert_false(media_is_json(SL("text/plain; application/json")));
	assert_false(media_is_json(SL("application/jsonx")));
	assert_false(media_is_json(SL("application/json-rpc")));
	assert_false(media_is_json(SL("")));
	assert_false(media_is_json((struct slice){ NULL, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_reset_reads_the_next),
		cmocka_unit_test(test_head_limits),
		cmocka_unit_test(test_endless_head),
		cmocka_unit_test(test_media),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
