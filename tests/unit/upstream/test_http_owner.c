/* Streamable HTTP, what the owner of a call may do, and what the vault is told of us. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/unit/upstream/scene.h"

/* --- pausing, cancelling, closing --------------------------------------------------------------------------------- */

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
		fake_step(f, 1);
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
	fake_await_step(&s.fake, 1);
	rig_turn(&s.rig, 20);
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

static void script_silent(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_await_close(f);
}

static void test_limit(void **state)
{
	struct upstream_request q = { .body = SL("{}"), .id = SL("1"), .limit_ms = 300 };
	struct scene s;
	uint64_t began = uv_hrtime();

	(void)state;
	open_scene(&s, script_silent);
	ear_expect(rig_send_request(&s.rig, &q), UP_BROKEN, 0, "");
	assert_true(uv_hrtime() - began > 250 * 1000000ull);
	assert_true(uv_hrtime() - began < 3000 * 1000000ull);
	close_scene(&s);
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

/* --- credentials -------------------------------------------------------------------------------------------------- */

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

static void script_nobody(struct fake *f)
{
	(void)f;
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

static void script_one(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

/* The environment's proxy is not asked. */
static void test_environment(void **state)
{
	struct scene s;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	open_scene(&s, script_one);
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
		cmocka_unit_test(test_pause), cmocka_unit_test(test_backpressure), cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_early), cmocka_unit_test(test_limit), cmocka_unit_test(test_close_inside),
		cmocka_unit_test(test_close_with_calls), cmocka_unit_test(test_send_inside),
		cmocka_unit_test(test_credential), cmocka_unit_test(test_header_injection),
		cmocka_unit_test(test_environment), cmocka_unit_test(test_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
