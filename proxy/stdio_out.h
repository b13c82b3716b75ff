/*
 * Lines on stdout: whole ones, in order, gathered and written once per loop round. A pipe, a terminal or a socket is written
 * without blocking; a file or a device with plain writes.
 */
#ifndef NARROWGATE_PROXY_STDIO_OUT_H
#define NARROWGATE_PROXY_STDIO_OUT_H

#include <uv.h>
#include "base/buf.h"

struct stdio_out {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
		uv_tty_t tty;
	} uv;
	uv_loop_t *loop;
	int fd;
	bool is_stream;
	bool writing;
	bool failed;         /* the reader has gone, or too much waits: nothing more is written */
	struct buf pending;
	struct buf sending;
	uv_write_t write;
};

/*
 * Opens the handle for `fd`, a pipe, socket or terminal. *is_stream: the handle is in use and must be closed, also after a
 * failure; false: none is needed, it is a file or a device. An error of libuv.
 */
int stdio_open_stream(uv_loop_t *, uv_handle_t *, int fd, bool readable, bool *is_stream);

/* Takes the descriptor over (a stream above 2 is closed with it). An error of libuv. */
int stdio_out_open(struct stdio_out *, uv_loop_t *, int fd, size_t max_queued_bytes);
/* Adds one message as a line. */
void stdio_out_line(struct stdio_out *, struct slice json);
/* Writes what waits, as far as the reader takes it. */
void stdio_out_flush(struct stdio_out *);
size_t stdio_out_queued(const struct stdio_out *);
/* Wipes what waits. The stream's handle must be closed already. */
void stdio_out_finish(struct stdio_out *);

#endif
