#include "proxy/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/utf8.h"

#define KEEP_BYTES (64 * 1024)          /* lines are written out at the latest when this much is kept */
#define MAX_BYTES (4 * 1024 * 1024)
#define MAX_TEXT  512                   /* bytes of one name or path; what is behind is cut */
#define MAX_PATHS 64                    /* of one call; the rest is counted */

struct audit {
	uv_check_t check;               /* end of each loop round */
	struct buf kept;
	char *path;                     /* NULL: stdout */
	int fd;                         /* -1: lines go nowhere */
	bool complained;
};

static int open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void on_round(uv_check_t *check)
{
	audit_flush(check->data);
}

static bool open_sink(struct audit *a, struct slice path, bool to_stdout)
{
	a->fd = -1;
	if (path.n) {
		a->path = strndup(path.p, path.n);
		a->fd = a->path ? open_file(a->path) : -1;
		return a->fd >= 0;
	}
	if (to_stdout)
		a->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return a->fd >= 0 || !to_stdout;
}

struct audit *audit_open(uv_loop_t *loop, struct slice path, bool to_stdout, const char **why)
{
	struct audit *a = calloc(1, sizeof *a);

	if (!a || !open_sink(a, path, to_stdout)) {
		*why = a ? strerror(errno) : "out of memory";
		if (a)
			free(a->path);
		free(a);
		return NULL;
	}
	buf_init(&a->kept, MAX_BYTES);
	uv_check_init(loop, &a->check);
	a->check.data = a;
	uv_unref((uv_handle_t *)&a->check);
	return a;
}

void audit_flush(struct audit *a)
{
	size_t done = 0;

	while (a->fd >= 0 && done < a->kept.n) {
		ssize_t w = write(a->fd, a->kept.p + done, a->kept.n - done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0) {
			if (!a->complained)
				log_error("audit", "cannot write: %s; lines are lost until this is mended", strerror(errno));
			a->complained = true;
			break;
		}
		a->complained = false;
		done += (size_t)w;
	}
	buf_clear(&a->kept);
	uv_check_stop(&a->check);
}

void audit_reopen(struct audit *a)
{
	audit_flush(a);
	if (!a->path)
		return;
	int fd = open_file(a->path);
	if (fd < 0) {
		log_error("audit", "cannot open %s again: %s", a->path, strerror(errno));
		return;
	}
	close(a->fd);
	a->fd = fd;
}

static void on_closed(uv_handle_t *h)
{
	struct audit *a = h->data;

	buf_finish(&a->kept);
	free(a->path);
	free(a);
}

void audit_close(struct audit *a)
{
	if (!a)
		return;
	audit_flush(a);
	if (a->fd >= 0)
		close(a->fd);
	uv_close((uv_handle_t *)&a->check, on_closed);
}

static void add_time(struct buf *b)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	buf_add_fmt(b, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\"", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000);
}

/* What could turn a line around, hide in it or end it for some reader. */
static bool is_odd(uint32_t c)
{
	return (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || utf8_is_invisible(c);
}

static bool has_odd(struct slice text)
{
	bool odd = false;

	for (size_t i = 0; i < text.n;) {
		if ((unsigned char)text.p[i] < 0x7F)
			i++;
		else if (!utf8_length(slice_from(text, i)))
			return false; /* the configuration's own names may be anything */
		else
			odd |= is_odd(utf8_next(text, &i));
	}
	return odd;
}

static void add_escaped(struct buf *b, struct slice text)
{
	buf_add_char(b, '"');
	for (size_t i = 0; i < text.n;) {
		size_t from = i;
		uint32_t c = utf8_next(text, &i);

		if (c > 0xFFFF)
			buf_add_fmt(b, "\\u%04x\\u%04x", 0xD7C0 + (c >> 10), 0xDC00 + (c & 0x3FF));
		else if (c < ' ' || c == '"' || c == '\\' || is_odd(c))
			buf_add_fmt(b, "\\u%04x", c);
		else
			buf_add(b, slice_make(text.p + from, i - from));
	}
	buf_add_char(b, '"');
}

/* Names and paths that an agent wrote, of any length: cut at a whole character. */
static void add_string(struct buf *b, struct slice text)
{
	size_t n = text.n < MAX_TEXT ? text.n : MAX_TEXT;

	while (n < text.n && n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80)
		n--;
	text = slice_head(text, n);
	if (has_odd(text))
		add_escaped(b, text);
	else
		buf_add_json_string(b, text);
}

static void add_text(struct buf *b, const char *name, struct slice text)
{
	if (!text.n)
		return;
	buf_add_fmt(b, ",\"%s\":", name);
	add_string(b, text);
}

/* Enough of a hash to join the lines of one session; the id itself is a bearer secret. */
static void add_session(struct buf *b, struct slice session)
{
	unsigned char sum[DIGEST_BYTES];
	char hex[DIGEST_HEX + 1];

	if (!session.n)
		return;
	digest_sha256(session, sum);
	digest_hex(sum, 8, hex);
	add_text(b, "session", slice_of(hex));
}

static void add_paths(struct buf *b, const struct call_summary *c)
{
	if (!c->n_paths)
		return;
	buf_add(b, SL(",\"paths\":["));
	for (size_t i = 0; i < c->n_paths && i < MAX_PATHS; i++) {
		if (i)
			buf_add_char(b, ',');
		add_string(b, c->paths[i].text);
	}
	buf_add_char(b, ']');
	if (c->n_paths > MAX_PATHS)
		buf_add_fmt(b, ",\"more_paths\":%zu", c->n_paths - MAX_PATHS);
}

static void add_call(struct buf *b, const struct audit_line *l)
{
	if (!l->call) {
		add_text(b, "method", l->method);
		return;
	}
	add_text(b, "method", l->call->method_name);
	add_text(b, "tool", l->call->tool);
	if (l->call->action != ACT_UNKNOWN)
		add_text(b, "action", slice_of(action_name(l->call->action)));
	add_paths(b, l->call);
}

static const char *verdict_word(const struct judgement *j)
{
	switch (j->kind) {
	case VERDICT_PASS:
		return j->shadow ? "would-deny" : "pass";
	case VERDICT_REWRITE:
		return "rewrite";
	case VERDICT_DENY:
	case VERDICT_NEED_TOOLS:
		break;
	}
	return "deny";
}

/* What was found is told by its kind and by where the value was read, which the agent asked for itself. */
static void add_finding(struct buf *b, const struct finding *f)
{
	if (!f)
		return;
	buf_add_fmt(b, ",\"findings\":[{\"category\":\"%s\",\"form\":\"%s\",\"part\":%s", f->category, f->form, f->part ? "true" : "false");
	add_text(b, "path", f->path);
	buf_add(b, SL("}]"));
}

static void add_judgement(struct buf *b, const struct judgement *j)
{
	add_text(b, "verdict", slice_of(verdict_word(j)));
	if (j->guard)
		add_text(b, "guard", slice_of(j->guard));
	if (j->why.reason != R_NONE)
		add_text(b, "rule", slice_of(reason_word(j->why.reason)));
	add_text(b, "what", j->why.what);
	if (j->why.rule.file.n) {
		add_text(b, "rule_file", j->why.rule.file);
		if (j->why.rule.line)
			buf_add_fmt(b, ",\"rule_line\":%u", j->why.rule.line);
	}
	add_finding(b, j->found);
}

bool audit_wanted(const struct audit *a)
{
	return a->fd >= 0;
}

void audit_write(struct audit *a, const struct audit_line *l)
{
	struct buf *b = &a->kept;
	size_t before = b->n;

	if (a->fd < 0)
		return;
	add_time(b);
	add_text(b, "id", slice_of(l->id));
	add_text(b, "agent", l->agent);
	add_session(b, l->session);
	add_text(b, "upstream", l->upstream);
	add_call(b, l);
	add_judgement(b, l->judgement);
	add_text(b, "profile", l->profile);
	add_text(b, "config", slice_head(slice_of(l->config_hash), 16));
	add_text(b, "outcome", slice_of(l->outcome));
	if (l->failure)
		add_text(b, "failure", slice_of(l->failure));
	if (l->upstream_status)
		buf_add_fmt(b, ",\"upstream_status\":%d", l->upstream_status);
	buf_add_fmt(b, ",\"ours_us\":%llu,\"theirs_us\":%llu}\n", (unsigned long long)l->ours_us, (unsigned long long)l->theirs_us);
	if (b->failed) {
		b->n = before;
		b->failed = E_OK;
		log_error("audit", "a line could not be kept in memory");
		return;
	}
	if (b->n >= KEEP_BYTES)
		audit_flush(a);
	else if (!uv_is_active((uv_handle_t *)&a->check))
		uv_check_start(&a->check, on_round);
}
