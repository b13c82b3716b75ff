#include "upstream/oauth.h"

#include <stdlib.h>
#include "base/digest.h"
#include "base/log.h"
#include "upstream/oauth_find.h"
#include "upstream/oauth_grant.h"
#include "upstream/oauth_store.h"

struct oauth {
	struct token base;             /* first */
	struct web *web;
	struct oauth_find *finding;
	struct arena arena;            /* the configuration's copy, and the server */
	struct vault_oauth conf;
	struct slice url;              /* the vault's */
	struct credential secret;      /* the client's; SECRET_SOURCE_NONE: a public client */
	struct arena server_arena;     /* what `server` points to */
	struct oauth_server server;    /* token_endpoint empty: to be found */
	struct slice issuer;           /* bound: no other is believed from now on; empty: none yet */
	uint64_t wanted;               /* scopes asked for, a bit each; 0: to be settled */
	uint64_t step, refused;        /* those of them that are asked for the first time; those that were not given */
	struct buf rotated;            /* a refresh token that could not be stored */
	unsigned char seen[DIGEST_BYTES]; /* of what the last attempt was made from */
	unsigned n_open;
	void (*closed)(void *ctx);
	void *ctx;
};

static struct oauth *of(struct token *t)
{
	return (struct oauth *)(void *)t;
}

/* It is read anew for each attempt, and kept no longer than it takes. */
static void forget_secret(struct oauth *o)
{
	if (o->secret.from != SECRET_SOURCE_NONE)
		credential_drop(&o->secret, "read anew each time");
}

static void fail(struct oauth *o, const char *why)
{
	forget_secret(o);
	token_failed(&o->base, why);
}

/* --- scopes ------------------------------------------------------------------------------------------------------- */

static uint64_t all_scopes(const struct oauth *o)
{
	return o->conf.n_scopes ? UINT64_MAX >> (64 - o->conf.n_scopes) : 0;
}

/* Those of the words that are configured. */
static uint64_t configured(const struct oauth *o, struct slice words)
{
	uint64_t bits = 0;

	while (words.p) {
		struct slice word = slice_cut(&words, ' ');

		for (size_t i = 0; i < o->conf.n_scopes; i++)
			if (slice_eq(word, o->conf.scopes[i]))
				bits |= UINT64_C(1) << i;
	}
	return bits;
}

/* A token that is kept alive by a scope of its own (OpenID Connect Core §11) asks for that always. */
static void settle_scopes(struct oauth *o, struct slice asked)
{
	uint64_t bits = configured(o, asked);

	if (!o->wanted)
		o->wanted = bits ? bits | configured(o, SL("offline_access")) : all_scopes(o);
}

static void add_scopes(const struct oauth *o, struct buf *out)
{
	for (size_t i = 0; i < o->conf.n_scopes; i++)
		if (o->wanted >> i & 1) {
			if (out->n)
				buf_add_char(out, ' ');
			buf_add(out, o->conf.scopes[i]);
		}
}

static bool wants_more(struct token *base, struct slice challenge)
{
	struct oauth *o = of(base);
	struct arena arena;

	arena_init(&arena, 64 * 1024);
	struct slice error = oauth_challenge(challenge, SL("error"), &arena), scope = oauth_challenge(challenge, SL("scope"), &arena);
	uint64_t more = slice_eq(error, SL("insufficient_scope")) ? configured(o, scope) & ~o->wanted & ~o->refused : 0;
	if (slice_eq(error, SL("insufficient_scope")))
		log_warn("credential", "%s: the vault wants more scopes%s", base->vault->name,
			more ? ": asking for those that are configured" : " than are configured or granted");
	arena_finish(&arena);
	o->wanted |= more;
	o->step = more;
	return more;
}

/* --- what it is made from ------------------------------------------------------------------------------------------ */

/* What the grant would be made from, as it is now. False: it cannot be read, and *why says so. */
static bool digest_source(struct oauth *o, unsigned char out[DIGEST_BYTES], const char **why)
{
	struct oauth_stored stored = { 0 };
	struct arena arena;
	struct buf all;

	arena_init(&arena, 1 << 20);
	buf_init(&all, 4 * OAUTH_STORE_MAX_BYTES);
	*why = credential_read(&o->secret) ? NULL : o->secret.fault;
	buf_add(&all, credential_secret(&o->secret));
	if (!*why && o->conf.token_file.n)
		*why = oauth_store_read(o->conf.token_file.p, &arena, &stored);
	buf_add_fmt(&all, "|%.*s|%.*s", SL_ARG(stored.issuer), SL_ARG(stored.client_id));
	buf_add(&all, stored.refresh_token);
	digest_sha256(buf_slice(&all), out);
	buf_finish(&all); /* wiped */
	arena_finish(&arena);
	return !*why;
}

/* --- the grant ---------------------------------------------------------------------------------------------------- */

static void forget_server(struct oauth *o)
{
	o->server = (struct oauth_server){ 0 };
	arena_finish(&o->server_arena);
}

static void keep_rotated(struct oauth *o, struct slice token)
{
	struct oauth_stored stored;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	const char *why = oauth_store_read(o->conf.token_file.p, &arena, &stored);
	if (!why && slice_eq(stored.refresh_token, token)) {
		arena_finish(&arena);
		return;
	}
	stored.refresh_token = token;
	if (!why)
		why = oauth_store_write(o->conf.token_file.p, &stored);
	buf_finish(&o->rotated);
	if (why) {
		buf_add(&o->rotated, token);
		log_warn("credential", "%s: the new refresh token is kept in memory only: %s", o->base.vault->name, why);
	}
	arena_finish(&arena);
	digest_source(o, o->seen, &why); /* what we wrote ourselves is no change */
	forget_secret(o);
}

/* NULL, or what is wrong with the tokens. */
static const char *accept_tokens(struct oauth *o, struct slice body, struct arena *a, struct oauth_tokens *tokens)
{
	const char *why = oauth_read_tokens(body, a, tokens);

	if (why)
		return why;
	if (o->conf.n_scopes && !oauth_scope_within(tokens->scope, o->conf.scopes, o->conf.n_scopes))
		return "the authorization server granted more scopes than are configured: the token is not used";
	if (tokens->refresh.n && o->conf.token_file.n)
		keep_rotated(o, tokens->refresh);
	return NULL;
}

/* What there was goes on as it was. */
static void step_back(struct oauth *o)
{
	o->wanted &= ~o->step;
	o->refused |= o->step;
	o->step = 0;
	fail(o, "the authorization server does not give the scopes that the vault wants more");
}

/* RFC 6749 §5.2. */
static void refused(struct oauth *o, struct slice error)
{
	if (slice_eq(error, SL("invalid_grant")) && o->conf.token_file.n)
		token_hopeless(&o->base, "the authorization server does not accept the refresh token any more: a new login is needed");
	else if (slice_eq(error, SL("invalid_client")) || slice_eq(error, SL("unauthorized_client")))
		token_hopeless(&o->base, "the authorization server does not accept the client: check client_id and client_secret, or log in again");
	else if (slice_eq(error, SL("invalid_scope")) && o->step)
		step_back(o);
	else if (slice_eq(error, SL("invalid_scope")))
		token_hopeless(&o->base, "the authorization server does not give these scopes: check `scopes`, or log in again");
	else if (slice_eq(error, SL("invalid_target")))
		token_hopeless(&o->base, "the authorization server gives no tokens for this vault: check `resource`");
	else
		fail(o, error.n ? "the authorization server refused" : "the token endpoint answered with an HTTP error or a redirect");
}

static void on_tokens(void *ctx, const struct web_answer *answer)
{
	struct oauth *o = ctx;
	struct oauth_tokens tokens;
	struct arena arena;

	arena_init(&arena, WEB_MAX_BYTES * 64);
	if (answer->failure || answer->status >= 500 || answer->status == 404)
		forget_server(o); /* it may have moved */
	if (answer->failure) {
		fail(o, answer->failure);
	} else if (answer->status != 200) {
		refused(o, oauth_read_error(answer->body, &arena));
	} else {
		const char *why = accept_tokens(o, answer->body, &arena, &tokens);

		if (why)
			fail(o, why);
		else
			token_given(&o->base, tokens.access, tokens.life_s);
		o->step = why ? o->step : 0;
	}
	arena_finish(&arena); /* wiped */
}

static void send_grant(struct oauth *o, const struct oauth_grant *grant, const struct oauth_client *client)
{
	struct buf body, authorization;

	buf_init(&body, WEB_MAX_BYTES - 1);
	buf_init(&authorization, WEB_MAX_BYTES - 64);
	bool ok = oauth_grant_write(grant, client, &o->server, &body, &authorization);
	struct web_request r = { .url = o->server.token_endpoint, .body = buf_slice(&body), .content_type = "application/x-www-form-urlencoded",
		.authorization = buf_slice(&authorization), .reach = oauth_reach(o->url, o->server.token_endpoint, o->conf.private_addresses) };
	if (!ok)
		fail(o, "the token endpoint takes a client's secret in no way that is spoken here (client_secret_basic, client_secret_post)");
	else if (!web_start(o->web, &r, on_tokens, o))
		fail(o, "out of memory");
	buf_finish(&body); /* wiped */
	buf_finish(&authorization);
}

/* With the client's secret alone. */
static void grant_client(struct oauth *o, struct slice scope)
{
	struct oauth_grant grant = { .scope = scope };
	struct oauth_client client = { o->conf.client_id, credential_secret(&o->secret) };

	send_grant(o, &grant, &client);
}

/* NULL, or why what is stored is not for this server. */
static const char *check_stored(const struct oauth *o, const struct oauth_stored *stored)
{
	if (!slice_eq(stored->issuer, o->server.issuer))
		return "the vault names another authorization server than at the login: if that is right, log in again";
	if (!slice_eq(stored->resource, o->server.resource))
		return "the refresh token is for another resource: log in again";
	if (o->conf.client_id.n && !slice_eq(stored->client_id, o->conf.client_id))
		return "the refresh token is another client's: log in again";
	return NULL;
}

static void grant_refresh(struct oauth *o, struct slice scope)
{
	struct oauth_stored stored;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	const char *why = oauth_store_read(o->conf.token_file.p, &arena, &stored);
	if (!why)
		why = check_stored(o, &stored);
	if (why) {
		token_hopeless(&o->base, why);
	} else {
		struct slice own = credential_secret(&o->secret);
		struct oauth_client client = { stored.client_id, own.n ? own : stored.client_secret };
		struct oauth_grant grant = { .scope = scope, .refresh_token = o->rotated.n ? buf_slice(&o->rotated) : stored.refresh_token };

		send_grant(o, &grant, &client);
	}
	arena_finish(&arena); /* wiped */
}

static void ask_token(struct oauth *o)
{
	struct buf scope;

	buf_init(&scope, 16 * 1024);
	add_scopes(o, &scope);
	if (o->conf.token_file.n)
		grant_refresh(o, buf_slice(&scope));
	else
		grant_client(o, buf_slice(&scope));
	buf_finish(&scope);
	forget_secret(o);
}

/* --- the server --------------------------------------------------------------------------------------------------- */

static bool keep_server(struct oauth *o, const struct oauth_server *s)
{
	struct slice *parts[] = { &o->server.issuer, &o->server.resource, &o->server.token_endpoint };

	o->server = *s;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		*parts[i] = arena_dup(&o->server_arena, *parts[i]);
		if (!parts[i]->p) {
			forget_server(o);
			return false;
		}
	}
	return true;
}

static void on_found(void *ctx, const struct oauth_found *found)
{
	struct oauth *o = ctx;

	o->finding = NULL;
	if (found->failure) {
		fail(o, found->failure);
		return;
	}
	if (o->issuer.n && !slice_eq(o->issuer, found->server->issuer)) {
		fail(o, "the vault names another authorization server than before: restart narrowgate if that is right");
		return;
	}
	if (!o->issuer.n) {
		o->issuer = arena_dup(&o->arena, found->server->issuer);
		log_info("credential", "%s: its authorization server is %.*s", o->base.vault->name, SL_ARG(slice_head(o->issuer, 200)));
	}
	settle_scopes(o, found->scope);
	if (keep_server(o, found->server) && o->issuer.p)
		ask_token(o);
	else
		fail(o, "out of memory");
}

/* --- as a token --------------------------------------------------------------------------------------------------- */

static void start(struct token *base)
{
	struct oauth *o = of(base);
	const char *why;

	if (!digest_source(o, o->seen, &why)) {
		token_hopeless(base, why);
		return;
	}
	if (o->server.token_endpoint.n) {
		ask_token(o);
		return;
	}
	o->finding = oauth_find_start(o->web, o->url, &o->conf, on_found, o);
	if (!o->finding)
		fail(o, "out of memory");
}

static bool changed(struct token *base)
{
	struct oauth *o = of(base);
	unsigned char now[DIGEST_BYTES];
	const char *why;
	bool readable = digest_source(o, now, &why);
	bool differs = memcmp(now, o->seen, sizeof now) != 0;

	forget_secret(o);
	if (!differs)
		return false;
	if (!o->conf.token_file.n || !readable || !o->rotated.n)
		return true;
	buf_finish(&o->rotated); /* somebody has logged in anew */
	return true;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void release(struct oauth *o)
{
	credential_finish(&o->secret);
	arena_finish(&o->arena);
	arena_finish(&o->server_arena);
	buf_finish(&o->rotated);
	free(o);
}

static void one_closed(void *ctx)
{
	struct oauth *o = ctx;
	void (*closed)(void *ctx) = o->closed;
	void *closed_ctx = o->ctx;

	if (--o->n_open)
		return;
	release(o);
	closed(closed_ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
	one_closed(of(h->data));
}

static void close_oauth(struct token *base, void (*closed)(void *ctx), void *ctx)
{
	struct oauth *o = of(base);

	o->closed = closed;
	o->ctx = ctx;
	o->n_open = 2;
	oauth_find_cancel(o->finding);
	uv_close((uv_handle_t *)&base->timer, on_timer_closed);
	web_close(o->web, one_closed, o);
}

static bool copy_config(struct oauth *o, const struct vault_config *conf)
{
	const struct vault_oauth *from = conf->oauth;
	struct slice *scopes = arena_array(&o->arena, from->n_scopes + 1, sizeof *scopes);

	o->conf = *from;
	o->conf.client_id = arena_dup(&o->arena, from->client_id);
	o->conf.issuer = arena_dup(&o->arena, from->issuer);
	o->conf.resource = arena_dup(&o->arena, from->resource);
	o->conf.token_file = arena_dup(&o->arena, from->token_file);
	o->url = arena_dup(&o->arena, conf->url);
	if (!scopes)
		return false;
	for (size_t i = 0; i < from->n_scopes; i++)
		scopes[i] = arena_dup(&o->arena, from->scopes[i]);
	o->conf.scopes = scopes;
	return o->url.p && o->conf.token_file.p && (!from->n_scopes || scopes[from->n_scopes - 1].p);
}

struct token *oauth_create(struct vault *vault, const struct vault_config *conf, const char **why)
{
	static const struct token_ops ops = { .start = start, .changed = changed, .wants_more = wants_more, .close = close_oauth };
	struct vault_config secret = { .credential_header = SL("secret"), .credential_from = conf->credential_from, .credential_name = conf->credential_name };
	struct oauth *o = calloc(1, sizeof *o);

	*why = "out of memory";
	if (!o)
		return NULL;
	arena_init(&o->arena, 1 << 20);
	arena_init(&o->server_arena, 1 << 16);
	buf_init(&o->rotated, OAUTH_STORE_MAX_BYTES);
	if (!credential_init(&o->secret, &secret) || !copy_config(o, conf) || !(o->web = web_create(vault->loop, conf, why))) {
		release(o);
		return NULL;
	}
	token_init(&o->base, &ops, vault, "narrowgate's OAuth client");
	return &o->base;
}
