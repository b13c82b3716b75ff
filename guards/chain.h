/*
 * Folding a message over the guards of guards/list.h, and what becomes of the verdict.
 */
#ifndef NARROWGATE_GUARDS_CHAIN_H
#define NARROWGATE_GUARDS_CHAIN_H

#include "guards/guard.h"

/* Empties the judgement but for its id. */
void chain_begin(struct judgement *);
/* The request pass: j->why is the first deny, else the first rewrite. */
void chain_request(const struct view *, struct call *, struct judgement *);
/*
 * The response pass over an answer or, with call NULL, over what the vault sends by itself: j->why as above, j->bytes
 * what may go on. The refusal is the caller's to make.
 */
void chain_response(const struct view *, const struct call *, const struct rpc *, struct judgement *);
/* Shadow mode turns the verdict into a pass; true when it did: the bytes are then the original's. */
bool chain_shadow(const struct view *, struct judgement *);
/* The message as it came, but for member names written with escapes. Denies when memory is out. */
void chain_pass(const struct view *, const struct rpc *, struct judgement *);
void chain_deny(struct judgement *, const char *guard, enum reason, struct slice what);
/* The learn slots. */
enum err chain_learn(struct ledger *, struct toolbook *, const struct view *, const struct call *,
	const struct result *);

/*
 * Whether what stands at `tok` may go to the vault outside of a call; JSON_NONE may. Else it is refused in *j
 * (judge_beside.c).
 */
bool beside_passes(const struct view *, const struct rpc *, uint32_t tok, struct judgement *j);

#endif
