/*
 * Several messages in one array (MCP 2025-03-26, JSON-RPC 2.0 §6): taken apart, each handed to the front by itself, judged and sent
 * alone. The answers come back in one array or, where one of them is a stream, as events of one.
 */
#ifndef NARROWGATE_PROXY_BATCH_H
#define NARROWGATE_PROXY_BATCH_H

#include "proxy/front.h"

/* Whether the body is an array. */
bool batch_is(struct slice body);
/*
 * Hands on what is in ask->body. NULL: done, the reply is taken care of. Else a static text why the whole is refused, and nothing
 * was handed on: no JSON, empty, too many, a message that is none, an initialize, answers between requests.
 */
const char *batch_post(struct front *, const struct ask *, struct reply *);

#endif
