/*
 * What an agent says outside of calls: in `_meta` of a notification, in the answer to a question. A path or tenant the
 * profile keeps it from is no more its own to name there.
 */
#include "guards/chain.h"
#include "guards/facts.h"
#include "guards/list.h"

static bool passes(const struct guard *guard, const struct view *v, struct call *c, struct judgement *j)
{
	struct verdict one = guard->request(v, c);

	/* What would have to be rewritten does not go on either: nobody writes it anew here. */
	if (one.kind == VERDICT_REWRITE)
		one = deny(R_PATH_UNCLEAR, SL(""), (struct origin){ 0 });
	if (one.kind == VERDICT_DENY) {
		chain_deny(j, guard->name, one.reason, one.what);
		j->why.rule = one.rule;
	}
	return one.kind == VERDICT_PASS;
}

bool beside_passes(const struct view *v, const struct rpc *rpc, uint32_t tok, struct judgement *j)
{
	struct call *c = ARENA_NEW(v->arena, struct call);
	struct facts f = { .view = v, .arena = v->arena, .call = c, .locked = true };

	if (tok == JSON_NONE || (!policy_locks_paths(v->policy) && !policy_locks_tenant(v->policy)))
		return true;
	if (c) {
		*c = (struct call){ .rpc = rpc, .args = JSON_NONE, .inner_at = JSON_NONE, .action = ACT_UNKNOWN };
		c->method = method_by_id(M_N_INITIALIZED);
		classify_tree(&f, &rpc->json, tok, SL("_meta"), NULL, 0);
	}
	if (!c || f.nomem) {
		chain_deny(j, NULL, R_INTERNAL, SL(""));
		return false;
	}
	return passes(&guard_tenant, v, c, j) && passes(&guard_paths, v, c, j);
}
