/*
 * What is POSTed to a token endpoint (RFC 6749 §4.1.3, §4.4.2, §6, with the `resource` of RFC 8707), and how the client proves itself
 * there (§2.3.1).
 */
#ifndef NARROWGATE_UPSTREAM_OAUTH_GRANT_H
#define NARROWGATE_UPSTREAM_OAUTH_GRANT_H

#include "base/buf.h"
#include "upstream/oauth_documents.h"

struct oauth_client {
	struct slice id, secret; /* secret empty: a public client */
};

/* One of the three: a code, a refresh token, neither (client credentials). */
struct oauth_grant {
	struct slice code, redirect_uri, verifier;
	struct slice refresh_token;
	struct slice scope;      /* words with a space between; empty: not said */
};

/* `&name=value`, or without the `&` at the start of the buffer (application/x-www-form-urlencoded). */
void oauth_add_form(struct buf *, struct slice name, struct slice value);
/* `body` and `authorization` (empty: none) get secrets: finish them. False: out of memory, or no way the server knows. */
bool oauth_grant_write(const struct oauth_grant *, const struct oauth_client *, const struct oauth_server *, struct buf *body, struct buf *authorization);

/* Whether every word of `scope` is among the n allowed. */
bool oauth_scope_within(struct slice scope, const struct slice *allowed, size_t n);

#endif
