/*
 * Small questions to a profile that several guards ask, and from which follows what lists show (guards/offered.c).
 */
#ifndef NARROWGATE_GUARDS_OFFER_H
#define NARROWGATE_GUARDS_OFFER_H

#include "guards/guard.h"

/* Anything at all is narrowed, tool names apart. */
static inline bool policy_narrows(const struct policy *p)
{
	return p->read_only || p->mask_values || p->actions != ~0u || policy_locks_paths(p) || policy_locks_tenant(p);
}

static inline bool action_allowed(const struct policy *p, enum action a)
{
	return p->actions == ~0u || (p->actions >> a & 1u);
}

/* Which rule says that paths are locked. */
static inline struct origin paths_locked_at(const struct policy *p)
{
	return p->allowed.set ? p->allowed.at : p->denied.at;
}

/*
 * Without a path nobody can say where it acts: on the secrets of which folder, or on the whole vault. Listings and
 * metadata come back filtered, and a scan reaches nothing.
 */
static inline bool action_needs_path(enum action a)
{
	return a != ACT_LIST && a != ACT_META && a != ACT_SCAN;
}

/* Nothing the tool takes could bind what it does to a path. */
static inline bool rule_acts_on_all(const struct rule *r, enum action a)
{
	return action_needs_path(a) && !r->pathless && !r->n_paths && !r->n_takes && !r->scopes && !r->nested;
}

/* `read_scopes`: for ACT_TOKEN, that all it asks for is reading. */
static inline bool action_reads(enum action a, bool read_scopes)
{
	return action_is_read_only(a) || (a == ACT_TOKEN && read_scopes);
}

#endif
