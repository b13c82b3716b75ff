/*
 * Between translate.c (which way), translate_probe.c, translate_call.c, translate_up.c (agents with a handshake before a stateless vault),
 * translate_down.c and translate_subscribe.c (stateless agents before a vault with a handshake); nobody else's.
 */
#ifndef NARROWGATE_UPSTREAM_TRANSLATE_INSIDE_H
#define NARROWGATE_UPSTREAM_TRANSLATE_INSIDE_H

#include "mcp/translate.h"
#include "upstream/vault.h"

#define TRANSLATE_ARENA_BYTES (256u * 1024 * 1024)
#define MAX_ROUNDS 16        /* of one call */
#define MAX_QUESTIONS 8      /* of one round */
#define MAX_PARKED 16        /* calls of a conversation whose agent is asked */
#define PARKED_MS (5 * 60 * 1000)
#define MAX_SUBSCRIBED 64
#define TRANSLATE_NO_STATE "requestState is unknown or too old: call again without it"

/* What a call is to the translation. */
enum part {
	PART_HELLO,  /* an agent's initialize: as it is, or answered from a discovery */
	PART_UP,     /* to a stateless vault */
	PART_DOWN,   /* to a vault with a handshake */
	PART_EAR,    /* the standing stream, or a subscription */
	PART_NATIVE, /* had to wait, and both speak the same */
};

/* A question of a stateless vault, on its way to the agent. */
struct question {
	struct buf name, id, answer; /* its member's name; the id under which the agent is asked; JSON text when it has come */
};

struct tcall {
	struct upstream_call_base base;
	struct translated *owner;
	struct tcall *next, *prev;
	struct upstream_sink sink;
	struct task task;            /* tells what is in `say`, then the end, if there is one */
	enum part part;
	enum method method;
	struct upstream_call *inner;
	struct buf body;             /* the agent's message */
	struct buf id;               /* as the agent wrote it */
	struct buf inner_id;         /* as the vault knows it */
	struct buf progress;         /* DOWN: the agent's token; empty: none */
	struct buf version, traceparent, mirror;
	struct buf say;              /* for the agent; empty: nothing */
	struct upstream_end end;
	uint64_t limit_ms;
	bool waits;                  /* for what is found out first */
	bool streams;                /* `stream` is to be told before anything else */
	bool ends;                   /* `end` is to be told */
	bool answered;               /* the agent has its answer: what comes behind it is nobody's */
	bool wants_logs;             /* DOWN */
	unsigned able;               /* DOWN: what its agent can be asked */
	bool busy;                   /* its user is being told something, and may cancel it there */
	bool gone;                   /* has done so */

	/* UP: rounds */
	struct question *questions;
	size_t n_questions;
	struct buf state;            /* JSON text */
	unsigned rounds;

	/* DOWN: a call that waits for its agent */
	struct buf token;            /* in requestState; empty: it does not wait */
	struct buf vault_id;         /* of what the vault asks */
	unsigned char same[32];      /* what the next round must repeat */
	uint64_t parked_until_ms;

	bool deaf;                   /* EAR: the vault has no subscriptions */
	/* EAR of a stateless agent: what it was promised */
	unsigned lists;
	struct buf uris[MAX_SUBSCRIBED];
	size_t n_uris;
};

enum down_state { DOWN_STRANGER, DOWN_GREETING, DOWN_READY };

struct translated {
	struct upstream base;
	struct vault *vault;
	struct upstream *inner;
	struct upstream_events events;
	struct tcall *calls, *last;
	uint64_t next_id;
	struct upstream_call *probe;
	uv_timer_t *timer;           /* to the end of the probe's or the greeting's time: only over HTTP do calls end by themselves */
	bool exits;                  /* a program that the probe has ended: it has a handshake */
	struct buf discovered;       /* the answer to it, a whole message; empty: none */

	bool up;                     /* an agent with a handshake, a stateless vault */
	struct buf version, client_info, client_capabilities, log_level; /* as that agent said; JSON texts but for the first */
	struct buf uris[MAX_SUBSCRIBED];
	size_t n_uris;

	enum down_state down;
	struct upstream_call *greeting, *ear;
	struct buf hello;            /* the vault's answer to initialize, a whole message */
	struct buf greeted_version;
	bool logs_set;
};

/* --- translate.c, translate_call.c ------------------------------------------------------------------------------------------------------ */

struct tcall *tcall_create(struct translated *, const struct upstream_request *, const struct upstream_sink *, enum part);
void tcall_free(struct tcall *);
/* Off its conversation's list, where it still is on it. */
void tcall_leave(struct tcall *);
void tcall_forget_questions(struct tcall *);
/* A message for the agent, from inside a callback of the vault's. False: the call is gone, perhaps the conversation too. */
bool tcall_tell(struct tcall *, struct slice json);
/* Its end, from inside one; the call is gone. */
void tcall_over(struct tcall *, const struct upstream_end *);
/* Sends `json` for it, as `inner_id` (JSON text of a string or number). False: no memory, and it was refused. */
bool tcall_send(struct tcall *, struct slice json, struct slice inner_id, struct slice version, struct slice mirror);
/* The call's answer, made here, and its end: both are told at the end of this round. An empty answer: the end alone. */
void tcall_answer(struct tcall *, struct slice json);
void tcall_fail(struct tcall *, enum upstream_outcome, int status);
/* The same with a JSON-RPC error of ours. */
void tcall_refuse(struct tcall *, int code, const char *text);
/* A number of our own, as JSON text. */
struct slice translate_next_id(struct translated *, struct arena *);
/* The revision agreed on with a vault that has a handshake. */
static inline struct slice translate_version(const struct translated *v)
{
	return buf_slice(&v->greeted_version);
}
/* Sends something that awaits no answer to the vault. */
void translate_say(struct translated *, struct slice json, struct slice version);
/* The buffer holds this and nothing else. */
void translate_set(struct buf *, struct slice);

/* --- translate_probe.c ------------------------------------------------------------------------------------------------ */

/* Asks the vault, once at a time; what waits goes on when it is known. */
void translate_probe(struct translated *);
/* What waited goes on, or (failed != NULL) fails. */
void translate_go_on(struct translated *, const struct upstream_end *failed);
/* From now on, the probe or the greeting has so long. */
void translate_wait(struct translated *, uint64_t limit_ms);

/* --- translate_up.c --------------------------------------------------------------------------------------------------- */

/* The vault has been discovered and the agent's initialize waits: it is answered. */
void up_hello(struct tcall *, struct arena *);
void up_message(struct tcall *, const struct rpc *, struct arena *);
/* The vault's side of a call is over. */
void up_end(struct tcall *, const struct upstream_end *);
/* Anything else of that agent. */
void up_send(struct tcall *, const struct rpc *, struct arena *);
void up_listen(struct tcall *);
void up_cancel(struct tcall *);
/* What the vault says outside of a call. */
void up_hear(struct translated *, const struct rpc *, struct arena *);

/* --- translate_down.c ------------------------------------------------------------------------------------------------- */

/* A message of a stateless agent, once the vault is known to have a handshake. */
void down_send(struct tcall *, const struct rpc *, struct arena *);
void down_cancel(struct tcall *);
void down_message(struct tcall *, const struct rpc *, struct arena *);
void down_end(struct tcall *, const struct upstream_end *);
/* What the vault says outside of a call. */
void down_hear(struct translated *, const struct rpc *, struct arena *);
/* The conversation with it is over. */
void down_forget(struct translated *);
/* The greeting's time is over: what waits for it fails. */
void down_give_up_greeting(struct translated *);
/* A further round: the parked call that goes on with it, or NULL, refused by name. */
struct tcall *down_resume(struct translated *, const struct rpc *, const struct upstream_request *, const struct upstream_sink *,
	struct arena *, const char **why);

/* --- translate_subscribe.c -------------------------------------------------------------------------------------------- */

/* The vault's standing stream, once: changes come there, and questions that a vault does not ask on a call's own. */
void down_open_ear(struct translated *);
/* A subscriptions/listen: what of it the vault offers is agreed to, and told of from now on. */
void down_subscribe(struct tcall *, const struct rpc *, struct arena *);
void down_unsubscribe(struct tcall *, struct arena *);
/* Something has changed: those are told who wanted to know. */
void down_hear_change(struct translated *, const struct rpc *, struct arena *);

#endif
