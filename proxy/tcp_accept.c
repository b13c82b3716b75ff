/* Who may come in: peers of unix sockets, the number of connections, memory. */
#include <stdlib.h>
#include "proxy/tcp_filter.h"
#include "proxy/tcp_inside.h"
#include "proxy/tcp_listen.h"

static struct tcp_conn *new_conn(struct tcp_server *server, bool unix_socket)
{
	struct tcp_conn *c = calloc(1, server->config.conn_bytes);
	int e;

	if (!c)
		return NULL;
	c->server = server;
	c->local = unix_socket;
	e = unix_socket ? uv_pipe_init(server->loop, &c->uv.pipe, 0) : uv_tcp_init(server->loop, &c->uv.tcp);
	if (e) {
		free(c);
		return NULL;
	}
	c->uv.handle.data = c;
	server->open_handles++;
	return c;
}

static void dismiss(struct tcp_conn *c, struct slice text)
{
	uv_buf_t all = uv_buf_init((char *)(uintptr_t)text.p, (unsigned)text.n);

	if (text.n)
		uv_try_write(&c->uv.stream, &all, 1);
	tcp_turn_away(c);
}

/* Whether the peer of a unix socket is our own user, or root. */
static bool is_stranger(struct tcp_conn *c)
{
	unsigned long left_out = 0;
	unsigned uid = 0;

	if (tcp_peer_is_ourselves(&c->uv.pipe, &uid))
		return false;
	if (!log_limit_admits(&c->server->strangers, uv_now(c->server->loop), &left_out))
		return true;
	log_warn("listen", "refused on a unix socket: the peer is user %u, neither narrowgate's own user nor root", uid);
	if (left_out)
		log_warn("listen", "and %lu more such peers before that were not logged", left_out);
	return true;
}

void tcp_on_connection(uv_stream_t *stream, int status)
{
	struct tcp_listener *l = stream->data;
	struct tcp_server *server = l->server;
	struct tcp_conn *c;

	if (status)
		return;
	c = new_conn(server, l->path[0] != '\0');
	if (!c) {
		server->starved = true;
		tcp_run_timer(server);
		return;
	}
	if (uv_accept(stream, &c->uv.stream)) {
		tcp_turn_away(c);
		return;
	}
	if (l->path[0] && is_stranger(c)) {
		dismiss(c, server->config.stranger);
		return;
	}
	if (server->n_conns >= server->config.max_connections || !tcp_filter_open(c)) {
		dismiss(c, server->config.filter && !l->path[0] ? SL("") : server->config.refusal);
		return;
	}
	if (!l->path[0]) {
		c->local = tcp_peer_is_local(&c->uv.tcp);
		uv_tcp_nodelay(&c->uv.tcp, 1);
	}
	tcp_admit(c);
}

void tcp_accept_starved(struct tcp_server *server)
{
	server->starved = false;
	for (size_t i = 0; i < server->n_listeners; i++)
		if (server->listeners[i].listening)
			tcp_on_connection(&server->listeners[i].uv.stream, 0);
}
