/*
 * Streamable HTTP (MCP 2025-03-26 and later), the client's side: one POST per message, answered by JSON or an event
 * stream; a GET stream for what the vault says unasked; a DELETE that ends the session when there is one.
 */
#ifndef NARROWGATE_UPSTREAM_HTTP_H
#define NARROWGATE_UPSTREAM_HTTP_H

#include "upstream/http_write.h"
#include "upstream/vault.h"

/* NULL with a static text in *why. */
struct http_vault *http_vault_create(struct vault *, const struct vault_config *, const char **why);
/* Waits for what ends soon (the DELETE of a closed session), then closes all; `closed` is called once, later. */
void http_vault_close(struct http_vault *, void (*closed)(void *ctx), void *ctx);
struct upstream *http_open(struct http_vault *, const struct upstream_events *);
/* It stays until the matching release. */
void http_hold(struct http_vault *);
void http_release(struct http_vault *);
/* From now on the conversation's requests go there: another address at the vault's origin. Borrowed. */
void http_use_heads(struct upstream *, const struct http_heads *);
/* Events of a call's stream that are no messages; `ctx` is that of its sink. */
void http_hear_named(struct upstream_call *, void (*named)(void *ctx, struct slice type, struct slice data));
/* Connects once; the connection is kept for the first call. False: too many wait for one already. */
bool http_probe(struct http_vault *, struct probe *);
void http_probe_cancel(struct http_vault *, struct probe *);

#endif
