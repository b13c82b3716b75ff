#include "proxy/browser.h"

#include <stdint.h>
#include <stdlib.h>

/* scheme://host:port taken apart; borrowed. */
struct origin {
	struct slice scheme, host;
	unsigned port;
};

struct browser_rules {
	struct slice *origins; /* kept as text: they were read once when created, so they can be read again */
	size_t n_origins;
	struct slice *hosts;
	size_t n_hosts;
};

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* The host in front of a port: a name, or an IPv6 address in brackets. False when the text is neither. */
static bool cut_host(struct slice s, struct slice *host, struct slice *rest)
{
	size_t n = 0;

	if (s.n && s.p[0] == '[') {
		const char *end = memchr(s.p, ']', s.n);

		n = end ? (size_t)(end - s.p) + 1 : 0;
	} else {
		while (n < s.n && is_host_char(s.p[n]))
			n++;
	}
	*host = slice_head(s, n);
	*rest = slice_from(s, n);
	return n > 0;
}

/* ":8080" as a number; empty gives 0. */
static bool read_port(struct slice s, unsigned *port)
{
	*port = 0;
	if (s.n == 0)
		return true;
	if (s.p[0] != ':' || s.n < 2 || s.n > 6)
		return false;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*port = *port * 10 + (unsigned)(s.p[i] - '0');
	}
	return *port > 0 && *port < 65536;
}

static bool read_origin(struct slice text, struct origin *out)
{
	ptrdiff_t colon = slice_find(text, SL("://"));
	struct slice rest;

	if (colon <= 0)
		return false;
	out->scheme = slice_head(text, (size_t)colon);
	if (!cut_host(slice_from(text, (size_t)colon + 3), &out->host, &rest) || !read_port(rest, &out->port))
		return false;
	if (out->port == 0 && slice_eq_nocase(out->scheme, SL("http")))
		out->port = 80;
	if (out->port == 0 && slice_eq_nocase(out->scheme, SL("https")))
		out->port = 443;
	return true;
}

static bool is_loopback_name(struct slice host)
{
	return slice_eq_nocase(host, SL("localhost")) || slice_eq(host, SL("127.0.0.1")) || slice_eq(host, SL("[::1]"));
}

static bool is_web_scheme(struct slice scheme)
{
	return slice_eq_nocase(scheme, SL("http")) || slice_eq_nocase(scheme, SL("https"));
}

bool browser_origin_allowed(const struct browser_rules *rules, struct slice origin)
{
	struct origin got, want;

	if (!origin.p)
		return true;
	if (!read_origin(origin, &got))
		return false;
	if (rules->n_origins == 0)
		return is_web_scheme(got.scheme) && is_loopback_name(got.host);
	for (size_t i = 0; i < rules->n_origins; i++)
		if (read_origin(rules->origins[i], &want) && got.port == want.port && slice_eq_nocase(got.scheme, want.scheme) &&
			slice_eq_nocase(got.host, want.host))
			return true;
	return false;
}

bool browser_host_allowed(const struct browser_rules *rules, struct slice host)
{
	struct slice name, rest;
	unsigned port;

	if (!cut_host(host, &name, &rest) || !read_port(rest, &port))
		return false;
	if (is_loopback_name(name))
		return true;
	for (size_t i = 0; i < rules->n_hosts; i++)
		if (slice_eq_nocase(rules->hosts[i], name) || slice_eq_nocase(rules->hosts[i], host))
			return true;
	return false;
}

bool browser_site_allowed(struct slice site)
{
	return !site.p || slice_eq_nocase(site, SL("same-origin")) || slice_eq_nocase(site, SL("same-site")) ||
	       slice_eq_nocase(site, SL("none"));
}

/* --- the rules ---------------------------------------------------------------------------------------------------- */

static bool copy_texts(const struct slice *from, size_t n, struct slice **to, size_t *n_to)
{
	*to = n ? calloc(n, sizeof(**to)) : NULL;
	if (n && !*to)
		return false;
	for (*n_to = 0; *n_to < n; ++*n_to) {
		char *copy = malloc(from[*n_to].n + 1);

		if (!copy)
			return false;
		if (from[*n_to].n)
			memcpy(copy, from[*n_to].p, from[*n_to].n);
		(*to)[*n_to] = slice_make(copy, from[*n_to].n);
	}
	return true;
}

static void free_texts(struct slice *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)texts[i].p);
	free(texts);
}

struct browser_rules *browser_rules_create(const struct browser_config *config, struct slice *bad)
{
	struct browser_rules *rules;
	struct origin o;

	*bad = (struct slice){ NULL, 0 };
	for (size_t i = 0; i < config->n_allowed_origins; i++) {
		if (!read_origin(config->allowed_origins[i], &o)) {
			*bad = config->allowed_origins[i];
			return NULL;
		}
	}
	rules = calloc(1, sizeof(*rules));
	if (!rules)
		return NULL;
	if (!copy_texts(config->allowed_origins, config->n_allowed_origins, &rules->origins, &rules->n_origins) ||
		!copy_texts(config->allowed_hosts, config->n_allowed_hosts, &rules->hosts, &rules->n_hosts)) {
		browser_rules_free(rules);
		return NULL;
	}
	return rules;
}

void browser_rules_free(struct browser_rules *rules)
{
	if (!rules)
		return;
	free_texts(rules->origins, rules->n_origins);
	free_texts(rules->hosts, rules->n_hosts);
	free(rules);
}
