/* The pure parts of OAuth: addresses, URLs, challenges, scopes, the grant. */
#include <arpa/inet.h>
#include "tests/unit/check.h"
#include "upstream/address.h"
#include "upstream/oauth_documents.h"
#include "upstream/oauth_grant.h"

static enum address_kind kind_of(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return address_kind((struct sockaddr *)&in);
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return address_kind((struct sockaddr *)&in6);
}

static void http_20_addresses(void **state)
{
	static const char *const inside[] = { "0.0.0.0", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8",
		"192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "fc00::1", "fd12::1", "fe80::1", "ff02::1", "::ffff:10.0.0.1",
		"::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::", "2001:db8::1", "2001::1", "100::1" };
	static const char *const outside[] = { "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1",
		"192.167.1.1", "198.20.0.1", "223.255.255.255", "2606:4700::1", "::ffff:1.1.1.1", "2a00::1", "2002:101:101::" };

	(void)state;
	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
		if (kind_of(inside[i]) != ADDRESS_INSIDE)
			fail_msg("%s is not inside", inside[i]);
	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
		if (kind_of(outside[i]) != ADDRESS_PUBLIC)
			fail_msg("%s is not public", outside[i]);
	assert_int_equal(kind_of("127.0.0.1"), ADDRESS_LOOPBACK);
	assert_int_equal(kind_of("127.255.0.1"), ADDRESS_LOOPBACK);
	assert_int_equal(kind_of("::1"), ADDRESS_LOOPBACK);
	assert_int_equal(kind_of("::ffff:127.0.0.1"), ADDRESS_LOOPBACK);
}

static void urls(void **state)
{
	static const char *const bad[] = { "", "https://", "https:///x", "ftp://a/", "https://a@b/", "https://a/#x", "https://a b/", "https://a/\"", "https://a\\b/",
		"HTTPS://a/", "https://:443/", "//a/", "https://a%2eb/" };
	struct oauth_url u;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (oauth_url_cut(slice_of(bad[i]), &u))
			fail_msg("%s is a URL", bad[i]);
	assert_true(oauth_url_cut(SL("https://a:8443/b/c?d=e"), &u));
	assert_true(slice_eq(u.path, SL("/b/c")));
	assert_true(slice_eq(u.authority, SL("a:8443")));
}

static bool covers(const char *resource, const char *url)
{
	struct oauth_url a, b;

	return oauth_url_cut(slice_of(resource), &a) && oauth_url_cut(slice_of(url), &b) && oauth_url_covers(&a, &b);
}

static void resources(void **state)
{
	(void)state;
	assert_true(covers("https://v/mcp", "https://v/mcp"));
	assert_true(covers("https://v/", "https://v/mcp"));
	assert_true(covers("https://v", "https://V:443/mcp"));
	assert_true(covers("https://v/api", "https://v/api/mcp"));
	assert_false(covers("https://v/api", "https://v/apix"));
	assert_false(covers("https://v/mcp/x", "https://v/mcp"));
	assert_false(covers("http://v/mcp", "https://v/mcp"));
	assert_false(covers("https://v:8443/mcp", "https://v/mcp"));
	assert_false(covers("https://v.evil/mcp", "https://v/mcp"));
}

static void challenges(void **state)
{
	static const struct {
		const char *header, *parameter, *want;
	} rows[] = {
		{ "Bearer scope=\"a b\"", "scope", "a b" },
		{ "bearer realm=x , Scope = \"a\\\"b\"", "scope", "a\"b" },
		{ "Basic realm=\"Bearer scope=x\", Bearer error=insufficient_scope, scope=\"y\"", "scope", "y" },
		{ "Basic scope=x", "scope", NULL },
		{ "Bearer scope=\"a", "scope", NULL },
		{ "Bearer scope=\"a\", scope=\"b\"", "scope", "a" },
		{ "Basic dXNlcg==, Bearer resource_metadata=\"https://v/x\"", "resource_metadata", "https://v/x" },
		{ "Bearer", "scope", NULL }, { "", "scope", NULL }, { "\x01", "scope", NULL }, { ",,,", "scope", NULL },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 65536);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice got = oauth_challenge(slice_of(rows[i].header), slice_of(rows[i].parameter), &a);

		if (!rows[i].want != !got.p || (rows[i].want && !slice_eq(got, slice_of(rows[i].want))))
			fail_msg("%s: %.*s", rows[i].header, SL_ARG(got));
	}
	arena_finish(&a);
}

static void scopes(void **state)
{
	static const struct slice allowed[] = { { "vault:read", 10 }, { "openid", 6 } };

	(void)state;
	assert_true(oauth_scope_within(SL("openid vault:read"), allowed, 2));
	assert_true(oauth_scope_within(SL(""), allowed, 2));
	assert_false(oauth_scope_within(SL("vault:read vault:write"), allowed, 2));
	assert_false(oauth_scope_within(SL("vault:rea"), allowed, 2));
	assert_false(oauth_scope_within(SL("VAULT:READ"), allowed, 2));
}

/* RFC 6749 §2.3.1: both halves are escaped as in a form before they are joined. */
static void grants(void **state)
{
	struct oauth_server server = { .resource = SL("https://v/mcp"), .post = true };
	struct oauth_client client = { SL("a:b"), SL("s&t") };
	struct oauth_grant grant = { .refresh_token = SL("r+1"), .scope = SL("a b") };
	struct buf body, authorization;

	(void)state;
	buf_init(&body, 4096);
	buf_init(&authorization, 4096);
	assert_true(oauth_grant_write(&grant, &client, &server, &body, &authorization));
	assert_true(slice_eq(buf_slice(&body), SL("grant_type=refresh_token&refresh_token=r%2B1&scope=a%20b&resource=https%3A%2F%2Fv%2Fmcp&client_id=a%3Ab&client_secret=s%26t")));
	assert_int_equal(authorization.n, 0);
	server.basic = true;
	buf_clear(&body);
	assert_true(oauth_grant_write(&grant, &client, &server, &body, &authorization));
	assert_true(slice_eq(buf_slice(&authorization), SL("Basic YSUzQWI6cyUyNnQ=")));
	assert_true(slice_find(buf_slice(&body), SL("client_secret")) < 0);
	server.basic = server.post = false;
	assert_false(oauth_grant_write(&grant, &client, &server, &body, &authorization));
	buf_finish(&body);
	buf_finish(&authorization);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_20_addresses), cmocka_unit_test(urls), cmocka_unit_test(resources), cmocka_unit_test(challenges),
		cmocka_unit_test(scopes), cmocka_unit_test(grants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
