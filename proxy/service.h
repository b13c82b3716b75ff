/*
 * A long-running command: its loop, its signals, its end. SIGTERM and SIGINT drain (a second one ends at once), SIGHUP reloads.
 */
#ifndef NARROWGATE_PROXY_SERVICE_H
#define NARROWGATE_PROXY_SERVICE_H

#include <uv.h>
#include "policy/config.h"

struct service;

struct service_ops {
	void (*terminate)(struct service *); /* stop taking work; call service_finish when the rest is done */
	void (*hangup)(struct service *);    /* unset: ignored */
	void (*cut)(struct service *);       /* the drain period is over: fail what is in flight; unset: nothing to do */
	void (*finish)(struct service *);    /* close every handle */
};

struct service {
	const struct service_ops *ops;
	uv_loop_t *loop;
	uv_loop_t own_loop;
	uv_signal_t term, interrupt, hangup;
	uv_timer_t deadline;
	uint64_t drain_ms;
	bool terminating, cut, finished;
};

void service_init(struct service *, const struct service_ops *, uint64_t drain_ms);
/* Runs until every handle is closed; the exit status. */
int service_run(struct service *);
/* As if SIGTERM had come. */
void service_terminate(struct service *);
/* All is done: closes everything. Safe to call twice. */
void service_finish(struct service *);

/* "host:port", "[v6]:port" or "unix:/path" of a configured address. */
struct slice service_address(const struct listen_address *, struct arena *);
/* The effective policy of every agent, and the guards this version lacks, into the log. */
void service_log_policies(const struct config *);

#endif
