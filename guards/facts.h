/*
 * Inside of classification: the facts of one call while they are gathered. Memory failure is remembered in `nomem`, so
 * that a run of facts is checked once; whoever gathers may go on, what was gathered is then thrown away.
 */
#ifndef NARROWGATE_GUARDS_FACTS_H
#define NARROWGATE_GUARDS_FACTS_H

#include "guards/guard.h"

struct facts {
	const struct view *view;
	struct arena *arena;
	struct call *call;
	bool locked;      /* a path or tenant rule is on: every argument must be accounted for */
	bool nomem;
	size_t n_searched;  /* paths in another spelling whose place was looked for */
	size_t cap_paths, cap_tenants, cap_handles, cap_unknown;
};

/* Where a rule's arguments stand: an object of a JSON text; `args` is JSON_NONE when there are none. */
struct args {
	const struct json *json;
	uint32_t args;
	bool inner;       /* of a nested call */
};

/* --- facts.c -------------------------------------------------------------------------------------------------- */

/* Brings `raw` to canonical form (for COVERS_GLOB its fixed part) and keeps it, or the fault it has. */
void fact_path(struct facts *, struct slice raw, enum path_covers, struct slice from);
/* A pattern where there is a star, else everything below. */
void fact_path_wide(struct facts *, struct slice raw, struct slice from);
/* The path added last stands there, as one string: it can be written anew in its canonical form. */
void fact_path_at(struct facts *, const struct json *, uint32_t tok);
/* One that is canonical already, as handles have them. */
void fact_path_known(struct facts *, const struct path *, struct slice from);
void fact_path_fault(struct facts *, enum path_fault, struct slice from);
/* No argument named a path: the call reaches everything. */
void fact_path_absent(struct facts *, enum path_covers, struct slice from);
void fact_tenant(struct facts *, struct slice text, bool partner, struct slice from);
void fact_handle(struct facts *, const struct handle_fact *);
void fact_unknown(struct facts *, struct slice name);
/* The decoded text of a string token, or the text of any other scalar. */
struct slice facts_text(struct facts *, const struct json *, uint32_t tok);
/* The call cannot be understood: no guard is asked. The first fault stays. */
void facts_fault(struct facts *, enum reason, struct slice what);

/* --- one file each -------------------------------------------------------------------------------------------- */

/* What the rule says the call does, by its arguments (classify_action.c). */
enum action classify_action(const struct action_rule *, const struct json *, uint32_t args, struct arena *);
/* The paths the rule's templates make of the arguments (classify_paths.c). */
void classify_paths(struct facts *, const struct rule *, const struct args *, size_t n);
/* Scopes like secrets:read:ns/glob: paths, and whether all of them only read (classify_scopes.c). */
void classify_scopes(struct facts *, const struct rule *, const struct args *, size_t n);
/* Handles, and the paths and tenants behind them (classify_handles.c). */
void classify_handles(struct facts *, const struct rule *, const struct args *, size_t n);
/* One handle, as `take` names it, without its prefix. */
void classify_handle(struct facts *, const struct take_rule *, struct slice text);
/* Handles that stand inside of any argument behind the prefix a tool of the catalog strips (classify_references.c). */
void classify_references(struct facts *, const struct args *, size_t n);
/*
 * Tenants by the names the catalog gives, and the argument that takes the lock when it is absent (classify_tenant.c).
 */
void classify_tenants(struct facts *, const struct rule *, const struct args *, size_t n);
const struct tenant_rule *tenant_rule_of(const struct view *, const struct rule *);
bool tenant_rule_names(const struct tenant_rule *, struct slice name, bool *partner);
/* Tenants that the paths found so far begin with. */
void classify_path_tenants(struct facts *);
/* Every string below a token is a tenant (or partner). */
void classify_tenant_tree(struct facts *, const struct json *, uint32_t tok, bool partner, struct slice from);
/*
 * The arguments that the rule does not name, and what hides below those it does (classify_args.c). `outer` may be
 * NULL.
 */
void classify_args(struct facts *, const struct rule *, const struct rule *outer, const struct args *);
bool rule_names(const struct rule *, const struct tenant_rule *, struct slice name);
/*
 * What stands below a value that nobody described: names that look like paths and tenants, at any depth
 * (classify_tree.c).
 */
void classify_tree(struct facts *, const struct json *, uint32_t tok, struct slice name, const uint32_t *skip,
	size_t n_skip);
/* Whether anything in it looks like a path or a tenant. */
bool tree_looks_judged(struct facts *, const struct json *, uint32_t tok);
/* A tool no catalog describes, by the words of its name and of its arguments (classify_generic.c). */
void classify_generic(struct facts *, const struct args *);
enum action generic_action(const struct vocabulary *, struct slice name, bool *executor);
/* By its name such a tool may answer with a value although it writes. */
bool generic_hands_out(struct slice name);
/*
 * Arguments that nobody named and that say what is to be done: of a call that reads they may make one that nobody
 * knows (classify_verbs.c). `rule` is NULL under generic.
 */
void classify_verbs(struct facts *, const struct rule *, const struct args *);
/* A second spelling of an argument by which it is known what the call does is a fault. */
void classify_twins(struct facts *, const struct rule *, const struct args *);
/*
 * The inner call of a wrapper (classify_nested.c). Puts its name, rule and arguments into the call, where to look
 * into `out`; returns how many.
 */
size_t classify_nested(struct facts *, const struct args *outer, struct args out[2]);
/* resources/read, subscribe, unsubscribe; the URI of a notification (classify_resource.c). */
void classify_resource(struct facts *, struct slice uri);
/* What an agent answers in a further round: `inputResponses`, `requestState` (rounds.c). */
void classify_rounds(struct facts *);
/* completion/complete (classify_complete.c). */
void classify_complete(struct facts *, uint32_t params);
/* Tools and prompts: the rule's whole reading of the arguments (classify.c). */
void classify_rule(struct facts *, const struct rule *, const struct args *, size_t n);

/* Whether a text or name in it holds what stands for a hidden value: six bullets, [REDACTED:… (masked_input.c). */
bool json_has_marker(const struct json *, uint32_t tok, struct arena *);
/* Whether params hold only members the method has; the first other one goes to *bad (classify_params.c). */
bool params_known(const struct method_row *, bool stateless, const struct json *, uint32_t params, struct slice *bad,
	struct arena *);

#endif
