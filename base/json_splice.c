/*
 * The original bytes with edits. Edits are put in the order of the text, then the text is copied once; what an edit
 * drops is stepped over. `done` tells everything: what lies before it is written or dropped.
 */
#include <stdlib.h>
#include "base/json_parts.h"

#define FEW_CHANGES 16

/* An edit at its place in the text. Edits share a place only when they are of one token, or inserts into one object. */
struct change {
	uint32_t at;
	uint32_t order; /* in which the edits were asked for */
	struct json_edit edit;
};

struct splice {
	const struct json *j;
	struct buf *out;
	struct arena *arena; /* of the edits */
	const struct change *v;
	uint32_t n;
	uint32_t done;
	uint32_t gone_end;  /* where the child removed last ended, */
	bool gone_leading;  /* and whether all before it in its container are removed as well */
	uint32_t filled;    /* the object that was inserted into last, or JSON_NONE */
};

/* --- collecting edits --------------------------------------------------------------------------------------------- */

void json_edits_init(struct json_edits *e, struct arena *arena)
{
	*e = (struct json_edits){ .arena = arena };
}

static enum err edits_add(struct json_edits *e, struct json_edit edit)
{
	if (e->n == e->cap) {
		uint32_t cap = e->cap ? 2 * e->cap : 8;
		struct json_edit *v = arena_array(e->arena, cap, sizeof(*v));
		if (!v)
			return E_NOMEM;
		if (e->n)
			memcpy(v, e->v, e->n * sizeof(*v));
		e->v = v;
		e->cap = cap;
	}
	e->v[e->n++] = edit;
	return E_OK;
}

enum err json_edit_string(struct json_edits *e, uint32_t tok, struct slice text)
{
	return edits_add(e, (struct json_edit){ .tok = tok, .kind = JSON_EDIT_STRING, .with = text });
}

enum err json_edit_raw(struct json_edits *e, uint32_t tok, struct slice raw)
{
	return edits_add(e, (struct json_edit){ .tok = tok, .kind = JSON_EDIT_RAW, .with = raw });
}

enum err json_edit_remove(struct json_edits *e, uint32_t tok)
{
	return edits_add(e, (struct json_edit){ .tok = tok, .kind = JSON_EDIT_REMOVE });
}

enum err json_edit_insert(struct json_edits *e, uint32_t obj, struct slice name, struct slice raw)
{
	struct json_edit edit = { .tok = obj, .kind = JSON_EDIT_INSERT };

	edit.name = arena_dup(e->arena, name);
	edit.with = arena_dup(e->arena, raw);
	return edit.name.p && edit.with.p ? edits_add(e, edit) : E_NOMEM;
}

/* --- the order of the text ---------------------------------------------------------------------------------------- */

static bool is_name(const struct json *j, uint32_t tok)
{
	return j->tok[tok].flags & JSON_NAME;
}

static enum err change_place(const struct json *j, struct change *c)
{
	struct json_edit *e = &c->edit;

	if (e->tok >= j->n)
		return E_INVALID;
	if (e->kind == JSON_EDIT_REMOVE && e->tok == 0)
		return E_INVALID;
	if (e->kind == JSON_EDIT_REMOVE && is_name(j, e->tok - 1))
		e->tok--; /* a member is removed whole */
	if (e->kind == JSON_EDIT_INSERT && !json_is(j, e->tok, JSON_OBJECT))
		return E_INVALID;
	c->at = j->tok[e->tok].off;
	if (e->kind == JSON_EDIT_INSERT)
		c->at += j->tok[e->tok].len - 1;
	return E_OK;
}

static int change_compare(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool is_escaped_name(const struct json_token *t)
{
	return (t->flags & (JSON_NAME | JSON_ESCAPED)) == (JSON_NAME | JSON_ESCAPED);
}

static uint32_t count_escaped_names(const struct json *j)
{
	uint32_t n = 0;

	for (uint32_t t = 0; j->escaped_names && t < j->n; t++)
		n += is_escaped_name(&j->tok[t]);
	return n;
}

static bool in_order(const struct change *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (change_compare(&v[i - 1], &v[i]) > 0)
			return false;
	return true;
}

/* Mostly they come in order, or are few. */
static void changes_sort(struct change *v, uint32_t n)
{
	if (in_order(v, n))
		return;
	if (n > FEW_CHANGES) {
		qsort(v, n, sizeof(*v), change_compare);
		return;
	}
	for (uint32_t i = 1; i < n; i++) {
		struct change c = v[i];
		uint32_t k = i;
		for (; k > 0 && change_compare(&v[k - 1], &c) > 0; k--)
			v[k] = v[k - 1];
		v[k] = c;
	}
}

/* The edits, and before them one for each escaped name, sorted by place; in `few` when that is enough. */
static enum err changes_make(const struct json *j, const struct json_edits *e, struct change few[FEW_CHANGES],
	struct change **out, uint32_t *n)
{
	uint32_t escaped = count_escaped_names(j), at = 0;
	size_t all = (size_t)e->n + escaped;
	struct change *v = all <= FEW_CHANGES ? few : arena_array(e->arena, all, sizeof(*v));
	enum err err = v ? E_OK : E_NOMEM;

	for (uint32_t t = 0; err == E_OK && at < escaped; t++) {
		if (!is_escaped_name(&j->tok[t]))
			continue;
		v[at].edit = (struct json_edit){ .tok = t, .kind = JSON_EDIT_STRING };
		v[at].edit.with = json_string(j, t, e->arena);
		err = v[at++].edit.with.p ? E_OK : E_NOMEM;
	}
	for (uint32_t i = 0; err == E_OK && i < e->n; i++)
		v[at++].edit = e->v[i];
	for (uint32_t i = 0; err == E_OK && i < at; i++) {
		v[i].order = i;
		err = change_place(j, &v[i]);
	}
	if (err == E_OK)
		changes_sort(v, at);
	*out = v;
	*n = at;
	return err;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static enum err copy_to(struct splice *s, uint32_t to)
{
	enum err e = to > s->done ? buf_add(s->out, slice_make(s->j->text.p + s->done, to - s->done)) : E_OK;

	s->done = to;
	return e;
}

/* Copies up to `from`, and drops what lies between it and `to`. */
static enum err cut(struct splice *s, uint32_t from, uint32_t to)
{
	enum err e = copy_to(s, from);

	s->done = to;
	return e;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Offset of the last byte before `at` that is no space. There is one: only children of containers are asked about. */
static uint32_t byte_before(const struct json *j, uint32_t at)
{
	do
		at--;
	while (is_space(j->text.p[at]));
	return at;
}

static uint32_t byte_behind(const struct json *j, uint32_t at)
{
	while (is_space(j->text.p[at]))
		at++;
	return at;
}

/* Where a token begins and ends in the text, quotes included. */
static uint32_t source_start(const struct json *j, uint32_t tok)
{
	return (uint32_t)(json_source(j, tok).p - j->text.p);
}

static uint32_t source_end(const struct json *j, uint32_t tok)
{
	return source_start(j, tok) + (uint32_t)json_source(j, tok).n;
}

/* In parts, for the text of a long document takes a while. */
static enum err add_string(struct splice *s, struct slice text)
{
	enum err e = buf_add_char(s->out, '"');

	for (; e == E_OK && text.n; text = slice_from(text, ARENA_STEP_BYTES)) {
		struct slice part = slice_head(text, ARENA_STEP_BYTES);

		e = buf_add_json_text(s->out, part);
		if (text.n > part.n)
			arena_worked(s->arena, part.n);
	}
	return e == E_OK ? buf_add_char(s->out, '"') : e;
}

static enum err apply_replace(struct splice *s, const struct json_edit *edit)
{
	enum err e = cut(s, source_start(s->j, edit->tok), source_end(s->j, edit->tok));

	if (e != E_OK)
		return e;
	return edit->kind == JSON_EDIT_STRING ? add_string(s, edit->with) : buf_add(s->out, edit->with);
}

/* The comma in front goes where a child before this one stays, else the one behind: none is left over, nor missing. */
static enum err apply_remove(struct splice *s, uint32_t tok)
{
	uint32_t from = source_start(s->j, tok), to = source_end(s->j, is_name(s->j, tok) ? tok + 1 : tok);
	uint32_t before = byte_before(s->j, from), behind = byte_behind(s->j, to);
	enum err e = E_OK;

	s->gone_leading = s->j->text.p[before] != ',' || before < s->done;
	s->gone_end = to;
	if (!s->gone_leading)
		e = cut(s, before, before + 1);
	if (e == E_OK)
		e = cut(s, from, to);
	if (e == E_OK && s->gone_leading && s->j->text.p[behind] == ',')
		e = cut(s, behind, behind + 1);
	return e;
}

static bool is_removed(const struct splice *s, uint32_t name)
{
	bool removed = false;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->v[i].edit.tok == name)
			removed = s->v[i].edit.kind == JSON_EDIT_REMOVE;
	return removed;
}

/* Whether a later insert into the same object has the same name. */
static bool is_outdone(const struct splice *s, uint32_t i)
{
	for (uint32_t k = i + 1; k < s->n && s->v[k].at == s->v[i].at; k++)
		if (slice_eq(s->v[k].edit.name, s->v[i].edit.name))
			return true;
	return false;
}

static enum err apply_insert(struct splice *s, uint32_t i)
{
	const struct json_edit *edit = &s->v[i].edit;
	uint32_t there = json_member(s->j, edit->tok, edit->name);
	uint32_t before = byte_before(s->j, s->v[i].at);
	bool empty = before == s->j->tok[edit->tok].off || (before + 1 == s->gone_end && s->gone_leading);
	enum err e;

	if (is_outdone(s, i))
		return E_OK;
	if (there != JSON_NONE && !is_removed(s, there - 1))
		return E_DUPLICATE;
	e = copy_to(s, s->v[i].at);
	if (e == E_OK && (!empty || s->filled == edit->tok))
		e = buf_add_char(s->out, ',');
	if (e == E_OK)
		e = buf_add_json_string(s->out, edit->name);
	if (e == E_OK)
		e = buf_add_char(s->out, ':');
	s->filled = edit->tok;
	return e == E_OK ? buf_add(s->out, edit->with) : e;
}

static enum err apply(struct splice *s, uint32_t i)
{
	const struct change *c = &s->v[i];

	if (c->at < s->done)
		return E_OK; /* inside what is replaced or removed */
	switch (c->edit.kind) {
	case JSON_EDIT_INSERT:
		return apply_insert(s, i);
	case JSON_EDIT_REMOVE:
	case JSON_EDIT_STRING:
	case JSON_EDIT_RAW:
		if (i + 1 < s->n && c[1].at == c->at)
			return E_OK; /* a later edit of the token follows */
		return c->edit.kind == JSON_EDIT_REMOVE ? apply_remove(s, c->edit.tok) : apply_replace(s, &c->edit);
	}
	return E_INVALID;
}

enum err json_splice(const struct json *j, const struct json_edits *edits, struct buf *out)
{
	struct splice s = { .j = j, .out = out, .arena = edits->arena, .filled = JSON_NONE };
	size_t held = out->n;
	struct change few[FEW_CHANGES], *v;
	enum err e;

	if (!edits->n && !j->escaped_names)
		return buf_add(out, j->text);
	e = changes_make(j, edits, few, &v, &s.n);
	s.v = v;
	for (uint32_t i = 0; e == E_OK && i < s.n; i++) {
		e = apply(&s, i);
		arena_worked(s.arena, ARENA_STEP_TOKEN);
	}
	if (e == E_OK)
		e = copy_to(&s, (uint32_t)j->text.n);
	if (e != E_OK)
		out->n = held;
	return e;
}
