/*
 * The door of this floor: a message goes in with what the agent may do, a judgement comes out. Pure: no clock, no
 * socket, no log. The caller (proxy/exchange) carries out what is said here and nothing else.
 *
 * A judgement is about one JSON-RPC message. `bytes` is what may go on: the original text when no guard touched it, else
 * the splice. On DENY nothing goes on; `refusal` is the complete message to send back to whoever sent it, or empty when
 * no answer is possible (a notification: it is dropped).
 */
#ifndef NARROWGATE_GUARDS_JUDGE_H
#define NARROWGATE_GUARDS_JUDGE_H

#include <stdint.h>
#include "guards/ledger.h"
#include "guards/toolbook.h"
#include "mcp/rpc.h"
#include "policy/catalog.h"
#include "policy/policy.h"

struct names;

struct view {                       /* all a guard may see */
	const struct policy *policy;
	const struct catalog *catalog;
	const struct ledger *ledger;    /* the agent's */
	const struct toolbook *tools;   /* what the vault said its tools take, and showed first of its lists */
	const struct pins *accepted;    /* the operator's pins file for this vault; NULL: none */
	struct slice upstream;          /* its name: handles of one vault are no handles of another */
	uint64_t now_ms;                /* wall clock, for expiry */
	bool value_call_open;           /* some value-bearing call of this agent is unanswered on this upstream */
	bool value_echoes;              /* one was just answered: what comes on other streams may still tell of it */
	bool tells_paths;               /* the paths of a call are wanted for the audit */
	struct names *names;            /* what names say, remembered for a moment; NULL: nothing is (guards/names.h) */
	struct arena *arena;            /* of the exchange; every result lives in it */
};

#define REASONS(X)                                                                          \
	X(NONE, "", "")                                                                     \
	X(METHOD, "method", "this method is not passed on")                                 \
	X(MESSAGE, "message", "the message could not be read safely")                       \
	X(READ_ONLY, "read-only", "the profile is read-only")                               \
	X(ACTIONS, "actions", "the profile does not allow this kind of action")             \
	X(TOOLS, "tools", "the profile does not offer this tool")                           \
	X(UNKNOWN_TOOL, "unknown-tool", "the tool is not in the vault's catalog")           \
	X(PATH_OUTSIDE, "allowed-paths", "a path is outside the allowed prefixes")          \
	X(PATH_DENIED, "denied-paths", "a path is under a denied prefix")                   \
	X(PATH_UNCLEAR, "path-form", "a path is written in a form that is not safe to judge") \
	X(PATH_MISSING, "path-missing", "no path was found in the call")                    \
	X(ARGUMENT, "unknown-argument", "an argument is not known for this tool")           \
	X(CAPABILITY, "missing-capability", "the request does not declare the extension it is of") \
	X(HANDLE, "unknown-handle", "the handle was not given to this agent")               \
	X(TENANT, "tenant", "the profile is locked to another tenant")                      \
	X(PARTNER, "partner", "the profile is locked to another partner")                   \
	X(MASKED_INPUT, "masked-value", "a masked value was sent back as a value")          \
	X(RESULT_PATH, "result-paths", "the answer names something outside the allowed paths") \
	X(RESULT_TENANT, "result-tenant", "the answer belongs to another tenant")           \
	X(RESULT_FORM, "result-form", "the answer could not be read safely")                \
	X(CHANGED, "changed", "its definition is not the one that is pinned")                \
	X(UNPINNED, "unpinned", "the vault names more than can be pinned")                  \
	X(WITHHELD, "withheld", "the text was withheld while a value is under way")         \
	X(EXFILTRATION, "known-value", "a value that was read from the vault stands where it may not go") \
	X(EXFILTRATION_SIZE, "too-much-to-scan", "the message cannot be scanned for values") \
	X(LEDGER_FULL, "ledger-full", "too much is remembered for this agent")              \
	X(INTERNAL, "internal", "the check itself failed")

enum reason {
#define X(name, word, text) R_##name,
	REASONS(X)
#undef X
};
const char *reason_word(enum reason r); /* stable: audit, metrics, `_meta` */
const char *reason_text(enum reason r);

enum verdict_kind { VERDICT_PASS, VERDICT_REWRITE, VERDICT_DENY, VERDICT_NEED_TOOLS };

/* What a guard saw, whatever it decided: for the audit. Never the text itself. */
struct finding {
	const char *category; /* "exfiltration" */
	const char *form;     /* how the value was written: "plain", "base64" … */
	bool part;            /* a part of it */
	struct slice path;    /* where the value was read */
};

struct verdict {
	enum verdict_kind kind;
	enum reason reason;
	struct slice what;          /* what was not understood or not allowed, safe for the agent (an argument's name, a form); may be empty */
	struct origin rule;
	const struct finding *found; /* in the arena; NULL: nothing */
};

struct judgement {
	enum verdict_kind kind;     /* NEED_TOOLS: fetch the vault's tools/list, put it into the toolbook, judge again */
	struct verdict why;         /* of the guard that decided; for shadow mode also when kind is PASS */
	const char *guard;          /* its name; NULL when none had an opinion */
	const struct finding *found; /* the first; also of what passed */
	bool shadow;                /* enforce: false turned a DENY into a PASS */
	struct slice bytes;         /* what may go on */
	struct slice refusal;       /* DENY: the answer, a complete message with the right id */
	bool drop;                  /* DENY without an answer */
	char id[33];                /* of this decision, hex; also in the refusal's _meta. The caller fills it before judging. */
};

struct call;   /* a judged request: facts, catalog rule; lives in the arena of its exchange */

/*
 * A message from the agent: request, notification, or its answer to a server's request. `asked` is the method of that
 * server request for answers (M_UNKNOWN otherwise). *call is set for requests (also refused ones, for the audit).
 */
void judge_from_agent(const struct view *, const struct rpc *, enum method asked, struct call **call, struct judgement *);
/*
 * Whether a text that goes to the vault beside a message (a header) holds a value the agent was given, as exfiltration sees it: it is then
 * left out, under `block`.
 */
bool judge_gives_away(const struct view *, struct slice text);
/* The vault's final answer (result or error) to `call`. */
void judge_answer(const struct view *, const struct call *, const struct rpc *, struct judgement *);
/* What the vault sends by itself: notifications and requests. DENY of a request: `refusal` is what to answer the vault. */
void judge_from_vault(const struct view *, const struct rpc *, struct judgement *);

/*
 * Before an answer is judged and goes on: the only writer of the ledger and the toolbook. E_FULL: the answer must not go on. Also,
 * with call NULL, for notifications of the vault, some of which hold the answer to an earlier call.
 */
enum err judge_learn(struct ledger *, struct toolbook *, const struct view *, const struct call *, const struct rpc *);

/* Likewise of a tools/list result that narrowgate asked for itself: the array of one page. E_FULL, E_NOMEM. */
enum err judge_learn_tools(struct toolbook *, const struct pins *accepted, const struct json *, uint32_t tools);

/* What the vault asks for, whatever it asks now: of tasks/result, what that task was made of. */
enum method judge_asks(const struct view *, const struct rpc *);
/* Before an answer of the agent's to such a question goes on: a task it tells of is its own from then. E_FULL, E_NOMEM: it must not. */
enum err judge_learn_reply(struct ledger *, const struct view *, const struct rpc *, enum method asked);

/* What the audit says of a call. Slices live as long as the call. */
struct call_summary {
	enum method method;
	struct slice method_name, tool;
	enum action action;
	const struct path *paths;
	size_t n_paths;
	bool bears_values;      /* its answer may hold secret values: notifications are withheld while it is open */
};
void call_summary(const struct call *, struct call_summary *);

/* Makes the agent's answer to a request that narrowgate itself could not carry out (vault down, bad answer): a JSON-RPC error, or for tools/call too (-32603). `id` as rpc_id(). */
struct slice judge_failure(struct slice id, int code, const char *text, struct arena *);

/*
 * Puts canary calls and results through the policy: a write, a path outside, another tenant, a value to mask. False
 * when one slipped through, with a line in `why` (static or in the arena) that says which.
 */
bool selftest_policy(const struct policy *, struct arena *, struct slice *why);

#endif
