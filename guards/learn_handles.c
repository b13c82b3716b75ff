/* Which handles an answer hands out, and what each stands for. */
#include "guards/learn.h"

/* A name that stands for more paths than this is refused wherever it is used: nobody can say which is meant. */
#define MAX_HANDLE_PATHS 16

struct paths {
	struct path v[MAX_HANDLE_PATHS];
	size_t n;
	bool unclear; /* too many, or one that cannot be read */
};

struct learning {
	struct ledger *ledger;
	const struct view *view;
	const struct call *call;
	const struct give_rule *give;
	const struct json *json;   /* document and value the give's selectors start from */
	uint32_t root;
	enum err err;
};

static void add_path(struct paths *p, const struct path *path)
{
	for (size_t i = 0; i < p->n; i++)
		if (slice_eq(p->v[i].text, path->text))
			return;
	if (p->n == MAX_HANDLE_PATHS)
		p->unclear = true;
	else
		p->v[p->n++] = *path;
}

/* --- what the handle stands for ------------------------------------------------------------------------------- */

struct making {
	struct learning *l;
	struct paths *out;
};

static bool on_path(void *ctx, struct slice text)
{
	struct making *m = ctx;
	struct path path;
	enum path_fault fault = path_canonical(&path, text, false, m->l->view->arena);

	if (fault == PATH_NOMEM)
		m->l->err = E_NOMEM;
	else if (fault != PATH_OK)
		m->out->unclear = true;
	else
		add_path(m->out, &path);
	return m->l->err == E_OK;
}

static void make_paths(struct learning *l, const struct template *t, size_t n, const struct json *json, uint32_t beside,
	struct paths *out)
{
	struct making m = { l, out };
	struct template_scope scope = { json, beside, l->call->args_json, l->call->args };
	bool missing = false, bad = false;

	for (size_t i = 0; i < n && l->err == E_OK; i++)
		if (template_each(&t[i], &scope, l->view->arena, on_path, &m, &missing, &bad) == E_NOMEM)
			l->err = E_NOMEM;
	out->unclear |= bad || (missing && out->n == 0);
}

struct item_search {
	const struct found *handle;
	uint32_t item;
};

static bool on_item(void *ctx, const struct found *item)
{
	struct item_search *s = ctx;

	if (item->json == s->handle->json && item->tok <= s->handle->tok &&
		s->handle->tok < item->json->tok[item->tok].next)
		s->item = item->tok;
	return s->item == JSON_NONE;
}

/* The list item the handle stands in; JSON_NONE when it stands in none. */
static uint32_t item_of(struct learning *l, const struct found *handle)
{
	struct item_search s = { handle, JSON_NONE };
	const struct out_rule *out = &l->call->rule->out;

	for (size_t i = 0; i < out->n_items && s.item == JSON_NONE; i++)
		if (selector_each(&out->items[i], l->json, l->root, l->view->arena, on_item, &s) == E_NOMEM)
			l->err = E_NOMEM;
	return s.item;
}

/* The paths of the call itself: of a listing they say nothing about one item. */
static void call_paths(const struct call *c, struct paths *out)
{
	for (size_t i = 0; i < c->n_paths; i++) {
		if (c->paths[i].fault == PATH_OK && !c->paths[i].absent)
			add_path(out, &c->paths[i].path);
		else
			out->unclear = true;
	}
}

static void paths_of(struct learning *l, const struct found *handle, struct paths *out)
{
	const struct rule *rule = l->call->rule;
	uint32_t item = JSON_NONE;

	*out = (struct paths){ .n = 0 };
	if (handle && l->give->n_paths) {
		make_paths(l, l->give->paths, l->give->n_paths, handle->json, handle->holder, out);
		return;
	}
	if (handle && rule->out.n_items)
		item = item_of(l, handle);
	if (item != JSON_NONE && rule->out.n_paths)
		make_paths(l, rule->out.paths, rule->out.n_paths, handle->json, item, out);
	else
		call_paths(l->call, out);
}

static struct slice tenant_of(const struct learning *l)
{
	for (size_t i = 0; i < l->call->n_tenants; i++)
		if (!l->call->tenants[i].partner)
			return l->call->tenants[i].text;
	return l->view->policy->tenant.text;
}

/* --- how long ------------------------------------------------------------------------------------------------- */

struct ttl_search {
	struct learning *l;
	const struct found *handle;
	struct slice text;
	bool beside;       /* found in the object the handle stands in */
};

static bool on_ttl(void *ctx, const struct found *f)
{
	struct ttl_search *s = ctx;
	bool text = json_is(f->json, f->tok, JSON_STRING);
	bool beside = s->handle && f->json == s->handle->json && f->holder == s->handle->holder;

	if (!text && !json_is(f->json, f->tok, JSON_NUMBER))
		return true;
	if (s->text.p && !beside)
		return true;
	s->text = text ? json_string(f->json, f->tok, s->l->view->arena) : json_raw(f->json, f->tok);
	if (!s->text.p)
		s->l->err = E_NOMEM;
	return s->text.p && !beside;
}

static uint64_t expires_of(struct learning *l, const struct found *handle)
{
	struct ttl_search s = { .l = l, .handle = handle };

	if (l->give->ttl.n == 0 || !l->json)
		return 0;
	if (selector_each(&l->give->ttl, l->json, l->root, l->view->arena, on_ttl, &s) == E_NOMEM)
		l->err = E_NOMEM;
	return s.text.p ? expiry_ms(s.text, l->view->now_ms) : 0;
}

/* --- keeping -------------------------------------------------------------------------------------------------- */

static bool all_inside(const struct policy *p, const struct paths *paths)
{
	for (size_t i = 0; policy_locks_paths(p) && i < paths->n; i++)
		if (policy_judge_path(p, &paths->v[i], NULL) != PATHS_IN)
			return false;
	return true;
}

/* The paths the name stood for before are added: it need not be unique. */
static void add_known(struct learning *l, const struct handle *h, struct paths *paths)
{
	const struct handle *had = ledger_find(l->ledger, h->upstream, h->kind, h->text, l->view->now_ms);

	for (size_t i = 0; had && i < had->n_paths; i++)
		add_path(paths, &had->paths[i]);
}

/* What cannot be given a path is as good as never given; what lies outside would be refused when it comes back. */
static void keep(struct learning *l, struct slice text, const struct found *found)
{
	struct handle h = { .upstream = l->view->upstream, .kind = l->give->kind, .text = text, .tenant = tenant_of(l),
		.uses_left = l->give->uses, .expires_ms = expires_of(l, found) };
	struct paths paths;

	paths_of(l, found, &paths);
	if (l->err != E_OK || text.n == 0)
		return;
	if (l->give->adds)
		add_known(l, &h, &paths);
	else if (paths.unclear || !all_inside(l->view->policy, &paths))
		return;
	/* A name with one unclear path is unclear as a whole, also where it was known before. */
	if (paths.unclear)
		h.expires_ms = 1;
	h.paths = paths.v;
	h.n_paths = paths.n;
	l->err = ledger_learn(l->ledger, &h, l->view->now_ms);
}

static bool on_handle(void *ctx, const struct found *found)
{
	struct learning *l = ctx;

	if (json_is(found->json, found->tok, JSON_STRING)) {
		struct slice text = json_string(found->json, found->tok, l->view->arena);
		if (!text.p)
			l->err = E_NOMEM;
		else
			keep(l, text, found);
	} else if (json_is(found->json, found->tok, JSON_NUMBER)) {
		keep(l, json_raw(found->json, found->tok), found);
	}
	return l->err == E_OK;
}

static void learn_text(struct learning *l, struct slice text)
{
	size_t from = 0, start, end, a, b;
	bool overrun = false;

	while (l->err == E_OK && from <= text.n && regex_match(l->give->regex, text, from, &start, &end, &overrun)) {
		if (!regex_group(l->give->regex, "h", &a, &b)) {
			a = start;
			b = end;
		}
		keep(l, slice_make(text.p + a, b - a), NULL);
		from = end > start ? end : end + 1;
	}
}

/* The payload as text, for patterns. */
static struct slice payload_text(const struct payload *p)
{
	return p->root != JSON_NONE && p->doc->kind == DOC_JSON ? json_source(&p->doc->json, p->root) : p->doc->text;
}

static void learn_payload(struct learning *l, const struct payload *p)
{
	bool json = p->doc->kind == DOC_JSON && p->root != JSON_NONE;

	l->json = json ? &p->doc->json : NULL;
	l->root = p->root;
	if (l->give->regex) {
		learn_text(l, p->doc->before);
		learn_text(l, payload_text(p));
	} else if (json) {
		if (selector_each(&l->give->at, l->json, l->root, l->view->arena, on_handle, l) == E_NOMEM)
			l->err = E_NOMEM;
	}
}

/* A handle is used when the vault took it: an error may leave it as it was. */
static void count_uses(struct ledger *ledger, const struct view *v, const struct call *c)
{
	for (size_t i = 0; i < c->n_handles; i++) {
		const struct handle_fact *f = &c->handles[i];
		const struct handle *h = ledger_find(ledger, v->upstream, f->kind, f->text, v->now_ms);

		if (h)
			ledger_use(ledger, h);
	}
}

enum err handles_learn(struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c,
	const struct result *r)
{
	struct learning l = { .ledger = ledger, .view = v, .call = c };

	(void)book;
	if (!r->is_error)
		count_uses(ledger, v, c);
	for (size_t g = 0; c->rule && g < c->rule->n_gives; g++) {
		l.give = &c->rule->gives[g];
		if (l.give->in_error != r->is_error)
			continue;
		/* Of what stands beside the data only an error's own data counts. */
		for (size_t i = 0; i < r->n_payloads && l.err == E_OK; i++)
			if (r->payloads[i].kind != PAYLOAD_EXTRA || r->is_error)
				learn_payload(&l, &r->payloads[i]);
	}
	return l.err;
}
