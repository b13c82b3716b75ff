/*
 * What an agent sends: requests, notifications, and its answers to what the vault asked.
 */
#include "guards/chain.h"
#include "guards/edit.h"
#include "guards/exfiltration.h"
#include "guards/facts.h"
#include "guards/refuse.h"
#include "guards/rounds.h"
#include "guards/tasks.h"

static void refuse(const struct view *v, const struct call *c, struct judgement *j)
{
	j->refusal = refuse_request(v, c, j);
	j->drop = j->refusal.n == 0;
}

static void decide(const struct view *v, struct call *c, struct judgement *j)
{
	if (c->fault.kind != VERDICT_DENY)
		chain_request(v, c, j);
	else
		chain_deny(j, c->fault.reason == R_HANDLE ? "handles" : NULL, c->fault.reason, c->fault.what);
	if (j->kind != VERDICT_DENY && c->method->id == M_LISTEN)
		judge_listen(v, c, j);
	if (j->kind != VERDICT_DENY && c->needs_tools) {
		j->kind = VERDICT_NEED_TOOLS;
		return;
	}
	/* Another guard was first: its words, and the audit's, must not repeat a value. */
	if (j->kind == VERDICT_DENY && j->why.reason != R_EXFILTRATION && exfiltration_taints(v, c)) {
		c->tainted = true;
		j->why.what = SL("");
	}
	if (chain_shadow(v, j))
		chain_pass(v, c->rpc, j);
	else if (j->kind != VERDICT_DENY && call_render(c, v->arena, &j->bytes) != E_OK)
		chain_deny(j, NULL, R_INTERNAL, SL(""));
	if (j->kind == VERDICT_DENY)
		refuse(v, c, j);
}

static void judge_request(const struct view *v, const struct rpc *rpc, struct call **out, struct judgement *j)
{
	struct call *c = ARENA_NEW(v->arena, struct call);

	*out = c;
	if (!c) {
		chain_deny(j, NULL, R_INTERNAL, SL(""));
		j->refusal = judge_failure(rpc_id(rpc), RPC_INTERNAL_ERROR, reason_text(R_INTERNAL), v->arena);
		j->drop = j->refusal.n == 0;
		return;
	}
	if (classify(v, rpc, c) != E_OK)
		c->fault = deny(R_INTERNAL, SL(""), (struct origin){ 0 });
	decide(v, c, j);
}

/* False: it holds a value the agent was given. */
static bool gives_nothing_away(const struct view *v, const struct rpc *rpc, uint32_t tok, struct judgement *j)
{
	struct verdict one = exfiltration_beside(v, rpc, tok);

	j->found = one.found;
	if (one.kind == VERDICT_DENY) {
		chain_deny(j, "exfiltration", one.reason, one.what);
		j->why.rule = one.rule;
	}
	return one.kind != VERDICT_DENY;
}

/* --- notifications -------------------------------------------------------------------------------------------- */

static bool is_token(const struct json *j, uint32_t tok)
{
	return json_is(j, tok, JSON_STRING) || json_is(j, tok, JSON_NUMBER);
}

static bool has_shape(const struct rpc *rpc, enum method m)
{
	const struct json *j = &rpc->json;
	uint32_t reason = json_walk(j, rpc->params, "reason"), text = json_walk(j, rpc->params, "message");

	if (m == M_N_CANCELLED)
		return is_token(j, json_walk(j, rpc->params, "requestId")) &&
			(reason == JSON_NONE || json_is(j, reason, JSON_STRING));
	if (m == M_N_TASKS_STATUS)
		return rpc->params != JSON_NONE && task_has_form(j, rpc->params);
	if (m == M_N_PROGRESS)
		return is_token(j, json_walk(j, rpc->params, "progressToken")) &&
			(text == JSON_NONE || json_is(j, text, JSON_STRING));
	return true;
}

/* Of a task it has told the vault of. */
static bool is_own_task(const struct view *v, const struct rpc *rpc)
{
	return agent_task_asked(v, json_string(&rpc->json, json_walk(&rpc->json, rpc->params, "taskId"), v->arena)) != M_UNKNOWN;
}

/* There is no answer to a notification: what is refused is dropped. */
static void judge_notification(const struct view *v, const struct rpc *rpc, struct judgement *j)
{
	const struct method_row *row = method_find(rpc->method_name, SIDE_CLIENT, true);
	uint32_t meta = json_walk(&rpc->json, rpc->params, "_meta");
	struct slice bad = SL("");
	struct call *origin;

	if (!row)
		chain_deny(j, NULL, R_METHOD, SL(""));
	else if (!params_known(row, false, &rpc->json, rpc->params, &bad, v->arena) || !has_shape(rpc, row->id))
		chain_deny(j, NULL, R_MESSAGE, bad);
	else if (!task_related(v, rpc, meta, &origin) || (row->id == M_N_TASKS_STATUS && !is_own_task(v, rpc)))
		chain_deny(j, "handles", R_HANDLE, SL("taskId"));
	else if (gives_nothing_away(v, rpc, rpc->params, j))
		beside_passes(v, rpc, row->id == M_N_TASKS_STATUS ? rpc->params : meta, j);
	if (j->kind != VERDICT_DENY || chain_shadow(v, j))
		chain_pass(v, rpc, j);
	j->drop = j->kind == VERDICT_DENY;
}

/* --- answers -------------------------------------------------------------------------------------------------- */

/* Members a result may have besides _meta, by what was asked. */
static const char *const *members_of(enum method asked)
{
	static const char *const sampling[] = { "role", "content", "model", "stopReason", NULL };
	static const char *const elicitation[] = { "action", "content", NULL };
	static const char *const roots[] = { "roots", NULL };
	static const char *const task[] = { "taskId", "status", "statusMessage", "createdAt", "lastUpdatedAt", "ttl", "pollInterval", NULL };
	static const char *const none[] = { NULL };

	switch ((int)asked) {
	case M_SAMPLING:
		return sampling;
	case M_ELICITATION:
		return elicitation;
	case M_ROOTS_LIST:
		return roots;
	case M_TASKS_GET:
	case M_TASKS_CANCEL:
		return task;
	case M_PING:
		return none;
	default:
		return NULL;
	}
}

/* The answer to a question that may take its time. */
static bool is_task_made(const struct rpc *rpc, enum method asked)
{
	return rpc->kind == RPC_RESULT && (asked == M_SAMPLING || asked == M_ELICITATION) && json_is(&rpc->json, rpc->result, JSON_OBJECT) &&
		agent_task_made(&rpc->json, rpc->result);
}

static bool is_known_result(const struct view *v, const struct rpc *rpc, enum method asked)
{
	struct method_row row = { .members = members_of(asked) };
	struct slice bad;

	if (row.members && is_task_made(rpc, asked))
		return true;
	return row.members && json_is(&rpc->json, rpc->result, JSON_OBJECT) &&
		params_known(&row, false, &rpc->json, rpc->result, &bad, v->arena);
}

/* Of an elicitation's answer, and of a task, every word is for the vault; of the others, what they do not say of themselves. */
static bool may_be_said(const struct view *v, const struct rpc *rpc, enum method asked, struct judgement *j)
{
	uint32_t meta = rpc->kind == RPC_RESULT ? json_member(&rpc->json, rpc->result, SL("_meta")) : JSON_NONE;
	bool whole = asked == M_ELICITATION || asked == M_TASKS_GET || asked == M_TASKS_CANCEL || is_task_made(rpc, asked);
	uint32_t said = whole ? rpc->result : meta;
	struct call *origin;

	if (!task_related(v, rpc, meta, &origin)) {
		chain_deny(j, "handles", R_HANDLE, SL("related-task"));
		return chain_shadow(v, j);
	}
	return rpc->kind == RPC_ERROR || beside_passes(v, rpc, said, j) || chain_shadow(v, j);
}

/* The vault waits for it: an answer that must not go on becomes one that declines. */
static void judge_reply(const struct view *v, const struct rpc *rpc, enum method asked, struct judgement *j)
{
	bool known = rpc->kind == RPC_ERROR ? members_of(asked) != NULL : is_known_result(v, rpc, asked);
	bool marked = known && rpc->kind == RPC_RESULT && json_has_marker(&rpc->json, rpc->result, v->arena);

	uint32_t said = rpc->kind == RPC_ERROR ? rpc->error : rpc->result;
	bool kept = !known || marked || gives_nothing_away(v, rpc, said, j) || chain_shadow(v, j);

	if (known && !marked && kept && may_be_said(v, rpc, asked, j)) {
		chain_pass(v, rpc, j);
		return;
	}
	if (!known || marked)
		chain_deny(j, marked ? "masked-input" : NULL, marked ? R_MASKED_INPUT : R_MESSAGE, SL(""));
	if (rpc->id == JSON_NONE || !members_of(asked)) {
		j->drop = true; /* nobody asked */
		return;
	}
	j->bytes = refuse_answer(v, rpc, asked);
	j->kind = j->bytes.n ? VERDICT_REWRITE : VERDICT_DENY;
	j->drop = j->bytes.n == 0;
}

void judge_from_agent(
	const struct view *v, const struct rpc *rpc, enum method asked, struct call **call, struct judgement *j)
{
	*call = NULL;
	chain_begin(j);
	switch (rpc->kind) {
	case RPC_REQUEST:
		judge_request(v, rpc, call, j);
		break;
	case RPC_NOTIFICATION:
		judge_notification(v, rpc, j);
		break;
	case RPC_RESULT:
	case RPC_ERROR:
		judge_reply(v, rpc, asked, j);
		break;
	}
}
