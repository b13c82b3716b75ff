/*
 * What is said about OAuth from outside: a challenge, metadata, the answers of a token endpoint. Of what is taken: the endpoints are
 * http(s) URLs of visible ASCII without a user, the resource covers the vault, a token is not empty.
 */
#include <stdint.h>
#include "tests/fuzz/require.h"
#include "upstream/oauth_documents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(struct slice text)
{
	struct oauth_url url;

	REQUIRE(oauth_url_cut(text, &url));
	REQUIRE(slice_starts(text, SL("http")) && !memchr(url.authority.p, '@', url.authority.n) && url.authority.n);
	for (size_t i = 0; i < text.n; i++)
		REQUIRE(text.p[i] > ' ' && text.p[i] <= '~' && text.p[i] != '"' && text.p[i] != '\\');
}

static void metadata(struct slice text, struct arena *a)
{
	struct slice resource, issuers[4];
	struct oauth_url vault, url;
	struct oauth_server server = { 0 };
	size_t n = 0;

	REQUIRE(oauth_url_cut(SL("https://vault.example/api/mcp"), &vault));
	if (!oauth_read_resource(text, &vault, a, &resource, issuers, 4, &n)) {
		REQUIRE(oauth_url_cut(resource, &url) && oauth_url_same_origin(&url, &vault) && n > 0 && n <= 4);
		for (size_t i = 0; i < n; i++)
			check_url(issuers[i]);
	}
	if (!oauth_read_server(text, SL("https://id.example"), a, &server)) {
		check_url(server.token_endpoint);
		if (server.authorization_endpoint.n)
			check_url(server.authorization_endpoint);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct oauth_tokens tokens;
	struct arena a;

	arena_init(&a, 1 << 20);
	oauth_challenge(text, SL("scope"), &a);
	metadata(text, &a);
	if (!oauth_read_tokens(text, &a, &tokens))
		REQUIRE(tokens.access.n > 0);
	REQUIRE(oauth_read_error(text, &a).n < 32);
	arena_finish(&a);
	return 0;
}
