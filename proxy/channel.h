/*
 * One downstream conversation: a legacy session over HTTP, the agent on stdio, or everything stateless of one agent. It
 * carries no policy and no memory of values: those are the agent's.
 */
#ifndef NARROWGATE_PROXY_CHANNEL_H
#define NARROWGATE_PROXY_CHANNEL_H

#include "guards/judge.h"
#include "proxy/agent.h"
#include "proxy/trunk.h"

#define SESSION_ID_CHARS 32 /* 128 random bits, hex */

struct channel {
	struct app *app;
	struct agent *agent;
	struct trunk *trunk;
	struct channel *next;               /* on the trunk */
	struct channel *next_stateless;     /* in the backend's list */
	char session[SESSION_ID_CHARS + 1]; /* empty: none handed out */
	char version[16];                   /* negotiated protocol revision; empty: unknown */
	struct exchange *listener;          /* the GET stream, or stdio's standing ear */
	struct slice waiting[MAX_WAITING_MESSAGES]; /* messages for which no stream was open; owned, wiped */
	size_t n_waiting, waiting_bytes;
	bool overflowed;                    /* some were dropped since a stream was open: it was logged */
	struct table *asked;                /* requests of the vault the agent has not answered: id key -> method */
	uint64_t asked_until_ms;            /* loop time until which what is in flight waits for those answers; 0: none is due */
	size_t n_exchanges;
	size_t n_parked;                    /* beside them: see resume.h */
	uint64_t used_ms;
	struct slice hello;                 /* the agent's initialize as it went up; owned; empty before */
	bool stateless, stdio;
	bool no_handshake;                  /* stateless because its revision is: for vaults that speak that */
	bool initialized;                   /* notifications/initialized has passed */
	bool closing;                       /* freed when its last exchange ends */
};

struct channel *channel_create(struct app *, struct agent *, struct backend *);
/*
 * Whether the agent may begin one more conversation. Where it has too many, the session that was unused for longest goes: agents
 * that restart seldom end theirs. False: all are in use.
 */
bool channel_make_room(struct app *, const struct agent *);
/* The agent's stateless channel on this backend, made when there is none. NULL: no memory. */
struct channel *channel_stateless(struct app *, struct agent *, struct backend *, bool handshake);
/* Mints the session id and enters it into the table. False: too many sessions. */
bool channel_open_session(struct channel *);
/* The session of that id if it belongs to this agent and backend, else NULL. */
struct channel *channel_find(struct app *, const struct agent *, const struct backend *, struct slice session);
/* Ends it: exchanges in flight are failed, the upstream session closed. */
void channel_close(struct channel *);

/*
 * The vault's side of the conversation is over: what is in flight fails. A channel that has introduced itself stays, and is
 * moved to a new trunk with its next message; others end.
 */
void channel_lost(struct channel *);
/* Moves it from a lost trunk to another; `revive`: introduces it to the vault again, under an id of our own. False: no memory. */
bool channel_move(struct channel *, bool revive);
/* Its upstream was configured anew: the conversation goes on with that one, introduced with its next message. */
void channel_rehome(struct channel *, struct backend *);
/* Remembers the initialize that goes up. False: no memory. */
bool channel_keep_hello(struct channel *, struct slice bytes);
/* It cannot be introduced again: when it is lost, it ends. The agent on stdio may have better luck another time. */
void channel_give_up(struct channel *);
/* Judges what the vault says by itself, for this channel's agent. */
void channel_judge_vault(struct channel *, const struct rpc *, struct arena *, struct judgement *);

/*
 * Something the vault says outside of a call, already judged for this agent: onto a stream, or kept until there is one.
 * False: too much is kept.
 */
bool channel_deliver(struct channel *, struct slice json);
/* The same for what is of no use later: only onto a stream that is open. */
void channel_tell_open(struct channel *, struct slice json);
/* A stream has come: what waited goes out. */
void channel_flush(struct channel *);
/*
 * A request of the vault: judged, noted so that the agent's answer will be let through once, and passed on: on the stream
 * `to`, or (NULL) like channel_deliver. Where that cannot be, the vault is told no.
 */
void channel_ask(struct channel *, struct reply *to, const struct rpc *, struct arena *);
/* The method the vault asked for under that id, forgotten by this; M_UNKNOWN when it never did. */
enum method channel_answered(struct channel *, struct slice id_key);

#endif
