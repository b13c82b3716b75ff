/* Streamable HTTP against a server that follows a script; rig.c checks the rules of callbacks in all of them. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/unit/upstream/fake.h"
#include "tests/unit/upstream/rig.h"

#define EVENTS "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

struct scene {
	struct fake fake;
	struct rig rig;
	char url[64];
};

static void open_scene(struct scene *s, void (*script)(struct fake *))
{
	fake_start(&s->fake, script, NULL);
	struct vault_config conf = rig_config(s->fake.port, s->url);
	rig_open(&s->rig, &conf);
}

static void close_scene(struct scene *s)
{
	rig_close(&s->rig);
	fake_stop(&s->fake);
	fake_free(&s->fake);
}

static int count(const char *in, const char *what)
{
	int n = 0;

	for (; (in = strstr(in, what)) != NULL; in++)
		n++;
	return n;
}

/* --- answers --------------------------------------------------------------------------------------------------------------- */

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
	struct upstream_request q = { .body = SL("{\"id\":2}"), .id = SL("2"), .version = SL("2025-06-18"), .traceparent = SL("00-aa-bb-01") };

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
	struct upstream_request q = { .body = SL("{\"id\":2}"), .id = SL("2"), .version = SL("2025-06-18"), .traceparent = SL("00-aa-bb-01") };
	char want[1024];

	(void)state;
	open_scene(&s, script_json);
	ear_expect(rig_send(&s.rig, "{\"id\":1}", "1"), UP_DONE, 200, "[{\"id\":1}]");
	ear_expect(rig_send_request(&s.rig, &q), UP_DONE, 200, "[{\"id\":2}]");
	ear_expect(rig_send(&s.rig, "{}", ""), UP_DONE, 202, "");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	snprintf(want, sizeof want, "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: narrowgate/" NARROWGATE_VERSION "\r\n"
		"Accept-Encoding: identity\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
		"MCP-Protocol-Version: 2025-06-18\r\ntraceparent: 00-aa-bb-01\r\nContent-Length: 8\r\n\r\n{\"id\":2}", s.fake.port);
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
		fake_drip(f, EVENTS "1c\r\nid: a\ndata:\n\ndata: {\"p\":1}\n\n\r\n5\r\ndata:\r\nA\r\n {\"id\":1}\n\r\n1\r\n\n\r\n0\r\n\r\n");
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
	fake_answer(f, "401 No", "WWW-Authenticate: Bearer error=\"secret\"\r\nContent-Type: application/json\r\n", rpc_error);
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
	try_garbage("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
		UP_GARBAGE, 200, "");
	try_garbage("this is no HTTP\r\n\r\n", UP_GARBAGE, 0, "");
	try_garbage("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", UP_GARBAGE, 200, "");
	try_garbage("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"id\":1}", UP_BROKEN, 200, "");
	try_garbage("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":1}", UP_DONE, 200, "[{\"id\":1}]");
	try_garbage(EVENTS "9\r\ndata: 1\n\n\r\n", UP_BROKEN, 200, "stream;[1]");
	try_garbage("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 65537\r\n\r\n", UP_TOO_BIG, 200, "");
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

/* --- sessions ---------------------------------------------------------------------------------------------------------------- */

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

/* --- the GET stream ------------------------------------------------------------------------------------------------------------ */

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

/* --- connections ------------------------------------------------------------------------------------------------------------------ */

static void script_dead_connection(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_reset(f);
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_close(f);
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

/* The end is seen while it lies idle, or, when the loop had no time to look, when it is taken up. */
static void test_dead_connection(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, script_dead_connection);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	rig_turn(&s.rig, 50);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	usleep(100000);
	uv_update_time(&s.rig.loop);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	close_scene(&s);
	assert_int_equal(s.fake.accepted, 3);
}

static void script_dies_late(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	usleep(15000);
	fake_close(f);
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

struct late_sender {
	struct scene *scene;
	struct ear *ear;
	uv_poll_t poll;
	int pipe[2];
};

static void on_late(uv_poll_t *h, int status, int events)
{
	struct late_sender *l = h->data;

	(void)status;
	(void)events;
	uv_poll_stop(h);
	l->ear = rig_send(&l->scene->rig, "{}", "2");
}

/* The connection is taken up in the same round of the loop in which its end would have been seen, just before. */
static void test_dies_before_sending(void **state)
{
	struct scene s;
	struct late_sender l = { .scene = &s };

	(void)state;
	open_scene(&s, script_dies_late);
	assert_int_equal(pipe(l.pipe), 0);
	uv_poll_init(&s.rig.loop, &l.poll, l.pipe[0]);
	l.poll.data = &l;
	uv_poll_start(&l.poll, UV_READABLE, on_late);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	rig_turn(&s.rig, 1); /* the kernel forgets that the connection was ready */
	assert_int_equal(write(l.pipe[1], "x", 1), 1);
	usleep(30000);
	while (!l.ear)
		uv_run(&s.rig.loop, UV_RUN_ONCE);
	ear_expect(l.ear, UP_DONE, 200, "[{}]");
	uv_close((uv_handle_t *)&l.poll, NULL);
	close_scene(&s);
	close(l.pipe[0]);
	close(l.pipe[1]);
	assert_int_equal(s.fake.accepted, 2);
}

static void script_cut(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_request(f);
	fake_close(f); /* it may have acted */
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

static void test_never_sent_twice(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, script_cut);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	ear_expect(rig_send(&s.rig, "{\"write\":1}", "1"), UP_BROKEN, 0, "");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	assert_int_equal(count(s.fake.seen, "write"), 1);
	fake_free(&s.fake);
}

static void script_cut_request(struct fake *f)
{
	struct pollfd p = { .fd = f->listener, .events = POLLIN };
	char some[1000];

	fake_accept(f);
	if (recv(f->fd, some, sizeof some, 0) <= 0)
		f->broken = "the beginning of a request";
	usleep(20000);
	fake_reset(f);
	if (poll(&p, 1, 300) != 0)
		f->broken = "nothing";
}

static void test_half_a_request(void **state)
{
	enum { BYTES = 6 << 20 };
	char *body = malloc(BYTES + 1);
	struct scene s;

	(void)state;
	memset(body, 'y', BYTES);
	body[BYTES] = 0;
	fake_start(&s.fake, script_cut_request, NULL);
	struct vault_config conf = rig_config(s.fake.port, s.url);
	conf.max_message_bytes = BYTES;
	rig_open(&s.rig, &conf);
	ear_expect(rig_send(&s.rig, body, "1"), UP_BROKEN, 0, "");
	rig_turn(&s.rig, 350);
	close_scene(&s);
	free(body);
}

static void script_surplus(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_say(f, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"id\":9}");
	fake_await_close(f);
	fake_accept(f);
	fake_request(f);
	fake_say(f, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
	usleep(30000);
	fake_say(f, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"id\":9}");
	fake_await_close(f);
	fake_accept(f);
	fake_request(f);
	fake_answer(f, "200 OK", "Content-Type: application/json\r\nConnection: close\r\n", "{}");
	fake_await_close(f);
}

/* An answer nobody asked for must never be taken for the next one. */
static void test_surplus(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, script_surplus);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	rig_turn(&s.rig, 80);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	close_scene(&s);
}

static void script_nobody(struct fake *f)
{
	(void)f;
}

static void test_unreachable(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, script_nobody);
	fake_stop(&s.fake); /* nobody listens there now */
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_UNREACHABLE, 0, "");
	assert_int_equal(rig_probe(&s.rig), UP_UNREACHABLE);
	rig_close(&s.rig);
	fake_free(&s.fake);
	struct vault_config conf = { .name = SL("v"), .url = SL("http://no-such-name.invalid/"), .max_message_bytes = 1000,
		.connect_timeout_ms = 2000, .max_connections = 2 };
	rig_open(&s.rig, &conf);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_UNREACHABLE, 0, "");
	rig_close(&s.rig);
}

static void script_probe(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

static void test_probe(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, script_probe);
	assert_int_equal(rig_probe(&s.rig), UP_DONE);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	close_scene(&s);
	assert_int_equal(s.fake.accepted, 1); /* the probe's connection served the call */
}

enum { CROWD = 20 };

static void script_crowd(struct fake *f)
{
	int fds[2];

	for (int i = 0; i < 2; i++) {
		fake_accept(f);
		fds[i] = f->fd;
	}
	for (int i = 0; i < CROWD; i++) {
		f->fd = fds[i % 2];
		fake_request(f);
		fake_json(f, "{}");
	}
	for (int i = 0; i < 2; i++) {
		f->fd = fds[i];
		fake_await_close(f);
	}
}

static void test_waiting_line(void **state)
{
	struct scene s;
	struct ear *ears[CROWD];

	(void)state;
	fake_start(&s.fake, script_crowd, NULL);
	struct vault_config conf = rig_config(s.fake.port, s.url);
	conf.max_connections = 2;
	rig_open(&s.rig, &conf);
	for (int i = 0; i < CROWD; i++)
		ears[i] = rig_send(&s.rig, "{}", "1");
	for (int i = 0; i < CROWD; i++)
		ear_expect(ears[i], UP_DONE, 200, "[{}]");
	close_scene(&s);
	assert_int_equal(s.fake.accepted, 2);
}

/* --- pausing, cancelling, closing --------------------------------------------------------------------------------------------------- */

static void script_many_events(struct fake *f)
{
	char event[200];

	fake_accept(f);
	fake_request(f);
	fake_say(f, EVENTS);
	for (int i = 0; i < 100; i++) {
		snprintf(event, sizeof event, "%X\r\ndata: %d\n\n\r\n", i < 10 ? 9 : 10, i);
		fake_say(f, event);
	}
	fake_say(f, "0\r\n\r\n");
	fake_await_close(f);
}

static void test_pause(void **state)
{
	struct scene s;
	struct ear *e;

	(void)state;
	open_scene(&s, script_many_events);
	e = rig_send(&s.rig, "{}", "1");
	e->habit = EAR_PAUSES;
	for (int i = 1; i <= 100; i++) {
		rig_wait_messages(e, i);
		if (i % 10 == 0)
			rig_turn(&s.rig, 5);
		assert_int_equal(e->messages, i); /* not one more while it is paused */
		assert_int_equal(e->ends, 0);
		upstream_resume(e->call);
		assert_int_equal(e->messages, i); /* nor from inside resume */
	}
	rig_wait_end(e);
	assert_int_equal(e->end.outcome, UP_DONE);
	assert_true(slice_starts(buf_slice(&e->seen), SL("stream;[0][1][2]")));
	assert_true(slice_ends(buf_slice(&e->seen), SL("[98][99]")));
	ear_free(e);
	close_scene(&s);
}

static void script_flood(struct fake *f)
{
	static char chunk[0x8000 + 1];
	struct timeval t = { .tv_usec = 300000 };

	memset(chunk, 'z', 0x8000);
	fake_accept(f);
	fake_request(f);
	setsockopt(f->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
	fake_say(f, EVENTS);
	for (int i = 0; i < 2000; i++) { /* 64 MB, more than any socket holds */
		fake_say(f, "8008\r\ndata: ");
		if (send(f->fd, chunk, 0x8000, MSG_NOSIGNAL) < 0x8000) {
			f->requests = -1; /* it could not get rid of it */
			break;
		}
		fake_say(f, "\n\n\r\n");
	}
	fake_await_close(f);
}

static void test_backpressure(void **state)
{
	struct scene s;
	struct ear *e;

	(void)state;
	open_scene(&s, script_flood);
	e = rig_send(&s.rig, "{}", "1");
	e->habit = EAR_PAUSES;
	e->keeps_bytes_only = true;
	rig_wait_messages(e, 1);
	rig_turn(&s.rig, 1000);
	assert_int_equal(e->messages, 1);
	rig_cancel(e);
	ear_free(e);
	close_scene(&s);
	assert_int_equal(s.fake.requests, -1);
}

static void script_cancelled_inside(struct fake *f)
{
	for (int i = 0; i < 2; i++) {
		fake_accept(f);
		fake_request(f);
		fake_say(f, EVENTS "C\r\ndata: {\"n\":1\r\n3\r\n}\n\n\r\n");
		usleep(20000);
		fake_say(f, i == 0 ? "9\r\ndata: 2\n\n\r\n0\r\n\r\n" : "9\r\ndata: 2\n\n\r\n");
		if (i == 0) {
			fake_request(f); /* the rest was read, and the connection is used again */
			fake_json(f, "{}");
			fake_close(f);
		}
	}
	fake_await_close(f); /* here it never ended, and was closed */
}

static void test_cancel(void **state)
{
	struct scene s;
	struct ear *e;

	(void)state;
	open_scene(&s, script_cancelled_inside);
	e = rig_send(&s.rig, "{}", "1");
	e->habit = EAR_CANCELS;
	rig_wait_messages(e, 1);
	rig_turn(&s.rig, 60);
	assert_int_equal(e->messages, 1);
	ear_free(e);
	ear_expect(rig_send(&s.rig, "{}", "2"), UP_DONE, 200, "[{}]");
	rig_turn(&s.rig, 20);
	e = rig_send(&s.rig, "{}", "1");
	e->habit = EAR_CANCELS;
	rig_wait_messages(e, 1);
	ear_free(e);
	rig_turn(&s.rig, 700); /* it was given its time */
	close_scene(&s);
	assert_int_equal(s.fake.accepted, 2);
}

static void script_cancelled_early(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_await_close(f); /* cancelled while it waited */
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

static void test_cancel_early(void **state)
{
	struct scene s;
	struct ear *e;

	(void)state;
	open_scene(&s, script_cancelled_early);
	e = rig_send(&s.rig, "{}", "1"); /* before it has a connection */
	rig_cancel(e);
	ear_free(e);
	rig_turn(&s.rig, 50); /* its connection lies idle now */
	e = rig_send(&s.rig, "{}", "1"); /* before it is sent */
	rig_cancel(e);
	ear_free(e);
	e = rig_send(&s.rig, "{}", "2"); /* while it waits for the answer */
	rig_turn(&s.rig, 50);
	rig_cancel(e);
	ear_free(e);
	ear_expect(rig_send(&s.rig, "{}", "3"), UP_DONE, 200, "[{}]");
	close_scene(&s);
	assert_int_equal(s.fake.accepted, 2);
}

static void script_closed_inside(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_say(f, EVENTS "9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n");
	fake_await_close(f);
}

static void test_close_inside(void **state)
{
	struct scene s;
	struct ear *e;

	(void)state;
	open_scene(&s, script_closed_inside);
	e = rig_send(&s.rig, "{}", "1");
	e->habit = EAR_CLOSES;
	rig_wait_messages(e, 1);
	close_scene(&s);
	assert_int_equal(e->messages, 1);
	ear_free(e);
}

static void test_close_with_calls(void **state)
{
	struct scene s;
	struct ear *e[3];

	(void)state;
	open_scene(&s, script_closed_inside);
	for (int i = 0; i < 3; i++)
		e[i] = rig_send(&s.rig, "{}", "1");
	rig_wait_messages(e[0], 1);
	for (int i = 0; i < 3; i++)
		e[i]->over = true; /* closing is cancelling */
	close_scene(&s);
	for (int i = 0; i < 3; i++)
		ear_free(e[i]);
}

static void script_again(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

static void test_send_inside(void **state)
{
	struct scene s;
	struct ear *e;

	(void)state;
	open_scene(&s, script_again);
	assert_int_equal(rig_probe(&s.rig), UP_DONE);
	e = rig_send(&s.rig, "{}", "1");
	e->habit = EAR_SENDS_AGAIN;
	rig_wait_end(e);
	ear_expect(e->again, UP_DONE, 200, "[{}]");
	ear_free(e);
	close_scene(&s);
}

/* --- credentials --------------------------------------------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void script_credential(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_request(f);
	fake_answer(f, "401 No", "", "");
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

static void test_credential(void **state)
{
	char path[] = "/tmp/narrowgate-token-XXXXXX";
	struct upstream_header header = { SL("X-Vault-ID"), SL("v1") };
	struct scene s;

	(void)state;
	close(mkstemp(path));
	write_file(path, "  first-token\n");
	fake_start(&s.fake, script_credential, NULL);
	struct vault_config conf = rig_config(s.fake.port, s.url);
	conf.credential_header = SL("Authorization");
	conf.credential_prefix = SL("Bearer ");
	conf.credential_from = SECRET_SOURCE_FILE;
	conf.credential_name = slice_of(path);
	conf.headers = &header;
	conf.n_headers = 1;
	rig_open(&s.rig, &conf);
	assert_true(vault_credential_ready(s.rig.vault));
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	write_file(path, "second-token");
	ear_expect(rig_send(&s.rig, "{\"rejected\":1}", "1"), UP_UNAUTHORIZED, 401, ""); /* and is not sent again */
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	write_file(path, "\n");
	assert_false(vault_refresh_credential(s.rig.vault));
	assert_false(vault_credential_ready(s.rig.vault));
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_NO_CREDENTIAL, 0, "");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	assert_int_equal(count(s.fake.seen, "\r\nAuthorization: Bearer first-token\r\n"), 2);
	assert_int_equal(count(s.fake.seen, "\r\nAuthorization: Bearer second-token\r\n"), 1);
	assert_int_equal(count(s.fake.seen, "\r\nX-Vault-ID: v1\r\n"), 3);
	assert_int_equal(count(s.fake.seen, "rejected"), 1);
	fake_free(&s.fake);
	unlink(path);
}

static void test_header_injection(void **state)
{
	static const char *const bad[] = { "2025-06-18\r\nX-Evil: 1", "a\nb", "a\rb", "a\x01" };
	struct scene s;

	(void)state;
	open_scene(&s, script_nobody);
	fake_stop(&s.fake);
	for (size_t i = 0; i < 4; i++) {
		struct upstream_request q = { .body = SL("{}"), .id = SL("1"), .version = slice_of(bad[i]) };
		ear_expect(rig_send_request(&s.rig, &q), UP_GARBAGE, 0, "");
		q = (struct upstream_request){ .body = SL("{}"), .id = SL("1"), .traceparent = slice_of(bad[i]) };
		ear_expect(rig_send_request(&s.rig, &q), UP_GARBAGE, 0, "");
	}
	rig_close(&s.rig);
	fake_free(&s.fake);
}

/* The environment's proxy is not asked. */
static void test_environment(void **state)
{
	struct scene s;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	open_scene(&s, script_probe);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	close_scene(&s);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

static void script_proxy(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_say(f, "HTTP/1.1 200 Connection established\r\n\r\n");
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

static void test_proxy(void **state)
{
	struct scene s;
	char proxy[64];

	(void)state;
	fake_start(&s.fake, script_proxy, NULL);
	struct vault_config conf = rig_config(s.fake.port, proxy);
	conf.proxy = slice_of(proxy);
	conf.url = SL("http://vault.invalid:8200/mcp");
	rig_open(&s.rig, &conf);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	assert_int_equal(strncmp(s.fake.seen, "CONNECT vault.invalid:8200 HTTP/1.1\r\n", 37), 0);
	assert_non_null(strstr(s.fake.seen, "\r\n\r\nPOST /mcp HTTP/1.1\r\nHost: vault.invalid:8200\r\n"));
	fake_free(&s.fake);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json), cmocka_unit_test(test_request_bytes), cmocka_unit_test(test_events),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_garbage), cmocka_unit_test(test_big),
		cmocka_unit_test(test_huge_request), cmocka_unit_test(test_session), cmocka_unit_test(test_session_lost),
		cmocka_unit_test(test_session_reopened), cmocka_unit_test(test_listen), cmocka_unit_test(test_many_listeners),
		cmocka_unit_test(test_dies_before_sending), cmocka_unit_test(test_half_a_request), cmocka_unit_test(test_dead_connection),
		cmocka_unit_test(test_never_sent_twice), cmocka_unit_test(test_surplus), cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_probe), cmocka_unit_test(test_waiting_line), cmocka_unit_test(test_pause),
		cmocka_unit_test(test_backpressure), cmocka_unit_test(test_cancel), cmocka_unit_test(test_cancel_early),
		cmocka_unit_test(test_close_inside), cmocka_unit_test(test_close_with_calls), cmocka_unit_test(test_send_inside),
		cmocka_unit_test(test_credential), cmocka_unit_test(test_header_injection), cmocka_unit_test(test_environment),
		cmocka_unit_test(test_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
