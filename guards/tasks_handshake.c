/* Tasks as 2025-11-25 has them: made by a call that asks for one, fetched with tasks/result, listed with tasks/list. */
#include "guards/chain.h"
#include "guards/edit.h"
#include "guards/facts.h"
#include "guards/offer.h"
#include "guards/tasks.h"

#define FOREVER_MS (24 * 3600 * 1000LL)
#define SLACK_MS 60000

/* --- whose it is --------------------------------------------------------------------------------------------------- */

struct slice task_related_id(const struct json *j, uint32_t tok, struct arena *arena)
{
	uint32_t id = json_is(j, tok, JSON_OBJECT) ? json_member(j, tok, SL("taskId")) : JSON_NONE;

	return json_is(j, id, JSON_STRING) && j->tok[tok].count == 1 ? json_string(j, id, arena) : (struct slice){ NULL, 0 };
}

bool task_related(const struct view *v, const struct rpc *rpc, uint32_t meta, struct call **origin)
{
	uint32_t tok = json_is(&rpc->json, meta, JSON_OBJECT) ? json_member(&rpc->json, meta, META_RELATED_TASK) : JSON_NONE;

	*origin = NULL;
	if (tok == JSON_NONE)
		return true;
	struct slice id = task_related_id(&rpc->json, tok, v->arena);
	*origin = id.n ? task_recall(v, id, false) : NULL;
	return *origin || agent_task_asked(v, id) != M_UNKNOWN;
}

/* --- until when it may tell of values --------------------------------------------------------------------------------- */

static bool has_ended(const struct json *j, uint32_t obj)
{
	uint32_t status = obj == JSON_NONE ? JSON_NONE : json_member(j, obj, SL("status"));

	return obj == JSON_NONE || (json_is(j, status, JSON_STRING) && (json_string_eq(j, status, SL("completed")) ||
		json_string_eq(j, status, SL("failed")) || json_string_eq(j, status, SL("cancelled"))));
}

enum err task_mark(struct toolbook *book, const struct view *v, const struct call *origin, struct slice id, const struct json *j, uint32_t obj)
{
	int64_t ms = FOREVER_MS;
	struct call_summary s;

	call_summary(origin, &s);
	if (!s.bears_values || !book)
		return E_OK;
	/* The ledger stands for the agent: another's task may have the same id. */
	struct slice work = arena_fmt(v->arena, "%p %.*s", (const void *)v->ledger, SL_ARG(id));
	if (!work.p)
		return E_NOMEM;
	if (has_ended(j, obj)) {
		toolbook_end(book, work);
		return E_OK;
	}
	json_int(j, json_member(j, obj, SL("ttl")), &ms);
	ms = ms < 0 ? 0 : ms > 7 * FOREVER_MS ? 7 * FOREVER_MS : ms;
	return toolbook_begin(book, work, v->now_ms + (uint64_t)ms + SLACK_MS, v->now_ms);
}

/* --- answers --------------------------------------------------------------------------------------------------------- */

static void finish(const struct view *v, const struct rpc *rpc, const struct json_edits *edits, struct judgement *out)
{
	if (out->kind == VERDICT_PASS && edits->n)
		out->kind = out->why.kind = VERDICT_REWRITE;
	if (chain_shadow(v, out)) {
		chain_pass(v, rpc, out);
		return;
	}
	if (out->kind != VERDICT_DENY && edits_render(&rpc->json, edits, 64 * 1024, v->arena, &out->bytes) != E_OK)
		chain_deny(out, NULL, R_INTERNAL, SL(""));
}

static void note(struct judgement *out, enum err e)
{
	if (e != E_OK && out->kind != VERDICT_DENY)
		chain_deny(out, NULL, R_INTERNAL, SL(""));
}

/* Around the tasks nothing stands that anybody needs. */
static void keep_only(const struct view *v, const struct rpc *rpc, struct slice one, struct slice other, struct json_edits *edits,
	struct judgement *out)
{
	const struct json *j = &rpc->json;

	for (uint32_t m = json_first(j, rpc->result); policy_narrows(v->policy) && m < j->tok[rpc->result].next; m = j->tok[m + 1].next)
		if (!json_string_eq(j, m, one) && !(json_string_eq(j, m, other) && json_is(j, m + 1, JSON_STRING)))
			note(out, json_edit_remove(edits, m));
}

void judge_task_created(const struct view *v, const struct call *c, const struct rpc *rpc, struct judgement *out)
{
	struct json_edits edits;

	json_edits_init(&edits, v->arena);
	keep_only(v, rpc, SL("task"), SL("task"), &edits, out);
	judge_task_object(v, c, &rpc->json, json_member(&rpc->json, rpc->result, SL("task")), &edits, out);
	finish(v, rpc, &edits, out);
}

/* The call behind one of a list; NULL: it is not this agent's, or of no form. */
static struct call *origin_of(const struct view *v, const struct json *j, uint32_t item)
{
	uint32_t id = json_is(j, item, JSON_OBJECT) ? json_member(j, item, SL("taskId")) : JSON_NONE;
	struct slice text = json_is(j, id, JSON_STRING) ? json_string(j, id, v->arena) : SL("");
	struct call *origin = text.n ? task_recall(v, text, false) : NULL;
	struct judgement trial = { .kind = VERDICT_PASS };
	struct json_edits none;

	if (!origin)
		return NULL;
	json_edits_init(&none, v->arena);
	judge_task_object(v, origin, j, item, &none, &trial);
	return trial.kind == VERDICT_DENY ? NULL : origin;
}

void judge_task_list(const struct view *v, const struct rpc *rpc, struct judgement *out)
{
	const struct json *j = &rpc->json;
	uint32_t all = json_member(j, rpc->result, SL("tasks"));
	struct json_edits edits;

	json_edits_init(&edits, v->arena);
	if (!json_is(j, all, JSON_ARRAY)) {
		chain_deny(out, NULL, R_RESULT_FORM, SL("tasks"));
		finish(v, rpc, &edits, out);
		return;
	}
	keep_only(v, rpc, SL("tasks"), SL("nextCursor"), &edits, out);
	for (uint32_t t = json_first(j, all); t < j->tok[all].next; t = j->tok[t].next) {
		struct call *origin = origin_of(v, j, t);

		if (origin)
			judge_task_object(v, origin, j, t, &edits, out);
		else
			note(out, json_edit_remove(&edits, t));
	}
	if (edits.n)
		out->guard = "handles";
	finish(v, rpc, &edits, out);
}

/* What was judged says again which task it is of, where the guards took that away with the rest of `_meta`. */
static void say_again(const struct view *v, const struct call *c, struct judgement *out)
{
	struct json_edits edits;
	struct rpc again;
	struct buf id;
	enum err e = rpc_parse(&again, out->bytes, v->arena, NULL);

	if (e != E_OK || again.kind != RPC_RESULT) {
		note(out, e == E_OK ? E_INVALID : e);
		return;
	}
	uint32_t meta = json_member(&again.json, again.result, SL("_meta"));
	if (meta != JSON_NONE && json_member(&again.json, meta, META_RELATED_TASK) != JSON_NONE)
		return;
	buf_init(&id, 16 * 1024);
	buf_add_json_string(&id, c->name);
	struct slice related = meta != JSON_NONE ? arena_fmt(v->arena, "{\"taskId\":%.*s}", SL_ARG(buf_slice(&id))) :
		arena_fmt(v->arena, "{\"io.modelcontextprotocol/related-task\":{\"taskId\":%.*s}}", SL_ARG(buf_slice(&id)));
	json_edits_init(&edits, v->arena);
	if (id.failed != E_OK || !related.p)
		e = E_NOMEM;
	else if (meta != JSON_NONE)
		e = json_edit_insert(&edits, meta, META_RELATED_TASK, related);
	else
		e = json_edit_insert(&edits, again.result, SL("_meta"), related);
	buf_finish(&id);
	note(out, e == E_OK ? edits_render(&again.json, &edits, 16 * 1024, v->arena, &out->bytes) : e);
}

void judge_task_result(const struct view *v, const struct call *c, const struct rpc *rpc, struct judgement *out)
{
	const struct json *j = &rpc->json;
	uint32_t meta = json_member(j, rpc->result, SL("_meta"));
	uint32_t related = json_is(j, meta, JSON_OBJECT) ? json_member(j, meta, META_RELATED_TASK) : JSON_NONE;

	if (!c->task)
		chain_deny(out, "handles", R_HANDLE, SL("taskId"));
	else if (related != JSON_NONE && !slice_eq(task_related_id(j, related, v->arena), c->name))
		chain_deny(out, NULL, R_RESULT_FORM, SL("related-task"));
	else
		chain_response(v, c->task, rpc, out);
	if (out->kind == VERDICT_DENY && chain_shadow(v, out))
		chain_pass(v, rpc, out);
	if (out->kind != VERDICT_DENY && related != JSON_NONE)
		say_again(v, c, out);
}
