/*
 * One conversation with a vault as the proxy sees it. Usually it belongs to one channel; where a catalog says that the server
 * stands one connection only, all channels share one trunk, and ids, progress tokens and cancels are made unique on it.
 */
#ifndef NARROWGATE_PROXY_TRUNK_H
#define NARROWGATE_PROXY_TRUNK_H

#include "mcp/rpc.h"
#include "proxy/backend.h"

struct trunk {
	struct backend *backend;
	struct upstream *up;
	struct trunk *next;             /* in the backend's list */
	struct channel *channels;       /* list */
	struct exchange *exchanges;     /* in flight, list */
	struct upstream_call *listen;   /* shared trunks: the one GET stream */
	struct fetch *fetch;            /* a tools/list of our own in flight */
	struct revival *revival;        /* an initialize of our own in flight */
	struct slice hello;             /* shared: the vault's initialize result, JSON text, owned; empty until it came */
	uint64_t next_id;
	unsigned refs;                  /* channels on it */
	bool shared;
	bool initialized;               /* shared: notifications/initialized has gone up */
	bool lost;
};

/* A new trunk, or the shared one of this backend that is not lost. NULL when memory is out. To be joined at once. */
struct trunk *trunk_get(struct backend *);
/* The channel must leave it again; the last one ends it. */
void trunk_join(struct trunk *, struct channel *);
void trunk_leave(struct trunk *, struct channel *);
/* Sends something that awaits no answer (a notification, an answer to the vault). Failures are the vault's loss. */
void trunk_tell(struct trunk *, struct slice body, struct slice version);
/* Opens the GET stream of a shared trunk, once. */
void trunk_listen(struct trunk *, struct slice version);
/* The exchange of this trunk whose request went up under that id or progress token (rpc_id_key spelling), or NULL. */
struct exchange *trunk_find_progress(const struct trunk *, struct slice token_key);

#endif
