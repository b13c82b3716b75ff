#include "upstream/translate.h"

#include <stddef.h>
#include <stdlib.h>
#include "base/log.h"
#include "mcp/stateless.h"
#include "upstream/translate_inside.h"

#define SAY_LIMIT_MS   30000

static struct translated *conversation_of(struct upstream *u)
{
	return (struct translated *)(void *)u;
}

static struct tcall *tcall_of(struct upstream_call *c)
{
	return (struct tcall *)(void *)c;
}

struct slice translate_next_id(struct translated *v, struct arena *arena)
{
	return arena_fmt(arena, "%llu", (unsigned long long)++v->next_id);
}

void translate_say(struct translated *v, struct slice json, struct slice version)
{
	static const struct upstream_sink nobody;
	struct upstream_request r = { .body = json, .version = version, .limit_ms = SAY_LIMIT_MS };

	if (json.n)
		upstream_send(v->inner, &r, &nobody);
}

/* --- what the vault says to a call ----------------------------------------------------------------------------------- */

static void hello_message(struct tcall *, const struct rpc *, struct slice json);
static void hello_end(struct tcall *, const struct upstream_end *);

static void on_message(void *ctx, struct slice json)
{
	struct tcall *c = ctx;
	struct arena arena;
	struct rpc rpc;

	arena_init(&arena, TRANSLATE_ARENA_BYTES);
	if (rpc_parse(&rpc, json, &arena, NULL) != E_OK || c->answered || c->part == PART_NATIVE)
		tcall_tell(c, json); /* its reader says what is wrong with it */
	else if (c->part == PART_HELLO)
		hello_message(c, &rpc, json);
	else if (c->part == PART_DOWN)
		down_message(c, &rpc, &arena);
	else
		up_message(c, &rpc, &arena);
	arena_finish(&arena);
}

static void on_stream(void *ctx)
{
	struct tcall *c = ctx;

	if (c->sink.stream && !c->rounds && c->part != PART_EAR)
		c->sink.stream(c->sink.ctx);
}

static void on_session(void *ctx)
{
	struct tcall *c = ctx;

	if (c->part == PART_HELLO && c->sink.session)
		c->sink.session(c->sink.ctx);
}

static void on_end(void *ctx, const struct upstream_end *end)
{
	struct tcall *c = ctx;

	c->inner = NULL;
	if (c->part == PART_HELLO)
		hello_end(c, end);
	else if (c->part == PART_NATIVE)
		tcall_over(c, end);
	else if (c->part == PART_DOWN)
		down_end(c, end);
	else
		up_end(c, end);
}

bool tcall_send(struct tcall *c, struct slice json, struct slice inner_id, struct slice version, struct slice mirror)
{
	struct upstream_sink sink = { .session = on_session, .stream = on_stream, .message = on_message, .end = on_end, .ctx = c };
	struct upstream_request r = { .body = json, .id = inner_id, .version = version, .traceparent = buf_slice(&c->traceparent),
		.mirror = mirror, .limit_ms = c->limit_ms, .opens_session = c->part == PART_HELLO };

	translate_set(&c->inner_id, inner_id);
	c->inner = json.n && !c->inner_id.failed ? upstream_send(c->owner->inner, &r, &sink) : NULL;
	if (!c->inner)
		tcall_fail(c, UP_UNREACHABLE, 0);
	return c->inner != NULL;
}

/* --- an agent's initialize -------------------------------------------------------------------------------------------- */

/* An error is kept: perhaps the vault knows no initialize, and is asked otherwise. */
static void hello_message(struct tcall *c, const struct rpc *rpc, struct slice json)
{
	if (rpc->kind != RPC_ERROR) {
		c->answered = rpc->kind == RPC_RESULT;
		tcall_tell(c, json);
		return;
	}
	translate_set(&c->say, json);
}

static void hello_end(struct tcall *c, const struct upstream_end *end)
{
	bool refused = c->say.n || (end->status >= 400 && end->status < 500 && end->status != 401 && end->status != 403);

	if (c->answered || !refused) {
		tcall_over(c, end);
		return;
	}
	c->ends = c->waits = true;
	c->end = *end;
	if (c->owner->vault->era == VAULT_STATELESS && c->owner->discovered.n)
		translate_go_on(c->owner, NULL);
	else
		translate_probe(c->owner);
}

static void keep_client(struct translated *v, const struct rpc *rpc, struct arena *arena)
{
	uint32_t info = json_member(&rpc->json, rpc->params, SL("clientInfo"));
	uint32_t version = json_member(&rpc->json, rpc->params, SL("protocolVersion"));
	uint32_t capabilities = json_member(&rpc->json, rpc->params, SL("capabilities"));

	translate_set(&v->client_info, json_is(&rpc->json, info, JSON_OBJECT) ? json_source(&rpc->json, info) : SL(""));
	translate_set(&v->version, json_is(&rpc->json, version, JSON_STRING) ? json_string(&rpc->json, version, arena) : SL(""));
	translate_set(&v->client_capabilities, translate_client_capabilities(&rpc->json, capabilities, arena));
}

static void send_hello(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	struct translated *v = c->owner;

	keep_client(v, rpc, arena);
	v->up = false;
	if (v->vault->era == VAULT_STATELESS && v->vault->no_handshake) { /* it has refused one before */
		c->waits = true;
		translate_probe(v);
		return;
	}
	tcall_send(c, buf_slice(&c->body), rpc_id_key(rpc, arena), buf_slice(&c->version), SL(""));
}

/* --- the conversation ------------------------------------------------------------------------------------------------- */

/* A notification says nothing of it itself: it belongs to whoever has talked here. */
static bool is_stateless(const struct translated *v, const struct rpc *rpc, const struct upstream_request *r, struct arena *arena)
{
	struct slice version;

	if (rpc->kind == RPC_REQUEST)
		return stateless_read(rpc, arena, &version) != STATELESS_NOT;
	return slice_eq(r->version, STATELESS_REVISION) || v->down != DOWN_STRANGER;
}

static struct upstream_call *send_stateless(struct translated *v, const struct rpc *rpc, const struct upstream_request *r,
	const struct upstream_sink *sink, struct arena *arena)
{
	const char *why = NULL;
	struct tcall *c;

	if (v->vault->era == VAULT_STATELESS)
		return upstream_send(v->inner, r, sink);
	c = v->vault->era == VAULT_HANDSHAKE ? down_resume(v, rpc, r, sink, arena, &why) : NULL;
	if (c)
		return (struct upstream_call *)c;
	c = tcall_create(v, r, sink, PART_DOWN);
	if (!c)
		return NULL;
	translate_set(&c->id, rpc_id(rpc));
	if (why) {
		tcall_refuse(c, RPC_INVALID_PARAMS, why);
	} else if (v->vault->era == VAULT_HANDSHAKE) {
		down_send(c, rpc, arena);
	} else {
		c->waits = true;
		translate_probe(v);
	}
	return (struct upstream_call *)c;
}

static struct upstream_call *send_any(struct translated *v, const struct rpc *rpc, const struct upstream_request *r,
	const struct upstream_sink *sink, struct arena *arena)
{
	struct upstream_request native = *r;
	struct tcall *c;

	if (is_stateless(v, rpc, r, arena))
		return send_stateless(v, rpc, r, sink, arena);
	bool hello = rpc->kind == RPC_REQUEST && slice_eq(rpc->method_name, SL("initialize"));
	if (!hello && !v->up) {
		native.mirror = SL("");
		return upstream_send(v->inner, &native, sink);
	}
	c = tcall_create(v, r, sink, hello ? PART_HELLO : PART_UP);
	if (!c)
		return NULL;
	translate_set(&c->id, rpc_id(rpc));
	if (hello)
		send_hello(c, rpc, arena);
	else
		up_send(c, rpc, arena);
	return (struct upstream_call *)c;
}

static struct upstream_call *op_send(struct upstream *u, const struct upstream_request *r, const struct upstream_sink *sink)
{
	struct translated *v = conversation_of(u);
	struct upstream_call *call;
	struct arena arena;
	struct rpc rpc;

	arena_init(&arena, TRANSLATE_ARENA_BYTES);
	call = rpc_parse(&rpc, r->body, &arena, NULL) == E_OK ? send_any(v, &rpc, r, sink, &arena) : upstream_send(v->inner, r, sink);
	arena_finish(&arena);
	return call;
}

static struct upstream_call *op_listen(struct upstream *u, const struct upstream_request *r, const struct upstream_sink *sink)
{
	struct translated *v = conversation_of(u);
	struct tcall *c;

	if (!v->up)
		return upstream_listen(v->inner, r, sink);
	c = tcall_create(v, r, sink, PART_EAR);
	if (!c)
		return NULL;
	c->streams = true;
	turn_add(&v->vault->turn, &c->task);
	up_listen(c);
	return (struct upstream_call *)c;
}

static void op_pause(struct upstream_call *c)
{
	if (tcall_of(c)->inner)
		upstream_pause(tcall_of(c)->inner);
}

static void op_resume(struct upstream_call *c)
{
	if (tcall_of(c)->inner)
		upstream_resume(tcall_of(c)->inner);
}

static void op_cancel(struct upstream_call *call)
{
	struct tcall *c = tcall_of(call);

	if (c->part == PART_DOWN || (c->part == PART_EAR && !c->owner->up))
		down_cancel(c);
	else
		up_cancel(c);
	if (c->busy)
		c->gone = true;
	else
		tcall_free(c);
}

static bool op_has_session(const struct upstream *u)
{
	const struct translated *v = (const struct translated *)(const void *)u;

	return v->up || upstream_has_session(v->inner);
}

static void on_timer_closed(uv_handle_t *h)
{
	free(h);
}

static void op_close(struct upstream *u)
{
	struct translated *v = conversation_of(u);
	struct buf *all[] = { &v->discovered, &v->version, &v->client_info, &v->client_capabilities, &v->log_level, &v->hello, &v->greeted_version };

	while (v->calls) {
		struct tcall *c = v->calls;

		if (!c->busy) {
			tcall_free(c);
			continue;
		}
		upstream_cancel(c->inner); /* whoever tells it something frees it */
		c->inner = NULL;
		c->gone = true;
		turn_remove(&c->task);
		tcall_leave(c);
	}
	upstream_close(v->inner);
	uv_close((uv_handle_t *)v->timer, on_timer_closed);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		buf_finish(all[i]);
	for (size_t i = 0; i < v->n_uris; i++)
		buf_finish(&v->uris[i]);
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

static void on_vault_message(void *ctx, struct slice json)
{
	struct translated *v = ctx;
	struct arena arena;
	struct rpc rpc;
	bool read;

	arena_init(&arena, TRANSLATE_ARENA_BYTES);
	read = rpc_parse(&rpc, json, &arena, NULL) == E_OK;
	if (read && v->up)
		up_hear(v, &rpc, &arena);
	else if (read && v->down != DOWN_STRANGER)
		down_hear(v, &rpc, &arena);
	else if (v->events.message)
		v->events.message(v->events.ctx, json);
	arena_finish(&arena);
}

static void on_vault_lost(void *ctx, const struct upstream_end *end)
{
	struct translated *v = ctx;

	down_forget(v);
	v->vault->era = v->exits ? VAULT_HANDSHAKE : VAULT_ERA_UNKNOWN; /* another one may come in its place */
	v->exits = false;
	v->vault->no_handshake = v->up = false;
	if (v->events.lost)
		v->events.lost(v->events.ctx, end);
}

struct upstream *translate_open(struct vault *vault, const struct upstream_events *events)
{
	struct translated *v = calloc(1, sizeof *v);
	struct upstream_events ours = { .message = on_vault_message, .lost = on_vault_lost, .ctx = v };

	if (!v)
		return NULL;
	v->base.ops = &ops;
	v->vault = vault;
	v->events = *events;
	v->timer = calloc(1, sizeof *v->timer);
	v->inner = v->timer ? vault_open_transport(vault, &ours) : NULL;
	if (!v->inner) {
		free(v->timer);
		free(v);
		return NULL;
	}
	uv_timer_init(vault->loop, v->timer);
	v->timer->data = v;
	struct buf *all[] = { &v->discovered, &v->version, &v->client_info, &v->client_capabilities, &v->log_level, &v->hello, &v->greeted_version };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		buf_init(all[i], SIZE_MAX);
	return &v->base;
}
