#include "guards/ledger.h"

#include "base/buf.h"
#include "base/table.h"
#include "base/wipe.h"

#define MAX_KEY (64 * 1024)

struct ledger {
	struct table *handles; /* by upstream, kind and text */
	struct fingerprints *values;
};

/* Lengths first, so that no two triples make the same key. */
static enum err make_key(struct buf *key, struct slice upstream, struct slice kind, struct slice text)
{
	buf_init(key, MAX_KEY);
	buf_add_fmt(key, "%zu.%zu.", upstream.n, kind.n);
	buf_add(key, upstream);
	buf_add(key, kind);
	buf_add(key, text);
	return key->failed;
}

struct ledger *ledger_create(size_t max_handles)
{
	struct ledger *l = wipe_calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->handles = table_create(max_handles, wipe_free);
	l->values = fingerprints_create(FINGERPRINTS_VALUES, FINGERPRINTS_PIECES);
	if (l->handles && l->values)
		return l;
	ledger_free(l);
	return NULL;
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	table_free(l->handles);
	fingerprints_free(l->values);
	wipe_free(l);
}

static size_t copy_size(const struct handle *h)
{
	size_t n = sizeof *h + h->n_paths * sizeof *h->paths + h->upstream.n + h->kind.n + h->text.n + h->tenant.n +
		h->call.n;

	for (size_t i = 0; i < h->n_paths; i++)
		n += h->paths[i].text.n + h->paths[i].folded.n;
	return n;
}

static struct slice put(char **at, struct slice s)
{
	struct slice kept = { *at, s.n };

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return kept;
}

/* One block holds the handle, its paths and all their bytes. */
static struct handle *copy_handle(const struct handle *h)
{
	struct handle *copy = wipe_malloc(copy_size(h));

	if (!copy)
		return NULL;
	struct path *paths = (struct path *)(copy + 1);
	char *at = (char *)(paths + h->n_paths);
	*copy = *h;
	copy->paths = paths;
	copy->upstream = put(&at, h->upstream);
	copy->kind = put(&at, h->kind);
	copy->text = put(&at, h->text);
	copy->tenant = put(&at, h->tenant);
	copy->call = put(&at, h->call);
	for (size_t i = 0; i < h->n_paths; i++) {
		paths[i].text = put(&at, h->paths[i].text);
		paths[i].folded = put(&at, h->paths[i].folded);
	}
	return copy;
}

enum err ledger_learn(struct ledger *l, const struct handle *h, uint64_t now_ms)
{
	struct buf key;
	enum err e = make_key(&key, h->upstream, h->kind, h->text);
	struct handle *copy = e == E_OK ? copy_handle(h) : NULL;

	if (e == E_OK && !copy)
		e = E_NOMEM;
	if (e == E_OK) {
		e = table_put(l->handles, buf_slice(&key), copy, h->expires_ms, now_ms);
		if (e != E_OK)
			wipe_free(copy);
	}
	buf_finish(&key);
	return e;
}

const struct handle *ledger_find(
	const struct ledger *l, struct slice upstream, struct slice kind, struct slice text, uint64_t now_ms)
{
	struct buf key;
	const struct handle *h = NULL;

	if (make_key(&key, upstream, kind, text) == E_OK)
		h = table_get(l->handles, buf_slice(&key), now_ms);
	buf_finish(&key);
	return h;
}

void ledger_use(struct ledger *l, const struct handle *h)
{
	struct buf key;

	if (h->uses_left == 0 || make_key(&key, h->upstream, h->kind, h->text) != E_OK)
		return;
	if (h->uses_left == 1) {
		table_remove(l->handles, buf_slice(&key));
	} else {
		struct handle *own = table_get(l->handles, buf_slice(&key), 0);
		if (own)
			own->uses_left--;
	}
	buf_finish(&key);
}

size_t ledger_count(const struct ledger *l)
{
	return table_count(l->handles);
}

struct fingerprints *ledger_values(struct ledger *l)
{
	return l->values;
}

const struct fingerprints *ledger_known_values(const struct ledger *l)
{
	return l->values;
}
