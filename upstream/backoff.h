/*
 * How long to wait before a vault that failed is started or reached again: a time that doubles with each failure in a row.
 */
#ifndef NARROWGATE_UPSTREAM_BACKOFF_H
#define NARROWGATE_UPSTREAM_BACKOFF_H

#include <stdint.h>

/* Zeroed: nothing has failed. Times are loop time. */
struct backoff {
	unsigned failures;      /* in a row */
	uint64_t not_before_ms;
};

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS   10000

static inline void backoff_failed(struct backoff *b, uint64_t now_ms)
{
	unsigned doublings = b->failures < 8 ? b->failures : 8;
	uint64_t wait_ms = (uint64_t)BACKOFF_FIRST_MS << doublings;

	b->failures++;
	b->not_before_ms = now_ms + (wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS);
}

/* 0: now. */
static inline uint64_t backoff_left_ms(const struct backoff *b, uint64_t now_ms)
{
	return b->failures && now_ms < b->not_before_ms ? b->not_before_ms - now_ms : 0;
}

static inline void backoff_works(struct backoff *b)
{
	b->failures = 0;
}

#endif
