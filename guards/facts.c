#include "guards/facts.h"

/* Makes room for one more element of `size` bytes; the new list or NULL. */
static void *grow(struct facts *f, const void *old, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return NULL;
	size_t more = *cap ? 2 * *cap : 4;
	void *v = arena_array(f->arena, more, size);
	if (!v) {
		f->nomem = true;
		return NULL;
	}
	if (n)
		memcpy(v, old, n * size);
	*cap = more;
	return v;
}

#define ADD(f, list, count, cap_of, value)                                                        \
	do {                                                                                       \
		void *grown = grow(f, (f)->call->list, (f)->call->count, &(f)->cap_of, sizeof(value)); \
		if (grown)                                                                         \
			(f)->call->list = grown;                                                   \
		if (!(f)->nomem)                                                                   \
			(f)->call->list[(f)->call->count++] = (value);                             \
	} while (0)

static void add_path(struct facts *f, struct path_fact fact)
{
	if (fact.fault == PATH_NOMEM)
		f->nomem = true;
	ADD(f, paths, n_paths, cap_paths, fact);
}

/* `a//b/` as `a/b`, for vaults that read it so. */
static struct slice fold_slashes(struct facts *f, struct slice raw)
{
	if (slice_find(raw, SL("//")) < 0)
		return raw;
	char *out = arena_alloc_raw(f->arena, raw.n);
	size_t n = 0;
	if (!out) {
		f->nomem = true;
		return raw;
	}
	for (size_t i = 0; i < raw.n; i++)
		if (raw.p[i] != '/' || n == 0 || out[n - 1] != '/')
			out[n++] = raw.p[i];
	return slice_make(out, n);
}

/*
 * Whether the bytes the agent wrote are another spelling than the path that is judged: an outer slash, letters that are
 * not composed. A prefix may end in a slash; a vault that folds slashes reads both the same.
 */
static bool is_respelled(struct facts *f, struct slice raw, const struct path_fact *fact)
{
	bool folds = f->view->catalog->fold_slashes;

	if (folds && raw.n && raw.p[0] == '/')
		raw = slice_from(raw, 1);
	if ((folds || fact->covers == COVERS_PREFIX) && raw.n && raw.p[raw.n - 1] == '/')
		raw.n--;
	if (fact->covers == COVERS_GLOB && fact->wild)
		return raw.p[0] == '/' || raw.p[raw.n - 1] == '/' || !slice_starts(raw, fact->path.text);
	return !slice_eq(raw, fact->path.text);
}

void fact_path(struct facts *f, struct slice raw, enum path_covers covers, struct slice from)
{
	struct path_fact fact = { .covers = covers, .from = from };

	if (f->view->catalog->fold_slashes)
		raw = fold_slashes(f, raw);
	if (covers == COVERS_GLOB)
		fact.fault = path_glob_base(&fact.path, raw, &fact.wild, f->arena);
	else
		fact.fault = path_canonical(&fact.path, raw, covers == COVERS_PREFIX, f->arena);
	fact.respelled = fact.fault == PATH_OK && is_respelled(f, raw, &fact);
	add_path(f, fact);
}

void fact_path_at(struct facts *f, const struct json *json, uint32_t tok)
{
	struct call *c = f->call;

	if (f->nomem || !c->n_paths || !json_is(json, tok, JSON_STRING) || (json->tok[tok].flags & JSON_NAME))
		return;
	c->paths[c->n_paths - 1].json = json;
	c->paths[c->n_paths - 1].tok = tok;
}

void fact_path_wide(struct facts *f, struct slice raw, struct slice from)
{
	bool star = raw.n && memchr(raw.p, '*', raw.n);

	fact_path(f, raw, star ? COVERS_GLOB : COVERS_PREFIX, from);
}

void fact_path_known(struct facts *f, const struct path *path, struct slice from)
{
	add_path(f, (struct path_fact){ .path = *path, .covers = COVERS_ONE, .from = from });
}

void fact_path_fault(struct facts *f, enum path_fault fault, struct slice from)
{
	add_path(f, (struct path_fact){ .path = { SL(""), SL("") }, .fault = fault, .from = from });
}

void fact_path_absent(struct facts *f, enum path_covers covers, struct slice from)
{
	add_path(f, (struct path_fact){ .path = { SL(""), SL("") }, .covers = covers, .absent = true, .from = from });
}

void fact_tenant(struct facts *f, struct slice text, bool partner, struct slice from)
{
	struct tenant_fact fact = { .text = text, .partner = partner, .from = from };

	if (!text.p)
		f->nomem = true;
	ADD(f, tenants, n_tenants, cap_tenants, fact);
}

void fact_handle(struct facts *f, const struct handle_fact *fact)
{
	ADD(f, handles, n_handles, cap_handles, *fact);
}

void fact_unknown(struct facts *f, struct slice name)
{
	ADD(f, unknown_args, n_unknown_args, cap_unknown, name);
}

struct slice facts_text(struct facts *f, const struct json *json, uint32_t tok)
{
	if (json_type(json, tok) != JSON_STRING)
		return json_raw(json, tok);
	struct slice s = json_string(json, tok, f->arena);
	if (!s.p) {
		f->nomem = true;
		return SL("");
	}
	return s;
}

void facts_fault(struct facts *f, enum reason reason, struct slice what)
{
	if (f->call->fault.kind != VERDICT_DENY)
		f->call->fault = deny(reason, what, (struct origin){ 0 });
}
