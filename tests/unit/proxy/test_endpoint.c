/* MCP over HTTP, through a real socket: what is refused and how, and every way an answer can go. The same over TLS (OVER_TLS). */
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "proxy/endpoint.h"
#include "tls_rig.h"
#include "wire.h"

#ifdef OVER_TLS
static const bool over_tls = true;
#else
static const bool over_tls = false;
#endif

static struct tls *tls;
static SSL_CTX *client;

static int make_tls(void **state)
{
	int e = over_tls ? tls_rig_make(state) : 0;

	if (e || !over_tls)
		return e;
	tls = tls_create(tls_rig_context("server", NULL));
	client = tls_rig_client("trusted", NULL);
	wire_secure_all(client);
	return 0;
}

static int remove_tls(void **state)
{
	tls_free(tls);
	SSL_CTX_free(client);
	return over_tls ? tls_rig_remove(state) : 0;
}

struct world {
	uv_loop_t loop;
	struct toy toy;
	struct endpoint *endpoint;
	int port;
	bool drained, closed;
	struct wire a, b;
};

static void start_with(struct world *w, struct http_config http)
{
	static const struct slice localhost = { "localhost:0", 11 };
	struct endpoint_config config = { .http = http };
	struct buf text;

	assert_int_equal(uv_loop_init(&w->loop), 0);
	toy_init(&w->toy);
	buf_init(&text, 1024);
	config.http.listen = &localhost;
	config.http.n_listen = 1;
	config.http.filter = tls_filter(tls);
	w->endpoint = endpoint_create(&config, &w->loop, &w->toy.front, &text);
	if (!w->endpoint)
		fail_msg("%.*s", (int)text.n, text.p);
	endpoint_describe(w->endpoint, &text);
	w->port = wire_port(&text);
	buf_finish(&text);
	wire_connect(&w->a, &w->loop, w->port);
}

static void on_closed(void *ctx)
{
	((struct world *)ctx)->closed = true;
}

static void on_drained(void *ctx)
{
	((struct world *)ctx)->drained = true;
}

static void stop(struct world *w)
{
	endpoint_close(w->endpoint, on_closed, w);
	wire_finish_loop(&w->loop);
	assert_true(w->closed);
	if (w->a.fd >= 0)
		wire_close(&w->a);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	*state = w;
	start_with(w, (struct http_config){ .max_body_bytes = 100000 });
	return 0;
}

static int teardown(void **state)
{
	stop(*state);
	free(*state);
	return 0;
}

/* A world that the test starts and stops itself. */
static int setup_empty(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state ? 0 : -1;
}

static int free_world(void **state)
{
	free(*state);
	return 0;
}

#define H "Host: localhost\r\n"
#define JSON_POST "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
#define POST "POST /mcp HTTP/1.1\r\n" H JSON_POST
#define BODY "Content-Length: 7\r\n\r\n{\"a\":1}"
#define SSE_HEAD H "Accept: text/event-stream\r\n"
#define MESSAGES "POST /messages"
#define KEY "0123456789abcdef0123456789abcdef"
#define GET_STREAM "GET /mcp HTTP/1.1\r\n" H "Accept: text/event-stream\r\n\r\n"

static void expect_status(struct world *w, const char *id, const char *answer, int status)
{
	char start[32];

	(void)w;
	snprintf(start, sizeof(start), "HTTP/1.1 %d ", status);
	if (strncmp(answer, start, strlen(start)) != 0)
		fail_msg("%s: want %d, got:\n%s", id, status, answer);
}

/* --- refusals ----------------------------------------------------------------------------------------------------- */

static const struct {
	const char *id, *text;
	int status;
	bool closes;
} refusals[] = {
	{ "HTTP-01 foreign Origin", POST "Origin: http://evil.example\r\n" BODY, 403 },
	{ "HTTP-01 null Origin", POST "Origin: null\r\n" BODY, 403 },
	{ "HTTP-01 Origin that begins right", POST "Origin: http://127.0.0.1:evil.com\r\n" BODY, 403 },
	{ "HTTP-01 foreign Origin, GET", "GET /mcp HTTP/1.1\r\n" H "Accept: text/event-stream\r\nOrigin: http://evil\r\n\r\n", 403 },
	{ "HTTP-01 foreign Origin, DELETE", "DELETE /mcp HTTP/1.1\r\n" H "Origin: http://evil\r\n\r\n", 403 },
	{ "HTTP-01 foreign Host", "POST /mcp HTTP/1.1\r\nHost: evil.example\r\n" JSON_POST BODY, 403 },
	{ "HTTP-01 foreign Host with our port", "POST /mcp HTTP/1.1\r\nHost: evil.example:8808\r\n" JSON_POST BODY, 403 },
	{ "HTTP-01 missing Host", "POST /mcp HTTP/1.1\r\n" JSON_POST BODY, 400, true },
	{ "HTTP-01 doubled Host", POST H BODY, 400, true },
	{ "HTTP-02 text/plain", "POST /mcp HTTP/1.1\r\n" H "Content-Type: text/plain\r\nAccept: */*\r\n" BODY, 415 },
	{ "HTTP-02 form", "POST /mcp HTTP/1.1\r\n" H "Content-Type: application/x-www-form-urlencoded\r\nAccept: */*\r\n" BODY, 415 },
	{ "HTTP-02 multipart", "POST /mcp HTTP/1.1\r\n" H "Content-Type: multipart/form-data; boundary=x\r\nAccept: */*\r\n" BODY, 415 },
	{ "HTTP-02 no content type", "POST /mcp HTTP/1.1\r\n" H "Accept: */*\r\n" BODY, 415 },
	{ "HTTP-02 utf-16", "POST /mcp HTTP/1.1\r\n" H "Content-Type: application/json; charset=utf-16\r\nAccept: */*\r\n" BODY, 415 },
	{ "HTTP-02 cross-site", POST "Sec-Fetch-Site: cross-site\r\n" BODY, 403 },
	{ "HTTP-04 version with a space", POST "MCP-Protocol-Version: 2025 06 18\r\n" BODY, 400 },
	{ "HTTP-04 stateless revision, GET", "GET /mcp HTTP/1.1\r\n" H "Accept: */*\r\nMCP-Protocol-Version: 2026-07-28\r\n\r\n", 405 },
	{ "HTTP-04 empty version", POST "MCP-Protocol-Version:\r\n" BODY, 400 },
	{ "HTTP-04 unknown version, GET", "GET /mcp HTTP/1.1\r\n" H "Accept: */*\r\nMCP-Protocol-Version: x\r\n\r\n", 400 },
	{ "HTTP-05 another path", "POST /other HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 slash behind", "POST /mcp/ HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 two slashes", "POST //mcp HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 dots", "POST /mcp/../mcp HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 dots as a name", "POST /../mcp HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 encoded", "POST /%6dcp HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 in capitals", "POST /MCP HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 query", "POST /mcp?a=b HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 empty query", "POST /mcp? HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 fragment", "POST /mcp#x HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 no such upstream", "POST /nobody/mcp HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 upstream and more", "POST /a/vault-1/mcp HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-05 absolute form", "POST http://localhost/mcp HTTP/1.1\r\n" H JSON_POST BODY, 400, true },
	{ "HTTP-05 PUT", "PUT /mcp HTTP/1.1\r\n" H JSON_POST BODY, 405 },
	{ "HTTP-05 OPTIONS", "OPTIONS /mcp HTTP/1.1\r\n" H "Origin: http://localhost\r\n\r\n", 405 },
	{ "HTTP-05 unknown method", "BREW /mcp HTTP/1.1\r\n" H JSON_POST BODY, 405, true },
	{ "HTTP-01 foreign Origin, SSE", "GET /sse HTTP/1.1\r\n" H "Accept: text/event-stream\r\nOrigin: http://evil\r\n\r\n", 403 },
	{ "HTTP-01 foreign Host, SSE", "GET /sse HTTP/1.1\r\nHost: evil.example\r\nAccept: text/event-stream\r\n\r\n", 403 },
	{ "HTTP-01 foreign Origin, messages", MESSAGES "?sessionId=" KEY " HTTP/1.1\r\n" H JSON_POST "Origin: null\r\n" BODY, 403 },
	{ "HTTP-02 text/plain, messages", MESSAGES "?sessionId=" KEY " HTTP/1.1\r\n" H "Content-Type: text/plain\r\n" BODY, 415 },
	{ "HTTP-05 SSE with a query", "GET /sse?a=b HTTP/1.1\r\n" H "Accept: text/event-stream\r\n\r\n", 404 },
	{ "HTTP-05 SSE of no such upstream", "GET /nobody/sse HTTP/1.1\r\n" H "Accept: text/event-stream\r\n\r\n", 404 },
	{ "HTTP-04 stateless revision, SSE", "GET /sse HTTP/1.1\r\n" SSE_HEAD "MCP-Protocol-Version: 2026-07-28\r\n\r\n", 400 },
	{ "HTTP-04 stateless revision, messages", MESSAGES "?sessionId=" KEY " HTTP/1.1\r\n" H JSON_POST "MCP-Protocol-Version: 2026-07-28\r\n" BODY, 400 },
	{ "HTTP-05 POST to SSE", "POST /sse HTTP/1.1\r\n" H JSON_POST BODY, 405 },
	{ "HTTP-05 DELETE of SSE", "DELETE /sse HTTP/1.1\r\n" H "\r\n", 405 },
	{ "HTTP-05 GET of messages", "GET /messages HTTP/1.1\r\n" H "Accept: */*\r\n\r\n", 405 },
	{ "HTTP-06 no session key", MESSAGES " HTTP/1.1\r\n" H JSON_POST BODY, 400 },
	{ "HTTP-06 empty session key", MESSAGES "?sessionId= HTTP/1.1\r\n" H JSON_POST BODY, 400 },
	{ "HTTP-06 unknown session key", MESSAGES "?sessionId=" KEY " HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "HTTP-06 session key and more", MESSAGES "?sessionId=" KEY "&a=b HTTP/1.1\r\n" H JSON_POST BODY, 404 },
	{ "Accept without JSON", "POST /mcp HTTP/1.1\r\n" H "Content-Type: application/json\r\nAccept: text/event-stream\r\n" BODY, 406 },
	{ "Accept without events", "POST /mcp HTTP/1.1\r\n" H "Content-Type: application/json\r\nAccept: application/json\r\n" BODY, 406 },
	{ "no Accept", "POST /mcp HTTP/1.1\r\n" H "Content-Type: application/json\r\n" BODY, 406 },
	{ "GET that takes no events", "GET /mcp HTTP/1.1\r\n" H "Accept: application/json\r\n\r\n", 406 },
	{ "session id with a space", POST "Mcp-Session-Id: a b\r\n" BODY, 400 },
	{ "empty session id", POST "Mcp-Session-Id:\r\n" BODY, 400 },
	{ "doubled session id", POST "Mcp-Session-Id: a\r\nMcp-Session-Id: a\r\n" BODY, 400, true },
	{ "HTTP-08 both lengths", POST "Transfer-Encoding: chunked\r\n" BODY, 400, true },
	{ "HTTP-08 double length", POST "Content-Length: 7\r\n" BODY, 400, true },
	{ "HTTP-08 bare LF", "POST /mcp HTTP/1.1\nHost: localhost\n\n", 400, true },
	{ "HTTP-08 leading CRLF", "\r\n" POST BODY, 400, true },
	{ "HTTP-08 folded", POST "X: a\r\n b\r\n" BODY, 400, true },
	{ "HTTP-08 chunk extension", POST "Transfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n", 400, true },
	{ "HTTP-08 trailer", POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n", 400, true },
	{ "HTTP-08 h2c", POST "Connection: Upgrade\r\nUpgrade: h2c\r\n" BODY, 400, true },
	{ "HTTP-08 HTTP/1.0", "POST /mcp HTTP/1.0\r\n" H JSON_POST BODY, 505, true },
	{ "HTTP-09 body over the limit", POST "Content-Length: 100001\r\n\r\n", 413, true },
	{ "HTTP-09 expectation over the limit", POST "Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n", 417, true },
	{ "HTTP-09 another expectation", POST "Expect: x\r\n" BODY, 417, true },
	{ "HTTP-13 gzip", POST "Content-Encoding: gzip\r\n" BODY, 415 },
	{ "HTTP-13 two codings", POST "Content-Encoding: identity, gzip\r\n" BODY, 415 },
};

static void test_refusals(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		const char *answer, *id = refusals[i].id;

		wire_send(&w->a, refusals[i].text);
		answer = wire_answer(&w->a);
		expect_status(w, id, answer, refusals[i].status);
		if (!strstr(answer, "Content-Type: application/json\r\n") || !strstr(answer, "\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{"))
			fail_msg("%s: no JSON-RPC error:\n%s", id, answer);
		if (strstr(answer, "Access-Control") || strstr(answer, "evil"))
			fail_msg("%s: says too much:\n%s", id, answer);
		if (refusals[i].closes != (strstr(answer, "Connection: close") != NULL))
			fail_msg("%s: wrong Connection:\n%s", id, answer);
		if (refusals[i].closes) {
			wire_expect_end(&w->a);
			wire_close(&w->a);
			wire_connect(&w->a, &w->loop, w->port);
		}
		assert_int_equal(w->toy.posts + w->toy.listens + w->toy.ends, 0);
	}
	wire_send(&w->a, POST BODY);
	expect_status(w, "after refusals", wire_answer(&w->a), 200);
}

static void test_allow_is_told(void **state)
{
	struct world *w = *state;

	wire_send(&w->a, "PUT /mcp HTTP/1.1\r\n" H "\r\n");
	assert_non_null(strstr(wire_answer(&w->a), "Allow: GET, POST, DELETE\r\n"));
	wire_send(&w->a, "HEAD /mcp HTTP/1.1\r\n" H "\r\n");
	assert_non_null(strstr(wire_expect(&w->a, "\r\n\r\n"), "Allow: GET, POST, DELETE\r\n"));
	wire_send(&w->a, "POST /sse HTTP/1.1\r\n" H JSON_POST BODY);
	assert_non_null(strstr(wire_answer(&w->a), "Allow: GET\r\n"));
	wire_send(&w->a, "DELETE /vault-1/messages HTTP/1.1\r\n" H "\r\n");
	assert_non_null(strstr(wire_answer(&w->a), "Allow: POST\r\n"));
	wire_expect_nothing(&w->a);
}

static void test_unknown_version_names_the_known(void **state)
{
	struct world *w = *state;
	const char *answer;

	/* With a POST the front says so, for it knows the message: tests/scenario/16-stateless. */
	wire_send(&w->a, "GET /mcp HTTP/1.1\r\n" H "Accept: */*\r\nMCP-Protocol-Version: 2030-01-01\r\n\r\n");
	answer = wire_answer(&w->a);
	assert_non_null(strstr(answer, "\"code\":-32022"));
	assert_non_null(strstr(answer, "\"supported\":["));
	assert_non_null(strstr(answer, "\"2025-06-18\""));
	assert_non_null(strstr(answer, "\"requested\":\"2030-01-01\""));
}

/* A refused head whose body has not come: the answer arrives, then the connection ends. */
static void test_refused_before_the_body(void **state)
{
	struct world *w = *state;

	wire_send(&w->a, POST "Origin: http://evil\r\nContent-Length: 1000\r\n\r\n");
	assert_non_null(strstr(wire_answer(&w->a), "Connection: close"));
	wire_expect_end(&w->a);
}

/* A client that sends its whole body before it reads still gets the refusal: what it sends is taken and thrown away. */
static void test_refused_while_the_body_comes(void **state)
{
	struct world *w = *state;
	static char body[3000000];

	memset(body, 'x', sizeof(body));
	wire_send(&w->a, POST "Content-Length: 3000000\r\n\r\n");
	wire_send_bytes(&w->a, body, sizeof(body));
	expect_status(w, "big", wire_answer(&w->a), 413);
	wire_expect_end(&w->a);
}

/* But not for ever. */
static void test_lingering_ends(void **state)
{
	struct world *w = *state;

	start_with(w, (struct http_config){ .linger_ms = 300 });
	wire_send(&w->a, "GET / HTTP/1.0\r\n\r\n");
	expect_status(w, "old", wire_answer(&w->a), 505);
	wire_expect_end(&w->a);
	assert_int_equal(endpoint_connections(w->endpoint), 1);
	wire_turn(&w->loop, 1100);
	assert_int_equal(endpoint_connections(w->endpoint), 0);
	stop(w);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void test_answer(void **state)
{
	struct world *w = *state;
	const char *answer;

	w->toy.session = SL("5e55");
	wire_send(&w->a, "POST /vault-1/mcp HTTP/1.1\r\nHost: 127.0.0.1:99\r\n" JSON_POST "Mcp-Session-Id: abc\r\nMCP-Protocol-Version: 2025-06-18\r\n"
		"Authorization: Bearer k\r\nOrigin: http://localhost:3000\r\nLast-Event-ID: 7\r\n"
		"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n" BODY);
	answer = wire_answer(&w->a);
	expect_status(w, "answer", answer, 200);
	assert_non_null(strstr(answer, "Content-Type: application/json\r\nContent-Length: 7\r\n"));
	assert_non_null(strstr(answer, "Mcp-Session-Id: 5e55\r\n"));
	assert_non_null(strstr(answer, "Date: "));
	assert_non_null(strstr(answer, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(answer, "Connection"));
	assert_string_equal(w->toy.body, "{\"a\":1}");
	assert_true(w->toy.ask.local);
	assert_false(w->toy.ask.stdio);
	assert_int_equal(w->toy.ask.upstream.n, 7);
	assert_int_equal(w->toy.ask.session.n, 3);
	assert_int_equal(w->toy.ask.version.n, 10);
	assert_int_equal(w->toy.ask.authorization.n, 8);
	assert_int_equal(w->toy.ask.last_event_id.n, 1);
	assert_int_equal(w->toy.ask.traceparent.n, 55);
}

static void test_bad_traceparent_is_dropped(void **state)
{
	struct world *w = *state;

	wire_send(&w->a, POST "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0G\r\n" BODY);
	wire_answer(&w->a);
	assert_int_equal(w->toy.posts, 1);
	assert_int_equal(w->toy.ask.traceparent.n, 0);
}

static void test_accepted_failed_deleted(void **state)
{
	struct world *w = *state;
	const char *answer;

	w->toy.mode = TOY_ACCEPT;
	wire_send(&w->a, POST BODY);
	answer = wire_answer(&w->a);
	expect_status(w, "accepted", answer, 202);
	assert_non_null(strstr(answer, "Content-Length: 0\r\n"));
	w->toy.mode = TOY_FAIL;
	wire_send(&w->a, POST BODY);
	answer = wire_answer(&w->a);
	expect_status(w, "failed", answer, 502);
	assert_non_null(strstr(answer, "\r\n\r\n{\"failed\":true}"));
	wire_send(&w->a, "DELETE /mcp HTTP/1.1\r\n" H "Mcp-Session-Id: x\r\n\r\n");
	answer = wire_answer(&w->a);
	expect_status(w, "deleted", answer, 200);
	assert_non_null(strstr(answer, "Content-Length: 0\r\n"));
	assert_int_equal(w->toy.ends, 1);
	wire_send(&w->a, GET_STREAM);
	expect_status(w, "no stream", wire_answer(&w->a), 405);
}

/* HTTP-16: an id that would break the head never reaches it. */
static void test_bad_session_id_of_the_front(void **state)
{
	struct world *w = *state;
	char longer[200];

	w->toy.session = SL("a\r\nSet-Cookie: b");
	wire_send(&w->a, POST BODY);
	expect_status(w, "CRLF", wire_answer(&w->a), 500);
	memset(longer, 'x', sizeof(longer));
	w->toy.session = slice_make(longer, sizeof(longer));
	wire_send(&w->a, POST BODY);
	expect_status(w, "too long", wire_answer(&w->a), 500);
	w->toy.mode = TOY_STREAM;
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	w->toy.held->ops->answer(w->toy.held, SL("{}"));
	expect_status(w, "stream", wire_answer(&w->a), 500);
	w->toy.session = SL("");
	w->toy.mode = TOY_ECHO;
	wire_send(&w->a, POST BODY);
	expect_status(w, "afterwards", wire_answer(&w->a), 200);
}

static void test_stream(void **state)
{
	struct world *w = *state;
	const char *head;

	w->toy.mode = TOY_STREAM;
	w->toy.session = SL("s1");
	wire_send(&w->a, POST BODY);
	head = wire_expect(&w->a, "\r\n\r\n");
	expect_status(w, "stream", head, 200);
	assert_non_null(strstr(head, "Content-Type: text/event-stream\r\n"));
	assert_non_null(strstr(head, "Cache-Control: no-cache, no-transform\r\n"));
	assert_non_null(strstr(head, "X-Accel-Buffering: no\r\n"));
	assert_non_null(strstr(head, "Transfer-Encoding: chunked\r\n"));
	assert_non_null(strstr(head, "Mcp-Session-Id: s1\r\n"));
	w->toy.held->ops->message(w->toy.held, SL("{\"method\":\n\"x\"}"));
	assert_string_equal(wire_expect(&w->a, "\n\n\r\n"), "00000026\r\nevent: message\ndata: {\"method\": \"x\"}\n\n\r\n");
	wire_expect_nothing(&w->a);
	w->toy.held->ops->answer(w->toy.held, SL("{\"id\":1}"));
	assert_string_equal(wire_expect(&w->a, "0\r\n\r\n"), "0000001f\r\nevent: message\ndata: {\"id\":1}\n\n\r\n0\r\n\r\n");
	w->toy.mode = TOY_ECHO;
	wire_send(&w->a, POST BODY);
	expect_status(w, "the next", wire_answer(&w->a), 200);
}

static void test_message_makes_a_stream(void **state)
{
	struct world *w = *state;

	w->toy.mode = TOY_HOLD;
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	w->toy.held->ops->message(w->toy.held, SL("{\"m\":1}"));
	(w->toy.held->ops->fail)(w->toy.held, 502, SL("{\"e\":1}"));
	assert_non_null(strstr(wire_expect(&w->a, "\r\n\r\n"), "text/event-stream"));
	wire_expect(&w->a, "data: {\"m\":1}\n\n");
	wire_expect(&w->a, "data: {\"e\":1}\n\n\r\n0\r\n\r\n");
}

static void test_get_stream(void **state)
{
	struct world *w = *state;

	wire_send(&w->a, GET_STREAM);
	assert_non_null(strstr(wire_expect(&w->a, "\r\n\r\n"), "text/event-stream"));
	assert_int_equal(w->toy.listens, 1);
	w->toy.listener->ops->message(w->toy.listener, SL("{\"n\":1}"));
	wire_expect(&w->a, "data: {\"n\":1}\n\n");
	wire_close(&w->a);
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.gone, 1);
}

/* The body may be up to the limit, in pieces, known length or chunked; it arrives as it was sent. */
/* --- HTTP+SSE (2024-11-05) ------------------------------------------------------------------------------------------ */

/* Opens a stream on `a`; the POST target it was given goes to `target`, which holds 100 bytes. */
static void open_sse(struct world *w, const char *path, const char *more, char *target)
{
	char text[300];
	const char *got;

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" SSE_HEAD "%s\r\n", path, more);
	wire_send(&w->a, text);
	assert_non_null(strstr(wire_expect(&w->a, "\r\n\r\n"), "text/event-stream"));
	got = strstr(wire_expect(&w->a, "\n\n\r\n"), "event: endpoint\ndata: /");
	assert_non_null(got);
	assert_int_equal(sscanf(got, "event: endpoint\ndata: %99s", target), 1);
	wire_connect(&w->b, &w->loop, w->port);
}

static void post_sse(struct world *w, const char *target, const char *more)
{
	char text[400];

	snprintf(text, sizeof(text), "POST %s HTTP/1.1\r\n" H "Content-Type: application/json\r\n%s" BODY, target, more);
	wire_send(&w->b, text);
}

static void test_sse(void **state)
{
	struct world *w = *state;
	char target[100];

	open_sse(w, "/vault-1/sse", "", target);
	assert_int_equal(strlen(target), strlen("/vault-1/messages?sessionId=" KEY));
	w->toy.session = SL("of-the-front");
	post_sse(w, target, "");
	expect_status(w, "taken", wire_answer(&w->b), 202);
	wire_expect(&w->a, "event: message\ndata: {\"a\":1}\n\n");
	assert_int_equal(w->toy.listens, 1); /* the front's session is heard */
	w->toy.listener->ops->message(w->toy.listener, SL("{\"n\":1}"));
	wire_expect(&w->a, "data: {\"n\":1}\n\n");

	w->toy.mode = TOY_HOLD;
	post_sse(w, target, "");
	expect_status(w, "before its answer", wire_answer(&w->b), 202);
	assert_true(slice_eq(w->toy.ask.session, SL("of-the-front")));
	assert_true(slice_eq(w->toy.ask.body, SL("{\"a\":1}"))); /* of its own: the POST is over */
	w->toy.held->ops->message(w->toy.held, SL("{\"p\":1}"));
	w->toy.held->ops->answer(w->toy.held, SL("{\"late\":1}"));
	wire_expect(&w->a, "data: {\"p\":1}\n\n");
	wire_expect(&w->a, "data: {\"late\":1}\n\n");

	w->toy.mode = TOY_FAIL;
	post_sse(w, target, "");
	expect_status(w, "fails at once", wire_answer(&w->b), 502);
	wire_close(&w->b);
}

/* Its end is the session's: what is in flight is given up, the front's session ended, the key worth nothing. */
static void test_sse_stream_closed(void **state)
{
	struct world *w = *state;
	char target[100];

	open_sse(w, "/sse", "", target);
	w->toy.session = SL("of-the-front");
	post_sse(w, target, "");
	expect_status(w, "taken", wire_answer(&w->b), 202);
	w->toy.mode = TOY_HOLD;
	post_sse(w, target, "");
	expect_status(w, "held", wire_answer(&w->b), 202);
	wire_close(&w->a);
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.gone, 2);
	assert_int_equal(w->toy.ends, 1);
	post_sse(w, target, "");
	expect_status(w, "HTTP-06 ended", wire_answer(&w->b), 404);
	wire_close(&w->b);
}

static void test_sse_key_is_the_callers(void **state)
{
	struct world *w = *state;
	char target[100], elsewhere[120];

	open_sse(w, "/sse", "Authorization: Bearer one\r\n", target);
	post_sse(w, target, "Authorization: Bearer two\r\n");
	expect_status(w, "HTTP-06 foreign", wire_answer(&w->b), 404);
	post_sse(w, target, "");
	expect_status(w, "HTTP-06 nobody's", wire_answer(&w->b), 404);
	snprintf(elsewhere, sizeof(elsewhere), "/vault-1%s", target);
	post_sse(w, elsewhere, "Authorization: Bearer one\r\n");
	expect_status(w, "HTTP-06 of another upstream", wire_answer(&w->b), 404);
	assert_int_equal(w->toy.posts, 0);
	post_sse(w, target, "Authorization: Bearer one\r\n");
	expect_status(w, "its own", wire_answer(&w->b), 202);
	wire_close(&w->b);
}

static void test_sse_drain(void **state)
{
	struct world *w = *state;
	char target[100];

	open_sse(w, "/sse", "", target);
	w->toy.mode = TOY_HOLD;
	post_sse(w, target, "");
	expect_status(w, "held", wire_answer(&w->b), 202);
	endpoint_drain(w->endpoint, on_drained, w);
	wire_expect_end(&w->b);
	wire_expect_nothing(&w->a);
	w->toy.held->ops->answer(w->toy.held, SL("{\"late\":1}"));
	wire_expect(&w->a, "data: {\"late\":1}\n\n");
	wire_expect(&w->a, "0\r\n\r\n");
	wire_expect_end(&w->a);
	wire_turn(&w->loop, 5);
	assert_true(w->drained);
	wire_close(&w->b);
}

static void test_big_bodies(void **state)
{
	struct world *w = *state;
	static char body[100001], request[100200];

	for (size_t n = 1; n <= 100000; n = n < 16000 ? n * 7 : n < 16500 ? n + 61 : n + 41750) {
		int head = snprintf(request, sizeof(request), POST "Content-Length: %zu\r\n\r\n", n);

		for (size_t i = 0; i < n; i++)
			body[i] = (char)('a' + i % 26);
		memcpy(request + head, body, n);
		wire_send_bytes(&w->a, request, (size_t)head + n);
		const char *answer = wire_answer(&w->a);
		expect_status(w, "big", answer, 200);
		if (memcmp(strstr(answer, "\r\n\r\n") + 4, body, n) != 0)
			fail_msg("the body of %zu bytes came back changed", n);
	}
	wire_send(&w->a, POST "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 2000; i++)
		wire_send(&w->a, "a\r\n0123456789\r\n");
	wire_send(&w->a, "0\r\n\r\n");
	assert_non_null(strstr(wire_answer(&w->a), "Content-Length: 20000\r\n"));
}

static void test_expect_continue(void **state)
{
	struct world *w = *state;

	wire_send(&w->a, POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_string_equal(wire_expect(&w->a, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
	wire_send(&w->a, "{}");
	expect_status(w, "continue", wire_answer(&w->a), 200);
	wire_send(&w->a, POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}");
	expect_status(w, "not needed", wire_answer(&w->a), 200);
}

/* HTTP-08: pipelined requests are answered in their order, each after the answer before it is out. */
static void test_pipelining(void **state)
{
	struct world *w = *state;

	w->toy.mode = TOY_HOLD;
	wire_send(&w->a, POST "Content-Length: 1\r\n\r\n1" POST "Content-Length: 1\r\n\r\n2" POST "Content-Length: 1\r\n\r\n");
	for (int i = 1; i <= 3; i++) {
		wire_turn(&w->loop, 10);
		assert_int_equal(w->toy.posts, i);
		assert_int_equal(w->toy.body[0], '0' + i);
		w->toy.held->ops->answer(w->toy.held, slice_of(w->toy.body));
		assert_non_null(strstr(wire_answer(&w->a), "\r\n\r\n"));
		if (i == 2)
			wire_send(&w->a, "3");
	}
	w->toy.mode = TOY_ECHO;
	for (int i = 0; i < 500; i++)
		wire_send(&w->a, POST BODY);
	for (int i = 0; i < 500; i++)
		expect_status(w, "many", wire_answer(&w->a), 200);
}

/* More than a buffer of pipelined bytes waits with the kernel, and is not lost. */
static void test_pipelined_over_the_buffer(void **state)
{
	struct world *w = *state;
	static char many[1 << 19];
	size_t n = 0, requests = 0;

	w->toy.mode = TOY_HOLD;
	while (n + sizeof(POST BODY) < sizeof(many)) {
		memcpy(many + n, POST BODY, sizeof(POST BODY) - 1);
		n += sizeof(POST BODY) - 1;
		requests++;
	}
	wire_send_bytes(&w->a, many, n);
	wire_turn(&w->loop, 20);
	assert_int_equal(w->toy.posts, 1);
	w->toy.mode = TOY_ECHO;
	w->toy.held->ops->answer(w->toy.held, SL("{}"));
	for (size_t i = 0; i < requests; i++)
		expect_status(w, "each", wire_answer(&w->a), 200);
	assert_int_equal(w->toy.posts, requests);
}

static void test_client_asks_for_the_end(void **state)
{
	struct world *w = *state;

	wire_send(&w->a, POST "Connection: close\r\n" BODY);
	assert_non_null(strstr(wire_answer(&w->a), "Connection: close\r\n"));
	wire_expect_end(&w->a);
}

/* --- a client that goes ------------------------------------------------------------------------------------------- */

static void test_gone_while_waiting(void **state)
{
	struct world *w = *state;

	w->toy.mode = TOY_HOLD;
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	assert_non_null(w->toy.held);
	wire_close(&w->a);
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.gone, 1);
	assert_int_equal(endpoint_connections(w->endpoint), 0);
}

/* Half-open: the client has said that it sends no more; it is taken for gone. */
static void test_half_closed_while_waiting(void **state)
{
	struct world *w = *state;

	w->toy.mode = TOY_STREAM;
	wire_send(&w->a, POST BODY);
	wire_expect(&w->a, "\r\n\r\n");
	wire_half_close(&w->a);
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.gone, 1);
	wire_expect_end(&w->a);
}

/* An answer that is complete goes out to a client that has closed its side already. */
static void test_half_closed_after_the_request(void **state)
{
	struct world *w = *state;

	wire_turn(&w->loop, 2);
	wire_push(&w->a, POST BODY);
	wire_half_close(&w->a);
	expect_status(w, "half-closed", wire_answer(&w->a), 200);
	wire_expect_end(&w->a);
	assert_int_equal(w->toy.gone, 0);
}

static void test_gone_in_the_middle_of_a_request(void **state)
{
	struct world *w = *state;

	wire_send(&w->a, POST "Content-Length: 7\r\n\r\n{\"a");
	wire_turn(&w->loop, 5);
	wire_close(&w->a);
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.posts, 0);
	assert_int_equal(endpoint_connections(w->endpoint), 0);
}

/* --- HTTP-15: slow ones ------------------------------------------------------------------------------------------- */

static void test_slow_head(void **state)
{
	struct world *w = *state;

	start_with(w, (struct http_config){ .head_ms = 300 });
	wire_connect(&w->b, &w->loop, w->port);
	wire_send(&w->a, "POST /mcp HTTP/1.1\r\nHo");
	expect_status(w, "slow head", wire_answer(&w->a), 408);
	wire_expect_end(&w->a);
	wire_expect_end(&w->b); /* never said a word: ends without one */
	wire_close(&w->b);
	stop(w);
}

static void test_slow_body(void **state)
{
	struct world *w = *state;

	start_with(w, (struct http_config){ .head_ms = 5000, .body_ms = 300 });
	wire_send(&w->a, POST "Content-Length: 7\r\n\r\n{\"a");
	expect_status(w, "slow body", wire_answer(&w->a), 408);
	wire_expect_end(&w->a);
	stop(w);
}

static void test_idle(void **state)
{
	struct world *w = *state;

	start_with(w, (struct http_config){ .idle_ms = 300 });
	wire_send(&w->a, POST BODY);
	wire_answer(&w->a);
	wire_expect_end(&w->a);
	stop(w);
}

static void test_keep_alive_comments(void **state)
{
	struct world *w = *state;

	start_with(w, (struct http_config){ .keep_alive_ms = 300 });
	wire_send(&w->a, GET_STREAM);
	wire_expect(&w->a, "\r\n\r\n");
	assert_string_equal(wire_expect(&w->a, "\n\n\r\n"), "0000000e\r\n: keep-alive\n\n\r\n");
	wire_expect(&w->a, ": keep-alive\n\n\r\n");
	stop(w);
}

/* Sends events until the reply says that it is full. */
static size_t fill(struct world *w, struct slice event)
{
	size_t sent = 0;

	while (!w->toy.held->ops->full(w->toy.held)) {
		w->toy.held->ops->message(w->toy.held, event);
		sent++;
		uv_run(&w->loop, UV_RUN_NOWAIT);
		assert_true(sent < 10000);
	}
	return sent;
}

static void test_backpressure(void **state)
{
	struct world *w = *state;
	static char event[10000];

	memset(event, 'x', sizeof(event));
	w->toy.mode = TOY_STREAM;
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	size_t sent = fill(w, slice_make(event, sizeof(event)));
	wire_turn(&w->loop, 20);
	assert_int_equal(w->toy.drained, 0);
	assert_true(w->toy.held->ops->full(w->toy.held));
	for (size_t i = 0; i < sent; i++)
		wire_expect(&w->a, "\n\n\r\n");
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.drained, 1);
	assert_false(w->toy.held->ops->full(w->toy.held));
	w->toy.held->ops->answer(w->toy.held, SL("{}"));
	wire_expect(&w->a, "data: {}\n\n\r\n0\r\n\r\n");
}

/* HTTP-15: a stream that is not read holds back the vault of each call that answers on it. */
static void test_sse_backpressure(void **state)
{
	struct world *w = *state;
	static char event[10000];
	char target[100];

	memset(event, 'x', sizeof(event));
	open_sse(w, "/sse", "", target);
	w->toy.mode = TOY_HOLD;
	post_sse(w, target, "");
	expect_status(w, "held", wire_answer(&w->b), 202);
	size_t sent = fill(w, slice_make(event, sizeof(event)));
	wire_turn(&w->loop, 20);
	assert_int_equal(w->toy.drained, 0);
	assert_true(w->toy.held->ops->full(w->toy.held));
	for (size_t i = 0; i < sent; i++)
		wire_expect(&w->a, "\n\n\r\n");
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.drained, 1);
	assert_false(w->toy.held->ops->full(w->toy.held));
	w->toy.held->ops->answer(w->toy.held, SL("{}"));
	wire_expect(&w->a, "data: {}\n\n");
	wire_close(&w->b);
}

static void test_slow_reader(void **state)
{
	struct world *w = *state;
	static char event[10000];

	start_with(w, (struct http_config){ .slow_reader_ms = 600 });
	memset(event, 'x', sizeof(event));
	w->toy.mode = TOY_STREAM;
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	fill(w, slice_make(event, sizeof(event)));
	wire_turn(&w->loop, 2200);
	assert_int_equal(w->toy.gone, 1);
	assert_int_equal(endpoint_connections(w->endpoint), 0);
	stop(w);
}

/* OPS-08: a front that does not stop when it is told so loses the connection, not the process. */
static void test_too_much_queued(void **state)
{
	struct world *w = *state;
	static char event[100000];

	start_with(w, (struct http_config){ .max_queued_bytes = 1000000 });
	w->toy.mode = TOY_STREAM;
	memset(event, 'x', sizeof(event));
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	for (int i = 0; i < 300 && w->toy.held; i++) {
		w->toy.held->ops->message(w->toy.held, slice_make(event, sizeof(event)));
		uv_run(&w->loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(w->toy.gone, 1);
	stop(w);
}

static void test_big_answer_at_once(void **state)
{
	struct world *w = *state;
	static char big[900000];

	memset(big, 'y', sizeof(big));
	w->toy.mode = TOY_HOLD;
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	w->toy.held->ops->answer(w->toy.held, slice_make(big, sizeof(big)));
	const char *answer = wire_answer(&w->a);
	assert_non_null(strstr(answer, "Content-Length: 900000\r\n"));
	assert_memory_equal(strstr(answer, "\r\n\r\n") + 4, big, sizeof(big));
	w->toy.mode = TOY_ECHO;
	wire_send(&w->a, POST BODY);
	expect_status(w, "the next", wire_answer(&w->a), 200);
}

static void test_too_many_connections(void **state)
{
	struct world *w = *state;

	start_with(w, (struct http_config){ .max_connections = 1 });
	wire_send(&w->a, POST BODY);
	wire_answer(&w->a);
	wire_connect(&w->b, &w->loop, w->port);
	if (!over_tls) /* else it would have to be told in plain text */
		expect_status(w, "one too many", wire_answer(&w->b), 503);
	wire_expect_end(&w->b);
	wire_close(&w->b);
	wire_close(&w->a);
	wire_turn(&w->loop, 5);
	wire_connect(&w->a, &w->loop, w->port);
	wire_send(&w->a, POST BODY);
	expect_status(w, "room again", wire_answer(&w->a), 200);
	stop(w);
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void test_drain(void **state)
{
	struct world *w = *state;
	struct wire *idle = calloc(1, sizeof(*idle));

	assert_non_null(idle);
	wire_connect(idle, &w->loop, w->port);
	wire_send(idle, POST BODY);
	wire_answer(idle);
	wire_connect(&w->b, &w->loop, w->port);
	wire_send(&w->b, GET_STREAM);
	wire_expect(&w->b, "\r\n\r\n");
	w->toy.mode = TOY_HOLD;
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	endpoint_drain(w->endpoint, on_drained, w);
	wire_expect_end(idle);
	assert_string_equal(wire_expect(&w->b, "0\r\n\r\n"), "0\r\n\r\n");
	wire_expect_end(&w->b);
	assert_int_equal(w->toy.gone, 1); /* the GET stream's exchange; the other is in flight */
	assert_false(w->drained);
	w->toy.held->ops->answer(w->toy.held, SL("{\"late\":1}"));
	const char *answer = wire_answer(&w->a);
	assert_non_null(strstr(answer, "{\"late\":1}"));
	assert_non_null(strstr(answer, "Connection: close\r\n"));
	wire_expect_end(&w->a);
	wire_turn(&w->loop, 5);
	assert_true(w->drained);
	wire_close(idle);
	wire_close(&w->b);
	free(idle);
}

static void test_drain_when_idle(void **state)
{
	struct world *w = *state;

	wire_turn(&w->loop, 5);
	endpoint_drain(w->endpoint, on_drained, w);
	assert_false(w->drained);
	wire_turn(&w->loop, 5);
	assert_true(w->drained);
	wire_expect_end(&w->a);
}

/* Closing with everything open: the fronts hear it, nothing is left. */
static void test_close_with_everything_open(void **state)
{
	static char event[10000];
	struct world *w = *state;

	start_with(w, (struct http_config){ .max_connections = 0 });
	memset(event, 'x', sizeof(event));
	w->toy.mode = TOY_STREAM;
	wire_connect(&w->b, &w->loop, w->port);
	wire_send(&w->b, POST "Content-Length: 7\r\n\r\n{\"a");
	wire_send(&w->a, POST BODY);
	wire_expect(&w->a, "\r\n\r\n");
	fill(w, slice_make(event, sizeof(event)));
	stop(w);
	assert_int_equal(w->toy.gone, 1);
	wire_close(&w->b);
}

static void test_addresses(void **state)
{
	static const struct slice bad[] = { SL("nowhere"), SL("127.0.0.1"), SL("127.0.0.1:99999"), SL("127.0.0.1:x"), SL("::1:80"),
		SL("vault.example:80"), SL(":80"), SL("unix:"), SL("[::1]"), SL("300.1.1.1:80"), SL("192.0.2.1:80"), SL("") };
	struct world *w = *state;
	struct endpoint_config config = { .http.n_listen = 1 };
	struct buf why;

	start_with(w, (struct http_config){ .max_connections = 0 });
	buf_init(&why, 1024);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_clear(&why);
		config.http.listen = &bad[i];
		assert_null(endpoint_create(&config, &w->loop, &w->toy.front, &why));
		if (slice_find(buf_slice(&why), bad[i]) < 0)
			fail_msg("`%.*s` says `%.*s`", SL_ARG(bad[i]), (int)why.n, why.p);
	}
	char taken[32];
	snprintf(taken, sizeof(taken), "127.0.0.1:%d", w->port);
	struct slice two[] = { SL("127.0.0.1:0"), slice_of(taken) };
	config.http.listen = two;
	config.http.n_listen = 2;
	buf_clear(&why);
	assert_null(endpoint_create(&config, &w->loop, &w->toy.front, &why));
	assert_true(slice_find(buf_slice(&why), slice_of(taken)) > 0);
	buf_finish(&why);
	stop(w);
}

/* `localhost` is both loopbacks on one port, where the machine has both. */
static void test_both_loopbacks(void **state)
{
	struct world *w = *state;
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons((uint16_t)w->port) };
	struct buf text;

	buf_init(&text, 256);
	endpoint_describe(w->endpoint, &text);
	if (slice_find(buf_slice(&text), SL("[::1]:")) > 0) {
		wire_close(&w->a);
		w->a.fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(w->a.fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
		assert_true(!over_tls || wire_secure(&w->a, client));
		wire_send(&w->a, "POST /mcp HTTP/1.1\r\nHost: [::1]:8808\r\n" JSON_POST BODY);
		expect_status(w, "v6", wire_answer(&w->a), 200);
		assert_true(w->toy.ask.local);
	}
	buf_finish(&text);
}

static void test_unix_socket(void **state)
{
	struct world *w = *state;
	char path[64];
	struct endpoint_config config = { .http.n_listen = 1 };
	struct buf why;

	/* twice: the second finds the socket file of a process that died */
	snprintf(path, sizeof(path), "unix:/tmp/narrowgate-test-%d.sock", (int)getpid());
	start_with(w, (struct http_config){ .max_connections = 0 });
	int stale = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	strcpy(sa.sun_path, path + 5);
	assert_int_equal(bind(stale, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(stale);
	struct slice address = slice_of(path);
	config.http.listen = &address;
	buf_init(&why, 1024);
	struct endpoint *ep = endpoint_create(&config, &w->loop, &w->toy.front, &why);
	if (!ep)
		fail_msg("%.*s", (int)why.n, why.p);
	struct stat st;
	assert_int_equal(stat(path + 5, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_null(endpoint_create(&config, &w->loop, &w->toy.front, &why)); /* in use: not stolen */
	wire_close(&w->a);
	w->a.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(w->a.fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	wire_send(&w->a, POST BODY);
	expect_status(w, "unix", wire_answer(&w->a), 200);
	assert_true(w->toy.ask.local);
	endpoint_close(ep, NULL, NULL);
	wire_turn(&w->loop, 5);
	assert_int_not_equal(access(path + 5, F_OK), 0);
	buf_finish(&why);
	stop(w);
}

/* Another user's process asks; what it was told: the status. */
static int ask_as_nobody(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char text[64] = "";
	pid_t child;
	int status;

	strcpy(sa.sun_path, path);
	child = fork();
	if (child)
		return child;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (setgid(65534) || setuid(65534) || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) || read(fd, text, sizeof(text) - 1) < 12)
		_exit(1);
	status = atoi(text + 9);
	_exit(status == 403 && read(fd, text, sizeof(text)) >= 0 ? 43 : 2);
}

/* Where the operator opens the socket's file to others, they are still not us. */
static void test_unix_stranger(void **state)
{
	struct world *w = *state;
	struct endpoint_config config = { .http.n_listen = 1 };
	struct slice address;
	struct buf why;
	char path[64];
	int status;

	if (geteuid() != 0)
		skip();
	snprintf(path, sizeof(path), "unix:/tmp/narrowgate-test-%d.sock", (int)getpid());
	address = slice_of(path);
	start_with(w, (struct http_config){ .max_connections = 0 });
	config.http.listen = &address;
	buf_init(&why, 1024);
	struct endpoint *ep = endpoint_create(&config, &w->loop, &w->toy.front, &why);
	if (!ep)
		fail_msg("%.*s", (int)why.n, why.p);
	assert_int_equal(chmod(path + 5, 0666), 0);
	pid_t child = ask_as_nobody(path + 5);
	while (waitpid(child, &status, WNOHANG) == 0)
		wire_turn(&w->loop, 1);
	assert_int_equal(WEXITSTATUS(status), 43);
	assert_int_equal(w->toy.posts, 0);
	assert_int_equal(endpoint_connections(ep), 0);
	/* A file that is no socket is nobody's leftover: it stays. */
	endpoint_close(ep, NULL, NULL);
	wire_turn(&w->loop, 5);
	assert_int_equal(symlink("/tmp", path + 5), 0);
	assert_null(endpoint_create(&config, &w->loop, &w->toy.front, &why));
	assert_int_equal(unlink(path + 5), 0);
	buf_finish(&why);
	stop(w);
}

int main(void)
{
#define IN_WORLD(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define ALONE(name) cmocka_unit_test_setup_teardown(name, setup_empty, free_world)
	const struct CMUnitTest tests[] = {
		IN_WORLD(test_refusals),
		IN_WORLD(test_allow_is_told),
		IN_WORLD(test_unknown_version_names_the_known),
		IN_WORLD(test_refused_before_the_body),
		IN_WORLD(test_refused_while_the_body_comes),
		ALONE(test_lingering_ends),
		IN_WORLD(test_answer),
		IN_WORLD(test_bad_traceparent_is_dropped),
		IN_WORLD(test_accepted_failed_deleted),
		IN_WORLD(test_bad_session_id_of_the_front),
		IN_WORLD(test_stream),
		IN_WORLD(test_message_makes_a_stream),
		IN_WORLD(test_get_stream),
		IN_WORLD(test_sse),
		IN_WORLD(test_sse_stream_closed),
		IN_WORLD(test_sse_key_is_the_callers),
		IN_WORLD(test_sse_drain),
		IN_WORLD(test_sse_backpressure),
		IN_WORLD(test_big_bodies),
		IN_WORLD(test_expect_continue),
		IN_WORLD(test_pipelining),
		IN_WORLD(test_pipelined_over_the_buffer),
		IN_WORLD(test_client_asks_for_the_end),
		IN_WORLD(test_gone_while_waiting),
		IN_WORLD(test_half_closed_while_waiting),
		IN_WORLD(test_half_closed_after_the_request),
		IN_WORLD(test_gone_in_the_middle_of_a_request),
		ALONE(test_slow_head),
		ALONE(test_slow_body),
		ALONE(test_idle),
		ALONE(test_keep_alive_comments),
		IN_WORLD(test_backpressure),
		ALONE(test_slow_reader),
		ALONE(test_too_much_queued),
		IN_WORLD(test_big_answer_at_once),
		ALONE(test_too_many_connections),
		IN_WORLD(test_drain),
		IN_WORLD(test_drain_when_idle),
		ALONE(test_close_with_everything_open),
		ALONE(test_addresses),
		IN_WORLD(test_both_loopbacks),
		ALONE(test_unix_socket),
		ALONE(test_unix_stranger),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, make_tls, remove_tls);
}
