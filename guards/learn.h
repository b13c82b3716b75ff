/*
 * The learn slots: what an answer teaches, before anything in it is hidden. Called by the chain only.
 */
#ifndef NARROWGATE_GUARDS_LEARN_H
#define NARROWGATE_GUARDS_LEARN_H

#include "guards/guard.h"

/* Handles the answer hands out, and the use of those it was asked with (learn_handles.c). */
enum err handles_learn(struct ledger *, struct toolbook *, const struct view *, const struct call *,
	const struct result *);
/* The tools of a tools/list answer, `tools` the array: pinned, and their schemas read (learn_tools.c). */
enum err tools_learn(struct toolbook *, const struct view *, const struct call *, const struct result *, uint32_t tools);
/* The values an answer gives, whether the agent gets to see them or not (learn_values.c). */
enum err values_learn(struct ledger *, struct toolbook *, const struct view *, const struct call *,
	const struct result *);
/* Whether there is something for it to learn in the answers of the call. */
bool values_in(const struct view *, const struct call *);
/*
 * A handle's end: seconds from now, or an RFC 3339 time, as milliseconds of the wall clock; 0 when it is neither
 * (learn_time.c).
 */
uint64_t expiry_ms(struct slice text, uint64_t now_ms);

#endif
