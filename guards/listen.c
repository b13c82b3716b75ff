/* What an agent wants to hear of: URIs are judged one by one, and those outside are left out, as the protocol means it. */
#include "guards/chain.h"
#include "guards/facts.h"
#include "guards/rounds.h"

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

static enum err cut_uris(const struct view *v, struct call *c, uint32_t uris)
{
	const struct json *j = &c->rpc->json;
	enum err e = E_OK;

	for (uint32_t t = json_first(j, uris); t < j->tok[uris].next && e == E_OK; t = j->tok[t].next)
		if (!listen_uri_passes(v, c->rpc, t))
			e = json_edit_remove(&c->edits, t);
	return e;
}

void judge_listen(const struct view *v, struct call *c, struct judgement *out)
{
	const struct json *j = &c->rpc->json;
	uint32_t wanted = json_member(j, c->rpc->params, SL("notifications"));
	enum err e = E_OK;

	for (uint32_t t = json_first(j, wanted); t < j->tok[wanted].next && e == E_OK; t = j->tok[t + 1].next) {
		bool uris = json_string_eq(j, t, SL("resourceSubscriptions"));

		if (uris && json_is(j, t + 1, JSON_ARRAY))
			e = cut_uris(v, c, t + 1);
		else if (uris || !(json_is(j, t + 1, JSON_TRUE) || json_is(j, t + 1, JSON_FALSE)))
			e = json_edit_remove(&c->edits, t); /* what is no switch is of another kind than we know */
	}
	if (e != E_OK)
		chain_deny(out, NULL, R_INTERNAL, SL(""));
	else if (c->edits.n && out->kind == VERDICT_PASS) {
		out->kind = out->why.kind = VERDICT_REWRITE;
		out->why.reason = R_PATH_OUTSIDE;
		out->guard = "paths";
	}
}
