#include "proxy/trunk.h"

#include <stdlib.h>
#include "base/wipe.h"
#include "mcp/stateless.h"
#include "proxy/exchange.h"
#include "proxy/fetch.h"
#include "proxy/remap.h"
#include "proxy/resume.h"
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
	buf_init(&t->listen_last, RESUME_MAX_ID_BYTES);
	t->serial = ++b->app->n_trunks;
	t->up = vault_open(b->vault, &events);
	if (!t->up) {
		free(t);
		return NULL;
	}
	t->next = b->trunks;
	b->trunks = t;
	return t;
}

static struct trunk *shared_trunk(struct backend *b, bool no_handshake)
{
	for (struct trunk *t = b->trunks; t; t = t->next)
		if (t->shared && !t->lost && (t->no_handshake == no_handshake || backend_catalog(b)->connections == 1))
			return t;
	return NULL;
}

struct trunk *trunk_get(struct backend *b, bool no_handshake)
{
	bool shared = backend_catalog(b)->connections == 1 || (no_handshake && backend_is_pipe(b) && !b->conf->translates);
	struct trunk *t = shared ? shared_trunk(b, no_handshake) : NULL;

	if (t)
		return t;
	t = trunk_create(b, shared);
	if (t)
		t->no_handshake = no_handshake;
	return t;
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
	wipe_free((void *)(uintptr_t)t->hello.p);
	buf_finish(&t->listen_last);
	free(t);
}

void trunk_hold(struct trunk *t)
{
	t->refs++;
}

void trunk_release(struct trunk *t)
{
	if (--t->refs == 0)
		trunk_free(t);
}

void trunk_leave(struct trunk *t, struct channel *c)
{
	struct channel **at = &t->channels;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	trunk_release(t);
}

/* --- introductions ---------------------------------------------------------------------------------------------------- */

bool trunk_greeted(const struct trunk *t)
{
	for (const struct exchange *x = t->exchanges; x; x = x->next)
		if (x->method == M_INITIALIZE && x->state == X_SENT)
			return true;
	return false;
}

bool trunk_introducing(const struct trunk *t)
{
	return t->revival || (t->shared && !t->hello.n && trunk_greeted(t));
}

struct exchange *trunk_waiting(const struct trunk *t, bool for_tools)
{
	struct exchange *oldest = NULL;

	for (struct exchange *x = t->exchanges; x; x = x->next)
		if (x->state == X_WAITING && x->wants_tools == for_tools)
			oldest = x;
	return oldest;
}

void trunk_introduced(struct trunk *t, bool ok)
{
	struct exchange *x;

	trunk_hold(t);
	/* Each may end others, or introduce itself, so the list is read anew. A lost trunk's are failed with their channels. */
	while (!t->lost && !trunk_introducing(t) && (x = trunk_waiting(t, false))) {
		if (ok || x->method == M_INITIALIZE)
			exchange_go_on(x);
		else
			exchange_fail(x, 502, RPC_INTERNAL_ERROR, "the vault could not be introduced to again");
	}
	trunk_release(t);
}

bool trunk_keep_hello(struct trunk *t, struct slice result)
{
	if (!t->shared || t->hello.n)
		return true;
	char *copy = wipe_malloc(result.n);
	if (!copy)
		return false;
	memcpy(copy, result.p, result.n);
	t->hello = slice_make(copy, result.n);
	return true;
}

void trunk_lose(struct trunk *t)
{
	t->lost = true;
	trunk_hold(t);
	for (struct channel *c = t->channels, *next; c; c = next) {
		next = c->next;
		channel_lost(c);
	}
	trunk_release(t);
}

/* --- what goes up without an answer --------------------------------------------------------------------------------- */

static void on_tell_end(void *ctx, const struct upstream_end *end)
{
	struct trunk *t = ctx;

	if (end->outcome != UP_DONE)
		backend_warn(t->backend, "a notification or answer was not taken: %s", upstream_outcome_text(end->outcome));
}

void trunk_tell(struct trunk *t, struct slice body, struct slice version)
{
	struct upstream_request r = { .body = body, .version = version, .limit_ms = TELL_TIMEOUT_MS };
	struct upstream_sink sink = { .end = on_tell_end, .ctx = t };

	if (!t->lost)
		upstream_send(t->up, &r, &sink);
}

void trunk_answer_self(struct trunk *t, const struct rpc *rpc, struct arena *arena)
{
	struct slice id = rpc_id(rpc), answer;

	if (slice_eq(rpc->method_name, SL("ping")))
		answer = arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{}}", SL_ARG(id));
	else
		answer = judge_failure(id, RPC_METHOD_NOT_FOUND, "no agent can be asked here", arena);
	if (answer.n)
		trunk_tell(t, answer, t->channels ? slice_of(t->channels->version) : SL(""));
}

/* --- what the vault says outside of a call ----------------------------------------------------------------------------- */

struct exchange *trunk_find_progress(const struct trunk *t, struct slice key)
{
	for (struct exchange *x = t->exchanges; x; x = x->next)
		if (x->upstream_progress.n && slice_eq(x->upstream_progress, key))
			return x;
	return NULL;
}

struct slice trunk_progress_key(const struct rpc *rpc, struct arena *arena)
{
	bool progress = slice_eq(rpc->method_name, SL("notifications/progress"));
	uint32_t token = progress ? json_walk(&rpc->json, rpc->params, "progressToken") : JSON_NONE;

	return token == JSON_NONE ? SL("") : remap_key(&rpc->json, token, arena);
}

/* The exchange that asked to hear such notifications (subscriptions/listen), or NULL. */
static struct exchange *find_subscription(const struct trunk *t, struct slice key)
{
	for (struct exchange *x = t->exchanges; x; x = x->next)
		if (x->method == M_LISTEN && slice_eq(x->upstream_id, key))
			return x;
	return NULL;
}

struct slice trunk_subscription_key(const struct rpc *rpc, struct arena *arena)
{
	uint32_t meta = json_member(&rpc->json, rpc->params, SL("_meta"));
	uint32_t id = json_member(&rpc->json, meta, META_SUBSCRIPTION);

	return id == JSON_NONE ? SL("") : remap_key(&rpc->json, id, arena);
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

static void hear_request(struct trunk *t, const struct rpc *rpc, struct arena *arena)
{
	struct channel *c = sole_channel(t);

	if (!c)
		trunk_tell(t, judge_failure(rpc_id(rpc), RPC_INTERNAL_ERROR, "it is not clear which agent is asked", arena), SL(""));
	else
		channel_ask(c, NULL, rpc, arena);
}

static void hear_notification(struct trunk *t, const struct rpc *rpc, struct arena *arena)
{
	struct slice key = trunk_progress_key(rpc, arena), heard = trunk_subscription_key(rpc, arena);
	struct exchange *x = heard.n ? find_subscription(t, heard) : key.n ? trunk_find_progress(t, key) : NULL;
	struct channel *only = t->no_handshake && t->shared ? sole_channel(t) : NULL;

	if (x) {
		exchange_hear(x, rpc, arena);
		return;
	}
	if (key.n || (heard.n && t->shared))
		return; /* of a request that has ended */
	for (struct channel *c = t->channels; c; c = c->next) {
		struct judgement j = { 0 };

		/* Where several agents share a pipe, and nothing says who is meant, nobody is told. */
		if (t->no_handshake && t->shared && c != only)
			continue;
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
		backend_warn(t->backend, "dropped a message: %s", err_text(e));
	else if (rpc.kind == RPC_REQUEST)
		hear_request(t, &rpc, arena);
	else if (rpc.kind == RPC_NOTIFICATION)
		hear_notification(t, &rpc, arena);
	else
		backend_warn(t->backend, "dropped an answer to a request that is not open");
	arena_reset(arena);
}

static void on_vault_lost(void *ctx, const struct upstream_end *end)
{
	struct trunk *t = ctx;

	backend_warn(t->backend, "the conversation is over: %s", upstream_outcome_text(end->outcome));
	trunk_lose(t);
}

/* --- the standing GET stream ------------------------------------------------------------------------------------------- */

static void on_listen_end(void *ctx, const struct upstream_end *end)
{
	struct trunk *t = ctx;

	t->listen = NULL;
	if (end->outcome != UP_DONE && end->outcome != UP_BROKEN)
		buf_clear(&t->listen_last); /* the vault may not want it */
	trunk_listen_later(t, end->outcome, t->listen_retry_ms);
}

static void on_listen_mark(void *ctx, const struct sse_mark *mark, bool alone)
{
	struct trunk *t = ctx;

	(void)alone;
	if (mark->has_retry)
		t->listen_retry_ms = mark->retry_ms;
	resume_keep_id(&t->listen_last, mark->id);
}

void trunk_listen(struct trunk *t, struct slice version)
{
	struct upstream_request r = { .version = version, .last_event_id = buf_slice(&t->listen_last) };
	struct upstream_sink sink = { .mark = on_listen_mark, .message = on_vault_message, .end = on_listen_end, .ctx = t };

	if (!t->listen && !t->lost)
		t->listen = upstream_listen(t->up, &r, &sink);
}

void trunk_listen_later(struct trunk *t, enum upstream_outcome outcome, uint64_t wait_ms)
{
	uint64_t ms = wait_ms ? wait_ms : EAR_AGAIN_MS;

	if (outcome != UP_NOT_OFFERED && outcome != UP_SESSION_LOST)
		t->listen_again_ms = uv_now(t->backend->app->loop) + (ms < EAR_MAX_MS ? ms : EAR_MAX_MS);
}

void trunk_listen_again(struct trunk *t)
{
	t->listen_again_ms = 0;
	if (t->lost)
		return;
	if (t->shared)
		trunk_listen(t, slice_of(t->channels->version));
	else
		exchange_open_ear(t->channels);
}
