/*
 * MCP over HTTP+SSE (2024-11-05) for agents that speak no other transport: GET /sse or /NAME/sse opens the one stream of a
 * session, whose first event names where to POST: /messages?sessionId=KEY or /NAME/messages?sessionId=KEY. A POST is answered
 * 202; what the front answers, and all it says besides, goes to the stream. For the front it is a conversation like any other.
 *
 * The key is 128 random bits of our own and good only with the Authorization the stream was opened with; it stands in no log.
 * The stream's end ends the session: exchanges in flight are given up, the front's session is ended.
 */
#ifndef NARROWGATE_PROXY_ENDPOINT_SSE_H
#define NARROWGATE_PROXY_ENDPOINT_SSE_H

#include "proxy/front.h"
#include "proxy/http.h"

struct sse_sessions; /* those of one endpoint */
struct sse_session;

enum sse_found { SSE_FOUND, SSE_NO_KEY, SSE_UNKNOWN };

/* NULL: no memory. The front is borrowed. */
struct sse_sessions *sse_sessions_create(struct front *);
/* Every stream must have ended or gone before. */
void sse_sessions_free(struct sse_sessions *);

/* Opens the stream on that connection, for the caller and the upstream of `ask`. NULL: it was refused, and answered. */
struct sse_session *sse_session_open(struct sse_sessions *, struct http_conn *, const struct ask *);
/* The session that `query` names, when it is of this upstream and this caller. */
enum sse_found sse_session_find(const struct sse_sessions *, struct slice query, const struct ask *, struct sse_session **out);
/* Hands one message to the front, and answers the POST on that connection. */
void sse_session_post(struct sse_session *, struct http_conn *, const struct ask *);

/* What the connection of the stream tells: it takes more again; it was silent; it is gone (the session is freed). */
void sse_session_drained(struct sse_session *);
void sse_session_silent(struct sse_session *);
void sse_session_gone(struct sse_session *);
/* Ends the stream as soon as nothing is in flight, perhaps at once; the connection tells no more after that. */
void sse_session_drain(struct sse_session *);

#endif
