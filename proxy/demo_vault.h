/*
 * A small honest MCP vault server in memory: the embedded default that makes a first run work with no account anywhere,
 * and the fixture of the scenario tests. It is a front like the sidecar, so HTTP and stdio serve it unchanged.
 */
#ifndef NARROWGATE_PROXY_DEMO_VAULT_H
#define NARROWGATE_PROXY_DEMO_VAULT_H

#include "base/arena.h"
#include "base/table.h"
#include "proxy/demo_store.h"
#include "proxy/front.h"

struct demo_vault {
	struct front front;      /* first */
	struct demo_store store;
	struct table *sessions;
	struct arena arena;      /* of one message */
};

bool demo_vault_init(struct demo_vault *);
void demo_vault_finish(struct demo_vault *);

#endif
