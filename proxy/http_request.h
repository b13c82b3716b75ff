/*
 * One HTTP/1.1 request, read from a growing buffer: a pure struct, no socket, no clock. llhttp (strict) reads the head; what
 * it still lets through and another reader might take differently is refused here, before llhttp sees a byte of it.
 *
 * Refused with 400: a head line that does not end in CRLF, a bare CR, a folded field, an empty first line, a field without name, a request line that is
 * not three parts, a target that is not a path (absolute, authority and asterisk form), a missing Host, any field of the
 * list below given twice (Accept excepted), Upgrade, Content-Length beside Transfer-Encoding, a coding that is not just
 * `chunked`, chunk extensions, trailers, a body with GET, HEAD or DELETE.
 * 405: a method that HTTP does not have. 505: any version but HTTP/1.1 (HTTP/1.0 too: no client of this protocol speaks it).
 * 431: head or number of fields over the limit. 413: body over the limit, told from its announced length. 417: an
 * expectation other than 100-continue, or one for a body over the limit.
 * After any refusal the connection must be closed: where the next request begins is not known.
 */
#ifndef NARROWGATE_PROXY_HTTP_REQUEST_H
#define NARROWGATE_PROXY_HTTP_REQUEST_H

#include <llhttp.h>
#include <stdint.h>
#include "base/buf.h"
#include "proxy/http_chunks.h"

/* The fields anything is done with; all others are dropped. */
#define HTTP_FIELDS(X)                                  \
	X(HOST, "host")                                 \
	X(ORIGIN, "origin")                             \
	X(SEC_FETCH_SITE, "sec-fetch-site")             \
	X(ACCEPT, "accept")                             \
	X(CONTENT_TYPE, "content-type")                 \
	X(CONTENT_ENCODING, "content-encoding")         \
	X(CONTENT_LENGTH, "content-length")             \
	X(TRANSFER_ENCODING, "transfer-encoding")       \
	X(EXPECT, "expect")                             \
	X(UPGRADE, "upgrade")                           \
	X(AUTHORIZATION, "authorization")               \
	X(MCP_SESSION_ID, "mcp-session-id")             \
	X(MCP_PROTOCOL_VERSION, "mcp-protocol-version") \
	X(LAST_EVENT_ID, "last-event-id")               \
	X(TRACEPARENT, "traceparent")                   \
	X(MCP_METHOD, "mcp-method")                     \
	X(MCP_NAME, "mcp-name")

enum http_field {
#define X(name, text) FIELD_##name,
	HTTP_FIELDS(X)
#undef X
	FIELD_COUNT,
	FIELD_OTHER = FIELD_COUNT,
};

enum http_verb { VERB_GET, VERB_HEAD, VERB_POST, VERB_DELETE, VERB_OTHER };

struct http_limits {
	size_t max_head_bytes;
	unsigned max_fields;
	size_t max_body_bytes;
};

enum http_progress {
	READ_MORE, /* more bytes are needed */
	READ_HEAD, /* the head is in: said once; go on feeding (also with nothing new) for the body */
	READ_DONE, /* the request is whole; pipelined bytes may follow at http_request_bytes() */
	READ_BAD,  /* refused: see status and why */
};

struct http_span {
	uint32_t off, len; /* in the buffer, from the request's first byte */
};

struct http_request {
	llhttp_t parser;
	const struct http_limits *limits;
	const char *base;                    /* the buffer during a feed, NULL outside */
	struct http_span field[FIELD_COUNT];
	struct http_span target;
	uint32_t seen, twice;                /* bits of enum http_field */
	uint32_t scanned, line, lines;       /* head: looked at so far; start of this line; complete lines */
	uint32_t head_bytes;                 /* 0 until the head is in */
	uint32_t current;                    /* the field whose value llhttp reads now */
	size_t body_bytes;                   /* so far, decoded */
	size_t content_length;
	struct http_chunks chunks;
	uint8_t accepted;                    /* MEDIA_*, over all Accept lines */
	uint8_t verb;
	bool chunked, expects_continue, keep_alive, announced, whole;
	int status;                          /* READ_BAD: the answer to give */
	const char *why;                     /* and its text: static */
};

/* The limits are borrowed and must outlive the request. */
void http_request_init(struct http_request *, const struct http_limits *);
/* For the next request of the connection. */
void http_request_reset(struct http_request *);

/*
 * Looks at what is new in `in`, which holds the request from its first byte on. A chunked body is decoded in place, so the
 * content behind the head may move and shrink; a body of known length stays where it was received.
 */
enum http_progress http_request_feed(struct http_request *, struct buf *in);

/* How many bytes the request will have in the buffer, as far as is known (0: not known: before the head, or chunked). */
size_t http_request_wants(const struct http_request *);
/* How many bytes the whole request takes in the buffer. */
size_t http_request_bytes(const struct http_request *);

/* A field's value without white space around it; {NULL, 0} when absent. Points into the buffer. */
struct slice http_request_field(const struct http_request *, const struct buf *in, enum http_field);
/* The fields of the head as they came, each with its CRLF. */
struct slice http_request_fields(const struct http_request *, const struct buf *in);
struct slice http_request_target(const struct http_request *, const struct buf *in);
struct slice http_request_body(const struct http_request *, const struct buf *in);

#endif
