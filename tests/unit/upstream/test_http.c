/* Streamable HTTP, what is said: against a server that follows a script. rig.c checks the rules of callbacks. */
#include <stdio.h>
#include <unistd.h>
#include "tests/unit/upstream/scene.h"

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void script_json(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{\"id\":1}");
	fake_request(f);
	fake_drip(f, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"id\":2}");
	fake_request(f);
	fake_answer(f, "202 Accepted", "", "");
	fake_await_close(f);
}

static void test_json(void **state)
{
	struct scene s;
	struct upstream_request q = {
		.body = SL("{\"id\":2}"), .id = SL("2"), .version = SL("2025-06-18"), .traceparent = SL("00-aa-bb-01")
	};

	(void)state;
	open_scene(&s, script_json);
	ear_expect(rig_send(&s.rig, "{\"id\":1}", "1"), UP_DONE, 200, "[{\"id\":1}]");
	ear_expect(rig_send_request(&s.rig, &q), UP_DONE, 200, "[{\"id\":2}]");
	ear_expect(rig_send(&s.rig, "{\"note\":1}", ""), UP_DONE, 202, "");
	assert_false(upstream_has_session(s.rig.up));
	close_scene(&s);
}

static void test_request_bytes(void **state)
{
	struct scene s;
	struct upstream_request q = {
		.body = SL("{\"id\":2}"), .id = SL("2"), .version = SL("2025-06-18"), .traceparent = SL("00-aa-bb-01")
	};
	char want[1024];

	(void)state;
	open_scene(&s, script_json);
	ear_expect(rig_send(&s.rig, "{\"id\":1}", "1"), UP_DONE, 200, "[{\"id\":1}]");
	ear_expect(rig_send_request(&s.rig, &q), UP_DONE, 200, "[{\"id\":2}]");
	ear_expect(rig_send(&s.rig, "{}", ""), UP_DONE, 202, "");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	snprintf(want, sizeof want,
		"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: narrowgate/" NARROWGATE_VERSION "\r\n"
		"Accept-Encoding: identity\r\nAccept: application/json, text/event-stream\r\nContent-Type: "
		"application/json\r\n"
		"MCP-Protocol-Version: 2025-06-18\r\ntraceparent: 00-aa-bb-01\r\nContent-Length: 8\r\n\r\n{\"id\":2}",
		s.fake.port);
	assert_non_null(strstr(s.fake.seen, want));
	assert_int_equal(s.fake.accepted, 1); /* one connection for all */
	assert_int_equal(s.fake.requests, 3);
	fake_free(&s.fake);
}

static void script_events(struct fake *f)
{
	fake_accept(f);
	for (int i = 0; i < 2; i++) {
		fake_request(f);
		fake_drip(f, EVENTS "1c\r\nid: a\ndata:\n\ndata: {\"p\":1}\n\n\r\n5\r\ndata:\r\nA\r\n "
				"{\"id\":1}\n\r\n1\r\n\n\r\n0\r\n\r\n");
	}
	fake_await_close(f);
}

static void test_events(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, script_events);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "stream;[{\"p\":1}][{\"id\":1}]");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "stream;[{\"p\":1}][{\"id\":1}]");
	close_scene(&s);
	assert_int_equal(s.fake.accepted, 1);
}

static const char *const rpc_error = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"no\"}}";

static void script_refusals(struct fake *f)
{
	static const char json[] = "Content-Type: application/json\r\n";

	fake_accept(f);
	fake_request(f);
	fake_answer(f, "302 Found", "Location: http://127.0.0.1:1/\r\n", "moved");
	fake_request(f);
	fake_answer(f, "401 No", "WWW-Authenticate: Bearer error=\"secret\"\r\nContent-Type: application/json\r\n",
		rpc_error);
	fake_request(f);
	fake_answer(f, "403 No", json, rpc_error);
	fake_request(f);
	fake_answer(f, "400 No", json, rpc_error);
	fake_request(f);
	fake_answer(f, "400 No", json, "{\"error\":\"not rpc\"}");
	fake_request(f);
	fake_answer(f, "500 No", "Content-Type: text/html\r\n", "<html>oops</html>");
	fake_request(f);
	fake_answer(f, "404 No", "", "");
	fake_request(f);
	fake_answer(f, "405 No", "Allow: POST\r\n", "");
	fake_await_close(f);
}

static void test_refusals(void **state)
{
	struct scene s;
	char error[200];

	(void)state;
	snprintf(error, sizeof error, "[%s]", rpc_error);
	open_scene(&s, script_refusals);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_REDIRECT, 302, "");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_UNAUTHORIZED, 401, "");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_UNAUTHORIZED, 403, "");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_STATUS, 400, error);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_STATUS, 400, "");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_STATUS, 500, "");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_STATUS, 404, "");
	ear_expect(rig_listen(&s.rig), UP_NOT_OFFERED, 405, "");
	assert_int_equal(s.rig.lost, 0);
	close_scene(&s);
	assert_int_equal(s.fake.accepted, 1); /* each body was read to its end, and the connection kept */
}

static const char *garbage;

static void script_garbage(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_say(f, garbage);
	fake_close(f);
}

static void try_garbage(const char *text, enum upstream_outcome outcome, int status, const char *seen)
{
	struct scene s;

	garbage = text;
	open_scene(&s, script_garbage);
	ear_expect(rig_send(&s.rig, "{}", "1"), outcome, status, seen);
	close_scene(&s);
}

static void test_garbage(void **state)
{
	(void)state;
	try_garbage("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: "
		"2\r\n\r\n\x1f\x8b",
		UP_GARBAGE, 200, "");
	try_garbage("this is no HTTP\r\n\r\n", UP_GARBAGE, 0, "");
	try_garbage("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", UP_GARBAGE, 200, "");
	try_garbage("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"id\":1}",
		UP_BROKEN, 200, "");
	try_garbage(
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":1}", UP_DONE, 200, "[{\"id\":1}]");
	try_garbage(EVENTS "9\r\ndata: 1\n\n\r\n", UP_BROKEN, 200, "stream;[1]");
	try_garbage("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 65537\r\n\r\n", UP_TOO_BIG,
		200, "");
	try_garbage("", UP_BROKEN, 0, "");
}

static void script_big(struct fake *f)
{
	static char chunk[60001];

	memset(chunk, 'x', 60000);
	fake_accept(f);
	fake_request(f);
	fake_say(f, EVENTS);
	for (int i = 0; i < 50; i++) {
		fake_say(f, "EA68\r\ndata: ");
		fake_say(f, chunk);
		fake_say(f, "\n\n\r\n");
	}
	fake_say(f, "0\r\n\r\n");
	fake_request(f);
	fake_say(f, EVENTS);
	for (int i = 0; i < 2; i++) {
		fake_say(f, i ? "EA60\r\n" : "EA66\r\ndata: ");
		fake_say(f, chunk);
		fake_say(f, "\r\n");
	}
	fake_await_close(f);
}

static void test_big(void **state)
{
	struct scene s;
	struct ear *e;

	(void)state;
	open_scene(&s, script_big);
	e = rig_send(&s.rig, "{}", "1");
	e->keeps_bytes_only = true;
	rig_wait_end(e);
	assert_int_equal(e->end.outcome, UP_DONE);
	assert_int_equal(e->messages, 50);
	assert_int_equal(e->bytes, 50 * 60000);
	ear_free(e);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_TOO_BIG, 200, "stream;");
	close_scene(&s);
}

static char *huge;

static void script_huge_request(struct fake *f)
{
	fake_accept(f);
	usleep(100000); /* the socket fills */
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

static void test_huge_request(void **state)
{
	enum { BYTES = 6 << 20 };
	struct scene s;

	(void)state;
	huge = malloc(BYTES + 1);
	memset(huge, 'y', BYTES);
	huge[BYTES] = 0;
	fake_start(&s.fake, script_huge_request, NULL);
	struct vault_config conf = rig_config(s.fake.port, s.url);
	conf.max_message_bytes = 6 << 20;
	rig_open(&s.rig, &conf);
	ear_expect(rig_send(&s.rig, huge, "1"), UP_DONE, 200, "[{}]");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	assert_int_equal(strlen(strstr(s.fake.seen, "\r\n\r\n") + 4), BYTES);
	fake_free(&s.fake);
	free(huge);
}

/* --- sessions ----------------------------------------------------------------------------------------------------- */

static void script_session(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_answer(f, "200 OK", "Content-Type: application/json\r\nMcp-Session-Id: S-1\r\n", "{\"id\":0}");
	fake_request(f);
	fake_answer(f, "200 OK", "Content-Type: application/json\r\nMcp-Session-Id: S-2\r\n", "{\"id\":1}");
	fake_request(f); /* DELETE */
	fake_answer(f, "200 OK", "", "");
	fake_await_close(f);
}

static struct ear *initialize(struct rig *r)
{
	struct upstream_request q = { .body = SL("{}"), .id = SL("0"), .opens_session = true };

	return rig_send_request(r, &q);
}

static void test_session(void **state)
{
	struct upstream_request q = { .body = SL("{}"), .id = SL("1"), .version = SL("2025-06-18") };
	struct scene s;

	(void)state;
	open_scene(&s, script_session);
	assert_false(upstream_has_session(s.rig.up));
	ear_expect(initialize(&s.rig), UP_DONE, 200, "[{\"id\":0}]");
	assert_true(upstream_has_session(s.rig.up));
	ear_expect(rig_send_request(&s.rig, &q), UP_DONE, 200, "[{\"id\":1}]");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	assert_int_equal(count(s.fake.seen, "\r\nMcp-Session-Id: S-1\r\n"), 2); /* the call and the DELETE */
	assert_int_equal(count(s.fake.seen, "S-2"), 0); /* only initialize names a session */
	assert_non_null(strstr(s.fake.last, "DELETE /mcp HTTP/1.1\r\n"));
	assert_non_null(strstr(s.fake.last, "\r\nMCP-Protocol-Version: 2025-06-18\r\n"));
	fake_free(&s.fake);
}

static void script_session_lost(struct fake *f)
{
	int first;
	SSL *none = NULL;

	fake_accept(f);
	fake_request(f);
	fake_answer(f, "200 OK", "Content-Type: application/json\r\nMcp-Session-Id: S-1\r\n", "{\"id\":0}");
	fake_request(f); /* a call that is not answered */
	first = f->fd;
	fake_accept(f);
	fake_request(f);
	fake_answer(f, "404 Not Found", "Content-Type: application/json\r\n", rpc_error);
	fake_await_close(f);
	f->fd = first;
	f->ssl = none;
	fake_await_close(f);
}

static void test_session_lost(void **state)
{
	struct scene s;
	struct ear *waiting, *fails;

	(void)state;
	open_scene(&s, script_session_lost);
	ear_expect(initialize(&s.rig), UP_DONE, 200, "[{\"id\":0}]");
	waiting = rig_send(&s.rig, "{}", "1");
	rig_turn(&s.rig, 50);
	fails = rig_send(&s.rig, "{}", "2");
	rig_wait_lost(&s.rig);
	assert_int_equal(s.rig.live_at_loss, 0); /* all calls were told first */
	assert_int_equal(s.rig.lost_how.outcome, UP_SESSION_LOST);
	assert_int_equal(s.rig.lost_how.status, 404);
	ear_expect(fails, UP_SESSION_LOST, 404, "");
	ear_expect(waiting, UP_SESSION_LOST, 404, "");
	assert_false(upstream_has_session(s.rig.up));
	ear_expect(rig_send(&s.rig, "{}", "3"), UP_SESSION_LOST, 404, "");
	assert_int_equal(s.rig.lost, 1);
	close_scene(&s); /* no DELETE for a session that is gone */
	assert_int_equal(s.fake.requests, 3);
}

static void script_reopened(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_answer(f, "200 OK", "Content-Type: application/json\r\nMcp-Session-Id: S-1\r\n", "{\"id\":0}");
	fake_request(f);
	fake_answer(f, "404 Not Found", "", "");
	fake_request(f);
	fake_answer(f, "200 OK", "Content-Type: application/json\r\nMcp-Session-Id: S-2\r\n", "{\"id\":0}");
	fake_request(f);
	fake_json(f, "{\"id\":1}");
	fake_request(f);
	fake_answer(f, "405 No", "", "");
	fake_await_close(f);
}

static void test_session_reopened(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, script_reopened);
	ear_expect(initialize(&s.rig), UP_DONE, 200, "[{\"id\":0}]");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_SESSION_LOST, 404, "");
	ear_expect(initialize(&s.rig), UP_DONE, 200, "[{\"id\":0}]");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{\"id\":1}]");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	assert_int_equal(count(s.fake.seen, "\r\nMcp-Session-Id: S-1\r\n"), 1);
	assert_int_equal(count(s.fake.seen, "\r\nMcp-Session-Id: S-2\r\n"), 2);
	fake_free(&s.fake);
}

/* --- the GET stream ----------------------------------------------------------------------------------------------- */

static void script_listen(struct fake *f)
{
	int stream;

	fake_accept(f);
	fake_request(f);
	fake_say(f, EVENTS);
	fake_say(f, "C\r\ndata: {\"n\":1\r\n");
	stream = f->fd;
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{\"id\":1}");
	fake_await_close(f);
	f->fd = stream;
	fake_say(f, "3\r\n}\n\n\r\nE\r\ndata: {\"n\":2}\n\r\n1\r\n\n\r\n0\r\n\r\n");
	fake_await_close(f);
}

static void test_listen(void **state)
{
	struct scene s;
	struct ear *e;

	(void)state;
	open_scene(&s, script_listen);
	e = rig_listen(&s.rig);
	rig_turn(&s.rig, 30);
	assert_slice(buf_slice(&e->seen), SL("stream;")); /* before any message */
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{\"id\":1}]");
	rig_turn(&s.rig, 4500); /* the idle connection grows too old, the stream does not */
	rig_wait_messages(e, 2);
	ear_expect(e, UP_DONE, 200, "stream;[{\"n\":1}][{\"n\":2}]");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	assert_int_equal(strncmp(s.fake.seen, "GET /mcp HTTP/1.1\r\n", 19), 0);
	assert_non_null(strstr(s.fake.seen, "\r\nAccept: text/event-stream\r\n"));
	fake_free(&s.fake);
}

static void script_listeners(struct fake *f)
{
	int fds[4];

	for (int i = 0; i < 4; i++) {
		fake_accept(f);
		fds[i] = f->fd;
		fake_request(f);
		if (i < 3)
			fake_say(f, EVENTS);
		else
			fake_json(f, "{}");
	}
	for (int i = 0; i < 4; i++) {
		f->fd = fds[i];
		fake_await_close(f);
	}
}

/* Streams that never end must leave room for calls. */
static void test_many_listeners(void **state)
{
	struct scene s;
	struct ear *e[4];

	(void)state;
	fake_start(&s.fake, script_listeners, NULL);
	struct vault_config conf = rig_config(s.fake.port, s.url);
	conf.max_connections = 4;
	rig_open(&s.rig, &conf);
	for (int i = 0; i < 4; i++)
		e[i] = rig_listen(&s.rig);
	ear_expect(e[3], UP_UNREACHABLE, 0, "");
	for (int i = 0; i < 3; i++)
		while (!e[i]->seen.n)
			rig_turn(&s.rig, 5);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	for (int i = 0; i < 3; i++)
		e[i]->over = true;
	close_scene(&s);
	for (int i = 0; i < 3; i++)
		ear_free(e[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json), cmocka_unit_test(test_request_bytes), cmocka_unit_test(test_events),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_garbage), cmocka_unit_test(test_big),
		cmocka_unit_test(test_huge_request), cmocka_unit_test(test_session),
		cmocka_unit_test(test_session_lost), cmocka_unit_test(test_session_reopened),
		cmocka_unit_test(test_listen), cmocka_unit_test(test_many_listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
