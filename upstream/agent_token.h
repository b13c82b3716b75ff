/*
 * A credential that is exchanged for the real one: an agent's id and API key are POSTed to an endpoint, which gives a bearer token
 * (1Claw: POST /v1/auth/agent-token). The key is read anew for each exchange and kept no longer than it takes.
 */
#ifndef NARROWGATE_UPSTREAM_AGENT_TOKEN_H
#define NARROWGATE_UPSTREAM_AGENT_TOKEN_H

#include "upstream/token.h"

/* For the vault's credential. NULL with a static text in *why. */
struct token *agent_token_create(struct vault *, const struct vault_config *, const char **why);

#endif
