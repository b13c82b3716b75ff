/*
 * Writing HTTP/1.1 answers into a buffer. Pure. Nothing that comes from elsewhere is copied into a head but the session id,
 * which must be visible ASCII (HTTP-16); there are no CORS fields, ever.
 */
#ifndef NARROWGATE_PROXY_HTTP_RESPONSE_H
#define NARROWGATE_PROXY_HTTP_RESPONSE_H

#include "base/buf.h"

struct http_head {
	int status;
	struct slice content_type; /* empty: no body */
	size_t length;             /* of the body, when not `events`; 204 has none */
	bool events;               /* an event stream in chunks: with the fields that keep caches and buffers out of it */
	bool close;                /* the connection ends with this answer */
	struct slice session;      /* Mcp-Session-Id; empty: none */
	struct slice allow;        /* for 405; a literal */
	struct slice date;         /* "Tue, 15 Nov 1994 08:12:31 GMT"; empty: none */
};

/* Adds the head with its empty line. E_INVALID: the session id is not one; E_TOO_BIG, E_NOMEM. `out` is unchanged then. */
enum err http_write_head(struct buf *out, const struct http_head *);

/*
 * A chunk that is written in place: begin, add the data to `out`, end. The size has eight digits, filled in by end.
 * The errors of the adds stay in out->failed.
 */
size_t http_chunk_begin(struct buf *out);
void http_chunk_end(struct buf *out, size_t begun_at);
/* The end of a chunked body. */
enum err http_write_last_chunk(struct buf *out);

/* "Not Found"; for a status this program never gives: "Unknown". */
struct slice http_status_text(int status);

#endif
