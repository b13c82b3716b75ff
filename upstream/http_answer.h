/*
 * Reads the answer to one HTTP request of ours: bytes in, JSON-RPC messages out, no I/O. Strict: what llhttp would only
 * accept leniently, a body in any encoding, a content type that is not MCP, heads without end are refused.
 *
 * An answer is JSON (one message) or an event stream (a message per event). Messages are handed on when complete, each
 * bounded; so are the marks of events (ids, retry, priming). What lies between (comments, chunk borders) is gone.
 */
#ifndef NARROWGATE_UPSTREAM_HTTP_ANSWER_H
#define NARROWGATE_UPSTREAM_HTTP_ANSWER_H

#include <llhttp.h>
#include "mcp/sse.h"
#include "upstream/upstream.h"

enum http_verb { HTTP_VERB_POST, HTTP_VERB_GET, HTTP_VERB_DELETE };

/* What was asked: the meaning of some statuses hangs on it. */
struct http_asked {
	enum http_verb verb;
	bool in_session; /* the request carried a session id */
	bool awaits;     /* an answer is due */
};

enum http_answer_state {
	HTTP_ANSWER_MORE,   /* all was taken; feed what comes next */
	HTTP_ANSWER_HELD,   /* `message` said stop: see http_answer_hold */
	HTTP_ANSWER_DONE,   /* complete; what is left of the input belongs to no answer */
	HTTP_ANSWER_FAILED, /* `outcome` says why; the connection is of no use any more */
};

struct http_answer_sink {
	void (*stream)(void *ctx);                     /* it is an event stream */
	bool (*message)(void *ctx, struct slice json); /* false: stop for now */
	void *ctx;
	void (*mark)(void *ctx, const struct sse_mark *, bool alone); /* as in upstream.h; unset: not interested */
	void (*named)(void *ctx, struct slice type, struct slice data); /* an event that is no message; unset: not interested */
};

enum http_body { HTTP_BODY_DROPPED, HTTP_BODY_JSON, HTTP_BODY_EVENTS };
enum http_type { HTTP_TYPE_NONE, HTTP_TYPE_JSON, HTTP_TYPE_EVENTS, HTTP_TYPE_OTHER };

#define HTTP_NAME_MAX 24
#define HTTP_VALUE_MAX 2048

struct http_answer {
	/* What it says, for the owner. */
	enum upstream_outcome outcome; /* meaningful once `decided`, DONE or FAILED */
	bool decided;                  /* nothing that follows matters: the rest is dropped */
	bool head_done;
	int status;
	size_t n_messages;
	struct buf session;            /* Mcp-Session-Id; empty when there was none */
	struct buf challenge;          /* WWW-Authenticate, the first that fits; empty when there was none */
	uint64_t keep_alive_ms;        /* what `Keep-Alive: timeout` promised; 0: nothing */
	bool keep;                     /* the connection may carry another request */

	/* How it gets there. */
	llhttp_t parser;
	struct http_asked asked;
	const struct http_answer_sink *sink;
	size_t max_message_bytes;
	enum http_body body;
	enum http_type type;
	uint64_t length;               /* of the body, where the head said it */
	bool encoded, chunked, complete, stopped, failed, paused;
	unsigned n_informational;      /* answers 1xx before the real one */
	size_t head_bytes;
	unsigned seen;                 /* header fields that may come only once, as bits */
	int field;                     /* which header is being read */
	size_t name_n, value_n;
	char name[HTTP_NAME_MAX];
	char value[HTTP_VALUE_MAX];
	struct slice chunk;            /* body bytes of the input that were not taken yet */
	struct buf json;               /* a JSON body that came in pieces */
	struct sse_reader events;
	bool events_open;
	struct buf held;               /* input kept while stopped: body bytes, then raw ones */
	size_t held_body;
};

/* For a reader that is used for many answers, one after the other. */
void http_answer_init(struct http_answer *, size_t max_message_bytes);
void http_answer_finish(struct http_answer *);
/* Ready for the next answer. Buffers that grew big are given back. */
void http_answer_begin(struct http_answer *, struct http_asked);

/* Takes bytes off *input. `sink` is called from inside. */
enum http_answer_state http_answer_feed(struct http_answer *, struct slice *input, const struct http_answer_sink *);
/* The connection has ended. Never MORE; HELD when a last message was due and `message` said stop: call it again. */
enum http_answer_state http_answer_end(struct http_answer *, const struct http_answer_sink *);

/* After HELD: keeps what is left of the input, which may then go away. False when memory is out. */
bool http_answer_hold(struct http_answer *, struct slice input);
/* Whether something is kept, and the input to feed when it goes on (before anything new). */
bool http_answer_holds(const struct http_answer *);
struct slice http_answer_unhold(struct http_answer *);

#endif
