/*
 * After a reload that changed the rules, lists may show other things: agents that asked to hear of it (subscriptions/listen,
 * MCP 2026-07-28) or were told they would (`listChanged`, MCP 2025-11-25 "Capability Negotiation") are told, where a stream of theirs
 * is open. The vault says nothing then: its own lists are as they were.
 */
#ifndef NARROWGATE_PROXY_CHANGED_H
#define NARROWGATE_PROXY_CHANGED_H

#include "mcp/rpc.h"

struct app;

/* Of which lists an initialize result says that it will tell: a set (mcp/changes.h). */
unsigned changed_offered(const struct rpc *);
/* The same of a notifications/subscriptions/acknowledged; 0 for any other message. */
unsigned changed_agreed(const struct rpc *);

/* Tells everybody. */
void changed_tell(struct app *);

#endif
