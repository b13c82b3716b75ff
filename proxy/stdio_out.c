#include "proxy/stdio_out.h"

#include "mcp/ndjson.h"

#define KEEP_BYTES 65536 /* of an empty buffer; more is given back */

int stdio_open_stream(uv_loop_t *loop, uv_handle_t *handle, int fd, bool readable, bool *is_stream)
{
	uv_handle_type type = uv_guess_handle(fd);
	int e;

	*is_stream = true;
	if (type == UV_NAMED_PIPE) {
		uv_pipe_init(loop, (uv_pipe_t *)handle, 0);
		return uv_pipe_open((uv_pipe_t *)handle, fd);
	}
	if (type == UV_TCP) {
		uv_tcp_init(loop, (uv_tcp_t *)handle);
		return uv_tcp_open((uv_tcp_t *)handle, fd);
	}
	e = type == UV_TTY ? uv_tty_init(loop, (uv_tty_t *)handle, fd, readable) : type == UV_FILE ? 0 : UV_EBADF;
	*is_stream = type == UV_TTY && e == 0;
	return e;
}

int stdio_out_open(struct stdio_out *o, uv_loop_t *loop, int fd, size_t max_queued_bytes)
{
	*o = (struct stdio_out){ .loop = loop, .fd = fd };
	buf_init(&o->pending, max_queued_bytes);
	buf_init(&o->sending, max_queued_bytes);
	return stdio_open_stream(loop, &o->uv.handle, fd, false, &o->is_stream);
}

void stdio_out_line(struct stdio_out *o, struct slice json)
{
	if (o->failed)
		return;
	if (ndjson_write(&o->pending, json))
		o->failed = true;
}

size_t stdio_out_queued(const struct stdio_out *o)
{
	return o->pending.n + (o->writing ? uv_stream_get_write_queue_size(&o->uv.stream) : 0);
}

/* Everything in b is written: its bytes go, and its memory too when there is much of it. */
static void empty(struct buf *b)
{
	if (b->cap > KEEP_BYTES)
		buf_finish(b);
	buf_clear(b);
}

static void on_written(uv_write_t *write, int status)
{
	struct stdio_out *o = write->data;

	o->writing = false;
	empty(&o->sending);
	if (status)
		o->failed = true;
	else
		stdio_out_flush(o);
}

static void flush_file(struct stdio_out *o)
{
	size_t done = 0;

	while (done < o->pending.n) {
		uv_buf_t rest = uv_buf_init(o->pending.p + done, (unsigned)(o->pending.n - done));
		uv_fs_t req;
		int n = uv_fs_write(o->loop, &req, o->fd, &rest, 1, -1, NULL);

		uv_fs_req_cleanup(&req);
		if (n <= 0) {
			o->failed = true;
			break;
		}
		done += (size_t)n;
	}
	empty(&o->pending);
}

static void write_later(struct stdio_out *o, size_t from)
{
	struct buf spare = o->sending;
	uv_buf_t rest;

	o->sending = o->pending;
	o->pending = spare;
	rest = uv_buf_init(o->sending.p + from, (unsigned)(o->sending.n - from));
	o->write.data = o;
	o->writing = uv_write(&o->write, &o->uv.stream, &rest, 1, on_written) == 0;
	o->failed = !o->writing;
}

void stdio_out_flush(struct stdio_out *o)
{
	uv_buf_t all;
	int n;

	if (o->failed || o->writing || o->pending.n == 0)
		return;
	if (!o->is_stream) {
		flush_file(o);
		return;
	}
	all = uv_buf_init(o->pending.p, (unsigned)o->pending.n);
	n = uv_try_write(&o->uv.stream, &all, 1);
	if (n < 0 && n != UV_EAGAIN)
		o->failed = true;
	else if (n < 0 || (size_t)n < o->pending.n)
		write_later(o, n < 0 ? 0 : (size_t)n);
	else
		empty(&o->pending);
}

void stdio_out_finish(struct stdio_out *o)
{
	buf_finish(&o->pending);
	buf_finish(&o->sending);
}
