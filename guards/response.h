/*
 * The result side of the guards: what may be seen of an answer. Each edits the documents of the result and says REWRITE
 * when it did, DENY when the answer as a whole must not go on, PASS when it had nothing to do.
 *
 * `call` is NULL for what the vault sends by itself (result_open then takes the notification's or request's params apart).
 */
#ifndef NARROWGATE_GUARDS_RESPONSE_H
#define NARROWGATE_GUARDS_RESPONSE_H

#include "guards/guard.h"

/* Cuts out what lies outside the allowed prefixes or under a denied one (paths_result.c; docs/guards/paths.md). */
struct verdict paths_response(const struct view *, const struct call *, struct result *);
/* Cuts out what belongs to another tenant or partner (tenant_result.c; docs/guards/tenant.md). */
struct verdict tenant_response(const struct view *, const struct call *, struct result *);

/* Lists of tools, resources, templates and prompts: only what could be used at all (docs/guards/lists.md). */
extern const struct guard guard_lists;
/* Caches keep what was cut for one agent to that agent (docs/guards/cache.md). */
extern const struct guard guard_cache;
/* Secret values become six bullets (docs/guards/mask.md). */
extern const struct guard guard_mask;

/* Known values in the answers of other tools become [REDACTED:path] (docs/guards/redaction.md). */
extern const struct guard guard_redaction;
/* Whether it has anything to do in that message; `call` as above (redact.c). */
bool redact_wanted(const struct view *, const struct call *, const struct rpc *);
/* Whether the answer of the call bears values, as masking sees it (mask.c). */
bool mask_call_bears(const struct call *);
/* Marks and edits the documents of an answer as masking would, whatever the profile says. E_NOMEM. (mask.c) */
enum err mask_find(const struct view *, const struct call *, struct result *);

/* The whole answer is a value, whatever the call does: `out: {as: raw, values: ["$"]}`. */
static inline bool rule_gives_value(const struct rule *r)
{
	bool all = false;

	for (size_t i = 0; i < r->out.n_values; i++)
		all |= r->out.values[i].n == 0;
	return all && r->out.as == OUT_RAW;
}

/* What stands where a value stood, whatever its length: six bullets U+2022. */
#define MASK_MARKER "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"

#endif
