/* What lists show: whatever some call could still get through. Cosmetic; the calls themselves are the boundary. */
#include "guards/facts.h"
#include "guards/offer.h"

static bool may_pass(const struct policy *p, enum action a)
{
	/* A token passes read-only when its scopes only read: that is seen in the call. */
	return action_allowed(p, a) && (!p->read_only || action_reads(a, true)) &&
		(a != ACT_UNKNOWN || !(policy_narrows(p) || p->deny_unknown_tools));
}

static bool rule_may_pass(const struct policy *p, const struct rule *r)
{
	const struct action_rule *a = &r->action;

	if (policy_locks_paths(p) && (r->unresolved || (a->by == BY_NOTHING && rule_acts_on_all(r, a->fixed))))
		return false;
	if (p->read_only && a->by == BY_NOTHING && a->fixed == ACT_TOKEN && !r->scopes)
		return false;
	if (r->nested && a->by == BY_NOTHING && a->fixed == ACT_UNKNOWN)
		return true; /* it does what it wraps */
	if (a->by == BY_NOTHING)
		return may_pass(p, a->fixed);
	if (may_pass(p, a->otherwise) || (a->by == BY_PRESENCE && may_pass(p, a->fixed)))
		return true;
	for (size_t i = 0; i < a->n_cases; i++)
		if (may_pass(p, a->cases[i].action))
			return true;
	return false;
}

static bool unknown_may_pass(const struct policy *p)
{
	return !p->deny_unknown_tools && !p->read_only && p->actions == ~0u && !policy_locks_paths(p) &&
		!policy_locks_tenant(p);
}

bool offered_tool(const struct view *v, struct slice name)
{
	const struct policy *p = v->policy;
	const struct rule *r = catalog_tool(v->catalog, name);
	bool executor;

	if (!policy_judge_tool(p, name, NULL))
		return false;
	if (r)
		return rule_may_pass(p, r);
	if (!v->catalog->generic)
		return unknown_may_pass(p);
	enum action a = generic_action(&v->catalog->vocabulary, name, &executor);
	if (executor)
		return !policy_narrows(p);
	return a == ACT_UNKNOWN ? unknown_may_pass(p) : may_pass(p, a);
}

/* A template stands in a list by its own text; a URI is looked up like one that is read. */
static const struct rule *find_resource(const struct catalog *c, struct slice uri)
{
	struct uri_var vars[CATALOG_MAX_VARS];
	size_t n;

	for (size_t i = 0; i < c->n_resources; i++)
		if (slice_eq(c->resources[i].name, uri))
			return &c->resources[i];
	return catalog_resource(c, uri, vars, &n);
}

bool offered_resource(const struct view *v, struct slice uri)
{
	const struct rule *r = find_resource(v->catalog, uri);

	if (r)
		return rule_may_pass(v->policy, r);
	return v->catalog->generic ? may_pass(v->policy, ACT_READ) : unknown_may_pass(v->policy);
}

bool offered_prompt(const struct view *v, struct slice name)
{
	const struct rule *r = catalog_prompt(v->catalog, name);

	if (r)
		return rule_may_pass(v->policy, r);
	return v->catalog->generic || unknown_may_pass(v->policy);
}
