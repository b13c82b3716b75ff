/*
 * The stdio transport: each conversation is a child process of its own, started by the first message, one JSON-RPC
 * message per line. A child that died is started again by the next message, after a while that doubles when it keeps
 * dying.
 */
#ifndef NARROWGATE_UPSTREAM_CHILD_H
#define NARROWGATE_UPSTREAM_CHILD_H

#include "upstream/vault.h"

/* NULL with a static text in *why. */
struct child_vault *child_vault_create(struct vault *, const struct vault_config *, const char **why);
/* Waits for the children of closed conversations to end; `closed` is called once, perhaps before this returns. */
void child_vault_close(struct child_vault *, void (*closed)(void *ctx), void *ctx);
struct upstream *child_open(struct child_vault *, const struct upstream_events *);
/* Whether the command is there and executable. */
bool child_found(const struct child_vault *);

#endif
