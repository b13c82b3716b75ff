#include "upstream/sse_legacy.h"

#include <stddef.h>
#include <stdlib.h>
#include "base/log.h"
#include "mcp/rpc.h"
#include "upstream/sse_endpoint.h"
#include "upstream/sse_inside.h"

static struct sse_conversation *conversation_of(struct upstream *u)
{
	return (struct sse_conversation *)(void *)u;
}

static struct sse_call *call_of(struct upstream_call *c)
{
	return (struct sse_call *)(void *)c;
}

static struct vault *vault_of(const struct sse_conversation *v)
{
	return v->http->vault;
}

static uint64_t now_of(const struct sse_conversation *v)
{
	return uv_now(vault_of(v)->loop);
}

/* --- the stream --------------------------------------------------------------------------------------------------- */

static void run_tell_lost(struct task *task)
{
	struct sse_conversation *v = (struct sse_conversation *)(void *)((char *)task - offsetof(struct sse_conversation, tell_lost));

	if (v->events.lost)
		v->events.lost(v->events.ctx, &v->lost_how);
}

static void forget_address(struct sse_conversation *v)
{
	http_use_heads(v->inner, &v->http->heads);
	buf_finish(&v->heads.post);
	v->ready = false;
}

/* What the end of the stream means for a call that was not sent yet: nothing has left. */
static enum upstream_outcome outcome_before(enum upstream_outcome o)
{
	switch (o) {
	case UP_DONE:
	case UP_NO_ANSWER:
	case UP_BROKEN:
	case UP_UNREACHABLE:
	case UP_SESSION_LOST:
		return UP_UNREACHABLE;
	case UP_NOT_OFFERED:
		return UP_STATUS;
	case UP_TLS:
	case UP_STATUS:
	case UP_UNAUTHORIZED:
	case UP_REDIRECT:
	case UP_GARBAGE:
	case UP_TOO_BIG:
	case UP_NO_CREDENTIAL:
		break;
	}
	return o;
}

static void stream_over(struct sse_conversation *v, const struct upstream_end *end)
{
	enum upstream_outcome how = end->outcome == UP_DONE || end->outcome == UP_NO_ANSWER ? UP_BROKEN : end->outcome;
	bool was_ready = v->ready;

	v->stream = NULL;
	v->resting = false;
	uv_timer_stop(&v->timer);
	backoff_failed(&v->http->streams, now_of(v));
	forget_address(v);
	for (struct sse_call *c = v->calls, *next; c; c = next) {
		next = c->next;
		if (c->state == SSE_WAITING)
			sse_call_end(c, outcome_before(end->outcome), end->status);
		else if (c->state == SSE_OPEN && !c->muted)
			sse_call_end(c, how, 0);
		else
			sse_call_forget_answer(c);
	}
	if (!was_ready)
		return;
	v->lost = true;
	v->lost_how = (struct upstream_end){ how, end->status };
	turn_add(&vault_of(v)->turn, &v->tell_lost);
}

static void on_stream_end(void *ctx, const struct upstream_end *end)
{
	stream_over(ctx, end);
}

/* The vault says what it may not say: the stream is given up. */
static void refuse_stream(struct sse_conversation *v, const char *why)
{
	struct upstream_end end = { UP_GARBAGE, 0 };

	log_warn("upstream", "%s: %s; the stream is given up", vault_of(v)->name, why);
	upstream_cancel(v->stream);
	stream_over(v, &end);
}

void sse_key_unknown(struct sse_conversation *v)
{
	if (!v->stream)
		return;
	upstream_cancel(v->stream);
	stream_over(v, &(struct upstream_end){ UP_SESSION_LOST, 404 });
}

static void on_stream_message(void *ctx, struct slice json)
{
	struct sse_conversation *v = ctx;
	struct vault *vault = vault_of(v);
	struct sse_call *c = NULL;
	struct rpc rpc;

	if (!v->ready) {
		refuse_stream(v, "a message came before its endpoint event");
		return;
	}
	enum err e = rpc_parse(&rpc, json, &vault->scratch, NULL);
	if (e == E_OK && (rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR) && rpc.id != JSON_NONE)
		c = sse_call_find(v, rpc_id_key(&rpc, &vault->scratch));
	arena_reset(&vault->scratch);
	backoff_works(&v->http->streams);
	if (c)
		sse_call_answer(c, json);
	else if (v->events.message)
		v->events.message(v->events.ctx, json);
}

static void send_all(struct sse_conversation *);

static void on_stream_named(void *ctx, struct slice type, struct slice data)
{
	struct sse_conversation *v = ctx;
	struct buf target;
	const char *why;

	if (!slice_eq(type, SL("endpoint")))
		return;
	if (v->ready) {
		refuse_stream(v, "a second endpoint event came");
		return;
	}
	buf_init(&target, SSE_ENDPOINT_MAX);
	why = sse_endpoint_resolve(&v->http->curl, slice_of(v->http->pool.connector.url), data, &target);
	if (!why && !http_heads_post_to(&v->heads, &v->http->heads, buf_slice(&target)))
		why = "out of memory";
	buf_finish(&target);
	if (why) {
		refuse_stream(v, why);
		return;
	}
	v->ready = true;
	uv_timer_stop(&v->timer);
	http_use_heads(v->inner, &v->heads);
	send_all(v);
}

static void on_timer(uv_timer_t *);

static void start_stream(struct sse_conversation *v)
{
	struct upstream_request r = { 0 };
	struct upstream_sink sink = { .message = on_stream_message, .end = on_stream_end, .ctx = v };
	struct upstream_end none = { UP_UNREACHABLE, 0 };

	v->n_streams++;
	v->stream = upstream_listen(v->inner, &r, &sink);
	if (!v->stream) {
		stream_over(v, &none);
		return;
	}
	http_hear_named(v->stream, on_stream_named);
	uv_timer_start(&v->timer, on_timer, v->http->address_timeout_ms, 0);
}

/* The next attempt is due; or the address has not come in time. */
static void on_timer(uv_timer_t *t)
{
	struct sse_conversation *v = t->data;
	struct upstream_end late = { UP_UNREACHABLE, 0 };

	if (!v->stream) {
		if (v->calls) /* else all that waited for it were cancelled */
			start_stream(v);
		return;
	}
	log_warn("upstream", "%s: its endpoint event did not come", vault_of(v)->name);
	upstream_cancel(v->stream);
	stream_over(v, &late);
}

static void start_in_time(struct sse_conversation *v)
{
	uint64_t left_ms = backoff_left_ms(&v->http->streams, now_of(v));

	if (v->stream || uv_is_active((uv_handle_t *)&v->timer))
		return;
	if (left_ms)
		uv_timer_start(&v->timer, on_timer, left_ms, 0);
	else
		start_stream(v);
}

/* --- what the vault is told --------------------------------------------------------------------------------------- */

static void send_all(struct sse_conversation *v)
{
	for (struct sse_call *c = v->calls; c; c = c->next)
		if (c->state == SSE_WAITING)
			sse_call_post(c);
}

static struct upstream_call *op_send(struct upstream *u, const struct upstream_request *r, const struct upstream_sink *sink)
{
	struct sse_conversation *v = conversation_of(u);
	bool doubled = r->id.n && sse_call_find(v, r->id); /* two answers could not be told apart */
	struct sse_call *c = sse_call_create(v, sink);

	if (!c)
		return NULL;
	if (r->opens_session) {
		v->lost = false;
		turn_remove(&v->tell_lost);
	}
	if (v->lost)
		sse_call_end(c, UP_SESSION_LOST, 0);
	else if (doubled)
		sse_call_end(c, UP_UNREACHABLE, 0);
	else if (sse_call_keep(c, r) != E_OK)
		sse_call_end(c, UP_TOO_BIG, 0);
	else if (v->ready)
		sse_call_post(c);
	else
		start_in_time(v);
	return (struct upstream_call *)c;
}

static void op_pause(struct upstream_call *call)
{
	call_of(call)->paused = true;
	sse_settle_stream(call_of(call)->conversation);
}

static void op_resume(struct upstream_call *call)
{
	call_of(call)->paused = false;
	sse_settle_stream(call_of(call)->conversation);
}

static void op_cancel(struct upstream_call *c)
{
	sse_call_cancel(call_of(c));
}

static bool op_has_session(const struct upstream *u)
{
	(void)u;
	return true;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *h)
{
	struct sse_conversation *v = h->data;
	struct http_vault *http = v->http;

	free(v);
	http_release(http);
}

static void op_close(struct upstream *u)
{
	struct sse_conversation *v = conversation_of(u);

	turn_remove(&v->tell_lost);
	upstream_close(v->inner); /* with it the stream and the POSTs */
	v->stream = NULL;
	while (v->calls)
		sse_call_free(v->calls);
	buf_finish(&v->heads.post);
	uv_close((uv_handle_t *)&v->timer, on_timer_closed);
}

static const struct upstream_ops ops = {
	.send = op_send,
	.pause = op_pause,
	.resume = op_resume,
	.cancel = op_cancel,
	.has_session = op_has_session,
	.close = op_close,
};

struct upstream *sse_legacy_open(struct http_vault *h, const struct upstream_events *events)
{
	static const struct upstream_events nothing;
	struct sse_conversation *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->inner = http_open(h, &nothing);
	if (!v->inner) {
		free(v);
		return NULL;
	}
	v->base.ops = &ops;
	v->http = h;
	v->events = *events;
	v->tell_lost.run = run_tell_lost;
	buf_init(&v->heads.post, 0);
	uv_timer_init(h->vault->loop, &v->timer);
	v->timer.data = v;
	http_hold(h);
	return &v->base;
}
