/*
 * A piece of work on a stack of its own, so that it can be put aside in the middle and taken up again: how one message of several
 * megabytes is judged without keeping all others waiting (proxy/reading.h). The work itself is plain code that says what it has
 * done (base/arena.h); whatever it must not see change while it rests has to be its own.
 */
#ifndef NARROWGATE_PROXY_FIBER_H
#define NARROWGATE_PROXY_FIBER_H

#include "base/arena.h"

#define FIBER_SLICE_BYTES (64 * 1024) /* of work between two rests */

struct fiber;

/* Nothing runs yet. NULL: no memory. */
struct fiber *fiber_create(void (*work)(void *ctx), void *ctx);
/* To be hung on the arena of the work: it then rests by itself. */
struct pace *fiber_pace(struct fiber *);
/* Runs the work up to its next rest. True when it is over. Not from inside. */
bool fiber_run(struct fiber *);
/* Whether the code that asks is the work itself. */
bool fiber_is_running(const struct fiber *);
/* For one whose work is over, or never began. */
void fiber_free(struct fiber *);

#endif
