/*
 * MCP over Streamable HTTP (2025-03-26 to 2025-11-25): POST, GET and DELETE on /mcp and /NAME/mcp, each handed to the front
 * with a struct reply that answers over HTTP. And over HTTP+SSE (2024-11-05): see endpoint_sse.h; a session key that is missing
 * is 400, one that is unknown, over, or another caller's 404.
 *
 * Refused before the front hears of it, with a JSON-RPC error without id as the body: 400 a protocol revision this build does
 * not speak, a session id that is not visible ASCII; 403 foreign Origin, Host or site; 404 any other path, a query string
 * included; 405; 406; 415; and all that http_request.h lists. A policy refusal is never a status. No CORS fields.
 * DELETE is answered 200; `accepted` to anything else is 202.
 */
#ifndef NARROWGATE_PROXY_ENDPOINT_H
#define NARROWGATE_PROXY_ENDPOINT_H

#include "proxy/browser.h"
#include "proxy/front.h"
#include "proxy/http.h"

struct endpoint;

struct endpoint_config {
	struct http_config http;
	struct browser_config browser;
};

/* Starts listening. NULL with a text in `why`. The front is borrowed until `closed` of endpoint_close. */
struct endpoint *endpoint_create(const struct endpoint_config *, uv_loop_t *, struct front *, struct buf *why);
/* New rules for Origin and Host, for every request from now on. False, the old ones stay: memory, or *bad is no origin. */
bool endpoint_set_browser_rules(struct endpoint *, const struct browser_config *, struct slice *bad);
/* TLS from now on, or other certificates, or none; see tcp_server_set_filter. */
void endpoint_set_filter(struct endpoint *, struct tcp_filter *);
/* Accepts no more, ends GET streams, lets answers end; then calls back, once. */
void endpoint_drain(struct endpoint *, void (*drained)(void *ctx), void *ctx);
/* Ends everything (fronts hear exchange_gone) and frees; `closed` is called once, later. */
void endpoint_close(struct endpoint *, void (*closed)(void *ctx), void *ctx);
/* "127.0.0.1:8808, [::1]:8808" */
void endpoint_describe(const struct endpoint *, struct buf *out);
size_t endpoint_connections(const struct endpoint *);

#endif
