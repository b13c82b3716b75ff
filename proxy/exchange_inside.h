/*
 * What the files of an exchange share: exchange.c (states, life, ends), exchange_ask.c (the way up), exchange_mirror.c (its headers),
 * exchange_answer.c (the way home). Not for others.
 */
#ifndef NARROWGATE_PROXY_EXCHANGE_INSIDE_H
#define NARROWGATE_PROXY_EXCHANGE_INSIDE_H

#include "proxy/exchange.h"

void exchange_move(struct exchange *, enum exchange_state to);
void exchange_link(struct exchange *, struct channel *);
void exchange_unlink(struct exchange *);
/* Ends it: state, upstream call, links, memory. The reply must have been answered or be dead. */
void exchange_end(struct exchange *, enum exchange_state how);
void exchange_audit(struct exchange *, const char *outcome, const char *failure);
/* What the audit measures by; 0 when there is none, for a clock is dear beside the rest. */
uint64_t exchange_clock(const struct exchange *);
/* Starts the deadline anew. */
void exchange_touch(struct exchange *);
void exchange_unpause(struct exchange *);
void exchange_pause_if_full(struct exchange *);
/* The reply, which is then the caller's to answer; NULL when nobody waits. */
struct reply *exchange_take_reply(struct exchange *);
/* Ends something that has no answer: 202. */
void exchange_accept(struct exchange *);

/* What was put aside is read: the vault's end, if it came meanwhile, counts now. False when the exchange has ended with it. */
bool exchange_was_read(struct exchange *);

/* Waits until the vault's tool list is read, then judges again; fails where that was tried before (exchange_ask.c). */
void exchange_wait_for_tools(struct exchange *);

/* --- exchange_mirror.c --- */

/* The fields that go up with a stateless request, made from the judged bytes; none for others. False: the exchange has failed. */
bool exchange_mirror(struct exchange *, struct slice bytes, struct slice *lines);
/* Whether fields that repeat arguments contradict them: the exchange has failed then, or waits for the tool list that says which. */
bool exchange_mirror_fails(struct exchange *);
/*
 * The vault refused a stateless call for its headers: its tool list is read anew, once, since nothing was done, and the call sent again.
 * False: that cannot help.
 */
bool exchange_learn_mirror(struct exchange *);

/* The sink of a request's upstream call (exchange_answer.c). */
struct upstream_sink exchange_sink(struct exchange *);

#endif
