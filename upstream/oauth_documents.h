/*
 * What is said about OAuth by those who ask for it: a challenge (RFC 9110 §11.6.1, RFC 6750 §3), the metadata of a protected
 * resource (RFC 9728) and of an authorization server (RFC 8414), the answer of a token endpoint (RFC 6749 §5). All of it comes
 * from outside and is believed only as far as it fits what was asked. Pure.
 */
#ifndef NARROWGATE_UPSTREAM_OAUTH_DOCUMENTS_H
#define NARROWGATE_UPSTREAM_OAUTH_DOCUMENTS_H

#include <stdint.h>
#include "upstream/oauth_url.h"

/* The parameter of the Bearer challenge, unquoted; {NULL, 0}: there is none, or the header cannot be read. */
struct slice oauth_challenge(struct slice header, struct slice parameter, struct arena *);

/* What is known of where tokens come from; the slices live in an arena. */
struct oauth_server {
	struct slice issuer, resource;
	struct slice authorization_endpoint, token_endpoint, registration_endpoint; /* empty: it has none */
	bool basic, post;          /* how a client with a secret may prove itself to the token endpoint */
	bool pkce;                 /* S256 (RFC 7636) */
	bool names_issuer;         /* its redirects carry `iss` (RFC 9207) */
};

/* NULL, or what is wrong (static). *n_issuers of out_issuers (at most max) are filled in. */
const char *oauth_read_resource(struct slice json, const struct oauth_url *vault, struct arena *, struct slice *resource,
	struct slice *issuers, size_t max, size_t *n_issuers);
/* Fills in all but `resource`. The issuer it gives must be the one it was looked for under (RFC 8414 §3.3). */
const char *oauth_read_server(struct slice json, struct slice issuer, struct arena *, struct oauth_server *out);
/* What a server without metadata has by MCP 2025-03-26: /authorize, /token and /register at its origin. */
const char *oauth_default_server(const struct oauth_url *vault, struct arena *, struct oauth_server *out);

struct oauth_tokens {
	struct slice access, refresh, scope; /* empty: not there */
	bool has_scope;
	uint64_t life_s;                     /* 0: it does not say */
};
const char *oauth_read_tokens(struct slice json, struct arena *, struct oauth_tokens *out);
/* The `error` of a token or registration endpoint, when it is one of the registered words (static), else empty. */
struct slice oauth_read_error(struct slice json, struct arena *);
/* The answer of a registration endpoint (RFC 7591 §3.2.1). */
const char *oauth_read_client(struct slice json, struct arena *, struct slice *id, struct slice *secret);

#endif
