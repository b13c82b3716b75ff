/*
 * Where a vault of MCP 2024-11-05 ("HTTP with SSE") wants messages sent: the reference that its `endpoint` event holds, resolved
 * against the URL of its stream (RFC 3986 §5).
 */
#ifndef NARROWGATE_UPSTREAM_SSE_ENDPOINT_H
#define NARROWGATE_UPSTREAM_SSE_ENDPOINT_H

#include "base/buf.h"
#include "upstream/curl_api.h"

#define SSE_ENDPOINT_MAX 4096

/*
 * Adds path and query to `target`, in the form of a request line. NULL; else a static text why it is refused: too long, a character
 * that has no place in a URI, another origin than that of `url` (scheme, host and port), a user, a fragment. The text holds
 * nothing of the reference: its query is a secret.
 */
const char *sse_endpoint_resolve(const struct curl_api *, struct slice url, struct slice reference, struct buf *target);

#endif
