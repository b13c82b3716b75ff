#include "proxy/stdio.h"

#include <stdlib.h>
#include "base/wipe.h"
#include "mcp/ndjson.h"
#include "mcp/rpc.h"
#include "proxy/stdio_out.h"

#define READ_BYTES 65536
#define FULL_BYTES (256u * 1024)   /* queued: replies say full, and reading pauses */
#define DRAINED_BYTES (64u * 1024) /* under this they go on */

struct stdio_reply {
	struct reply reply; /* first */
	struct stdio *stdio;
	struct stdio_reply *next, *prev;
	struct ask ask;
	bool full;          /* it was told so */
	size_t n;
	char body[];
};

struct stdio {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
		uv_tty_t tty;
	} in;
	struct stdio_out out;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_fs_t read;               /* of a file */
	struct stdio_config config;
	struct stdio_events events;
	struct front *front;
	uv_loop_t *loop;
	struct ndjson_reader lines;
	struct stdio_reply *open;   /* messages without an answer */
	size_t n_open, open_bytes;
	struct stdio_reply listener;
	bool in_is_stream;
	bool any_full;              /* some reply was told so */
	bool reading;               /* a read is under way (file), or the stream is started */
	bool skipping;              /* the rest of a line over the limit */
	bool eof, broken, draining, closing;
	bool ended_told, broken_told;
	size_t fed, filled;         /* of `bytes`: given to the line reader; received */
	size_t open_handles;
	void (*drained)(void *ctx);
	void *drained_ctx;
	void (*closed)(void *ctx);
	void *closed_ctx;
	char bytes[READ_BYTES];
};

/* --- replies ------------------------------------------------------------------------------------------------------ */

static struct stdio_reply *of(struct reply *r)
{
	return (struct stdio_reply *)(void *)r;
}

static bool is_listener(const struct stdio_reply *sr)
{
	return sr == &sr->stdio->listener;
}

/* The reply is done: its memory goes, wiped. */
static void forget(struct stdio_reply *sr)
{
	struct stdio *s = sr->stdio;

	sr->reply.exchange = NULL;
	if (is_listener(sr))
		return;
	if (sr->prev)
		sr->prev->next = sr->next;
	else
		s->open = sr->next;
	if (sr->next)
		sr->next->prev = sr->prev;
	s->n_open--;
	s->open_bytes -= sr->n;
	wipe(sr->body, sr->n);
	free(sr);
}

static void reply_stream(struct reply *r)
{
	(void)r; /* a pipe always is one */
}

static void reply_message(struct reply *r, struct slice json)
{
	stdio_out_line(&of(r)->stdio->out, json);
}

static void reply_answer(struct reply *r, struct slice json)
{
	stdio_out_line(&of(r)->stdio->out, json);
	forget(of(r));
}

static void reply_accepted(struct reply *r)
{
	forget(of(r));
}

static void reply_fail(struct reply *r, int status, struct slice json)
{
	(void)status;
	if (json.n && !is_listener(of(r)))
		stdio_out_line(&of(r)->stdio->out, json);
	forget(of(r));
}

static bool reply_full(struct reply *r)
{
	struct stdio_reply *sr = of(r);

	sr->full = sr->full || stdio_out_queued(&sr->stdio->out) > FULL_BYTES;
	sr->stdio->any_full |= sr->full;
	return sr->full;
}

static void reply_session(struct reply *r, struct slice id)
{
	(void)r; /* the pipe is the session */
	(void)id;
}

static const struct reply_ops reply_ops = {
	.stream = reply_stream,
	.message = reply_message,
	.answer = reply_answer,
	.accepted = reply_accepted,
	.fail = reply_fail,
	.full = reply_full,
	.session = reply_session,
};

static void init_reply(struct stdio *s, struct stdio_reply *sr)
{
	sr->reply.ops = &reply_ops;
	sr->stdio = s;
	sr->ask.local = true;
	sr->ask.stdio = true;
}

/* All exchanges hear that nobody waits any more. */
static void drop_all(struct stdio *s)
{
	exchange_gone(&s->listener.reply);
	while (s->open) {
		struct stdio_reply *sr = s->open;

		exchange_gone(&sr->reply);
		forget(sr);
	}
}

static struct stdio_reply *first_full(const struct stdio *s)
{
	struct stdio_reply *sr = s->open;

	while (sr && !sr->full)
		sr = sr->next;
	return sr;
}

static void tell_drained(struct stdio *s)
{
	struct stdio_reply *sr;

	if (!s->any_full)
		return;
	if (s->listener.full) {
		s->listener.full = false;
		exchange_drained(&s->listener.reply);
	}
	while ((sr = first_full(s))) {
		sr->full = false;
		exchange_drained(&sr->reply); /* may answer, and so free, any of them */
	}
	s->any_full = s->listener.full;
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

static void complain(struct stdio *s, int code, struct slice text)
{
	struct buf json;

	buf_init(&json, 1024);
	if (rpc_make_error(&json, SL(""), code, text, SL("")) == E_OK)
		stdio_out_line(&s->out, buf_slice(&json));
	buf_finish(&json);
}

static bool on_line(void *ctx, struct slice line)
{
	struct stdio *s = ctx;
	struct stdio_reply *sr = calloc(1, sizeof(*sr) + line.n);

	if (!sr) {
		complain(s, RPC_INTERNAL_ERROR, SL("out of memory"));
		return true;
	}
	init_reply(s, sr);
	sr->n = line.n;
	memcpy(sr->body, line.p, line.n);
	sr->ask.body = slice_make(sr->body, sr->n);
	sr->next = s->open;
	if (sr->next)
		sr->next->prev = sr;
	s->open = sr;
	s->n_open++;
	s->open_bytes += sr->n;
	s->front->ops->post(s->front, &sr->ask, &sr->reply);
	return true;
}

static bool is_busy(const struct stdio *s)
{
	return s->n_open >= s->config.max_open || s->open_bytes >= 4 * s->config.max_message_bytes ||
	       stdio_out_queued(&s->out) > FULL_BYTES;
}

static void line_failed(struct stdio *s, enum err e, bool line_is_over)
{
	ndjson_reader_finish(&s->lines);
	ndjson_reader_init(&s->lines, s->config.max_message_bytes);
	s->skipping = !line_is_over;
	if (e == E_TOO_BIG)
		complain(s, RPC_INVALID_REQUEST, SL("a message over the size limit"));
	else
		complain(s, RPC_INTERNAL_ERROR, slice_of(err_text(e)));
}

/* Feeds line by line what has been read, until nothing is left or too much is open. */
static void feed(struct stdio *s)
{
	while (s->fed < s->filled && !is_busy(s) && !s->draining && !s->broken && !s->closing) {
		struct slice rest = slice_make(s->bytes + s->fed, s->filled - s->fed);
		const char *lf = memchr(rest.p, '\n', rest.n);
		struct slice piece = lf ? slice_head(rest, (size_t)(lf - rest.p) + 1) : rest;
		size_t used;
		enum err e = E_OK;

		s->fed += piece.n;
		if (s->skipping)
			s->skipping = !lf;
		else
			e = ndjson_feed(&s->lines, piece, &used, on_line, s);
		if (e)
			line_failed(s, e, lf != NULL);
	}
	if (s->fed < s->filled)
		return;
	wipe(s->bytes, s->filled);
	s->fed = s->filled = 0;
	if (s->eof && !s->ended_told && !s->draining && !s->closing) {
		enum err e = s->skipping ? E_OK : ndjson_end(&s->lines, on_line, s);

		if (e)
			line_failed(s, e, true);
		s->ended_told = true;
		if (s->events.ended)
			s->events.ended(s->events.ctx);
	}
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void finish(struct stdio *s);

static void on_bytes(struct stdio *s, ssize_t n)
{
	if (n > 0)
		s->filled = (size_t)n;
	else if (n < 0)
		s->eof = true; /* an error of the input is its end */
	feed(s);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *room)
{
	struct stdio *s = handle->data;

	(void)hint;
	*room = uv_buf_init(s->bytes, sizeof(s->bytes));
}

static void on_stream_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
	struct stdio *s = stream->data;

	(void)room;
	if (n)
		on_bytes(s, n);
	if (n < 0 || s->fed < s->filled) { /* one buffer: nothing more is read until all of it is fed */
		uv_read_stop(stream);
		s->reading = false;
	}
}

static void on_file_read(uv_fs_t *req)
{
	struct stdio *s = req->data;
	ssize_t n = req->result;

	uv_fs_req_cleanup(req);
	s->reading = false;
	if (s->closing)
		finish(s);
	else
		on_bytes(s, n == 0 ? UV_EOF : n);
}

static void read_more(struct stdio *s)
{
	uv_buf_t room = uv_buf_init(s->bytes, sizeof(s->bytes));
	int e;

	if (s->reading || s->eof || s->draining || s->broken || s->fed < s->filled || is_busy(s))
		return;
	s->reading = true;
	if (s->in_is_stream) {
		e = uv_read_start(&s->in.stream, on_alloc, on_stream_read);
	} else {
		s->read.data = s;
		e = uv_fs_read(s->loop, &s->read, s->config.in_fd, &room, 1, -1, on_file_read);
	}
	if (e) {
		s->reading = false;
		on_bytes(s, e);
	}
}

/* --- each loop round ---------------------------------------------------------------------------------------------- */

static void tell_broken(struct stdio *s)
{
	s->broken = true;
	drop_all(s);
	if (!s->broken_told && s->events.broken)
		s->events.broken(s->events.ctx);
	s->broken_told = true;
}

static void end_round(struct stdio *s)
{
	stdio_out_flush(&s->out);
	if (s->out.failed && !s->broken)
		tell_broken(s);
	if (s->closing)
		return;
	if (stdio_out_queued(&s->out) < DRAINED_BYTES)
		tell_drained(s);
	feed(s);
	if (s->closing)
		return;
	read_more(s);
	stdio_out_flush(&s->out);
	if (s->draining && s->drained && !s->open && (s->out.failed || stdio_out_queued(&s->out) == 0)) {
		void (*drained)(void *) = s->drained;

		s->drained = NULL;
		drained(s->drained_ctx);
	}
}

static void on_prepare(uv_prepare_t *prepare)
{
	end_round(prepare->data);
}

static void on_check(uv_check_t *check)
{
	end_round(check->data);
}

/* --- begin and end ------------------------------------------------------------------------------------------------ */

static void set_defaults(struct stdio_config *c)
{
#define DEFAULT(name, value) c->name = c->name ? c->name : (value)
	DEFAULT(max_message_bytes, 4u * 1024 * 1024);
	DEFAULT(max_open, 1024);
	DEFAULT(max_queued_bytes, 64u * 1024 * 1024);
#undef DEFAULT
}

static void watch(struct stdio *s)
{
	uv_prepare_init(s->loop, &s->prepare);
	uv_check_init(s->loop, &s->check);
	s->prepare.data = s->check.data = s;
	uv_prepare_start(&s->prepare, on_prepare);
	uv_check_start(&s->check, on_check);
	s->open_handles = 2u + s->in_is_stream + s->out.is_stream;
	s->in.handle.data = s;
	s->out.uv.handle.data = s;
}

struct stdio *stdio_start(const struct stdio_config *config, uv_loop_t *loop, struct front *front,
	const struct stdio_events *events, struct buf *why)
{
	struct stdio *s = calloc(1, sizeof(*s));
	int e;

	if (!s) {
		buf_add(why, slice_of(err_text(E_NOMEM)));
		return NULL;
	}
	s->config = *config;
	set_defaults(&s->config);
	s->loop = loop;
	s->front = front;
	s->events = *events;
	ndjson_reader_init(&s->lines, s->config.max_message_bytes);
	e = stdio_open_stream(loop, &s->in.handle, config->in_fd, true, &s->in_is_stream);
	if (e)
		buf_add_fmt(why, "cannot read from descriptor %d: %s", config->in_fd, uv_strerror(e));
	else if ((e = stdio_out_open(&s->out, loop, config->out_fd, s->config.max_queued_bytes)))
		buf_add_fmt(why, "cannot write to descriptor %d: %s", config->out_fd, uv_strerror(e));
	watch(s);
	init_reply(s, &s->listener);
	if (e) {
		stdio_close(s, NULL, NULL);
		return NULL;
	}
	front->ops->listen(front, &s->listener.ask, &s->listener.reply);
	read_more(s);
	return s;
}

void stdio_drain(struct stdio *s, void (*drained)(void *ctx), void *ctx)
{
	s->draining = true;
	s->drained = drained;
	s->drained_ctx = ctx;
	if (s->in_is_stream && s->reading) {
		uv_read_stop(&s->in.stream);
		s->reading = false;
	}
	exchange_gone(&s->listener.reply);
}

/* Frees when the last handle is closed and no read of a file is under way. */
static void finish(struct stdio *s)
{
	if (s->open_handles || s->reading)
		return;
	ndjson_reader_finish(&s->lines);
	stdio_out_finish(&s->out);
	wipe(s->bytes, s->filled);
	if (s->closed)
		s->closed(s->closed_ctx);
	free(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct stdio *s = handle->data;

	s->open_handles--;
	finish(s);
}

void stdio_close(struct stdio *s, void (*closed)(void *ctx), void *ctx)
{
	s->closing = true;
	s->drained = NULL;
	s->closed = closed;
	s->closed_ctx = ctx;
	drop_all(s);
	uv_close((uv_handle_t *)&s->prepare, on_handle_closed);
	uv_close((uv_handle_t *)&s->check, on_handle_closed);
	if (s->in_is_stream) {
		s->reading = false;
		uv_close(&s->in.handle, on_handle_closed);
	}
	if (s->out.is_stream)
		uv_close(&s->out.uv.handle, on_handle_closed);
}
