/* Vaults that take their tenant from a header: a profile's lock holds there only when that header says the same. */
#include "policy/config_inside.h"

static bool may_use(const struct agent_config *agent, const struct upstream_config *u)
{
	bool named = agent->n_upstreams == 0;

	for (size_t i = 0; i < agent->n_upstreams; i++)
		named |= slice_eq(agent->upstreams[i], u->name);
	return named;
}

static const struct pair *find_header(const struct upstream_config *u, struct slice name)
{
	for (size_t i = 0; i < u->n_headers; i++)
		if (slice_eq_nocase(u->headers[i].name, name))
			return &u->headers[i];
	return NULL;
}

static void add_header(struct loader *l, struct upstream_config *u, struct slice name, struct slice value)
{
	struct pair *v = config_array(l, u->n_headers + 1, sizeof *v);

	if (!v)
		return;
	for (size_t i = 0; i < u->n_headers; i++)
		v[i] = u->headers[i];
	v[u->n_headers++] = (struct pair){ name, value };
	u->headers = v;
}

/* The header is the upstream's, so all who use the upstream are of one tenant, or nobody is locked. */
static void lock_upstream(struct loader *l, struct upstream_config *u, struct slice header)
{
	const struct pair *given = find_header(u, header);
	const struct agent_config *locked = NULL, *other = NULL;

	for (size_t i = 0; i < l->config->n_agents; i++) {
		const struct agent_config *a = &l->config->agents[i];

		if (!a->policy || !may_use(a, u))
			continue;
		struct slice tenant = a->policy->tenant.text;
		if (given ? tenant.n && !slice_eq(tenant, given->value)
		          : locked && !slice_eq(tenant, locked->policy->tenant.text))
			other = a;
		if (!locked || tenant.n)
			locked = a;
	}
	if (other && given)
		faults_add(l->faults, u->at, "`%.*s` is sent as `%.*s`, but agent `%.*s` is locked to tenant `%.*s`",
		        SL_ARG(header), SL_ARG(given->value), SL_ARG(other->name), SL_ARG(other->policy->tenant.text));
	else if (other)
		faults_add(l->faults, u->at,
		        "agents of different tenants, or one without, share this vault, which takes the tenant from "
		        "`%.*s`: "
		        "write that header here, or give each tenant an upstream",
		        SL_ARG(header));
	else if (!given && locked && locked->policy->tenant.text.n)
		add_header(l, u, header, locked->policy->tenant.text);
}

/* A command is sent no header: its tenant is whatever its own settings say. */
static void forbid_lock(struct loader *l, const struct upstream_config *u, struct slice header)
{
	for (size_t i = 0; i < l->config->n_agents; i++) {
		const struct agent_config *a = &l->config->agents[i];

		if (a->policy && a->policy->tenant.text.n && may_use(a, u))
			faults_add(l->faults, u->at,
				"agent `%.*s` is locked to tenant `%.*s`, but this vault takes the tenant from `%.*s`, and a command is "
				"sent no headers: give its `url`, or set the tenant in the command's own settings and leave `tenant` out",
				SL_ARG(a->name), SL_ARG(a->policy->tenant.text), SL_ARG(header));
	}
}

void config_lock_tenants(struct loader *l)
{
	struct config *c = l->config;
	struct upstream_config *v = c->n_upstreams ? config_array(l, c->n_upstreams, sizeof *v) : NULL;

	if (!v)
		return;
	for (size_t i = 0; i < c->n_upstreams; i++) {
		const struct catalog *catalog = c->upstreams[i].catalog;

		v[i] = c->upstreams[i];
		if (!catalog || catalog->tenant.by != TENANT_HEADER)
			continue;
		if (v[i].url.n)
			lock_upstream(l, &v[i], catalog->tenant.names[0]);
		else
			forbid_lock(l, &v[i], catalog->tenant.names[0]);
	}
	c->upstreams = v;
}
