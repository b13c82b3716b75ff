/*
 * The vault's answer to a call: judged, and learned from.
 */
#include "guards/chain.h"
#include "guards/facts.h"
#include "guards/refuse.h"
#include "guards/response.h"

static bool is_list(enum method m)
{
	return m == M_TOOLS_LIST || m == M_RESOURCES_LIST || m == M_RESOURCES_TEMPLATES_LIST || m == M_PROMPTS_LIST;
}

/* Answers no guard has an opinion about under this profile: not even taken apart. */
static bool is_free(const struct view *v, const struct call *c)
{
	const struct policy *p = v->policy;

	return !p->mask_values && !policy_locks_paths(p) && !policy_locks_tenant(p) && !is_list(c->method->id);
}

void judge_answer(const struct view *v, const struct call *c, const struct rpc *rpc, struct judgement *j)
{
	chain_begin(j);
	if (!c || !c->method || (rpc->kind != RPC_RESULT && rpc->kind != RPC_ERROR)) {
		chain_deny(j, NULL, R_MESSAGE, SL(""));
		j->drop = true;
		return;
	}
	if (is_free(v, c))
		chain_pass(v, rpc, j);
	else
		chain_response(v, c, rpc, j);
	if (j->kind == VERDICT_DENY) {
		j->refusal = refuse_request(v, c, j);
		j->drop = j->refusal.n == 0;
	}
}

static bool teaches(const struct call *c)
{
	return c->method->id == M_TOOLS_LIST || c->n_handles || (c->rule && c->rule->n_gives);
}

enum err judge_learn(
	struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c, const struct rpc *rpc)
{
	struct result r;

	if (!c || !c->method || !teaches(c))
		return E_OK;
	enum err e = result_open(v, c, rpc, &r);
	struct pace *pace = v->arena->pace;
	v->arena->pace = NULL; /* nobody else may learn meanwhile */
	if (e == E_OK)
		e = chain_learn(ledger, book, v, c, &r);
	v->arena->pace = pace;
	return e;
}

void call_summary(const struct call *c, struct call_summary *out)
{
	enum method m = c->method ? c->method->id : M_UNKNOWN;
	bool named = m == M_TOOLS_CALL;

	*out = (struct call_summary){ .method = m, .method_name = c->rpc->method_name, .action = c->action,
		.paths = c->clean_paths, .n_paths = c->n_clean_paths };
	if (named)
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
