/* The small parts without I/O of their own: credential, log of a child, search of a program, request writing, turns. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/check.h"
#include "upstream/child_log.h"
#include "upstream/child_path.h"
#include "upstream/credential.h"
#include "upstream/http_write.h"
#include "upstream/sse_endpoint.h"
#include "upstream/turn.h"

/* --- credential --------------------------------------------------------------------------------------------------- */

static void put(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

static struct vault_config bearer(enum secret_source from, const char *name)
{
	return (struct vault_config){ .credential_header = SL("Authorization"), .credential_prefix = SL("Bearer "),
		.credential_from = from, .credential_name = slice_of(name) };
}

static void test_credential_file(void **state)
{
	char path[] = "/tmp/narrowgate-credential-XXXXXX", *big = malloc(CREDENTIAL_MAX_BYTES + 2);
	struct credential c;

	(void)state;
	close(mkstemp(path));
	struct vault_config conf = bearer(SECRET_SOURCE_FILE, path);
	assert_true(credential_init(&c, &conf));
	assert_false(credential_ready(&c));
	assert_false(credential_read(&c)); /* empty */
	put(path, " \t tok en\r\n\n", 12);
	assert_true(credential_read(&c));
	assert_slice(buf_slice(&c.line), SL("Authorization: Bearer tok en\r\n"));
	memset(big, 'k', CREDENTIAL_MAX_BYTES + 1);
	put(path, big, CREDENTIAL_MAX_BYTES);
	assert_true(credential_read(&c));
	assert_int_equal(c.line.n, CREDENTIAL_MAX_BYTES + 24);
	put(path, big, CREDENTIAL_MAX_BYTES + 1);
	assert_false(credential_read(&c));
	assert_int_equal(c.line.n, 0); /* not the old one */
	put(path, "a\r\nX-Evil: 1", 12);
	assert_false(credential_read(&c));
	put(path, "a\0b", 3);
	assert_false(credential_read(&c));
	put(path, "good", 4);
	assert_true(credential_read(&c));
	unlink(path);
	assert_false(credential_read(&c));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(credential_read(&c)); /* and does not wait for a writer */
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(credential_read(&c));
	rmdir(path);
	credential_finish(&c);
	free(big);
}

static void test_credential_env(void **state)
{
	struct vault_config conf = bearer(SECRET_SOURCE_ENV, "NARROWGATE_TEST_TOKEN"), none = { 0 };
	struct credential c;

	(void)state;
	unsetenv("NARROWGATE_TEST_TOKEN");
	assert_true(credential_init(&c, &conf));
	assert_false(credential_read(&c));
	setenv("NARROWGATE_TEST_TOKEN", "from-env ", 1);
	assert_true(credential_read(&c));
	assert_slice(buf_slice(&c.line), SL("Authorization: Bearer from-env\r\n"));
	credential_finish(&c);
	assert_true(credential_init(&c, &none));
	assert_true(credential_ready(&c));
	assert_true(credential_read(&c));
	assert_int_equal(c.line.n, 0);
	credential_finish(&c);
}

static void test_credential_rejected(void **state)
{
	struct vault_config conf = bearer(SECRET_SOURCE_ENV, "NARROWGATE_TEST_TOKEN");
	struct credential c;

	(void)state;
	setenv("NARROWGATE_TEST_TOKEN", "one", 1);
	assert_true(credential_init(&c, &conf));
	credential_read(&c);
	setenv("NARROWGATE_TEST_TOKEN", "two", 1);
	credential_rejected(&c, 5000);
	assert_slice(buf_slice(&c.line), SL("Authorization: Bearer two\r\n"));
	setenv("NARROWGATE_TEST_TOKEN", "three", 1);
	credential_rejected(&c, 5500); /* so soon it is not read again */
	assert_slice(buf_slice(&c.line), SL("Authorization: Bearer two\r\n"));
	credential_rejected(&c, 6000);
	assert_slice(buf_slice(&c.line), SL("Authorization: Bearer three\r\n"));
	unsetenv("NARROWGATE_TEST_TOKEN");
	credential_rejected(&c, 8000);
	assert_false(credential_ready(&c));
	credential_finish(&c);
}

/* --- the log of a child ------------------------------------------------------------------------------------------- */

static void test_child_log(void **state)
{
	struct child_log l;
	char line[3 * CHILD_LOG_LINE];

	(void)state;
	child_log_init(&l, "child test");
	child_log_feed(&l, SL("one\ntw"), 1000);
	assert_int_equal(l.lines, 1);
	assert_int_equal(l.n, 2);
	child_log_feed(&l, SL("o\r\n\n  \n"), 1000);
	assert_int_equal(l.lines, 2); /* empty ones are none */
	memset(line, 'x', sizeof line);
	child_log_feed(&l, slice_make(line, sizeof line), 1000);
	assert_true(l.cut);
	child_log_feed(&l, SL("\n"), 1000);
	assert_false(l.cut);
	assert_int_equal(l.lines, 3);
	for (int i = 0; i < 1000; i++)
		child_log_feed(&l, SL("again\n"), 1999);
	assert_int_equal(l.lines, CHILD_LOG_PER_SECOND);
	assert_int_equal(l.left_out, 1003 - CHILD_LOG_PER_SECOND);
	child_log_feed(&l, SL("later\n"), 2000);
	assert_int_equal(l.left_out, 0);
	assert_int_equal(l.lines, 1);
	child_log_feed(&l, SL("last words"), 2000);
	child_log_end(&l, 2000);
	assert_int_equal(l.lines, 2);
	assert_int_equal(l.n, 0);
}

/* --- where a program is ------------------------------------------------------------------------------------------- */

static void check_path(const char *name, const char *path, const char *want)
{
	char *env[] = { (char *)(uintptr_t)"X=1", (char *)(uintptr_t)path, NULL };
	char *got = child_path_find(name, env);

	if (want) {
		assert_non_null(got);
		assert_string_equal(got, want);
	} else {
		assert_null(got);
	}
	free(got);
}

static void test_child_path(void **state)
{
	char dir[] = "/tmp/narrowgate-path-XXXXXX", file[64], path[200];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/sh", dir);
	snprintf(path, sizeof path, "PATH=:.:%s:/bin", dir);
	check_path("sh", path, "/bin/sh");
	put(file, "#!/bin/sh\n", 10);
	check_path("sh", path, "/bin/sh"); /* not executable */
	assert_int_equal(chmod(file, 0700), 0);
	check_path("sh", path, file);
	check_path(file, "PATH=", file);
	check_path("sh", "PATH=", NULL);
	check_path("sh", "PATH=bin:.", NULL);
	check_path("sh", "NOPATH=1", "/usr/bin/sh");
	check_path("", path, NULL);
	check_path("..", path, NULL);
	unlink(file);
	assert_int_equal(chdir("/"), 0);
	check_path("bin/sh", path, "bin/sh");
	rmdir(dir);
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

static void check_head(const char *url, const char *want)
{
	struct vault_config conf = { .url = slice_of(url) };
	struct http_heads h;
	struct curl_api curl;
	const char *why;

	assert_true(curl_api_open(&curl, &why));
	bool ok = http_heads_init(&h, &curl, &conf, &why);

	if (!want) {
		assert_false(ok);
		assert_non_null(why);
	} else {
		assert_true(ok);
		if (!slice_starts(buf_slice(&h.post), slice_of(want)))
			print_error("%.*s\n", SL_ARG(buf_slice(&h.post)));
		assert_true(slice_starts(buf_slice(&h.post), slice_of(want)));
	}
	http_heads_finish(&h);
	curl_api_close(&curl);
}

static void test_urls(void **state)
{
	(void)state;
	check_head("http://localhost", "POST / HTTP/1.1\r\nHost: localhost\r\n");
	check_head("https://vault.example:443/mcp", "POST /mcp HTTP/1.1\r\nHost: vault.example\r\n");
	check_head("https://vault.example:8443/a/b?x=1&y=%20",
		"POST /a/b?x=1&y=%20 HTTP/1.1\r\nHost: vault.example:8443\r\n");
	check_head("http://[::1]:8080/mcp", "POST /mcp HTTP/1.1\r\nHost: [::1]:8080\r\n");
	check_head("ftp://x/", NULL);
	check_head("file:///etc/passwd", NULL);
	check_head("http://", NULL);
	check_head("vault", NULL);
	check_head("http://user:pass@host/", NULL);
	check_head("http://host/#x", NULL);
	check_head("http://host/a b", NULL);
	check_head("http://host/\r\nX: 1", NULL);
	check_head("http://host:99999/", NULL);
	check_head("http://h\xc3\xb6st/", NULL);
}

static bool header_ok(const char *name, const char *value)
{
	struct upstream_header header = { slice_of(name), slice_of(value) };
	struct vault_config conf = { .url = SL("http://h/"), .headers = &header, .n_headers = 1,
		.credential_header = SL("X-Agent-Key"), .credential_from = SECRET_SOURCE_ENV };
	struct http_heads h;
	struct curl_api curl;
	const char *why;

	assert_true(curl_api_open(&curl, &why));
	bool ok = http_heads_init(&h, &curl, &conf, &why);

	if (ok) {
		assert_true(slice_find(buf_slice(&h.post), slice_of(name)) > 0);
		assert_true(slice_find(buf_slice(&h.get), slice_of(name)) > 0);
		assert_true(slice_find(buf_slice(&h.delete), slice_of(name)) > 0);
	}
	http_heads_finish(&h);
	curl_api_close(&curl);
	return ok;
}

static void resolves(const struct curl_api *curl, const char *url, const char *reference, const char *want)
{
	struct buf target;

	buf_init(&target, 2 * SSE_ENDPOINT_MAX);
	const char *why = sse_endpoint_resolve(curl, slice_of(url), slice_of(reference), &target);
	if (want)
		assert_slice(buf_slice(&target), slice_of(want));
	else
		assert_int_equal(target.n, 0);
	assert_int_equal(why == NULL, want != NULL);
	buf_finish(&target);
}

static void test_endpoints(void **state)
{
	const char *at = "http://vault.example:3100/a/sse?x=1";
	struct curl_api curl;
	const char *why;

	(void)state;
	assert_true(curl_api_open(&curl, &why));
	resolves(&curl, at, "/messages?sessionId=7", "/messages?sessionId=7");
	resolves(&curl, at, "messages?sessionId=7", "/a/messages?sessionId=7");
	resolves(&curl, at, "../m", "/m");
	resolves(&curl, at, "?k=1", "/a/sse?k=1");
	resolves(&curl, at, "http://VAULT.example:3100/m", "/m");
	resolves(&curl, at, "//vault.example:3100/m", "/m");
	resolves(&curl, "https://vault.example/sse", "https://vault.example:443/m", "/m");
	resolves(&curl, at, "http://vault.example/m", NULL);
	resolves(&curl, at, "https://vault.example:3100/m", NULL);
	resolves(&curl, at, "//vault.example.evil:3100/m", NULL);
	resolves(&curl, at, "http://vault.example:3100@evil/m", NULL);
	resolves(&curl, at, "//u@vault.example:3100/m", NULL);
	resolves(&curl, at, "/m#f", NULL);
	resolves(&curl, at, "/m\n", NULL);
	resolves(&curl, at, "/m n", NULL);
	resolves(&curl, at, "/m\\evil", NULL);
	resolves(&curl, at, "/\xC3\xA4", NULL);
	resolves(&curl, at, "", NULL);
	curl_api_close(&curl);
}

static void test_headers(void **state)
{
	(void)state;
	assert_true(header_ok("X-Vault-ID", "v 1\t\xc3\xa9"));
	assert_true(header_ok("X-Empty", ""));
	assert_false(header_ok("X Vault", "v"));
	assert_false(header_ok("X:", "v"));
	assert_false(header_ok("", "v"));
	assert_false(header_ok("X", "a\r\nY: b"));
	assert_false(header_ok("X", "a\nb"));
	assert_false(header_ok("host", "other"));
	assert_false(header_ok("TRANSFER-encoding", "chunked"));
	assert_false(header_ok("Mcp-Session-Id", "mine"));
	assert_false(header_ok("x-agent-key", "again"));
}

/* --- turns -------------------------------------------------------------------------------------------------------- */

struct job {
	struct task task; /* first */
	struct turn *turn;
	char name;
	struct buf *trace;
	struct job *adds, *removes;
};

static void run_job(struct task *t)
{
	struct job *j = (struct job *)(void *)t;

	buf_add_char(j->trace, j->name);
	if (j->adds)
		turn_add(j->turn, &j->adds->task);
	if (j->removes)
		turn_remove(&j->removes->task);
}

static void on_turn_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static void test_turn(void **state)
{
	struct turn turn;
	struct buf trace;
	uv_loop_t loop;
	bool closed = false;

	(void)state;
	buf_init(&trace, 100);
	uv_loop_init(&loop);
	turn_init(&turn, &loop);
	struct job a = { .task.run = run_job, .turn = &turn, .name = 'a', .trace = &trace };
	struct job b = a, c = a, d = a;
	b.name = 'b';
	c.name = 'c';
	d.name = 'd';
	a.adds = &d;     /* runs in the next round */
	b.removes = &c;  /* which then does not run */
	d.adds = NULL;
	turn_add(&turn, &a.task);
	turn_add(&turn, &b.task);
	turn_add(&turn, &c.task);
	turn_add(&turn, &a.task); /* keeps its place */
	assert_int_equal(trace.n, 0);
	uv_run(&loop, UV_RUN_DEFAULT); /* ends when nothing is queued */
	assert_slice(buf_slice(&trace), SL("abd"));
	turn_add(&turn, &c.task);
	turn_remove(&c.task);
	turn_remove(&c.task);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_slice(buf_slice(&trace), SL("abd"));
	turn_close(&turn, on_turn_closed, &closed);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(closed);
	assert_int_equal(uv_loop_close(&loop), 0);
	buf_finish(&trace);
}

static void test_texts(void **state)
{
	(void)state;
	for (int o = UP_DONE; o <= UP_NO_CREDENTIAL; o++) {
		assert_non_null(upstream_outcome_text((enum upstream_outcome)o));
		assert_string_not_equal(upstream_outcome_text((enum upstream_outcome)o), "unknown outcome");
	}
	assert_string_equal(upstream_outcome_text((enum upstream_outcome)99), "unknown outcome");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_credential_file),
		cmocka_unit_test(test_credential_env),
		cmocka_unit_test(test_credential_rejected),
		cmocka_unit_test(test_child_log),
		cmocka_unit_test(test_child_path),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_turn),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
