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
	uint64_t serial;                /* no other trunk of this process has it */
	uint64_t listen_again_ms;       /* loop time; 0: not */
	struct buf listen_last;         /* shared: the id of that stream's last event; empty: it begins anew */
	uint64_t listen_retry_ms;       /* shared: how long the vault's GET stream asked to wait; 0: it did not */
	unsigned offered;               /* the lists of whose changes the vault said it would tell (proxy/changed.h) */
	unsigned refs;                  /* channels on it, and whoever holds it for a while */
	bool shared;
	bool no_handshake;              /* of its own kind: a vault's process settles for one */
	bool initialized;               /* shared: notifications/initialized has gone up */
	bool lost;
};

/*
 * A new trunk, or the shared one of this backend that is not lost. A pipe to a vault whose revision knows no handshake is shared:
 * a connection is no conversation there. NULL when memory is out. To be joined at once.
 */
struct trunk *trunk_get(struct backend *, bool no_handshake);
/* The channel must leave it again; the last one ends it. */
void trunk_join(struct trunk *, struct channel *);
void trunk_leave(struct trunk *, struct channel *);
/* Keeps it while things end that may be the last on it. */
void trunk_hold(struct trunk *);
void trunk_release(struct trunk *);

/*
 * Whether the vault is just being introduced to, by us again, or by the first agent on a shared trunk: all others wait, so that
 * it happens once.
 */
bool trunk_introducing(const struct trunk *);
/* Whether an agent's initialize is on its way. */
bool trunk_greeted(const struct trunk *);
/* That is over: what waited goes on, oldest first, or fails. */
void trunk_introduced(struct trunk *, bool ok);
/* Remembers the vault's initialize result where the trunk is shared. False: no memory. */
bool trunk_keep_hello(struct trunk *, struct slice result);
/* The oldest exchange that waits for the vault's tools, or for its introduction; NULL: none. */
struct exchange *trunk_waiting(const struct trunk *, bool for_tools);
/* The vault's side of the conversation is over: every channel on it hears of it. It may be gone afterwards. */
void trunk_lose(struct trunk *);

/* Sends something that awaits no answer (a notification, an answer to the vault). Failures are the vault's loss. */
void trunk_tell(struct trunk *, struct slice body, struct slice version);
/* The vault asked on the stream of a request of our own: no agent is there to be asked. A ping is answered, all else declined. */
void trunk_answer_self(struct trunk *, const struct rpc *, struct arena *);
/* Opens the GET stream of a shared trunk, once. */
void trunk_listen(struct trunk *, struct slice version);
/* The standing GET stream ended: it is opened again in a while (0: in ours), if the vault offers one. */
void trunk_listen_later(struct trunk *, enum upstream_outcome, uint64_t wait_ms);
void trunk_listen_again(struct trunk *);
/* The progress token of a progress notification, in rpc_id_key's spelling; empty: none, or another notification. */
struct slice trunk_progress_key(const struct rpc *, struct arena *);
/* The subscription that a notification belongs to, likewise; empty: none. */
struct slice trunk_subscription_key(const struct rpc *, struct arena *);
/* The exchange of this trunk whose request went up under that id or progress token (rpc_id_key spelling), or NULL. */
struct exchange *trunk_find_progress(const struct trunk *, struct slice token_key);

#endif
