/*
 * The vault's answer to a call: judged, and learned from.
 */
#include "guards/chain.h"
#include "guards/facts.h"
#include "guards/learn.h"
#include "guards/refuse.h"
#include "guards/response.h"
#include "guards/rounds.h"
#include "guards/tasks.h"

static bool is_list(enum method m)
{
	return m == M_TOOLS_LIST || m == M_RESOURCES_LIST || m == M_RESOURCES_TEMPLATES_LIST || m == M_PROMPTS_LIST ||
		m == M_DISCOVER;
}

/* Whose items are pinned, and, of tools, read. */
static bool is_pinned_list(enum method m)
{
	return is_list(m) && m != M_DISCOVER;
}

/* What kind of result it is (MCP 2026-07-28, "Results"); older servers do not say. */
enum result_kind { RESULT_COMPLETE, RESULT_ROUND, RESULT_TASK, RESULT_OTHER };

static enum result_kind kind_of(const struct call *c, const struct rpc *rpc)
{
	uint32_t type = rpc->kind == RPC_RESULT ? json_member(&rpc->json, rpc->result, SL("resultType")) : JSON_NONE;

	if (!c->rpc->stateless)
		return c->as_task && rpc->kind == RPC_RESULT && json_is(&rpc->json, json_member(&rpc->json, rpc->result, SL("task")), JSON_OBJECT) ?
			RESULT_TASK : RESULT_COMPLETE;
	if (type == JSON_NONE)
		return RESULT_COMPLETE;
	if (!json_is(&rpc->json, type, JSON_STRING))
		return RESULT_OTHER;
	if (json_string_eq(&rpc->json, type, SL("input_required")))
		return RESULT_ROUND;
	if (json_string_eq(&rpc->json, type, SL("task")))
		return c->method->id == M_TOOLS_CALL && tasks_declared(c->rpc) ? RESULT_TASK : RESULT_OTHER;
	return json_string_eq(&rpc->json, type, SL("complete")) ? RESULT_COMPLETE : RESULT_OTHER;
}

/* Answers no guard has an opinion about under this profile: not even taken apart. */
static bool is_free(const struct view *v, const struct call *c, const struct rpc *rpc)
{
	const struct policy *p = v->policy;

	return !p->mask_values && !policy_locks_paths(p) && !policy_locks_tenant(p) && !is_list(c->method->id) &&
		!redact_wanted(v, c, rpc);
}

/* tasks/get: of the task that was asked for, and of no other. */
static void judge_task(const struct view *v, const struct call *c, const struct rpc *rpc, struct judgement *j)
{
	if (task_is(v, &rpc->json, rpc->result, c->name))
		judge_task_answer(v, c->task, rpc, j);
	else
		chain_deny(j, NULL, R_RESULT_FORM, SL("taskId"));
}

/* Says how a task stands: tasks/get, and of 2025-11-25 tasks/cancel too. */
static bool tells_task(const struct call *c, const struct rpc *rpc)
{
	enum method m = c->method->id;

	return rpc->kind == RPC_RESULT && (m == M_TASKS_GET || (m == M_TASKS_CANCEL && !c->rpc->stateless));
}

static void judge_complete(const struct view *v, const struct call *c, const struct rpc *rpc, struct judgement *j)
{
	enum method m = c->method->id;

	if (m == M_TASKS_LIST && rpc->kind == RPC_RESULT)
		judge_task_list(v, rpc, j);
	else if (is_free(v, c, rpc))
		chain_pass(v, rpc, j);
	else if (tells_task(c, rpc))
		judge_task(v, c, rpc, j);
	else if (m == M_TASKS_RESULT && rpc->kind == RPC_RESULT)
		judge_task_result(v, c, rpc, j);
	else if (method_is_task(m) && rpc->kind == RPC_ERROR)
		chain_response(v, c->task, rpc, j); /* it speaks of that call */
	else
		chain_response(v, c, rpc, j);
}

static void judge_result(const struct view *v, const struct call *c, const struct rpc *rpc, struct judgement *j)
{
	switch (kind_of(c, rpc)) {
	case RESULT_ROUND:
		judge_round(v, c, rpc, j);
		return;
	case RESULT_OTHER:
		chain_deny(j, NULL, R_RESULT_FORM, SL("resultType"));
		return;
	case RESULT_TASK:
		if (c->rpc->stateless)
			judge_task_answer(v, c, rpc, j);
		else
			judge_task_created(v, c, rpc, j);
		return;
	case RESULT_COMPLETE:
		judge_complete(v, c, rpc, j);
		return;
	}
}

void judge_answer(const struct view *v, const struct call *c, const struct rpc *rpc, struct judgement *j)
{
	chain_begin(j);
	if (!c || !c->method || (rpc->kind != RPC_RESULT && rpc->kind != RPC_ERROR)) {
		chain_deny(j, NULL, R_MESSAGE, SL(""));
		j->drop = true;
		return;
	}
	judge_result(v, c, rpc, j);
	if (j->kind == VERDICT_DENY) {
		j->refusal = refuse_request(v, c, j);
		j->drop = j->refusal.n == 0;
	}
}

static bool teaches(const struct view *v, const struct call *c, const struct rpc *rpc)
{
	enum result_kind kind = kind_of(c, rpc);

	if (kind == RESULT_TASK || tells_task(c, rpc) || c->method->id == M_TASKS_RESULT)
		return true;
	return kind == RESULT_COMPLETE && (is_pinned_list(c->method->id) || c->n_handles || (c->rule && c->rule->n_gives) ||
		values_in(v, c));
}

static enum err learn(struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c, const struct rpc *rpc)
{
	struct result r;
	enum err e = result_open(v, c, rpc, &r);

	if (e == E_OK)
		e = chain_learn(ledger, book, v, c, &r);
	if (e != E_OK || kind_of(c, rpc) != RESULT_TASK)
		return e;
	uint32_t task = c->rpc->stateless ? rpc->result : json_member(&rpc->json, rpc->result, SL("task"));
	uint32_t id = json_member(&rpc->json, task, SL("taskId"));
	e = task_keep(ledger, v, c, &rpc->json, task);
	return e == E_OK && !c->rpc->stateless ? task_mark(book, v, c, json_string(&rpc->json, id, v->arena), &rpc->json, task) : e;
}

/* tasks/result: what that call gives, and its end. */
static enum err learn_result(struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c, const struct rpc *rpc)
{
	const struct call *origin = c->task;
	enum err e = E_OK;

	if (!origin)
		return E_OK;
	if (rpc->kind == RPC_RESULT && (origin->n_handles || (origin->rule && origin->rule->n_gives) || values_in(v, origin)))
		e = learn(ledger, book, v, origin, rpc);
	return e == E_OK ? task_mark(book, v, origin, c->name, &rpc->json, JSON_NONE) : e;
}

/* What is said of a task later: what its call gives, and how long it will be there. */
static enum err learn_later(struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c, const struct rpc *rpc)
{
	enum err e = task_learn(ledger, book, v, c, rpc);

	if (e == E_OK && c && c->task && task_is(v, &rpc->json, rpc->result, c->name) &&
		(json_member(&rpc->json, rpc->result, SL("ttlMs")) != JSON_NONE || json_member(&rpc->json, rpc->result, SL("ttl")) != JSON_NONE))
		e = task_keep(ledger, v, c->task, &rpc->json, rpc->result);
	return e;
}

static bool is_task_notice(const struct rpc *rpc)
{
	return rpc->kind == RPC_NOTIFICATION && (slice_eq(rpc->method_name, method_by_id(M_N_TASKS)->name) ||
		slice_eq(rpc->method_name, method_by_id(M_N_TASKS_STATUS)->name));
}

enum err judge_learn(
	struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c, const struct rpc *rpc)
{
	struct pace *pace = v->arena->pace;

	if (!c ? !is_task_notice(rpc) : !c->method || !teaches(v, c, rpc))
		return E_OK;
	v->arena->pace = NULL; /* nobody else may learn meanwhile */
	enum err e = !c || tells_task(c, rpc) ? learn_later(ledger, book, v, c, rpc) :
		c->method->id == M_TASKS_RESULT ? learn_result(ledger, book, v, c, rpc) : learn(ledger, book, v, c, rpc);
	v->arena->pace = pace;
	return e;
}

void call_summary(const struct call *c, struct call_summary *out)
{
	enum method m = c->method ? c->method->id : M_UNKNOWN;
	bool named = m == M_TOOLS_CALL;

	if (c->task) { /* it is that call that goes on */
		call_summary(c->task, out);
		out->method = m;
		out->method_name = c->rpc->method_name;
		return;
	}
	*out = (struct call_summary){ .method = m, .method_name = c->method || !c->tainted ? c->rpc->method_name : SL(""), .action = c->action,
		.paths = c->clean_paths, .n_paths = c->tainted ? 0 : c->n_clean_paths };
	if (named && (!c->tainted || c->rule))
		out->tool = c->outer ? c->outer_name : c->name;
	/*
	 * What nobody knows may bear anything; a rotation's answer, where its catalog says so, the new value. Of a plain write the
	 * agent has the value, and the vault may have to ask before it.
	 */
	bool hands_out = c->rule && (rule_gives_value(c->rule) || (c->rule->out.n_values && c->action != ACT_WRITE));

	out->bears_values = (named && (c->action == ACT_UNKNOWN || c->executor)) || action_bears_values(c->action) ||
		hands_out || m == M_RESOURCES_READ ||
		(named && !c->rule && !action_is_read_only(c->action) && generic_hands_out(c->name));
}
