#include "proxy/demo_store.h"

#include <stdio.h>
#include "base/digest.h"
#include "base/wipe.h"

struct sample {
	const char *tenant, *path, *type, *value;
};

static const struct sample samples[] = {
	{ "acme", "integrations/salesforce/oauth", "oauth_token", "demo-sf-9Qm2vT7xLr4KpW8z" },
	{ "acme", "integrations/stripe/api-key", "api_key", "demo-stripe-Zk3JtY6uNq1HbV5c" },
	{ "acme", "integrations/smtp/password", "password", "demo-smtp-Wd8RfG2sXj9MlC4e" },
	{ "acme", "infra/db/primary/credentials", "db_credential", "postgresql://app:demo-db-Pv7TgB3nYh6KuD1a@db.internal:5432/main" },
	{ "acme", "apps/reporting/env", "env", "DB_HOST=db.internal\nDB_PASSWORD=demo-env-Lx5QwN8rTf2JzS7o\nSMTP_TOKEN=demo-env-Hc1EvM4yUk9GiB6p\n" },
	{ "globex", "integrations/stripe/api-key", "api_key", "demo-globex-Rn6XsA2kPd8VqF3w" },
	{ "globex", "infra/db/primary/credentials", "db_credential", "postgresql://app:demo-globex-Jt9ZlO5hCb7WmE4y@db.globex:5432/main" },
};

static struct slice own(struct slice s)
{
	char *copy = wipe_malloc(s.n + 1);

	if (!copy)
		return (struct slice){ NULL, 0 };
	memcpy(copy, s.p, s.n);
	copy[s.n] = 0;
	return slice_make(copy, s.n);
}

static void disown(struct slice *s)
{
	wipe_free((void *)(uintptr_t)s->p);
	*s = SL("");
	s->p = NULL;
}

bool demo_store_init(struct demo_store *s)
{
	*s = (struct demo_store){ 0 };
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		if (!demo_write(s, slice_of(samples[i].tenant), slice_of(samples[i].path), slice_of(samples[i].type), slice_of(samples[i].value)))
			return false;
	return true;
}

void demo_delete(struct demo_secret *secret)
{
	secret->used = false;
	disown(&secret->tenant);
	disown(&secret->path);
	disown(&secret->type);
	disown(&secret->value);
}

void demo_store_finish(struct demo_store *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->secrets[i].used)
			demo_delete(&s->secrets[i]);
}

struct demo_secret *demo_find(struct demo_store *s, struct slice tenant, struct slice path)
{
	for (size_t i = 0; i < s->n; i++) {
		struct demo_secret *secret = &s->secrets[i];

		if (secret->used && slice_eq(secret->path, path) && (!tenant.n || slice_eq(secret->tenant, tenant)))
			return secret;
	}
	return NULL;
}

static struct demo_secret *free_row(struct demo_store *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->secrets[i].used)
			return &s->secrets[i];
	return s->n < DEMO_MAX_SECRETS ? &s->secrets[s->n++] : NULL;
}

struct demo_secret *demo_write(struct demo_store *s, struct slice tenant, struct slice path, struct slice type, struct slice value)
{
	struct demo_secret *secret = demo_find(s, tenant, path);

	if (value.n > DEMO_MAX_VALUE)
		return NULL;
	if (secret) {
		disown(&secret->value);
		secret->value = own(value);
		secret->version++;
		return secret->value.p ? secret : NULL;
	}
	secret = free_row(s);
	if (!secret)
		return NULL;
	*secret = (struct demo_secret){
		.tenant = own(tenant.n ? tenant : SL("acme")), .path = own(path), .type = own(type.n ? type : SL("text")),
		.value = own(value), .version = 1, .used = true };
	if (secret->tenant.p && secret->path.p && secret->type.p && secret->value.p)
		return secret;
	demo_delete(secret);
	return NULL;
}

const struct demo_lease *demo_lease(struct demo_store *s, const struct demo_secret *secret, uint64_t ttl_ms, uint64_t now_ms)
{
	struct demo_lease *l = NULL;
	unsigned char random[16];

	for (size_t i = 0; i < s->n_leases && !l; i++)
		if (s->leases[i].used || s->leases[i].expires_ms <= now_ms)
			l = &s->leases[i];
	if (!l && s->n_leases < DEMO_MAX_LEASES)
		l = &s->leases[s->n_leases++];
	if (!l)
		return NULL;
	memcpy(l->handle, "lease_", 6);
	digest_random(random, sizeof random);
	digest_hex(random, sizeof random, l->handle + 6);
	l->secret = (size_t)(secret - s->secrets);
	l->expires_ms = now_ms + ttl_ms;
	l->used = false;
	return l;
}

const struct demo_secret *demo_redeem(struct demo_store *s, struct slice handle, uint64_t now_ms)
{
	for (size_t i = 0; i < s->n_leases; i++) {
		struct demo_lease *l = &s->leases[i];

		if (l->used || l->expires_ms <= now_ms || !slice_eq(slice_of(l->handle), handle))
			continue;
		l->used = true;
		return s->secrets[l->secret].used ? &s->secrets[l->secret] : NULL;
	}
	return NULL;
}
