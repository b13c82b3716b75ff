#include "guards/facts.h"

#define MAX_SEARCHES 64

struct making {
	struct facts *f;
	const struct args *a;
	const struct selector *ref; /* the only reference of the template; NULL: a path is joined or cut out */
	enum path_covers covers;
	struct slice from;
};

struct search {
	struct facts *f;
	struct slice text;
};

static bool is_taken(const struct call *c, const struct found *at)
{
	for (size_t i = 0; i < c->n_paths; i++)
		if (c->paths[i].json == at->json && c->paths[i].tok == at->tok)
			return true;
	return false;
}

/* Equal texts may stand in several places: each path takes one. */
static bool on_place(void *ctx, const struct found *found)
{
	struct search *s = ctx;
	bool here = json_is(found->json, found->tok, JSON_STRING) &&
		slice_eq(facts_text(s->f, found->json, found->tok), s->text) && !is_taken(s->f->call, found);

	if (here)
		fact_path_at(s->f, found->json, found->tok);
	return !here;
}

static bool on_path(void *ctx, struct slice text)
{
	struct making *m = ctx;
	struct call *c = m->f->call;

	fact_path(m->f, text, m->covers, m->from);
	/* Each search goes over all of the argument: of very many paths in another spelling the rest is refused. */
	if (m->ref && c->n_paths && c->paths[c->n_paths - 1].respelled && m->f->n_searched++ < MAX_SEARCHES) {
		struct search s = { m->f, text };
		selector_each(m->ref, m->a->json, m->a->args, m->f->arena, on_place, &s);
	}
	return !m->f->nomem;
}

/* How the refusal names the argument: by the reference, or for a join by the whole template. */
static struct slice template_from(const struct template *t)
{
	return t->n == 1 && t->parts[0].kind == PART_REF ? t->parts[0].ref.source : t->source;
}

static void make_paths(struct facts *f, const struct rule *rule, const struct template *t, const struct args *a)
{
	bool whole = t->n == 1 && t->parts[0].kind == PART_REF && !t->regex;
	struct making m = { f, a, whole ? &t->parts[0].ref : NULL, rule->covers, template_from(t) };
	struct template_scope scope = { a->json, a->args, a->json, a->args };
	bool missing = false, bad = false;
	enum err e = template_each(t, &scope, f->arena, on_path, &m, &missing, &bad);

	if (e == E_NOMEM)
		f->nomem = true;
	else if (e == E_TOO_MANY)
		fact_path_fault(f, PATH_TOO_LONG, m.from);
	else if (bad || e != E_OK)
		fact_path_fault(f, PATH_TYPE, m.from);
}

/*
 * A template that yields nothing names no path. When none yields anything, the call reaches everything (a listing
 * without a prefix), or it should have named a path: the guard sees that there is none.
 */
void classify_paths(struct facts *f, const struct rule *rule, const struct args *a, size_t n)
{
	size_t before = f->call->n_paths;

	for (size_t i = 0; i < rule->n_paths; i++)
		for (size_t k = 0; k < n; k++)
			make_paths(f, rule, &rule->paths[i], &a[k]);
	if (rule->n_paths && f->call->n_paths == before && (rule->path_optional || rule->covers == COVERS_PREFIX))
		fact_path_absent(f, rule->covers, template_from(&rule->paths[0]));
}
