/*
 * The URLs of OAuth: taken apart strictly, compared by origin, and the well-known places made from them (RFC 8414 §3, RFC 9728 §3,
 * OpenID Connect Discovery §4).
 */
#ifndef NARROWGATE_UPSTREAM_OAUTH_URL_H
#define NARROWGATE_UPSTREAM_OAUTH_URL_H

#include "base/arena.h"

struct oauth_url {
	struct slice scheme, authority; /* of `text` */
	struct slice path;              /* with its first slash, without a query; may be empty */
	struct slice text;
};

/* False: it is no http(s) URL of visible ASCII, or has a user, a fragment, or an authority that could be read in two ways. */
bool oauth_url_cut(struct slice text, struct oauth_url *out);
/* Scheme, host and port are the same (RFC 6454 §5). */
bool oauth_url_same_origin(const struct oauth_url *, const struct oauth_url *);
/* Whether `resource` is the URL itself or lies above it, at the same origin (RFC 9728 §3.3 as MCP uses it). */
bool oauth_url_covers(const struct oauth_url *resource, const struct oauth_url *url);

#define OAUTH_MAX_PLACES 3
/* Where the metadata of a protected resource may be, the nearest first; returns how many; 0: memory is out. */
size_t oauth_resource_places(const struct oauth_url *, struct arena *, struct slice out[OAUTH_MAX_PLACES]);
/* The same for an authorization server. */
size_t oauth_server_places(const struct oauth_url *issuer, struct arena *, struct slice out[OAUTH_MAX_PLACES]);
/* `https://host[:port]`. {NULL, 0}: memory is out. */
struct slice oauth_url_origin(const struct oauth_url *, struct arena *);

#endif
