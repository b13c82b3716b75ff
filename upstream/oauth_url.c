#include "upstream/oauth_url.h"

/* Letters, digits and what RFC 3986 has in host names and addresses: anything else two readers may cut differently. */
static bool is_authority(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(".-:[]", c)))
			return false;
	}
	return s.n > 0 && s.p[0] != ':';
}

/* Visible ASCII but what RFC 3986 has nowhere. */
static bool is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"'<>\\^`{|}#", s.p[i]))
			return false;
	return true;
}

bool oauth_url_cut(struct slice text, struct oauth_url *out)
{
	bool tls = slice_starts(text, SL("https://"));

	if ((!tls && !slice_starts(text, SL("http://"))) || !is_plain(text) || text.n > 2048)
		return false;
	struct slice rest = slice_from(text, tls ? 8 : 7);
	size_t n = 0;

	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	*out = (struct oauth_url){ .scheme = slice_head(text, tls ? 5 : 4), .authority = slice_head(rest, n), .text = text };
	rest = slice_from(rest, n);
	out->path = slice_cut(&rest, '?');
	return is_authority(out->authority);
}

/* Without the port that the scheme has anyway. */
static struct slice host_and_port(const struct oauth_url *u)
{
	struct slice tail = slice_eq(u->scheme, SL("https")) ? SL(":443") : SL(":80");

	return slice_ends(u->authority, tail) ? slice_head(u->authority, u->authority.n - tail.n) : u->authority;
}

bool oauth_url_same_origin(const struct oauth_url *a, const struct oauth_url *b)
{
	return slice_eq(a->scheme, b->scheme) && slice_eq_nocase(host_and_port(a), host_and_port(b));
}

static struct slice without_last_slash(struct slice path)
{
	return slice_ends(path, SL("/")) ? slice_head(path, path.n - 1) : path;
}

bool oauth_url_covers(const struct oauth_url *resource, const struct oauth_url *url)
{
	struct slice above = without_last_slash(resource->path), path = without_last_slash(url->path);

	return oauth_url_same_origin(resource, url) && slice_starts(path, above) && (path.n == above.n || path.p[above.n] == '/');
}

struct slice oauth_url_origin(const struct oauth_url *u, struct arena *a)
{
	return arena_join(a, u->scheme, SL("://"), u->authority);
}

/* The origin, one part, another. */
static size_t add(struct slice *out, size_t n, const struct oauth_url *u, struct slice first, struct slice second, struct arena *a)
{
	struct slice place = arena_join(a, oauth_url_origin(u, a), first, second);

	if (!place.p)
		return n;
	for (size_t i = 0; i < n; i++)
		if (slice_eq(out[i], place))
			return n;
	out[n] = place;
	return n + 1;
}

size_t oauth_resource_places(const struct oauth_url *u, struct arena *a, struct slice out[OAUTH_MAX_PLACES])
{
	struct slice known = SL("/.well-known/oauth-protected-resource");
	size_t n = add(out, 0, u, known, without_last_slash(u->path), a);

	return add(out, n, u, known, SL(""), a);
}

size_t oauth_server_places(const struct oauth_url *issuer, struct arena *a, struct slice out[OAUTH_MAX_PLACES])
{
	struct slice path = without_last_slash(issuer->path);
	size_t n = add(out, 0, issuer, SL("/.well-known/oauth-authorization-server"), path, a);

	n = add(out, n, issuer, SL("/.well-known/openid-configuration"), path, a);
	return add(out, n, issuer, path, SL("/.well-known/openid-configuration"), a);
}
