/*
 * What a vault hands out to be redeemed later: known with the path it stands for, or refused (docs/guards/handles.md).
 * The paths themselves are judged by the guard of paths; classification put them there.
 */
#include "guards/learn.h"
#include "guards/offer.h"

static struct verdict handles_request(const struct view *v, struct call *c)
{
	const struct policy *p = v->policy;

	if (!policy_locks_paths(p) && !policy_locks_tenant(p))
		return PASS_VERDICT;
	for (size_t i = 0; i < c->n_handles; i++)
		if (!c->handles[i].known)
			return deny(R_HANDLE, c->handles[i].from,
				policy_locks_paths(p) ? paths_locked_at(p) : p->tenant.at);
	return PASS_VERDICT;
}

const struct guard guard_handles = { .name = "handles", .request = handles_request, .learn = handles_learn };
