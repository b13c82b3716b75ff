/*
 * Work put off to the end of the loop's round: sends that leave together, and every callback that must not be made from
 * inside the call that caused it. Tasks run in the order they were added, right after the loop has handled its events.
 */
#ifndef NARROWGATE_UPSTREAM_TURN_H
#define NARROWGATE_UPSTREAM_TURN_H

#include <stdbool.h>
#include <uv.h>

/* Embedded in what it works for; zero is "not queued". */
struct task {
	struct task *next, *prev;
	void (*run)(struct task *);
};

struct turn {
	uv_idle_t idle;         /* keeps the loop from sleeping while something is queued */
	uv_prepare_t prepare;   /* before the loop sleeps: what timers and closings added */
	uv_check_t check;       /* after it woke: what this round's events added */
	struct task queue;      /* ring; this is its head */
	struct task mark;       /* in the ring while tasks run: what stands behind it belongs to the next round */
	unsigned n_open;
	void (*closed)(void *ctx);
	void *ctx;
};

void turn_init(struct turn *, uv_loop_t *);
/* `closed` is called once, later. No task may be queued any more. */
void turn_close(struct turn *, void (*closed)(void *ctx), void *ctx);
/* Queues a task; one that is queued already keeps its place. */
void turn_add(struct turn *, struct task *);
/* Takes it out again; nothing when it is not queued. */
void turn_remove(struct task *);

#endif
