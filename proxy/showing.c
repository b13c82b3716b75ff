#include "proxy/showing.h"

#include <stdio.h>
#include "base/table.h"
#include "mcp/stateless.h"
#include "proxy/trunk.h"

#define MAX_PAGES     1000
#define MAX_BYTES     ((size_t)128 << 20)
#define SCRATCH_BYTES ((size_t)256 << 20)
#define REVISION      "2025-11-25"

struct reader {
	struct app app;                     /* as much of one as a vault needs */
	uv_loop_t loop;
	uv_timer_t timer;
	struct backend *backend;
	struct trunk *trunk;
	struct upstream_call *call;
	struct showing *out;
	struct table *names;                /* kind and name: seen */
	struct slice why;                   /* not empty: it failed */
	bool done, closed;
	bool introduced;                    /* initialize was answered, one way or the other */
	bool stateless;
	unsigned offered;                   /* a set of kinds: the vault says that it has such a list */
	enum pin_kind kind;                 /* of the list that is being read */
	unsigned pages, n_requests;
	char version[16];
	char id[48];                        /* of the request in flight */
};

static void ask(struct reader *r, struct slice cursor);

static void finish(struct reader *r, struct slice why)
{
	upstream_cancel(r->call);
	r->call = NULL;
	r->why = why;
	r->done = true;
	uv_timer_stop(&r->timer);
	uv_stop(&r->loop);
}

/* --- what comes back ---------------------------------------------------------------------------------------------------- */

static enum err keep(struct reader *r, const struct json *j, uint32_t item)
{
	struct showing *s = r->out;
	struct shown *one = &s->v[s->n];
	enum err e = definition_read(r->kind, j, item, &one->is, &s->arena);

	if (e == E_INVALID)
		return E_OK; /* nothing can be called by it */
	struct slice key = e == E_OK ? arena_fmt(&r->app.scratch, "%d %.*s", r->kind, SL_ARG(one->is.name)) : SL("");

	if (e != E_OK || table_get(r->names, key, 0))
		return e;
	one->kind = r->kind;
	one->is.name = arena_dup(&s->arena, one->is.name); /* it may stand in the message */
	e = one->is.name.p ? table_put(r->names, key, one, 0, 0) : E_NOMEM;
	s->n += e == E_OK;
	return s->n < SHOWING_MAX ? e : E_FULL;
}

static void read_page(struct reader *r, const struct rpc *rpc)
{
	const struct json *j = &rpc->json;
	uint32_t array = json_member(j, rpc->result, slice_of(pin_row(r->kind)->list)), next = json_member(j, rpc->result, SL("nextCursor"));
	enum err e = json_is(j, array, JSON_ARRAY) ? E_OK : E_INVALID;

	for (uint32_t t = e == E_OK ? json_first(j, array) : 0; e == E_OK && t < j->tok[array].next; t = j->tok[t].next)
		e = keep(r, j, t);
	if (e == E_INVALID)
		finish(r, arena_fmt(&r->out->arena, "its answer to %s has no list", pin_row(r->kind)->method));
	else if (e != E_OK)
		finish(r, arena_fmt(&r->out->arena, "%s: %s", pin_row(r->kind)->method, err_text(e)));
	else if (json_is(j, next, JSON_STRING) && r->pages < MAX_PAGES)
		ask(r, json_source(j, next));
	else if (json_is(j, next, JSON_STRING))
		finish(r, arena_fmt(&r->out->arena, "%s has more than %d pages", pin_row(r->kind)->method, MAX_PAGES));
	else if (r->kind + 1 < N_PIN_KINDS) {
		r->kind++;
		r->pages = 0;
		ask(r, SL(""));
	} else
		finish(r, SL(""));
}

/* A list that it does not have is empty; one that it says it has must be told. */
static void read_refusal(struct reader *r, const struct rpc *rpc)
{
	int64_t code = 0;

	json_int(&rpc->json, json_member(&rpc->json, rpc->error, SL("code")), &code);
	if (code != RPC_METHOD_NOT_FOUND && (r->kind == PIN_TOOL || r->offered & 1u << r->kind)) {
		finish(r, arena_fmt(&r->out->arena, "it answers %s with the error %lld", pin_row(r->kind)->method, (long long)code));
		return;
	}
	if (r->kind + 1 == N_PIN_KINDS) {
		finish(r, SL(""));
		return;
	}
	r->kind++;
	r->pages = 0;
	ask(r, SL(""));
}

static void note_offered(struct reader *r, const struct rpc *rpc)
{
	static const char *const members[N_PIN_KINDS] = { [PIN_TOOL] = "tools", [PIN_PROMPT] = "prompts", [PIN_RESOURCE] = "resources",
		[PIN_TEMPLATE] = "resources" };
	uint32_t capabilities = json_member(&rpc->json, rpc->result, SL("capabilities"));

	for (int k = 0; k < N_PIN_KINDS; k++)
		if (k != PIN_TEMPLATE && json_member(&rpc->json, capabilities, slice_of(members[k])) != JSON_NONE)
			r->offered |= 1u << k;
}

static void read_hello(struct reader *r, const struct rpc *rpc)
{
	uint32_t version = json_member(&rpc->json, rpc->result, SL("protocolVersion"));
	struct slice v = rpc->kind == RPC_RESULT && json_is(&rpc->json, version, JSON_STRING) ? json_string(&rpc->json, version, &r->app.scratch) : SL("");
	const struct era *era = era_find(v);

	r->introduced = true;
	if (rpc->kind == RPC_ERROR) {
		r->stateless = true; /* its revision may have no handshake */
	} else if (!era || !era->handshake || v.n >= sizeof r->version) {
		finish(r, SL("it chose a protocol revision that narrowgate does not speak"));
		return;
	} else {
		memcpy(r->version, v.p, v.n);
		note_offered(r, rpc);
		trunk_tell(r->trunk, SL("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"), v);
	}
	ask(r, SL(""));
}

static void on_message(void *ctx, struct slice text)
{
	struct reader *r = ctx;
	struct arena *arena = &r->app.scratch;
	struct rpc rpc;
	bool read = rpc_parse(&rpc, text, arena, NULL) == E_OK;

	if (read && rpc.kind == RPC_REQUEST)
		trunk_answer_self(r->trunk, &rpc, arena);
	if (read && rpc.kind != RPC_RESULT && rpc.kind != RPC_ERROR)
		return;
	upstream_cancel(r->call); /* a stream may stay open behind the answer: nothing more is waited for */
	r->call = NULL;
	if (!read || (rpc.id != JSON_NONE && !slice_eq(rpc_id_key(&rpc, arena), slice_of(r->id))))
		finish(r, SL("its answer could not be read"));
	else if (!r->introduced)
		read_hello(r, &rpc);
	else if (rpc.kind == RPC_ERROR)
		read_refusal(r, &rpc);
	else
		read_page(r, &rpc);
	arena_reset(arena);
}

static void on_end(void *ctx, const struct upstream_end *end)
{
	struct reader *r = ctx;

	r->call = NULL;
	finish(r, slice_of(upstream_outcome_text(end->outcome == UP_DONE ? UP_NO_ANSWER : end->outcome)));
}

static void on_timeout(uv_timer_t *timer)
{
	finish(timer->data, SL("it did not answer in time"));
}

/* --- what is asked ------------------------------------------------------------------------------------------------------- */

static void send_up(struct reader *r, struct slice body, const char *method)
{
	struct upstream_sink sink = { .message = on_message, .end = on_end, .ctx = r };
	struct upstream_request request = { .body = body, .id = slice_of(r->id), .opens_session = !r->introduced };
	bool mirrored = r->introduced && (r->stateless || r->backend->conf->translates);

	if (r->introduced)
		request.version = r->stateless ? STATELESS_REVISION : slice_of(r->version);
	if (mirrored)
		request.mirror = arena_fmt(&r->app.scratch, "Mcp-Method: %s\r\n", method);
	r->call = body.n ? upstream_send(r->trunk->up, &request, &sink) : NULL;
	if (!r->call)
		finish(r, slice_of(err_text(E_NOMEM)));
	else
		uv_timer_start(&r->timer, on_timeout, r->backend->conf->timeout_ms, 0);
}

static void next_id(struct reader *r)
{
	snprintf(r->id, sizeof r->id, "\"narrowgate-accept-%u\"", r->n_requests++);
}

/* The page behind `cursor`, JSON text; empty: the first. */
static void ask(struct reader *r, struct slice cursor)
{
	struct arena *a = &r->app.scratch;
	const char *method = pin_row(r->kind)->method;
	struct slice meta = SL("");

	next_id(r);
	r->pages++;
	if (r->stateless)
		meta = arena_fmt(a, "\"_meta\":{\"%.*s\":\"%.*s\",\"%.*s\":{},\"%.*s\":{\"name\":\"narrowgate\",\"version\":\"%s\"}}%s", SL_ARG(META_VERSION),
			SL_ARG(STATELESS_REVISION), SL_ARG(META_CAPABILITIES), SL_ARG(META_CLIENT), NARROWGATE_VERSION, cursor.n ? "," : "");
	send_up(r, arena_fmt(a, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"%s\",\"params\":{%.*s%s%.*s}}", r->id, method, SL_ARG(meta),
		cursor.n ? "\"cursor\":" : "", SL_ARG(cursor)), method);
}

static void say_hello(struct reader *r)
{
	next_id(r);
	send_up(r, arena_fmt(&r->app.scratch, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"" REVISION "\","
		"\"capabilities\":{},\"clientInfo\":{\"name\":\"narrowgate\",\"version\":\"%s\"}}}", r->id, NARROWGATE_VERSION), "initialize");
}

/* --- from the beginning to the end ----------------------------------------------------------------------------------------- */

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static void run(struct reader *r)
{
	r->trunk = trunk_get(r->backend, false);
	if (!r->trunk) {
		r->why = slice_of(err_text(E_NOMEM));
		return;
	}
	trunk_hold(r->trunk);
	say_hello(r);
	while (!r->done && uv_run(&r->loop, UV_RUN_DEFAULT))
		continue;
	if (!r->done)
		r->why = SL("nothing more comes of it");
	upstream_cancel(r->call);
	trunk_release(r->trunk);
}

static void close_all(struct reader *r)
{
	if (r->backend)
		backend_free(r->backend, on_closed, &r->closed);
	uv_close((uv_handle_t *)&r->timer, NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	uv_loop_close(&r->loop);
	table_free(r->names);
	arena_finish(&r->app.scratch);
}

bool showing_read(struct showing *s, struct config *config, const struct upstream_config *conf, struct slice *why)
{
	struct reader r = { .out = s, .names = table_create(SHOWING_MAX, NULL) };
	const char *text = NULL;

	*s = (struct showing){ 0 };
	arena_init(&s->arena, MAX_BYTES);
	arena_init(&r.app.scratch, SCRATCH_BYTES);
	s->v = arena_array(&s->arena, SHOWING_MAX + 1, sizeof *s->v);
	uv_loop_init(&r.loop);
	uv_timer_init(&r.loop, &r.timer);
	r.timer.data = &r;
	r.app.loop = &r.loop;
	if (s->v && r.names)
		r.backend = backend_create(&r.app, config, conf, &text);
	if (r.backend)
		run(&r);
	else
		r.why = slice_of(text ? text : err_text(E_NOMEM));
	close_all(&r);
	*why = r.why;
	return r.why.n == 0;
}

void showing_finish(struct showing *s)
{
	arena_finish(&s->arena);
}
