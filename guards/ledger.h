/*
 * What one agent has been given by the vaults: handles, each with the paths and tenant it stands for, and fingerprints of values.
 * Bounded, expiring; owned by the agent, shared by all its connections.
 */
#ifndef NARROWGATE_GUARDS_LEDGER_H
#define NARROWGATE_GUARDS_LEDGER_H

#include <stdint.h>
#include "base/err.h"
#include "guards/fingerprints.h"
#include "policy/path.h"

struct ledger;

struct ledger *ledger_create(size_t max_handles);
void ledger_free(struct ledger *);

struct handle {
	struct slice upstream, kind, text; /* text: without its strip prefix */
	const struct path *paths;          /* it stands for these; none: an opaque id of nothing with a path */
	size_t n_paths;
	struct slice tenant;
	struct slice call;                 /* of a task: the message that made it, without the values in it; else empty */
	uint64_t expires_ms;               /* wall clock; 0: never */
	unsigned uses_left;                /* 0: any number */
};

/* Copies everything; a handle already there is replaced. E_FULL, E_NOMEM. */
enum err ledger_learn(struct ledger *, const struct handle *, uint64_t now_ms);
/* NULL when never given, expired or used up. Owned by the ledger, valid until it changes. */
const struct handle *ledger_find(const struct ledger *, struct slice upstream, struct slice kind, struct slice text, uint64_t now_ms);
/* Counts one use; forgets the handle when it was the last. */
void ledger_use(struct ledger *, const struct handle *);
size_t ledger_count(const struct ledger *);

/* The values it was given. Owned by the ledger. */
struct fingerprints *ledger_values(struct ledger *);
const struct fingerprints *ledger_known_values(const struct ledger *);

#endif
