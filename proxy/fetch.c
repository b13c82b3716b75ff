#include "proxy/fetch.h"

#include <stdlib.h>
#include "mcp/stateless.h"
#include "proxy/exchange.h"

#define MAX_PAGES 64

struct fetch {
	struct trunk *trunk;
	struct upstream_call *call;
	struct buf body;
	unsigned pages;
	bool stateless;     /* in the words of a revision without a handshake */
	uint64_t deadline_ms;
	char id[48];        /* of the page in flight */
};

static void start_page(struct fetch *f);

static void finish(struct fetch *f, bool ok)
{
	struct trunk *t = f->trunk;

	t->fetch = NULL;
	buf_finish(&f->body);
	free(f);
	if (ok)
		toolbook_set_complete(t->backend->tools, true);
	else
		backend_warn(t->backend, "its tool list could not be read");
	/* Resuming may start and end exchanges: look at the list anew each time. */
	struct exchange *x;

	trunk_hold(t);
	while ((x = trunk_waiting(t, true)))
		exchange_resume_judging(x, ok);
	trunk_release(t);
}

/* Learns one page; false when it is no tools/list result. */
static bool read_page(struct fetch *f, const struct rpc *rpc, struct slice *cursor)
{
	const struct json *j = &rpc->json;
	uint32_t tools = json_member(j, rpc->result, SL("tools"));
	uint32_t next = json_member(j, rpc->result, SL("nextCursor"));

	uint32_t meta = json_member(j, rpc->result, SL("_meta")), name = json_member(j, json_member(j, meta, META_SERVER), SL("name"));

	if (f->stateless && json_is(j, name, JSON_STRING))
		backend_met(f->trunk->backend, json_raw(j, name));
	*cursor = json_is(j, next, JSON_STRING) ? json_source(j, next) : SL("");
	if (rpc->kind != RPC_RESULT || !json_is(j, tools, JSON_ARRAY))
		return false;
	enum err e = judge_learn_tools(f->trunk->backend->tools, f->trunk->backend->conf->pins, j, tools);
	backend_tell_pins(f->trunk->backend);
	return e == E_OK;
}

/* Asks for the page behind `cursor`, JSON text. False: out of memory. */
static bool write_request(struct fetch *f, struct slice cursor)
{
	buf_clear(&f->body);
	buf_add_fmt(&f->body,
		"{\"jsonrpc\":\"2.0\",\"id\":\"narrowgate-tools-%u\",\"method\":\"tools/list\",\"params\":{", f->pages);
	if (f->stateless)
		buf_add_fmt(&f->body, "\"_meta\":{\"%.*s\":\"%.*s\",\"%.*s\":{},\"%.*s\":{\"name\":\"narrowgate\",\"version\":\"%s\"}}%s",
			SL_ARG(META_VERSION), SL_ARG(STATELESS_REVISION), SL_ARG(META_CAPABILITIES), SL_ARG(META_CLIENT),
			NARROWGATE_VERSION, cursor.n ? "," : "");
	if (cursor.n)
		buf_add_fmt(&f->body, "\"cursor\":%.*s", SL_ARG(cursor));
	return buf_add(&f->body, SL("}}")) == E_OK;
}

static void on_message(void *ctx, struct slice json)
{
	struct fetch *f = ctx;
	struct arena *arena = &f->trunk->backend->app->scratch;
	struct slice cursor = SL("");
	struct rpc rpc;
	bool read = rpc_parse(&rpc, json, arena, NULL) == E_OK;
	bool ours = read && (rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR);
	bool ok = ours && slice_eq(rpc_id_key(&rpc, arena), slice_of(f->id)) && read_page(f, &rpc, &cursor);
	bool more = ok && cursor.n && f->pages < MAX_PAGES;

	if (read && rpc.kind == RPC_REQUEST)
		trunk_answer_self(f->trunk, &rpc, arena);
	ok = ok && (!more || write_request(f, cursor));
	arena_reset(arena);
	if (!ours)
		return;
	upstream_cancel(f->call); /* a stream may stay open behind the answer: nothing more is waited for */
	if (ok && more)
		start_page(f);
	else
		finish(f, ok);
}

static void on_end(void *ctx, const struct upstream_end *end)
{
	(void)end;
	finish(ctx, false);
}

static void start_page(struct fetch *f)
{
	struct trunk *t = f->trunk;
	struct upstream_sink sink = { .message = on_message, .end = on_end, .ctx = f };
	struct upstream_request r = { .body = buf_slice(&f->body), .version = slice_of(t->channels->version) };

	snprintf(f->id, sizeof f->id, "\"narrowgate-tools-%u\"", f->pages++);
	r.id = slice_of(f->id);
	if (f->stateless)
		r.version = STATELESS_REVISION;
	if (f->stateless || t->backend->conf->translates)
		r.mirror = SL("Mcp-Method: tools/list\r\n");
	f->deadline_ms = uv_now(t->backend->app->loop) + t->backend->conf->timeout_ms;
	f->call = upstream_send(t->up, &r, &sink);
	if (!f->call)
		finish(f, false);
}

void fetch_tools(struct trunk *t, struct exchange *x)
{
	if (t->fetch)
		return;
	struct fetch *f = calloc(1, sizeof *f);
	if (!f) {
		exchange_resume_judging(x, false);
		return;
	}
	f->trunk = t;
	f->stateless = x->rpc.stateless;
	t->fetch = f;
	buf_init(&f->body, 64 * 1024);
	write_request(f, SL(""));
	start_page(f);
}

bool fetch_expire(struct trunk *t, uint64_t now_ms)
{
	struct fetch *f = t->fetch;

	if (!f || now_ms < f->deadline_ms)
		return false;
	upstream_cancel(f->call);
	finish(f, false);
	return true;
}

void fetch_cancel(struct trunk *t)
{
	struct fetch *f = t->fetch;

	if (!f)
		return;
	t->fetch = NULL;
	upstream_cancel(f->call);
	buf_finish(&f->body);
	free(f);
}
