/*
 * A message that is worked through. A short one at once; a long one in slices of FIBER_SLICE_BYTES, between which the loop serves
 * everybody else.
 *
 * The rule for an exchange whose message is being read: whatever happens to it from outside (its agent leaves, its time is over, its
 * session ends, the vault says more), the reading is first brought to its end. So the work never finds half of a world gone.
 */
#ifndef NARROWGATE_PROXY_READING_H
#define NARROWGATE_PROXY_READING_H

#include "proxy/exchange.h"

#define READING_LONG_BYTES (2 * FIBER_SLICE_BYTES)

typedef void reading_work(struct exchange *, struct slice text, struct arena *);

/*
 * Calls work(x, text, arena) once, now or over the next rounds of the loop. A long text is worked on with the pace on `arena`, or,
 * where `copy` is set, on a copy of it in an arena of its own; a short one on `arena` as it is. The work may end the exchange.
 */
void reading_begin(struct exchange *, struct slice text, struct arena *, bool copy, reading_work *work);
/* Whether a message of this exchange is put aside at this moment. */
bool reading_waits(const struct exchange *);
/* Works through what was put aside. False when the exchange has ended with it. */
bool reading_finish(struct exchange *);
/* The exchange ends, by the work itself. */
void reading_forget(struct exchange *);
/* reading_finish for all of an app. */
void readings_finish(struct app *);

#endif
