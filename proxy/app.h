/*
 * Everything that lives as long as the process: one struct, passed down; no globals. Two apps can run side by side in a test.
 */
#ifndef NARROWGATE_PROXY_APP_H
#define NARROWGATE_PROXY_APP_H

#include <uv.h>
#include "base/arena.h"
#include "base/seal.h"
#include "base/table.h"
#include "guards/names.h"
#include "policy/config.h"
#include "proxy/front.h"
#include "proxy/memory.h"

struct agent;
struct audit;
struct backend;
struct exchange;

/* Bounds that are not the operator's to set yet (one place for all). */
enum {
	MAX_SESSIONS = 256,             /* legacy sessions, over all agents */
	MAX_SESSIONS_PER_AGENT = 64,
	MAX_EXCHANGES_PER_CHANNEL = 256,
	MAX_ASKED = 64,                 /* requests of the vault that wait for the agent, per channel */
	MAX_WAITING_MESSAGES = 64,      /* messages of the vault that wait for a stream, per channel */
	MAX_WAITING_BYTES = 1024 * 1024,
	MAX_HANDLES = 10000,            /* per agent */
	MAX_TOOLS = 4096,               /* per vault */
	SESSION_IDLE_MS = 60 * 60 * 1000,
	CONNECT_TIMEOUT_MS = 10 * 1000,
	TELL_TIMEOUT_MS = 30 * 1000,    /* for the vault to take a notification or an answer */
	ASKED_MS = 10 * 60 * 1000,      /* for an agent (a human, perhaps) to answer the vault */
	EAR_AGAIN_MS = 5 * 1000,        /* until a GET stream that the vault has ended is opened again, where it does not say */
	EAR_MAX_MS = 10 * 60 * 1000,    /* what it may say at most */
	VALUE_ECHO_MS = 200,            /* after an answer with values, texts on other connections may still tell them */
	VALUE_LATE_MS = 60 * 1000,      /* the same after a call with values that was given up */
	MAX_UPSTREAM_CONNECTIONS = 512,
};

struct reading;

/* Long messages that are being worked through, in turn (proxy/reading.c). */
struct readings {
	struct reading *first, *last;
	uv_idle_t idle;             /* runs while there are any */
};

struct app {
	struct front front;             /* first: the transports' way in (proxy/sidecar.c) */
	uv_loop_t *loop;
	struct config *config;          /* the live one; exchanges hold references of their own */
	struct backend **backends;      /* one per configured upstream, in order */
	size_t n_backends;
	size_t n_closing;               /* backends that are on their way out */
	struct agent *agents;           /* list; an agent outlives reloads */
	struct table *sessions;         /* session id -> struct channel, not owned */
	struct audit *audit;
	struct exchange *free_exchanges;
	size_t n_free_exchanges;
	struct names names;             /* forgotten with every sweep */
	struct arena scratch;           /* for one incoming message at a time */
	struct readings readings;
	uv_timer_t sweep;               /* deadlines and idle sessions, every SWEEP_MS */
	uint64_t id_prefix, id_count;   /* of decision ids */
	uint64_t n_streams, n_trunks;   /* so far: their numbers (proxy/resume.c) */
	struct seal_key event_key;      /* seals the event ids that agents get */
	struct memory memory;
	bool draining;
	void (*closed)(void *ctx);      /* app_finish is under way */
	void *closed_ctx;
};

#define SWEEP_MS 250 /* granularity of deadlines */

/* The id of one decision: unique, not secret; 32 hex characters and a NUL. */
void app_decision_id(struct app *, char out[33]);

/* Milliseconds of the wall clock (expiry of handles) and microseconds of the monotonic one (latencies). */
uint64_t app_wall_ms(void);
uint64_t app_now_us(void);

/*
 * What an app needs before its listeners and its first configuration, which is borrowed. Starts no listener. False, with a
 * text in *why (static or in the scratch arena), when the audit file cannot be opened; app_finish is due all the same.
 */
bool app_init(struct app *, uv_loop_t *, const struct config *, struct slice *why);
/*
 * The first app_swap, and the clock of all that is done of its own accord. After the listeners, since what an upstream needs
 * takes long to load; nothing is read from an agent before the loop runs.
 */
bool app_start(struct app *, struct config *, struct slice *why);
/* Fails every request in flight: the drain period is over. */
void app_cut(struct app *);
/* Nothing new is begun, and subscriptions, which would never end, do. */
void app_drain(struct app *);
/* Closes all channels and vaults; `closed` is called once, when no handle is left on the loop. */
void app_finish(struct app *, void (*closed)(void *ctx), void *ctx);
/*
 * Swaps in a new configuration (reference taken over): agents keep their ledgers, upstreams that did not change keep
 * their conversations. False, with *why, when it cannot work: the old one stays.
 */
bool app_swap(struct app *, struct config *, struct slice *why);

/* Whether everything is in place: credential present, self-test passed, each upstream reached once, not draining. `line` is called for what is missing. */
bool app_ready(const struct app *, void (*line)(void *ctx, struct slice text), void *ctx);
/* Reads the upstreams' credentials again. */
void app_refresh_credentials(struct app *);
/* Requests in flight. */
size_t app_in_flight(const struct app *);

#endif
