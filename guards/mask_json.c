/* Values in JSON: what the catalog points at, and what the names of members say. */
#include "guards/docsel.h"
#include "guards/mask_text.h"
#include "guards/mask_walk.h"
#include "guards/names.h"
#include "guards/response.h"

static void note(struct mask *m, enum err e)
{
	if (m->err == E_OK)
		m->err = e;
}

static void mask_leaf(struct mask *m, struct doc *d, uint32_t tok)
{
	switch (json_type(&d->json, tok)) {
	case JSON_STRING:
		note(m, doc_set_string(d, tok, SL(MASK_MARKER)));
		break;
	case JSON_NUMBER:
		note(m, doc_set_raw(d, tok, SL("0")));
		break;
	case JSON_TRUE:
		note(m, doc_set_raw(d, tok, SL("false")));
		break;
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
}

void mask_all(struct mask *m, struct doc *d, uint32_t tok)
{
	for (uint32_t t = tok; t < d->json.tok[tok].next; t++)
		if (!(d->json.tok[t].flags & JSON_NAME))
			mask_leaf(m, d, t);
}

/* A secret that is a member's name: the first of an object becomes the marker, others would be duplicates and go. */
static void mask_name(struct mask *m, struct doc *d, const struct found *f)
{
	const struct json *j = &d->json;

	for (uint32_t t = json_first(j, f->holder); t < f->tok; t = j->tok[t + 1].next)
		if (doc_has(d, t, DOC_SET)) {
			note(m, doc_remove(d, f->tok));
			return;
		}
	if (!doc_has(d, f->tok, DOC_GONE))
		note(m, doc_set_string(d, f->tok, SL(MASK_MARKER)));
}

static bool on_value(void *ctx, struct doc *d, const struct found *f)
{
	struct mask *m = ctx;

	if (f->is_name)
		mask_name(m, d, f);
	else
		mask_all(m, d, f->tok);
	return m->err == E_OK;
}

/* A string that should hold JSON with values and does not: cannot be taken apart, so it goes. */
static bool on_broken(void *ctx, struct doc *d, uint32_t tok)
{
	mask_all(ctx, d, tok);
	return true;
}

/* --- what the catalog says ---------------------------------------------------------------------------------------- */

/* The members an item's path is made of stay readable: without them nobody knows what was listed. */
static bool on_item(void *ctx, struct doc *d, const struct found *f)
{
	struct mask *m = ctx;

	for (size_t i = 0; i < m->out->n_paths; i++)
		for (size_t k = 0; k < m->out->paths[i].n; k++) {
			const struct template_part *part = &m->out->paths[i].parts[k];
			/* {.} of an object would keep all of it. */
			bool names = part->ref.n > 0 || f->is_name || json_is(&d->json, f->tok, JSON_STRING);
			if (part->kind == PART_REF && names)
				note(m, docsel_mark(d, f->tok, &part->ref, DOC_KEEP));
		}
	return m->err == E_OK;
}

static void keep_known(struct mask *m, struct doc *d, uint32_t root)
{
	const struct rule *r = m->rule;

	for (size_t i = 0; i < m->out->n_keep; i++)
		note(m, docsel_mark(d, root, &m->out->keep[i], DOC_KEEP));
	if (!m->bears)
		return;
	for (size_t i = 0; i < m->out->n_items && m->out->n_paths; i++)
		note(m, docsel_each(d, root, &m->out->items[i], on_item, NULL, m));
	for (size_t i = 0; i < m->out->n_counts; i++)
		note(m, docsel_mark(d, root, &m->out->counts[i], DOC_KEEP));
	for (size_t i = 0; i < r->n_gives; i++)
		if (!r->gives[i].regex && r->gives[i].at.n)
			note(m, docsel_mark(d, root, &r->gives[i].at, DOC_KEEP));
}

static void apply_catalog(struct mask *m, struct doc *d, uint32_t root)
{
	for (size_t i = 0; i < m->out->n_values; i++)
		note(m, docsel_each(d, root, &m->out->values[i], on_value, on_broken, m));
	/* An environment given as JSON: every name is a variable, none is metadata. */
	if (m->out->as == OUT_ENV && m->out->n_values == 0)
		mask_all(m, d, root);
	keep_known(m, d, root);
	for (size_t i = 0; i < m->out->n_items && !m->bears; i++)
		note(m, docsel_mark_way(d, root, &m->out->items[i], DOC_WALK));
}

/* --- what the names say ------------------------------------------------------------------------------------------- */

/* Where a leaf stands. */
struct place {
	enum name_class class; /* of the nearest member name; array items inherit it */
	struct slice name;
	bool under_value;      /* some name above is a value's */
	bool under_meta;       /* some name above is `metadata` */
	bool all_values;       /* below what the vault calls its data, of which no catalog knows more */
};

/* A member the call's own path or handle arguments are made of. */
static bool names_path(const struct mask *m, struct slice name)
{
	const struct rule *r = m->rule;

	for (size_t i = 0; r && i < r->n_paths; i++)
		if (template_mentions(&r->paths[i], name))
			return true;
	for (size_t i = 0; r && i < r->n_takes; i++)
		if (selector_mentions(&r->takes[i].arg, name))
			return true;
	return false;
}

static enum name_class class_of(struct mask *m, struct doc *d, uint32_t name_tok, struct slice name)
{
	enum name_class c = names_class(m->view, name);

	if (c == NAME_PLAIN && (d->json.tok[name_tok].flags & JSON_NOT_ASCII))
		c = mask_name_class_any(name, d->arena);
	if (c == NAME_PLAIN && m->view->catalog && m->view->catalog->vocabulary.values.n &&
		words_have(&m->view->catalog->vocabulary.values, name))
		c = NAME_VALUE;
	return c;
}

/*
 * `data: {…}` of an answer that bears values holds the secret's own fields, whatever they are called, unless a
 * catalog says where they are. `secret: {…}` is the envelope around it more often than not.
 */
static bool holds_fields(const struct mask *m, const struct place *p)
{
	bool described = m->out && m->out->n_values;
	return m->bears && !described && p->class == NAME_VALUE && !slice_eq_nocase(p->name, SL("secret"));
}

/* Where everything goes that is not known: does this leaf stay? */
static bool is_metadata(const struct mask *m, const struct json *j, uint32_t tok, const struct place *p)
{
	if (p->all_values)
		return false;
	switch (p->class) {
	case NAME_META:
	case NAME_META_MAP:
	case NAME_PROSE:
		return true;
	case NAME_FLAG:
		return json_is(j, tok, JSON_TRUE);
	case NAME_PLAIN:
		return p->under_meta || names_path(m, p->name);
	case NAME_VALUE:
	case NAME_VALUEISH:
	case NAME_LENGTH:
		return false;
	}
	return false;
}

/* Where everything stays that is not known: does this leaf go? */
static bool is_value(const struct mask *m, struct doc *d, uint32_t tok, const struct place *p)
{
	if (p->under_value)
		return !is_metadata(m, &d->json, tok, p);
	if (p->class == NAME_VALUEISH)
		return json_is(&d->json, tok, JSON_STRING);
	if (!json_is(&d->json, tok, JSON_STRING))
		return false;
	struct slice text = json_string(&d->json, tok, d->arena);
	return !text.p || (slice_starts(text, SL("-----BEGIN ")) && slice_find(text, SL(" PRIVATE KEY")) >= 0);
}

static void walk(struct mask *m, struct doc *d, uint32_t tok, const struct place *p);

/* A string that stays: but what is written inside it may not. */
static void look_inside(struct mask *m, struct doc *d, uint32_t tok, const struct place *p)
{
	enum sentence kind = names_sentence(m->view, p->name);

	if (kind == SENTENCE_NONE) {
		struct slice text = json_string(&d->json, tok, d->arena);
		kind = doc_text_holds_json(text) ? SENTENCE_REPORT : SENTENCE_NONE;
		if (kind == SENTENCE_NONE && !doc_looks_json(d, tok) && !mask_may_hold_credentials(text))
			return;
	}
	struct doc *inner = doc_inside(d, tok, SL(""));
	if (!inner)
		note(m, doc_set_string(d, tok, SL(MASK_MARKER)));
	else if (inner->kind == DOC_JSON)
		walk(m, inner, 0, p);
	else if (kind != SENTENCE_NONE)
		mask_free_text(m, inner, kind == SENTENCE_REMARK);
	else if (mask_credentials(inner) == MASKED_NOMEM)
		m->err = E_NOMEM;
}

static void walk_leaf(struct mask *m, struct doc *d, uint32_t tok, const struct place *p)
{
	bool goes = m->bears ? !is_metadata(m, &d->json, tok, p) : is_value(m, d, tok, p);
	struct doc *inner = goes && json_is(&d->json, tok, JSON_STRING) ? doc_opened(d, tok) : NULL;

	if (inner && inner->kind == DOC_JSON)
		walk(m, inner, 0, p); /* the catalog knows what is in there */
	else if (goes)
		mask_leaf(m, d, tok);
	else if (json_is(&d->json, tok, JSON_STRING))
		look_inside(m, d, tok, p);
}

static void walk_member(struct mask *m, struct doc *d, uint32_t name, const struct place *p)
{
	struct place here = { .name = json_string(&d->json, name, d->arena) };

	if (!here.name.p) {
		m->err = E_NOMEM;
		return;
	}
	here.class = class_of(m, d, name, here.name);
	here.under_value = p->under_value || (here.class == NAME_VALUE && !doc_has(d, name + 1, DOC_WALK));
	here.under_meta = p->under_meta || here.class == NAME_META_MAP;
	here.all_values = p->all_values || holds_fields(m, &here);
	if (here.class == NAME_VALUE && doc_has(d, name + 1, DOC_WALK))
		here.class = NAME_PLAIN;
	walk(m, d, name + 1, &here);
}

static void walk_members(struct mask *m, struct doc *d, uint32_t obj, const struct place *p)
{
	const struct json *j = &d->json;

	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next && m->err == E_OK; t = j->tok[t + 1].next)
		walk_member(m, d, t, p);
}

/* Recursion is bounded by the reader's depth times DOC_MAX_DEPTH. */
static void walk(struct mask *m, struct doc *d, uint32_t tok, const struct place *p)
{
	const struct json *j = &d->json;

	arena_worked(d->arena, ARENA_STEP_TOKEN);
	if (doc_has(d, tok, DOC_GONE))
		return;
	if (json_is(j, tok, JSON_OBJECT)) {
		walk_members(m, d, tok, p);
	} else if (json_is(j, tok, JSON_ARRAY)) {
		for (uint32_t t = json_first(j, tok); t < j->tok[tok].next && m->err == E_OK; t = j->tok[t].next)
			walk(m, d, t, p);
	} else if (!doc_has(d, tok, DOC_SET | DOC_KEEP)) {
		walk_leaf(m, d, tok, p);
	}
}

void mask_names(struct mask *m, struct doc *d, uint32_t root)
{
	struct place nowhere = { .class = NAME_PLAIN };

	if (m->err == E_OK)
		walk(m, d, root, &nowhere);
}

void mask_member(struct mask *m, struct doc *d, uint32_t value)
{
	struct place nowhere = { .class = NAME_PLAIN };

	if (m->err == E_OK)
		walk_member(m, d, value - 1, &nowhere);
}

void mask_json(struct mask *m, struct doc *d, uint32_t root)
{
	if (m->out)
		apply_catalog(m, d, root);
	mask_names(m, d, root);
}
