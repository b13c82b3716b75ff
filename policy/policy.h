/*
 * The whole contract on one page: what one agent may do. Immutable once loaded, so a decision never changes under way.
 * Guards read it, and nothing else of the configuration.
 */
#ifndef NARROWGATE_POLICY_POLICY_H
#define NARROWGATE_POLICY_POLICY_H

#include "policy/action.h"
#include "policy/path.h"

/* Where a rule came from: shown by `explain` and `check`, never to agents. */
struct origin {
	struct slice file; /* file name, "built-in observer", "environment SCAIVAULT_READ_ONLY", "flag --allow"; empty: a default */
	unsigned line;     /* 1-based; 0 where there is none */
	unsigned column;
};

struct prefix {
	struct path path;  /* empty text: the root, everything */
	struct origin at;
};

struct prefixes {
	bool set;          /* false: the dimension is not narrowed; true with n == 0: nothing is allowed */
	const struct prefix *v;
	size_t n;
	struct origin at;
};

struct lock {              /* tenant, partner: locked when the text is not empty */
	struct slice text;
	struct origin at;
};

struct glob_layer {        /* one profile's tools: {allow, deny}; every layer must let a name pass */
	bool allow_set;
	const struct slice *allow;
	size_t n_allow;
	const struct slice *deny;
	size_t n_deny;
	struct origin at;
};

/* What becomes of a message that holds a value its agent was given; the narrowest first. */
enum exfiltration { EXFILTRATION_BLOCK, EXFILTRATION_WARN, EXFILTRATION_OFF };

struct policy {
	struct slice profile;      /* its name */
	bool read_only;
	struct origin read_only_at;
	bool mask_values;
	struct origin mask_values_at;
	enum exfiltration exfiltration;
	struct origin exfiltration_at;
	bool redact_secrets;
	struct origin redact_secrets_at;
	struct prefixes allowed;   /* the intersection over all `extends` */
	struct prefixes denied;    /* the union */
	struct lock tenant;
	struct lock partner;
	unsigned actions;          /* bit per enum action: which pass; ~0u when not narrowed */
	struct origin actions_at;
	const struct glob_layer *tools;
	size_t n_tools;
	bool deny_unknown_tools;
	struct origin deny_unknown_at;
	bool enforce;              /* false: decide and record, let pass */
	struct origin enforce_at;
};

/* A path or tenant rule is on: unknown arguments, unresolved paths and unknown handles are then refused. */
static inline bool policy_locks_paths(const struct policy *p)
{
	return p->allowed.set || p->denied.n > 0;
}
static inline bool policy_locks_tenant(const struct policy *p)
{
	return p->tenant.text.n > 0 || p->partner.text.n > 0;
}

/* Why a path is out of scope; PATHS_IN when it is inside. *rule (may be NULL) is the prefix or list that said so. */
enum paths_verdict { PATHS_IN, PATHS_OUTSIDE, PATHS_DENIED };

/* One exact path. */
enum paths_verdict policy_judge_path(const struct policy *, const struct path *, struct origin *rule);
/*
 * Everything below `prefix` (a pattern, an export): inside only when wholly covered by an allowed prefix and no denied
 * prefix lies below or above it.
 */
enum paths_verdict policy_judge_subtree(const struct policy *, const struct path *prefix, struct origin *rule);
/* A listing of `prefix`: inside when it overlaps an allowed prefix (its answer is filtered); denied when a denied prefix covers it. */
enum paths_verdict policy_judge_listing(const struct policy *, const struct path *prefix, struct origin *rule);

/* Whether the tool name passes the `tools` globs. `*` matches any run of characters. */
bool policy_judge_tool(const struct policy *, struct slice name, struct origin *rule);

#endif
