/* Streamable HTTP, connections: dead, cut, missing, too few. rig.c checks the rules of callbacks. */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/unit/upstream/scene.h"

static void script_dead_connection(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_reset(f);
	fake_step(f, 1);
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_close(f);
	fake_step(f, 2);
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
	fake_await_step(&s.fake, 1);
	rig_turn(&s.rig, 50);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	fake_await_step(&s.fake, 2);
	usleep(100000); /* it has been idle for long enough to be looked at */
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
	fake_await_step(f, 1);
	fake_close(f);
	fake_step(f, 2);
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
	fake_step(&s.fake, 1);
	fake_await_step(&s.fake, 2);
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
	fake_await_step(f, 1);
	fake_say(f, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"id\":9}");
	fake_step(f, 2);
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
	fake_step(&s.fake, 1);
	fake_await_step(&s.fake, 2);
	rig_turn(&s.rig, 20);
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
	rig_close_probing(&s.rig);
	fake_free(&s.fake);
	struct vault_config conf = { .name = SL("v"),
		.url = SL("http://no-such-name.invalid/"),
		.max_message_bytes = 1000,
		.connect_timeout_ms = 2000,
		.max_connections = 2 };
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dead_connection), cmocka_unit_test(test_dies_before_sending),
		cmocka_unit_test(test_never_sent_twice), cmocka_unit_test(test_half_a_request),
		cmocka_unit_test(test_surplus), cmocka_unit_test(test_unreachable), cmocka_unit_test(test_probe),
		cmocka_unit_test(test_waiting_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
