/*
 * Who calls: a configured identity, with what it has been given (the ledger). It outlives connections, sessions and
 * reloads; policy is looked up in the configuration of the moment, per message.
 */
#ifndef NARROWGATE_PROXY_AGENT_H
#define NARROWGATE_PROXY_AGENT_H

#include "guards/ledger.h"
#include "proxy/app.h"

struct agent {
	struct agent *next;
	struct slice name;              /* owned */
	struct ledger *ledger;
	size_t n_channels;
};

/* The agent that an ask comes from, or NULL: nobody we know. The configured row goes to *conf. */
struct agent *agent_identify(struct app *, const struct ask *, const struct agent_config **conf);
/* The row of an agent in the live configuration; NULL when a reload took it away. */
const struct agent_config *agent_config_of(const struct config *, const struct agent *);
/* Whether the row lets this agent use the upstream of that name. */
bool agent_may_use(const struct agent_config *, struct slice upstream);
void agents_free(struct app *);

#endif
