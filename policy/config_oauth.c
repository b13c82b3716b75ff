/* OAuth as the credential: who we are to the authorization server, and what is asked of it at most. */
#include "policy/config_inside.h"

static const char *const oauth_keys[] = { "client_id", "client_secret", "scopes", "issuer", "resource", "token_file", "private_addresses", NULL };

/* RFC 6749 §3.3: a scope-token. */
static bool is_scope(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\')
			return false;
	return s.n > 0;
}

static void read_scopes(struct loader *l, const struct yaml_node *node, struct oauth_config *out)
{
	out->scopes = config_texts(l, node, &out->n_scopes, true);
	if (out->n_scopes > OAUTH_MAX_SCOPES)
		faults_add(l->faults, node->at, "more than %d scopes", OAUTH_MAX_SCOPES);
	for (size_t i = 0; i < out->n_scopes; i++)
		if (!is_scope(out->scopes[i])) {
			faults_add(l->faults, node->at, "a scope is one word without quotes or backslashes: write a list of them");
			return;
		}
}

static struct slice read_url(struct loader *l, const struct yaml_node *map, struct slice key)
{
	const struct yaml_node *node = yaml_get(map, key);
	struct slice url = node ? config_text(l, node) : SL("");

	if (node && url.p)
		config_check_url(l, url, node->at);
	return url;
}

/* Where a user's programs keep what outlives them (XDG Base Directory Specification). */
static struct slice default_token_file(struct loader *l, const struct upstream_config *u, struct origin at)
{
	const char *state = l->env_get ? l->env_get(l->env_ctx, "XDG_STATE_HOME") : NULL;
	const char *home = l->env_get ? l->env_get(l->env_ctx, "HOME") : NULL;

	if (state && *state == '/')
		return arena_fmt(l->arena, "%s/narrowgate/%.*s.oauth.json", state, SL_ARG(u->name));
	if (home && *home == '/')
		return arena_fmt(l->arena, "%s/.local/state/narrowgate/%.*s.oauth.json", home, SL_ARG(u->name));
	faults_add(l->faults, at, "`oauth` needs a `token_file` with a refresh token, or a `client_secret`");
	return SL("");
}

void config_read_oauth(struct loader *l, const struct yaml_node *node, struct upstream_config *u)
{
	struct oauth_config *out = config_array(l, 1, sizeof *out);

	if (!out || !yaml_is(node, YAML_MAP, l->faults))
		return;
	yaml_only(node, oauth_keys, l->faults);
	const struct yaml_node *id = yaml_get(node, SL("client_id")), *secret = yaml_get(node, SL("client_secret"));
	const struct yaml_node *scopes = yaml_get(node, SL("scopes")), *file = yaml_get(node, SL("token_file"));
	const struct yaml_node *private = yaml_get(node, SL("private_addresses"));

	u->credential.kind = CREDENTIAL_OAUTH;
	u->credential.oauth = out;
	if (scopes)
		read_scopes(l, scopes, out);
	else
		faults_add(l->faults, node->at, "`oauth` needs `scopes`: all that its token may ever do");
	if (id)
		out->client_id = config_text(l, id);
	if (secret)
		config_read_secret(l, secret, &u->credential.secret);
	if (secret && !id)
		faults_add(l->faults, node->at, "`client_secret` needs a `client_id`");
	if (private)
		out->private_addresses = yaml_bool(private, false, l->faults);
	out->issuer = read_url(l, node, SL("issuer"));
	out->resource = read_url(l, node, SL("resource"));
	out->token_file = file ? config_path(l, file) : secret ? SL("") : default_token_file(l, u, node->at);
}
