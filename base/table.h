/*
 * A bounded hash table from byte strings to owned values, with expiry. Time is passed in, in milliseconds.
 * Keys are copied and wiped on removal; the hash is keyed, so an adversary cannot pick colliding keys.
 */
#ifndef NARROWGATE_BASE_TABLE_H
#define NARROWGATE_BASE_TABLE_H

#include <stdint.h>
#include "base/err.h"
#include "base/slice.h"

struct table;

/* `free_value` may be NULL. NULL when memory is out. */
struct table *table_create(size_t max_entries, void (*free_value)(void *));
void table_free(struct table *);

/*
 * Puts key -> value; expires_ms == 0 means never. A key already there is replaced (its old value freed).
 * A full table first drops what has expired at now_ms. E_FULL, E_NOMEM: the value is still the caller's.
 */
enum err table_put(struct table *, struct slice key, void *value, uint64_t expires_ms, uint64_t now_ms);
/* The value, or NULL when absent or expired at now_ms. Owned by the table. */
void *table_get(const struct table *, struct slice key, uint64_t now_ms);
/* Removes and frees; false when it was not there. */
bool table_remove(struct table *, struct slice key);
/* Removes without freeing the value, which becomes the caller's; NULL when it was not there. */
void *table_take(struct table *, struct slice key);
/* Counts, and walks, what has expired too until it is dropped. */
size_t table_count(const struct table *);
/* Calls `each` for every entry, in no order, until it returns false. The table must not be changed meanwhile. */
void table_each(const struct table *, bool (*each)(void *ctx, struct slice key, void *value), void *ctx);

#endif
