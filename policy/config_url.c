/* URLs of vaults and proxies, and names that give a credential away. */
#include "policy/config_inside.h"

/* The parts of `scheme://host[:port][/…]` that decide something. */
struct url_parts {
	struct slice scheme, authority, host;
};

static bool cut_url(struct slice url, struct url_parts *out)
{
	ptrdiff_t at = slice_find(url, SL("://"));

	if (at <= 0)
		return false;
	out->scheme = slice_head(url, (size_t)at);
	struct slice rest = slice_from(url, (size_t)at + 3);
	size_t n = 0;

	while (n < rest.n && !strchr("/?#\\", rest.p[n]))
		n++;
	out->authority = slice_head(rest, n);
	out->host = out->authority;
	if (out->host.n && out->host.p[0] == '[') {
		const char *end = memchr(out->host.p, ']', out->host.n);

		if (!end)
			return false;
		out->host = slice_make(out->host.p + 1, (size_t)(end - out->host.p) - 1);
	} else if (out->host.n) {
		const char *end = memchr(out->host.p, ':', out->host.n);

		if (end)
			out->host.n = (size_t)(end - out->host.p);
	}
	return out->host.n > 0;
}

/* Letters, digits and what RFC 3986 has in host names and addresses: anything else two readers may cut differently. */
static bool is_plain_authority(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				strchr(".-_:[]", c)))
			return false;
	}
	return true;
}

static bool has_odd_char(struct slice url)
{
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= ' ' || (unsigned char)url.p[i] >= 0x7F || strchr("\\#\"<>", url.p[i]))
			return true;
	return false;
}

bool config_check_url(struct loader *l, struct slice url, struct origin at)
{
	struct url_parts parts;
	const char *why = NULL;

	/* The URL itself is not repeated: it may hold a password. */
	if (!cut_url(url, &parts))
		why = "this is no URL: write https://host/path";
	else if (memchr(parts.authority.p, '@', parts.authority.n))
		why = "a user or password in a URL: use `credential`";
	else if (has_odd_char(url) || !is_plain_authority(parts.authority))
		why = "a character that does not belong in a URL";
	else if (slice_eq(parts.scheme, SL("http")) && !config_is_loopback(parts.host))
		why = "http to another host would show the credential to the network: write https (http is for "
			"localhost only)";
	else if (!slice_eq(parts.scheme, SL("http")) && !slice_eq(parts.scheme, SL("https")))
		why = "only https, and http to localhost, reach a vault";
	if (!why)
		return true;
	faults_add(l->faults, at, "%s", why);
	return false;
}

static char bare(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - ('a' - 'A'));
	return c == '-' ? '_' : c;
}

static bool ends_like(struct slice name, struct slice tail)
{
	if (name.n < tail.n)
		return false;
	name = slice_from(name, name.n - tail.n);
	for (size_t i = 0; i < tail.n; i++)
		if (bare(name.p[i]) != tail.p[i])
			return false;
	return true;
}

bool config_names_credential(struct slice name)
{
	static const char *const tails[] = { "AUTHORIZATION", "COOKIE", "TOKEN", "SECRET", "PASSWORD", "PASSWD",
		"PASSPHRASE", "APIKEY", "_KEY", "CREDENTIAL", "CREDENTIALS", NULL };

	for (size_t i = 0; tails[i]; i++)
		if (ends_like(name, slice_of(tails[i])))
			return true;
	return false;
}
