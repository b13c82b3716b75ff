#include "guards/doc.h"

#include "base/utf8.h"
#include "base/base64.h"

static struct doc *doc_new(struct arena *a, enum doc_kind kind)
{
	struct doc *d = ARENA_NEW(a, struct doc);
	if (!d)
		return NULL;
	d->kind = kind;
	d->arena = a;
	d->at = JSON_NONE;
	json_edits_init(&d->edits, a);
	return d;
}

struct doc *doc_root(const struct json *json, struct arena *a)
{
	struct doc *d = doc_new(a, DOC_JSON);
	if (!d)
		return NULL;
	d->json = *json;
	d->text = json->text;
	return d;
}

/* Index of the first child at or behind `tok`. Walks go forward, so the end is looked at first. */
static uint32_t child_place(const struct doc *d, uint32_t tok)
{
	uint32_t lo = 0, hi = d->n_children;

	if (hi == 0 || d->children[hi - 1]->at < tok)
		return hi;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (d->children[mid]->at < tok)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct doc *doc_opened(const struct doc *parent, uint32_t tok)
{
	uint32_t i = child_place(parent, tok);
	return i < parent->n_children && parent->children[i]->at == tok ? parent->children[i] : NULL;
}

static bool add_child(struct doc *parent, uint32_t tok, struct doc *child)
{
	uint32_t i = child_place(parent, tok);

	if (parent->n_children >= DOC_MAX_CHILDREN)
		return false;
	if (parent->n_children == parent->cap_children) {
		uint32_t cap = parent->cap_children ? 2 * parent->cap_children : 4;
		struct doc **grown = arena_array(parent->arena, cap, sizeof *grown);
		if (!grown)
			return false;
		if (parent->n_children)
			memcpy(grown, parent->children, parent->n_children * sizeof *grown);
		parent->children = grown;
		parent->cap_children = cap;
	}
	memmove(parent->children + i + 1, parent->children + i, (parent->n_children - i) * sizeof *parent->children);
	parent->children[i] = child;
	parent->n_children++;
	child->parent = parent;
	child->at = tok;
	child->depth = parent->depth + 1;
	return true;
}

static bool starts_json(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '{' || c == '[')
			return true;
		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return false;
	}
	return false;
}

bool doc_looks_json(const struct doc *d, uint32_t tok)
{
	struct slice raw = json_raw(&d->json, tok);

	/* Spaces may be written `\n` or `\t` here, and a bracket `\u007b`: let the reader look at every such text. */
	return raw.n > 1 && (starts_json(raw) || raw.p[0] == '\\');
}

/* Takes the decoded text apart into prose and JSON, or leaves it a text. */
static enum err open_text(struct doc *d, struct slice text, struct slice after)
{
	struct slice body = text;
	ptrdiff_t found = after.n ? slice_find(text, after) : -1;

	if (found >= 0)
		body = slice_from(text, (size_t)found + after.n);
	d->text = text;
	if (!starts_json(body))
		return E_OK;
	enum err e = json_parse(&d->json, body, d->arena, NULL);
	if (e == E_NOMEM)
		return e;
	if (e == E_OK) {
		d->kind = DOC_JSON;
		d->before = slice_head(text, text.n - body.n);
		d->text = body;
	}
	return E_OK;
}

static struct doc *open_child(struct doc *parent, uint32_t tok, struct slice text, struct slice after)
{
	struct doc *d = parent->depth < DOC_MAX_DEPTH ? doc_new(parent->arena, DOC_TEXT) : NULL;

	if (!d || open_text(d, text, after) != E_OK || !add_child(parent, tok, d))
		return NULL;
	return d;
}

struct doc *doc_inside(struct doc *parent, uint32_t tok, struct slice after)
{
	struct doc *known = doc_opened(parent, tok);
	if (known)
		return known;
	struct slice text = json_string(&parent->json, tok, parent->arena);
	return text.p ? open_child(parent, tok, text, after) : NULL;
}

struct doc *doc_inside_blob(struct doc *parent, uint32_t tok)
{
	struct doc *d = doc_opened(parent, tok);
	struct slice coded, text;

	if (d)
		return d;
	coded = json_string(&parent->json, tok, parent->arena);
	if (!coded.p || !base64_decode(&text, coded, parent->arena) || !utf8_valid(text))
		return NULL;
	d = open_child(parent, tok, text, SL(""));
	if (d)
		d->blob = true;
	return d;
}

bool doc_changed(const struct doc *d)
{
	if (d->whole.p || d->edits.n || d->n_spans || d->before_set)
		return true;
	for (uint32_t i = 0; i < d->n_children; i++)
		if (doc_changed(d->children[i]))
			return true;
	return false;
}

/* --- rendering ---------------------------------------------------------------------------------------------------- */

static enum err render_spans(const struct doc *d, struct buf *out)
{
	size_t at = 0;
	enum err e = E_OK;

	for (size_t i = 0; i < d->n_spans && e == E_OK; i++) {
		e = buf_add(out, slice_make(d->text.p + at, d->spans[i].off - at));
		if (e == E_OK)
			e = buf_add(out, d->spans[i].with);
		at = d->spans[i].off + d->spans[i].len;
	}
	return e == E_OK ? buf_add(out, slice_from(d->text, at)) : e;
}

#define SMALL_BYTES 4096

/* Room for the text as a JSON string. A short one seldom doubles; in a long one what grows is counted. */
static size_t quoted_bound(struct slice text)
{
	size_t n = text.n;

	if (n <= SMALL_BYTES)
		return 2 * n + 8;
	for (size_t i = 0; i < text.n; i++)
		n += (unsigned char)text.p[i] < 0x20 ? 5 : text.p[i] == '"' || text.p[i] == '\\';
	return n + 8;
}

/* Bytes a document is likely to grow to, and seldom exceeds. */
static size_t render_bound(const struct doc *d)
{
	size_t n = d->before.n + d->text.n + d->whole.n + 64;

	for (uint32_t i = 0; i < d->edits.n; i++)
		n += quoted_bound(d->edits.v[i].with) + d->edits.v[i].name.n + 8;
	for (size_t i = 0; i < d->n_spans; i++)
		n += d->spans[i].with.n;
	return n;
}

static enum err render_own(struct doc *, struct buf *);

/* The finished text, in the arena; the heap is only asked when the bound was too low. Children must be rendered before. */
static enum err render_text(struct doc *d, struct slice *text)
{
	size_t bound = render_bound(d);
	struct buf b;
	enum err e;

	buf_init(&b, bound);
	b.p = arena_alloc_raw(d->arena, bound);
	b.cap = bound;
	if (!b.p)
		return E_NOMEM;
	e = render_own(d, &b);
	*text = buf_slice(&b);
	if (e == E_OK)
		arena_shrink(d->arena, b.p, bound, b.n);
	if (e == E_TOO_BIG) {
		buf_init(&b, 6 * bound + 4096);
		e = render_own(d, &b);
		*text = e == E_OK ? arena_dup(d->arena, buf_slice(&b)) : (struct slice){ NULL, 0 };
		buf_finish(&b);
	}
	if (e == E_OK && d->blob && text->p)
		*text = base64_encode(*text, d->arena);
	return e == E_OK && !text->p ? E_NOMEM : e;
}

static enum err render_children(struct doc *d)
{
	for (uint32_t i = 0; i < d->n_children; i++) {
		struct doc *child = d->children[i];
		struct slice text;
		enum err e;

		if (!doc_changed(child) || doc_has(d, child->at, DOC_GONE | DOC_SET))
			continue;
		e = render_children(child);
		if (e == E_OK)
			e = render_text(child, &text);
		if (e == E_OK)
			e = json_edit_string(&d->edits, child->at, text);
		if (e != E_OK)
			return e;
	}
	return E_OK;
}

/* Children must be rendered before. */
static enum err render_own(struct doc *d, struct buf *out)
{
	if (d->whole.p)
		return buf_add(out, d->whole);
	if (d->kind == DOC_TEXT)
		return render_spans(d, out);
	enum err e = buf_add(out, d->before);
	return e == E_OK ? json_splice(&d->json, &d->edits, out) : e;
}

enum err doc_render(struct doc *d, struct buf *out)
{
	enum err e = d->whole.p ? E_OK : render_children(d);
	return e == E_OK ? render_own(d, out) : e;
}

enum err doc_render_text(struct doc *d, struct slice *text)
{
	enum err e = d->whole.p ? E_OK : render_children(d);
	return e == E_OK ? render_text(d, text) : e;
}
