/*
 * One configured upstream while the process runs: the vault's transport, what is known of its tools, its catalog, and the
 * one conversation that all agents share where the server stands only one.
 */
#ifndef NARROWGATE_PROXY_BACKEND_H
#define NARROWGATE_PROXY_BACKEND_H

#include "base/log.h"
#include "guards/toolbook.h"
#include "proxy/app.h"
#include "upstream/upstream.h"

struct trunk;
struct channel;
struct era;

struct backend {
	struct app *app;
	struct config *config;                /* a reference: `conf` points into it */
	const struct upstream_config *conf;
	struct vault *vault;
	struct catalog *chosen;               /* picked by serverInfo.name; owned; NULL when the configuration names one */
	struct catalog *fallback;             /* generic, until one is chosen; owned */
	struct toolbook *tools;
	struct trunk *trunks;                 /* every conversation, list */
	struct channel *stateless;            /* list: one per agent, for vaults that give no session; each is on a trunk */
	bool gives_sessions;                  /* the vault handed out a session once: from then on one is required */
	const struct era *era;                /* the revision it last agreed to; NULL: it never did */
	/* How it answers, so that where we answer for it we do the same: */
	bool streams;                         /* initialize with an event stream */
	bool names_session;                   /* later requests with the session's id */
	bool reached;                         /* probed with success once since start */
	bool probing;
	size_t open_value_calls;              /* value-bearing calls in flight, over all agents */
	uint64_t values_until_ms;             /* loop time until which those that ended may still be spoken of */
	uint64_t next_probe_ms;
	enum upstream_outcome probed;         /* what the last probe that was told of came to; UP_DONE: none was */
	struct log_limit warnings;            /* of backend_warn */
	struct log_limit changes;             /* of backend_tell_pins */
};

/* NULL with a text in *why (static). Takes a reference of the configuration. */
struct backend *backend_create(struct app *, struct config *, const struct upstream_config *, const char **why);
/* Points it at the same upstream in a new configuration; false when it differs in anything the wire or the catalog depends on. */
bool backend_rebind(struct backend *, struct config *, const struct upstream_config *);
/*
 * It goes, and `heir` is the same upstream configured anew: the agent on stdio, who cannot begin again, goes on with that, and what was
 * pinned at first sight stays pinned, unless it is another server now.
 */
void backend_hand_over(struct backend *, struct backend *heir);
/* Ends its conversations and frees it; `closed` (may be NULL) is called when no handle is left. */
void backend_free(struct backend *, void (*closed)(void *ctx), void *ctx);
const struct catalog *backend_catalog(const struct backend *);
/* Its catalog is known: the configuration names it, or the vault said who it is. */
bool backend_is_met(const struct backend *);
/* Whether it is a process on a pipe. */
bool backend_is_pipe(const struct backend *);
/* False when the catalog that was chosen takes the tenant from a header, and the locked one is not what is sent. */
bool backend_holds_tenant(const struct backend *, const struct policy *);
/* The vault said who it is: chooses the catalog when the configuration names none. The first answer counts. */
void backend_met(struct backend *, struct slice server_name);
/* Probes the vault now and then until it was reached once. */
void backend_tick(struct backend *, uint64_t now_ms);
/* A warning about what the vault sent, its name before it; a vault that causes many is not written about without end. */
void backend_warn(struct backend *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Writes what its pins have to tell: one line for each definition that changed. */
void backend_tell_pins(struct backend *);
/* The backend of a name; empty: the only one. NULL when there is none, or several and no name. */
struct backend *backend_find(struct app *, struct slice name);

#endif
