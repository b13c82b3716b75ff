/*
 * The endpoint event of a vault on HTTP+SSE. Of what is taken: it is an origin-form of visible ASCII that begins with a slash, and
 * what libcurl makes of our own origin with it behind is at our own origin.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "tests/fuzz/require.h"
#include "upstream/sse_endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ORIGIN "http://vault.example:8443"
static const struct curl_api *library(void)
{
	static struct curl_api curl;
	const char *why;

	if (!curl.url)
		REQUIRE(curl_api_open(&curl, &why));
	return &curl;
}

static void check_part(const struct curl_api *curl, CURLU *u, CURLUPart part, const char *want)
{
	char *got = NULL;

	REQUIRE(curl->url_get(u, part, &got, 0) == CURLUE_OK && slice_eq(slice_of(got), slice_of(want)));
	curl->free(got);
}

static void check(const struct curl_api *curl, struct slice target)
{
	char whole[SSE_ENDPOINT_MAX * 2];
	CURLU *u = curl->url();

	REQUIRE(u && target.n && target.p[0] == '/' && target.n < SSE_ENDPOINT_MAX * 2 - sizeof ORIGIN);
	for (size_t i = 0; i < target.n; i++)
		REQUIRE(target.p[i] > 0x20 && target.p[i] < 0x7F && target.p[i] != '\\' && target.p[i] != '#');
	snprintf(whole, sizeof whole, ORIGIN "%.*s", SL_ARG(target));
	REQUIRE(curl->url_set(u, CURLUPART_URL, whole, 0) == CURLUE_OK);
	check_part(curl, u, CURLUPART_HOST, "vault.example");
	check_part(curl, u, CURLUPART_PORT, "8443");
	curl->url_cleanup(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct curl_api *curl = library();
	struct buf target;

	buf_init(&target, SSE_ENDPOINT_MAX * 2);
	if (!sse_endpoint_resolve(curl, SL(ORIGIN "/a/sse?x=1"), slice_make((const char *)data, size), &target))
		check(curl, buf_slice(&target));
	buf_finish(&target);
	return 0;
}
