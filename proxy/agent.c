#include "proxy/agent.h"

#include <stdlib.h>
#include "base/digest.h"
#include "base/wipe.h"

static struct agent *find(const struct app *app, struct slice name)
{
	for (struct agent *a = app->agents; a; a = a->next)
		if (slice_eq(a->name, name))
			return a;
	return NULL;
}

static struct agent *create(struct app *app, struct slice name)
{
	struct agent *a = calloc(1, sizeof *a);
	char *copy = a ? malloc(name.n + 1) : NULL;

	if (copy) {
		memcpy(copy, name.p, name.n);
		a->name = slice_make(copy, name.n);
		a->ledger = ledger_create(MAX_HANDLES);
	}
	if (!a || !copy || !a->ledger) {
		free(copy);
		free(a);
		return NULL;
	}
	a->next = app->agents;
	app->agents = a;
	return a;
}

/* The key of `Authorization: Bearer KEY` (RFC 6750 §2.1); empty when there is none. */
static struct slice bearer(struct slice authorization)
{
	if (authorization.n < 7 || !slice_eq_nocase(slice_head(authorization, 7), SL("Bearer ")))
		return SL("");
	return slice_trim(slice_from(authorization, 7));
}

static const struct agent_config *by_key(const struct config *config, struct slice key)
{
	const struct agent_config *found = NULL;
	unsigned char sum[DIGEST_BYTES];

	if (!key.n)
		return NULL;
	digest_sha256(key, sum);
	for (size_t i = 0; i < config->n_agents; i++) {
		const struct agent_config *a = &config->agents[i];

		if (a->identify == IDENTIFY_API_KEY &&
			digest_equal(slice_make((const char *)sum, sizeof sum), slice_make((const char *)a->api_key_sha256, sizeof sum)))
			found = a;
	}
	wipe(sum, sizeof sum);
	return found;
}

static const struct agent_config *local_agent(const struct config *config)
{
	for (size_t i = 0; i < config->n_agents; i++)
		if (config->agents[i].identify == IDENTIFY_LOCAL)
			return &config->agents[i];
	return NULL;
}

static bool has_name(const struct ask *ask, struct san san)
{
	for (size_t i = 0; i < ask->n_names; i++)
		if (san_eq(ask->names[i], san))
			return true;
	return false;
}

/* Adds the row that a client certificate stands for to what else is known. False: two proofs, and they name different agents. */
static bool add_by_certificate(const struct config *config, const struct ask *ask, const struct agent_config **found)
{
	for (size_t i = 0; i < config->n_agents; i++) {
		const struct agent_config *a = &config->agents[i];

		if (a->identify != IDENTIFY_MTLS || a == *found || !has_name(ask, a->san))
			continue;
		if (*found)
			return false;
		*found = a;
	}
	return true;
}

struct agent *agent_identify(struct app *app, const struct ask *ask, const struct agent_config **conf)
{
	*conf = by_key(app->config, bearer(ask->authorization));
	if (!add_by_certificate(app->config, ask, conf)) {
		*conf = NULL;
		return NULL;
	}
	if (!*conf && ask->local)
		*conf = local_agent(app->config);
	if (!*conf)
		return NULL;
	struct agent *a = find(app, (*conf)->name);
	return a ? a : create(app, (*conf)->name);
}

const struct agent_config *agent_config_of(const struct config *config, const struct agent *agent)
{
	for (size_t i = 0; i < config->n_agents; i++)
		if (slice_eq(config->agents[i].name, agent->name))
			return &config->agents[i];
	return NULL;
}

bool agent_may_use(const struct agent_config *conf, struct slice upstream)
{
	if (conf->n_upstreams == 0)
		return true;
	for (size_t i = 0; i < conf->n_upstreams; i++)
		if (slice_eq(conf->upstreams[i], upstream))
			return true;
	return false;
}

void agents_free(struct app *app)
{
	while (app->agents) {
		struct agent *a = app->agents;

		app->agents = a->next;
		ledger_free(a->ledger);
		free((void *)(uintptr_t)a->name.p);
		free(a);
	}
}
