/* What proves us to a vault: always a reference to a file or a variable, never the thing itself. */
#include "policy/config_inside.h"

static const char *const credential_keys[] = { "bearer", "header", "agent_token", "oauth", NULL };
static const char *const secret_keys[] = { "file", "env", NULL };
static const char *const token_keys[] = { "url", "agent_id", "api_key", NULL };
static const char *const header_keys[] = { "name", "value", NULL };

/* A variable's name; what else stands there may be the secret, so it is not repeated. */
static struct slice read_variable_name(struct loader *l, const struct yaml_node *node)
{
	struct slice name = config_text(l, node);

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9'))) {
			faults_add(
				l->faults, node->at, "`env` holds the name of a variable, never the credential itself");
			return (struct slice){ NULL, 0 };
		}
	}
	return name;
}

void config_read_secret(struct loader *l, const struct yaml_node *node, struct secret_ref *out)
{
	if (node->kind != YAML_MAP) {
		faults_add(l->faults, node->at,
			"a credential must not stand in the file: write `%.*s: {file: PATH}` or `%.*s: {env: NAME}`",
			SL_ARG(node->key), SL_ARG(node->key));
		return;
	}
	yaml_only(node, secret_keys, l->faults);
	const struct yaml_node *file = yaml_get(node, SL("file")), *env = yaml_get(node, SL("env"));

	if (node->n != 1) {
		faults_add(l->faults, node->at, "a credential is one of {file: PATH} and {env: NAME}");
		return;
	}
	if (file)
		*out = (struct secret_ref){ SECRET_FILE, config_path(l, file), node->at };
	else if (env)
		*out = (struct secret_ref){ SECRET_ENV, read_variable_name(l, env), node->at };
}

static void read_header(struct loader *l, const struct yaml_node *node, struct credential_config *out)
{
	if (!yaml_is(node, YAML_MAP, l->faults))
		return;
	yaml_only(node, header_keys, l->faults);
	const struct yaml_node *name = yaml_get(node, SL("name")), *value = yaml_get(node, SL("value"));

	if (!name || !value) {
		faults_add(l->faults, node->at, "`header` holds `name` and `value`");
		return;
	}
	out->kind = CREDENTIAL_HEADER;
	out->header = config_header_name(l, name);
	config_read_secret(l, value, &out->secret);
}

static void read_agent_token(struct loader *l, const struct yaml_node *node, struct credential_config *out)
{
	if (!yaml_is(node, YAML_MAP, l->faults))
		return;
	yaml_only(node, token_keys, l->faults);
	const struct yaml_node *url = yaml_get(node, SL("url")), *id = yaml_get(node, SL("agent_id")), *key = yaml_get(node, SL("api_key"));

	if (!url || !id || !key) {
		faults_add(l->faults, node->at, "`agent_token` holds `url`, `agent_id` and `api_key`");
		return;
	}
	out->kind = CREDENTIAL_AGENT_TOKEN;
	out->url = config_text(l, url);
	out->agent_id = config_text(l, id);
	if (out->url.p)
		config_check_url(l, out->url, url->at);
	config_read_secret(l, key, &out->secret);
}

void config_read_credential(struct loader *l, const struct yaml_node *node, struct upstream_config *u)
{
	struct credential_config *out = &u->credential;

	if (node->kind != YAML_MAP) {
		faults_add(l->faults, node->at,
			"`credential` holds one of `bearer: {file: PATH}`, `header: {name: …, value: …}`, `agent_token: {url: …, agent_id: …, api_key: …}` and `oauth: {scopes: …}`");
		return;
	}
	yaml_only(node, credential_keys, l->faults);
	const struct yaml_node *bearer = yaml_get(node, SL("bearer")), *header = yaml_get(node, SL("header"));
	const struct yaml_node *agent_token = yaml_get(node, SL("agent_token")), *oauth = yaml_get(node, SL("oauth"));

	if (node->n != 1)
		faults_add(l->faults, node->at, "`credential` holds exactly one of bearer, header, agent_token, oauth");
	if (agent_token)
		read_agent_token(l, agent_token, out);
	if (oauth)
		config_read_oauth(l, oauth, u);
	if (bearer) {
		out->kind = CREDENTIAL_BEARER;
		config_read_secret(l, bearer, &out->secret);
	}
	if (header)
		read_header(l, header, out);
}
