/*
 * The listening half of tcp.c: addresses as text, bound sockets.
 */
#ifndef NARROWGATE_PROXY_TCP_LISTEN_H
#define NARROWGATE_PROXY_TCP_LISTEN_H

#include "proxy/tcp.h"

struct tcp_listener {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	struct tcp_server *server;
	char path[108];   /* of a unix socket; empty: TCP */
	bool open;        /* the handle is initialised and not closed */
	bool listening;
};

/*
 * Opens all of the server's addresses, bound and listening; accepted connections go to on_connection. False with a text in
 * `why`; the listeners opened so far stay and must be closed.
 */
bool tcp_listen_all(struct tcp_server *, uv_connection_cb on_connection, struct buf *why);
/* Closes them; their close callback is on_closed. Unix sockets are removed from the file system. */
void tcp_listen_close(struct tcp_server *, uv_close_cb on_closed);
/* Whether the peer of an accepted TCP connection is on loopback. */
bool tcp_peer_is_local(const uv_tcp_t *);
/* Whether the peer of an accepted unix connection runs as our own user or as root (SO_PEERCRED, unix(7)); *uid: as whom. */
bool tcp_peer_is_ourselves(const uv_pipe_t *, unsigned *uid);

#endif
