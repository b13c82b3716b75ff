/*
 * Tasks of the agent's: the vault asked its model or its user for something that takes its time, and the agent answered with a task
 * (MCP 2025-11-25, "Tasks"). The vault may then ask for these, and for no others; what came of one is judged as the answer to what was
 * asked.
 */
#include "guards/chain.h"
#include "guards/tasks.h"

#define KIND SL("io.modelcontextprotocol/agent-task")
#define MAX_ID 1024
#define FOREVER_MS (24 * 3600 * 1000LL)

enum method agent_task_asked(const struct view *v, struct slice id)
{
	const struct handle *h = v->ledger && id.n ? ledger_find(v->ledger, v->upstream, KIND, id, v->now_ms) : NULL;
	const struct method_row *row = h ? method_find(h->call, SIDE_SERVER, false) : NULL;

	return row ? row->id : M_UNKNOWN;
}

bool agent_task_made(const struct json *j, uint32_t result)
{
	uint32_t task = json_member(j, result, SL("task"));
	uint32_t others = json_member(j, result, SL("_meta")) != JSON_NONE ? 2 : 1;

	return json_is(j, task, JSON_OBJECT) && j->tok[result].count == others && task_has_form(j, task);
}

bool agent_task_wanted(const struct json *j, uint32_t params)
{
	uint32_t task = params == JSON_NONE ? JSON_NONE : json_member(j, params, SL("task"));
	uint32_t ttl = task == JSON_NONE ? JSON_NONE : json_member(j, task, SL("ttl"));

	if (task == JSON_NONE)
		return true;
	return json_is(j, task, JSON_OBJECT) && j->tok[task].count == (ttl != JSON_NONE) && (ttl == JSON_NONE || json_is(j, ttl, JSON_NUMBER));
}

static struct slice id_of(const struct view *v, const struct json *j, uint32_t obj)
{
	uint32_t tok = obj == JSON_NONE ? JSON_NONE : json_member(j, obj, SL("taskId"));

	return json_is(j, tok, JSON_STRING) ? json_string(j, tok, v->arena) : SL("");
}

enum method judge_asks(const struct view *v, const struct rpc *rpc)
{
	const struct method_row *row = method_find(rpc->method_name, SIDE_SERVER, false);

	if (row && row->id == M_TASKS_RESULT)
		return agent_task_asked(v, id_of(v, &rpc->json, rpc->params));
	return row ? row->id : M_UNKNOWN;
}

enum err judge_learn_reply(struct ledger *ledger, const struct view *v, const struct rpc *rpc, enum method asked)
{
	uint32_t task = rpc->kind == RPC_RESULT && (asked == M_SAMPLING || asked == M_ELICITATION) ?
		json_member(&rpc->json, rpc->result, SL("task")) : JSON_NONE;
	struct handle h = { .upstream = v->upstream, .kind = KIND };
	int64_t ms = FOREVER_MS;

	if (task == JSON_NONE)
		return E_OK;
	h.text = id_of(v, &rpc->json, task);
	h.call = method_by_id(asked)->name;
	json_int(&rpc->json, json_member(&rpc->json, task, SL("ttl")), &ms);
	h.expires_ms = v->now_ms + (uint64_t)(ms < 0 ? 0 : ms > 7 * FOREVER_MS ? 7 * FOREVER_MS : ms) + 60000;
	if (!h.text.n || h.text.n > MAX_ID)
		return E_FULL;
	return ledger_learn(ledger, &h, v->now_ms);
}
