/*
 * Tasks: a call whose answer comes later, under an id. What was asked is remembered with the id, without the values in it, and
 * whatever is said of the task later is judged as an answer to that call, under the profile of that moment.
 * Source: MCP extension io.modelcontextprotocol/tasks, 2026-07-28 (SEP-2663); MCP 2025-11-25, "Tasks" (SEP-1686).
 */
#ifndef NARROWGATE_GUARDS_TASKS_H
#define NARROWGATE_GUARDS_TASKS_H

#include "guards/guard.h"

#define TASKS_EXTENSION SL("io.modelcontextprotocol/tasks")
#define META_RELATED_TASK SL("io.modelcontextprotocol/related-task")

/* Whether the request declares that its client knows tasks. */
bool tasks_declared(const struct rpc *);

/* --- tasks_call.c: the call behind an id --------------------------------------------------------------------------- */

/*
 * The call a task came of, classified and judged as of now; NULL: none this agent was given, or one its profile refuses by now.
 * `stateless`: of which kind of revision it is.
 */
struct call *task_recall(const struct view *, struct slice id, bool stateless);
/*
 * Remembers the call behind the id in the task object `obj` (for as long as that says). E_FULL also where the call cannot be
 * kept without the values in it.
 */
enum err task_keep(struct ledger *, const struct view *, const struct call *, const struct json *, uint32_t obj);

/* --- tasks.c: what is said of it ----------------------------------------------------------------------------------- */

/* Whether the task object at `obj` is of this id. */
bool task_is(const struct view *, const struct json *, uint32_t obj, struct slice id);
/* An answer whose result is a task: `origin` is the call it came of. */
void judge_task_answer(const struct view *, const struct call *origin, const struct rpc *, struct judgement *);
/* notifications/tasks, notifications/tasks/status. */
void judge_task_notice(const struct view *, const struct rpc *, struct judgement *);
/* A task object of 2025-11-25 with all it must have, and nothing else. */
bool task_has_form(const struct json *, uint32_t obj);
/* One task object: what has to go from it is added to the edits, a refusal goes to *out. */
void judge_task_object(const struct view *, const struct call *origin, const struct json *, uint32_t obj, struct json_edits *,
	struct judgement *out);
/* The answer to the call that a finished task holds, as the message it would have been. False: it holds none, or no memory. */
bool task_inner(const struct view *, const struct json *, uint32_t obj, struct rpc *out);
/* What finished tasks hand out is learnt like any answer. */
enum err task_learn(struct ledger *, struct toolbook *, const struct view *, const struct call *, const struct rpc *);

/* --- tasks_handshake.c: the form of 2025-11-25 ------------------------------------------------------------------------- */

/* The answer to a call that asked for a task: {"task": …}. */
void judge_task_created(const struct view *, const struct call *, const struct rpc *, struct judgement *);
/* tasks/result: the answer of the call that made the task. */
void judge_task_result(const struct view *, const struct call *, const struct rpc *, struct judgement *);
/* tasks/list: the agent's own. */
void judge_task_list(const struct view *, const struct rpc *, struct judgement *);
/*
 * Whether a message of anybody that says in its `_meta` which task it belongs to names one of this agent's (or none at all).
 * *origin is its call then, or NULL.
 */
bool task_related(const struct view *, const struct rpc *, uint32_t meta, struct call **origin);
/* What stands under META_RELATED_TASK is an id, and nothing else: the id; p == NULL: it is not. */
struct slice task_related_id(const struct json *, uint32_t tok, struct arena *);
/*
 * Until a task that bears values has ended, nothing the vault says can be told from them, whoever hears it: the toolbook, which
 * all agents of an upstream share, knows of such tasks. `obj` is the task object; JSON_NONE: it has ended.
 */
enum err task_mark(struct toolbook *, const struct view *, const struct call *origin, struct slice id, const struct json *, uint32_t obj);


/* --- tasks_agent.c: those of the agent's, made of what the vault asked its model or its user ---------------------------- */

/* What the vault asked for with the task of that id (M_SAMPLING, M_ELICITATION); M_UNKNOWN: this agent has told of no such task. */
enum method agent_task_asked(const struct view *, struct slice id);
/* The agent answers that it made a task of it: {"task": …} in the form it must have. */
bool agent_task_made(const struct json *, uint32_t result);
/* `task` in a question of the vault's, if there: an object that says how long, and nothing else. */
bool agent_task_wanted(const struct json *, uint32_t params);

#endif
