/*
 * A credential that is exchanged for the real one: an agent's id and API key are POSTed to an endpoint, which gives a bearer token
 * (1Claw: POST /v1/auth/agent-token). It is renewed before it runs out, and once after the vault said 401; one exchange is under way at
 * a time, and failed ones wait longer each time. The key is read anew for each exchange and kept no longer than it takes.
 */
#ifndef NARROWGATE_UPSTREAM_AGENT_TOKEN_H
#define NARROWGATE_UPSTREAM_AGENT_TOKEN_H

#include "upstream/vault.h"

struct agent_token;

/* For the vault's credential; starts with the first refresh. NULL with a static text in *why. */
struct agent_token *agent_token_create(struct vault *, const struct vault_config *, const char **why);
/* The key may have changed, or nothing is there yet. False: there is no token to call with. */
bool agent_token_refresh(struct agent_token *);
/* The vault did not accept the token. */
void agent_token_rejected(struct agent_token *);
/* `closed` is called once, later. */
void agent_token_close(struct agent_token *, void (*closed)(void *ctx), void *ctx);

#endif
