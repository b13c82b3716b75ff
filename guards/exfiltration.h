/*
 * Whether what an agent sends holds a value it was given (docs/guards/exfiltration.md). The guard of that name judges calls; what is
 * sent outside of calls is asked about here.
 */
#ifndef NARROWGATE_GUARDS_EXFILTRATION_H
#define NARROWGATE_GUARDS_EXFILTRATION_H

#include "guards/guard.h"

/* Every text of the message at and below `tok` (JSON_NONE: none), as the guard would judge it. */
struct verdict exfiltration_beside(const struct view *, const struct rpc *, uint32_t tok);
/* Whether the message of a call holds such a value anywhere: nothing the agent wrote in it may then be recorded. */
bool exfiltration_taints(const struct view *, const struct call *);

#endif
