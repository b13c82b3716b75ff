/*
 * Listening sockets and the connections they accept, on a libuv loop: bytes in, bytes out, deadlines; nothing of HTTP.
 *
 * What is sent is gathered in a connection's `out` and handed to the kernel in one call per loop round (in uv_check, and in
 * uv_prepare for what timers wrote). Buffers come from a pool and go back, wiped, when nothing is in them: an idle
 * connection holds none. There is one timer for all deadlines. SIGPIPE must be ignored by the process.
 *
 * A protocol embeds struct tcp_server and struct tcp_conn as the first members of its own structs. A filter (TLS, tcp_filter.h)
 * may stand between the socket and the protocol, which then sees plain bytes as without one.
 */
#ifndef NARROWGATE_PROXY_TCP_H
#define NARROWGATE_PROXY_TCP_H

#include <stdint.h>
#include <uv.h>
#include "base/buf.h"
#include "base/log.h"

#define TCP_BUFFER_BYTES 16384 /* of a pooled buffer */
#define TCP_SPARE_BUFFERS 128
#define TCP_TICK_MS 500

struct tcp_server;
struct tcp_filter;
struct tcp_filtered;

struct tcp_conn {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	struct tcp_server *server;
	struct tcp_conn *next, *prev;  /* all connections of the server */
	struct tcp_conn *next_waiting; /* those with something to do at the end of this loop round */
	struct buf in;                 /* received and not yet consumed; the protocol's to read and to consume */
	size_t in_high;                /* bytes of `in` that were ever written since it was taken: what must be wiped */
	struct buf out;                /* to be sent; see tcp_out */
	struct buf sending;            /* the kernel did not take all of it: libuv is at it */
	struct tcp_filtered *filtered; /* the filter's state; NULL: none stands here */
	struct buf wire;               /* what the filter made, to be sent */
	size_t out_done;               /* bytes of `out` that the filter has taken already */
	uv_write_t write;
	uint64_t deadline_ms;          /* loop time at which ops->expired is called, once; 0: none */
	uint64_t progress_ms;          /* when the peer last took something */
	size_t left_bytes;             /* of `sending` at the last look */
	bool local;                    /* the peer is this machine: loopback, or ourselves or root over a unix socket */
	bool kept;                     /* the filter keeps received bytes for which `in` had no room */
	bool dead;                     /* the filter has failed: its last words go out, nothing more comes in */
	bool waiting, writing, paused, closing;
	bool broken;                   /* no memory, or too much queued: closed at the end of the round */
	bool eof;                      /* the peer will send no more */
};

/* What a protocol does. tcp_conn_close may be called from each, except from `closing`. Unset: not interested, but for received. */
struct tcp_ops {
	void (*opened)(struct tcp_conn *);
	void (*received)(struct tcp_conn *);              /* `in` has more */
	void (*flushed)(struct tcp_conn *);               /* all that was in `out` is with the kernel, or nothing was */
	void (*expired)(struct tcp_conn *);               /* the deadline has passed */
	void (*eof)(struct tcp_conn *);                   /* the peer will send no more; unset: the connection is closed */
	void (*closing)(struct tcp_conn *);               /* the last call of a connection, whoever ends it */
	void (*tick)(struct tcp_conn *, uint64_t now_ms); /* every TCP_TICK_MS */
	void (*round)(struct tcp_server *);               /* the end of each loop round */
};

struct tcp_config {
	const struct slice *addresses; /* host:port, [v6]:port, unix:/path; the host is an address or localhost (both loopbacks) */
	size_t n_addresses;
	size_t conn_bytes;             /* of the struct that begins with a struct tcp_conn; zeroed */
	size_t max_connections;
	struct slice refusal;          /* what a connection over that limit is told before it is closed; a literal */
	struct slice stranger;         /* the same for a peer on a unix socket that is neither our user nor root */
	struct tcp_filter *filter;     /* of what comes over TCP; NULL: none. Borrowed. */
	size_t max_in_bytes;
	size_t max_out_bytes;          /* queued over this: the connection is dropped */
	uint64_t slow_reader_ms;       /* something waits and the peer takes nothing for so long: dropped */
};

struct tcp_listener;

struct tcp_server {
	const struct tcp_ops *ops;
	struct tcp_config config;
	uv_loop_t *loop;
	struct tcp_listener *listeners;
	size_t n_listeners;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_timer_t timer;
	struct tcp_conn *conns;
	struct tcp_conn *waiting;
	size_t n_conns;
	size_t open_handles;
	struct buf spare[TCP_SPARE_BUFFERS];
	size_t n_spare, spare_low;
	char *raw;                /* TCP_RAW_BYTES for what a filter is to look at; taken when first needed */
	struct log_limit strangers;
	void (*closed)(struct tcp_server *);
	bool starved; /* no memory for a connection: libuv holds it until it is accepted, which each tick tries anew */
	bool listening, closing;
};

/*
 * Binds all addresses, then listens. On failure false, `why` says what and where, and `closed` is called later all the same:
 * only then may the memory go. An address of IPv6 that this machine does not have is passed over for localhost.
 */
bool tcp_server_start(struct tcp_server *, const struct tcp_config *, const struct tcp_ops *, uv_loop_t *, struct buf *why,
	void (*closed)(struct tcp_server *));
/* Accepts no more; unix sockets are removed. */
void tcp_server_stop_listening(struct tcp_server *);
/*
 * The filter of all that is accepted from now on. Connections that the new one would not have let in are closed: those without
 * where there is one now, and those it no longer vouches for.
 */
void tcp_server_set_filter(struct tcp_server *, struct tcp_filter *);
/* Ends everything; `closed` is called later, once. */
void tcp_server_close(struct tcp_server *);
/* "127.0.0.1:8808, [::1]:8808" */
void tcp_server_describe(const struct tcp_server *, struct buf *out);

/* Where to add what is to be sent; it goes out at the end of this loop round. */
struct buf *tcp_out(struct tcp_conn *);
/* Asks for ops->flushed at the end of this round although nothing may be sent. */
void tcp_wait(struct tcp_conn *);
/* Bytes to be sent that the kernel has not taken. */
size_t tcp_queued(const struct tcp_conn *);
/* Drops n bytes from the front of `in`; an empty buffer goes back to the pool. */
void tcp_consume(struct tcp_conn *, size_t n);
/* The peer's next bytes are left with the kernel. */
void tcp_pause(struct tcp_conn *);
void tcp_resume(struct tcp_conn *);
/* Tells the peer that nothing more comes; it may still send. Only when nothing is queued. */
void tcp_shutdown(struct tcp_conn *);
/* Ends it now. The memory goes later; closing twice is fine. */
void tcp_conn_close(struct tcp_conn *);

#endif
