/*
 * How a refusal looks: by method, with one sentence an agent can act on. It names guard and rule; no secret, no path
 * but what the agent wrote itself, and nothing of what the vault has.
 */
#ifndef NARROWGATE_GUARDS_REFUSE_H
#define NARROWGATE_GUARDS_REFUSE_H

#include "guards/guard.h"

/*
 * The answer to the agent's request; `call` may lack everything but its rpc. Lives in the arena; empty when memory is
 * out.
 */
struct slice refuse_request(const struct view *, const struct call *, const struct judgement *);
/* The answer to a request of the vault. */
struct slice refuse_vault(const struct view *, const struct rpc *, enum method, const struct judgement *);
/* What the agent would have answered the vault had it declined: its own answer does not go on. */
struct slice refuse_answer(const struct view *, const struct rpc *, enum method asked);

#endif
