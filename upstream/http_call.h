/*
 * One HTTP request and its answer. A call goes
 *
 *   WAITING (for a connection) -> SENDING -> ANSWERING -> ENDED    (WAITING again, once, when nothing could be sent)
 *
 * and belongs to whoever sent it until its `end` was called or it was cancelled. It may live on a little without an
 * owner (LINGER_MS), reading the rest of an answer that nobody wants, so that the connection can be used again.
 */
#ifndef NARROWGATE_UPSTREAM_HTTP_CALL_H
#define NARROWGATE_UPSTREAM_HTTP_CALL_H

#include "upstream/backoff.h"
#include "upstream/http_write.h"
#include "upstream/pool.h"
#include "upstream/vault.h"

struct http_vault {
	struct vault *vault;
	struct curl_api curl;
	struct pool pool;
	struct http_heads heads;
	enum vault_transport transport; /* as configured */
	enum vault_transport speaks;   /* as far as known; AUTO: not yet */
	struct http_call *spare;       /* recycled calls, list by `next` */
	struct http_call *timed;       /* calls with a deadline, list */
	uv_timer_t sweep;              /* runs while something can grow old */
	size_t n_spare, n_live;        /* calls not spare */
	struct backoff streams;        /* HTTP+SSE: how often its stream failed */
	uint64_t address_timeout_ms;   /* HTTP+SSE: for the address that messages go to */
	size_t n_listens;
	bool closing;
	bool gone;                     /* the pool has been told to close */
	unsigned n_open;
	void (*closed)(void *ctx);
	void *ctx;
};

/* One MCP session, or the lack of one. */
struct http_conversation {
	struct upstream base;
	struct http_vault *http;
	struct upstream_events events;
	struct http_call *calls;       /* that still have an owner */
	struct buf session;            /* id; empty: none */
	const struct http_heads *heads; /* the vault's, or those of another address of it */
	struct buf version;            /* the revision header last sent, for the DELETE */
	bool lost;
	struct upstream_end lost_how;
	struct task tell_lost;
};

enum http_call_state { CALL_WAITING, CALL_SENDING, CALL_ANSWERING, CALL_ENDED };

struct http_call {
	struct upstream_call_base base;
	struct http_vault *http;
	struct http_conversation *owner; /* NULL: nobody listens any more */
	struct upstream_sink sink;
	void (*named)(void *ctx, struct slice type, struct slice data); /* ctx is the sink's; NULL: not interested */
	struct http_call *next, *prev;   /* in the owner's list, or spare */
	struct http_call *next_timed, *prev_timed;
	struct task task;                /* what comes next, by state */
	struct pool_want want;
	struct wire *wire;
	struct buf out;                  /* the request */
	size_t sent;
	struct http_answer answer;
	struct upstream_end end;
	enum http_call_state state;
	enum http_verb verb;
	bool opens_session;
	bool paused;
	bool tried;                      /* the request was given to a connection: bytes may have left */
	bool sent_all;
	bool head_seen;
	bool replaced;                   /* it got a second connection already */
	bool reading;                    /* its bytes are being read further down the stack: it must not be recycled */
	bool timed;
	uint64_t deadline_ms;
	size_t lingered;                 /* bytes read since nobody wanted them */
};

/* A call with nothing to do yet, owned by the conversation (or nobody). NULL when memory is out. */
struct http_call *http_call_create(struct http_vault *, struct http_conversation *owner, enum http_verb);
/* The request stands in `out`: sends it at the end of this round, or when there is a connection. */
void http_call_start(struct http_call *);
/* Ends it without a word from the vault; its owner hears of it at the end of this round. */
void http_call_finish(struct http_call *, enum upstream_outcome, int status);
void http_call_pause(struct http_call *);
void http_call_resume(struct http_call *);
/* The owner does not want it any more. */
void http_call_cancel(struct http_call *);
/* It ends by itself after so long, answered or not; the shortest limit counts. */
void http_call_limit(struct http_call *, uint64_t ms);
/* Its time is over. */
void http_call_expire(struct http_call *);
/* Frees a call that is spare. */
void http_call_free(struct http_call *);

/* --- of the vault (http.c) ---------------------------------------------------------------------------------------- */

/* The head of the answer is in: a session id may have come. */
void http_on_head(struct http_call *);
/* A call of this conversation has ended by what the vault said; `challenge`: its WWW-Authenticate, or empty. */
void http_on_outcome(struct http_conversation *, const struct upstream_end *, struct slice challenge);
/* No call is left. */
void http_on_quiet(struct http_vault *);
/* Something has begun to grow old: sees to it that the sweep runs. */
void http_watch_time(struct http_vault *);

#endif
