/* Agents with a handshake before a vault of the stateless revision. */
#include <stdlib.h>
#include "mcp/stateless.h"
#include "upstream/translate_inside.h"

static struct translate_client client_of(const struct translated *v)
{
	return (struct translate_client){ buf_slice(&v->client_info), buf_slice(&v->client_capabilities), buf_slice(&v->log_level) };
}

void up_hello(struct tcall *c, struct arena *arena)
{
	struct translated *v = c->owner;
	struct rpc rpc;
	struct slice text = SL("");

	if (rpc_parse(&rpc, buf_slice(&v->discovered), arena, NULL) == E_OK)
		text = translate_hello(&rpc, buf_slice(&c->id), buf_slice(&v->version), arena);
	if (!text.n) {
		tcall_fail(c, UP_GARBAGE, 0);
		return;
	}
	v->up = v->vault->no_handshake = true;
	tcall_answer(c, text);
}

/* --- rounds ----------------------------------------------------------------------------------------------------------- */

static void give_up(struct tcall *c, const char *text)
{
	upstream_cancel(c->inner);
	c->inner = NULL;
	tcall_forget_questions(c);
	tcall_refuse(c, RPC_INTERNAL_ERROR, text);
}

static void dispatch(struct tcall *c, const struct rpc *rpc, const struct translate_round *round, struct arena *arena)
{
	struct translate_client client = client_of(c->owner);
	struct slice id = translate_next_id(c->owner, arena);
	struct slice json = translate_to_stateless(rpc, id, &client, round, arena);

	if (json.n)
		tcall_send(c, json, id, STATELESS_REVISION, buf_slice(&c->mirror));
	else
		tcall_refuse(c, RPC_INVALID_REQUEST, "this request cannot be said in the vault's revision");
}

/* All is answered: the same call again, with the answers. */
static void next_round(struct tcall *c, struct arena *arena)
{
	struct slice responses = SL("{"), one;
	struct rpc rpc;

	if (++c->rounds > MAX_ROUNDS || rpc_parse(&rpc, buf_slice(&c->body), arena, NULL) != E_OK) {
		give_up(c, "the vault asks back without end");
		return;
	}
	for (size_t i = 0; i < c->n_questions; i++) {
		const struct question *q = &c->questions[i];

		one = arena_fmt(arena, "%s%.*s:%.*s", i ? "," : "", SL_ARG(buf_slice(&q->name)), SL_ARG(buf_slice(&q->answer)));
		responses = arena_join(arena, responses, one, SL(""));
	}
	responses = arena_join(arena, responses, SL("}"), SL(""));
	struct translate_round round = { responses, buf_slice(&c->state) };
	tcall_forget_questions(c);
	dispatch(c, &rpc, &round, arena);
}

static bool may_ask(const struct json *j, uint32_t method)
{
	return json_string_eq(j, method, SL("elicitation/create")) || json_string_eq(j, method, SL("sampling/createMessage")) ||
		json_string_eq(j, method, SL("roots/list"));
}

/* Notes one question and its message for the agent; empty: it cannot be asked. */
static struct slice note_question(struct tcall *c, const struct json *j, uint32_t name, struct arena *arena)
{
	uint32_t method = json_member(j, name + 1, SL("method")), params = json_member(j, name + 1, SL("params"));
	struct question *q = &c->questions[c->n_questions];
	struct slice id = arena_fmt(arena, "\"narrowgate-ask-%llu\"", (unsigned long long)++c->owner->next_id);

	if (!may_ask(j, method))
		return SL("");
	buf_init(&q->name, SIZE_MAX);
	buf_init(&q->id, SIZE_MAX);
	buf_init(&q->answer, SIZE_MAX);
	translate_set(&q->name, json_source(j, name));
	translate_set(&q->id, id);
	c->n_questions++;
	return arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"method\":%.*s%s%.*s}", SL_ARG(id), SL_ARG(json_source(j, method)),
		params == JSON_NONE ? "" : ",\"params\":", SL_ARG(params == JSON_NONE ? SL("") : json_source(j, params)));
}

/* The result is a question: the agent is asked in the words of its revision, on the call's own stream. */
static void ask(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	const struct json *j = &rpc->json;
	uint32_t all = json_member(j, rpc->result, SL("inputRequests")), state = json_member(j, rpc->result, SL("requestState"));
	struct slice texts[MAX_QUESTIONS];

	upstream_cancel(c->inner); /* nothing more comes with it */
	c->inner = NULL;
	translate_set(&c->state, state == JSON_NONE ? SL("") : json_source(j, state));
	c->questions = calloc(MAX_QUESTIONS, sizeof *c->questions);
	if (!c->questions || (all != JSON_NONE && (!json_is(j, all, JSON_OBJECT) || j->tok[all].count > MAX_QUESTIONS))) {
		give_up(c, "the vault asks what cannot be passed on");
		return;
	}
	for (uint32_t t = all == JSON_NONE ? 0 : json_first(j, all); all != JSON_NONE && t < j->tok[all].next; t = j->tok[t + 1].next) {
		struct slice text = note_question(c, j, t, arena);

		if (!text.n) {
			give_up(c, "the vault asks what cannot be passed on");
			return;
		}
		texts[c->n_questions - 1] = text;
	}
	if (!c->n_questions)
		next_round(c, arena);
	for (size_t i = 0, n = c->n_questions; i < n; i++)
		if (!tcall_tell(c, texts[i]) || c->n_questions != n)
			return; /* gone, or refused meanwhile */
}

static struct question *find_question(struct translated *v, struct slice id, struct tcall **of)
{
	for (struct tcall *c = v->calls; c; c = c->next)
		for (size_t i = 0; i < c->n_questions; i++)
			if (slice_eq(buf_slice(&c->questions[i].id), id)) {
				*of = c;
				return &c->questions[i];
			}
	return NULL;
}

static bool all_answered(const struct tcall *c)
{
	for (size_t i = 0; i < c->n_questions; i++)
		if (!c->questions[i].answer.n)
			return false;
	return true;
}

static void take_answer(struct translated *v, const struct rpc *rpc, struct arena *arena)
{
	struct tcall *c = NULL;
	struct question *q = find_question(v, rpc_id_key(rpc, arena), &c);

	if (!q)
		return;
	if (rpc->kind == RPC_ERROR) {
		give_up(c, "the agent did not give what the vault asked for");
		return;
	}
	translate_set(&q->answer, json_source(&rpc->json, rpc->result));
	if (all_answered(c))
		next_round(c, arena);
}

/* --- what the agent says ---------------------------------------------------------------------------------------------- */

static void subscribe(struct tcall *c, const struct rpc *rpc, bool on, struct arena *arena)
{
	struct translated *v = c->owner;
	uint32_t t = json_member(&rpc->json, rpc->params, SL("uri"));
	struct slice uri = json_is(&rpc->json, t, JSON_STRING) ? json_string(&rpc->json, t, arena) : SL("");
	size_t at = 0;

	while (at < v->n_uris && !slice_eq(buf_slice(&v->uris[at]), uri))
		at++;
	if (on && at == MAX_SUBSCRIBED) {
		tcall_refuse(c, RPC_INTERNAL_ERROR, "too many resources are subscribed to");
		return;
	}
	if (on && at == v->n_uris) {
		buf_init(&v->uris[v->n_uris], SIZE_MAX);
		translate_set(&v->uris[v->n_uris++], uri);
	} else if (!on && at < v->n_uris) {
		buf_finish(&v->uris[at]);
		v->uris[at] = v->uris[--v->n_uris];
	}
	for (struct tcall *ear = v->calls; ear; ear = ear->next)
		if (ear->part == PART_EAR)
			up_listen(ear);
	tcall_answer(c, arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{}}", SL_ARG(buf_slice(&c->id))));
}

static void say_cancelled(struct translated *v, const struct tcall *c, struct arena *arena)
{
	if (v->vault->child && c->inner && c->inner_id.n) /* over HTTP the closing of the request says it */
		translate_say(v, arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%.*s}}",
			SL_ARG(buf_slice(&c->inner_id))), STATELESS_REVISION);
}

static void send_request(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	const struct method_row *row = method_find(rpc->method_name, SIDE_CLIENT, false);
	uint32_t level = json_member(&rpc->json, rpc->params, SL("level"));

	c->method = row ? row->id : M_UNKNOWN;
	if (method_is_task(c->method) || c->method == M_TASKS_LIST) {
		tcall_refuse(c, RPC_METHOD_NOT_FOUND, "tasks are not translated between this revision and the vault's");
		return;
	}
	if (c->method == M_RESOURCES_SUBSCRIBE || c->method == M_RESOURCES_UNSUBSCRIBE) {
		subscribe(c, rpc, c->method == M_RESOURCES_SUBSCRIBE, arena);
		return;
	}
	if (c->method != M_PING && c->method != M_SET_LEVEL) {
		dispatch(c, rpc, NULL, arena);
		return;
	}
	if (c->method == M_SET_LEVEL)
		translate_set(&c->owner->log_level, json_is(&rpc->json, level, JSON_STRING) ? json_source(&rpc->json, level) : SL(""));
	tcall_answer(c, arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{}}", SL_ARG(buf_slice(&c->id))));
}

void up_send(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	switch (rpc->kind) {
	case RPC_REQUEST:
		send_request(c, rpc, arena);
		return;
	case RPC_RESULT:
	case RPC_ERROR:
		take_answer(c->owner, rpc, arena);
		break;
	case RPC_NOTIFICATION: /* `initialized`, progress, changed roots: nobody there hears of them; a cancel ends its own call */
		break;
	}
	tcall_answer(c, SL(""));
}

void up_cancel(struct tcall *c)
{
	struct arena arena;

	arena_init(&arena, TRANSLATE_ARENA_BYTES);
	say_cancelled(c->owner, c, &arena);
	arena_finish(&arena);
}

/* --- what the vault says ---------------------------------------------------------------------------------------------- */

static void hear(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	if (!slice_eq(rpc->method_name, SL("notifications/subscriptions/acknowledged")))
		tcall_tell(c, translate_notification_from_stateless(rpc, arena));
}

void up_message(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	uint32_t type = rpc->kind == RPC_RESULT ? json_member(&rpc->json, rpc->result, SL("resultType")) : JSON_NONE;
	bool asks = type != JSON_NONE && json_string_eq(&rpc->json, type, SL("input_required"));
	bool known = type == JSON_NONE || asks || json_string_eq(&rpc->json, type, SL("complete"));

	if (rpc->kind == RPC_NOTIFICATION)
		hear(c, rpc, arena);
	else if (c->part == PART_EAR)
		c->deaf = rpc->kind == RPC_ERROR; /* else it is the subscription's end */
	else if (rpc->kind == RPC_REQUEST)
		return; /* the vault's revision has none of its own */
	else if (asks)
		ask(c, rpc, arena);
	else if (!known)
		give_up(c, "the vault's answer is of a kind that the agent's revision does not have");
	else {
		struct slice text = translate_answer_from_stateless(rpc, buf_slice(&c->id), c->method, arena);

		c->answered = true;
		tcall_tell(c, text.n ? text : rpc->json.text);
	}
}

void up_end(struct tcall *c, const struct upstream_end *end)
{
	bool deaf = c->part == PART_EAR && (c->deaf || end->outcome == UP_STATUS);

	if (!c->ends && !c->n_questions && !deaf) /* where there is nothing to hear, the agent's stream stays all the same */
		tcall_over(c, end);
}

void up_hear(struct translated *v, const struct rpc *rpc, struct arena *arena)
{
	struct slice text;

	if (rpc->kind != RPC_NOTIFICATION || slice_eq(rpc->method_name, SL("notifications/subscriptions/acknowledged")))
		return;
	text = translate_notification_from_stateless(rpc, arena);
	if (text.n && v->events.message)
		v->events.message(v->events.ctx, text);
}

/* --- the agent's standing stream -------------------------------------------------------------------------------------- */

void up_listen(struct tcall *c)
{
	struct translated *v = c->owner;
	struct translate_client client = client_of(v);
	struct arena arena;

	up_cancel(c); /* the subscription before this one */
	upstream_cancel(c->inner);
	c->inner = NULL;
	c->deaf = false;
	arena_init(&arena, TRANSLATE_ARENA_BYTES);
	struct slice id = translate_next_id(v, &arena), wanted;
	wanted = SL("\"notifications\":{\"toolsListChanged\":true,\"promptsListChanged\":true,\"resourcesListChanged\":true");
	for (size_t i = 0; i < v->n_uris; i++) {
		struct buf quoted;

		buf_init(&quoted, SIZE_MAX);
		buf_add_json_string(&quoted, buf_slice(&v->uris[i]));
		wanted = arena_join(&arena, wanted, i ? SL(",") : SL(",\"resourceSubscriptions\":["), buf_slice(&quoted));
		buf_finish(&quoted);
	}
	wanted = arena_join(&arena, wanted, v->n_uris ? SL("]") : SL(""), SL("}"));
	tcall_send(c, translate_own_stateless(id, "subscriptions/listen", &client, wanted, &arena), id, STATELESS_REVISION,
		SL("Mcp-Method: subscriptions/listen\r\n"));
	arena_finish(&arena);
}
