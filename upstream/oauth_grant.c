#include "upstream/oauth_grant.h"

#include "base/base64.h"

static void add_escaped(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c)))
			buf_add_char(b, c);
		else
			buf_add_fmt(b, "%%%02X", (unsigned char)c);
	}
}

void oauth_add_form(struct buf *b, struct slice name, struct slice value)
{
	if (b->n)
		buf_add_char(b, '&');
	buf_add(b, name);
	buf_add_char(b, '=');
	add_escaped(b, value);
}

/* `Basic base64(id:secret)`, each escaped as in a form. */
static bool add_basic(struct buf *out, const struct oauth_client *client)
{
	struct arena arena;
	struct buf pair;

	arena_init(&arena, 256 * 1024);
	buf_init(&pair, 96 * 1024);
	add_escaped(&pair, client->id);
	buf_add_char(&pair, ':');
	add_escaped(&pair, client->secret);
	struct slice coded = pair.failed ? SL("") : base64_encode(buf_slice(&pair), &arena);
	buf_add(out, SL("Basic "));
	buf_add(out, coded);
	buf_finish(&pair);
	arena_finish(&arena);
	return coded.n && !out->failed;
}

bool oauth_grant_write(const struct oauth_grant *g, const struct oauth_client *client, const struct oauth_server *server, struct buf *body, struct buf *authorization)
{
	bool basic = client->secret.n && server->basic;

	if (client->secret.n && !basic && !server->post)
		return false;
	oauth_add_form(body, SL("grant_type"), g->code.n ? SL("authorization_code") : g->refresh_token.n ? SL("refresh_token") : SL("client_credentials"));
	if (g->code.n) {
		oauth_add_form(body, SL("code"), g->code);
		oauth_add_form(body, SL("redirect_uri"), g->redirect_uri);
		oauth_add_form(body, SL("code_verifier"), g->verifier);
	} else if (g->refresh_token.n) {
		oauth_add_form(body, SL("refresh_token"), g->refresh_token);
	}
	if (g->scope.n && !g->code.n)
		oauth_add_form(body, SL("scope"), g->scope);
	oauth_add_form(body, SL("resource"), server->resource);
	if (!basic)
		oauth_add_form(body, SL("client_id"), client->id);
	if (client->secret.n && !basic)
		oauth_add_form(body, SL("client_secret"), client->secret);
	return !body->failed && (!basic || add_basic(authorization, client));
}

static bool among(struct slice word, const struct slice *allowed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(word, allowed[i]))
			return true;
	return false;
}

bool oauth_scope_within(struct slice scope, const struct slice *allowed, size_t n)
{
	while (scope.p) {
		struct slice word = slice_cut(&scope, ' ');

		if (word.n && !among(word, allowed, n))
			return false;
	}
	return true;
}
