/*
 * Nothing that changes the vault or mints power over it (docs/guards/readonly.md). What nobody knows counts as a
 * write.
 */
#include "guards/offer.h"

static struct verdict readonly_request(const struct view *v, struct call *c)
{
	if (!v->policy->read_only)
		return PASS_VERDICT;
	/* A wrapper does what it wraps, and what it does itself. */
	bool reads = action_reads(c->action, c->read_scopes) &&
		(c->outer_action == ACT_UNKNOWN || action_reads(c->outer_action, c->read_scopes));
	return reads ? PASS_VERDICT : deny(R_READ_ONLY, SL(""), v->policy->read_only_at);
}

const struct guard guard_readonly = { .name = "readonly", .request = readonly_request };
