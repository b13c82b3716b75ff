#include "guards/facts.h"

const struct tenant_rule *tenant_rule_of(const struct view *v, const struct rule *rule)
{
	return rule && rule->tenant.by != TENANT_NONE ? &rule->tenant : &v->catalog->tenant;
}

static bool has(const struct slice *names, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(names[i], name))
			return true;
	return false;
}

bool tenant_rule_names(const struct tenant_rule *t, struct slice name, bool *partner)
{
	*partner = has(t->partner_names, t->n_partner, name);
	return *partner || ((t->by == TENANT_ARG || t->by == TENANT_URI) && has(t->names, t->n, name));
}

void classify_tenant_tree(struct facts *f, const struct json *j, uint32_t tok, bool partner, struct slice from)
{
	bool any = false;

	for (uint32_t t = tok; t < j->tok[tok].next; t++) {
		if (j->tok[t].type >= JSON_ARRAY || (j->tok[t].flags & JSON_NAME))
			continue;
		any = true;
		fact_tenant(f, facts_text(f, j, t), partner, from);
	}
	if (!any) /* an empty list names nobody, and some vaults read that as everybody */
		fact_tenant(f, SL(""), partner, from);
}

/* `tnt_other/db`: some vaults take the tenant from the first segments of a path. */
void classify_path_tenants(struct facts *f)
{
	const struct call *c = f->call;
	bool partner_locked = f->view->policy->partner.text.n > 0;

	for (size_t i = 0; i < c->n_paths && !f->nomem; i++) {
		struct slice rest = c->paths[i].path.text;

		for (int k = 0; k < 2 && rest.n && c->paths[i].fault == PATH_OK; k++) {
			struct slice segment = slice_cut(&rest, '/'), head = slice_head(segment, 4);
			bool partner = slice_eq_nocase(head, SL("ptn_"));

			if (slice_eq_nocase(head, SL("tnt_")) || (partner && partner_locked))
				fact_tenant(f, segment, partner, c->paths[i].from);
		}
	}
}

/* The argument is there, and not null, which says as little as absence. */
static bool is_given(const struct args *a, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t tok = a[i].json ? json_member(a[i].json, a[i].args, name) : JSON_NONE;

		if (tok != JSON_NONE && !json_is(a[i].json, tok, JSON_NULL))
			return true;
	}
	return false;
}

/* Whether the tool takes this argument, by the catalog or by the vault's own schema. */
static bool takes_argument(struct facts *f, const struct rule *rule, struct slice name)
{
	const struct view *v = f->view;

	if (rule && (rule->tenant.by != TENANT_NONE || has(rule->args, rule->n_args, name)))
		return true;
	if (f->call->method->id != M_TOOLS_CALL)
		return false;
	struct slice tool = f->call->outer ? f->call->outer_name : f->call->name;
	if (v->tools && toolbook_declares(v->tools, tool, name))
		return true;
	if (!v->tools || !toolbook_complete(v->tools))
		f->call->needs_tools = true;
	return false;
}

/* The first of the names that the tool takes; empty when one of them is given already, or none is taken. */
static struct slice pick(
	struct facts *f, const struct rule *rule, const struct slice *names, size_t n, const struct args *a, size_t n_a)
{
	bool needed = f->call->needs_tools;

	for (size_t i = 0; i < n; i++)
		if (is_given(a, n_a, names[i]))
			return SL("");
	for (size_t i = 0; i < n; i++)
		if (takes_argument(f, rule, names[i])) {
			f->call->needs_tools = needed;
			return names[i];
		}
	return SL("");
}

/* The names an unknown vault may use. */
static struct slice pick_generic(
	struct facts *f, const struct rule *rule, bool partner, const struct args *a, size_t n_a)
{
	static const struct slice tenants[] = { { "tenant_id", 9 }, { "tenantId", 8 }, { "tenant", 6 } };
	static const struct slice partners[] = { { "partner_id", 10 }, { "partnerId", 9 }, { "partner", 7 } };

	return pick(f, rule, partner ? partners : tenants, 3, a, n_a);
}

void classify_tenants(struct facts *f, const struct rule *rule, const struct args *a, size_t n)
{
	const struct policy *p = f->view->policy;
	const struct tenant_rule *t = tenant_rule_of(f->view, rule);

	if (!policy_locks_tenant(p))
		return;
	if (!rule && f->view->catalog->generic) {
		if (p->tenant.text.n)
			f->call->fill_tenant = pick_generic(f, rule, false, a, n);
		if (p->partner.text.n)
			f->call->fill_partner = pick_generic(f, rule, true, a, n);
		return;
	}
	if (p->tenant.text.n && t->by == TENANT_ARG)
		f->call->fill_tenant = pick(f, rule, t->names, t->n, a, n);
	if (p->partner.text.n)
		f->call->fill_partner = pick(f, rule, t->partner_names, t->n_partner, a, n);
}
