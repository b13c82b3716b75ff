/*
 * What a guard is, and what it sees: inside of this floor only. Outside, guards/judge.h is the door.
 *
 * A guard decides from a const ledger and learns in a slot of its own; an unset slot means "no opinion". Guards never wait,
 * never do I/O, and never parse configuration. Order is guards/list.h, in code.
 */
#ifndef NARROWGATE_GUARDS_GUARD_H
#define NARROWGATE_GUARDS_GUARD_H

#include "guards/doc.h"
#include "guards/judge.h"

struct path_fact {
	struct path path;          /* canonical; when fault is not PATH_OK, as far as it could be read */
	enum path_fault fault;
	enum path_covers covers;
	bool wild;                 /* COVERS_GLOB: something follows the fixed part */
	bool absent;               /* stands for an argument that was left out: reaches everything */
	struct slice from;         /* the argument(s) it came from, for the refusal */
	bool respelled;            /* `path` is what was judged, and not what was written: that form must go on */
	const struct json *json;   /* where it stands as written; NULL: in no one place */
	uint32_t tok;
};

struct tenant_fact {
	struct slice text;         /* exactly as given */
	bool partner;
	struct slice from;         /* argument, URI variable */
};

struct handle_fact {
	struct slice kind, text;
	const struct handle *known; /* NULL: never given to this agent */
	struct slice from;
};

struct call {
	const struct rpc *rpc;
	const struct method_row *method; /* NULL: no such method */
	const struct rule *rule;      /* NULL: the catalog does not know it */
	struct slice name;            /* tool, prompt or URI, decoded; empty for other methods */
	enum action action;
	bool known;                   /* the catalog's rule, or under generic the words of the name, vouch for the action */
	bool executor;                /* generic: it does whatever it is told */
	bool read_scopes;             /* ACT_TOKEN: scopes were asked for, and every one is a read scope */
	const struct json *args_json; /* arguments (of a nested call: the inner ones; of a URI: its variables); NULL when there are none */
	uint32_t args;                /* token of the arguments object in args_json */
	const struct rule *outer;     /* nested call: the wrapper's rule */
	struct slice outer_name;
	enum action outer_action;     /* ACT_UNKNOWN: it has none of its own */
	struct path_fact *paths;
	size_t n_paths;
	struct tenant_fact *tenants;
	size_t n_tenants;
	struct handle_fact *handles;
	size_t n_handles;
	struct slice *unknown_args;   /* arguments neither catalog nor vault schema vouch for, or that look like a path or tenant */
	size_t n_unknown_args;
	struct verdict fault;         /* DENY when the call could not be understood at all; no guard is asked then */
	bool needs_tools;             /* the vault's own schema is needed to judge an argument */
	struct slice fill_tenant, fill_partner; /* the argument that takes the lock, absent so far; empty: none */
	struct json_edits edits;      /* what guards want rewritten in rpc->json; arguments through guards/edit.h */
	struct json_edits inner_edits; /* in args_json, where that is JSON in a string of the message */
	uint32_t inner_at;            /* that string's token in rpc->json; JSON_NONE */
	struct slice made_args;       /* arguments object put where there was none, so far */
	const struct path *clean_paths; /* the canonical ones of `paths`, for the audit */
	size_t n_clean_paths;
	const struct call *task;      /* tasks/…: the call that made the task; NULL: none this agent may know of */
	bool tainted;                 /* it holds a value the agent was given: what the agent wrote is not recorded */
	bool as_task;                 /* 2025-11-25: it asks to be answered with a task */
};

/* One answer of the vault, taken apart. */
struct result {
	const struct rpc *rpc;
	struct doc *root;             /* the message */
	struct payload *payloads;     /* the places where the vault's data stands */
	size_t n_payloads;
	bool is_error;                /* JSON-RPC error, or isError */
};

struct guard {
	const char *name;
	struct verdict (*request)(const struct view *, struct call *);
	struct verdict (*response)(const struct view *, const struct call *, struct result *);
	enum err (*learn)(struct ledger *, struct toolbook *, const struct view *, const struct call *, const struct result *);
};

#define PASS_VERDICT ((struct verdict){ .kind = VERDICT_PASS })
static inline struct verdict deny(enum reason r, struct slice what, struct origin rule)
{
	return (struct verdict){ .kind = VERDICT_DENY, .reason = r, .what = what, .rule = rule };
}

/* Fills *call from the message: the facts every guard judges on (guards/classify.c). E_NOMEM. */
enum err classify(const struct view *, const struct rpc *, struct call *call);
/* False when the tool, resource (URI or template) or prompt would be refused whatever its arguments: left out of lists (guards/offered.c). */
bool offered_tool(const struct view *, struct slice name);
bool offered_resource(const struct view *, struct slice uri);
bool offered_prompt(const struct view *, struct slice name);
/* Takes an answer apart into payloads (guards/result.c). E_NOMEM. */
enum err result_open(const struct view *, const struct call *, const struct rpc *, struct result *);

#endif
