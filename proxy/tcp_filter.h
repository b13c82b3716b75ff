/*
 * What may stand between a connection's socket and its protocol: TLS. tcp.c shows it all bytes, both ways; it never touches the
 * socket. A filter is one object per server, with a state per connection.
 */
#ifndef NARROWGATE_PROXY_TCP_FILTER_H
#define NARROWGATE_PROXY_TCP_FILTER_H

#include "policy/san.h"
#include "proxy/tcp.h"

#define TCP_RAW_BYTES ((size_t)64 * 1024)

enum tcp_step {
	STEP_MORE,    /* all is read: the socket has the rest */
	STEP_FULL,    /* `in` has no room: what is left is kept */
	STEP_EOF,     /* the peer has said that nothing more comes */
	STEP_REFUSED, /* before anything was said: last words may be in `wire`; give the peer time to read them */
	STEP_BROKEN,  /* later: the connection is of no more use */
};

struct tcp_filter {
	const struct tcp_filter_ops *ops;
};

/* The state of one connection: the first member of the filter's own struct. */
struct tcp_filtered {
	const struct tcp_filter_ops *ops;
};

struct tcp_filter_ops {
	/* NULL: no memory. */
	struct tcp_filtered *(*create)(struct tcp_filter *);
	void (*free)(struct tcp_filtered *);
	/*
	 * Received bytes (none: those kept): what they mean is added to `in`, as far as it has room without growing. The filter's
	 * own words for the peer are added to `wire`.
	 */
	enum tcp_step (*read)(struct tcp_filtered *, struct slice raw, struct buf *in, struct buf *wire);
	/* Adds to `wire` what `plain` becomes; how much of it was taken. 0: not now. */
	size_t (*write)(struct tcp_filtered *, struct slice plain, struct buf *wire);
	/* Adds what tells the peer that nothing more comes. */
	void (*end)(struct tcp_filtered *, struct buf *wire);
	/* Whether the filter as it is now lets this peer go on. */
	bool (*vouches)(struct tcp_filter *, struct tcp_filtered *);
	/* The verified names of the peer; NULL and 0: none. Valid as long as the state. */
	const struct san *(*names)(struct tcp_filtered *, size_t *n);
};

/* The peer's verified names; NULL and *n == 0: none. Valid as long as the connection. */
const struct san *tcp_peer_names(const struct tcp_conn *, size_t *n);
/* Whether a connection may stay under the server's filter of now. */
bool tcp_filter_keeps(const struct tcp_conn *);

/* --- for tcp.c alone ---------------------------------------------------------------------------------------------- */

/* Gives an accepted connection its state, where it needs one. False: no memory. */
bool tcp_filter_open(struct tcp_conn *);
/* Where the socket is to be read to. */
uv_buf_t tcp_filter_room(struct tcp_conn *);
/* n bytes are there; 0: look at those kept. Calls ops->received as often as `in` gets something. */
void tcp_filter_received(struct tcp_conn *, size_t n);
/* Fills `wire` from `out`. False: there is nothing to be sent. */
bool tcp_filter_fill(struct tcp_conn *);
/* The goodbye, as far as the kernel takes it at once, when nothing else waits. */
void tcp_filter_end(struct tcp_conn *);
void tcp_filter_free(struct tcp_conn *);
/* A buffer for `in` from the pool, where it has none. False: no memory. */
bool tcp_take_in(struct tcp_conn *);

#endif
