#include "guards/tasks.h"

#include "guards/chain.h"
#include "guards/edit.h"
#include "guards/offer.h"
#include "guards/refuse.h"
#include "guards/rounds.h"
#include "guards/scope.h"
#include "mcp/stateless.h"

#define MAX_DATE 40

/* One task object while it is judged. */
struct task {
	const struct view *view;
	const struct call *origin;
	const struct json *json;
	uint32_t obj;
	struct json_edits *edits;
	struct judgement *out;
};

static void fail(struct task *t, enum reason reason, struct slice what)
{
	if (t->out->kind != VERDICT_DENY)
		chain_deny(t->out, NULL, reason, what);
}

static void note(struct task *t, enum err e)
{
	if (e != E_OK)
		fail(t, R_INTERNAL, SL(""));
}

static uint32_t member(const struct task *t, const char *name)
{
	return json_member(t->json, t->obj, slice_of(name));
}

/* --- the frame ----------------------------------------------------------------------------------------------------- */

static bool is_date(const struct json *j, uint32_t tok)
{
	struct slice raw = json_raw(j, tok);

	if (!json_is(j, tok, JSON_STRING) || raw.n > MAX_DATE)
		return false;
	for (size_t i = 0; i < raw.n; i++)
		if (!memchr("0123456789-+:.TZtz\"", raw.p[i], 19))
			return false;
	return true;
}

static bool is_status(const struct json *j, uint32_t tok)
{
	static const char *const ALL[] = { "working", "input_required", "completed", "cancelled", "failed" };

	for (size_t i = 0; json_is(j, tok, JSON_STRING) && i < sizeof ALL / sizeof *ALL; i++)
		if (json_string_eq(j, tok, slice_of(ALL[i])))
			return true;
	return false;
}

enum member_kind { MEMBER_GOOD, MEMBER_BAD, MEMBER_OTHER };

/* What a member of the frame is worth; those that hold more are looked at by themselves. */
static enum member_kind kind_of(const struct json *j, uint32_t name)
{
	uint32_t value = name + 1;
	bool good;

	if (json_string_eq(j, name, SL("taskId")) || json_string_eq(j, name, SL("statusMessage")) ||
		json_string_eq(j, name, SL("resultType")))
		good = json_is(j, value, JSON_STRING);
	else if (json_string_eq(j, name, SL("status")))
		good = is_status(j, value);
	else if (json_string_eq(j, name, SL("createdAt")) || json_string_eq(j, name, SL("lastUpdatedAt")))
		good = is_date(j, value);
	else if (json_string_eq(j, name, SL("ttlMs")) || json_string_eq(j, name, SL("pollIntervalMs")) ||
		json_string_eq(j, name, SL("ttl")) || json_string_eq(j, name, SL("pollInterval")))
		good = json_is(j, value, JSON_NUMBER) || json_is(j, value, JSON_NULL);
	else if (json_string_eq(j, name, SL("_meta")) || json_string_eq(j, name, SL("result")) ||
		json_string_eq(j, name, SL("error")) || json_string_eq(j, name, SL("inputRequests")))
		good = json_is(j, value, JSON_OBJECT);
	else
		return MEMBER_OTHER;
	return good ? MEMBER_GOOD : MEMBER_BAD;
}

/* What is no word of a task (SDKs add an empty `content`) goes, as soon as anything is narrowed. */
static void judge_frame(struct task *t)
{
	const struct json *j = t->json;
	bool narrows = policy_narrows(t->view->policy);

	if (!json_is(j, member(t, "taskId"), JSON_STRING) || !json_is(j, member(t, "status"), JSON_STRING))
		fail(t, R_RESULT_FORM, SL("task"));
	for (uint32_t m = json_first(j, t->obj); m < j->tok[t->obj].next; m = j->tok[m + 1].next) {
		enum member_kind kind = kind_of(j, m);

		if (kind == MEMBER_BAD)
			fail(t, R_RESULT_FORM, SL("task"));
		else if (kind == MEMBER_OTHER && narrows)
			note(t, json_edit_remove(t->edits, m));
	}
}

bool task_has_form(const struct json *j, uint32_t obj)
{
	if (!json_is(j, json_member(j, obj, SL("taskId")), JSON_STRING) || !json_is(j, json_member(j, obj, SL("status")), JSON_STRING))
		return false;
	for (uint32_t m = json_first(j, obj); m < j->tok[obj].next; m = j->tok[m + 1].next)
		if (kind_of(j, m) != MEMBER_GOOD || (json_is(j, m + 1, JSON_OBJECT) && !json_string_eq(j, m, SL("_meta"))))
			return false;
	return true;
}

/* --- texts --------------------------------------------------------------------------------------------------------- */

/* A sentence about the work may quote what it works on: it goes on where there is nothing it could give away. */
static void judge_message(struct task *t)
{
	const struct policy *p = t->view->policy;
	struct scope scope = { .view = t->view };
	uint32_t tok = member(t, "statusMessage");
	struct call_summary s;

	if (tok == JSON_NONE || t->out->kind == VERDICT_DENY)
		return;
	call_summary(t->origin, &s);
	struct slice text = json_string(t->json, tok, t->view->arena);
	bool keeps = text.p && !(p->mask_values && s.bears_values) && !policy_locks_tenant(p) &&
		(!policy_locks_paths(p) || scope_sentence_in(&scope, text));
	if (!keeps)
		note(t, json_edit_remove(t->edits, tok));
}

/* Free-form, and of use to nobody, but for the subscription a notification belongs to, and the task itself. */
static void judge_meta(struct task *t)
{
	const struct json *j = t->json;
	uint32_t meta = member(t, "_meta");

	if (meta == JSON_NONE || !policy_narrows(t->view->policy))
		return;
	for (uint32_t m = json_first(j, meta); m < j->tok[meta].next; m = j->tok[m + 1].next) {
		struct slice related = json_string_eq(j, m, META_RELATED_TASK) ? task_related_id(j, m + 1, t->view->arena) : SL("");

		if (!json_string_eq(j, m, META_SUBSCRIPTION) && !(related.n && task_is(t->view, j, t->obj, related)))
			note(t, json_edit_remove(t->edits, m));
	}
}

/* --- what it ended with ---------------------------------------------------------------------------------------------- */

bool task_inner(const struct view *v, const struct json *j, uint32_t obj, struct rpc *out)
{
	uint32_t result = json_member(j, obj, SL("result")), error = json_member(j, obj, SL("error"));
	uint32_t tok = result != JSON_NONE ? result : error;

	if (tok == JSON_NONE)
		return false;
	struct slice text = arena_fmt(v->arena, "{\"jsonrpc\":\"2.0\",\"id\":0,\"%s\":%.*s}", result != JSON_NONE ? "result" : "error",
		SL_ARG(json_source(j, tok)));
	return text.p && rpc_parse(out, text, v->arena, NULL) == E_OK;
}

static bool is_complete(const struct rpc *inner)
{
	uint32_t type = inner->kind == RPC_RESULT ? json_member(&inner->json, inner->result, SL("resultType")) : JSON_NONE;

	return type == JSON_NONE || (json_is(&inner->json, type, JSON_STRING) && json_string_eq(&inner->json, type, SL("complete")));
}

/* The judged answer takes the place of the vault's; of a refused one the refusal does, as the call itself would have had it. */
static void put_inner(struct task *t, uint32_t tok, const struct judgement *one, bool error)
{
	struct slice text = one->kind == VERDICT_DENY ? refuse_request(t->view, t->origin, one) : one->bytes;
	struct rpc again;

	if (!text.p || rpc_parse(&again, text, t->view->arena, NULL) != E_OK) {
		fail(t, R_INTERNAL, SL(""));
		return;
	}
	if ((again.kind == RPC_ERROR) != error) { /* refused in a shape that has no place here */
		fail(t, one->why.reason, one->why.what);
		return;
	}
	note(t, json_edit_raw(t->edits, tok, json_source(&again.json, error ? again.error : again.result)));
	t->out->why = one->why;
	t->out->guard = one->guard;
}

static void judge_inner(struct task *t)
{
	uint32_t result = member(t, "result"), error = member(t, "error");
	struct judgement one = { .kind = VERDICT_PASS };
	struct rpc inner;

	if ((result == JSON_NONE && error == JSON_NONE) || t->out->kind == VERDICT_DENY)
		return;
	if ((result != JSON_NONE && error != JSON_NONE) || !task_inner(t->view, t->json, t->obj, &inner) || !is_complete(&inner)) {
		fail(t, R_RESULT_FORM, SL("result"));
		return;
	}
	memcpy(one.id, t->out->id, sizeof one.id);
	chain_response(t->view, t->origin, &inner, &one);
	if (one.kind == VERDICT_DENY || one.shadow || !slice_eq(one.bytes, inner.json.text))
		put_inner(t, result != JSON_NONE ? result : error, &one, inner.kind == RPC_ERROR);
}

/* --- whole ----------------------------------------------------------------------------------------------------------- */

static void judge_object(struct task *t)
{
	uint32_t asks = member(t, "inputRequests");

	judge_frame(t);
	judge_message(t);
	judge_meta(t);
	judge_inner(t);
	if (asks != JSON_NONE && t->out->kind != VERDICT_DENY)
		judge_input_requests(t->view, t->origin, t->json, asks, t->edits, t->out);
}

void judge_task_object(const struct view *v, const struct call *origin, const struct json *j, uint32_t obj, struct json_edits *edits,
	struct judgement *out)
{
	judge_object(&(struct task){ .view = v, .origin = origin, .json = j, .obj = obj, .edits = edits, .out = out });
}

static void judge(const struct view *v, const struct call *origin, const struct rpc *rpc, uint32_t obj, struct judgement *out)
{
	struct json_edits edits;
	struct task t = { .view = v, .origin = origin, .json = &rpc->json, .obj = obj, .edits = &edits, .out = out };

	json_edits_init(&edits, v->arena);
	if (!origin)
		chain_deny(out, "handles", R_HANDLE, SL("taskId"));
	else
		judge_object(&t);
	if (out->kind == VERDICT_DENY && chain_shadow(v, out)) {
		chain_pass(v, rpc, out);
		return;
	}
	if (out->kind == VERDICT_DENY)
		return;
	if (edits_render(&rpc->json, &edits, 64 * 1024, v->arena, &out->bytes) != E_OK)
		chain_deny(out, NULL, R_INTERNAL, SL(""));
	else if (edits.n)
		out->kind = out->why.kind = VERDICT_REWRITE;
}

bool task_is(const struct view *v, const struct json *j, uint32_t obj, struct slice id)
{
	uint32_t tok = json_member(j, obj, SL("taskId"));

	return json_is(j, tok, JSON_STRING) && slice_eq(json_string(j, tok, v->arena), id);
}

void judge_task_answer(const struct view *v, const struct call *origin, const struct rpc *rpc, struct judgement *out)
{
	judge(v, origin, rpc, rpc->result, out);
}

static bool is_stateless(const struct rpc *notice)
{
	return slice_eq(notice->method_name, method_by_id(M_N_TASKS)->name);
}

void judge_task_notice(const struct view *v, const struct rpc *rpc, struct judgement *out)
{
	uint32_t id = json_member(&rpc->json, rpc->params, SL("taskId"));
	struct slice text = json_is(&rpc->json, id, JSON_STRING) ? json_string(&rpc->json, id, v->arena) : SL("");

	judge(v, text.n ? task_recall(v, text, is_stateless(rpc)) : NULL, rpc, rpc->params, out);
}

enum err task_learn(struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c, const struct rpc *rpc)
{
	bool notice = rpc->kind == RPC_NOTIFICATION;
	uint32_t obj = notice ? rpc->params : rpc->result, id = json_member(&rpc->json, obj, SL("taskId"));
	const struct call *origin = c ? c->task : NULL;
	struct result r;
	struct rpc inner;
	enum err e;

	if (notice && json_is(&rpc->json, id, JSON_STRING)) {
		struct slice text = json_string(&rpc->json, id, v->arena);

		origin = text.n ? task_recall(v, text, is_stateless(rpc)) : NULL;
	}
	if (!origin || (c && !task_is(v, &rpc->json, obj, c->name)))
		return E_OK;
	e = origin->rpc->stateless ? E_OK : task_mark(book, v, origin, json_string(&rpc->json, id, v->arena), &rpc->json, obj);
	if (e != E_OK || !task_inner(v, &rpc->json, obj, &inner))
		return e;
	e = result_open(v, origin, &inner, &r);
	return e == E_OK ? chain_learn(ledger, book, v, origin, &r) : e;
}
