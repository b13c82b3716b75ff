#include "proxy/revive.h"

#include <stdlib.h>
#include "base/log.h"
#include "proxy/changed.h"
#include "proxy/exchange.h"
#include "proxy/remap.h"

#define OUR_ID SL("\"narrowgate-hello\"")

struct revival {
	struct trunk *trunk;
	struct upstream_call *call;
	uint64_t deadline_ms;
	char version[16];      /* the revision it was before: it must be the same again */
	bool answered;
};

static void finish(struct revival *r, bool ok)
{
	struct trunk *t = r->trunk;

	t->revival = NULL;
	log_line(ok ? LOG_INFO : LOG_WARN, "upstream", "%.*s: %s", SL_ARG(t->backend->conf->name),
		ok ? "introduced again after the conversation was lost" : "cannot be introduced to again");
	if (ok) {
		t->initialized = true;
		trunk_tell(t, SL("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"), slice_of(r->version));
	}
	for (struct channel *c = t->channels; c; c = c->next) {
		if (ok)
			exchange_open_ear(c);
		else if (r->answered) /* it will not have us as we were: the agent must begin anew */
			channel_give_up(c);
	}
	free(r);
	trunk_hold(t);
	trunk_introduced(t, ok);
	if (!ok && !trunk_greeted(t))
		trunk_lose(t); /* the next message tries anew */
	trunk_release(t);
}

static void on_message(void *ctx, struct slice json)
{
	struct revival *r = ctx;
	struct arena *arena = &r->trunk->backend->app->scratch;
	struct rpc rpc;
	bool ok = false;

	if (rpc_parse(&rpc, json, arena, NULL) == E_OK) {
		r->answered = rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR;
		if (rpc.kind == RPC_REQUEST)
			trunk_answer_self(r->trunk, &rpc, arena);
	}
	if (r->answered && rpc.kind == RPC_RESULT) {
		uint32_t version = json_member(&rpc.json, rpc.result, SL("protocolVersion"));

		ok = json_is(&rpc.json, version, JSON_STRING) && json_string_eq(&rpc.json, version, slice_of(r->version)) &&
			trunk_keep_hello(r->trunk, json_source(&rpc.json, rpc.result));
		r->trunk->offered = changed_offered(&rpc);
	}
	arena_reset(arena);
	if (!r->answered)
		return;
	upstream_cancel(r->call); /* a stream may stay open behind the answer: nothing more is waited for */
	finish(r, ok);
}

static void on_end(void *ctx, const struct upstream_end *end)
{
	(void)end;
	finish(ctx, false);
}

bool revive_start(struct channel *c)
{
	struct revival *r = calloc(1, sizeof *r);
	struct upstream_sink sink = { .message = on_message, .end = on_end, .ctx = r };
	struct slice body = r ? remap_id(c->hello, OUR_ID, &c->app->scratch) : SL("");
	struct upstream_request request = { .body = body, .id = OUR_ID, .opens_session = true };

	if (r) {
		*r = (struct revival){ .trunk = c->trunk };
		r->deadline_ms = uv_now(c->app->loop) + c->trunk->backend->conf->timeout_ms;
		memcpy(r->version, c->version, sizeof r->version);
		r->call = body.n ? upstream_send(c->trunk->up, &request, &sink) : NULL;
	}
	if (!r || !r->call) {
		free(r);
		return false;
	}
	c->trunk->revival = r;
	arena_reset(&c->app->scratch);
	return true;
}

bool revive_expire(struct trunk *t, uint64_t now_ms)
{
	struct revival *r = t->revival;

	if (!r || now_ms < r->deadline_ms)
		return false;
	upstream_cancel(r->call);
	finish(r, false);
	return true;
}

void revive_cancel(struct trunk *t)
{
	if (!t->revival)
		return;
	upstream_cancel(t->revival->call);
	free(t->revival);
	t->revival = NULL;
}
