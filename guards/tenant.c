/*
 * The locked tenant and partner, and nobody else (docs/guards/tenant.md). Compared byte by byte: a look-alike is
 * another.
 */
#include "guards/edit.h"
#include "guards/response.h"

static struct verdict judge_fact(const struct policy *p, const struct tenant_fact *t)
{
	/* A partner named by a call of a tenant whose partner is not locked: nobody vouches that it is the tenant's. */
	const struct lock *lock = t->partner && p->partner.text.n ? &p->partner : &p->tenant;

	if (lock->text.n == 0 || slice_eq(t->text, lock->text))
		return PASS_VERDICT;
	return deny(t->partner ? R_PARTNER : R_TENANT, t->from, lock->at);
}

static struct verdict fill(const struct view *v, struct call *c, struct slice arg, const struct lock *lock)
{
	if (arg.n == 0)
		return PASS_VERDICT;
	enum err e = c->method->id == M_COMPLETION ? call_set_context(c, arg, lock->text, v->arena) :
						     call_set_text(c, arg, lock->text, v->arena);
	if (e == E_INVALID)
		return deny(R_ARGUMENT, arg, lock->at);
	return e == E_OK ? (struct verdict){ .kind = VERDICT_REWRITE } : deny(R_INTERNAL, SL(""), (struct origin){ 0 });
}

static struct verdict tenant_request(const struct view *v, struct call *c)
{
	const struct policy *p = v->policy;

	if (!policy_locks_tenant(p))
		return PASS_VERDICT;
	for (size_t i = 0; i < c->n_tenants; i++) {
		struct verdict one = judge_fact(p, &c->tenants[i]);
		if (one.kind == VERDICT_DENY)
			return one;
	}
	if (c->n_unknown_args)
		return deny(R_ARGUMENT, c->unknown_args[0], p->tenant.text.n ? p->tenant.at : p->partner.at);
	struct verdict tenant = fill(v, c, c->fill_tenant, &p->tenant);
	struct verdict partner = tenant.kind == VERDICT_DENY ? tenant : fill(v, c, c->fill_partner, &p->partner);
	return partner.kind == VERDICT_PASS ? tenant : partner;
}

const struct guard guard_tenant = { .name = "tenant", .request = tenant_request, .response = tenant_response };
