#include "upstream/auto.h"

#include <stdlib.h>
#include "base/buf.h"
#include "base/log.h"
#include "mcp/rpc.h"
#include "mcp/stateless.h"
#include "upstream/http.h"
#include "upstream/http_call.h"
#include "upstream/sse_legacy.h"

#define MAX_FIELD_BYTES 1024

struct auto_conversation {
	struct upstream base;
	struct http_vault *vault;
	struct upstream *http, *sse;     /* the second one is made when it is needed; both stay */
	struct upstream_events events;
	struct opening *openings;        /* list: mostly one */
	bool speaks_sse;
};

/* An initialize under way, kept so that it can go the other way. All other calls are those of the transport itself. */
struct opening {
	struct upstream_call_base base;
	struct auto_conversation *conversation;
	struct opening *next;
	struct upstream_call *call;
	struct upstream_sink sink;
	struct buf body, id, version, traceparent;
	struct buf error;                /* a JSON-RPC error that may only say: not this way */
	struct upstream_end first;       /* how the first attempt ended */
	bool heard;                      /* the vault has answered it */
	bool second;
	bool ended;                      /* its end is being told */
	bool cancelled;                  /* meanwhile */
};

static struct auto_conversation *conversation_of(struct upstream *u)
{
	return (struct auto_conversation *)(void *)u;
}

static struct opening *opening_of(struct upstream_call *c)
{
	return (struct opening *)(void *)c;
}

static struct upstream *transport_of(const struct auto_conversation *v)
{
	return v->speaks_sse ? v->sse : v->http;
}

static bool have_transport(struct auto_conversation *v)
{
	struct upstream **u = v->speaks_sse ? &v->sse : &v->http;

	if (!*u)
		*u = v->speaks_sse ? sse_legacy_open(v->vault, &v->events) : http_open(v->vault, &v->events);
	return *u != NULL;
}

/* --- an initialize ------------------------------------------------------------------------------------------------ */

/* Off its conversation's list, when it is still on it. */
static void leave(struct opening *o)
{
	struct opening **at = o->conversation ? &o->conversation->openings : NULL;

	while (at && *at != o)
		at = &(*at)->next;
	if (at)
		*at = o->next;
	o->conversation = NULL;
}

static void opening_free(struct opening *o)
{
	leave(o);
	buf_finish(&o->body);
	buf_finish(&o->id);
	buf_finish(&o->version);
	buf_finish(&o->traceparent);
	buf_finish(&o->error);
	free(o);
}

static void on_session(void *ctx)
{
	struct opening *o = ctx;

	if (o->sink.session)
		o->sink.session(o->sink.ctx);
}

static void on_stream(void *ctx)
{
	struct opening *o = ctx;

	o->heard = true;
	if (o->sink.stream)
		o->sink.stream(o->sink.ctx);
}

static void on_mark(void *ctx, const struct sse_mark *mark, bool alone)
{
	struct opening *o = ctx;

	if (o->sink.mark)
		o->sink.mark(o->sink.ctx, mark, alone);
}

/* An error of any server may come with 400, 404 or 405; these are of one that knows MCP 2026-07-28, and so no HTTP+SSE. */
static bool is_modern(int64_t code)
{
	return code == MCP_HEADER_MISMATCH || code == MCP_MISSING_CAPABILITY || code == MCP_UNSUPPORTED_VERSION;
}

/* Whether a message is an error by which the vault may mean that this is not its transport. */
static bool may_mean_other(struct opening *o, struct slice json)
{
	struct arena *arena = &o->conversation->vault->vault->scratch;
	struct rpc rpc;
	int64_t code = 0;
	bool yes = rpc_parse(&rpc, json, arena, NULL) == E_OK && rpc.kind == RPC_ERROR;

	if (yes)
		yes = json_int(&rpc.json, json_member(&rpc.json, rpc.error, SL("code")), &code) && !is_modern(code);
	arena_reset(arena);
	return yes;
}

static void tell(struct opening *o, struct slice json)
{
	o->heard = true;
	if (o->sink.message)
		o->sink.message(o->sink.ctx, json);
}

static void on_message(void *ctx, struct slice json)
{
	struct opening *o = ctx;

	if (!o->heard && !o->second && !o->conversation->speaks_sse && may_mean_other(o, json) && buf_add(&o->error, json) == E_OK)
		return; /* the end says with which status it came */
	tell(o, json);
}

/* Whether this end says that the vault speaks the other transport. */
static bool says_other(const struct auto_conversation *v, const struct upstream_end *end)
{
	if (!v->speaks_sse)
		return end->status == 400 || end->status == 404 || end->status == 405;
	return end->outcome == UP_GARBAGE || (end->outcome == UP_STATUS && end->status < 500);
}

static bool set_out(struct opening *o);

/* Its owner may cancel it when it hears of the error, or close the conversation. */
static void end_opening(struct opening *o, const struct upstream_end *end)
{
	struct upstream_sink sink = o->sink;
	struct buf error = o->error;

	buf_init(&o->error, 0);
	if (error.n && !o->heard && sink.message) {
		o->ended = true;
		sink.message(sink.ctx, buf_slice(&error));
	}
	buf_finish(&error);
	if (o->cancelled) {
		opening_free(o);
		return;
	}
	opening_free(o);
	if (sink.end)
		sink.end(sink.ctx, end);
}

static void on_end(void *ctx, const struct upstream_end *end)
{
	struct opening *o = ctx;
	struct auto_conversation *v = o->conversation;
	struct upstream_end told = *end;

	o->call = NULL;
	if (!o->heard && !o->second && says_other(v, end)) {
		o->first = *end;
		o->second = true;
		v->speaks_sse = !v->speaks_sse;
		if (have_transport(v) && set_out(o))
			return;
	}
	if (o->heard && v->vault->speaks != (v->speaks_sse ? VAULT_SSE : VAULT_STREAMABLE_HTTP)) {
		v->vault->speaks = v->speaks_sse ? VAULT_SSE : VAULT_STREAMABLE_HTTP;
		log_info("upstream", "%s speaks %s", v->vault->vault->name, v->speaks_sse ? "HTTP+SSE (2024-11-05)" : "Streamable HTTP");
	}
	if (!o->heard && o->second) { /* neither: the first to be asked is the one to be told of */
		told = o->first;
		v->speaks_sse = !v->speaks_sse;
	}
	end_opening(o, &told);
}

static bool set_out(struct opening *o)
{
	struct upstream_request r = { .body = buf_slice(&o->body), .id = buf_slice(&o->id), .version = buf_slice(&o->version),
		.traceparent = buf_slice(&o->traceparent), .opens_session = true };
	struct upstream_sink sink = { on_session, on_stream, on_mark, on_message, on_end, o };

	o->call = upstream_send(transport_of(o->conversation), &r, &sink);
	return o->call != NULL;
}

static struct opening *opening_create(struct auto_conversation *v, const struct upstream_request *r, const struct upstream_sink *sink)
{
	struct opening *o = calloc(1, sizeof *o);

	if (!o)
		return NULL;
	o->base.up = &v->base;
	o->conversation = v;
	o->sink = *sink;
	o->next = v->openings;
	v->openings = o;
	buf_init(&o->body, SIZE_MAX);
	buf_init(&o->id, SIZE_MAX);
	buf_init(&o->version, MAX_FIELD_BYTES);
	buf_init(&o->traceparent, MAX_FIELD_BYTES);
	buf_init(&o->error, SIZE_MAX);
	buf_add(&o->body, r->body);
	buf_add(&o->id, r->id);
	buf_add(&o->version, r->version);
	buf_add(&o->traceparent, r->traceparent);
	if (!o->body.failed && !o->id.failed && !o->version.failed && !o->traceparent.failed && set_out(o))
		return o;
	opening_free(o);
	return NULL;
}

/* --- the conversation --------------------------------------------------------------------------------------------- */

static struct upstream_call *op_send(struct upstream *u, const struct upstream_request *r, const struct upstream_sink *sink)
{
	struct auto_conversation *v = conversation_of(u);

	return r->opens_session ? (struct upstream_call *)opening_create(v, r, sink) : upstream_send(transport_of(v), r, sink);
}

static struct upstream_call *op_listen(struct upstream *u, const struct upstream_request *r, const struct upstream_sink *sink)
{
	return upstream_listen(transport_of(conversation_of(u)), r, sink);
}

static void op_pause(struct upstream_call *c)
{
	if (opening_of(c)->call)
		upstream_pause(opening_of(c)->call);
}

static void op_resume(struct upstream_call *c)
{
	if (opening_of(c)->call)
		upstream_resume(opening_of(c)->call);
}

static void op_cancel(struct upstream_call *c)
{
	struct opening *o = opening_of(c);

	if (o->ended) {
		o->cancelled = true;
		return;
	}
	upstream_cancel(o->call);
	opening_free(o);
}

static bool op_has_session(const struct upstream *u)
{
	return upstream_has_session(transport_of((const struct auto_conversation *)(const void *)u));
}

static void op_close(struct upstream *u)
{
	struct auto_conversation *v = conversation_of(u);

	upstream_close(v->http);
	upstream_close(v->sse);
	while (v->openings) {
		struct opening *o = v->openings;

		if (o->ended) { /* end_opening frees it */
			o->cancelled = true;
			leave(o);
		} else {
			opening_free(o);
		}
	}
	free(v);
}

static const struct upstream_ops ops = {
	.send = op_send,
	.listen = op_listen,
	.pause = op_pause,
	.resume = op_resume,
	.cancel = op_cancel,
	.has_session = op_has_session,
	.close = op_close,
};

struct upstream *auto_open(struct http_vault *h, const struct upstream_events *events)
{
	struct auto_conversation *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->base.ops = &ops;
	v->vault = h;
	v->events = *events;
	v->speaks_sse = h->speaks == VAULT_SSE;
	if (have_transport(v))
		return &v->base;
	free(v);
	return NULL;
}
