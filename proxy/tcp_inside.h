/*
 * Between tcp.c, tcp_accept.c and tcp_pool.c; nobody else's.
 */
#ifndef NARROWGATE_PROXY_TCP_INSIDE_H
#define NARROWGATE_PROXY_TCP_INSIDE_H

#include "proxy/tcp.h"

/* An empty buffer for at most max_bytes. False when memory is out. */
bool tcp_take_buffer(struct tcp_server *, struct buf *, size_t max_bytes);
/* Back to the pool. `used` bytes of it were written and are wiped. */
void tcp_give_buffer(struct tcp_server *, struct buf *, size_t used);
/* What nobody took for a whole tick is more than is needed: half of it goes. */
void tcp_trim_spare(struct tcp_server *);

/* A listener has somebody; its `data` is the struct tcp_listener. */
void tcp_on_connection(uv_stream_t *, int status);
/* Tries again what there was no memory for. */
void tcp_accept_starved(struct tcp_server *);

/* An accepted connection becomes one of the server's, and is read. */
void tcp_admit(struct tcp_conn *);
/* One that did not become one of the server's goes. */
void tcp_turn_away(struct tcp_conn *);
/* The timer of all deadlines runs, until there is nothing to look at. */
void tcp_run_timer(struct tcp_server *);

#endif
