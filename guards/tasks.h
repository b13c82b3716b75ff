/*
 * Tasks of stateless revisions: a call whose answer comes later, under an id. What was asked is remembered with the id, without
 * the values in it, and whatever is said of the task later is judged as an answer to that call, under the profile of that moment.
 * Source: MCP extension io.modelcontextprotocol/tasks, 2026-07-28 (SEP-2663).
 */
#ifndef NARROWGATE_GUARDS_TASKS_H
#define NARROWGATE_GUARDS_TASKS_H

#include "guards/guard.h"

#define TASKS_EXTENSION SL("io.modelcontextprotocol/tasks")

/* Whether the request declares that its client knows tasks. */
bool tasks_declared(const struct rpc *);

/* --- tasks_call.c: the call behind an id --------------------------------------------------------------------------- */

/* The call a task came of, classified and judged as of now; NULL: none this agent was given, or one its profile refuses by now. */
struct call *task_recall(const struct view *, struct slice id);
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
/* notifications/tasks. */
void judge_task_notice(const struct view *, const struct rpc *, struct judgement *);
/* The answer to the call that a finished task holds, as the message it would have been. False: it holds none, or no memory. */
bool task_inner(const struct view *, const struct json *, uint32_t obj, struct rpc *out);
/* What finished tasks hand out is learnt like any answer. */
enum err task_learn(struct ledger *, struct toolbook *, const struct view *, const struct call *, const struct rpc *);

#endif
