/*
 * What the three files of an exchange share: exchange.c (states, life, ends), exchange_ask.c (the way up), exchange_answer.c
 * (the way home). Not for others.
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

/* A stateless call that the vault refused for its headers: true when it will be sent again with better ones (exchange_ask.c). */
bool exchange_learn_mirror(struct exchange *);

/* The sink of a request's upstream call (exchange_answer.c). */
struct upstream_sink exchange_sink(struct exchange *);

#endif
