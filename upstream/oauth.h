/*
 * A credential by OAuth 2.1 as MCP has it: narrowgate is a client of its own, with its own token, bound to the vault (RFC 8707). It is
 * given for a client's secret (client credentials) or for a refresh token; never for more scopes than are
 * configured. What the vault asks for decides how many of them: first what its challenge names, more when it says so (step-up). A
 * refresh token and a client's secret go to the issuer they were made for, and to no other.
 */
#ifndef NARROWGATE_UPSTREAM_OAUTH_H
#define NARROWGATE_UPSTREAM_OAUTH_H

#include "upstream/token.h"

/* For the vault's credential. NULL with a static text in *why. */
struct token *oauth_create(struct vault *, const struct vault_config *, const char **why);

#endif
