/*
 * A URL of which it is not known what it speaks: found out as MCP 2025-03-26 ("Backwards Compatibility") describes. The initialize is
 * POSTed; an answer 400, 404 or 405, without one of the errors that only 2026-07-28 has, means that HTTP+SSE of 2024-11-05 may be
 * there, and the same initialize goes that way. What worked is remembered for the vault and tried first the next time; when it does not work any
 * more, the other is tried again. Nothing but an initialize is ever sent twice.
 */
#ifndef NARROWGATE_UPSTREAM_AUTO_H
#define NARROWGATE_UPSTREAM_AUTO_H

#include "upstream/vault.h"

struct upstream *auto_open(struct http_vault *, const struct upstream_events *);

#endif
