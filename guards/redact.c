/* Redaction: values this agent was given, in the answers of other tools, become [REDACTED:path] (docs/guards/redaction.md). */
#include <stdlib.h>
#include "base/bare.h"
#include "guards/facts.h"
#include "guards/response.h"
#include "guards/unescape.h"

#define AROUND 8 /* characters of an encoding that may belong to the value beside what was recognised */

/* A place of a text that a value was found in. */
struct place {
	size_t from, to;
	struct slice path;
	enum value_form form;
	bool part;
};

struct places {
	struct place *v;
	size_t n, cap;
};

struct redact {
	const struct view *view;
	const struct fingerprints *known;
	struct places places;     /* of the text at hand */
	const struct bare *bare;  /* of it */
	struct slice text;
	bool any;
	enum err err;
};

static void note(struct redact *x, enum err e)
{
	if (x->err == E_OK)
		x->err = e;
}

/* --- is there anything at all --------------------------------------------------------------------------------------- */

static bool on_any(void *ctx, const struct value_found *found)
{
	(void)found;
	((struct redact *)ctx)->any = true;
	return false;
}

static void add_string(struct redact *x, struct bare *b, struct slice text, const char *end)
{
	note(x, text.p ? bare_add_in(b, text, end) : E_NOMEM);
	if (x->err == E_OK && unescape_wanted(text)) {
		note(x, bare_break(b));
		text = unescape(text, x->view->arena);
		note(x, text.p ? bare_add(b, text) : E_NOMEM);
	}
}

/* All strings of the message as one text; a blob that is base64 is known by that form. */
static void look_through(struct redact *x, const struct json *j, uint32_t root, bool signs)
{
	struct bare b;

	note(x, bare_init(&b, j->text.n, signs, false, x->view->arena));
	for (uint32_t t = root; t < j->tok[root].next && x->err == E_OK; t++)
		if (json_is(j, t, JSON_STRING)) {
			arena_worked(x->view->arena, ARENA_STEP_TOKEN);
			struct slice text = json_string(j, t, x->view->arena);
			add_string(x, &b, text, j->tok[t].flags & JSON_ESCAPED ? text.p + text.n : j->text.p + j->text.n);
		}
	if (x->err == E_OK)
		note(x, fingerprints_scan(x->known, bare_text(&b), x->view->now_ms, on_any, x, x->view->arena));
}

static uint32_t data_of(const struct rpc *rpc)
{
	return rpc->kind == RPC_RESULT ? rpc->result : rpc->kind == RPC_ERROR ? rpc->error : rpc->params;
}

/* The tool gives values itself, all of its answer or in the places its catalog names: there they are what was asked for. */
static bool gives_values(const struct call *c)
{
	return mask_call_bears(c) || (c->method && c->rule && c->rule->out.n_values && c->action != ACT_WRITE);
}

static bool begin(struct redact *x, const struct view *v, const struct call *c)
{
	const struct policy *p = v->policy;

	*x = (struct redact){ .view = v, .known = v->ledger ? ledger_known_values(v->ledger) : NULL };
	if (!p->redact_secrets || !x->known || fingerprints_empty(x->known))
		return false;
	return p->mask_values || !c || !gives_values(c);
}

bool redact_wanted(const struct view *v, const struct call *c, const struct rpc *rpc)
{
	struct redact x;
	uint32_t root = data_of(rpc);

	if (!begin(&x, v, c) || root == JSON_NONE)
		return false;
	look_through(&x, &rpc->json, root, false);
	if (fingerprints_want_signs(x.known) && !x.any)
		look_through(&x, &rpc->json, root, true);
	return x.any || x.err != E_OK;
}

/* --- where ----------------------------------------------------------------------------------------------------------- */

static bool is_code(char c, enum value_form form)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(form != FORM_PLAIN && (c == '+' || c == '/' || c == '-' || c == '_'));
}

/* One past the character that ends at or holds `at`. */
static size_t char_end(struct slice s, size_t at)
{
	for (at++; at < s.n && ((unsigned char)s.p[at] & 0xC0) == 0x80;)
		at++;
	return at;
}

/* What is left of an encoding's ends, or of a fragment's, goes too. */
static void widen(const struct redact *x, struct place *p)
{
	if (p->form == FORM_PLAIN && !p->part)
		return;
	for (size_t i = 0; i < AROUND && p->from > 0 && is_code(x->text.p[p->from - 1], p->form); i++)
		p->from--;
	for (size_t i = 0; i < AROUND && p->to < x->text.n && is_code(x->text.p[p->to], p->form); i++)
		p->to++;
	while (p->form != FORM_PLAIN && p->to < x->text.n && x->text.p[p->to] == '=')
		p->to++;
}

static bool on_found(void *ctx, const struct value_found *f)
{
	struct redact *x = ctx;
	struct places *all = &x->places;
	struct place p = { .from = x->bare->at[f->from], .to = char_end(x->text, x->bare->at[f->to - 1]), .path = arena_dup(x->view->arena, f->path), .form = f->form, .part = f->part };

	if (all->n == all->cap) {
		size_t cap = all->cap ? 2 * all->cap : 16;
		struct place *grown = arena_array(x->view->arena, cap, sizeof *grown);

		if (!grown) {
			x->err = E_NOMEM;
			return false;
		}
		if (all->n)
			memcpy(grown, all->v, all->n * sizeof *grown);
		all->v = grown;
		all->cap = cap;
	}
	all->v[all->n++] = p;
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to == y->to ? 0 : x->to > y->to ? -1 : 1;
}

/* Of parts inside of a whole nothing is left beside it; the others stand for themselves. */
static void settle(struct redact *x)
{
	struct places *all = &x->places;
	size_t n = 0, end = 0;

	if (all->n)
		qsort(all->v, all->n, sizeof *all->v, by_place);
	for (size_t i = 0; i < all->n; i++) {
		struct place p = all->v[i];

		if (p.part && p.to <= end)
			continue;
		if (!p.part && p.to > end)
			end = p.to;
		widen(x, &p);
		all->v[n++] = p;
	}
	all->n = n;
	if (n)
		qsort(all->v, n, sizeof *all->v, by_place);
}

/* Places that touch become one, named after the longest of them. */
static void merge(struct places *all)
{
	size_t n = 0, longest = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct place p = all->v[i];
		size_t size = p.part ? 0 : p.to - p.from;

		if (n && p.from <= all->v[n - 1].to) {
			struct place *last = &all->v[n - 1];
			last->to = p.to > last->to ? p.to : last->to;
			if (size > longest)
				last->path = p.path;
			longest = size > longest ? size : longest;
		} else {
			all->v[n++] = p;
			longest = size;
		}
	}
	all->n = n;
}

static void find_in(struct redact *x, struct slice text, bool signs)
{
	struct bare b;

	note(x, bare_init(&b, text.n, signs, true, x->view->arena));
	if (x->err == E_OK)
		note(x, bare_add(&b, text));
	x->bare = &b;
	if (x->err == E_OK)
		note(x, fingerprints_scan(x->known, bare_text(&b), x->view->now_ms, on_found, x, x->view->arena));
	x->bare = NULL;
}

/* Words with escapes in them that hide a value, whole. */
static void find_escaped(struct redact *x, struct slice text)
{
	for (size_t i = 0; i < text.n && x->err == E_OK;) {
		size_t from = i;

		while (i < text.n && (unsigned char)text.p[i] > ' ')
			i++;
		struct slice word = slice_make(text.p + from, i - from), plain;
		struct redact inner = { .view = x->view, .known = x->known };
		i += i == from;
		if (!unescape_wanted(word))
			continue;
		plain = unescape(word, x->view->arena);
		if (!plain.p) {
			note(x, E_NOMEM);
			return;
		}
		inner.text = plain;
		find_in(&inner, plain, false);
		note(x, inner.err);
		if (inner.places.n) {
			struct bare whole = { .at = (uint32_t[]){ (uint32_t)from, (uint32_t)(from + word.n - 1) } };
			struct value_found f = { .path = inner.places.v[0].path, .from = 0, .to = 2 };
			x->bare = &whole;
			on_found(x, &f);
			x->bare = NULL;
		}
	}
}

static void find(struct redact *x, struct slice text)
{
	x->places.n = 0;
	x->text = text;
	if (text.n < VARIETY_MIN_BYTES)
		return;
	find_in(x, text, false);
	if (fingerprints_want_signs(x->known))
		find_in(x, text, true);
	if (x->err == E_OK && unescape_wanted(text))
		find_escaped(x, text);
	if (x->err != E_OK)
		return;
	settle(x);
	merge(&x->places);
}

/* --- replacing ------------------------------------------------------------------------------------------------------- */

static struct slice label(struct redact *x, struct slice path)
{
	struct slice s = arena_fmt(x->view->arena, "[REDACTED:%.*s]", SL_ARG(path));

	if (!s.p)
		x->err = E_NOMEM;
	return s;
}

static struct slice with_labels(struct redact *x, struct slice text)
{
	struct buf b;
	struct slice out = { NULL, 0 };
	size_t at = 0;

	buf_init(&b, text.n + x->places.n * 256 + 16);
	for (size_t i = 0; i < x->places.n; i++) {
		buf_add(&b, slice_make(text.p + at, x->places.v[i].from - at));
		buf_add(&b, label(x, x->places.v[i].path));
		at = x->places.v[i].to;
	}
	buf_add(&b, slice_from(text, at));
	if (b.failed == E_OK)
		out = arena_dup(x->view->arena, buf_slice(&b));
	buf_finish(&b);
	if (!out.p)
		x->err = E_NOMEM;
	return out;
}

/* A name that would be there twice goes with its member. */
static void set_name(struct redact *x, struct doc *d, uint32_t tok, struct slice text)
{
	const struct json *j = &d->json;

	for (uint32_t t = 0; t < tok; t++)
		if ((j->tok[t].flags & JSON_NAME) && doc_has(d, t, DOC_SET)) {
			note(x, doc_remove(d, tok));
			return;
		}
	note(x, doc_set_string(d, tok, text));
}

static void redact_string(struct redact *x, struct doc *d, uint32_t tok)
{
	struct slice text = json_string(&d->json, tok, x->view->arena);

	if (!text.p) {
		note(x, E_NOMEM);
		return;
	}
	find(x, text);
	if (x->err != E_OK || x->places.n == 0)
		return;
	text = with_labels(x, text);
	if (x->err != E_OK)
		return;
	if (d->json.tok[tok].flags & JSON_NAME)
		set_name(x, d, tok, text);
	else
		note(x, doc_set_string(d, tok, text));
}

static void redact_text(struct redact *x, struct doc *d)
{
	find(x, d->text);
	for (size_t i = 0; i < x->places.n && x->err == E_OK; i++) {
		const struct place *p = &x->places.v[i];
		note(x, doc_replace(d, p->from, p->to - p->from, label(x, p->path)));
	}
}

static void redact_before(struct redact *x, struct doc *d)
{
	if (d->before.n == 0 || d->before_set)
		return;
	find(x, d->before);
	if (x->err == E_OK && x->places.n)
		doc_set_before(d, with_labels(x, d->before));
}

/* Recursion is bounded by DOC_MAX_DEPTH. */
static void redact_doc(struct redact *x, struct doc *d, uint32_t root)
{
	if (d->whole.p)
		return;
	if (d->kind == DOC_TEXT) {
		redact_text(x, d);
		return;
	}
	redact_before(x, d);
	for (uint32_t t = root; t < d->json.tok[root].next && x->err == E_OK; t++) {
		if (!json_is(&d->json, t, JSON_STRING) || doc_has(d, t, DOC_SET | DOC_GONE))
			continue;
		arena_worked(d->arena, ARENA_STEP_TOKEN);
		struct doc *child = doc_opened(d, t);
		if (child)
			redact_doc(x, child, 0);
		else
			redact_string(x, d, t);
	}
}

static struct verdict redact_response(const struct view *v, const struct call *c, struct result *r)
{
	struct redact x;
	uint32_t root = data_of(r->rpc);
	struct verdict done = { .kind = VERDICT_REWRITE, .rule = v->policy->redact_secrets_at };

	if (root == JSON_NONE || !redact_wanted(v, c, r->rpc) || !begin(&x, v, c))
		return PASS_VERDICT;
	bool was = doc_changed(r->root);
	redact_doc(&x, r->root, root);
	if (x.err != E_OK)
		return deny(R_INTERNAL, (struct slice){ NULL, 0 }, v->policy->redact_secrets_at);
	return was || doc_changed(r->root) ? done : PASS_VERDICT;
}

const struct guard guard_redaction = { .name = "redaction", .response = redact_response };
