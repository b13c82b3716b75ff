/*
 * HTTP+SSE (MCP 2024-11-05 "HTTP with SSE"), the client's side: one GET stream on which the vault says everything; its first event
 * names the address that messages are POSTed to, under a key that is this conversation's session. The end of the stream is the
 * end of the conversation. It is opened by the first message.
 */
#ifndef NARROWGATE_UPSTREAM_SSE_LEGACY_H
#define NARROWGATE_UPSTREAM_SSE_LEGACY_H

#include "upstream/vault.h"

struct upstream *sse_legacy_open(struct http_vault *, const struct upstream_events *);

#endif
