#include "upstream/sse_endpoint.h"

#include <stdlib.h>
#include <strings.h>

struct origin {
	char *scheme, *host, *port;
};

/* What a URI may be made of (RFC 3986 §2), so that nobody reads it otherwise than we do: no backslash, no space, no quotes. */
static bool is_uri(struct slice s)
{
	static const char others[] = "-._~:/?#[]@!$&'()*+,;=%";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alnum && (c == 0 || !strchr(others, c)))
			return false;
	}
	return s.n > 0;
}

static char *part(const struct curl_api *curl, CURLU *u, CURLUPart which, unsigned flags)
{
	char *text = NULL;

	return curl->url_get(u, which, &text, flags) == CURLUE_OK ? text : NULL;
}

static void read_origin(const struct curl_api *curl, CURLU *u, struct origin *o)
{
	o->scheme = part(curl, u, CURLUPART_SCHEME, 0);
	o->host = part(curl, u, CURLUPART_HOST, 0);
	o->port = part(curl, u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

static void free_origin(const struct curl_api *curl, struct origin *o)
{
	curl->free(o->scheme);
	curl->free(o->host);
	curl->free(o->port);
}

static bool same(const char *a, const char *b)
{
	return a && b && strcasecmp(a, b) == 0;
}

static bool has(const struct curl_api *curl, CURLU *u, CURLUPart which)
{
	char *text = part(curl, u, which, 0);

	curl->free(text);
	return text != NULL;
}

static const char *add_target(const struct curl_api *curl, CURLU *u, struct buf *target)
{
	char *path = part(curl, u, CURLUPART_PATH, 0), *query = part(curl, u, CURLUPART_QUERY, 0);
	enum err e = path ? buf_add(target, slice_of(path)) : E_INVALID;

	if (e == E_OK && query)
		e = buf_add_fmt(target, "?%s", query);
	curl->free(path);
	curl->free(query);
	return e == E_OK ? NULL : "its endpoint event cannot be kept";
}

static const char *resolve(const struct curl_api *curl, CURLU *u, const char *url, const char *reference, struct buf *target)
{
	struct origin ours = { 0 }, theirs = { 0 };
	const char *why = NULL;

	if (curl->url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK)
		return "its URL cannot be read";
	read_origin(curl, u, &ours);
	if (curl->url_set(u, CURLUPART_URL, reference, CURLU_DISALLOW_USER) != CURLUE_OK)
		why = "its endpoint event holds no URI reference";
	read_origin(curl, u, &theirs);
	if (!why && (!same(ours.scheme, theirs.scheme) || !same(ours.host, theirs.host) || !same(ours.port, theirs.port)))
		why = "its endpoint event names another origin";
	if (!why && (has(curl, u, CURLUPART_USER) || has(curl, u, CURLUPART_PASSWORD) || has(curl, u, CURLUPART_FRAGMENT)))
		why = "its endpoint event holds a user or a fragment";
	free_origin(curl, &ours);
	free_origin(curl, &theirs);
	return why ? why : add_target(curl, u, target);
}

const char *sse_endpoint_resolve(const struct curl_api *curl, struct slice url, struct slice reference, struct buf *target)
{
	const char *why = "out of memory";

	if (reference.n > SSE_ENDPOINT_MAX || !is_uri(reference))
		return "its endpoint event holds no URI reference";
	CURLU *u = curl->url();
	char *base = strndup(url.p, url.n), *text = strndup(reference.p, reference.n);

	if (u && base && text)
		why = resolve(curl, u, base, text, target);
	curl->url_cleanup(u);
	free(base);
	free(text);
	return why;
}
