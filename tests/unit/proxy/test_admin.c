#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "proxy/admin.h"
#include "wire.h"

struct world {
	uv_loop_t loop;
	struct admin_source source;
	bool ready;
	struct admin *admin;
	int port;
	bool drained, closed;
	struct wire a;
};

static bool is_ready(struct admin_source *source, bool verbose, struct buf *text)
{
	struct world *w = (struct world *)(void *)((char *)source - offsetof(struct world, source));

	if (verbose)
		buf_add(text, SL("configuration: ok\nvault: waiting"));
	else
		buf_add(text, w->ready ? SL("ready\n") : SL("not ready\n"));
	return w->ready;
}

static const struct admin_source_ops source_ops = { .ready = is_ready };

static void on_closed(void *ctx)
{
	((struct world *)ctx)->closed = true;
}

static void on_drained(void *ctx)
{
	((struct world *)ctx)->drained = true;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct http_config config = { .listen = &SL("127.0.0.1:0"), .n_listen = 1 };
	struct buf text;

	assert_non_null(w);
	*state = w;
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->source.ops = &source_ops;
	buf_init(&text, 256);
	w->admin = admin_create(&config, &w->loop, &w->source, &text);
	assert_non_null(w->admin);
	admin_describe(w->admin, &text);
	w->port = wire_port(&text);
	buf_finish(&text);
	wire_connect(&w->a, &w->loop, w->port);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	admin_close(w->admin, on_closed, w);
	wire_finish_loop(&w->loop);
	assert_true(w->closed);
	wire_close(&w->a);
	free(w);
	return 0;
}

static void check(struct world *w, const char *line, int status, const char *body)
{
	char request[256], start[32];
	const char *answer;

	snprintf(request, sizeof(request), "%s HTTP/1.1\r\nHost: 10.1.2.3:9808\r\n\r\n", line);
	snprintf(start, sizeof(start), "HTTP/1.1 %d ", status);
	wire_send(&w->a, request);
	answer = wire_answer(&w->a);
	if (strncmp(answer, start, strlen(start)) != 0 || strcmp(strstr(answer, "\r\n\r\n") + 4, body) != 0)
		fail_msg("%s: want %d `%s`, got:\n%s", line, status, body, answer);
	if (status == 405)
		assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
}

static void test_health(void **state)
{
	struct world *w = *state;

	check(w, "GET /healthz", 200, "ok\n");
	check(w, "GET /readyz", 503, "not ready\n");
	check(w, "GET /readyz?verbose", 503, "configuration: ok\nvault: waiting\n");
	w->ready = true;
	check(w, "GET /readyz", 200, "ready\n");
	check(w, "GET /readyz?verbose", 200, "configuration: ok\nvault: waiting\n");
	check(w, "GET /", 404, "not found\n");
	check(w, "GET /healthz/", 404, "not found\n");
	check(w, "GET /healthz?x", 404, "not found\n");
	check(w, "GET /mcp", 404, "not found\n");
	check(w, "POST /healthz", 405, "only GET and HEAD\n");
	check(w, "DELETE /readyz", 405, "only GET and HEAD\n");
	check(w, "OPTIONS /readyz", 405, "only GET and HEAD\n");
}

static void test_head(void **state)
{
	struct world *w = *state;

	wire_send(&w->a, "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(wire_expect(&w->a, "\r\n\r\n"), "Content-Length: 3\r\n"));
	wire_expect_nothing(&w->a);
	wire_send(&w->a, "HEAD /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(wire_expect(&w->a, "\r\n\r\n"), "HTTP/1.1 503 "));
	wire_expect_nothing(&w->a);
}

static void test_malformed(void **state)
{
	struct world *w = *state;

	wire_send(&w->a, "GET /healthz\r\n\r\n");
	assert_non_null(strstr(wire_answer(&w->a), "HTTP/1.1 400 Bad Request\r\n"));
	wire_expect_end(&w->a);
}

static void test_body_is_not_read(void **state)
{
	struct world *w = *state;

	wire_send(&w->a, "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
	assert_non_null(strstr(wire_answer(&w->a), "HTTP/1.1 405 "));
	wire_expect_end(&w->a);
}

static void test_drain(void **state)
{
	struct world *w = *state;

	check(w, "GET /healthz", 200, "ok\n");
	admin_drain(w->admin, on_drained, w);
	wire_expect_end(&w->a);
	assert_true(w->drained);
}

int main(void)
{
#define IN_WORLD(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_WORLD(test_health),
		IN_WORLD(test_head),
		IN_WORLD(test_malformed),
		IN_WORLD(test_body_is_not_read),
		IN_WORLD(test_drain),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
