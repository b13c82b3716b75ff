/*
 * One JSON line a decision, never a value: who, what, which paths, which verdict and rule, how long. Lines of one loop
 * round are written together, before the answers of that round go out.
 */
#ifndef NARROWGATE_PROXY_AUDIT_H
#define NARROWGATE_PROXY_AUDIT_H

#include <uv.h>
#include "guards/judge.h"

struct audit;

struct audit_line {
	const char *id;                 /* of the decision, 32 hex characters */
	struct slice agent, upstream, profile;
	struct slice session;           /* hashed before it is written */
	const char *config_hash;
	const struct call_summary *call; /* NULL: the message was not understood so far */
	struct slice method;            /* when call is NULL */
	const struct judgement *judgement;
	const char *outcome;            /* "answered", "refused", "failed", "cancelled" */
	const char *failure;            /* static text, or NULL */
	int upstream_status;
	uint64_t ours_us, theirs_us;
};

/* Opens the file (append, 0600 when new) or stdout. NULL path and !to_stdout: lines go nowhere. NULL with *why on failure. */
struct audit *audit_open(uv_loop_t *, struct slice path, bool to_stdout, const char **why);
/* Whether lines go anywhere. */
bool audit_wanted(const struct audit *);
void audit_write(struct audit *, const struct audit_line *);
/* Writes out what is kept. */
void audit_flush(struct audit *);
/* Opens the file anew (log rotation); the old one stays on failure. */
void audit_reopen(struct audit *);
/* Flushes and closes; the handle closes on the loop. */
void audit_close(struct audit *);

#endif
