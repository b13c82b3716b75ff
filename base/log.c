#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "base/utf8.h"

enum {
	TEXT_BYTES = 2048, /* of the formatted text; what is behind is cut */
	LINE_BYTES = 4096, /* with what escaping adds */
};

/* The one piece of state of the process: stderr's filter. */
static enum log_level most = LOG_INFO;

void log_set_level(enum log_level level)
{
	most = level;
}

/* Bytes of the character at p when it may stand in a log line as it is, else 0. */
static size_t shown_as_is(struct slice s)
{
	size_t n = utf8_length(s), i = 0;
	uint32_t c;

	if (!n)
		return 0;
	c = utf8_next(s, &i);
	if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || utf8_is_invisible(c))
		return 0;
	return n;
}

/* The text, with all that could forge a line or turn it around written as \xNN. Returns the bytes used of `out`. */
static size_t escape(struct slice s, char *out, size_t room)
{
	size_t used = 0;

	while (s.n) {
		size_t n = shown_as_is(s);
		if (used + (n ? n : 4) > room) {
			memcpy(out + room - 3, "...", 3);
			return room;
		}
		if (n)
			memcpy(out + used, s.p, n);
		else
			snprintf(out + used, 5, "\\x%02x", (unsigned char)*s.p);
		used += n ? n : 4;
		s = slice_from(s, n ? n : 1);
	}
	return used;
}

/* `2026-11-20T11:12:13.123Z level area: `; returns its length. */
static size_t line_head(enum log_level level, const char *area, char *out, size_t room)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	struct timespec now;
	struct tm tm;
	size_t n;
	int more;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(out, room, "%Y-%m-%dT%H:%M:%S", &tm);
	more = snprintf(out + n, room - n, ".%03ldZ %s %.32s: ", now.tv_nsec / 1000000, names[level], area);
	return n + (size_t)more;
}

bool log_limit_admits(struct log_limit *l, uint64_t now_ms, unsigned long *left_out)
{
	*left_out = 0;
	if (now_ms >= l->until_ms) {
		l->until_ms = now_ms + LOG_LIMIT_WINDOW_MS;
		l->lines = 0;
	}
	if (l->lines == LOG_LIMIT_LINES) {
		l->left_out++;
		return false;
	}
	l->lines++;
	*left_out = l->left_out;
	l->left_out = 0;
	return true;
}

void log_line(enum log_level level, const char *area, const char *fmt, ...)
{
	char text[TEXT_BYTES], line[LINE_BYTES];
	size_t used;
	va_list args;
	int n;

	if (level > most)
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0)
		return;
	used = line_head(level, area, line, 128);
	used += escape(slice_head(slice_make(text, sizeof(text) - 1), (size_t)n), line + used, LINE_BYTES - 1 - used);
	if ((size_t)n >= sizeof(text) && used + 4 < LINE_BYTES) {
		memcpy(line + used, "...", 3);
		used += 3;
	}
	line[used++] = '\n';
	/* One write, so that lines of several processes do not mix; nothing can be done about one that fails. */
	while (write(STDERR_FILENO, line, used) < 0 && errno == EINTR)
		;
}
