/*
 * One child process: three pipes, its start, and its end. stdin closed, a wait, SIGTERM, a wait, SIGKILL, for the whole
 * process group it leads. Lines come up, lines go down; what they mean is not known here.
 */
#ifndef NARROWGATE_UPSTREAM_CHILD_PROCESS_H
#define NARROWGATE_UPSTREAM_CHILD_PROCESS_H

#include "base/log.h"
#include "mcp/ndjson.h"
#include "upstream/backoff.h"
#include "upstream/child_log.h"
#include "upstream/vault.h"

/* What all children of a vault have in common. */
struct child_vault {
	struct vault *vault;
	char **args, **env;         /* NULL-terminated */
	char *area;                 /* "child NAME", for the log */
	struct child_call *spare;   /* recycled calls, list */
	size_t n_spare;
	struct log_limit skips;     /* lines of its stdout that are no messages */
	struct backoff backoff;     /* starts that came to nothing */
	size_t n_live;              /* processes and conversations that are not gone */
	bool closing;
	void (*closed)(void *ctx);
	void *ctx;
};

/* Something that counted in n_live is gone. */
void child_vault_less(struct child_vault *);

struct child_process;

struct child_listener {
	/* A line of stdout; the listener may stop the process here. */
	void (*line)(void *ctx, struct slice);
	/* The process ended, or cannot be listened to any more (UP_BROKEN, UP_TOO_BIG). Nothing is called after it. */
	void (*gone)(void *ctx, enum upstream_outcome);
};

/* NULL when it cannot be started; that was logged. */
struct child_process *child_process_start(struct child_vault *, const struct child_listener *, void *ctx);
/*
 * Hands over one line, its end included. UP_UNREACHABLE: nothing of it was, and the pipe is closed or too much waits
 * in it already. UP_BROKEN: a part of it was; the process is of no use now, and has been told to end (`gone` is not
 * called).
 */
enum upstream_outcome child_process_write(struct child_process *, struct slice line);
/* Nobody listens any more: ends it, nicely first. It frees itself. */
void child_process_stop(struct child_process *);

#endif
