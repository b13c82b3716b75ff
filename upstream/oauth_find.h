/*
 * Finds out where a vault's tokens come from (MCP "Authorization", discovery): what it says to a message without a token, its
 * resource metadata (RFC 9728), its authorization server's (RFC 8414, OpenID Connect Discovery), all the well-known places.
 */
#ifndef NARROWGATE_UPSTREAM_OAUTH_FIND_H
#define NARROWGATE_UPSTREAM_OAUTH_FIND_H

#include "upstream/oauth_documents.h"
#include "upstream/web.h"

struct oauth_find;

struct oauth_found {
	const char *failure;              /* static; NULL: found */
	const struct oauth_server *server;
	struct slice scope;               /* what the vault's challenge asked for; empty: nothing */
};

/*
 * `url` is the vault's. Of `conf`, issuer and resource narrow what is believed. `done` is called once, never inside; the slices it
 * gets are valid during the call. NULL: memory is out.
 */
struct oauth_find *oauth_find_start(struct web *, struct slice url, const struct vault_oauth *conf,
	void (*done)(void *ctx, const struct oauth_found *), void *ctx);
/* `done` is not called any more. NULL: nothing. */
void oauth_find_cancel(struct oauth_find *);

/* How near `target` may lie, which the metadata of the vault at vault_url names: the vault's own origin is the operator's word. */
enum web_reach oauth_reach(struct slice vault_url, struct slice target, bool private_addresses);

#endif
