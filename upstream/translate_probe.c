/* Which kind of revision a vault speaks, found out by server/discover. */
#include "base/log.h"
#include "mcp/stateless.h"
#include "upstream/translate_inside.h"

#define PROBE_ID SL("\"narrowgate-discover\"")
#define PROBE_LIMIT_MS 10000

void translate_go_on(struct translated *v, const struct upstream_end *failed)
{
	for (struct tcall *c = v->calls, *next; c; c = next) {
		struct arena arena;
		struct rpc rpc;

		next = c->next;
		if (!c->waits)
			continue;
		c->waits = false;
		arena_init(&arena, TRANSLATE_ARENA_BYTES);
		if (failed)
			tcall_fail(c, failed->outcome, failed->status);
		else if (c->part == PART_HELLO && v->vault->era == VAULT_STATELESS)
			up_hello(c, &arena);
		else if (c->part == PART_HELLO && c->ends) /* what it said to the agent's own is the last word */
			turn_add(&v->vault->turn, &c->task);
		else if (rpc_parse(&rpc, buf_slice(&c->body), &arena, NULL) != E_OK)
			tcall_fail(c, UP_BROKEN, 0);
		else if (c->part == PART_HELLO)
			tcall_send(c, buf_slice(&c->body), rpc_id_key(&rpc, &arena), buf_slice(&c->version), SL(""));
		else if (v->vault->era == VAULT_HANDSHAKE)
			down_send(c, &rpc, &arena);
		else {
			c->part = PART_NATIVE;
			tcall_send(c, buf_slice(&c->body), rpc_id_key(&rpc, &arena), buf_slice(&c->version), buf_slice(&c->mirror));
		}
		arena_finish(&arena);
	}
}

static bool speaks_stateless(const struct rpc *rpc)
{
	uint32_t all = json_member(&rpc->json, rpc->result, SL("supportedVersions"));

	if (!json_is(&rpc->json, all, JSON_ARRAY))
		return false;
	for (uint32_t t = json_first(&rpc->json, all); t < rpc->json.tok[all].next; t = rpc->json.tok[t].next)
		if (json_string_eq(&rpc->json, t, STATELESS_REVISION))
			return true;
	return false;
}

static void settle(struct translated *v, enum vault_era era)
{
	if (v->vault->era != era)
		log_info("upstream", "%s speaks %s", v->vault->name, era == VAULT_STATELESS ? "2026-07-28" : "a revision with a handshake");
	v->vault->era = era;
	upstream_cancel(v->probe);
	v->probe = NULL;
	translate_go_on(v, NULL);
}

static void on_probe_message(void *ctx, struct slice json)
{
	struct translated *v = ctx;
	struct arena arena;
	struct rpc rpc;
	bool answer = false, stateless = false;

	arena_init(&arena, TRANSLATE_ARENA_BYTES);
	if (rpc_parse(&rpc, json, &arena, NULL) == E_OK) {
		answer = rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR;
		stateless = rpc.kind == RPC_RESULT && speaks_stateless(&rpc);
	}
	arena_finish(&arena);
	if (!answer)
		return;
	if (stateless)
		translate_set(&v->discovered, json);
	settle(v, stateless ? VAULT_STATELESS : VAULT_HANDSHAKE);
}

static void on_probe_end(void *ctx, const struct upstream_end *end)
{
	struct translated *v = ctx;

	v->probe = NULL;
	if (end->status >= 400 && end->status < 500 && end->status != 401 && end->status != 403)
		settle(v, VAULT_HANDSHAKE); /* no answer of MCP's: it wants a session first, or does not know the method */
	else {
		translate_go_on(v, end);
		v->exits = v->vault->child && (end->outcome == UP_BROKEN || end->outcome == UP_NO_ANSWER);
	}
}

/* On a pipe silence means: a revision with a handshake. */
static void on_late(uv_timer_t *t)
{
	struct translated *v = t->data;
	struct upstream_end late = { UP_BROKEN, 0 };

	if (v->greeting) {
		down_give_up_greeting(v);
	} else if (v->probe && v->vault->child) {
		settle(v, VAULT_HANDSHAKE);
	} else if (v->probe) {
		upstream_cancel(v->probe);
		v->probe = NULL;
		translate_go_on(v, &late);
	}
}

void translate_wait(struct translated *v, uint64_t limit_ms)
{
	uv_timer_start(v->timer, on_late, limit_ms, 0);
}

void translate_probe(struct translated *v)
{
	struct upstream_sink sink = { .message = on_probe_message, .end = on_probe_end, .ctx = v };
	struct translate_client us = { .info = SL("{\"name\":\"narrowgate\",\"version\":\"" NARROWGATE_VERSION "\"}") };
	struct upstream_end none = { UP_UNREACHABLE, 0 };
	struct arena arena;

	if (v->probe)
		return;
	arena_init(&arena, TRANSLATE_ARENA_BYTES);
	struct upstream_request r = { .body = translate_own_stateless(PROBE_ID, "server/discover", &us, SL(""), &arena), .id = PROBE_ID,
		.version = STATELESS_REVISION, .mirror = SL("Mcp-Method: server/discover\r\n"), .limit_ms = PROBE_LIMIT_MS };
	v->probe = r.body.n ? upstream_send(v->inner, &r, &sink) : NULL;
	arena_finish(&arena);
	if (v->probe)
		translate_wait(v, PROBE_LIMIT_MS);
	else
		translate_go_on(v, &none);
}
