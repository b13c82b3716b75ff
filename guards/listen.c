/* What an agent wants to hear of: URIs are judged one by one, and those outside are left out, as the protocol means it. */
#include "guards/chain.h"
#include "guards/facts.h"
#include "guards/edit.h"
#include "guards/rounds.h"
#include "guards/offer.h"
#include "guards/tasks.h"
#include "mcp/stateless.h"

bool listen_uri_passes(const struct view *v, const struct rpc *rpc, uint32_t tok)
{
	struct call *c = ARENA_NEW(v->arena, struct call);
	struct facts f = { .view = v, .arena = v->arena, .call = c };
	struct judgement j = { .kind = VERDICT_PASS };

	if (!c || !json_is(&rpc->json, tok, JSON_STRING))
		return false;
	*c = (struct call){ .rpc = rpc, .args = JSON_NONE, .inner_at = JSON_NONE };
	c->method = method_by_id(M_RESOURCES_SUBSCRIBE);
	json_edits_init(&c->edits, v->arena);
	json_edits_init(&c->inner_edits, v->arena);
	f.locked = policy_locks_paths(v->policy) || policy_locks_tenant(v->policy);
	c->name = facts_text(&f, &rpc->json, tok);
	classify_resource(&f, c->name);
	c->action = ACT_META;
	if (f.nomem || c->fault.kind == VERDICT_DENY)
		return false;
	chain_request(v, c, &j);
	return j.kind == VERDICT_PASS;
}

static bool task_passes(const struct view *v, const struct rpc *rpc, uint32_t tok)
{
	struct slice id = json_is(&rpc->json, tok, JSON_STRING) ? json_string(&rpc->json, tok, v->arena) : SL("");

	return id.n && task_recall(v, id, true);
}

static enum err cut(const struct view *v, const struct rpc *rpc, uint32_t list, struct json_edits *edits,
	bool (*passes)(const struct view *, const struct rpc *, uint32_t))
{
	const struct json *j = &rpc->json;
	enum err e = E_OK;

	for (uint32_t t = json_first(j, list); t < j->tok[list].next && e == E_OK; t = j->tok[t].next)
		if (!passes(v, rpc, t))
			e = json_edit_remove(edits, t);
	return e;
}

/* What may be heard of, as the agent asks for it and as the vault agrees to it. */
static enum err cut_wanted(const struct view *v, const struct rpc *rpc, struct json_edits *edits)
{
	const struct json *j = &rpc->json;
	uint32_t wanted = json_member(j, rpc->params, SL("notifications"));
	enum err e = E_OK;

	for (uint32_t t = json_first(j, wanted); t < j->tok[wanted].next && e == E_OK; t = j->tok[t + 1].next) {
		bool uris = json_string_eq(j, t, SL("resourceSubscriptions")), tasks = json_string_eq(j, t, SL("taskIds"));

		if ((uris || tasks) && json_is(j, t + 1, JSON_ARRAY))
			e = cut(v, rpc, t + 1, edits, uris ? listen_uri_passes : task_passes);
		else if (uris || tasks || !(json_is(j, t + 1, JSON_TRUE) || json_is(j, t + 1, JSON_FALSE)))
			e = json_edit_remove(edits, t); /* what is no switch is of another kind than we know */
	}
	return e;
}

void judge_listen(const struct view *v, struct call *c, struct judgement *out)
{
	if (cut_wanted(v, c->rpc, &c->edits) != E_OK)
		chain_deny(out, NULL, R_INTERNAL, SL(""));
	else if (c->edits.n && out->kind == VERDICT_PASS) {
		out->kind = out->why.kind = VERDICT_REWRITE;
		out->why.reason = R_PATH_OUTSIDE;
		out->guard = "paths";
	}
}

/* Of `_meta` only what says whose it is. */
static enum err cut_meta(const struct rpc *rpc, struct json_edits *edits)
{
	const struct json *j = &rpc->json;
	uint32_t meta = json_member(j, rpc->params, SL("_meta"));
	enum err e = E_OK;

	for (uint32_t t = json_first(j, meta); meta != JSON_NONE && t < j->tok[meta].next && e == E_OK; t = j->tok[t + 1].next)
		if (!json_string_eq(j, t, META_SUBSCRIPTION))
			e = json_edit_remove(edits, t);
	return e;
}

void judge_acknowledged(const struct view *v, const struct rpc *rpc, struct judgement *out)
{
	struct json_edits edits;

	if (!json_is(&rpc->json, json_member(&rpc->json, rpc->params, SL("notifications")), JSON_OBJECT)) {
		chain_deny(out, NULL, R_MESSAGE, SL("notifications"));
		return;
	}
	json_edits_init(&edits, v->arena);
	enum err e = cut_wanted(v, rpc, &edits);
	if (e == E_OK && policy_narrows(v->policy))
		e = cut_meta(rpc, &edits);
	if (e != E_OK || edits_render(&rpc->json, &edits, 64, v->arena, &out->bytes) != E_OK) {
		chain_deny(out, NULL, R_INTERNAL, SL(""));
	} else if (edits.n) {
		out->kind = out->why.kind = VERDICT_REWRITE;
		out->why.reason = R_RESULT_PATH;
		out->guard = "paths";
	}
	if (out->kind == VERDICT_REWRITE && chain_shadow(v, out))
		chain_pass(v, rpc, out);
}
