#include "upstream/oauth_documents.h"

#include "base/json.h"

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static bool read_object(struct json *j, struct slice text, struct arena *a)
{
	return json_parse(j, text, a, NULL) == E_OK && json_is(j, 0, JSON_OBJECT);
}

static struct slice member(const struct json *j, struct slice name, struct arena *a)
{
	uint32_t tok = json_member(j, 0, name);

	return json_is(j, tok, JSON_STRING) ? json_string(j, tok, a) : SL("");
}

static bool lists(const struct json *j, struct slice name, struct slice word)
{
	uint32_t list = json_member(j, 0, name);

	if (!json_is(j, list, JSON_ARRAY))
		return false;
	for (uint32_t t = json_first(j, list); t < j->tok[list].next; t = j->tok[t].next)
		if (json_string_eq(j, t, word))
			return true;
	return false;
}

/* An endpoint's URL. False: it is there and is none. */
static bool endpoint(const struct json *j, struct slice name, struct arena *a, struct slice *out)
{
	struct oauth_url url;

	*out = member(j, name, a);
	return !out->n || oauth_url_cut(*out, &url);
}

/* --- metadata ----------------------------------------------------------------------------------------------------- */

const char *oauth_read_resource(struct slice text, const struct oauth_url *vault, struct arena *a, struct slice *resource,
	struct slice *issuers, size_t max, size_t *n_issuers)
{
	struct json j;
	struct oauth_url url;

	*n_issuers = 0;
	if (!read_object(&j, text, a))
		return "the vault's resource metadata is no JSON object";
	*resource = member(&j, SL("resource"), a);
	if (!oauth_url_cut(*resource, &url) || !oauth_url_covers(&url, vault))
		return "the vault's resource metadata is about another resource";
	uint32_t list = json_member(&j, 0, SL("authorization_servers"));
	if (!json_is(&j, list, JSON_ARRAY))
		return "the vault's resource metadata names no authorization server";
	for (uint32_t t = json_first(&j, list); t < j.tok[list].next && *n_issuers < max; t = j.tok[t].next) {
		struct slice issuer = json_is(&j, t, JSON_STRING) ? json_string(&j, t, a) : SL("");

		if (!oauth_url_cut(issuer, &url) || memchr(issuer.p, '?', issuer.n))
			return "the vault's resource metadata names an authorization server that is no URL";
		issuers[(*n_issuers)++] = issuer;
	}
	return *n_issuers ? NULL : "the vault's resource metadata names no authorization server";
}

const char *oauth_read_server(struct slice text, struct slice issuer, struct arena *a, struct oauth_server *out)
{
	struct json j;
	bool says_how;

	if (!read_object(&j, text, a))
		return "the authorization server's metadata is no JSON object";
	if (!slice_eq(member(&j, SL("issuer"), a), issuer))
		return "the authorization server's metadata is about another issuer";
	out->issuer = issuer;
	if (!endpoint(&j, SL("token_endpoint"), a, &out->token_endpoint) || !out->token_endpoint.n ||
		!endpoint(&j, SL("authorization_endpoint"), a, &out->authorization_endpoint) ||
		!endpoint(&j, SL("registration_endpoint"), a, &out->registration_endpoint))
		return "the authorization server's metadata has an endpoint that is no URL, or no token_endpoint";
	says_how = json_member(&j, 0, SL("token_endpoint_auth_methods_supported")) != JSON_NONE;
	out->basic = !says_how || lists(&j, SL("token_endpoint_auth_methods_supported"), SL("client_secret_basic"));
	out->post = lists(&j, SL("token_endpoint_auth_methods_supported"), SL("client_secret_post"));
	out->pkce = lists(&j, SL("code_challenge_methods_supported"), SL("S256"));
	uint32_t names = json_member(&j, 0, SL("authorization_response_iss_parameter_supported"));
	out->names_issuer = json_is(&j, names, JSON_TRUE);
	return NULL;
}

const char *oauth_default_server(const struct oauth_url *vault, struct arena *a, struct oauth_server *out)
{
	out->issuer = oauth_url_origin(vault, a);
	out->authorization_endpoint = arena_join(a, out->issuer, SL("/authorize"), SL(""));
	out->token_endpoint = arena_join(a, out->issuer, SL("/token"), SL(""));
	out->registration_endpoint = arena_join(a, out->issuer, SL("/register"), SL(""));
	out->basic = out->pkce = true;
	return out->registration_endpoint.p ? NULL : "out of memory";
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

const char *oauth_read_tokens(struct slice text, struct arena *a, struct oauth_tokens *out)
{
	struct json j;
	int64_t seconds;

	*out = (struct oauth_tokens){ 0 };
	if (!read_object(&j, text, a))
		return "the token endpoint's answer is no JSON object";
	out->access = member(&j, SL("access_token"), a);
	out->refresh = member(&j, SL("refresh_token"), a);
	out->scope = member(&j, SL("scope"), a);
	out->has_scope = json_is(&j, json_member(&j, 0, SL("scope")), JSON_STRING);
	if (!out->access.n)
		return "the token endpoint's answer has no access_token";
	if (!slice_eq_nocase(member(&j, SL("token_type"), a), SL("Bearer")))
		return "the token endpoint gives tokens that are no bearer tokens";
	uint32_t tok = json_member(&j, 0, SL("expires_in"));
	if (tok == JSON_NONE)
		return NULL;
	if (!json_int(&j, tok, &seconds) || seconds <= 0)
		return "the token endpoint's token has run out already";
	out->life_s = (uint64_t)seconds;
	return NULL;
}

struct slice oauth_read_error(struct slice text, struct arena *a)
{
	/* RFC 6749 §4.1.2.1, §5.2; RFC 7591 §3.2.2; RFC 8707 §2. */
	static const struct slice words[] = { { "invalid_request", 15 }, { "invalid_client", 14 }, { "invalid_grant", 13 }, { "unauthorized_client", 19 },
		{ "unsupported_grant_type", 22 }, { "invalid_scope", 13 }, { "invalid_target", 14 }, { "access_denied", 13 }, { "server_error", 12 },
		{ "temporarily_unavailable", 23 }, { "invalid_redirect_uri", 20 }, { "invalid_client_metadata", 23 } };
	struct json j;

	if (!read_object(&j, text, a))
		return SL("");
	struct slice error = member(&j, SL("error"), a);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_eq(error, words[i]))
			return words[i];
	return SL("");
}

const char *oauth_read_client(struct slice text, struct arena *a, struct slice *id, struct slice *secret)
{
	struct json j;

	if (!read_object(&j, text, a))
		return "the registration endpoint's answer is no JSON object";
	*id = member(&j, SL("client_id"), a);
	*secret = member(&j, SL("client_secret"), a);
	return id->n ? NULL : "the registration endpoint's answer has no client_id";
}

/* --- challenges --------------------------------------------------------------------------------------------------- */

static bool is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static struct slice take_token(struct slice *s)
{
	size_t n = 0;

	while (n < s->n && is_token_char(s->p[n]))
		n++;
	struct slice token = slice_head(*s, n);
	*s = slice_from(*s, n);
	return token;
}

static void skip(struct slice *s, const char *chars)
{
	while (s->n && strchr(chars, s->p[0]) && s->p[0])
		*s = slice_from(*s, 1);
}

/* A quoted-string behind its first quote (RFC 9110 §5.6.4). False: it does not end, or memory is out. */
static bool take_quoted(struct slice *s, struct arena *a, struct slice *out)
{
	char *text = arena_alloc_raw(a, s->n + 1);
	size_t n = 0, i = 0;

	if (!text)
		return false;
	for (; i < s->n && s->p[i] != '"'; i++) {
		if (s->p[i] == '\\' && ++i == s->n)
			return false;
		text[n++] = s->p[i];
	}
	if (i == s->n)
		return false;
	*s = slice_from(*s, i + 1);
	*out = slice_make(text, n);
	return true;
}

/* `= value` behind a name. False: there is none, so the name was a scheme. */
static bool take_value(struct slice *s, struct arena *a, struct slice *out, bool *broken)
{
	struct slice rest = *s;

	skip(&rest, " \t");
	if (!rest.n || rest.p[0] != '=')
		return false;
	rest = slice_from(rest, 1);
	skip(&rest, " \t");
	if (rest.n && rest.p[0] == '"') {
		rest = slice_from(rest, 1);
		*broken = !take_quoted(&rest, a, out);
	} else {
		*out = take_token(&rest);
		*broken = !out->n && !slice_starts(rest, SL("="));
		skip(&rest, "="); /* the padding of a token68 */
	}
	*s = rest;
	return true;
}

struct slice oauth_challenge(struct slice header, struct slice parameter, struct arena *a)
{
	struct slice found = { NULL, 0 }, value = { NULL, 0 };
	bool bearer = false, broken = false;

	for (skip(&header, " \t,"); header.n && !broken; skip(&header, " \t,")) {
		struct slice name = take_token(&header);

		if (!name.n)
			return (struct slice){ NULL, 0 };
		if (!take_value(&header, a, &value, &broken))
			bearer = slice_eq_nocase(name, SL("Bearer"));
		else if (bearer && !found.p && slice_eq_nocase(name, parameter))
			found = value;
	}
	return broken ? (struct slice){ NULL, 0 } : found;
}
