/* Who may call, and under which profile. */
#include "base/digest.h"
#include "policy/config_inside.h"

static const char *const agent_keys[] = { "name", "profile", "upstreams", "identify", NULL };
static const char *const identify_keys[] = { "api_key_sha256", "jwt", "mtls", "local", NULL };
static const char *const mtls_keys[] = { "san", NULL };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void read_key_hash(struct loader *l, const struct yaml_node *node, struct agent_config *agent)
{
	struct slice text = config_text(l, node);
	bool good = text.n == 2 * sizeof agent->api_key_sha256;

	if (!text.p)
		return;
	for (size_t i = 0; good && i < sizeof agent->api_key_sha256; i++) {
		int high = hex_digit(text.p[2 * i]), low = hex_digit(text.p[2 * i + 1]);

		good = high >= 0 && low >= 0;
		agent->api_key_sha256[i] = (unsigned char)((unsigned)high << 4 | (unsigned)low);
	}
	/* What stands there may be the key itself: it is not repeated. */
	if (!good)
		faults_add(l->faults, node->at,
			"`api_key_sha256` is the SHA-256 of the key in 64 hex digits (`printf %%s KEY | sha256sum`), "
			"never the key");
	unsigned char of_nothing[DIGEST_BYTES];

	digest_sha256(slice_make("", 0), of_nothing);
	if (good && !memcmp(of_nothing, agent->api_key_sha256, sizeof of_nothing))
		faults_add(l->faults, node->at, "`api_key_sha256` is the hash of an empty key");
	agent->identify = IDENTIFY_API_KEY;
}

/* `spiffe://…` and every other URI have a colon, e-mail addresses an at sign. */
static enum san_kind kind_of(struct slice text)
{
	if (memchr(text.p, ':', text.n))
		return SAN_URI;
	return memchr(text.p, '@', text.n) ? SAN_EMAIL : SAN_DNS;
}

static void read_mtls(struct loader *l, const struct yaml_node *node, struct agent_config *agent)
{
	agent->identify = IDENTIFY_MTLS;
	if (!yaml_is(node, YAML_MAP, l->faults))
		return;
	yaml_only(node, mtls_keys, l->faults);
	const struct yaml_node *san = yaml_get(node, SL("san"));

	if (!san) {
		faults_add(l->faults, node->key_at, "`mtls` needs `san`: a URI, DNS name or e-mail address of the client certificate");
		return;
	}
	agent->san.text = config_text(l, san);
	if (!agent->san.text.p)
		return;
	agent->san.kind = kind_of(agent->san.text);
	if (memchr(agent->san.text.p, '*', agent->san.text.n))
		faults_add(l->faults, san->at, "`san` is compared as it stands: wildcards have no meaning in it");
	if (!l->flags->stdio && (!l->config->tls || !l->config->tls->client_ca.at.line))
		faults_add(l->faults, node->key_at,
			"`identify: mtls` needs `listen.tls.client_ca`: no client certificate would be asked for");
}

static void read_identify(struct loader *l, const struct yaml_node *node, struct agent_config *agent)
{
	if (!yaml_is(node, YAML_MAP, l->faults))
		return;
	yaml_only(node, identify_keys, l->faults);
	const struct yaml_node *key = yaml_get(node, SL("api_key_sha256")), *local = yaml_get(node, SL("local"));
	const struct yaml_node *jwt = yaml_get(node, SL("jwt")), *mtls = yaml_get(node, SL("mtls"));

	if (node->n != 1)
		faults_add(l->faults, node->at, "`identify` holds exactly one of api_key_sha256, mtls, local");
	if (jwt)
		config_not_here(l, jwt->key_at, "`identify: jwt`");
	if (mtls)
		read_mtls(l, mtls, agent);
	if (key)
		read_key_hash(l, key, agent);
	if (local && !yaml_bool(local, true, l->faults))
		faults_add(l->faults, local->at, "`local` is true, or left out");
}

static void check_upstream(struct loader *l, struct slice name, struct origin at)
{
	const struct config *c = l->config;

	for (size_t i = 0; i < c->n_upstreams; i++)
		if (slice_eq(c->upstreams[i].name, name))
			return;
	faults_add(l->faults, at, "no upstream is called `%.*s`", SL_ARG(slice_head(name, 60)));
}

static void read_agent_upstreams(struct loader *l, const struct yaml_node *node, struct agent_config *agent)
{
	agent->upstreams = config_texts(l, node, &agent->n_upstreams, false);
	for (size_t i = 0; i < agent->n_upstreams; i++)
		check_upstream(l, agent->upstreams[i], node->at);
}

static struct profile *read_agent(struct loader *l, const struct yaml_node *node, struct agent_config *agent)
{
	agent->at = node->at;
	if (!yaml_is(node, YAML_MAP, l->faults))
		return NULL;
	yaml_only(node, agent_keys, l->faults);
	const struct yaml_node *name = yaml_get(node, SL("name")), *profile = yaml_get(node, SL("profile"));
	const struct yaml_node *upstreams = yaml_get(node, SL("upstreams")), *identify = yaml_get(node, SL("identify"));

	if (name)
		agent->name = config_text(l, name);
	else
		faults_add(l->faults, node->at, "an agent without `name`");
	if (identify)
		read_identify(l, identify, agent);
	else
		faults_add(l->faults, node->at,
			"an agent without `identify`: write `identify: {local: true}`, an api_key_sha256 or `mtls: {san: …}`");
	if (upstreams)
		read_agent_upstreams(l, upstreams, agent);
	if (!profile)
		return config_default_profile(l);
	struct slice text = config_text(l, profile);

	return text.p ? config_profile(l, text, profile->at) : NULL;
}

/* Two agents nobody could tell apart. */
static void check_distinct(struct loader *l, const struct agent_config *v, size_t n)
{
	const struct agent_config *last = &v[n - 1];

	for (size_t i = 0; i + 1 < n; i++) {
		if (slice_eq(v[i].name, last->name))
			faults_add(l->faults, last->at, "agent `%.*s` is given twice: first in line %u",
				SL_ARG(last->name), v[i].at.line);
		else if (v[i].identify != last->identify)
			continue;
		else if (last->identify == IDENTIFY_LOCAL)
			faults_add(l->faults, last->at,
				"`%.*s` and `%.*s` are both `local`: nobody could tell them apart", SL_ARG(v[i].name),
				SL_ARG(last->name));
		else if (last->identify == IDENTIFY_MTLS && !san_eq(v[i].san, last->san))
			continue;
		else if (last->identify == IDENTIFY_MTLS)
			faults_add(l->faults, last->at, "`%.*s` and `%.*s` have the same `mtls.san`", SL_ARG(v[i].name),
				SL_ARG(last->name));
		else if (!memcmp(v[i].api_key_sha256, last->api_key_sha256, sizeof last->api_key_sha256))
			faults_add(l->faults, last->at, "`%.*s` and `%.*s` have the same api_key_sha256",
				SL_ARG(v[i].name), SL_ARG(last->name));
	}
}

static bool has_agent_by(const struct config *c, enum identify_by by)
{
	for (size_t i = 0; i < c->n_agents; i++)
		if (c->agents[i].identify == by)
			return true;
	return false;
}

/* A caller nobody can name must not reach us. */
static void check_callers(struct loader *l)
{
	const struct config *c = l->config;

	if (l->flags->stdio) {
		if (!has_agent_by(c, IDENTIFY_LOCAL))
			faults_add(l->faults, (struct origin){ .file = l->file },
				"no agent is `identify: {local: true}`: the caller on stdio would be nobody");
		return;
	}
	if (has_agent_by(c, IDENTIFY_API_KEY) || has_agent_by(c, IDENTIFY_MTLS))
		return;
	for (size_t i = 0; i < c->n_mcp; i++) {
		if (!c->mcp[i].path.n && !config_is_loopback(c->mcp[i].host)) {
			faults_add(l->faults, c->mcp[i].at,
				"`mcp: %.*s` is open to other machines, but no agent proves who it is: add agents with "
				"`identify: {api_key_sha256: …}` or `{mtls: …}`, or listen on localhost",
				SL_ARG(c->mcp[i].host));
			return;
		}
	}
}

/* Adds p to the set v[0..*n) of profiles in use. */
static void note_use(struct profile **v, size_t *n, struct profile *p)
{
	for (size_t i = 0; i < *n; i++)
		if (v[i] == p)
			return;
	v[(*n)++] = p;
}

/*
 * Reads the agents of the list, or makes the one that stands for every local caller. One profile each; false after a
 * fault.
 */
static bool read_rows(
	struct loader *l, const struct yaml_node *list, struct agent_config *agents, struct profile **profiles)
{
	const struct yaml_node *node = list ? list->first : NULL;
	size_t i = 0;

	if (!list) {
		agents[0].name = SL("default");
		profiles[0] = config_default_profile(l);
		l->config->n_agents = 1;
		return profiles[0] != NULL;
	}
	bool good = true;

	for (; node; node = node->next, i++) {
		profiles[i] = read_agent(l, node, &agents[i]);
		l->config->n_agents = i + 1;
		check_distinct(l, agents, i + 1);
		good = good && profiles[i];
	}
	return good;
}

void config_read_agents(struct loader *l, const struct yaml_node *list)
{
	if (list && !yaml_is(list, YAML_LIST, l->faults))
		return;
	if (list && (list->n == 0 || list->n > 1000)) {
		faults_add(l->faults, list->at, "`agents` holds 1 to 1000 agents; leave it out for one local caller");
		return;
	}
	size_t n = list ? list->n : 1, used = 0;
	struct agent_config *agents = config_array(l, n, sizeof *agents);
	struct profile **profiles = config_array(l, n, sizeof *profiles);
	struct profile **in_use = config_array(l, n, sizeof *in_use);

	if (!agents || !profiles || !in_use)
		return;
	l->config->agents = agents;
	bool good = read_rows(l, list, agents, profiles);

	check_callers(l);
	if (!good)
		return;
	for (size_t i = 0; i < n; i++)
		note_use(in_use, &used, profiles[i]);
	config_make_effective(l, in_use, used);
	for (size_t i = 0; i < n; i++)
		agents[i].policy = profiles[i]->effective ? &profiles[i]->effective->policy : NULL;
}
