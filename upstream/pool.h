/*
 * The connections to one vault: idle ones are kept for the next call, last in first out, so that few stay warm and
 * the rest grow old and go. An idle connection that says anything, or ends, is closed at once. No more than `max` at
 * any time; who cannot have one waits in line.
 */
#ifndef NARROWGATE_UPSTREAM_POOL_H
#define NARROWGATE_UPSTREAM_POOL_H

#include "upstream/connect.h"

/* Somebody who waits for a connection; embedded. */
struct pool_want {
	struct pool_want *next, *prev;
	bool queued;
	/* A connection, or NULL and why there is none. Must not call the pool's user back. */
	void (*got)(struct pool_want *, struct wire *, enum upstream_outcome);
};

struct pool {
	struct connector connector;
	struct wire *idle, *oldest;      /* both ends of the idle list */
	struct pool_want *first, *last;  /* who waits */
	size_t n_waiting, n_dialing;
	size_t n_wires;                  /* dialing, in use, idle */
	size_t n_idle;
	size_t max;
};

bool pool_init(struct pool *, const struct curl_api *, uv_loop_t *, const struct vault_config *);
/* Closes what is idle; all others must have been given back. `closed` is called once, later. */
void pool_close(struct pool *, void (*closed)(void *ctx), void *ctx);

/* An idle connection that has not ended as far as is known, or NULL. */
struct wire *pool_take(struct pool *);
/* Gets in line for a new connection, or one that comes back. False: the line is full. */
bool pool_wait(struct pool *, struct pool_want *);
/* Leaves the line. */
void pool_forget(struct pool *, struct pool_want *);
/* Back to the others; it may lie idle for limit_ms (0: the default). */
void pool_give_back(struct pool *, struct wire *, uint64_t limit_ms);
/* Closes a connection that was taken. */
void pool_drop(struct pool *, struct wire *);
/* Closes what has been idle for too long. */
void pool_sweep(struct pool *);

#endif
