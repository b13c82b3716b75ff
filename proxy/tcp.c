#include "proxy/tcp.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/wipe.h"
#include "proxy/tcp_filter.h"
#include "proxy/tcp_inside.h"
#include "proxy/tcp_listen.h"

/* --- ends --------------------------------------------------------------------------------------------------------- */

static void finish_server(struct tcp_server *server)
{
	while (server->n_spare)
		buf_finish(&server->spare[--server->n_spare]);
	if (server->raw)
		wipe(server->raw, TCP_RAW_BYTES);
	free(server->raw);
	free(server->listeners);
	server->listeners = NULL;
	server->n_listeners = 0;
	server->closed(server);
}

static void handle_gone(struct tcp_server *server)
{
	if (--server->open_handles == 0 && server->closing)
		finish_server(server);
}

static void on_own_closed(uv_handle_t *handle)
{
	handle_gone(handle->data);
}

static void on_listener_closed(uv_handle_t *handle)
{
	handle_gone(((struct tcp_listener *)handle->data)->server);
}

static void on_conn_closed(uv_handle_t *handle)
{
	struct tcp_conn *c = handle->data;
	struct tcp_server *server = c->server;

	tcp_give_buffer(server, &c->in, c->in_high);
	tcp_give_buffer(server, &c->out, c->out.n);
	tcp_give_buffer(server, &c->sending, c->sending.n);
	tcp_filter_free(c);
	free(c);
	handle_gone(server);
}

static void unlink_conn(struct tcp_conn *c)
{
	struct tcp_server *server = c->server;

	for (struct tcp_conn **at = &server->waiting; c->waiting && *at; at = &(*at)->next_waiting) {
		if (*at == c) {
			*at = c->next_waiting;
			break;
		}
	}
	if (c->prev)
		c->prev->next = c->next;
	else
		server->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	server->n_conns--;
}

void tcp_conn_close(struct tcp_conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	if (c->server->ops->closing)
		c->server->ops->closing(c);
	if (c->filtered)
		tcp_filter_end(c);
	unlink_conn(c);
	uv_close(&c->uv.handle, on_conn_closed);
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

void tcp_wait(struct tcp_conn *c)
{
	if (c->waiting || c->closing)
		return;
	c->waiting = true;
	c->next_waiting = c->server->waiting;
	c->server->waiting = c;
}

struct buf *tcp_out(struct tcp_conn *c)
{
	if (!c->out.p && !tcp_take_buffer(c->server, &c->out, c->server->config.max_out_bytes))
		c->broken = true;
	tcp_wait(c);
	return &c->out;
}

size_t tcp_queued(const struct tcp_conn *c)
{
	return c->out.n - c->out_done + c->wire.n + (c->writing ? uv_stream_get_write_queue_size(&c->uv.stream) : 0);
}

static void send_some(struct tcp_conn *c);

static void on_written(uv_write_t *write, int status)
{
	struct tcp_conn *c = write->data;

	c->writing = false;
	tcp_give_buffer(c->server, &c->sending, c->sending.n);
	if (c->closing)
		return;
	if (status)
		tcp_conn_close(c);
	else
		send_some(c);
}

/* The kernel took n bytes of `from` (out, or wire); libuv takes care of the rest. */
static void send_later(struct tcp_conn *c, struct buf *from, size_t n)
{
	uv_buf_t rest;

	c->sending = *from;
	buf_init(from, 0);
	rest = uv_buf_init(c->sending.p + n, (unsigned)(c->sending.n - n));
	c->write.data = c;
	c->writing = true;
	c->left_bytes = c->sending.n - n;
	if (uv_write(&c->write, &c->uv.stream, &rest, 1, on_written)) {
		c->writing = false;
		tcp_conn_close(c);
	}
}

/*
 * What the kernel takes now; -1 when the connection is over. uv_try_write, of nothing that waits already, would do the same by
 * write(), which costs the kernel more on a socket.
 */
static ssize_t send_bytes(const struct tcp_conn *c, struct slice bytes)
{
	uv_os_fd_t fd;

	if (uv_fileno(&c->uv.handle, &fd) != 0)
		return -1;
	ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR))
		return 0;
	return n;
}

/* False: the kernel did not take all of it, or nothing is to be sent any more. */
static bool send_now(struct tcp_conn *c, struct buf *from)
{
	ssize_t n = send_bytes(c, buf_slice(from));

	c->progress_ms = uv_now(c->server->loop);
	if (n < 0)
		tcp_conn_close(c);
	else if ((size_t)n < from->n)
		send_later(c, from, (size_t)n);
	else
		return true;
	return false;
}

static bool send_filtered(struct tcp_conn *c)
{
	while (tcp_filter_fill(c)) {
		if (c->wire.failed) {
			tcp_conn_close(c);
			return false;
		}
		if (!send_now(c, &c->wire))
			return false;
		buf_clear(&c->wire);
	}
	tcp_give_buffer(c->server, &c->wire, 0);
	if (c->dead)
		tcp_shutdown(c);
	c->out_done = 0;
	return !c->dead;
}

static void send_some(struct tcp_conn *c)
{
	if (c->closing || c->writing)
		return;
	if (c->filtered ? !send_filtered(c) : c->out.n && !c->broken && !send_now(c, &c->out))
		return;
	tcp_give_buffer(c->server, &c->out, c->out.n);
	if (c->server->ops->flushed)
		c->server->ops->flushed(c);
}

/* The end of a loop round: everything gathered goes out. Answers to pipelined requests may bring more. */
static void end_round(struct tcp_server *server)
{
	struct tcp_conn *c;

	while ((c = server->waiting)) {
		server->waiting = c->next_waiting;
		c->waiting = false;
		if (c->kept && !c->paused)
			tcp_filter_received(c, 0);
		if (c->broken || c->out.failed)
			tcp_conn_close(c);
		else
			send_some(c);
	}
	if (server->ops->round)
		server->ops->round(server);
}

static void on_prepare(uv_prepare_t *prepare)
{
	end_round(prepare->data);
}

static void on_check(uv_check_t *check)
{
	end_round(check->data);
}

/* --- receiving ---------------------------------------------------------------------------------------------------- */

bool tcp_take_in(struct tcp_conn *c)
{
	if (!c->in.p && !tcp_take_buffer(c->server, &c->in, c->server->config.max_in_bytes))
		c->broken = true;
	return c->in.p != NULL;
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *room)
{
	struct tcp_conn *c = handle->data;

	(void)hint;
	if (c->filtered) {
		*room = tcp_filter_room(c);
		return;
	}
	tcp_take_in(c);
	*room = uv_buf_init(c->in.p ? c->in.p + c->in.n : NULL, (unsigned)(c->in.cap - c->in.n));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
	struct tcp_conn *c = stream->data;

	(void)room;
	if (c->filtered && n > 0) {
		tcp_filter_received(c, (size_t)n);
		return;
	}
	if (n > 0) {
		c->in.n += (size_t)n;
		if (c->in.n > c->in_high)
			c->in_high = c->in.n;
		c->server->ops->received(c);
		return;
	}
	tcp_consume(c, 0);
	if (n == UV_ENOBUFS && !c->broken) {
		tcp_pause(c);
	} else if (n == UV_EOF && c->server->ops->eof && !c->filtered) { /* with a filter: cut off, without a goodbye */
		c->eof = true;
		c->server->ops->eof(c);
	} else if (n < 0) {
		tcp_conn_close(c);
	}
}

void tcp_consume(struct tcp_conn *c, size_t n)
{
	if (n)
		buf_consume(&c->in, n);
	if (c->in.n == 0) {
		tcp_give_buffer(c->server, &c->in, c->in_high);
		c->in_high = 0;
	}
}

void tcp_pause(struct tcp_conn *c)
{
	if (c->paused || c->closing || c->eof)
		return;
	c->paused = true;
	uv_read_stop(&c->uv.stream);
}

void tcp_resume(struct tcp_conn *c)
{
	if (!c->paused || c->closing || c->eof)
		return;
	c->paused = false;
	if (c->kept)
		tcp_wait(c);
	if (uv_read_start(&c->uv.stream, on_alloc, on_read))
		tcp_conn_close(c);
}

void tcp_shutdown(struct tcp_conn *c)
{
	uv_os_fd_t fd;

	if (c->filtered && !c->closing && !c->dead)
		tcp_filter_end(c);
	if (!c->closing && uv_fileno(&c->uv.handle, &fd) == 0)
		shutdown(fd, SHUT_WR);
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static bool reads_too_slowly(struct tcp_conn *c, uint64_t now)
{
	size_t left = c->writing ? uv_stream_get_write_queue_size(&c->uv.stream) : 0;

	if (left < c->left_bytes)
		c->progress_ms = now;
	c->left_bytes = left;
	return c->writing && now - c->progress_ms >= c->server->config.slow_reader_ms;
}

static void tick_conn(struct tcp_conn *c, uint64_t now)
{
	if (c->closing)
		return;
	if (reads_too_slowly(c, now)) {
		tcp_conn_close(c);
		return;
	}
	if (c->deadline_ms && now >= c->deadline_ms) {
		c->deadline_ms = 0;
		if (c->server->ops->expired)
			c->server->ops->expired(c);
	}
	if (!c->closing && c->server->ops->tick)
		c->server->ops->tick(c, now);
}

/* Runs on until there is nothing to look at and nothing to trim. */
static void on_tick(uv_timer_t *timer)
{
	struct tcp_server *server = timer->data;
	uint64_t now = uv_now(server->loop);
	struct tcp_conn *next;

	for (struct tcp_conn *c = server->conns; c; c = next) {
		next = c->next;
		tick_conn(c, now);
	}
	tcp_trim_spare(server);
	if (server->starved)
		tcp_accept_starved(server);
	if (!server->conns && !server->n_spare && !server->starved)
		uv_timer_stop(timer);
}

void tcp_run_timer(struct tcp_server *server)
{
	if (!uv_is_active((uv_handle_t *)&server->timer))
		uv_timer_start(&server->timer, on_tick, TCP_TICK_MS, TCP_TICK_MS);
}

/* --- what tcp_accept.c has accepted -------------------------------------------------------------------------------- */

void tcp_admit(struct tcp_conn *c)
{
	struct tcp_server *server = c->server;

	c->next = server->conns;
	if (c->next)
		c->next->prev = c;
	server->conns = c;
	server->n_conns++;
	tcp_run_timer(server);
	if (server->ops->opened)
		server->ops->opened(c);
	if (!c->closing && uv_read_start(&c->uv.stream, on_alloc, on_read))
		tcp_conn_close(c);
}

void tcp_turn_away(struct tcp_conn *c)
{
	c->closing = true;
	uv_close(&c->uv.handle, on_conn_closed);
}

/* --- the server --------------------------------------------------------------------------------------------------- */

bool tcp_server_start(struct tcp_server *server, const struct tcp_config *config, const struct tcp_ops *ops, uv_loop_t *loop,
	struct buf *why, void (*closed)(struct tcp_server *))
{
	server->ops = ops;
	server->config = *config;
	server->loop = loop;
	server->closed = closed;
	uv_prepare_init(loop, &server->prepare);
	uv_check_init(loop, &server->check);
	uv_timer_init(loop, &server->timer);
	server->prepare.data = server->check.data = server->timer.data = server;
	server->open_handles = 3;
	server->listening = tcp_listen_all(server, tcp_on_connection, why);
	server->config.addresses = NULL; /* the caller's; no longer needed */
	if (!server->listening) {
		tcp_server_close(server);
		return false;
	}
	uv_prepare_start(&server->prepare, on_prepare);
	uv_check_start(&server->check, on_check);
	uv_unref((uv_handle_t *)&server->prepare);
	uv_unref((uv_handle_t *)&server->check);
	uv_unref((uv_handle_t *)&server->timer);
	return true;
}

void tcp_server_stop_listening(struct tcp_server *server)
{
	server->listening = false;
	tcp_listen_close(server, on_listener_closed);
}

void tcp_server_set_filter(struct tcp_server *server, struct tcp_filter *filter)
{
	struct tcp_conn *next;

	server->config.filter = filter;
	for (struct tcp_conn *c = server->conns; c; c = next) {
		next = c->next;
		if (!tcp_filter_keeps(c))
			tcp_conn_close(c);
	}
}

void tcp_server_close(struct tcp_server *server)
{
	if (server->closing)
		return;
	tcp_server_stop_listening(server);
	while (server->conns)
		tcp_conn_close(server->conns);
	server->closing = true;
	uv_close((uv_handle_t *)&server->prepare, on_own_closed);
	uv_close((uv_handle_t *)&server->check, on_own_closed);
	uv_close((uv_handle_t *)&server->timer, on_own_closed);
}
