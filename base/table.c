#include "base/table.h"

#include <stdlib.h>
#include "base/digest.h"
#include "base/wipe.h"

enum { FIRST_BUCKETS = 16 };

struct entry {
	struct entry *next; /* in the same bucket */
	uint64_t hash;
	uint64_t expires_ms; /* 0: never */
	void *value;
	size_t key_n;
	char key[];
};

struct table {
	struct entry **buckets;
	size_t mask; /* buckets, a power of two, less one */
	size_t count, max;
	uint64_t oldest_ms; /* no entry expires before this; 0: none expires */
	uint64_t key[2];
	void (*free_value)(void *);
};

struct table *table_create(size_t max_entries, void (*free_value)(void *))
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->buckets = calloc(FIRST_BUCKETS, sizeof(*t->buckets));
	if (!t->buckets) {
		free(t);
		return NULL;
	}
	t->mask = FIRST_BUCKETS - 1;
	t->max = max_entries;
	t->free_value = free_value;
	digest_random(t->key, sizeof(t->key));
	return t;
}

static void free_value(const struct table *t, void *value)
{
	if (t->free_value && value)
		t->free_value(value);
}

/* Takes the entry that *at points to out of the table and frees it; the value is the caller's. */
static void *unlink_entry(struct table *t, struct entry **at)
{
	struct entry *e = *at;
	void *value = e->value;

	*at = e->next;
	t->count--;
	wipe(e, sizeof(*e) + e->key_n);
	free(e);
	return value;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i <= t->mask; i++)
		while (t->buckets[i])
			free_value(t, unlink_entry(t, &t->buckets[i]));
	free(t->buckets);
	wipe(t, sizeof(*t));
	free(t);
}

/* Where the pointer to the entry of `key` stands; it points to NULL when there is none. */
static struct entry **find(const struct table *t, struct slice key, uint64_t hash)
{
	struct entry **at = &t->buckets[hash & t->mask];

	while (*at && ((*at)->hash != hash || !slice_eq(slice_make((*at)->key, (*at)->key_n), key)))
		at = &(*at)->next;
	return at;
}

static bool is_expired(const struct entry *e, uint64_t now_ms)
{
	return e->expires_ms && e->expires_ms <= now_ms;
}

static void note_expiry(struct table *t, uint64_t expires_ms)
{
	if (expires_ms && (!t->oldest_ms || expires_ms < t->oldest_ms))
		t->oldest_ms = expires_ms;
}

/* Drops what has expired. A full table that nobody can empty is not walked again before its next entry is due. */
static void drop_expired(struct table *t, uint64_t now_ms)
{
	if (!t->oldest_ms || t->oldest_ms > now_ms)
		return;
	t->oldest_ms = 0;
	for (size_t i = 0; i <= t->mask; i++) {
		struct entry **at = &t->buckets[i];
		while (*at) {
			if (is_expired(*at, now_ms)) {
				free_value(t, unlink_entry(t, at));
			} else {
				note_expiry(t, (*at)->expires_ms);
				at = &(*at)->next;
			}
		}
	}
}

/* Twice the buckets. Without memory for them the chains just get longer. */
static void grow(struct table *t)
{
	size_t mask = t->mask * 2 + 1;
	struct entry **wider = calloc(mask + 1, sizeof(*wider));

	if (!wider)
		return;
	for (size_t i = 0; i <= t->mask; i++) {
		while (t->buckets[i]) {
			struct entry *e = t->buckets[i];
			t->buckets[i] = e->next;
			e->next = wider[e->hash & mask];
			wider[e->hash & mask] = e;
		}
	}
	free(t->buckets);
	t->buckets = wider;
	t->mask = mask;
}

static enum err add(struct table *t, struct slice key, uint64_t hash, void *value, uint64_t expires_ms)
{
	struct entry *e = key.n > SIZE_MAX / 2 ? NULL : malloc(sizeof(*e) + key.n), **bucket;

	if (!e)
		return E_NOMEM;
	if (t->count > t->mask)
		grow(t);
	bucket = &t->buckets[hash & t->mask];
	*e = (struct entry){ .next = *bucket, .hash = hash, .expires_ms = expires_ms, .value = value, .key_n = key.n };
	if (key.n)
		memcpy(e->key, key.p, key.n);
	*bucket = e;
	t->count++;
	note_expiry(t, expires_ms);
	return E_OK;
}

enum err table_put(struct table *t, struct slice key, void *value, uint64_t expires_ms, uint64_t now_ms)
{
	uint64_t hash = digest_sip(t->key, key);
	struct entry *e = *find(t, key, hash);

	if (!e) {
		if (t->count >= t->max)
			drop_expired(t, now_ms);
		return t->count >= t->max ? E_FULL : add(t, key, hash, value, expires_ms);
	}
	if (e->value != value)
		free_value(t, e->value);
	e->value = value;
	e->expires_ms = expires_ms;
	note_expiry(t, expires_ms);
	return E_OK;
}

void *table_get(const struct table *t, struct slice key, uint64_t now_ms)
{
	const struct entry *e = *find(t, key, digest_sip(t->key, key));

	return e && !is_expired(e, now_ms) ? e->value : NULL;
}

bool table_remove(struct table *t, struct slice key)
{
	struct entry **at = find(t, key, digest_sip(t->key, key));

	if (!*at)
		return false;
	free_value(t, unlink_entry(t, at));
	return true;
}

void *table_take(struct table *t, struct slice key)
{
	struct entry **at = find(t, key, digest_sip(t->key, key));

	return *at ? unlink_entry(t, at) : NULL;
}

size_t table_count(const struct table *t)
{
	return t->count;
}

void table_each(const struct table *t, bool (*each)(void *ctx, struct slice key, void *value), void *ctx)
{
	for (size_t i = 0; i <= t->mask; i++)
		for (const struct entry *e = t->buckets[i]; e; e = e->next)
			if (!each(ctx, slice_make(e->key, e->key_n), e->value))
				return;
}
