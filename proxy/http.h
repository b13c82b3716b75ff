/*
 * An HTTP/1.1 server on tcp.c: one request at a time per connection, handed to a handler, answered now or later.
 *
 * The body is handed over where it was received and stays untouched until the answer is complete; pipelined bytes wait
 * behind it. A refused head whose body has not come, and everything malformed, ends the connection. Answering never calls
 * the handler back from inside; http_server_drain and http_server_close do (`drain`, `gone`).
 */
#ifndef NARROWGATE_PROXY_HTTP_H
#define NARROWGATE_PROXY_HTTP_H

#include <stdint.h>
#include <uv.h>
#include "base/buf.h"
#include "policy/san.h"
#include "proxy/http_request.h"
#include "proxy/http_response.h"

struct tcp_filter;
struct http_server;
struct http_conn;
struct http_handler;

struct http_handler_ops {
	size_t state_bytes; /* of memory per connection, zeroed once: http_conn_state */
	/* The head is in, the body perhaps not. False: refused, and answered already. Unset: all heads are welcome. */
	bool (*head)(struct http_handler *, struct http_conn *);
	/* The request is whole: to be answered exactly once. */
	void (*request)(struct http_handler *, struct http_conn *);
	/* To answer with that status, the text is static: the request was malformed, too big or too slow. */
	void (*refuse)(struct http_handler *, struct http_conn *, int status, const char *why);
	/* The peer has gone before the answer was complete: nothing may be written any more. */
	void (*gone)(struct http_handler *, struct http_conn *);
	/* http_full was true and is false again. */
	void (*drained)(struct http_handler *, struct http_conn *);
	/* A stream has been silent for keep_alive_ms. */
	void (*silent)(struct http_handler *, struct http_conn *);
	/* The server drains: an answer that would never end by itself is to be ended now. */
	void (*drain)(struct http_handler *, struct http_conn *);
};

struct http_handler {
	const struct http_handler_ops *ops;
};

/* A number that is 0 stands for the value in brackets. */
struct http_config {
	const struct slice *listen; /* see tcp.h */
	size_t n_listen;
	struct tcp_filter *filter;  /* TLS for what comes over TCP; NULL: none. Borrowed. */
	size_t max_connections;     /* [1024]; more are told 503 and closed */
	size_t max_head_bytes;      /* [32 KiB] */
	unsigned max_fields;        /* [100] */
	size_t max_body_bytes;      /* [4 MiB] */
	size_t max_queued_bytes;    /* [64 MiB] for one peer that does not read; over it the connection is dropped */
	uint64_t head_ms;           /* [10 s] for the head, from its first byte or the connection's begin */
	uint64_t body_ms;           /* [30 s] for the whole request, from its first byte */
	uint64_t idle_ms;           /* [120 s] between requests */
	uint64_t slow_reader_ms;    /* [30 s] without the peer taking anything that waits */
	uint64_t keep_alive_ms;     /* [15 s] of silence on a stream */
	uint64_t linger_ms;         /* [2 s] for the peer to take the answer before a connection is cut */
};

#define HTTP_FULL_BYTES (256u * 1024)   /* queued: http_full is true */
#define HTTP_DRAINED_BYTES (64u * 1024) /* under this it is false again */

/*
 * Starts listening. NULL with a text in `why` on failure; what was opened until then is closed by the loop. The handler is
 * borrowed until `closed` of http_server_close.
 */
struct http_server *http_server_create(const struct http_config *, uv_loop_t *, struct http_handler *, struct buf *why);
/*
 * Accepts no more, closes idle connections, lets answers end; `drained` is called once, later, when no connection is left.
 * It is not called any more after http_server_close.
 */
void http_server_drain(struct http_server *, void (*drained)(void *ctx), void *ctx);
/* Ends everything and frees; `closed` is called once, later. */
void http_server_close(struct http_server *, void (*closed)(void *ctx), void *ctx);
/* See tcp_server_set_filter. */
void http_server_set_filter(struct http_server *, struct tcp_filter *);
void http_server_describe(const struct http_server *, struct buf *out);
size_t http_server_connections(const struct http_server *);

/* --- the request; slices are valid until the answer is complete or `gone` ----------------------------------------- */

void *http_conn_state(struct http_conn *);
enum http_verb http_conn_verb(const struct http_conn *);
struct slice http_conn_target(const struct http_conn *);
struct slice http_conn_fields(const struct http_conn *);
struct slice http_conn_field(const struct http_conn *, enum http_field);
struct slice http_conn_body(const struct http_conn *);
unsigned http_conn_accepted(const struct http_conn *); /* MEDIA_* */
bool http_conn_local(const struct http_conn *);
/* The names of a verified client certificate; NULL and *n == 0: none. */
const struct san *http_conn_names(const struct http_conn *, size_t *n);

/* --- the answer --------------------------------------------------------------------------------------------------- */

/* A whole answer. length, close and date of the head are filled in here. A session id that cannot be one: 500 instead. */
void http_respond(struct http_conn *, const struct http_head *, struct slice body);
/* An event stream begins; the head goes out with this loop round. False (and answered 500): a bad session id. */
bool http_stream_begin(struct http_conn *, const struct http_head *);
/* Where to add the bytes of one chunk, followed by http_stream_chunk_end. */
struct buf *http_stream_chunk(struct http_conn *);
void http_stream_chunk_end(struct http_conn *);
/* The answer is complete. */
void http_stream_end(struct http_conn *);
/* More waits to be sent than is good; `drained` will tell when it no longer does. */
bool http_full(struct http_conn *);

#endif
