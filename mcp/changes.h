/*
 * The three lists of a server whose changes can be told of: as a server offers it (`capabilities`), as an agent of 2026-07-28 asks
 * for it (`notifications` of subscriptions/listen), and the notification itself. Sets are bits, 1 << index.
 */
#ifndef NARROWGATE_MCP_CHANGES_H
#define NARROWGATE_MCP_CHANGES_H

#include "base/json.h"

enum { N_CHANGES = 3 };

struct change {
	struct slice wish, method; /* "toolsListChanged", "notifications/tools/list_changed" */
	const char *capability;    /* "tools.listChanged" */
};

extern const struct change changes[N_CHANGES];

/* What the object at `capabilities` offers. */
unsigned changes_offered(const struct json *, uint32_t capabilities);
/* What the object at `notifications` asks for, or agrees to. */
unsigned changes_wished(const struct json *, uint32_t notifications);

#endif
