/* Which kinds of calls are offered at all: known tools, allowed actions, allowed names (docs/guards/actions.md). */
#include "guards/offer.h"

static bool is_tool_call(const struct call *c)
{
	return c->method && c->method->id == M_TOOLS_CALL;
}

/* Methods that reach a secret or what is said about it; lists are filtered instead. */
static bool is_named_call(const struct call *c)
{
	if (!c->method)
		return false;
	switch ((int)c->method->id) {
	case M_TOOLS_CALL:
	case M_RESOURCES_READ:
	case M_RESOURCES_SUBSCRIBE:
	case M_RESOURCES_UNSUBSCRIBE:
	case M_PROMPTS_GET:
		return true;
	default:
		return false;
	}
}

static struct verdict judge_names(const struct view *v, const struct call *c)
{
	struct origin at;

	if (!policy_judge_tool(v->policy, c->name, &at) ||
		(c->outer && !policy_judge_tool(v->policy, c->outer_name, &at)))
		return deny(R_TOOLS, SL(""), at);
	return PASS_VERDICT;
}

static struct verdict judge_kind(const struct view *v, const struct call *c)
{
	const struct policy *p = v->policy;

	if (c->executor && policy_narrows(p))
		return deny(R_ACTIONS, SL(""), (struct origin){ 0 });
	if (c->method->id == M_RESOURCES_SUBSCRIBE || c->method->id == M_RESOURCES_UNSUBSCRIBE)
		return PASS_VERDICT;
	if (!c->rule && c->method->id == M_PROMPTS_GET)
		return PASS_VERDICT;
	if (c->known && c->action == ACT_UNKNOWN && (policy_narrows(p) || p->deny_unknown_tools))
		return deny(R_ACTIONS, SL(""), p->deny_unknown_at);
	if (!action_allowed(p, c->action) || (c->outer_action != ACT_UNKNOWN && !action_allowed(p, c->outer_action)))
		return deny(R_ACTIONS, SL(""), p->actions_at);
	return PASS_VERDICT;
}

static struct verdict actions_request(const struct view *v, struct call *c)
{
	const struct policy *p = v->policy;

	if (!is_named_call(c))
		return PASS_VERDICT;
	if (is_tool_call(c)) {
		struct verdict name = judge_names(v, c);
		if (name.kind == VERDICT_DENY)
			return name;
	}
	if (!c->known && p->deny_unknown_tools)
		return deny(R_UNKNOWN_TOOL, SL(""), p->deny_unknown_at);
	if (!c->known && (policy_locks_paths(p) || policy_locks_tenant(p)))
		return deny(R_UNKNOWN_TOOL, SL(""), (struct origin){ 0 });
	return judge_kind(v, c);
}

const struct guard guard_actions = { .name = "actions", .request = actions_request };
