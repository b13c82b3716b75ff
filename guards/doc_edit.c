/* The edits of a document. What was removed or replaced once is out of reach for later ones. */
#include "guards/doc.h"

static enum err need_marks(struct doc *d)
{
	if (!d->marks)
		d->marks = arena_alloc(d->arena, d->json.n);
	return d->marks ? E_OK : E_NOMEM;
}

enum err doc_mark(struct doc *d, uint32_t tok, unsigned marks)
{
	enum err e = need_marks(d);

	for (uint32_t t = tok; e == E_OK && t < d->json.tok[tok].next; t++)
		d->marks[t] = (uint8_t)(d->marks[t] | marks);
	return e;
}

enum err doc_mark_one(struct doc *d, uint32_t tok, unsigned marks)
{
	enum err e = need_marks(d);
	if (e == E_OK)
		d->marks[tok] = (uint8_t)(d->marks[tok] | marks);
	return e;
}

enum err doc_set_string(struct doc *d, uint32_t tok, struct slice text)
{
	if (doc_has(d, tok, DOC_GONE | DOC_SET))
		return E_OK;
	enum err e = doc_mark(d, tok, DOC_SET);
	return e == E_OK ? json_edit_string(&d->edits, tok, text) : e;
}

enum err doc_set_raw(struct doc *d, uint32_t tok, struct slice raw)
{
	if (doc_has(d, tok, DOC_GONE | DOC_SET))
		return E_OK;
	enum err e = doc_mark(d, tok, DOC_SET);
	return e == E_OK ? json_edit_raw(&d->edits, tok, raw) : e;
}

enum err doc_remove(struct doc *d, uint32_t tok)
{
	bool is_name = (d->json.tok[tok].flags & JSON_NAME) != 0;
	uint32_t value = is_name ? tok + 1 : tok;

	if (value == 0)
		return E_INVALID;
	if (doc_has(d, value, DOC_GONE))
		return E_OK;
	enum err e = doc_mark(d, value, DOC_GONE);
	if (e == E_OK && doc_is_member(d, value)) {
		e = doc_mark_one(d, value - 1, DOC_GONE);
		value--;
	}
	return e == E_OK ? json_edit_remove(&d->edits, value) : e;
}

static struct doc_count *count_of(struct doc *d, uint32_t tok)
{
	for (uint32_t i = 0; i < d->n_counts; i++)
		if (d->counts[i].tok == tok)
			return &d->counts[i];
	if (d->n_counts == d->cap_counts) {
		uint32_t cap = d->cap_counts ? 2 * d->cap_counts : 4;
		struct doc_count *grown = arena_array(d->arena, cap, sizeof *grown);
		if (!grown)
			return NULL;
		if (d->n_counts)
			memcpy(grown, d->counts, d->n_counts * sizeof *grown);
		d->counts = grown;
		d->cap_counts = cap;
	}
	d->counts[d->n_counts] = (struct doc_count){ .tok = tok };
	return &d->counts[d->n_counts++];
}

enum err doc_count_less(struct doc *d, uint32_t tok, uint64_t removed)
{
	struct doc_count *c;
	struct slice raw;
	int64_t n;

	if (removed == 0 || doc_has(d, tok, DOC_GONE | DOC_SET) || !json_int(&d->json, tok, &n))
		return E_OK;
	c = count_of(d, tok);
	if (!c)
		return E_NOMEM;
	c->removed += removed;
	n = n > 0 && (uint64_t)n > c->removed ? n - (int64_t)c->removed : 0;
	raw = arena_fmt(d->arena, "%lld", (long long)n);
	return raw.p ? json_edit_raw(&d->edits, tok, raw) : E_NOMEM;
}

void doc_replace_all(struct doc *d, struct slice text)
{
	if (!d->whole.p)
		d->whole = text;
}

void doc_set_before(struct doc *d, struct slice prose)
{
	d->before = prose;
	d->before_set = true;
}

static enum err grow_spans(struct doc *d)
{
	size_t cap = d->cap_spans ? 2 * d->cap_spans : 8;
	struct doc_span *grown;

	if (d->n_spans < d->cap_spans)
		return E_OK;
	grown = arena_array(d->arena, cap, sizeof *grown);
	if (!grown)
		return E_NOMEM;
	if (d->n_spans)
		memcpy(grown, d->spans, d->n_spans * sizeof *grown);
	d->spans = grown;
	d->cap_spans = cap;
	return E_OK;
}

enum err doc_replace(struct doc *d, size_t off, size_t len, struct slice with)
{
	size_t i = d->n_spans, first, end = off + len;

	/* Spans mostly come in order, so the place is searched from the back. */
	while (i > 0 && d->spans[i - 1].off > off)
		i--;
	if (i > 0 && d->spans[i - 1].off + d->spans[i - 1].len > off) {
		struct doc_span *before = &d->spans[i - 1];
		if (end <= before->off + before->len)
			return E_OK;
		off = before->off;
		with = before->with;
		i--;
	}
	first = i;
	while (i < d->n_spans && d->spans[i].off < end) {
		size_t span_end = d->spans[i].off + d->spans[i].len;
		end = span_end > end ? span_end : end;
		i++;
	}
	if (i == first) {
		enum err e = grow_spans(d);
		if (e != E_OK)
			return e;
		memmove(d->spans + i + 1, d->spans + i, (d->n_spans - i) * sizeof *d->spans);
		d->n_spans++;
	} else {
		memmove(d->spans + first + 1, d->spans + i, (d->n_spans - i) * sizeof *d->spans);
		d->n_spans -= i - first - 1;
	}
	d->spans[first] = (struct doc_span){ .off = off, .len = end - off, .with = with };
	return E_OK;
}
