#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "proxy/browser.h"
#include "proxy/http_response.h"

static void check_head(const struct http_head *h, const char *want)
{
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(http_write_head(&out, h), E_OK);
	if (!slice_eq(buf_slice(&out), slice_of(want)))
		fail_msg("got:\n%.*s", (int)out.n, out.p);
	buf_finish(&out);
}

static void test_heads(void **state)
{
	(void)state;
	check_head(&(struct http_head){ .status = 200, .content_type = SL("application/json"), .length = 1234, .session = SL("abc"),
		.date = SL("D") }, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1234\r\n"
		"Mcp-Session-Id: abc\r\nDate: D\r\n\r\n");
	check_head(&(struct http_head){ .status = 405, .allow = SL("GET"), .close = true },
		"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nAllow: GET\r\nConnection: close\r\n\r\n");
	check_head(&(struct http_head){ .status = 401 },
		"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer\r\n\r\n");
	check_head(&(struct http_head){ .status = 204 }, "HTTP/1.1 204 No Content\r\n\r\n");
	check_head(&(struct http_head){ .status = 299 }, "HTTP/1.1 299 Unknown\r\nContent-Length: 0\r\n\r\n");
	check_head(&(struct http_head){ .status = 200, .content_type = SL("text/event-stream"), .events = true },
		"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache, no-transform\r\n"
		"X-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n");
}

/* HTTP-16 */
static void test_session_id_cannot_break_the_head(void **state)
{
	static const struct slice bad[] = { SL("a\r\nX: y"), SL("a\nb"), SL("a b"), SL("\x7f"), SL("\xc3\xa4"), SL("a\0b") };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	buf_add(&out, SL("before"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(http_write_head(&out, &(struct http_head){ .status = 200, .session = bad[i] }), E_INVALID);
		assert_true(slice_eq(buf_slice(&out), SL("before")));
	}
	buf_finish(&out);
}

static void test_no_half_head(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 40);
	assert_int_equal(http_write_head(&out, &(struct http_head){ .status = 200, .content_type = SL("application/json") }), E_TOO_BIG);
	assert_int_equal(out.n, 0);
	buf_finish(&out);
}

static void test_chunks(void **state)
{
	struct buf out;
	size_t at;

	(void)state;
	buf_init(&out, 4096);
	at = http_chunk_begin(&out);
	buf_add(&out, SL("0123456789abcdefg"));
	http_chunk_end(&out, at);
	at = http_chunk_begin(&out);
	buf_add(&out, SL("x"));
	http_chunk_end(&out, at);
	http_write_last_chunk(&out);
	assert_true(slice_eq(buf_slice(&out), SL("00000011\r\n0123456789abcdefg\r\n00000001\r\nx\r\n0\r\n\r\n")));
	buf_finish(&out);
}

static void test_chunk_that_does_not_fit(void **state)
{
	struct buf out;
	size_t at;

	(void)state;
	buf_init(&out, 12);
	at = http_chunk_begin(&out);
	buf_add(&out, SL("0123456789"));
	http_chunk_end(&out, at);
	assert_int_equal(out.failed, E_TOO_BIG);
	buf_finish(&out);
}

static struct browser_rules *rules_of(const struct slice *origins, size_t n_origins, const struct slice *hosts, size_t n_hosts)
{
	struct slice bad;
	struct browser_rules *r = browser_rules_create(&(struct browser_config){ origins, n_origins, hosts, n_hosts }, &bad);

	assert_non_null(r);
	return r;
}

/* HTTP-01 */
static void test_default_origins(void **state)
{
	static const struct slice good[] = { SL("http://localhost"), SL("http://localhost:3000"), SL("https://127.0.0.1:1"),
		SL("http://[::1]:6274"), SL("HTTP://LocalHost:80") };
	static const struct slice bad[] = { SL("null"), SL(""), SL("http://evil.example"), SL("http://localhost.evil.example"),
		SL("http://localhost:80@evil.example"), SL("http://127.0.0.1:evil.com"), SL("http://127.0.0.1.evil.com"),
		SL("http://[::1].evil.com"), SL("http://[::1]:1:2"), SL("file://localhost"), SL("://localhost"), SL("localhost"),
		SL("http://"), SL("http://localhost/"), SL("http://localhost:"), SL("http://localhost:0"), SL("http://localhost:65536"),
		SL("http://127.0.0.2"), SL("http://0x7f.1"), SL("http://localhost http://evil"), SL("chrome-extension://localhost") };
	struct browser_rules *r = rules_of(NULL, 0, NULL, 0);

	(void)state;
	assert_true(browser_origin_allowed(r, (struct slice){ NULL, 0 }));
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!browser_origin_allowed(r, good[i]))
			fail_msg("refused %.*s", SL_ARG(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (browser_origin_allowed(r, bad[i]))
			fail_msg("let in %.*s", SL_ARG(bad[i]));
	browser_rules_free(r);
}

static void test_configured_origins(void **state)
{
	static const struct slice list[] = { SL("https://app.example"), SL("http://tool.example:8080") };
	struct browser_rules *r = rules_of(list, 2, NULL, 0);
	struct slice bad;

	(void)state;
	assert_true(browser_origin_allowed(r, SL("https://app.example")));
	assert_true(browser_origin_allowed(r, SL("https://app.example:443")));
	assert_true(browser_origin_allowed(r, SL("http://tool.example:8080")));
	assert_false(browser_origin_allowed(r, SL("http://app.example")));
	assert_false(browser_origin_allowed(r, SL("https://app.example:8443")));
	assert_false(browser_origin_allowed(r, SL("http://tool.example")));
	assert_false(browser_origin_allowed(r, SL("https://app.example.evil")));
	assert_false(browser_origin_allowed(r, SL("http://localhost")));
	browser_rules_free(r);
	assert_null(browser_rules_create(&(struct browser_config){ .allowed_origins = &SL("app.example"), .n_allowed_origins = 1 }, &bad));
	assert_true(slice_eq(bad, SL("app.example")));
}

/* HTTP-01 */
static void test_hosts(void **state)
{
	static const struct slice list[] = { SL("vault-proxy"), SL("gate.example:8808") };
	static const struct slice good[] = { SL("localhost"), SL("LOCALHOST:8808"), SL("127.0.0.1:1"), SL("[::1]"), SL("[::1]:8808"),
		SL("vault-proxy"), SL("Vault-Proxy:99"), SL("gate.example:8808") };
	static const struct slice bad[] = { SL("evil.example"), SL("localhost.evil.example"), SL("localhost:80:80"), SL("localhost:x"),
		SL("localhost@evil"), SL("127.0.0.1.nip.io"), SL("127.0.0.2"), SL("[::2]"), SL("::1"), SL("localhost."), SL("gate.example"),
		SL("gate.example:1"), SL("localhost,evil"), SL("local\thost"), SL("") };
	struct browser_rules *r = rules_of(NULL, 0, list, 2);

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!browser_host_allowed(r, good[i]))
			fail_msg("refused %.*s", SL_ARG(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (browser_host_allowed(r, bad[i]))
			fail_msg("let in %.*s", SL_ARG(bad[i]));
	browser_rules_free(r);
}

/* HTTP-02 */
static void test_site(void **state)
{
	(void)state;
	assert_true(browser_site_allowed((struct slice){ NULL, 0 }));
	assert_true(browser_site_allowed(SL("same-origin")));
	assert_true(browser_site_allowed(SL("none")));
	assert_false(browser_site_allowed(SL("cross-site")));
	assert_false(browser_site_allowed(SL("Cross-Site")));
	assert_false(browser_site_allowed(SL("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_session_id_cannot_break_the_head),
		cmocka_unit_test(test_no_half_head),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_chunk_that_does_not_fit),
		cmocka_unit_test(test_default_origins),
		cmocka_unit_test(test_configured_origins),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
