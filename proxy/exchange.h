/*
 * The waist: one request in flight. It alone sees both a verdict and a vault.
 *
 *   NEW -> WAITING -> SENT -> ANSWERING -> DONE        or DENIED | FAILED | CANCELLED
 *                      PARKED                            its stream broke off, and may be taken up again (resume.h)
 *
 * WAITING is for the vault: to tell its tools, without which a call cannot be judged, or to be introduced to (trunk.h).
 * exchange_move is the one function that changes the state; every exchange ends exactly once, and its memory is wiped then.
 */
#ifndef NARROWGATE_PROXY_EXCHANGE_H
#define NARROWGATE_PROXY_EXCHANGE_H

#include "guards/judge.h"
#include "proxy/audit.h"
#include "proxy/channel.h"
#include "proxy/resume.h"

enum exchange_state { X_NEW, X_WAITING, X_SENT, X_PARKED, X_ANSWERING, X_DONE, X_DENIED, X_FAILED, X_CANCELLED };
enum exchange_kind { XK_REQUEST, XK_NOTIFICATION, XK_ANSWER, XK_LISTEN };

struct exchange {
	struct exchange_base base;          /* first */
	enum exchange_state state;
	enum exchange_kind kind;
	struct app *app;
	struct channel *channel;
	struct exchange *next, *prev;       /* on the trunk */
	struct config *config;              /* the one it began under */
	struct config *judged_by;           /* the one whose catalog and pins its call points into; a later one when it waited over a reload */
	const struct policy *policy;
	struct reply *reply;                /* NULL when nobody waits any more */
	struct upstream_call *ucall;
	struct reading *reading;            /* a long message of it is being worked through (proxy/reading.h) */
	struct upstream_end late_end;       /* the vault's side ended meanwhile */
	bool has_late_end;
	const struct ask *ask;              /* until the request is sent: what it came with */
	struct reply deaf;                  /* takes the place of a reply that nobody waits for any more */
	struct rpc rpc;
	struct call *call;
	struct judgement judgement;
	struct slice id;                    /* as the agent wrote it */
	struct slice id_key;                /* the same in rpc_id_key's spelling; empty for what is no request */
	struct slice upstream_id;           /* key under which it went up */
	struct slice progress;              /* key of its progress token as the agent wrote it; empty: none */
	struct slice upstream_progress;
	struct slice version;               /* revision header of this message */
	struct slice traceparent;
	struct slice params;                /* Mcp-Param-* fields that came with a stateless request; empty: none */
	enum method method;
	uint64_t deadline_ms;               /* loop time; 0: none */
	uint64_t began_us, sent_us, answered_us, judged_us;
	int upstream_status;
	unsigned agreed;                    /* subscription: the lists of whose changes it is told (proxy/changed.h) */
	bool value_open;                    /* counted in backend.open_value_calls */
	bool paused;
	bool wants_tools;                   /* waiting: for the vault's tool list, else for its introduction */
	bool fetched;                       /* the tool list was fetched for it once */
	bool audited;
	bool streaming;
	struct resume resume;
	struct slice after;                 /* listen: the vault's id of the event behind which the stream goes on; empty: anew */
	struct arena arena;
};

/*
 * Starts an exchange for one message that came over `channel`. `rpc` was parsed from ask->body in `x->arena`.
 * The reply may be answered before this returns.
 */
struct exchange *exchange_new(struct app *, const struct ask *, struct reply *);
void exchange_start(struct exchange *, struct channel *);
/* A GET stream (or stdio's standing ear) on a channel; last_event_id: one that is to be taken up, empty: none. */
void exchange_listen(struct exchange *, struct channel *, struct slice last_event_id);
/* Stdio: the agent has said that it is initialized, so its standing ear may open the vault's GET stream. */
void exchange_open_ear(struct channel *);
/* Ends an exchange that never got a channel: its reply is answered by the caller. */
void exchange_discard(struct exchange *);

/* The agent has closed the stream of a stateless request, which cancels it on both hops. */
void exchange_abandon(struct exchange *);

/* Ends a subscription that is open, gracefully: its stream ends, the vault is told. */
void exchange_end_subscription(struct exchange *);

/* The vault's own tools/list has been read (or could not be): judge again. */
void exchange_resume_judging(struct exchange *, bool ok);
/* The vault has been introduced to: judged and sent like any other. */
void exchange_go_on(struct exchange *);
/* When its time is over, in loop time; UINT64_MAX: not now, since it waits for its own agent. */
uint64_t exchange_due_ms(const struct exchange *);
/* Ends it from outside: channel closed, session lost, drain over. */
void exchange_fail(struct exchange *, int status, int code, const char *text);
/* The deadline has passed. */
void exchange_timeout(struct exchange *);
/* The agent said notifications/cancelled for it. */
void exchange_cancelled(struct exchange *);
/* A notification of the vault that belongs to this exchange (progress): judged, and sent before the answer. */
void exchange_hear(struct exchange *, const struct rpc *, struct arena *);

/* The view a guard gets of this agent at this moment; `arena` holds what it makes. */
void exchange_view(const struct channel *, const struct policy *, struct arena *, struct view *out);

#endif
