/*
 * What one vault's tools really do: data, compiled in or loaded from a file (docs/catalogs.md). Immutable once loaded.
 */
#ifndef NARROWGATE_POLICY_CATALOG_H
#define NARROWGATE_POLICY_CATALOG_H

#include "policy/policy.h"
#include "policy/selector.h"

struct action_case {
	struct slice value;  /* of the deciding argument */
	enum action action;
};

enum action_by { BY_NOTHING, BY_ARGUMENT, BY_PRESENCE };

struct action_rule {
	enum action_by by;
	enum action fixed;           /* BY_NOTHING; BY_PRESENCE: when present */
	struct slice arg;
	struct slice deflt;          /* BY_ARGUMENT: the value taken when the argument is absent; empty: none */
	const struct action_case *cases;
	size_t n_cases;
	enum action otherwise;
	enum action empty;           /* BY_PRESENCE: when it is an empty string; as `fixed` where the catalog says nothing */
};

/* TENANT_FIXED: the call takes no tenant, the vault's configuration or token decides; answers are still filtered. */
enum tenant_by { TENANT_NONE, TENANT_ARG, TENANT_HEADER, TENANT_URI, TENANT_FIXED };

/* At a rule: the call surely takes these arguments. At the catalog: it does where the vault's schema has them. */
struct tenant_rule {
	enum tenant_by by;
	const struct slice *names;   /* argument names (all of them are judged; the first one known to the tool is filled in), header name, or URI variable */
	size_t n;
	const struct slice *partner_names; /* the partner's arguments */
	size_t n_partner;
};

struct take_rule {           /* this call redeems what an earlier result gave */
	struct slice kind;       /* "lease", "approval", "key" … */
	struct selector arg;
	struct slice strip;      /* prefix that may stand before the handle, "vault:lease:" */
	bool rooted;             /* with a slash in it, it is no handle but the path of one secret */
	struct slice hint;       /* what an agent should do that was never given the handle; may be empty */
};

struct give_rule {           /* this result hands out handles */
	struct slice kind;
	struct selector at;      /* or, when regex is set, every match's group `h` (or the whole match) in the text */
	const struct regex *regex;
	const struct template *paths; /* what it stands for, beside the object it is a member of (struct found's holder) */
	size_t n_paths;          /* 0: the path of the list item it is found in, else the paths of the call */
	bool adds;               /* a name that need not be unique: met again with another path it stands for both, also
	                          * where the list item was filtered out; every path must then pass */
	bool in_error;           /* found in error texts */
	struct selector ttl;     /* seconds, or an RFC 3339 time; n == 0: none */
	unsigned uses;           /* 0: any number */
};

enum out_as { OUT_JSON, OUT_RAW, OUT_ENV, OUT_YAML, OUT_LINES };

struct out_rule {
	bool given;
	enum out_as as;
	struct slice after;            /* prose before the JSON: the document starts behind this text */
	const struct selector *values; /* where secret values are */
	size_t n_values;
	bool values_given;             /* `values: []` says there are none */
	const struct selector *keep;   /* leaves that are metadata although no list knows their name */
	size_t n_keep;
	const struct selector *items;  /* list items, each with a path */
	size_t n_items;
	const struct template *paths;  /* of an item; {arg.x} reaches the call's arguments */
	size_t n_paths;
	bool tenant_rows;              /* the answer lists tenants: `id` of a row is one */
	const struct selector *counts; /* totals that follow the number of items */
	size_t n_counts;
	const struct regex *line;      /* OUT_LINES: groups `path`, `value`, `tenant`; `^`, `$`: the ends of a line */
	const struct regex *count_line; /* OUT_LINES: group `n`, the number to correct; same anchors */
};

struct force_rule {
	struct slice arg;
	struct slice raw;        /* JSON text put there while a path rule is on */
};

struct rule {
	struct slice name;       /* tool name, URI template, prompt name */
	struct origin at;
	struct action_rule action;
	const struct template *paths;
	size_t n_paths;
	enum path_covers covers;
	bool path_optional;              /* no path argument given: the call reaches everything it lists, and its answer is filtered */
	bool unresolved;                 /* reaches secrets that no argument names: refused while a path rule is on */
	bool pathless;                   /* touches nothing that a path could name: passes under a path rule without one */
	const struct selector *secret_args; /* a container stands for all below it */
	size_t n_secret_args;
	const struct slice *args;        /* harmless arguments the tool also takes */
	size_t n_args;
	const struct slice *side_files;  /* argument names, dotted where nested ("delivery.url") */
	size_t n_side_files;
	const struct slice *side_urls;
	size_t n_side_urls;
	const struct take_rule *takes;
	size_t n_takes;
	const struct give_rule *gives;
	size_t n_gives;
	const struct force_rule *force;
	size_t n_force;
	struct tenant_rule tenant;       /* by == TENANT_NONE: the catalog's */
	struct template call_tool;       /* nested call: the inner tool's name … */
	struct selector call_args;       /* … and its arguments */
	bool call_args_rest;             /* the inner arguments may also stand beside it at top level */
	bool nested;
	bool scopes;                     /* scope_list finds scopes like secrets:read:ns/glob: an action and a path each */
	struct selector scope_list;
	struct out_rule out;
};

struct words {
	const struct slice *v; /* sorted, ASCII lower case, without `_` and `-`: compare names folded the same way */
	size_t n;
};

/* What `generic` (and any catalog's fallback) knows of the words vaults use. Lists may be empty. */
struct vocabulary {
	struct words reads;      /* words of tool names: a tool made of these and nouns reads */
	struct words writes;     /* any of these makes it a write */
	struct words runs;       /* it does whatever it is told */
	struct words mints;      /* what it reads is made for it: a read of such a thing issues a credential */
	struct words paths;      /* argument and member names: one path */
	struct words prefixes;   /* names everything below, and patterns */
	struct words folders;    /* joined with a `keys` argument beside it */
	struct words keys;       /* alone, a path where nothing better is known */
	struct words tenants;
	struct words partners;
	struct words values;     /* every leaf under such a name is a secret value */
	struct words harmless;   /* arguments and members that name nothing secret (limit, cursor, version …) */
};

struct catalog {
	struct slice name;
	struct slice file;               /* origin of its rules */
	const struct regex *server;      /* matches serverInfo.name; NULL: never chosen by itself */
	unsigned connections;            /* how many the server stands; 0: any number */
	bool generic;                    /* reads tool names and argument names by itself */
	struct vocabulary vocabulary;    /* empty lists when the file has none */
	bool fold_slashes, fold_case;    /* the vault treats `a//b/` as `a/b`, `A` as `a` */
	struct tenant_rule tenant;
	const struct rule *tools;        /* sorted by name */
	size_t n_tools;
	const struct rule *resources;
	size_t n_resources;
	const struct rule *prompts;
	size_t n_prompts;
	struct arena arena;              /* holds it all */
};

/* One fault of a file, with its place; `text` says what is wrong and what to write instead. */
struct fault {
	struct origin at;
	struct slice text;
};
struct faults {
	struct fault *v;
	size_t n, cap;
	bool lost;           /* more were found than could be kept */
	struct arena arena;
};
void faults_init(struct faults *);
void faults_finish(struct faults *);
void faults_add(struct faults *, struct origin at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Whether anything was found at all, kept or lost. */
bool faults_any(const struct faults *);

/* Reads a catalog from YAML text. NULL when `faults` got something. `file` names it in errors and origins. */
struct catalog *catalog_parse(struct slice yaml, struct slice file, struct faults *);
/* A built-in one by name ("scaivault", "generic" …), parsed; NULL when there is none of that name. */
struct catalog *catalog_builtin(struct slice name, struct faults *);
/* "scaivault, 1claw, …" for error texts. */
struct slice catalog_builtin_names(void);
/* The one built-in catalog whose `server` pattern matches serverInfo.name; "generic" when none or several do. */
struct slice catalog_match(struct slice server_name);
void catalog_free(struct catalog *);

/* Whether `name`, folded like the list (case, `_`, `-`), is one of its words. */
bool words_have(const struct words *, struct slice name);

const struct rule *catalog_tool(const struct catalog *, struct slice name);
const struct rule *catalog_prompt(const struct catalog *, struct slice name);
/*
 * The resource rule whose URI template matches `uri`; variables (not percent-decoded) go to vars[0..*n_vars): at most
 * CATALOG_MAX_VARS. A template variable takes one segment, except the last one, which takes the rest.
 */
#define CATALOG_MAX_VARS 8
struct uri_var {
	struct slice name, value;
};
const struct rule *catalog_resource(const struct catalog *, struct slice uri, struct uri_var *vars, size_t *n_vars);

#endif
