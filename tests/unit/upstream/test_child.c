/* Real child processes: child_vault.py behaves as the method of each request says. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include "tests/unit/upstream/rig.h"

#define REQUEST(id, method) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\"}"

static const struct slice command[] = { { "python3", 7 }, { CHILD_SCRIPT, sizeof CHILD_SCRIPT - 1 },
	{ "first arg", 9 } };
static struct slice environment[2];

static struct vault_config config(void)
{
	static char path[4096];

	snprintf(path, sizeof path, "PATH=%s", getenv("PATH"));
	environment[0] = slice_of(path);
	environment[1] = SL("ONLY=this");
	return (struct vault_config){ .name = SL("py"), .command = command, .n_command = 3, .child_env = environment,
		.n_child_env = 2, .max_message_bytes = 100000, .connect_timeout_ms = 1000, .max_connections = 1 };
}

static void open_child(struct rig *r)
{
	struct vault_config conf = config();

	rig_open(r, &conf);
}

static struct ear *ask(struct rig *r, const char *method, const char *id)
{
	char body[256];

	snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%s,\n\"method\":\"%s\"}\n", id, method);
	return rig_send(r, body, id);
}

static void wait_told(struct rig *r, const char *what)
{
	for (int i = 0; i < 500 && slice_find(buf_slice(&r->told), slice_of(what)) < 0; i++)
		rig_turn(r, 10);
	assert_true(slice_find(buf_slice(&r->told), slice_of(what)) >= 0);
}

static int number_after(const struct ear *e, const char *name)
{
	char text[1024];

	snprintf(text, sizeof text, "%.*s", SL_ARG(buf_slice(&e->seen)));
	char *at = strstr(text, name);
	assert_non_null(at);
	return atoi(at + strlen(name));
}

static void test_answers(void **state)
{
	struct rig r;
	struct ear *e[3];

	(void)state;
	open_child(&r);
	assert_true(upstream_has_session(r.up));
	e[0] = ask(&r, "late", "1");
	e[1] = ask(&r, "echo", "\"a\"");
	e[2] = rig_send(&r, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}", "");
	ear_expect(e[2], UP_DONE, 0, "");
	ear_expect(e[1], UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": \"a\", \"result\": {}}]");
	ear_expect(e[0], UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {\"late\": true}}]");
	wait_told(&r, "[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/heard\"}]");
	rig_close(&r);
	assert_int_equal(r.lost, 0);
}

static void test_environment(void **state)
{
	struct rig r;
	struct ear *e;

	(void)state;
	setenv("NOT_FOR_CHILDREN", "1", 1);
	open_child(&r);
	e = ask(&r, "env", "1");
	rig_wait_end(e);
	struct slice seen = buf_slice(&e->seen);
	assert_true(slice_find(seen, SL("\"ONLY\": \"this\"")) > 0);
	assert_true(slice_find(seen, SL("NOT_FOR_CHILDREN")) < 0);
	assert_true(slice_find(seen, SL("\"HOME\"")) < 0);
	ear_free(e);
	e = ask(&r, "args", "1");
	rig_wait_end(e);
	assert_true(slice_find(buf_slice(&e->seen), SL("[\"first arg\"]")) > 0);
	ear_free(e);
	rig_close(&r);
}

static void test_noise(void **state)
{
	struct rig r;

	(void)state;
	open_child(&r);
	ear_expect(ask(&r, "noise", "1"), UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {}}]");
	/* What is no JSON is gone; a request with the id of a call is no answer to it. */
	assert_slice(buf_slice(&r.told), SL("[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/"
					"list_changed\"}][{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]"));
	rig_close(&r);
}

static void test_second_answer(void **state)
{
	struct rig r;

	(void)state;
	open_child(&r);
	ear_expect(ask(&r, "twice", "1"), UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {\"n\": 1}}]");
	wait_told(&r, "{\"n\": 2}");
	rig_close(&r);
}

static void test_flood(void **state)
{
	struct rig r;

	(void)state;
	open_child(&r);
	ear_expect(ask(&r, "flood", "1"), UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {}}]");
	rig_close(&r);
}

static void test_death(void **state)
{
	struct rig r;
	struct ear *a, *b;
	uint64_t began;

	(void)state;
	open_child(&r);
	a = ask(&r, "die", "1");
	b = ask(&r, "echo", "2");
	rig_wait_lost(&r);
	assert_int_equal(r.live_at_loss, 0);
	assert_int_equal(r.lost_how.outcome, UP_BROKEN);
	ear_expect(a, UP_BROKEN, 0, "");
	ear_expect(b, UP_BROKEN, 0, "");
	/* The next one starts it again, but not at once. */
	began = uv_hrtime();
	ear_expect(ask(&r, "echo", "3"), UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": 3, \"result\": {}}]");
	assert_true(uv_hrtime() - began > 50 * 1000000ull);
	ear_expect(ask(&r, "die-speaking", "4"), UP_DONE, 0,
		"[{\"jsonrpc\": \"2.0\", \"id\": 4, \"result\": {\"last\": true}}]");
	rig_close(&r);
	assert_true(r.lost >= 1);
}

static void test_too_big(void **state)
{
	struct rig r;

	(void)state;
	open_child(&r);
	ear_expect(ask(&r, "big", "1"), UP_TOO_BIG, 0, "");
	rig_wait_lost(&r);
	assert_int_equal(r.lost_how.outcome, UP_TOO_BIG);
	ear_expect(ask(&r, "echo", "2"), UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": 2, \"result\": {}}]");
	rig_close(&r);
}

static void test_mute(void **state)
{
	struct rig r;

	(void)state;
	open_child(&r);
	ear_expect(ask(&r, "mute", "1"), UP_BROKEN, 0, "");
	rig_wait_lost(&r);
	rig_close(&r);
}

static void test_queue(void **state)
{
	struct rig r;
	static const char note[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}";
	struct ear *e[40];
	char *body = malloc(60001);
	int refused = 0, done = 0;

	(void)state;
	memset(body, ' ', 60000);
	memcpy(body, note, sizeof note - 1);
	body[60000] = 0;
	open_child(&r);
	e[0] = ask(&r, "deaf", "1");
	wait_told(&r, "deaf");
	for (int i = 1; i < 40; i++)
		e[i] = rig_send(&r, body, "");
	for (int i = 1; i < 40; i++) {
		rig_wait_end(e[i]);
		refused += e[i]->end.outcome == UP_UNREACHABLE;
		done += e[i]->end.outcome == UP_DONE;
		ear_free(e[i]);
	}
	assert_true(done >= 3 && refused > 20);
	assert_int_equal(done + refused, 39);
	ear_expect(e[0], UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {}}]");
	ear_expect(ask(&r, "echo", "2"), UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": 2, \"result\": {}}]");
	for (int heard = 0; heard < done;) { /* all that were taken arrived, whole */
		rig_turn(&r, 10);
		heard = 0;
		for (struct slice s = buf_slice(&r.told); slice_find(s, SL("heard")) >= 0; heard++)
			s = slice_from(s, (size_t)slice_find(s, SL("heard")) + 1);
	}
	rig_close(&r);
	free(body);
}

static void test_cancel(void **state)
{
	struct rig r;
	struct ear *e;

	(void)state;
	open_child(&r);
	e = ask(&r, "late", "1");
	rig_turn(&r, 20);
	rig_cancel(e);
	ear_free(e);
	/* Its answer is still to come, so its id is not free. */
	ear_expect(ask(&r, "echo", "1"), UP_UNREACHABLE, 0, "");
	ear_expect(ask(&r, "echo", "2"), UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": 2, \"result\": {}}]");
	ear_expect(ask(&r, "echo", "1"), UP_DONE, 0, "[{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {}}]");
	assert_int_equal(r.told.n, 0);
	e = ask(&r, "echo", "3");
	e->habit = EAR_CANCELS;
	rig_wait_messages(e, 1);
	rig_turn(&r, 20);
	ear_free(e);
	e = ask(&r, "echo", "4");
	e->habit = EAR_CLOSES;
	rig_wait_messages(e, 1);
	ear_free(e);
	rig_close(&r);
}

static bool alive(int pid)
{
	char path[64], line[256] = "";

	if (kill(pid, 0) != 0)
		return false;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	bool read = fgets(line, sizeof line, f);
	fclose(f);
	return read && !strstr(line, ") Z "); /* nobody may be there to bury a grandchild */
}

static double close_and_time(struct rig *r)
{
	uint64_t began = uv_hrtime();

	rig_close(r);
	return (double)(uv_hrtime() - began) / 1e9;
}

static int started_pid(struct rig *r, const char *how)
{
	char body[200];
	struct ear *e;

	snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stay\",\"params\":{\"how\":\"%s\"}}",
		how);
	e = rig_send(r, body, "1");
	rig_wait_end(e);
	int pid = number_after(e, "\"pid\": ");
	ear_free(e);
	return pid;
}

static void test_shutdown(void **state)
{
	struct rig r;
	struct ear *e;
	int pid;
	double seconds;

	(void)state;
	open_child(&r);
	e = ask(&r, "args", "1");
	rig_wait_end(e);
	pid = number_after(e, "\"pid\": ");
	ear_free(e);
	assert_true(alive(pid));
	seconds = close_and_time(&r);
	assert_false(alive(pid));
	assert_true(seconds < 1.9); /* stdin closed is enough for most */
	open_child(&r);
	pid = started_pid(&r, "soft");
	seconds = close_and_time(&r);
	assert_false(alive(pid));
	assert_true(seconds > 1.9 && seconds < 3.9);
	open_child(&r);
	pid = started_pid(&r, "hard");
	seconds = close_and_time(&r);
	assert_false(alive(pid));
	assert_true(seconds > 3.9 && seconds < 10);
}

static void test_grandchild(void **state)
{
	struct rig r;
	struct ear *e;
	int pid;

	(void)state;
	open_child(&r);
	e = ask(&r, "grandchild", "1");
	rig_wait_end(e);
	pid = number_after(e, "\"pid\": ");
	ear_free(e);
	assert_true(alive(pid));
	rig_close(&r);
	for (int i = 0; i < 100 && alive(pid); i++)
		usleep(10000);
	assert_false(alive(pid));
}

static void test_close_at_once(void **state)
{
	struct rig r;
	struct ear *e;

	(void)state;
	open_child(&r);
	rig_close(&r); /* nothing was ever started */
	open_child(&r);
	e = ask(&r, "echo", "1");
	e->over = true;
	rig_close(&r);
	ear_free(e);
}

static void test_not_there(void **state)
{
	static const struct slice missing[] = { { "no-such-program", 15 } };
	static const struct slice a_directory[] = { { "/usr", 4 } };
	const struct slice *commands[] = { missing, a_directory };
	struct rig r;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vault_config conf = config();
		conf.command = commands[i];
		conf.n_command = 1;
		rig_open(&r, &conf);
		assert_int_equal(rig_probe(&r), UP_UNREACHABLE);
		ear_expect(ask(&r, "echo", "1"), UP_UNREACHABLE, 0, "");
		ear_expect(ask(&r, "echo", "1"), UP_UNREACHABLE, 0, "");
		assert_int_equal(r.lost, 0);
		rig_close(&r);
	}
	open_child(&r);
	assert_int_equal(rig_probe(&r), UP_DONE);
	rig_close_probing(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_second_answer),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_mute),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_grandchild),
		cmocka_unit_test(test_close_at_once),
		cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
