/* The way home: what the vault says to a request is judged message by message, and passed on at once. */
#include "mcp/stateless.h"
#include "proxy/changed.h"
#include "proxy/exchange_inside.h"
#include "proxy/reading.h"
#include "proxy/remap.h"

/* --- notifications and requests before the answer ---------------------------------------------------------------------- */

/* The headers of an answer to initialize carry the session: nothing goes out before there is one. */
static bool may_speak(const struct exchange *x)
{
	return x->reply && (x->method != M_INITIALIZE || x->streaming || x->channel->stdio);
}

void exchange_hear(struct exchange *x, const struct rpc *rpc, struct arena *arena)
{
	struct judgement j = { 0 };
	struct slice bytes, token = trunk_progress_key(rpc, arena);
	struct slice heard = trunk_subscription_key(rpc, arena);
	bool remapped = x->channel->trunk->shared && token.n, subscribed = x->channel->trunk->shared && heard.n;

	if (subscribed && !slice_eq(heard, x->upstream_id))
		return;
	if (x->state == X_SENT)
		exchange_touch(x);
	if (remapped && !slice_eq(token, x->upstream_progress))
		return; /* another agent's */
	channel_judge_vault(x->channel, rpc, arena, &j);
	if (j.kind == VERDICT_DENY || !may_speak(x))
		return;
	bytes = remapped ? remap_progress(j.bytes, x->progress, arena) :
		subscribed ? remap_subscription(j.bytes, x->id, arena) : j.bytes;
	if (!bytes.n)
		return;
	x->agreed |= changed_agreed(rpc);
	x->reply->ops->message(x->reply, bytes);
	exchange_pause_if_full(x);
}

static void hear_request(struct exchange *x, const struct rpc *rpc, struct arena *arena)
{
	exchange_touch(x);
	if (x->rpc.stateless) { /* only the client asks there, and no answer could be sent */
		backend_warn(x->channel->trunk->backend, "dropped a request of the vault: its revision has none");
		return;
	}
	channel_ask(x->channel, may_speak(x) ? x->reply : NULL, rpc, arena);
	exchange_pause_if_full(x);
}

/* --- initialize --------------------------------------------------------------------------------------------------------- */

/*
 * Hands out a session of our own where the vault has given one; before the first byte of the answer. Nobody can use one that
 * nobody hears of. False: too many.
 */
static bool give_session(struct exchange *x)
{
	struct channel *c = x->channel;

	if (c->session[0] || c->stdio || !x->reply || !upstream_has_session(c->trunk->up))
		return true;
	if (!channel_open_session(c))
		return false;
	x->reply->ops->session(x->reply, slice_of(c->session));
	return true;
}

/* The vault has introduced itself: revision, catalog, session. A static text when it cannot be worked with. */
static const char *on_hello(struct exchange *x, const struct rpc *rpc, struct arena *arena)
{
	struct channel *c = x->channel;
	struct backend *b = c->trunk->backend;
	uint32_t version = json_member(&rpc->json, rpc->result, SL("protocolVersion"));
	uint32_t name = json_walk(&rpc->json, rpc->result, "serverInfo.name");
	struct slice v = json_is(&rpc->json, version, JSON_STRING) ? json_string(&rpc->json, version, arena) : SL("");

	const struct era *era = era_find(v);

	if (!era || !era->handshake || v.n >= sizeof c->version)
		return "the vault chose a protocol revision that narrowgate does not speak";
	memcpy(c->version, v.p, v.n);
	c->version[v.n] = 0;
	if (json_is(&rpc->json, name, JSON_STRING))
		backend_met(b, json_string(&rpc->json, name, arena));
	if (!trunk_keep_hello(c->trunk, json_source(&rpc->json, rpc->result)))
		return "out of memory";
	c->trunk->offered = changed_offered(rpc);
	b->gives_sessions = upstream_has_session(c->trunk->up);
	b->streams = x->streaming;
	b->era = era;
	return give_session(x) ? NULL : "too many sessions are open";
}

/* --- the answer ----------------------------------------------------------------------------------------------------------- */

static void give(struct exchange *x, struct slice bytes, int status)
{
	struct reply *r = exchange_take_reply(x);

	if (r && status != 200)
		r->ops->fail(r, status, bytes);
	else if (r)
		r->ops->answer(r, bytes);
	if (!x->ucall)
		resume_end(x); /* else when the vault's side ends too, so that its connection can be used again */
}

/* An error may come without an id, for the vault could not read it: it is the answer all the same. */
static struct slice own_id_again(struct exchange *x, const struct rpc *rpc, struct slice bytes, struct arena *arena)
{
	return x->channel->trunk->shared || rpc->id == JSON_NONE ? remap_id(bytes, x->id, arena) : bytes;
}

static int64_t code_of(const struct rpc *rpc)
{
	int64_t code = 0;

	if (rpc->kind == RPC_ERROR)
		json_int(&rpc->json, json_member(&rpc->json, rpc->error, SL("code")), &code);
	return code;
}

/* Errors of the protocol itself have a status of their own where there are no sessions (MCP 2026-07-28, "Streamable HTTP"). */
static int http_status_of(const struct exchange *x, int64_t code)
{
	if (!x->rpc.stateless)
		return 200;
	if (code == RPC_METHOD_NOT_FOUND)
		return 404;
	return code == MCP_HEADER_MISMATCH || code == MCP_MISSING_CAPABILITY || code == MCP_UNSUPPORTED_VERSION ||
		code == RPC_PARSE_ERROR || code == RPC_INVALID_REQUEST ? 400 : 200;
}

/* Results of stateless revisions say whose they are. */
static void meet(struct exchange *x, const struct rpc *rpc, struct arena *arena)
{
	uint32_t meta = json_member(&rpc->json, rpc->result, SL("_meta"));
	uint32_t name = json_member(&rpc->json, json_member(&rpc->json, meta, META_SERVER), SL("name"));

	if (json_is(&rpc->json, name, JSON_STRING))
		backend_met(x->channel->trunk->backend, json_string(&rpc->json, name, arena));
}

static void answer(struct exchange *x, const struct rpc *rpc, struct arena *arena)
{
	struct judgement j = { 0 };
	struct view view;
	const char *why = NULL;
	int64_t code = code_of(rpc);

	bool mirrored = x->rpc.stateless || x->channel->trunk->backend->conf->translates;

	if (mirrored && code == MCP_HEADER_MISMATCH && exchange_learn_mirror(x))
		return;
	if (x->rpc.stateless && rpc->kind == RPC_RESULT)
		meet(x, rpc, arena);
	exchange_move(x, X_ANSWERING);
	exchange_touch(x);
	x->answered_us = exchange_clock(x);
	if (x->method == M_INITIALIZE && rpc->kind == RPC_RESULT)
		why = on_hello(x, rpc, arena);
	if (why) {
		exchange_fail(x, 502, RPC_INTERNAL_ERROR, why);
		return;
	}
	exchange_view(x->channel, x->policy, arena, &view);
	memcpy(j.id, x->judgement.id, sizeof j.id);
	enum err learnt = judge_learn(x->channel->agent->ledger, x->channel->trunk->backend->tools, &view, x->call, rpc);
	backend_tell_pins(x->channel->trunk->backend);
	if (learnt != E_OK) {
		exchange_fail(x, 503, RPC_INTERNAL_ERROR, "too much is remembered for this agent: the answer cannot be passed on safely");
		return;
	}
	struct config *held = config_ref(x->channel->trunk->backend->config); /* a long answer may be put aside over a reload */
	const struct finding *found = x->judgement.found;

	judge_answer(&view, x->call, rpc, &j);
	config_unref(held);
	if (j.guard)
		x->judgement = j;
	x->judgement.found = found ? found : j.found;
	struct slice bytes = own_id_again(x, rpc, j.kind == VERDICT_DENY ? j.refusal : j.bytes, arena);
	if (!bytes.n) {
		exchange_fail(x, 500, RPC_INTERNAL_ERROR, "the answer could not be written");
		return;
	}
	exchange_audit(x, j.kind == VERDICT_DENY ? "refused" : "answered", NULL);
	give(x, bytes, j.kind == VERDICT_DENY ? 200 : http_status_of(x, code));
}

/* Whether this answer is the one to our request: same id, same type (HTTP-12). */
static bool is_ours(const struct exchange *x, const struct rpc *rpc, struct arena *arena)
{
	return rpc->id == JSON_NONE ? rpc->kind == RPC_ERROR : slice_eq(rpc_id_key(rpc, arena), x->upstream_id);
}

static void read_message(struct exchange *x, struct slice json, struct arena *arena)
{
	struct rpc rpc;
	enum err e = rpc_parse(&rpc, json, arena, NULL);

	resume_put_mark(x);
	if (x->state == X_ANSWERING) {
		backend_warn(x->channel->trunk->backend, "dropped what came behind an answer");
	} else if (e != E_OK) {
		backend_warn(x->channel->trunk->backend, "an answer could not be read: %s", err_text(e));
		if (x->kind == XK_REQUEST)
			exchange_fail(x, 502, RPC_INTERNAL_ERROR, "the vault's answer could not be read safely");
	} else if (rpc.kind == RPC_NOTIFICATION) {
		exchange_hear(x, &rpc, arena);
	} else if (rpc.kind == RPC_REQUEST) {
		hear_request(x, &rpc, arena);
	} else if (x->kind == XK_REQUEST && is_ours(x, &rpc, arena)) {
		answer(x, &rpc, arena);
	} else if (x->kind == XK_REQUEST) {
		exchange_fail(x, 502, RPC_INTERNAL_ERROR, "the vault answered another request");
	}
}

static void on_message(void *ctx, struct slice json)
{
	struct exchange *x = ctx;
	struct app *app = x->app;

	if (reading_waits(x) && !reading_finish(x))
		return;
	reading_begin(x, json, &app->scratch, true, read_message);
	arena_reset(&app->scratch);
}

static void on_mark(void *ctx, const struct sse_mark *mark, bool alone)
{
	struct exchange *x = ctx;
	struct app *app = x->app;

	if (reading_waits(x) && !reading_finish(x))
		return; /* else the mark would be put before the message that came earlier */
	resume_mark(x, mark, alone);
	arena_reset(&app->scratch);
}

/* The vault names its session on this answer: so do we. On that to initialize it is ours to say when. */
static void on_session(void *ctx)
{
	struct exchange *x = ctx;

	if (x->method == M_INITIALIZE || !x->channel->session[0])
		return;
	x->channel->trunk->backend->names_session = true;
	if (x->reply)
		x->reply->ops->session(x->reply, slice_of(x->channel->session));
}

static void on_stream(void *ctx)
{
	struct exchange *x = ctx;

	x->streaming = true;
	if (x->method == M_INITIALIZE && !give_session(x)) {
		exchange_fail(x, 503, RPC_INTERNAL_ERROR, "too many sessions are open");
		return;
	}
	if (x->reply)
		x->reply->ops->stream(x->reply);
	if (x->kind == XK_LISTEN)
		channel_flush(x->channel);
}

/* --- the end of the vault's side ------------------------------------------------------------------------------------------- */

static int status_of(enum upstream_outcome o)
{
	switch (o) {
	case UP_UNREACHABLE:
	case UP_NO_CREDENTIAL:
		return 503;
	case UP_NOT_OFFERED:
		return 405;
	case UP_DONE:
	case UP_NO_ANSWER:
	case UP_BROKEN:
	case UP_TLS:
	case UP_SESSION_LOST:
	case UP_STATUS:
	case UP_UNAUTHORIZED:
	case UP_REDIRECT:
	case UP_GARBAGE:
	case UP_TOO_BIG:
		break;
	}
	return 502;
}

static void end_listen(struct exchange *x, const struct upstream_end *end)
{
	if (x->channel->stdio) { /* the ear stays, only the vault's stream is over */
		x->streaming = false;
		if (end->outcome != UP_DONE && end->outcome != UP_BROKEN)
			buf_clear(&x->resume.last_id); /* the vault may not want it */
		trunk_listen_later(x->channel->trunk, end->outcome, x->resume.retry_ms);
		return;
	}
	if (!x->streaming) {
		exchange_fail(x, status_of(end->outcome), RPC_INTERNAL_ERROR, upstream_outcome_text(end->outcome));
		return;
	}
	struct reply *r = exchange_take_reply(x);
	if (r)
		r->ops->accepted(r); /* the stream ends */
	exchange_end(x, X_DONE);
}

static void on_end(void *ctx, const struct upstream_end *end)
{
	struct exchange *x = ctx;
	struct channel *c = x->channel;

	x->ucall = NULL;
	if (reading_waits(x)) {
		x->late_end = *end;
		x->has_late_end = true;
		return;
	}
	x->upstream_status = end->status;
	if (x->resume.parked)
		return; /* it was answered in slices, after its stream had ended */
	if (x->state == X_ANSWERING) {
		resume_end(x);
		return;
	}
	if (end->outcome == UP_SESSION_LOST && !c->stateless && c->session[0]) {
		channel_lost(c); /* fails this exchange with all others; nothing is sent again */
		return;
	}
	if (x->kind == XK_LISTEN) {
		end_listen(x, end);
		return;
	}
	bool broke = end->outcome == UP_DONE || end->outcome == UP_NO_ANSWER || end->outcome == UP_BROKEN;
	if (broke && resume_suspend(x))
		return;
	if (x->kind == XK_REQUEST || end->outcome != UP_DONE) {
		enum upstream_outcome o = end->outcome == UP_DONE ? UP_NO_ANSWER : end->outcome;

		exchange_fail(x, status_of(o), RPC_INTERNAL_ERROR, upstream_outcome_text(o));
		return;
	}
	exchange_audit(x, "answered", NULL);
	exchange_accept(x);
}

bool exchange_was_read(struct exchange *x)
{
	if (!x->has_late_end)
		return true;
	x->has_late_end = false;
	on_end(x, &x->late_end);
	return false;
}

struct upstream_sink exchange_sink(struct exchange *x)
{
	return (struct upstream_sink){ .session = on_session, .stream = on_stream, .mark = on_mark, .message = on_message, .end = on_end, .ctx = x };
}
