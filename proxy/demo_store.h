/*
 * The demo vault's memory: sample secrets of two tenants, leases. Nothing here is a real credential.
 */
#ifndef NARROWGATE_PROXY_DEMO_STORE_H
#define NARROWGATE_PROXY_DEMO_STORE_H

#include <stdint.h>
#include "base/slice.h"

#define DEMO_MAX_SECRETS 256
#define DEMO_MAX_LEASES 256
#define DEMO_MAX_VALUE (64 * 1024)

struct demo_secret {
	struct slice tenant, path, type, value; /* owned */
	unsigned version;
	bool used;
};

struct demo_lease {
	char handle[40];
	size_t secret;
	uint64_t expires_ms;
	bool used;
};

struct demo_store {
	struct demo_secret secrets[DEMO_MAX_SECRETS];
	size_t n;
	struct demo_lease leases[DEMO_MAX_LEASES];
	size_t n_leases;
};

/* Fills in the samples; false without memory. */
bool demo_store_init(struct demo_store *);
void demo_store_finish(struct demo_store *);

/* The secret of that path; an empty tenant means the first tenant that has it. NULL when there is none. */
struct demo_secret *demo_find(struct demo_store *, struct slice tenant, struct slice path);
/* Writes a new version, or a new secret (empty tenant: acme; empty type: kept, or "text"). NULL: full or no memory. */
struct demo_secret *demo_write(struct demo_store *, struct slice tenant, struct slice path, struct slice type, struct slice value);
void demo_delete(struct demo_secret *);
/* A single-use lease of ttl_ms; NULL when there are too many. */
const struct demo_lease *demo_lease(struct demo_store *, const struct demo_secret *, uint64_t ttl_ms, uint64_t now_ms);
/* Redeems: the secret, once; NULL when unknown, used or expired. */
const struct demo_secret *demo_redeem(struct demo_store *, struct slice handle, uint64_t now_ms);

#endif
