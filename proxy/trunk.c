#include "proxy/trunk.h"

#include <stdlib.h>
#include "base/log.h"
#include "base/wipe.h"
#include "proxy/exchange.h"
#include "proxy/fetch.h"
#include "proxy/remap.h"
#include "proxy/revive.h"

static void on_vault_message(void *ctx, struct slice json);
static void on_vault_lost(void *ctx, const struct upstream_end *end);

static struct trunk *trunk_create(struct backend *b, bool shared)
{
	struct trunk *t = calloc(1, sizeof *t);
	struct upstream_events events = { .message = on_vault_message, .lost = on_vault_lost, .ctx = t };

	if (!t)
		return NULL;
	t->backend = b;
	t->shared = shared;
	t->up = vault_open(b->vault, &events);
	if (!t->up) {
		free(t);
		return NULL;
	}
	t->next = b->trunks;
	b->trunks = t;
	return t;
}

static struct trunk *shared_trunk(struct backend *b)
{
	for (struct trunk *t = b->trunks; t; t = t->next)
		if (t->shared && !t->lost)
			return t;
	return NULL;
}

struct trunk *trunk_get(struct backend *b)
{
	bool shared = backend_catalog(b)->connections == 1;
	struct trunk *t = shared ? shared_trunk(b) : NULL;

	return t ? t : trunk_create(b, shared);
}

void trunk_join(struct trunk *t, struct channel *c)
{
	t->refs++;
	c->trunk = t;
	c->next = t->channels;
	t->channels = c;
}

static void unlink_trunk(struct trunk *t)
{
	struct trunk **at = &t->backend->trunks;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
}

static void trunk_free(struct trunk *t)
{
	unlink_trunk(t);
	fetch_cancel(t);
	revive_cancel(t);
	upstream_cancel(t->listen);
	upstream_close(t->up);
	if (t->hello.n) {
		wipe((void *)(uintptr_t)t->hello.p, t->hello.n);
		free((void *)(uintptr_t)t->hello.p);
	}
	free(t);
}

void trunk_leave(struct trunk *t, struct channel *c)
{
	struct channel **at = &t->channels;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (--t->refs == 0)
		trunk_free(t);
}

/* --- what goes up without an answer --------------------------------------------------------------------------------- */

static void on_tell_end(void *ctx, const struct upstream_end *end)
{
	struct trunk *t = ctx;

	if (end->outcome != UP_DONE)
		log_warn("upstream", "%.*s: a notification or answer was not taken: %s", SL_ARG(t->backend->conf->name),
			upstream_outcome_text(end->outcome));
}

void trunk_tell(struct trunk *t, struct slice body, struct slice version)
{
	struct upstream_request r = { .body = body, .version = version };
	struct upstream_sink sink = { .end = on_tell_end, .ctx = t };

	if (!t->lost)
		upstream_send(t->up, &r, &sink);
}

/* --- what the vault says outside of a call ----------------------------------------------------------------------------- */

struct exchange *trunk_find_progress(const struct trunk *t, struct slice key)
{
	for (struct exchange *x = t->exchanges; x; x = x->next)
		if (x->upstream_progress.n && slice_eq(x->upstream_progress, key))
			return x;
	return NULL;
}

/* The progress token of a notification, in rpc_id_key spelling; empty when there is none. */
static struct slice progress_key(const struct rpc *rpc, struct arena *arena)
{
	uint32_t token = json_walk(&rpc->json, rpc->params, "progressToken");

	if (token == JSON_NONE)
		return SL("");
	return remap_key(&rpc->json, token, arena);
}

/* The only channel that can be meant: the trunk's only one, or the only one with requests in flight. */
static struct channel *sole_channel(const struct trunk *t)
{
	struct channel *found = NULL;

	if (t->channels && !t->channels->next)
		return t->channels;
	for (struct exchange *x = t->exchanges; x; x = x->next) {
		if (x->kind != XK_REQUEST || x->channel == found)
			continue;
		if (found)
			return NULL;
		found = x->channel;
	}
	return found;
}

static void refuse_vault(struct trunk *t, const struct judgement *j)
{
	if (j->refusal.n)
		trunk_tell(t, j->refusal, SL(""));
}

static void hear_request(struct trunk *t, const struct rpc *rpc, struct arena *arena)
{
	struct channel *c = sole_channel(t);
	struct judgement j = { 0 };

	if (!c) {
		struct slice no = judge_failure(rpc_id(rpc), RPC_INTERNAL_ERROR, "it is not clear which agent is asked", arena);
		trunk_tell(t, no, SL(""));
		return;
	}
	channel_judge_vault(c, rpc, arena, &j);
	if (j.kind == VERDICT_DENY) {
		refuse_vault(t, &j);
		return;
	}
	if (channel_asked(c, rpc_id_key(rpc, arena), method_find(rpc->method_name, SIDE_SERVER, false)->id))
		channel_deliver(c, j.bytes);
}

static void hear_notification(struct trunk *t, const struct rpc *rpc, struct arena *arena)
{
	struct slice key = slice_eq(rpc->method_name, SL("notifications/progress")) ? progress_key(rpc, arena) : SL("");
	struct exchange *x = key.n ? trunk_find_progress(t, key) : NULL;

	if (x) {
		exchange_hear(x, rpc, arena);
		return;
	}
	if (key.n)
		return; /* progress of a request that has ended */
	for (struct channel *c = t->channels; c; c = c->next) {
		struct judgement j = { 0 };

		channel_judge_vault(c, rpc, arena, &j);
		if (j.kind != VERDICT_DENY)
			channel_deliver(c, j.bytes);
	}
}

static void on_vault_message(void *ctx, struct slice json)
{
	struct trunk *t = ctx;
	struct arena *arena = &t->backend->app->scratch;
	struct rpc rpc;
	enum err e = rpc_parse(&rpc, json, arena, NULL);

	if (e != E_OK)
		log_warn("upstream", "%.*s: dropped a message: %s", SL_ARG(t->backend->conf->name), err_text(e));
	else if (rpc.kind == RPC_REQUEST)
		hear_request(t, &rpc, arena);
	else if (rpc.kind == RPC_NOTIFICATION)
		hear_notification(t, &rpc, arena);
	else
		log_warn("upstream", "%.*s: dropped an answer to a request that is not open", SL_ARG(t->backend->conf->name));
	arena_reset(arena);
}

static void on_vault_lost(void *ctx, const struct upstream_end *end)
{
	struct trunk *t = ctx;

	log_warn("upstream", "%.*s: the conversation is over: %s", SL_ARG(t->backend->conf->name), upstream_outcome_text(end->outcome));
	t->lost = true;
	t->refs++; /* the channels that go now must not take it with them before the loop is done */
	for (struct channel *c = t->channels, *next; c; c = next) {
		next = c->next;
		channel_lost(c);
	}
	if (--t->refs == 0)
		trunk_free(t);
}

/* --- the GET stream of a shared trunk ---------------------------------------------------------------------------------- */

static void on_listen_end(void *ctx, const struct upstream_end *end)
{
	struct trunk *t = ctx;

	(void)end;
	t->listen = NULL;
}

void trunk_listen(struct trunk *t, struct slice version)
{
	struct upstream_request r = { .version = version };
	struct upstream_sink sink = { .message = on_vault_message, .end = on_listen_end, .ctx = t };

	if (!t->listen && !t->lost)
		t->listen = upstream_listen(t->up, &r, &sink);
}
