#include "guards/docsel.h"

struct walk {
	bool (*each)(void *ctx, struct doc *, const struct found *);
	bool (*broken)(void *ctx, struct doc *, uint32_t tok);
	void *ctx;
	struct doc *doc;
	struct selector rest;  /* behind the first json(…) */
	bool has_rest;
	enum err err;
};

static bool on_found(void *ctx, const struct found *f)
{
	struct walk *w = ctx;

	if (!w->has_rest)
		return w->each(w->ctx, w->doc, f);
	struct doc *doc = w->doc;
	uint32_t root = f->tok;
	if (json_is(&doc->json, f->tok, JSON_STRING)) {
		doc = doc_inside(doc, f->tok, SL(""));
		root = 0;
	}
	if (!doc || doc->kind == DOC_TEXT)
		return w->broken ? w->broken(w->ctx, w->doc, f->tok) : true;
	w->err = docsel_each(doc, root, &w->rest, w->each, w->broken, w->ctx);
	return w->err == E_OK;
}

enum err docsel_each(struct doc *doc, uint32_t root, const struct selector *s,
	bool (*each)(void *ctx, struct doc *, const struct found *),
	bool (*broken)(void *ctx, struct doc *, uint32_t tok), void *ctx)
{
	struct walk w = { .each = each, .broken = broken, .ctx = ctx, .doc = doc };
	struct selector first = *s;

	for (size_t i = 0; i < s->n; i++) {
		if (s->steps[i].kind != STEP_JSON)
			continue;
		first.n = i;
		w.rest = (struct selector){ .source = s->source, .steps = s->steps + i + 1, .n = s->n - i - 1 };
		w.has_rest = true;
		break;
	}
	enum err e = selector_each(&first, &doc->json, root, doc->arena, on_found, &w);
	return e == E_OK ? w.err : e;
}

struct marking {
	unsigned marks;
	enum err err;
};

static bool mark_found(void *ctx, struct doc *doc, const struct found *f)
{
	struct marking *m = ctx;

	m->err = doc_mark(doc, f->tok, m->marks);
	return m->err == E_OK;
}

enum err docsel_mark(struct doc *doc, uint32_t root, const struct selector *s, unsigned marks)
{
	struct marking m = { .marks = marks };
	enum err e = docsel_each(doc, root, s, mark_found, NULL, &m);
	return e == E_OK ? m.err : e;
}

static bool mark_one(void *ctx, struct doc *doc, const struct found *f)
{
	struct marking *m = ctx;

	m->err = doc_mark_one(doc, f->tok, m->marks);
	return m->err == E_OK;
}

enum err docsel_mark_way(struct doc *doc, uint32_t root, const struct selector *s, unsigned marks)
{
	struct marking m = { .marks = marks };
	enum err e = E_OK;

	/* Each shorter selector finds the containers one level up. */
	for (size_t n = 1; n < s->n && e == E_OK && m.err == E_OK; n++) {
		struct selector part = *s;
		part.n = n;
		e = docsel_each(doc, root, &part, mark_one, NULL, &m);
	}
	return e == E_OK ? m.err : e;
}
