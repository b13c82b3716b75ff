/*
 * What a vault's conversations share, whatever the transport. One of `http` and `child` is set.
 */
#ifndef NARROWGATE_UPSTREAM_VAULT_H
#define NARROWGATE_UPSTREAM_VAULT_H

#include "base/arena.h"
#include "upstream/credential.h"
#include "upstream/pool.h"
#include "upstream/turn.h"
#include "upstream/upstream.h"

enum vault_era { VAULT_ERA_UNKNOWN, VAULT_HANDSHAKE, VAULT_STATELESS };

struct http_vault;
struct child_vault;
struct token;

/* What is read from a vault at once; also the most that has to be kept when a call is paused. */
#define VAULT_READ_BYTES (64 * 1024)

struct vault {
	uv_loop_t *loop;
	char *name;                    /* for the log; owned, NUL-terminated */
	struct turn turn;
	struct credential credential;
	struct token *token;           /* what gives the credential; NULL: it is read */
	size_t max_message_bytes;
	struct arena scratch;          /* for one message at a time */
	char *read_buffer;             /* VAULT_READ_BYTES; nothing in it outlives one read */
	struct http_vault *http;
	struct child_vault *child;
	bool translates;               /* see translate.h: */
	enum vault_era era;            /* as far as known */
	bool no_handshake;             /* it has refused an initialize */
	struct probe *probes;          /* list: told or cancelled before the vault goes */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* A probe under way. */
struct probe {
	struct task task;
	struct pool_want want;         /* HTTP: for a connection */
	struct vault *vault;
	struct probe *next, *prev;
	struct upstream_end end;
	void (*done)(void *ctx, const struct upstream_end *);
	void *ctx;
};

/* A conversation in the vault's own words. NULL when memory is out. */
struct upstream *vault_open_transport(struct vault *, const struct upstream_events *);

/* Tells the prober, at the end of this round, and forgets the probe. */
void probe_finish(struct probe *, enum upstream_outcome);

#endif
