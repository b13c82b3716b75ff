/* MCP on pipes and files: lines in, lines out. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "proxy/stdio.h"
#include "wire.h"

struct world {
	uv_loop_t loop;
	struct toy toy;
	struct stdio *stdio;
	int to;          /* our end of its stdin; -1: closed */
	struct wire out; /* our end of its stdout: a socket, so that wire_expect can look */
	int ended, broken;
	bool drained, closed;
};

static void on_ended(void *ctx)
{
	((struct world *)ctx)->ended++;
}

static void on_broken(void *ctx)
{
	((struct world *)ctx)->broken++;
}

static void on_drained(void *ctx)
{
	((struct world *)ctx)->drained = true;
}

static void on_closed(void *ctx)
{
	((struct world *)ctx)->closed = true;
}

static void start(struct world *w, struct stdio_config config)
{
	const struct stdio_events events = { on_ended, on_broken, w };
	int in[2], out[2];
	struct buf why;

	assert_int_equal(uv_loop_init(&w->loop), 0);
	toy_init(&w->toy);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out), 0);
	w->to = in[1];
	w->out.loop = &w->loop;
	w->out.fd = out[0];
	config.in_fd = in[0];
	config.out_fd = out[1];
	buf_init(&why, 256);
	w->stdio = stdio_start(&config, &w->loop, &w->toy.front, &events, &why);
	if (!w->stdio)
		fail_msg("%.*s", (int)why.n, why.p);
	buf_finish(&why);
}

static void stop(struct world *w)
{
	stdio_close(w->stdio, on_closed, w);
	wire_finish_loop(&w->loop);
	assert_true(w->closed);
	if (w->to >= 0)
		close(w->to);
	if (w->out.fd >= 0)
		wire_close(&w->out);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct world));
	if (!*state)
		return -1;
	start(*state, (struct stdio_config){ .max_message_bytes = 5000, .max_open = 4 });
	return 0;
}

static int teardown(void **state)
{
	stop(*state);
	free(*state);
	return 0;
}

static void put(struct world *w, const char *text)
{
	size_t n = strlen(text);

	while (n) {
		ssize_t done = write(w->to, text, n < 4096 ? n : 4096);

		assert_true(done > 0);
		text += done;
		n -= (size_t)done;
		uv_run(&w->loop, UV_RUN_NOWAIT);
	}
}

static void test_lines(void **state)
{
	struct world *w = *state;

	put(w, "{\"a\":1}\n\r\n  \n{\"b\":");
	assert_string_equal(wire_expect(&w->out, "\n"), "{\"a\":1}\n");
	wire_expect_nothing(&w->out);
	put(w, "2}\r\n{\"c\":3}\n");
	assert_string_equal(wire_expect(&w->out, "\n"), "{\"b\":2}\n");
	assert_string_equal(wire_expect(&w->out, "\n"), "{\"c\":3}\n");
	assert_int_equal(w->toy.posts, 3);
	assert_true(w->toy.ask.local);
	assert_true(w->toy.ask.stdio);
	assert_int_equal(w->toy.ask.session.n, 0);
}

/* Answers are lines whatever white space the JSON has, and failures are answers. */
static void test_answers_are_one_line(void **state)
{
	struct world *w = *state;

	w->toy.mode = TOY_HOLD;
	put(w, "{}\n");
	wire_turn(&w->loop, 5);
	w->toy.held->ops->session(w->toy.held, SL("unused"));
	w->toy.held->ops->stream(w->toy.held);
	w->toy.held->ops->message(w->toy.held, SL("{\"m\":\r\n1}"));
	w->toy.held->ops->answer(w->toy.held, SL("{\"r\":\n2}"));
	wire_expect(&w->out, "1}\n");
	assert_string_equal(wire_expect(&w->out, "\n"), "{\"r\": 2}\n");
	w->toy.mode = TOY_FAIL;
	put(w, "{}\n");
	assert_string_equal(wire_expect(&w->out, "\n"), "{\"failed\":true}\n");
	w->toy.mode = TOY_ACCEPT;
	put(w, "{}\n");
	wire_expect_nothing(&w->out);
	assert_int_equal(w->toy.posts, 3);
}

/* The body lives as long as its reply, while other lines come and go. */
static void test_each_message_owns_its_body(void **state)
{
	struct world *w = *state;

	w->toy.mode = TOY_HOLD;
	put(w, "{\"first\":1}\n");
	wire_turn(&w->loop, 5);
	struct reply *first = w->toy.held;
	struct slice body = w->toy.ask.body;
	w->toy.mode = TOY_ECHO;
	put(w, "{\"second\":2}\n");
	wire_expect(&w->out, "{\"second\":2}\n");
	assert_true(slice_eq(body, SL("{\"first\":1}")));
	first->ops->answer(first, body);
	assert_string_equal(wire_expect(&w->out, "\n"), "{\"first\":1}\n");
}

static void test_listener(void **state)
{
	struct world *w = *state;

	assert_int_equal(w->toy.listens, 1);
	w->toy.listener->ops->message(w->toy.listener, SL("{\"method\":\"n\"}"));
	assert_string_equal(wire_expect(&w->out, "\n"), "{\"method\":\"n\"}\n");
}

static void test_line_over_the_limit(void **state)
{
	struct world *w = *state;
	static char big[20001];

	memset(big, 'x', 20000);
	put(w, big);
	put(w, "\n{\"next\":1}\n");
	assert_non_null(strstr(wire_expect(&w->out, "\n"), "\"id\":null,\"error\":{\"code\":-32600,"));
	assert_string_equal(wire_expect(&w->out, "\n"), "{\"next\":1}\n");
	assert_int_equal(w->toy.posts, 1);
	big[5001] = '\0'; /* one over, and its end in the same piece */
	big[5000] = '\n';
	memset(big, 'y', 5000);
	put(w, big);
	assert_int_equal(strlen(wire_expect(&w->out, "\n")), 5001);
}

static void test_last_line_without_end(void **state)
{
	struct world *w = *state;

	put(w, "{\"a\":1}\n{\"b\":2}");
	close(w->to);
	w->to = -1;
	wire_expect(&w->out, "{\"a\":1}\n");
	assert_string_equal(wire_expect(&w->out, "\n"), "{\"b\":2}\n");
	wire_turn(&w->loop, 5);
	assert_int_equal(w->ended, 1);
}

/* At the limit of open messages reading stops, and goes on when one is answered; the end of input waits too. */
static void test_reading_pauses(void **state)
{
	struct world *w = *state;

	w->toy.mode = TOY_HOLD;
	put(w, "{}\n{}\n{}\n{}\n{\"five\":5}\n{\"six\":6}");
	close(w->to);
	w->to = -1;
	wire_turn(&w->loop, 10);
	assert_int_equal(w->toy.posts, 4);
	assert_int_equal(w->ended, 0);
	w->toy.held->ops->answer(w->toy.held, SL("{\"done\":4}"));
	wire_expect(&w->out, "{\"done\":4}\n");
	wire_turn(&w->loop, 10);
	assert_int_equal(w->toy.posts, 5);
	w->toy.mode = TOY_ECHO;
	w->toy.held->ops->answer(w->toy.held, SL("{\"done\":5}"));
	wire_expect(&w->out, "{\"done\":5}\n");
	wire_expect(&w->out, "{\"six\":6}\n");
	wire_turn(&w->loop, 5);
	assert_int_equal(w->ended, 1);
}

static void test_backpressure(void **state)
{
	struct world *w = *state;
	static char line[10001];
	int sent = 0;

	memset(line, 'x', sizeof(line) - 1);
	w->toy.mode = TOY_HOLD;
	put(w, "{}\n");
	wire_turn(&w->loop, 5);
	while (!w->toy.held->ops->full(w->toy.held)) {
		w->toy.held->ops->message(w->toy.held, slice_of(line));
		sent++;
		uv_run(&w->loop, UV_RUN_NOWAIT);
		assert_true(sent < 10000);
	}
	w->toy.mode = TOY_ACCEPT;
	put(w, "{}\n");
	wire_turn(&w->loop, 10);
	assert_int_equal(w->toy.posts, 1);
	assert_int_equal(w->toy.drained, 0);
	for (int i = 0; i < sent; i++)
		assert_int_equal(strlen(wire_expect(&w->out, "\n")), sizeof(line));
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.drained, 1);
	assert_int_equal(w->toy.posts, 2);
	assert_false(w->toy.held->ops->full(w->toy.held));
}

static void test_reader_has_gone(void **state)
{
	struct world *w = *state;

	w->toy.mode = TOY_HOLD;
	put(w, "{}\n{}\n");
	wire_turn(&w->loop, 5);
	wire_close(&w->out);
	w->toy.held->ops->message(w->toy.held, SL("{}"));
	wire_turn(&w->loop, 10);
	assert_int_equal(w->broken, 1);
	assert_int_equal(w->toy.gone, 3); /* both, and the listener */
	put(w, "{}\n");
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.posts, 2);
}

static void test_drain(void **state)
{
	struct world *w = *state;

	w->toy.mode = TOY_HOLD;
	put(w, "{}\n");
	wire_turn(&w->loop, 5);
	stdio_drain(w->stdio, on_drained, w);
	assert_int_equal(w->toy.gone, 1); /* the listener */
	assert_int_equal(write(w->to, "{}\n", 3), 3);
	wire_turn(&w->loop, 5);
	assert_false(w->drained);
	assert_int_equal(w->toy.posts, 1);
	w->toy.held->ops->answer(w->toy.held, SL("{\"last\":1}"));
	wire_expect(&w->out, "{\"last\":1}\n");
	wire_turn(&w->loop, 5);
	assert_true(w->drained);
}

static void test_close_with_everything_open(void **state)
{
	struct world *w = *state;

	w->toy.mode = TOY_HOLD;
	put(w, "{}\n{}\n{\"half");
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.posts, 2);
}

/* `narrowgate stdio <in.jsonl >out.jsonl`: neither end can be polled. */
static void test_files(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct stdio_events events = { on_ended, on_broken, w };
	char in[] = "/tmp/narrowgate-in-XXXXXX", out[] = "/tmp/narrowgate-out-XXXXXX", got[64] = "";
	struct stdio_config config = { .in_fd = mkstemp(in), .out_fd = mkstemp(out) };
	struct buf why;

	(void)state;
	assert_non_null(w);
	buf_init(&why, 256);
	assert_int_equal(write(config.in_fd, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}", 23), 23);
	lseek(config.in_fd, 0, SEEK_SET);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	toy_init(&w->toy);
	w->stdio = stdio_start(&config, &w->loop, &w->toy.front, &events, &why);
	assert_non_null(w->stdio);
	while (!w->ended)
		wire_turn(&w->loop, 1);
	stdio_drain(w->stdio, on_drained, w);
	wire_turn(&w->loop, 5);
	assert_true(w->drained);
	assert_int_equal(pread(config.out_fd, got, sizeof(got), 0), 24);
	assert_string_equal(got, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
	w->to = w->out.fd = -1;
	stop(w);
	close(config.in_fd);
	close(config.out_fd);
	unlink(in);
	unlink(out);
	free(w);
}

static void test_closed_while_a_file_is_read(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct stdio_events events = { on_ended, on_broken, w };
	struct stdio_config config = { .in_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC), .out_fd = open("/dev/null", O_WRONLY | O_CLOEXEC) };
	struct buf why;

	(void)state;
	assert_non_null(w);
	buf_init(&why, 256);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	toy_init(&w->toy);
	w->stdio = stdio_start(&config, &w->loop, &w->toy.front, &events, &why);
	assert_non_null(w->stdio);
	w->to = w->out.fd = -1;
	stop(w);
	close(config.in_fd);
	close(config.out_fd);
	free(w);
}

static void test_no_such_descriptor(void **state)
{
	uv_loop_t loop;
	struct toy toy;
	struct buf why;
	struct stdio_config config = { .in_fd = 987, .out_fd = 1 };
	int ends[2];

	(void)state;
	buf_init(&why, 256);
	toy_init(&toy);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_null(stdio_start(&config, &loop, &toy.front, &(struct stdio_events){ .ctx = NULL }, &why));
	assert_true(slice_find(buf_slice(&why), SL("987")) > 0);
	buf_clear(&why);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	config = (struct stdio_config){ .in_fd = ends[0], .out_fd = 988 };
	assert_null(stdio_start(&config, &loop, &toy.front, &(struct stdio_events){ .ctx = NULL }, &why));
	assert_true(slice_find(buf_slice(&why), SL("988")) > 0);
	assert_int_equal(toy.listens, 0);
	wire_finish_loop(&loop);
	buf_finish(&why);
	close(ends[1]);
}

int main(void)
{
#define IN_WORLD(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_WORLD(test_lines),
		IN_WORLD(test_answers_are_one_line),
		IN_WORLD(test_each_message_owns_its_body),
		IN_WORLD(test_listener),
		IN_WORLD(test_line_over_the_limit),
		IN_WORLD(test_last_line_without_end),
		IN_WORLD(test_reading_pauses),
		IN_WORLD(test_backpressure),
		IN_WORLD(test_reader_has_gone),
		IN_WORLD(test_drain),
		IN_WORLD(test_close_with_everything_open),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_closed_while_a_file_is_read),
		cmocka_unit_test(test_no_such_descriptor),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
