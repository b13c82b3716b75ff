/*
 * What the two files of a call share: http_call.c (life, connection, request) and http_call_answer.c (the way home).
 * Not for others.
 */
#ifndef NARROWGATE_UPSTREAM_HTTP_CALL_INSIDE_H
#define NARROWGATE_UPSTREAM_HTTP_CALL_INSIDE_H

#include "upstream/http_call.h"

/* Closes its connection, if it has one. */
void http_call_drop_wire(struct http_call *);
/* Gives its connection back for other calls. */
void http_call_return_wire(struct http_call *);
/* Waits for the events its state needs. */
void http_call_watch(struct http_call *);
/* It has ended; its owner will hear of it. What becomes of the connection is the caller's. */
void http_call_mark_ended(struct http_call *, enum upstream_outcome, int status);

/* Reads what the connection has. `reading` is set around it. */
void http_call_receive(struct http_call *);
/* Reads on after a pause, or when a round had not been enough. */
void http_call_go_on(struct http_call *);

#endif
