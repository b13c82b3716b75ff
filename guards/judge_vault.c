/*
 * What the vault sends by itself. Texts are withheld while a value may be under way, and dropped where they name what
 * the agent may not know of; what would make the agent's model work for the vault is declined then.
 */
#include "guards/chain.h"
#include "guards/edit.h"
#include "guards/facts.h"
#include "guards/offer.h"
#include "guards/refuse.h"
#include "guards/response.h"
#include "guards/rounds.h"
#include "guards/scope.h"
#include "guards/tasks.h"

/* Some value is under way, and nobody knows it yet: no text of the vault can be told from it. */
static bool withholds(const struct view *v)
{
	return v->policy->mask_values && (v->value_call_open || v->value_echoes || (v->tools && toolbook_busy(v->tools, v->now_ms)));
}

/* Every text of the params, names included, is inside. `secret accessed: a/b` is a sentence like any other. */
static bool texts_inside(const struct view *v, const struct rpc *rpc)
{
	struct scope scope = { .view = v };

	if (!policy_locks_paths(v->policy) || rpc->params == JSON_NONE)
		return true;
	return scope_json_in(&scope, &rpc->json, rpc->params);
}

static bool is_free(const struct view *v, const struct rpc *rpc)
{
	const struct policy *p = v->policy;

	return !p->mask_values && !policy_locks_paths(p) && !policy_locks_tenant(p) && !redact_wanted(v, NULL, rpc);
}

static void respond(const struct view *v, const struct rpc *rpc, struct judgement *j)
{
	if (is_free(v, rpc) || rpc->params == JSON_NONE)
		chain_pass(v, rpc, j);
	else
		chain_response(v, NULL, rpc, j);
}

/* What only has a text by the way goes on without one that may not be seen. */
static void judge_text(const struct view *v, const struct rpc *rpc, const char *member, struct judgement *j)
{
	uint32_t text = json_walk(&rpc->json, rpc->params, member), meta = json_walk(&rpc->json, rpc->params, "_meta");
	bool held = withholds(v);
	struct json_edits edits;

	if ((text == JSON_NONE && meta == JSON_NONE) || (!held && texts_inside(v, rpc))) {
		respond(v, rpc, j);
		return;
	}
	chain_deny(j, held ? "mask" : "paths", held ? R_WITHHELD : R_RESULT_PATH, SL(""));
	if (chain_shadow(v, j)) {
		chain_pass(v, rpc, j);
		return;
	}
	json_edits_init(&edits, v->arena);
	if ((text != JSON_NONE && json_edit_remove(&edits, text) != E_OK) ||
		(meta != JSON_NONE && json_edit_remove(&edits, meta) != E_OK) ||
		edits_render(&rpc->json, &edits, 1024, v->arena, &j->bytes) != E_OK)
		chain_deny(j, NULL, R_INTERNAL, SL(""));
	else
		j->kind = j->why.kind = VERDICT_REWRITE;
}

/* tasks/… of the vault's: about a task that this agent has told of. */
static bool is_agent_task(const struct view *v, const struct rpc *rpc)
{
	uint32_t id = json_walk(&rpc->json, rpc->params, "taskId");

	return json_is(&rpc->json, id, JSON_STRING) && agent_task_asked(v, json_string(&rpc->json, id, v->arena)) != M_UNKNOWN;
}

static void judge_known(const struct view *v, const struct rpc *rpc, enum method m, struct judgement *j)
{
	bool speaks = m == M_N_MESSAGE || m == M_SAMPLING || m == M_ELICITATION;

	if (!agent_task_wanted(&rpc->json, rpc->params) && policy_narrows(v->policy))
		chain_deny(j, NULL, R_MESSAGE, SL("task"));
	else if (method_is_task(m) && !is_agent_task(v, rpc))
		chain_deny(j, "handles", R_HANDLE, SL("taskId"));
	else if (m == M_N_RESOURCE_UPDATED && !listen_uri_passes(v, rpc, json_walk(&rpc->json, rpc->params, "uri")))
		chain_deny(j, "paths", R_RESULT_PATH, SL(""));
	else if (m == M_N_TASKS || m == M_N_TASKS_STATUS)
		judge_task_notice(v, rpc, j);
	else if (m == M_N_ACKNOWLEDGED)
		judge_acknowledged(v, rpc, j);
	else if (m == M_N_PROGRESS)
		judge_text(v, rpc, "message", j);
	else if (m == M_N_CANCELLED)
		judge_text(v, rpc, "reason", j);
	else if (speaks && withholds(v))
		chain_deny(j, "mask", R_WITHHELD, SL(""));
	else
		respond(v, rpc, j);
}

/* What belongs to a task is for the agent whose task it is; it may quote what that works on. */
static void judge_related(const struct view *v, const struct rpc *rpc, enum method m, struct judgement *j)
{
	struct view here = *v;
	struct call *origin;
	struct call_summary s;

	if (!task_related(v, rpc, json_walk(&rpc->json, rpc->params, "_meta"), &origin)) {
		chain_deny(j, "handles", R_HANDLE, SL("related-task"));
		return;
	}
	if (origin) {
		call_summary(origin, &s);
		here.value_call_open |= s.bears_values;
	}
	judge_known(&here, rpc, m, j);
}

void judge_from_vault(const struct view *v, const struct rpc *rpc, struct judgement *j)
{
	bool asks = rpc->kind == RPC_REQUEST;
	const struct method_row *row = NULL;
	struct slice bad = SL("");

	chain_begin(j);
	if (asks || rpc->kind == RPC_NOTIFICATION)
		row = method_find(rpc->method_name, SIDE_SERVER, !asks);
	if (!row)
		chain_deny(j, NULL, R_METHOD, SL(""));
	else if (!params_known(row, false, &rpc->json, rpc->params, &bad, v->arena))
		chain_deny(j, NULL, R_MESSAGE, bad);
	else
		judge_related(v, rpc, row->id, j);
	if (j->kind == VERDICT_DENY && chain_shadow(v, j))
		chain_pass(v, rpc, j);
	if (j->kind != VERDICT_DENY)
		return;
	if (asks)
		j->refusal = refuse_vault(v, rpc, row ? row->id : M_UNKNOWN, j);
	j->drop = j->refusal.n == 0;
}
