/*
 * Ids and progress tokens on a shared trunk: made unique on the way up, given back on the way home. Pure.
 */
#ifndef NARROWGATE_PROXY_REMAP_H
#define NARROWGATE_PROXY_REMAP_H

#include "mcp/rpc.h"

/* A string or integer token in the spelling of rpc_id_key; {NULL,0} for other types or without memory. */
struct slice remap_key(const struct json *, uint32_t tok, struct arena *);
/*
 * The request `bytes` with the id replaced by `id` and, when it carries params._meta.progressToken, that by `id` too.
 * {NULL,0} when it cannot be done: nothing may be sent then.
 */
struct slice remap_request(struct slice bytes, struct slice id, struct arena *);
/* The answer `bytes` with its id replaced. */
struct slice remap_id(struct slice bytes, struct slice id, struct arena *);
/* A progress notification with its token replaced. */
struct slice remap_progress(struct slice bytes, struct slice token, struct arena *);
/* notifications/cancelled with its requestId replaced. */
struct slice remap_cancel(struct slice bytes, struct slice id, struct arena *);

/* The subscription id in a notification's _meta. */
struct slice remap_subscription(struct slice bytes, struct slice id, struct arena *);

#endif
