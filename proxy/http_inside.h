/*
 * The insides of the HTTP server, shared by http.c (a connection) and http_server.c (all of them).
 */
#ifndef NARROWGATE_PROXY_HTTP_INSIDE_H
#define NARROWGATE_PROXY_HTTP_INSIDE_H

#include <stddef.h>
#include "proxy/http.h"
#include "proxy/tcp.h"

/*
 *   WAIT -> HEAD -> BODY -> BUSY -> SENT -> WAIT …       or, when the connection ends: SENT -> LINGER
 *                               \-> STREAM -> SENT
 */
enum http_state {
	CONN_WAIT,   /* for the first byte of a request */
	CONN_HEAD,   /* some of the head is in */
	CONN_BODY,   /* the head is accepted, the body incomplete */
	CONN_BUSY,   /* the handler has it */
	CONN_STREAM, /* the handler answers with a stream */
	CONN_SENT,   /* the answer is complete and on its way */
	CONN_LINGER, /* and with the kernel; what still comes in is thrown away until the peer has it */
};

#define HTTP_DATE_CHARS 29

struct http_server {
	struct tcp_server tcp; /* first */
	struct http_config config;
	struct http_limits limits;
	struct http_handler *handler;
	char date[HTTP_DATE_CHARS + 1];
	uint64_t date_second; /* of the loop's clock */
	bool draining;
	void (*drained)(void *ctx);
	void *drained_ctx;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

struct http_conn {
	struct tcp_conn tcp; /* first */
	struct http_request request;
	enum http_state state;
	bool ends;           /* the connection ends with this answer */
	bool whole;          /* the request's last byte is in */
	bool full;           /* http_full said so */
	size_t chunk_at;
	uint64_t began_ms;   /* first byte of the request */
	uint64_t spoke_ms;   /* the stream's last chunk */
	max_align_t state_of_handler[];
};

/* What tcp.c calls for a connection. */
extern const struct tcp_ops http_conn_ops;

/* "Tue, 15 Nov 1994 08:12:31 GMT", made anew once a second. */
struct slice http_server_date(struct http_server *);
/* Ends a connection that is idle, marks the others to end with their answer. */
void http_conn_drain(struct http_conn *);
/* The end of a loop round: tells when a drain is over. */
void http_server_round(struct tcp_server *);

#endif
