#include "upstream/child_log.h"

#include "base/log.h"

void child_log_init(struct child_log *l, const char *area)
{
	*l = (struct child_log){ .area = area };
}

/* Whether this second still has room for a line. */
static bool admit(struct child_log *l, uint64_t now_ms)
{
	if (now_ms / 1000 != l->second) {
		l->second = now_ms / 1000;
		l->lines = 0;
	}
	if (l->lines == CHILD_LOG_PER_SECOND) {
		l->left_out++;
		return false;
	}
	l->lines++;
	return true;
}

static void own_up(struct child_log *l)
{
	if (l->left_out)
		log_warn(l->area, "%lu lines of its stderr were left out", l->left_out);
	l->left_out = 0;
}

/* log_line escapes control characters. */
static void write_line(struct child_log *l, uint64_t now_ms)
{
	struct slice text = slice_trim(slice_make(l->line, l->n));

	l->n = 0;
	if (text.n && admit(l, now_ms)) {
		own_up(l);
		log_info(l->area, "%.*s%s", SL_ARG(text), l->cut ? " ..." : "");
	}
	l->cut = false;
}

static void add(struct child_log *l, struct slice piece)
{
	size_t room = CHILD_LOG_LINE - l->n;

	if (piece.n > room) {
		piece.n = room;
		l->cut = true;
	}
	if (piece.n)
		memcpy(l->line + l->n, piece.p, piece.n);
	l->n += piece.n;
}

void child_log_feed(struct child_log *l, struct slice bytes, uint64_t now_ms)
{
	while (bytes.n) {
		const char *end = memchr(bytes.p, '\n', bytes.n);

		if (!end) {
			add(l, bytes);
			return;
		}
		add(l, slice_make(bytes.p, (size_t)(end - bytes.p)));
		write_line(l, now_ms);
		bytes = slice_from(bytes, (size_t)(end - bytes.p) + 1);
	}
}

void child_log_end(struct child_log *l, uint64_t now_ms)
{
	write_line(l, now_ms);
	own_up(l);
}
