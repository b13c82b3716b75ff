/*
 * What a child writes on stderr, line by line into our log: cut when long, and counted instead of written when it
 * floods.
 */
#ifndef NARROWGATE_UPSTREAM_CHILD_LOG_H
#define NARROWGATE_UPSTREAM_CHILD_LOG_H

#include <stdint.h>
#include "base/slice.h"

#define CHILD_LOG_LINE 512          /* bytes of a line that are shown */
#define CHILD_LOG_PER_SECOND 20     /* lines */

struct child_log {
	const char *area;           /* "child NAME"; borrowed */
	uint64_t second;            /* the one being counted */
	unsigned lines;             /* in it */
	unsigned long left_out;     /* lines not written since the last one that was */
	size_t n;
	bool cut;
	char line[CHILD_LOG_LINE];
};

void child_log_init(struct child_log *, const char *area);
void child_log_feed(struct child_log *, struct slice bytes, uint64_t now_ms);
/* The stream is over: writes what is left. */
void child_log_end(struct child_log *, uint64_t now_ms);

#endif
