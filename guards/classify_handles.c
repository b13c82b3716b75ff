#include "guards/facts.h"

struct taking {
	struct facts *f;
	const struct take_rule *take;
};

/* The ledger may forget it while the call is under way: the call keeps a copy. */
static const struct handle *copy_handle(struct facts *f, const struct handle *h, struct slice kind, struct slice text)
{
	struct handle *copy = ARENA_NEW(f->arena, struct handle);
	struct path *paths = arena_array(f->arena, h->n_paths, sizeof *paths);

	if (!copy || !paths) {
		f->nomem = true;
		return NULL;
	}
	*copy = *h;
	for (size_t i = 0; i < h->n_paths; i++) {
		paths[i].text = arena_dup(f->arena, h->paths[i].text);
		paths[i].folded = arena_dup(f->arena, h->paths[i].folded);
		f->nomem |= !paths[i].text.p || !paths[i].folded.p;
	}
	copy->kind = kind;
	copy->text = text;
	copy->paths = paths;
	copy->upstream = f->view->upstream;
	copy->tenant = arena_dup(f->arena, h->tenant);
	f->nomem |= !copy->tenant.p;
	return copy;
}

void classify_handle(struct facts *f, const struct take_rule *take, struct slice text)
{
	const struct view *v = f->view;
	struct handle_fact fact = { .kind = take->kind, .text = text, .from = take->arg.source };
	const struct handle *known = NULL;

	if (v->ledger)
		known = ledger_find(v->ledger, v->upstream, fact.kind, text, v->now_ms);
	if (known) {
		fact.known = copy_handle(f, known, fact.kind, text);
		if (!fact.known)
			return;
		for (size_t i = 0; i < fact.known->n_paths; i++)
			fact_path_known(f, &fact.known->paths[i], fact.from);
		if (fact.known->tenant.n)
			fact_tenant(f, fact.known->tenant, false, fact.from);
	}
	fact_handle(f, &fact);
}

/*
 * Whether a text that may be a name or a path is a path: folder and name. With outer slashes alone it is neither, for
 * without them it would be a name.
 */
static bool is_rooted(struct slice text)
{
	return text.n > 2 && memchr(text.p + 1, '/', text.n - 2) != NULL;
}

static bool on_handle(void *ctx, const struct found *found)
{
	struct taking *t = ctx;
	enum json_type type = json_type(found->json, found->tok);

	if (type == JSON_ARRAY || type == JSON_OBJECT) {
		fact_handle(t->f,
			&(struct handle_fact){ .kind = t->take->kind, .text = SL(""), .from = t->take->arg.source });
		return true;
	}
	struct slice text = facts_text(t->f, found->json, found->tok);
	if (t->take->strip.n && slice_starts(text, t->take->strip))
		text = slice_from(text, t->take->strip.n);
	if (t->take->rooted && is_rooted(text)) {
		fact_path(t->f, text, COVERS_ONE, t->take->arg.source);
		fact_path_at(t->f, found->json, found->tok);
	} else {
		classify_handle(t->f, t->take, text);
	}
	return !t->f->nomem;
}

static void take(struct taking *t, const struct args *a)
{
	if (!a->json)
		return;
	enum err e = selector_each(&t->take->arg, a->json, a->args, t->f->arena, on_handle, t);
	if (e == E_NOMEM)
		t->f->nomem = true;
	else if (e != E_OK)
		facts_fault(t->f, R_MESSAGE, t->take->arg.source);
}

void classify_handles(struct facts *f, const struct rule *rule, const struct args *a, size_t n)
{
	for (size_t i = 0; i < rule->n_takes; i++)
		for (size_t k = 0; k < n; k++)
			take(&(struct taking){ f, &rule->takes[i] }, &a[k]);
}
