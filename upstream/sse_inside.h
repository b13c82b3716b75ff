/*
 * Between sse_legacy.c (the conversation and its stream) and sse_call.c (its messages); nobody else's.
 */
#ifndef NARROWGATE_UPSTREAM_SSE_INSIDE_H
#define NARROWGATE_UPSTREAM_SSE_INSIDE_H

#include "upstream/http.h"
#include "upstream/http_call.h"

/* WAITING: for the address. OPEN: the message is on its way, or was taken. */
enum sse_call_state { SSE_WAITING, SSE_OPEN, SSE_ENDED };

struct sse_conversation {
	struct upstream base;
	struct http_vault *http;
	struct upstream *inner;          /* what carries the GET and the POSTs */
	struct upstream_call *stream;    /* the GET; NULL: none */
	struct upstream_events events;
	struct http_heads heads;         /* with the vault's address; `post` is ours */
	struct sse_call *calls, *last;   /* in the order they were sent */
	size_t n_muted;
	uint64_t n_streams;              /* begun so far */
	uv_timer_t timer;                /* to the next attempt, then for the address */
	struct task tell_lost;
	struct upstream_end lost_how;
	bool ready;                      /* the address is known */
	bool resting;                    /* the stream is paused */
	bool lost;
};

/* It stays as long as somebody waits for its end, its answer may come, or its POST is under way. */
struct sse_call {
	struct upstream_call_base base;
	struct sse_conversation *conversation;
	struct sse_call *next, *prev;
	struct upstream_sink sink;
	struct task task;                /* tells the end */
	struct upstream_end end;
	enum sse_call_state state;
	struct upstream_call *post;
	uint64_t stream;                 /* the one whose key the POST bears */
	bool awaits;                     /* an answer is due */
	bool muted;                      /* nobody wants to hear of it any more */
	bool paused;
	struct buf id;                   /* in one spelling */
	struct buf body, version, traceparent;
	uint64_t limit_ms;
};

/* A call with nothing to send yet, the last of the conversation's. NULL when memory is out. */
struct sse_call *sse_call_create(struct sse_conversation *, const struct upstream_sink *);
/* Keeps what is to be sent until it can be. */
enum err sse_call_keep(struct sse_call *, const struct upstream_request *);
/* POSTs it. */
void sse_call_post(struct sse_call *);
/* Its owner hears of the end at the end of this round. */
void sse_call_end(struct sse_call *, enum upstream_outcome, int status);
/* The stream brings its answer. */
void sse_call_answer(struct sse_call *, struct slice json);
/* Nobody wants to hear of it any more: what may still come is thrown away. */
void sse_call_cancel(struct sse_call *);
/* Nothing more can come for it from the stream. */
void sse_call_forget_answer(struct sse_call *);
void sse_call_free(struct sse_call *);
/* The call that awaits an answer with this id (rpc_id_key); NULL: none. */
struct sse_call *sse_call_find(const struct sse_conversation *, struct slice id);

/* The stream rests while all that wait for something on it cannot take it; one slow reader among others does not stop them. */
void sse_settle_stream(struct sse_conversation *);
/* The vault does not know the key any more. */
void sse_key_unknown(struct sse_conversation *);

#endif
