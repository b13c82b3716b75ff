/*
 * Every switch of a safety profile, one row an option: its key in the file, its type, the variables that also set it,
 * its default and one line of documentation. The readers of the file and of the environment follow this list.
 */
#ifndef NARROWGATE_POLICY_OPTIONS_H
#define NARROWGATE_POLICY_OPTIONS_H

#include "base/slice.h"

enum option_type {
	OPTION_BOOL,    /* true or false */
	OPTION_WORD,    /* one of a few words */
	OPTION_TEXT,    /* any text */
	OPTION_PATHS,   /* a list of path prefixes */
	OPTION_ACTIONS, /* a list of actions (policy/action.h) */
	OPTION_GLOBS,   /* {allow: [glob], deny: [glob]} */
	OPTION_MAP,     /* a map of its own */
};

/*
 * X(NAME, "key in a profile" (NULL: only a variable), type, words of OPTION_WORD (the narrowest first), "our variable",
 * "the vaults' variable", "default", "doc line")
 * A default of "unset" means: that dimension is not narrowed.
 */
/* clang-format off */
#define OPTIONS(X) \
	X(READ_ONLY, "read_only", BOOL, NULL, "NARROWGATE_READ_ONLY", "SCAIVAULT_READ_ONLY", "false", \
		"only actions that change nothing pass") \
	X(MASK_VALUES, "mask_values", BOOL, NULL, "NARROWGATE_MASK_VALUES", "SCAIVAULT_MASK_VALUES", "false", \
		"secret values in results become six bullets") \
	X(MASK_STYLE, "mask_style", WORD, WORDS("marker", "reference"), NULL, NULL, "marker", \
		"what stands in a masked value's place") \
	X(ALLOWED_PATHS, "allowed_paths", PATHS, NULL, "NARROWGATE_ALLOWED_PATHS", "SCAIVAULT_ALLOWED_PATHS", "unset", \
		"path prefixes; outside is refused and filtered from lists; an empty list allows nothing") \
	X(DENIED_PATHS, "denied_paths", PATHS, NULL, "NARROWGATE_DENIED_PATHS", "SCAIVAULT_DENIED_PATHS", "[]", \
		"path prefixes that are always refused, even when allowed_paths covers them") \
	X(TENANT, "tenant", TEXT, NULL, "NARROWGATE_TENANT_ID", "SCAIVAULT_TENANT_ID", "unset", \
		"the only tenant; filled in where absent") \
	X(PARTNER, "partner", TEXT, NULL, "NARROWGATE_PARTNER_ID", "SCAIVAULT_PARTNER_ID", "unset", \
		"the only partner; filled in where absent") \
	X(EXFILTRATION, "exfiltration", WORD, WORDS("block", "warn", "off"), "NARROWGATE_EXFIL_PROTECTION", \
		"ONECLAW_MCP_EXFIL_PROTECTION", "block", "a value this agent has seen in the input of another tool") \
	X(INSPECTION, "inspection", WORD, WORDS("block", "surgical", "log_only", "off"), \
		"NARROWGATE_SANITIZATION_MODE", "ONECLAW_MCP_SANITIZATION_MODE", "block", "detectors over inputs and outputs") \
	X(PII, "pii", BOOL, NULL, "NARROWGATE_PII_DETECTION", "ONECLAW_MCP_PII_DETECTION", "true", "PII detectors") \
	X(REDACT_SECRETS, "redact_secrets", BOOL, NULL, "NARROWGATE_REDACT_SECRETS", "ONECLAW_MCP_REDACT_SECRETS", \
		"true", "known values in the outputs of other tools are redacted") \
	X(ACTIONS, "actions", ACTIONS, NULL, NULL, NULL, "unset", "the only actions that pass") \
	X(TOOLS, "tools", GLOBS, NULL, NULL, NULL, "unset", "tool names that pass, by globs") \
	X(UNKNOWN_TOOLS, "unknown_tools", WORD, WORDS("deny", "allow"), NULL, NULL, "deny", \
		"tools the catalog does not know") \
	X(LIMITS, "limits", MAP, NULL, NULL, NULL, "unset", "how many calls, reads and secrets in a time") \
	X(ENFORCE, "enforce", BOOL, NULL, NULL, NULL, "true", "false: decide and record, but let pass") \
	X(SECURITY_ENABLED, NULL, BOOL, NULL, "NARROWGATE_SECURITY_ENABLED", "ONECLAW_MCP_SECURITY_ENABLED", "true", \
		"false: inspection and pii off") \
	X(LOCAL_ONLY, NULL, BOOL, NULL, "NARROWGATE_LOCAL_ONLY", "ONECLAW_LOCAL_ONLY", "false", \
		"no upstream: the local inspection tool alone")
/* clang-format on */

enum option {
#define X(name, ...) OPT_##name,
	OPTIONS(X)
#undef X
	N_OPTIONS
};

#define OPTION_VARIABLES 2

struct option_row {
	const char *key;                         /* NULL: no key of a profile */
	enum option_type type;
	const char *const *words;                /* OPTION_WORD: NULL-terminated, the narrowest first */
	const char *variables[OPTION_VARIABLES]; /* ours, the vaults'; NULL where there is none */
	const char *deflt;
	const char *doc;
};

/* The row of an option; `o` must be one. */
const struct option_row *option_row(enum option o);
/* The option with this key in a profile; N_OPTIONS when there is none. */
enum option option_find(struct slice key);
/* All keys of a profile, `extends` among them, NULL-terminated; for yaml_only. */
const char *const *option_keys(void);

#endif
