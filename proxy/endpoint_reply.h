/*
 * A struct reply over HTTP: one JSON body, or an event stream. It lives in its connection, and serves one request after
 * the other.
 */
#ifndef NARROWGATE_PROXY_ENDPOINT_REPLY_H
#define NARROWGATE_PROXY_ENDPOINT_REPLY_H

#include "proxy/front.h"
#include "proxy/http.h"

#define ENDPOINT_SESSION_CHARS 128

struct sse_session;

struct endpoint_reply {
	struct reply reply;  /* first */
	struct http_conn *conn;
	struct ask ask;      /* what the front was asked, for as long as it may look at it */
	char session[ENDPOINT_SESSION_CHARS];
	size_t session_n;
	bool bad_session;    /* the front gave an id that does not fit */
	bool streaming;
	const struct sse_mark *mark; /* of the next event; NULL: none */
	struct sse_session *sse; /* this is the stream of that session (endpoint_sse.h); NULL: no */
};

/* Begins a reply on that connection. */
void endpoint_reply_init(struct endpoint_reply *, struct http_conn *);
/* The stream has been silent: a comment. */
void endpoint_reply_silent(struct endpoint_reply *);
/* Ends a stream that has no answer, cleanly. */
void endpoint_reply_end(struct endpoint_reply *);

/* Answers a request with a JSON-RPC error without id. `data` is JSON text or empty, `allow` for 405. */
void endpoint_refuse(struct http_conn *, int status, int code, struct slice text, struct slice data, struct slice allow);

#endif
