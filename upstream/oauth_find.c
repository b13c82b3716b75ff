#include "upstream/oauth_find.h"

#include <stdlib.h>

#define MAX_ISSUERS 8

/* A message that does nothing; without a token the vault says what it wants. */
#define PING "{\"jsonrpc\":\"2.0\",\"id\":\"narrowgate\",\"method\":\"ping\"}"

struct oauth_find {
	struct web *web;
	struct web_call *call;
	struct arena arena;
	struct oauth_url vault;
	struct slice wanted_issuer, wanted_resource; /* configured; empty: any */
	bool private_addresses;
	struct slice places[OAUTH_MAX_PLACES];
	size_t n_places, at;
	bool told;                     /* the vault said where its metadata is: nowhere else */
	bool nothing_said;             /* it has none: a server of 2025-03-26 */
	struct slice scope;
	struct oauth_server server;
	void (*done)(void *ctx, const struct oauth_found *);
	void *ctx;
};

static void find_free(struct oauth_find *f)
{
	arena_finish(&f->arena);
	free(f);
}

static void end(struct oauth_find *f, const char *failure)
{
	struct oauth_found found = { failure, &f->server, f->scope };

	f->call = NULL;
	f->done(f->ctx, &found);
	find_free(f);
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static bool get(struct oauth_find *f, struct slice place, void (*done)(void *ctx, const struct web_answer *))
{
	struct web_request r = { .url = place, .reach = oauth_reach(f->vault.text, place, f->private_addresses) };

	f->call = web_start(f->web, &r, done, f);
	return f->call;
}

static void next_place(struct oauth_find *f, void (*done)(void *ctx, const struct web_answer *))
{
	if (!get(f, f->places[f->at++], done))
		end(f, "out of memory");
}

/* It said, and not because something is broken, that there is nothing here. */
static bool is_absent(const struct web_answer *answer)
{
	return !answer->failure && answer->status >= 400 && answer->status < 500 && answer->status != 429;
}

static const char *failure_of(const struct web_answer *answer, const char *otherwise)
{
	if (answer->failure)
		return answer->failure;
	return answer->status == 200 ? NULL : otherwise;
}

/* --- the authorization server ------------------------------------------------------------------------------------- */

static void on_server(void *ctx, const struct web_answer *answer)
{
	struct oauth_find *f = ctx;
	const char *why;

	if (is_absent(answer) && f->at < f->n_places) {
		next_place(f, on_server);
		return;
	}
	if (is_absent(answer) && f->nothing_said && !f->wanted_issuer.n)
		why = oauth_default_server(&f->vault, &f->arena, &f->server);
	else
		why = failure_of(answer, "the authorization server's metadata cannot be read: an HTTP error or a redirect");
	if (!why && !f->server.token_endpoint.n)
		why = oauth_read_server(arena_dup(&f->arena, answer->body), f->server.issuer, &f->arena, &f->server);
	end(f, why);
}

static void ask_server(struct oauth_find *f, struct slice issuer)
{
	struct oauth_url url;

	f->server.issuer = issuer;
	f->n_places = oauth_url_cut(issuer, &url) ? oauth_server_places(&url, &f->arena, f->places) : 0;
	f->at = 0;
	if (!f->n_places)
		end(f, "out of memory");
	else
		next_place(f, on_server);
}

/* --- the resource ------------------------------------------------------------------------------------------------- */

static void ask_chosen(struct oauth_find *f, const struct slice *issuers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!f->wanted_issuer.n || slice_eq(issuers[i], f->wanted_issuer)) {
			ask_server(f, issuers[i]);
			return;
		}
	end(f, "the vault names another authorization server than the configured `issuer`");
}

/* RFC 8707: the vault's URL, without its query. */
static struct slice own_resource(struct oauth_find *f)
{
	return arena_join(&f->arena, oauth_url_origin(&f->vault, &f->arena), f->vault.path, SL(""));
}

static void without_metadata(struct oauth_find *f)
{
	f->nothing_said = true;
	f->server.resource = f->wanted_resource.n ? f->wanted_resource : own_resource(f);
	ask_server(f, f->wanted_issuer.n ? f->wanted_issuer : oauth_url_origin(&f->vault, &f->arena));
}

static void on_resource(void *ctx, const struct web_answer *answer)
{
	struct oauth_find *f = ctx;
	struct slice issuers[MAX_ISSUERS];
	size_t n = 0;

	if (is_absent(answer) && f->at < f->n_places) {
		next_place(f, on_resource);
		return;
	}
	if (is_absent(answer) && !f->told) {
		without_metadata(f);
		return;
	}
	const char *why = failure_of(answer, "the vault's resource metadata cannot be read: an HTTP error or a redirect");
	if (!why)
		why = oauth_read_resource(arena_dup(&f->arena, answer->body), &f->vault, &f->arena, &f->server.resource, issuers, MAX_ISSUERS, &n);
	if (!why && f->wanted_resource.n && !slice_eq(f->wanted_resource, f->server.resource))
		why = "the vault's resource metadata is about another resource than the configured `resource`";
	if (why)
		end(f, why);
	else
		ask_chosen(f, issuers, n);
}

static void on_challenge(void *ctx, const struct web_answer *answer)
{
	struct oauth_find *f = ctx;
	struct slice header = arena_dup(&f->arena, answer->challenge);
	struct slice place = oauth_challenge(header, SL("resource_metadata"), &f->arena);
	struct slice scope = oauth_challenge(header, SL("scope"), &f->arena);

	f->scope = scope.p ? scope : SL("");
	if (place.n) {
		f->told = true;
		f->places[0] = place;
		f->n_places = 1;
	} else {
		f->n_places = oauth_resource_places(&f->vault, &f->arena, f->places);
	}
	if (!f->n_places)
		end(f, "out of memory");
	else
		next_place(f, on_resource);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

enum web_reach oauth_reach(struct slice vault_url, struct slice target, bool private_addresses)
{
	struct oauth_url vault, url;

	if (private_addresses)
		return WEB_ANYWHERE;
	if (!oauth_url_cut(vault_url, &vault) || !oauth_url_cut(target, &url))
		return WEB_PUBLIC;
	if (oauth_url_same_origin(&vault, &url))
		return WEB_ANYWHERE;
	/* http is for this machine alone: whoever has the vault here has the rest here too. */
	return slice_eq(vault.scheme, SL("http")) ? WEB_LOOPBACK_TOO : WEB_PUBLIC;
}

struct oauth_find *oauth_find_start(struct web *web, struct slice url, const struct vault_oauth *conf,
	void (*done)(void *ctx, const struct oauth_found *), void *ctx)
{
	struct web_request r = { .url = url, .body = SL(PING), .content_type = "application/json",
		.accept = "application/json, text/event-stream", .reach = WEB_ANYWHERE };
	struct oauth_find *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	*f = (struct oauth_find){ .web = web, .private_addresses = conf->private_addresses, .done = done, .ctx = ctx };
	arena_init(&f->arena, WEB_MAX_BYTES * 64);
	f->wanted_issuer = arena_dup(&f->arena, conf->issuer);
	f->wanted_resource = arena_dup(&f->arena, conf->resource);
	if (!oauth_url_cut(arena_dup(&f->arena, url), &f->vault) || !(f->call = web_start(web, &r, on_challenge, f))) {
		find_free(f);
		return NULL;
	}
	return f;
}

void oauth_find_cancel(struct oauth_find *f)
{
	if (!f)
		return;
	web_cancel(f->call);
	find_free(f);
}
