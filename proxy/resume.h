/*
 * Streams that can be taken up where they broke (MCP 2025-03-26 "Resumability and Redelivery", 2025-11-25 polling): the vault's
 * event ids, its retry times and priming events stand on the same events of ours, and Last-Event-ID goes up again.
 *
 * An id of ours holds the vault's, sealed for one session, one conversation with the vault and one stream: it says nothing, and
 * that of another session or stream is refused. A request whose stream ended before its answer is parked: its exchange stays,
 * with all that is known of the call, so that what comes on the next stream is judged as its answer. Agents without a session,
 * on stdio, or on a shared trunk see no ids: there the exchange takes its stream up by itself.
 */
#ifndef NARROWGATE_PROXY_RESUME_H
#define NARROWGATE_PROXY_RESUME_H

#include "mcp/sse.h"
#include "proxy/front.h"

struct channel;
struct exchange;

#define RESUME_MAX_ID_BYTES 1024 /* of a vault's event id; a longer one is not handed on */

/* Of one exchange. */
struct resume {
	uint64_t stream;      /* the number of its stream; 0: a GET stream, or nothing had an id */
	struct buf last_id;   /* the vault's id of the last event; empty: it cannot be taken up */
	struct buf mark_id;   /* ours for the next message */
	struct sse_mark mark;
	bool marked;          /* `mark` is for the message that comes now */
	bool put;             /* the reply was given one */
	bool parked;          /* nobody sends, nobody waits; not counted as in flight */
	bool answered;        /* parked all the same: the answer may have been lost on its way */
	unsigned tries;       /* by ourselves, without a word of the vault since */
	uint64_t retry_ms;    /* what the vault asked to wait */
};

void resume_init(struct resume *);
void resume_finish(struct resume *);

/* Keeps the id of a stream's event, for the stream to be taken up behind it. False: it has none that could go up again. */
bool resume_keep_id(struct buf *last, struct slice id);

/* The vault's stream says this on its next event (or, alone, on an event without a message). */
void resume_mark(struct exchange *, const struct sse_mark *, bool alone);
/* Puts the mark, if there is one, before the message that is about to go out. */
void resume_put_mark(struct exchange *);

/* The vault's stream is over without the answer. True: it can be taken up, and the exchange waits for that. */
bool resume_suspend(struct exchange *);
/* The agent is gone in the middle of a stream. True: as above. */
bool resume_gone(struct exchange *);
/* The exchange has its answer: ends, or is kept for a while in case the answer was lost on its way. */
void resume_end(struct exchange *);
/* An exchange's time is over. True: it was parked, and has taken its stream up by itself, or has ended. */
bool resume_due(struct exchange *);

/*
 * A GET with Last-Event-ID, not yet on the channel: true when the parked exchange it means has taken over its reply, and `get` is
 * gone. False: it is a GET stream that goes on behind `*after` (in get's arena), or, with that empty, an id we never gave out here.
 */
bool resume_listen(struct exchange *get, struct channel *, struct slice last_event_id, struct slice *after);

#endif
