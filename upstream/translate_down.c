/* Agents of the stateless revision before a vault with a handshake. */
#include <stdlib.h>
#include "base/digest.h"
#include "mcp/stateless.h"
#include "upstream/translate_inside.h"

#define HELLO_ID SL("\"narrowgate-hello\"")
#define HELLO_LIMIT_MS 30000

enum able { ABLE_ELICIT = 1, ABLE_SAMPLE = 2, ABLE_ROOTS = 4 };

/* --- the handshake ---------------------------------------------------------------------------------------------------- */

static void go_on(struct translated *v, const struct upstream_end *failed, const char *refused)
{
	for (struct tcall *c = v->calls, *next; c; c = next) {
		struct arena arena;
		struct rpc rpc;

		next = c->next;
		if (!c->waits || c->part != PART_DOWN)
			continue;
		c->waits = false;
		arena_init(&arena, TRANSLATE_ARENA_BYTES);
		if (failed)
			tcall_fail(c, failed->outcome, failed->status);
		else if (refused)
			tcall_refuse(c, RPC_INTERNAL_ERROR, refused);
		else if (rpc_parse(&rpc, buf_slice(&c->body), &arena, NULL) == E_OK)
			down_send(c, &rpc, &arena);
		else
			tcall_fail(c, UP_BROKEN, 0);
		arena_finish(&arena);
	}
}

static void on_greeted(void *ctx, struct slice json)
{
	struct translated *v = ctx;
	struct arena arena;
	struct rpc rpc;
	bool over = false, ok = false;

	arena_init(&arena, TRANSLATE_ARENA_BYTES);
	if (rpc_parse(&rpc, json, &arena, NULL) == E_OK && (rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR)) {
		uint32_t t = rpc.kind == RPC_RESULT ? json_member(&rpc.json, rpc.result, SL("protocolVersion")) : JSON_NONE;
		struct slice version = json_is(&rpc.json, t, JSON_STRING) ? json_string(&rpc.json, t, &arena) : SL("");
		const struct era *era = era_find(version);

		over = true;
		ok = era && era->handshake;
		if (ok) {
			translate_set(&v->hello, json);
			translate_set(&v->greeted_version, version);
		}
	}
	arena_finish(&arena);
	if (!over)
		return;
	upstream_cancel(v->greeting);
	v->greeting = NULL;
	v->down = ok ? DOWN_READY : DOWN_STRANGER;
	if (!ok)
		v->vault->era = VAULT_ERA_UNKNOWN; /* a guess, perhaps: see on_probe_end */
	if (ok)
		translate_say(v, SL("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"), translate_version(v));
	if (ok)
		down_open_ear(v);
	go_on(v, NULL, ok ? NULL : "the vault could not be introduced to");
}

static void on_greeting_end(void *ctx, const struct upstream_end *end)
{
	struct translated *v = ctx;
	struct upstream_end none = { end->outcome == UP_DONE ? UP_NO_ANSWER : end->outcome, end->status };

	v->greeting = NULL;
	v->down = DOWN_STRANGER;
	go_on(v, &none, NULL);
}

static void greet(struct translated *v, const struct rpc *rpc, struct arena *arena)
{
	struct upstream_sink sink = { .message = on_greeted, .end = on_greeting_end, .ctx = v };
	struct upstream_request r = { .body = translate_initialize(rpc, HELLO_ID, arena), .id = HELLO_ID, .limit_ms = HELLO_LIMIT_MS,
		.opens_session = true };
	struct upstream_end none = { UP_UNREACHABLE, 0 };

	v->down = DOWN_GREETING;
	v->greeting = r.body.n ? upstream_send(v->inner, &r, &sink) : NULL;
	if (v->greeting) {
		translate_wait(v, HELLO_LIMIT_MS);
		return;
	}
	v->down = DOWN_STRANGER;
	go_on(v, &none, NULL);
}

void down_give_up_greeting(struct translated *v)
{
	struct upstream_end late = { UP_BROKEN, 0 };

	upstream_cancel(v->greeting);
	v->greeting = NULL;
	v->down = DOWN_STRANGER;
	go_on(v, &late, NULL);
}

void down_forget(struct translated *v)
{
	v->down = DOWN_STRANGER;
	v->logs_set = false;
	for (struct tcall *c = v->calls, *next; c; c = next) {
		next = c->next;
		if (c->part == PART_DOWN && c->token.n)
			tcall_free(c);
	}
}

/* --- a call ----------------------------------------------------------------------------------------------------------- */

static unsigned able_of(const struct rpc *rpc)
{
	uint32_t all = json_member(&rpc->json, json_member(&rpc->json, rpc->params, SL("_meta")), META_CAPABILITIES);

	return (json_member(&rpc->json, all, SL("elicitation")) != JSON_NONE ? ABLE_ELICIT : 0u) |
		(json_member(&rpc->json, all, SL("sampling")) != JSON_NONE ? ABLE_SAMPLE : 0u) |
		(json_member(&rpc->json, all, SL("roots")) != JSON_NONE ? ABLE_ROOTS : 0u);
}

/* What the next round of a call must say again: all but who sends it and what it answers. */
static void sum(const struct rpc *rpc, unsigned char out[32])
{
	const struct json *j = &rpc->json;
	struct buf all;

	buf_init(&all, SIZE_MAX);
	buf_add(&all, rpc->method_name);
	for (uint32_t t = rpc->params + 1; rpc->params != JSON_NONE && t < j->tok[rpc->params].next; t = j->tok[t + 1].next) {
		if (json_string_eq(j, t, SL("_meta")) || json_string_eq(j, t, SL("inputResponses")) || json_string_eq(j, t, SL("requestState")))
			continue;
		buf_add(&all, json_source(j, t));
		buf_add(&all, json_source(j, t + 1));
	}
	digest_sha256(buf_slice(&all), out);
	buf_finish(&all);
}

static void keep_progress(struct tcall *c, const struct rpc *rpc)
{
	uint32_t t = json_member(&rpc->json, json_member(&rpc->json, rpc->params, SL("_meta")), SL("progressToken"));

	translate_set(&c->progress, t == JSON_NONE ? SL("") : json_source(&rpc->json, t));
}

/* The vault has one level for all that is said in its session: the first that asks for logs opens them, who did not gets none. */
static void open_logs(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	struct translated *v = c->owner;
	uint32_t level = json_member(&rpc->json, json_member(&rpc->json, rpc->params, SL("_meta")), META_LOG_LEVEL);

	c->wants_logs = json_is(&rpc->json, level, JSON_STRING);
	if (!c->wants_logs || v->logs_set)
		return;
	v->logs_set = true;
	translate_say(v, arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"method\":\"logging/setLevel\",\"params\":{\"level\":%.*s}}",
		SL_ARG(translate_next_id(v, arena)), SL_ARG(json_source(&rpc->json, level))), translate_version(v));
}

static void dispatch(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	struct slice id = translate_next_id(c->owner, arena);
	struct slice json = translate_from_stateless(rpc, id, id, arena);

	c->able = able_of(rpc);
	keep_progress(c, rpc);
	sum(rpc, c->same);
	open_logs(c, rpc, arena);
	if (json.n)
		tcall_send(c, json, id, translate_version(c->owner), SL(""));
	else
		tcall_refuse(c, RPC_INVALID_REQUEST, "this request cannot be said in the vault's revision");
}

static void discover(struct tcall *c, struct arena *arena)
{
	struct rpc hello;

	if (rpc_parse(&hello, buf_slice(&c->owner->hello), arena, NULL) == E_OK)
		tcall_answer(c, translate_discovered(&hello, buf_slice(&c->id), arena));
	else
		tcall_fail(c, UP_GARBAGE, 0);
}

/* --- what the agent says ---------------------------------------------------------------------------------------------- */

/*
 * The call that waits for its answer under this id. NULL: none, or several of agents that chose the same one. A parked call has had
 * its answer: its id may be another's by now.
 */
static struct tcall *find_agents(struct translated *v, struct slice id)
{
	struct tcall *found = NULL;

	for (struct tcall *c = v->calls; c; c = c->next) {
		if (c->part != PART_DOWN || c->answered || c->token.n || !slice_eq(buf_slice(&c->id), id))
			continue;
		if (found)
			return NULL;
		found = c;
	}
	return found;
}

static void say_cancelled(struct tcall *c, struct arena *arena)
{
	if (c->inner_id.n && !c->answered)
		translate_say(c->owner, arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%.*s}}",
			SL_ARG(buf_slice(&c->inner_id))), translate_version(c->owner));
}

/* Only cancels mean anything to the vault, and only under its own id. */
static void pass_notification(struct tcall *n, const struct rpc *rpc, struct arena *arena)
{
	uint32_t t = json_member(&rpc->json, rpc->params, SL("requestId"));
	bool cancels = t != JSON_NONE && slice_eq(rpc->method_name, SL("notifications/cancelled"));
	struct tcall *c = cancels ? find_agents(n->owner, json_source(&rpc->json, t)) : NULL;

	if (c)
		say_cancelled(c, arena);
	tcall_answer(n, SL(""));
}

void down_send(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	struct translated *v = c->owner;
	const struct method_row *row = method_find(rpc->method_name, SIDE_CLIENT, false);

	if (rpc->kind != RPC_REQUEST) {
		pass_notification(c, rpc, arena);
		return;
	}
	if (v->down != DOWN_READY) {
		c->waits = true;
		if (v->down == DOWN_STRANGER)
			greet(v, rpc, arena);
		return;
	}
	c->method = row ? row->id : M_UNKNOWN;
	if (json_member(&rpc->json, rpc->params, SL("requestState")) != JSON_NONE)
		tcall_refuse(c, RPC_INVALID_PARAMS, TRANSLATE_NO_STATE); /* of a round, but of none that waits */
	else if (c->method == M_DISCOVER)
		discover(c, arena);
	else if (c->method == M_LISTEN)
		down_subscribe(c, rpc, arena);
	else if (method_is_task(c->method) || c->method == M_TASKS_LIST)
		tcall_refuse(c, RPC_METHOD_NOT_FOUND, "the vault's revision does not have this extension");
	else
		dispatch(c, rpc, arena);
}

void down_cancel(struct tcall *c)
{
	struct arena arena;

	arena_init(&arena, TRANSLATE_ARENA_BYTES);
	if (c->part == PART_DOWN)
		say_cancelled(c, &arena);
	else
		down_unsubscribe(c, &arena);
	arena_finish(&arena);
}

/* --- rounds ----------------------------------------------------------------------------------------------------------- */

static unsigned needs(const struct rpc *rpc)
{
	return slice_eq(rpc->method_name, SL("elicitation/create")) ? ABLE_ELICIT :
		slice_eq(rpc->method_name, SL("sampling/createMessage")) ? ABLE_SAMPLE :
		slice_eq(rpc->method_name, SL("roots/list")) ? ABLE_ROOTS : 0;
}

static size_t sweep_parked(struct translated *v)
{
	uint64_t now = uv_now(v->vault->loop);
	size_t n = 0;

	for (struct tcall *c = v->calls, *next; c; c = next) {
		next = c->next;
		if (c->part != PART_DOWN || !c->token.n)
			continue;
		if (now < c->parked_until_ms) {
			n++;
			continue;
		}
		down_cancel(c);
		tcall_free(c);
	}
	return n;
}

static void decline(struct translated *v, const struct rpc *rpc, struct arena *arena)
{
	struct slice id = rpc_id(rpc);
	bool ping = slice_eq(rpc->method_name, SL("ping"));

	translate_say(v, ping ? arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{}}", SL_ARG(id)) :
		arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"error\":{\"code\":%d,\"message\":\"the agent cannot be asked this here\"}}",
			SL_ARG(id), RPC_METHOD_NOT_FOUND), translate_version(v));
}

/* The question as the result of the agent's call; the call itself stays open and waits for the next round. */
static void park(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	const struct json *j = &rpc->json;
	struct upstream_end end = { UP_DONE, 0 };
	unsigned char random[16];
	struct slice params = rpc->params == JSON_NONE ? SL("{}") : json_source(j, rpc->params);

	digest_random(random, sizeof random);
	buf_clear(&c->token);
	for (size_t i = 0; i < sizeof random; i++)
		buf_add_fmt(&c->token, "%02x", random[i]);
	translate_set(&c->vault_id, rpc_id(rpc));
	c->parked_until_ms = uv_now(c->owner->vault->loop) + PARKED_MS;
	struct slice text = arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{\"resultType\":\"input_required\",\"inputRequests\":"
		"{\"ask\":{\"method\":%.*s,\"params\":%.*s}},\"requestState\":\"%.*s\"}}", SL_ARG(buf_slice(&c->id)),
		SL_ARG(json_source(j, rpc->method)), SL_ARG(params), SL_ARG(buf_slice(&c->token)));
	if (!tcall_tell(c, text))
		return;
	struct upstream_sink sink = c->sink;
	c->sink = (struct upstream_sink){ 0 };
	if (sink.end)
		sink.end(sink.ctx, &end);
}

static void ask(struct translated *v, struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	unsigned need = needs(rpc);

	if (!c || c->answered || c->token.n || !need || !(c->able & need) || c->rounds >= MAX_ROUNDS || sweep_parked(v) >= MAX_PARKED) {
		decline(v, rpc, arena);
		return;
	}
	c->rounds++;
	park(c, rpc, arena);
}

static struct tcall *find_parked(struct translated *v, struct slice token)
{
	for (struct tcall *c = v->calls; c; c = c->next)
		if (c->part == PART_DOWN && c->token.n && slice_eq(buf_slice(&c->token), token))
			return c;
	return NULL;
}

static void answer_home(struct tcall *c, const struct rpc *rpc, struct arena *arena);

/* The answer that came while nobody waited for it. */
static void give_held(struct tcall *c, struct arena *arena)
{
	struct rpc rpc;

	upstream_cancel(c->inner); /* nothing more comes with it */
	c->inner = NULL;
	if (c->state.n && rpc_parse(&rpc, buf_slice(&c->state), arena, NULL) == E_OK) {
		struct slice server = SL("");

		tcall_answer(c, translate_answer_to_stateless(&rpc, buf_slice(&c->id), c->method, server, arena));
	} else {
		tcall_refuse(c, RPC_INTERNAL_ERROR, "the vault has ended the call meanwhile");
	}
}

struct tcall *down_resume(struct translated *v, const struct rpc *rpc, const struct upstream_request *r, const struct upstream_sink *sink,
	struct arena *arena, const char **why)
{
	const struct json *j = &rpc->json;
	uint32_t state = json_member(j, rpc->params, SL("requestState")), answers = json_member(j, rpc->params, SL("inputResponses"));
	uint32_t answer = json_member(j, answers, SL("ask"));
	unsigned char same[32];

	if (rpc->kind != RPC_REQUEST || (state == JSON_NONE && answers == JSON_NONE))
		return NULL;
	sweep_parked(v);
	struct tcall *c = json_is(j, state, JSON_STRING) ? find_parked(v, json_string(j, state, arena)) : NULL;
	sum(rpc, same);
	*why = !c ? TRANSLATE_NO_STATE :
		memcmp(same, c->same, sizeof same) != 0 ? "this is not the call that requestState belongs to" :
		!json_is(j, answer, JSON_OBJECT) ? "inputResponses lacks the answer to `ask`" : NULL;
	if (*why)
		return NULL;
	bool over = c->state.n || !c->inner; /* the vault has not waited for what it asked */
	if (!over)
		translate_say(v, arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%.*s}", SL_ARG(buf_slice(&c->vault_id)),
			SL_ARG(json_source(j, answer))), translate_version(v));
	buf_clear(&c->token);
	c->sink = *sink;
	c->limit_ms = r->limit_ms;
	translate_set(&c->id, rpc_id(rpc));
	keep_progress(c, rpc);
	if (over)
		give_held(c, arena);
	return c;
}

/* --- what the vault says ---------------------------------------------------------------------------------------------- */

static struct slice server_of(const struct translated *v, struct arena *arena)
{
	struct rpc hello;
	uint32_t t;

	if (rpc_parse(&hello, buf_slice(&v->hello), arena, NULL) != E_OK)
		return SL("");
	t = json_member(&hello.json, hello.result, SL("serverInfo"));
	return json_is(&hello.json, t, JSON_OBJECT) ? json_source(&hello.json, t) : SL("");
}

static void answer_home(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	struct slice text;

	if (c->token.n) { /* its agent is being asked: kept for the next round */
		translate_set(&c->state, rpc->json.text);
		return;
	}
	text = translate_answer_to_stateless(rpc, buf_slice(&c->id), c->method, server_of(c->owner, arena), arena);
	c->answered = true;
	tcall_tell(c, text.n ? text : rpc->json.text);
}

void down_message(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	if (rpc->kind == RPC_REQUEST)
		ask(c->owner, c, rpc, arena);
	else if (rpc->kind == RPC_NOTIFICATION)
		down_hear(c->owner, rpc, arena);
	else
		answer_home(c, rpc, arena);
}

void down_end(struct tcall *c, const struct upstream_end *end)
{
	if (!c->ends && !c->token.n)
		tcall_over(c, end);
}

static struct tcall *sole_call(const struct translated *v)
{
	struct tcall *found = NULL;

	for (struct tcall *c = v->calls; c; c = c->next) {
		if (c->part != PART_DOWN || !c->inner || c->answered)
			continue;
		if (found)
			return NULL;
		found = c;
	}
	return found;
}

static void hear_progress(struct translated *v, const struct rpc *rpc, struct arena *arena)
{
	uint32_t t = json_member(&rpc->json, rpc->params, SL("progressToken"));

	if (t == JSON_NONE)
		return;
	for (struct tcall *c = v->calls; c; c = c->next)
		if (c->part == PART_DOWN && c->progress.n && !c->token.n && slice_eq(buf_slice(&c->inner_id), json_source(&rpc->json, t))) {
			tcall_tell(c, translate_progress(rpc, buf_slice(&c->progress), arena));
			return;
		}
}

void down_hear(struct translated *v, const struct rpc *rpc, struct arena *arena)
{
	struct tcall *c = sole_call(v);

	if (rpc->kind == RPC_REQUEST)
		ask(v, c, rpc, arena); /* where several are open, it is not clear whose agent is meant */
	else if (rpc->kind != RPC_NOTIFICATION)
		return; /* the answer to something that awaits none */
	else if (slice_eq(rpc->method_name, SL("notifications/progress")))
		hear_progress(v, rpc, arena);
	else if (!slice_eq(rpc->method_name, SL("notifications/message")))
		down_hear_change(v, rpc, arena);
	else if (c && c->wants_logs)
		tcall_tell(c, rpc->json.text);
}
