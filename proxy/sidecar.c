#include "proxy/sidecar.h"

#include "mcp/mirror.h"
#include "mcp/stateless.h"
#include "mcp/rpc.h"
#include "proxy/backend.h"
#include "proxy/batch.h"
#include "proxy/channel.h"
#include "proxy/exchange.h"
#include "proxy/reading.h"

#define SESSION_NOT_FOUND (-32001) /* what the SDKs' own servers say with a 404 */

#define MAX_ERROR_BYTES 4096

/* Who and where, found out before anything is judged. */
struct caller {
	struct agent *agent;
	struct backend *backend;
};

static void fail(struct exchange *x, int status, int code, const char *text)
{
	struct reply *r = x->reply;
	struct slice body = judge_failure(x->id, code, text, &x->arena);

	r->exchange = NULL;
	r->ops->fail(r, status, body);
	x->reply = NULL;
	exchange_discard(x);
}

/* The revision the headers name, when it knows no handshake. */
static bool says_stateless(const struct ask *ask)
{
	const struct era *era = ask->version.n ? era_find(ask->version) : NULL;

	return era && !era->handshake;
}

static void fail_version(struct exchange *x, struct slice requested, enum era_kind kind)
{
	struct buf out, text, data;
	struct reply *r = x->reply;

	buf_init(&out, MAX_ERROR_BYTES);
	buf_init(&text, MAX_ERROR_BYTES);
	buf_init(&data, MAX_ERROR_BYTES);
	buf_add_fmt(&text, "Bad Request: unsupported protocol version (supported: %.*s)", SL_ARG(era_list()));
	era_unsupported(&data, requested, kind);
	rpc_make_error(&out, x->id, MCP_UNSUPPORTED_VERSION, buf_slice(&text), buf_slice(&data));
	r->exchange = NULL;
	r->ops->fail(r, 400, buf_slice(&out));
	buf_finish(&out);
	buf_finish(&text);
	buf_finish(&data);
	x->reply = NULL;
	exchange_discard(x);
}

static bool knows_version(const struct ask *ask)
{
	return !ask->version.p || era_find(ask->version);
}

/* Headers and body of a stateless request say the same. */
static bool check_headers(struct exchange *x, const struct ask *ask, struct slice version)
{
	const struct method_row *row = method_find(x->rpc.method_name, SIDE_CLIENT, false);
	struct mirror_fields fields = { ask->mcp_method, ask->mcp_name };
	const char *bad;

	if (ask->stdio)
		return true;
	bad = slice_eq(ask->version, version) ? mirror_check(&fields, &x->rpc, row ? row->id : M_UNKNOWN, &x->arena) :
		ask->version.n ? "the MCP-Protocol-Version header does not match the body" : "the MCP-Protocol-Version header is missing";
	if (bad)
		fail(x, 400, MCP_HEADER_MISMATCH, bad);
	return !bad;
}

/* Which kind of revision a message is of: its body says so, and its headers must not contradict. False: it was refused. */
static bool read_revision(struct exchange *x, const struct ask *ask)
{
	struct slice version = SL("");

	enum stateless_read kind = x->rpc.kind == RPC_REQUEST ? stateless_read(&x->rpc, &x->arena, &version) : STATELESS_NOT;

	if (kind == STATELESS_NOT && !knows_version(ask)) {
		fail_version(x, ask->version, ERA_ANY);
		return false;
	}
	if (x->rpc.kind != RPC_REQUEST) {
		x->rpc.stateless = x->rpc.kind == RPC_NOTIFICATION && says_stateless(ask);
		if (x->rpc.kind == RPC_NOTIFICATION || !says_stateless(ask))
			return true;
		fail(x, 400, RPC_INVALID_REQUEST, "this revision has no answers of the client's: they come in inputResponses");
		return false;
	}
	switch (kind) {
	case STATELESS_NOT:
		if (says_stateless(ask))
			fail(x, 400, RPC_INVALID_PARAMS, "params._meta lacks io.modelcontextprotocol/protocolVersion");
		return !says_stateless(ask);
	case STATELESS_MALFORMED:
		fail(x, 400, RPC_INVALID_PARAMS, "params._meta: a member of the protocol's is missing or of another type");
		return false;
	case STATELESS_UNKNOWN:
		if (ask->stdio || slice_eq(ask->version, version))
			fail_version(x, version, ERA_STATELESS);
		else
			fail(x, 400, MCP_HEADER_MISMATCH, "the MCP-Protocol-Version header does not match the body");
		return false;
	case STATELESS_OK:
		break;
	}
	x->rpc.stateless = true;
	x->version = arena_dup(&x->arena, version);
	if (mirror_has_params(ask->fields))
		x->params = arena_dup(&x->arena, ask->fields);
	return check_headers(x, ask, version);
}

static bool find_caller(struct exchange *x, const struct ask *ask, struct caller *out)
{
	const struct agent_config *conf;

	out->agent = agent_identify(x->app, ask, &conf);
	if (!out->agent) {
		fail(x, 401, RPC_INVALID_REQUEST, "no agent of the configuration is known by this caller's credentials");
		return false;
	}
	out->backend = backend_find(x->app, ask->upstream);
	if (!out->backend || !agent_may_use(conf, out->backend->conf->name)) {
		fail(x, 404, RPC_INVALID_REQUEST, x->app->n_backends > 1 && !ask->upstream.n ?
			"several upstreams are configured: use /NAME/mcp" : "this agent has no such upstream");
		return false;
	}
	return true;
}

/* The process's own conversation on stdio; there is one for each upstream. */
static struct channel *stdio_channel(struct app *app, const struct caller *who)
{
	for (struct trunk *t = who->backend->trunks; t; t = t->next)
		for (struct channel *c = t->channels; c; c = c->next)
			if (c->stdio)
				return c;
	struct channel *c = channel_create(app, who->agent, who->backend);
	if (c)
		c->stdio = true;
	return c;
}

static struct channel *find_channel(struct exchange *x, const struct ask *ask, const struct caller *who, bool opens)
{
	struct channel *c;

	if (ask->stdio) {
		c = stdio_channel(x->app, who);
	} else if (x->rpc.stateless) {
		c = channel_stateless(x->app, who->agent, who->backend, false);
	} else if (opens) {
		if (!channel_make_room(x->app, who->agent)) {
			fail(x, 503, RPC_INTERNAL_ERROR, "too many sessions are open");
			return NULL;
		}
		c = channel_create(x->app, who->agent, who->backend);
	} else if (ask->session.n) {
		c = channel_find(x->app, who->agent, who->backend, ask->session);
		if (!c) {
			fail(x, 404, SESSION_NOT_FOUND, "Session not found");
			return NULL;
		}
	} else if (who->backend->gives_sessions) {
		fail(x, 400, RPC_INVALID_REQUEST, "Mcp-Session-Id is required: start with initialize");
		return NULL;
	} else {
		c = channel_stateless(x->app, who->agent, who->backend, true);
	}
	if (!c || (c->trunk->lost && !channel_move(c, !opens))) {
		fail(x, 503, RPC_INTERNAL_ERROR, "out of memory");
		return NULL;
	}
	return c;
}

static const char *unreadable(enum err e)
{
	return e == E_BATCH ? "batches are not part of this protocol revision" : err_text(e);
}

static void read_request(struct exchange *x, struct slice body, struct arena *arena)
{
	const struct ask *ask = x->ask;
	struct caller who;
	enum err e = body.p ? rpc_parse(&x->rpc, body, arena, NULL) : E_NOMEM;

	arena->pace = NULL; /* from here on the world outside counts, and must stand still */
	if (e != E_OK) {
		bool shape = e == E_ENVELOPE || e == E_BATCH || e == E_ID || e == E_MEMBER;

		fail(x, 400, shape ? RPC_INVALID_REQUEST : RPC_PARSE_ERROR, unreadable(e));
		return;
	}
	x->id = x->rpc.kind == RPC_REQUEST ? rpc_id(&x->rpc) : SL("");
	if (x->app->draining) {
		fail(x, 503, RPC_INTERNAL_ERROR, "narrowgate is shutting down");
		return;
	}
	if (!read_revision(x, ask) || !find_caller(x, ask, &who))
		return;
	bool opens = x->rpc.kind == RPC_REQUEST && !x->rpc.stateless && slice_eq(x->rpc.method_name, SL("initialize"));
	if (opens && ask->session.n) {
		fail(x, 400, RPC_INVALID_REQUEST, "initialize does not belong to a session");
		return;
	}
	struct channel *c = find_channel(x, ask, &who, opens);
	if (c)
		exchange_start(x, c);
}

/*
 * The revision this conversation speaks. Without a session and a header, the one the vault last agreed to: to assume 2025-03-26
 * would give batches to those that have none. NULL: not known.
 */
static const struct era *era_of(const struct channel *c, const struct ask *ask)
{
	struct slice version = c->version[0] ? slice_of(c->version) : ask->version;

	return version.n ? era_find(version) : c->trunk->backend->era;
}

/* An array: where the revision has batches, its messages come back one by one. */
static void post_batch(struct front *front, const struct ask *ask, struct reply *reply)
{
	struct app *app = (struct app *)(void *)front;
	struct exchange *x = exchange_new(app, ask, reply);
	struct caller who;
	const struct era *era;
	const char *why;

	if (!x) {
		reply->ops->fail(reply, 503, SL(""));
		return;
	}
	if (!knows_version(ask) || says_stateless(ask)) {
		fail(x, 400, RPC_INVALID_REQUEST, unreadable(E_BATCH));
		return;
	}
	struct channel *c = find_caller(x, ask, &who) ? find_channel(x, ask, &who, false) : NULL;
	if (!c)
		return;
	era = era_of(c, ask);
	if (!era || !era->batches) {
		fail(x, 400, RPC_INVALID_REQUEST, unreadable(E_BATCH));
		return;
	}
	exchange_discard(x);
	why = batch_post(front, ask, reply);
	if (!why)
		return;
	x = exchange_new(app, ask, reply);
	if (x)
		fail(x, 400, RPC_INVALID_REQUEST, why);
	else
		reply->ops->fail(reply, 503, SL(""));
}

static void post(struct front *front, const struct ask *ask, struct reply *reply)
{
	struct app *app = (struct app *)(void *)front;

	if (batch_is(ask->body)) {
		post_batch(front, ask, reply);
		return;
	}
	struct exchange *x = exchange_new(app, ask, reply);
	if (!x) {
		reply->ops->fail(reply, 503, SL(""));
		return;
	}
	x->ask = ask;
	/* A copy: the exchange may outlive its caller, whose buffer goes with it. */
	reading_begin(x, arena_dup(&x->arena, ask->body), &x->arena, false, read_request);
}

static void listen_for(struct front *front, const struct ask *ask, struct reply *reply)
{
	struct app *app = (struct app *)(void *)front;
	struct exchange *x = exchange_new(app, ask, reply);
	struct caller who;

	if (!x) {
		reply->ops->fail(reply, 503, SL(""));
		return;
	}
	if (!find_caller(x, ask, &who))
		return;
	struct channel *c = find_channel(x, ask, &who, false);
	if (c)
		exchange_listen(x, c, ask->last_event_id);
}

static void end_session(struct front *front, const struct ask *ask, struct reply *reply)
{
	struct app *app = (struct app *)(void *)front;
	struct exchange *x = exchange_new(app, ask, reply);
	struct caller who;

	if (!x) {
		reply->ops->fail(reply, 503, SL(""));
		return;
	}
	if (!find_caller(x, ask, &who))
		return;
	if (!ask->session.n) {
		bool none = !who.backend->gives_sessions;

		fail(x, none ? 405 : 400, RPC_INVALID_REQUEST, none ? "there is no session to end" : "Mcp-Session-Id is required");
		return;
	}
	struct channel *c = channel_find(app, who.agent, who.backend, ask->session);
	if (!c) {
		fail(x, 404, SESSION_NOT_FOUND, "Session not found");
		return;
	}
	exchange_discard(x);
	channel_close(c);
	reply->ops->accepted(reply);
}

static bool has_upstream(const struct front *front, struct slice name)
{
	const struct app *app = (const struct app *)(const void *)front;

	if (!name.n)
		return true;
	for (size_t i = 0; i < app->n_backends; i++)
		if (slice_eq(app->backends[i]->conf->name, name))
			return true;
	return false;
}

static bool admit(struct front *front, const struct ask *ask, struct reply *reply)
{
	struct app *app = (struct app *)(void *)front;
	struct exchange *x = exchange_new(app, ask, reply);
	struct caller who;

	if (!x) {
		reply->ops->fail(reply, 503, SL(""));
		return false;
	}
	if (app->draining) {
		fail(x, 503, RPC_INTERNAL_ERROR, "narrowgate is shutting down");
		return false;
	}
	if (!find_caller(x, ask, &who))
		return false;
	exchange_discard(x);
	return true;
}

const struct front_ops sidecar_ops = {
	.post = post, .listen = listen_for, .end_session = end_session, .has_upstream = has_upstream, .admit = admit };
