/* List items with a path, as the catalog names them. */
#include "guards/docsel.h"
#include "guards/paths_parts.h"

struct items {
	struct paths *p;
	bool found, alone;
	bool member;         /* the selector ends in a member: no item of a list, so it cannot be cut out */
	uint64_t seen, cut;
};

struct item {
	struct paths *p;
	bool outside, named;
	struct slice path;   /* the last one it was judged by */
};

bool paths_are_relative(const struct paths *p)
{
	for (size_t i = 0; p->rule && i < p->rule->out.n_paths; i++)
		for (size_t k = 0; k < p->rule->out.paths[i].n; k++)
			if (p->rule->out.paths[i].parts[k].kind == PART_ARG)
				return true;
	return false;
}

static bool on_path(void *ctx, struct slice text)
{
	struct item *it = ctx;

	it->named = true;
	it->path = text;
	if (!scope_joined_in(&it->p->scope, text, memchr(text.p, '*', text.n) ? SCOPE_PATTERN : SCOPE_ONE))
		it->outside = true;
	return !it->outside;
}

/* Judges one item by every template. Unreadable is outside. */
static void judge_item(struct item *it, struct doc *d, uint32_t tok)
{
	const struct call *c = it->p->call;
	const struct out_rule *out = &it->p->rule->out;
	struct template_scope scope = { .json = &d->json, .root = tok };

	if (c && c->args_json && c->args != JSON_NONE) {
		scope.args_json = c->args_json;
		scope.args_root = c->args;
	}
	for (size_t i = 0; i < out->n_paths && !it->outside; i++) {
		bool missing = false, bad = false;
		enum err e = template_each(&out->paths[i], &scope, d->arena, on_path, it, &missing, &bad);

		if (e == E_NOMEM)
			it->p->err = e;
		if (e != E_OK || bad)
			it->outside = true;
	}
}

/* `/v1/secrets/a/b` in the row of a/b names nothing else. */
static bool repeats(struct slice text, struct slice path)
{
	return path.n && slice_ends(text, path) && (text.n == path.n || text.p[text.n - path.n - 1] == '/' || path.p[0] == '/');
}

/*
 * What the item's path is made of was judged with it. Its other members may still name something else; where the paths
 * are relative they mean nothing by themselves.
 */
static enum err mark_judged(const struct item *it, struct doc *d, const struct found *f)
{
	const struct out_rule *out = &it->p->rule->out;
	enum err e = E_OK;

	if (!it->named || f->is_name || paths_are_relative(it->p) || !json_is(&d->json, f->tok, JSON_OBJECT))
		return doc_mark(d, f->tok, DOC_ITEM);
	for (size_t i = 0; i < out->n_paths; i++)
		for (size_t k = 0; k < out->paths[i].n && e == E_OK; k++)
			if (out->paths[i].parts[k].kind == PART_REF)
				e = docsel_mark(d, f->tok, &out->paths[i].parts[k].ref, DOC_ITEM);
	for (uint32_t t = f->tok; t < d->json.tok[f->tok].next && e == E_OK; t++)
		if (json_is(&d->json, t, JSON_STRING) && repeats(json_string(&d->json, t, d->arena), it->path))
			e = doc_mark_one(d, t, DOC_ITEM);
	return e;
}

static bool on_item(void *ctx, struct doc *d, const struct found *f)
{
	struct items *s = ctx;
	struct item it = { .p = s->p };

	s->found = true;
	s->seen++;
	if (doc_has(d, f->tok, DOC_GONE))
		return true;
	judge_item(&it, d, f->tok);
	/* Without a path of its own an item is judged by its members, unless those mean nothing by themselves. */
	if (!it.named && !it.outside) {
		if (!paths_are_relative(s->p))
			return true;
		it.outside = true;
	}
	if (!it.outside) {
		s->p->err = mark_judged(&it, d, f);
	} else if (s->member || f->holder == JSON_NONE) {
		s->alone = true;
	} else {
		s->p->err = doc_remove(d, f->tok);
		s->cut++;
	}
	return s->p->err == E_OK && !s->alone;
}

static bool on_container(void *ctx, struct doc *d, const struct found *f)
{
	struct items *s = ctx;

	if (json_is(&d->json, f->tok, JSON_ARRAY) || json_is(&d->json, f->tok, JSON_OBJECT))
		s->found = true;
	return true;
}

/* An empty list is a list too. */
static enum err find_container(struct items *s, struct doc *d, uint32_t root, const struct selector *sel)
{
	struct selector outer = *sel;
	enum step_kind last = sel->n ? sel->steps[sel->n - 1].kind : STEP_MEMBER;

	if (s->found || (last != STEP_ITEMS && last != STEP_VALUES && last != STEP_NAMES))
		return E_OK;
	outer.n--;
	return docsel_each(d, root, &outer, on_container, NULL, s);
}

struct counting {
	struct items *items;
	bool span;
};

static bool on_count(void *ctx, struct doc *d, const struct found *f)
{
	struct counting *c = ctx;
	struct paths *p = c->items->p;

	if (c->span)
		p->err = f->holder == JSON_NONE ? E_OK : doc_remove(d, f->tok);
	else
		p->err = doc_count_less(d, f->tok, c->items->cut);
	return p->err == E_OK;
}

static void correct_counts(struct items *s, struct doc *d, uint32_t root)
{
	const struct out_rule *out = &s->p->rule->out;
	struct counting c = { .items = s, .span = filter_has_cursor(d, root) };
	struct filter f = { .totals_span = c.span };

	if (out->n_counts == 0)
		filter_totals(&f, d, root, s->seen, s->cut);
	for (size_t i = 0; i < out->n_counts && s->p->err == E_OK && f.err == E_OK; i++)
		f.err = docsel_each(d, root, &out->counts[i], on_count, NULL, &c);
	if (f.err != E_OK)
		s->p->err = f.err;
}

enum items_found paths_items(struct paths *p, struct doc *d, uint32_t root)
{
	struct items s = { .p = p };
	const struct out_rule *out = p->rule ? &p->rule->out : NULL;

	if (!out || out->n_items == 0 || out->n_paths == 0)
		return ITEMS_NONE;
	for (size_t i = 0; i < out->n_items && p->err == E_OK && !s.alone; i++) {
		const struct selector *sel = &out->items[i];
		enum step_kind last = sel->n ? sel->steps[sel->n - 1].kind : STEP_MEMBER;
		s.member = last == STEP_MEMBER || last == STEP_JSON;
		enum err e = docsel_each(d, root, sel, on_item, NULL, &s);
		if (e == E_OK)
			e = find_container(&s, d, root, sel);
		if (e != E_OK)
			p->err = e;
	}
	p->removed += s.cut;
	if (s.alone || p->err != E_OK)
		return ITEMS_ALONE;
	if (s.found)
		correct_counts(&s, d, root);
	return s.found ? ITEMS_FOUND : ITEMS_NONE;
}
