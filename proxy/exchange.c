#include "proxy/exchange.h"

#include <stdlib.h>
#include "proxy/exchange_inside.h"
#include "proxy/reading.h"

#define ARENA_EXTRA_BYTES (32u * 1024 * 1024) /* beside the message: its tape, the facts, the refusal */
#define KEEP_FREE 64

/* --- the one place where the state changes ------------------------------------------------------------------------- */

static bool legal(enum exchange_state from, enum exchange_state to)
{
	static const unsigned next[] = {
		[X_NEW] = 1u << X_WAITING | 1u << X_SENT | 1u << X_DONE | 1u << X_DENIED | 1u << X_FAILED | 1u << X_CANCELLED,
		[X_WAITING] = 1u << X_SENT | 1u << X_DONE | 1u << X_DENIED | 1u << X_FAILED | 1u << X_CANCELLED,
		[X_SENT] = 1u << X_WAITING | 1u << X_PARKED | 1u << X_ANSWERING | 1u << X_DONE | 1u << X_DENIED | 1u << X_FAILED | 1u << X_CANCELLED,
		[X_PARKED] = 1u << X_SENT | 1u << X_DONE | 1u << X_FAILED | 1u << X_CANCELLED,
		[X_ANSWERING] = 1u << X_PARKED | 1u << X_DONE | 1u << X_DENIED | 1u << X_FAILED | 1u << X_CANCELLED,
	};
	return from < X_DONE && (next[from] >> to & 1u);
}

static void open_value_call(struct exchange *x)
{
	struct call_summary s;

	call_summary(x->call, &s);
	if (!s.bears_values || x->value_open)
		return;
	x->value_open = true;
	x->channel->trunk->backend->open_value_calls++;
}

/* The vault may still speak of a call that was given up before it had ended it. */
static void close_value_call(struct exchange *x, bool ended)
{
	struct backend *b = x->channel->trunk->backend;
	uint64_t until_ms = uv_now(x->app->loop) + (ended ? VALUE_ECHO_MS : VALUE_LATE_MS);

	if (!x->value_open)
		return;
	x->value_open = false;
	b->open_value_calls--;
	if (b->values_until_ms < until_ms)
		b->values_until_ms = until_ms;
}

void exchange_move(struct exchange *x, enum exchange_state to)
{
	if (!legal(x->state, to))
		abort();
	x->state = to;
	if (to == X_SENT && x->call)
		open_value_call(x);
	if (to == X_WAITING || to == X_SENT)
		exchange_touch(x);
	if (to >= X_ANSWERING)
		close_value_call(x, to == X_ANSWERING || !x->ucall);
}

void exchange_touch(struct exchange *x)
{
	x->deadline_ms = x->kind == XK_LISTEN || x->method == M_LISTEN ? 0 : uv_now(x->app->loop) + x->channel->trunk->backend->conf->timeout_ms;
}

uint64_t exchange_due_ms(const struct exchange *x)
{
	if (!x->deadline_ms || x->paused || x->reading)
		return UINT64_MAX;
	return x->deadline_ms > x->channel->asked_until_ms ? x->deadline_ms : x->channel->asked_until_ms;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

static struct exchange *take_free(struct app *app)
{
	struct exchange *x = app->free_exchanges;

	if (x) {
		app->free_exchanges = x->next;
		app->n_free_exchanges--;
		return x;
	}
	x = calloc(1, sizeof *x);
	if (x)
		arena_init(&x->arena, ARENA_EXTRA_BYTES);
	return x;
}

/* --- a reply for nobody --- */

static void deaf_stream(struct reply *r)
{
	(void)r;
}

static void deaf_message(struct reply *r, struct slice json)
{
	(void)r;
	(void)json;
}

static void deaf_fail(struct reply *r, int status, struct slice json)
{
	(void)r;
	(void)status;
	(void)json;
}

static bool deaf_full(struct reply *r)
{
	(void)r;
	return false;
}

static const struct reply_ops deaf_ops = { .stream = deaf_stream, .message = deaf_message, .answer = deaf_message,
	.accepted = deaf_stream, .fail = deaf_fail, .full = deaf_full, .session = deaf_message };

/* The request is still being read: what it asks for is done all the same, as if its agent had left a moment later. */
static void leave_unread(struct exchange *x)
{
	x->deaf = (struct reply){ .ops = &deaf_ops, .exchange = x };
	x->reply = &x->deaf;
	reading_finish(x);
}

static void on_gone(struct exchange *x)
{
	if (x->state == X_NEW && reading_waits(x)) {
		leave_unread(x);
		return;
	}
	x->reply = NULL;
	if (x->kind == XK_LISTEN || x->state == X_NEW)
		exchange_end(x, X_CANCELLED);
	else if (x->rpc.stateless && (x->state == X_WAITING || x->state == X_SENT))
		exchange_abandon(x);
	else if (resume_gone(x))
		return;
	else if (x->paused) /* nobody drains any more, but the answer must still be read and judged */
		exchange_unpause(x);
}

static void on_drained(struct exchange *x)
{
	exchange_unpause(x);
}

struct exchange *exchange_new(struct app *app, const struct ask *ask, struct reply *reply)
{
	static const struct exchange_ops ops = { .gone = on_gone, .drained = on_drained };
	struct exchange *x = take_free(app);
	struct arena arena;

	if (!x)
		return NULL;
	arena = x->arena;
	*x = (struct exchange){ .base = { &ops }, .app = app, .reply = reply, .arena = arena };
	resume_init(&x->resume);
	x->began_us = exchange_clock(x);
	x->version = arena_dup(&x->arena, ask->version);
	x->traceparent = arena_dup(&x->arena, ask->traceparent);
	reply->exchange = x;
	return x;
}

static void recycle(struct exchange *x)
{
	struct app *app = x->app;

	reading_forget(x);
	arena_reset(&x->arena);
	resume_finish(&x->resume);
	config_unref(x->config);
	config_unref(x->judged_by);
	x->config = x->judged_by = NULL;
	if (app->n_free_exchanges == KEEP_FREE) {
		arena_finish(&x->arena);
		free(x);
		return;
	}
	x->next = app->free_exchanges;
	app->free_exchanges = x;
	app->n_free_exchanges++;
}

void exchange_discard(struct exchange *x)
{
	exchange_take_reply(x);
	recycle(x);
}

void exchange_link(struct exchange *x, struct channel *c)
{
	struct trunk *t = c->trunk;

	x->channel = c;
	if (!x->config)
		x->config = config_ref(x->app->config);
	x->next = t->exchanges;
	x->prev = NULL;
	if (t->exchanges)
		t->exchanges->prev = x;
	t->exchanges = x;
	c->n_exchanges++;
	c->used_ms = uv_now(x->app->loop);
}

void exchange_unlink(struct exchange *x)
{
	struct trunk *t = x->channel->trunk;

	if (x->prev)
		x->prev->next = x->next;
	else
		t->exchanges = x->next;
	if (x->next)
		x->next->prev = x->prev;
	if (x->resume.parked)
		x->channel->n_parked--;
	else
		x->channel->n_exchanges--;
	if (x->channel->listener == x)
		x->channel->listener = NULL;
}

/* A session that never came to be: the vault gave none, or its initialize failed. */
static bool is_orphan(const struct channel *c, bool initialize)
{
	bool begun = c->session[0] && !(initialize && !c->version[0]);

	return !c->closing && !c->stateless && !c->stdio && !begun && c->n_exchanges == 0;
}

void exchange_end(struct exchange *x, enum exchange_state how)
{
	struct channel *c = x->channel;
	struct trunk *t = c->trunk;
	bool initialize = x->method == M_INITIALIZE;

	exchange_move(x, how);
	if (x->ucall) {
		upstream_cancel(x->ucall);
		x->ucall = NULL;
	}
	exchange_take_reply(x);
	exchange_unlink(x);
	recycle(x);
	if (initialize && t->shared)
		trunk_introduced(t, t->hello.n > 0);
	if (is_orphan(c, initialize))
		channel_close(c);
}

struct reply *exchange_take_reply(struct exchange *x)
{
	struct reply *r = x->reply;

	x->reply = NULL;
	if (r)
		r->exchange = NULL;
	return r;
}

void exchange_accept(struct exchange *x)
{
	struct reply *r = exchange_take_reply(x);

	if (r)
		r->ops->accepted(r);
	exchange_end(x, X_DONE);
}

/* --- ends ------------------------------------------------------------------------------------------------------------ */

uint64_t exchange_clock(const struct exchange *x)
{
	return audit_wanted(x->app->audit) ? app_now_us() : 0;
}

static void write_audit(struct exchange *x, const char *outcome, const char *failure)
{
	struct call_summary summary;
	uint64_t now = app_now_us();
	uint64_t theirs = x->sent_us ? (x->answered_us ? x->answered_us : now) - x->sent_us : 0;
	struct audit_line line = {
		.id = x->judgement.id, .agent = x->channel->agent->name, .session = slice_of(x->channel->session),
		.upstream = x->channel->trunk->backend->conf->name, .profile = x->policy ? x->policy->profile : SL(""),
		.config_hash = x->config->hash, .method = x->rpc.method_name, .judgement = &x->judgement, .outcome = outcome,
		.failure = failure, .upstream_status = x->upstream_status, .theirs_us = theirs,
		.ours_us = now - x->began_us > theirs ? now - x->began_us - theirs : 0,
	};

	if (x->call) {
		call_summary(x->call, &summary);
		line.call = &summary;
	}
	audit_write(x->app->audit, &line);
}

void exchange_audit(struct exchange *x, const char *outcome, const char *failure)
{
	if (!x->audited && audit_wanted(x->app->audit))
		write_audit(x, outcome, failure);
	x->audited = true;
}

void exchange_fail(struct exchange *x, int status, int code, const char *text)
{
	if (reading_waits(x) && !reading_finish(x))
		return;
	struct reply *r = exchange_take_reply(x);

	if (x->kind != XK_LISTEN)
		exchange_audit(x, "failed", text);
	if (r && x->kind == XK_LISTEN && x->streaming)
		r->ops->accepted(r); /* the stream ends */
	else if (r)
		r->ops->fail(r, status, x->id.n || x->kind == XK_LISTEN ? judge_failure(x->id, code, text, &x->arena) : SL(""));
	exchange_end(x, X_FAILED);
}

void exchange_timeout(struct exchange *x)
{
	struct trunk *t = x->channel->trunk;

	if (resume_due(x))
		return;
	if (x->kind == XK_REQUEST && x->state == X_SENT && x->method != M_INITIALIZE) {
		struct slice cancel = arena_fmt(&x->arena,
			"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%.*s,\"reason\":\"timeout\"}}",
			SL_ARG(x->upstream_id));
		trunk_tell(t, cancel, slice_of(x->channel->version));
	}
	exchange_fail(x, 504, RPC_INTERNAL_ERROR, "the vault did not answer in time");
}

void exchange_abandon(struct exchange *x)
{
	struct trunk *t = x->channel->trunk;

	if (reading_waits(x) && !reading_finish(x))
		return;
	exchange_audit(x, "cancelled", NULL);
	if (x->state == X_SENT && backend_is_pipe(t->backend)) {
		struct slice cancel = arena_fmt(&x->arena,
			"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%.*s}}", SL_ARG(x->upstream_id));
		trunk_tell(t, cancel, x->version);
	}
	exchange_end(x, X_CANCELLED);
}

void exchange_end_subscription(struct exchange *x)
{
	struct reply *r = exchange_take_reply(x);

	if (r) {
		r->ops->stream(r);
		r->ops->accepted(r);
	}
	exchange_abandon(x);
}

void exchange_cancelled(struct exchange *x)
{
	if (reading_waits(x) && !reading_finish(x))
		return;
	struct reply *r = exchange_take_reply(x);

	exchange_audit(x, "cancelled", NULL);
	if (r)
		r->ops->answer(r, judge_failure(x->id, RPC_INTERNAL_ERROR, "the request was cancelled", &x->arena));
	exchange_end(x, X_CANCELLED);
}

/* --- pausing ---------------------------------------------------------------------------------------------------------- */

void exchange_unpause(struct exchange *x)
{
	if (!x->paused)
		return;
	x->paused = false;
	if (x->ucall)
		upstream_resume(x->ucall);
	exchange_touch(x); /* the time before was the agent's */
}

void exchange_pause_if_full(struct exchange *x)
{
	if (x->paused || !x->ucall || !x->reply || !x->reply->ops->full(x->reply))
		return;
	x->paused = true;
	upstream_pause(x->ucall);
}

/* --- what a guard may see ---------------------------------------------------------------------------------------------- */

void exchange_view(const struct channel *c, const struct policy *policy, struct arena *arena, struct view *out)
{
	struct backend *b = c->trunk->backend;

	*out = (struct view){
		.policy = policy, .catalog = backend_catalog(b), .ledger = c->agent->ledger, .tools = b->tools, .accepted = b->conf->pins,
		.upstream = b->conf->name, .now_ms = app_wall_ms(), .tells_paths = audit_wanted(b->app->audit), .names = &b->app->names, .arena = arena,
		.value_call_open = b->open_value_calls > 0, .value_echoes = uv_now(b->app->loop) < b->values_until_ms,
	};
}
