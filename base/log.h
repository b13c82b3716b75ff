/*
 * Readable log lines on stderr: `2026-11-20T11:12:13.123Z level area: text`. One sink, no secrets: callers pass names,
 * numbers and paths, never values, tokens, bodies or query strings. Control and bidi characters are escaped, lines are capped.
 * Only proxy/ and upstream/ log; lower floors return errors.
 */
#ifndef NARROWGATE_BASE_LOG_H
#define NARROWGATE_BASE_LOG_H

#include <stdint.h>
#include "base/slice.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Lines above `level` are dropped. Part of the process, like stderr itself; set once by main. */
void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *area, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define log_error(area, ...) log_line(LOG_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...) log_line(LOG_WARN, area, __VA_ARGS__)
#define log_info(area, ...) log_line(LOG_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) log_line(LOG_DEBUG, area, __VA_ARGS__)

#define LOG_LIMIT_LINES     10
#define LOG_LIMIT_WINDOW_MS 60000

/* Lines that somebody outside can cause at will: LOG_LIMIT_LINES in a window, the rest is counted. Starts zeroed. */
struct log_limit {
	uint64_t until_ms;          /* end of the window; 0: none has begun */
	unsigned lines;             /* in it */
	unsigned long left_out;     /* since the last window that left lines out was told of */
};

/*
 * False when the window is full. With true, *left_out is how many were not written before: to be told, 0 mostly.
 * `now_ms` may be of any clock that does not go back.
 */
bool log_limit_admits(struct log_limit *, uint64_t now_ms, unsigned long *left_out);

#endif
