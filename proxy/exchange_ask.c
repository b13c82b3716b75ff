/* The way up: a message of the agent is judged, and what may pass is sent to the vault. */
#include "base/log.h"
#include "mcp/stateless.h"
#include "proxy/exchange_inside.h"
#include "proxy/fetch.h"
#include "proxy/remap.h"

static void judge(struct exchange *x);

/* --- finding out what it is ------------------------------------------------------------------------------------------- */

static enum exchange_kind kind_of(const struct rpc *rpc)
{
	switch (rpc->kind) {
	case RPC_REQUEST:
		return XK_REQUEST;
	case RPC_NOTIFICATION:
		return XK_NOTIFICATION;
	case RPC_RESULT:
	case RPC_ERROR:
		break;
	}
	return XK_ANSWER;
}

static bool find_policy(struct exchange *x)
{
	const struct agent_config *conf = agent_config_of(x->config, x->channel->agent);

	x->policy = conf ? conf->policy : NULL;
	return conf && agent_may_use(conf, x->channel->trunk->backend->conf->name);
}

/* An id that is already in flight on this channel: its answer could not be told from the other's (JSON-11). */
static bool id_in_use(const struct exchange *x, struct slice key)
{
	if (x->channel->stateless)
		return false;
	for (const struct exchange *o = x->channel->trunk->exchanges; o; o = o->next)
		if (o != x && o->channel == x->channel && o->kind == XK_REQUEST &&
			o->state != X_ANSWERING && !o->resume.answered && slice_eq(o->id_key, key))
			return true;
	return false;
}

void exchange_start(struct exchange *x, struct channel *c)
{
	exchange_link(x, c);
	x->kind = kind_of(&x->rpc);
	x->id = x->kind == XK_REQUEST ? rpc_id(&x->rpc) : SL(""); /* the id of an answer is the vault's: it means nothing to the agent */
	app_decision_id(x->app, x->judgement.id);
	if (!find_policy(x)) {
		exchange_fail(x, 403, RPC_INVALID_REQUEST, "this agent may not use this upstream");
		return;
	}
	if (c->n_exchanges > MAX_EXCHANGES_PER_CHANNEL) {
		exchange_fail(x, 503, RPC_INTERNAL_ERROR, "too many requests in flight");
		return;
	}
	if (x->kind == XK_REQUEST) {
		const struct method_row *row = method_find(x->rpc.method_name, SIDE_CLIENT, false);

		x->method = row ? row->id : M_UNKNOWN;
		x->id_key = x->upstream_id = rpc_id_key(&x->rpc, &x->arena);
		if (id_in_use(x, x->id_key)) {
			exchange_fail(x, 400, RPC_INVALID_REQUEST, "the id is in use by a request in flight");
			return;
		}
	}
	if (trunk_introducing(c->trunk))
		exchange_move(x, X_WAITING);
	else
		judge(x);
}

/* --- verdicts ---------------------------------------------------------------------------------------------------------- */

/* JSON stays JSON, a stream a stream, and the session's id stands on the same answers, whoever gives them. */
static void answer_as_vault(struct exchange *x, struct reply *r)
{
	const struct backend *b = x->channel->trunk->backend;

	if (b->names_session && x->channel->session[0] && x->method != M_INITIALIZE)
		r->ops->session(r, slice_of(x->channel->session));
	if (b->streams)
		r->ops->stream(r);
	r->ops->answer(r, x->judgement.refusal);
}

static void refuse(struct exchange *x)
{
	struct reply *r = exchange_take_reply(x);

	exchange_audit(x, "refused", NULL);
	if (r && x->rpc.stateless && (x->judgement.why.reason == R_METHOD || x->judgement.why.reason == R_CAPABILITY))
		r->ops->fail(r, x->judgement.why.reason == R_METHOD ? 404 : 400, x->judgement.refusal);
	else if (r && x->rpc.stateless)
		r->ops->answer(r, x->judgement.refusal);
	else if (r && x->kind == XK_REQUEST)
		answer_as_vault(x, r);
	else if (r)
		r->ops->accepted(r);
	exchange_end(x, X_DENIED);
}

/* The vault asked, the agent's answer may not pass: the vault still gets one, so that it does not wait for ever. */
static void refuse_answer(struct exchange *x)
{
	trunk_tell(x->channel->trunk, x->judgement.refusal, x->version);
	refuse(x);
}

/* Initialize on a shared trunk that has been opened before: its answer is known. */
static bool answer_hello(struct exchange *x)
{
	struct trunk *t = x->channel->trunk;
	struct buf out;

	if (!t->shared || x->method != M_INITIALIZE || !t->hello.n)
		return false;
	buf_init(&out, t->hello.n + x->id.n + 64);
	rpc_make_result(&out, x->id, t->hello);
	exchange_move(x, X_SENT);
	struct upstream_sink sink = exchange_sink(x);
	sink.message(x, buf_slice(&out));
	buf_finish(&out);
	return true;
}

static struct slice next_key(struct exchange *x)
{
	return arena_fmt(&x->arena, "%llu", (unsigned long long)++x->channel->trunk->next_id);
}

static void note_progress(struct exchange *x)
{
	uint32_t tok = json_member(&x->rpc.json, json_member(&x->rpc.json, x->rpc.params, SL("_meta")), SL("progressToken"));

	if (tok == JSON_NONE)
		return;
	x->progress = remap_key(&x->rpc.json, tok, &x->arena);
	x->upstream_progress = x->progress;
}

/* On a shared trunk the request gets an id (and progress token) nobody else has; the bytes to send, or empty. */
static struct slice own_ids(struct exchange *x, struct slice bytes)
{
	if (x->kind != XK_REQUEST || !x->channel->trunk->shared)
		return bytes;
	x->upstream_id = next_key(x);
	if (x->progress.n)
		x->upstream_progress = x->upstream_id;
	return remap_request(bytes, x->upstream_id, &x->arena);
}

static void send_up(struct exchange *x, struct slice bytes)
{
	struct channel *c = x->channel;
	struct upstream_sink sink = exchange_sink(x);
	struct slice mirror;

	if (x->method == M_INITIALIZE && !channel_keep_hello(c, bytes)) {
		exchange_fail(x, 503, RPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	if (!exchange_mirror(x, bytes, &mirror))
		return;
	note_progress(x);
	bytes = own_ids(x, bytes);
	bool agreed = c->version[0] && x->method != M_INITIALIZE && !x->rpc.stateless;
	struct slice version = agreed ? slice_of(c->version) : x->version;
	struct upstream_request r = {
		.body = bytes, .id = x->kind == XK_REQUEST ? x->upstream_id : SL(""), .version = version,
		.traceparent = x->traceparent, .mirror = mirror, .opens_session = x->method == M_INITIALIZE,
	};

	exchange_move(x, X_SENT);
	x->sent_us = exchange_clock(x);
	x->ucall = bytes.n ? upstream_send(c->trunk->up, &r, &sink) : NULL;
	if (!x->ucall)
		exchange_fail(x, 503, RPC_INTERNAL_ERROR, "out of memory");
}

/* --- notifications of the agent that concern us ----------------------------------------------------------------------- */

/* NULL too where it is not clear which is meant: without sessions, several clients may use the same id. */
static struct exchange *find_open(struct exchange *x, struct slice key)
{
	struct exchange *found = NULL;

	for (struct exchange *o = x->channel->trunk->exchanges; o; o = o->next) {
		if (o->channel != x->channel || o->kind != XK_REQUEST || o->state == X_ANSWERING || o->resume.answered || !slice_eq(o->id_key, key))
			continue;
		if (found)
			return NULL;
		found = o;
	}
	return found;
}

/* notifications/cancelled: passed on for the id the vault knows; our exchange ends, since no answer is due any more. */
static void pass_cancel(struct exchange *x, struct slice bytes)
{
	uint32_t tok = json_walk(&x->rpc.json, x->rpc.params, "requestId");
	struct slice key = tok == JSON_NONE ? SL("") : remap_key(&x->rpc.json, tok, &x->arena);
	struct exchange *open = key.n ? find_open(x, key) : NULL;

	if (open && (open->state == X_SENT || open->state == X_PARKED)) {
		bool closes = open->rpc.stateless && !backend_is_pipe(x->channel->trunk->backend); /* the POST is closed, that says it */

		if (x->channel->trunk->shared)
			bytes = remap_cancel(bytes, open->upstream_id, &x->arena);
		if (bytes.n && !closes)
			trunk_tell(x->channel->trunk, bytes, slice_of(x->channel->version));
	}
	if (open)
		exchange_cancelled(open);
}

/* Notifications that end here: cancels, and a second `initialized` on a shared trunk. False: send it on. */
static bool keep_notification(struct exchange *x, struct slice bytes)
{
	struct trunk *t = x->channel->trunk;

	if (slice_eq(x->rpc.method_name, SL("notifications/cancelled"))) {
		pass_cancel(x, bytes);
		exchange_accept(x);
		return true;
	}
	if (slice_eq(x->rpc.method_name, SL("notifications/initialized"))) {
		bool again = t->shared && t->initialized;

		x->channel->initialized = t->initialized = true;
		exchange_open_ear(x->channel);
		if (again)
			exchange_accept(x);
		return again;
	}
	return false;
}

static void pass(struct exchange *x)
{
	struct slice bytes = x->judgement.bytes;

	if (x->kind == XK_NOTIFICATION && keep_notification(x, bytes))
		return;
	if (!answer_hello(x))
		send_up(x, bytes);
}

void exchange_wait_for_tools(struct exchange *x)
{
	if (x->fetched) {
		exchange_fail(x, 502, RPC_INTERNAL_ERROR, "the vault's tool list could not be read, and without it the call cannot be judged");
		return;
	}
	x->wants_tools = true;
	if (x->state != X_WAITING)
		exchange_move(x, X_WAITING);
	fetch_tools(x->channel->trunk, x);
}

/*
 * Where the vault's own name chooses the catalog, nothing can be judged before it is known; and a catalog chosen so may
 * take the tenant from a header that nobody has set.
 */
static bool fails_unmet(struct exchange *x)
{
	struct backend *b = x->channel->trunk->backend;
	bool asks = x->kind == XK_REQUEST && x->method != M_INITIALIZE && x->method != M_PING;
	bool met = backend_is_met(b), held = backend_holds_tenant(b, x->policy);

	asks = asks && x->method != M_DISCOVER;
	if (asks && !met && x->rpc.stateless) { /* its tool list says who it is; one that does not say is nobody we know */
		if (!x->fetched) {
			exchange_wait_for_tools(x);
			return true;
		}
		backend_met(b, SL(""));
		met = backend_is_met(b);
		held = backend_holds_tenant(b, x->policy);
	}
	if (asks && !met)
		exchange_fail(x, 400, RPC_INVALID_REQUEST,
			"initialize first: which vault this is says how calls are judged, unless the configuration names its catalog");
	else if (asks && !held)
		exchange_fail(x, 503, RPC_INTERNAL_ERROR,
			"the vault takes its tenant from a header that is not set: the configuration must name its catalog");
	return asks && (!met || !held);
}

static void judge(struct exchange *x)
{
	struct view view;
	enum method asked = M_UNKNOWN;

	if (x->kind == XK_ANSWER && (asked = channel_answered(x->channel, rpc_id_key(&x->rpc, &x->arena))) == M_UNKNOWN) {
		x->judgement.kind = VERDICT_DENY;
		x->judgement.why.reason = R_MESSAGE;
		exchange_fail(x, 400, RPC_INVALID_REQUEST, "an answer to a request that was never made");
		return;
	}
	if (fails_unmet(x) || exchange_mirror_fails(x))
		return;
	config_unref(x->judged_by);
	x->judged_by = config_ref(x->channel->trunk->backend->config);
	exchange_view(x->channel, x->policy, &x->arena, &view);
	if (judge_gives_away(&view, x->traceparent))
		x->traceparent = SL("");
	judge_from_agent(&view, &x->rpc, asked, &x->call, &x->judgement);
	if (x->judgement.kind == VERDICT_PASS && judge_learn_reply(x->channel->agent->ledger, &view, &x->rpc, asked) != E_OK) {
		exchange_fail(x, 503, RPC_INTERNAL_ERROR, "too much is remembered for this agent");
		return;
	}
	switch (x->judgement.kind) {
	case VERDICT_NEED_TOOLS:
		exchange_wait_for_tools(x);
		return;
	case VERDICT_PASS:
	case VERDICT_REWRITE:
		pass(x);
		return;
	case VERDICT_DENY:
		break;
	}
	if (x->kind == XK_ANSWER && x->judgement.refusal.n)
		refuse_answer(x);
	else
		refuse(x);
}

void exchange_resume_judging(struct exchange *x, bool ok)
{
	x->fetched = true;
	if (ok)
		judge(x);
	else
		exchange_wait_for_tools(x);
}

/* --- the standing stream ------------------------------------------------------------------------------------------------ */

static void open_stream(struct exchange *x)
{
	struct channel *c = x->channel;
	struct upstream_sink sink = exchange_sink(x);
	struct upstream_request r = { .version = c->version[0] ? slice_of(c->version) : x->version, .last_event_id = x->after };

	if (c->stdio)
		r.last_event_id = buf_slice(&x->resume.last_id);

	if (x->state != X_SENT)
		exchange_move(x, X_SENT);
	if (c->trunk->shared)
		trunk_listen(c->trunk, r.version);
	else
		x->ucall = upstream_listen(c->trunk->up, &r, &sink);
	if (x->ucall)
		return;
	x->streaming = true;
	x->reply->ops->stream(x->reply); /* a pipe, or the trunk's own stream: messages come by channel_deliver */
	channel_flush(c);
}

/* The stream that an agent takes up again: its old one is over, whether we saw that or not. */
static void end_old_stream(struct channel *c)
{
	struct reply *r = c->listener ? exchange_take_reply(c->listener) : NULL;

	if (r)
		r->ops->accepted(r);
	if (c->listener)
		exchange_end(c->listener, X_CANCELLED);
}

void exchange_listen(struct exchange *x, struct channel *c, struct slice last_event_id)
{
	if (last_event_id.n && resume_listen(x, c, last_event_id, &x->after))
		return;
	if (x->after.n)
		end_old_stream(c);
	exchange_link(x, c);
	x->kind = XK_LISTEN;
	if (!find_policy(x))
		exchange_fail(x, 403, RPC_INVALID_REQUEST, "this agent may not use this upstream");
	else if (last_event_id.n && !x->after.n)
		exchange_fail(x, 400, RPC_INVALID_REQUEST, "Last-Event-ID is of no stream of this session that can be taken up again");
	else if (c->listener)
		exchange_fail(x, 409, RPC_INVALID_REQUEST, "this session has a stream already");
	else {
		c->listener = c->stateless ? NULL : x;
		if (trunk_introducing(c->trunk))
			exchange_move(x, X_WAITING);
		else if (!c->stdio)
			open_stream(x);
	}
}

void exchange_go_on(struct exchange *x)
{
	if (x->kind == XK_LISTEN)
		open_stream(x);
	else
		judge(x);
}

void exchange_open_ear(struct channel *c)
{
	if (c->stdio && c->listener && !c->listener->ucall)
		open_stream(c->listener);
}
