/*
 * The values an answer gives. Where they stand is masking's to say: what it would hide is learnt, as far as it is worth it
 * (guards/variety.h), and what the call itself said is no news.
 */
#include "guards/docsel.h"
#include "guards/learn.h"
#include "guards/mask_text.h"
#include "guards/names.h"
#include "guards/response.h"

#define LIVE_MS (24ull * 3600 * 1000) /* how long a value is remembered after it was last read */
#define SCRATCH_BYTES (32u << 20)
#define MAX_DEPTH (JSON_MAX_DEPTH + 1)

struct learning {
	struct fingerprints *known;
	const struct view *view;
	const struct call *call;
	bool described;      /* a catalog says where the values are: what else is hidden is metadata nobody knows */
	struct slice path;   /* what the call asked for */
	enum variety_of of;  /* what the path's last segment says */
	struct arena scratch; /* of one value: its forms take many times its length */
	enum err err;
};

bool values_in(const struct view *v, const struct call *c)
{
	if (v->policy->exfiltration == EXFILTRATION_OFF && !v->policy->redact_secrets)
		return false;
	return mask_call_bears(c) || (c->method && c->rule && c->rule->out.n_values && c->action != ACT_WRITE);
}

/* --- where a value is from ------------------------------------------------------------------------------------------ */

static struct slice last_segment(struct slice path)
{
	size_t i = path.n;

	while (i > 0 && path.p[i - 1] != '/')
		i--;
	return slice_from(path, i);
}

static struct slice path_of(const struct call *c)
{
	for (size_t i = 0; i < c->n_paths; i++)
		if (c->paths[i].fault == PATH_OK && !c->paths[i].absent && c->paths[i].path.text.n)
			return c->paths[i].path.text;
	return c->name;
}

/* One of several paths that were asked for. */
static bool is_asked(const struct call *c, struct slice text)
{
	for (size_t i = 0; i < c->n_paths; i++)
		if (c->paths[i].fault == PATH_OK && text.n && slice_eq(c->paths[i].path.text, text))
			return true;
	return false;
}

static struct slice path_in(struct learning *l, const struct json *j, uint32_t obj)
{
	static const char *const names[] = { "path", "key", "name", "id", "uri" };

	for (size_t i = 0; l->call->n_paths > 1 && i < sizeof names / sizeof *names; i++) {
		uint32_t t = json_member(j, obj, slice_of(names[i]));
		struct slice text = json_is(j, t, JSON_STRING) ? json_string(j, t, l->view->arena) : SL("");
		if (is_asked(l->call, text))
			return text;
	}
	return (struct slice){ NULL, 0 };
}

/* --- learning -------------------------------------------------------------------------------------------------------- */

static void keep(struct learning *l, struct slice text, struct slice path, enum variety_of of)
{
	if (!text.p) {
		l->err = E_NOMEM;
		return;
	}
	if (l->err != E_OK || text.n < VARIETY_MIN_BYTES || slice_eq(text, path) || slice_find(l->call->rpc->json.text, text) >= 0)
		return;
	if (of != VARIETY_OTHER && l->of > of)
		of = l->of;
	l->err = fingerprints_learn(l->known, text, path, of, l->view->now_ms + LIVE_MS, l->view->now_ms, &l->scratch);
	arena_reset(&l->scratch);
}

/* Where a token stands. */
struct frame {
	uint32_t end;
	struct slice name, path;
	enum variety_of of;
};

static struct frame enter(struct learning *l, const struct doc *d, uint32_t name, const struct frame *in)
{
	struct slice text = json_string(&d->json, name, l->view->arena);
	struct frame f = { .end = d->json.tok[name + 1].next, .name = text, .path = in->path, .of = in->of };

	if (!text.p) {
		l->err = E_NOMEM;
		return f;
	}
	enum name_class c = names_class(l->view, text);
	if (c == NAME_VALUE || c == NAME_VALUEISH) {
		enum variety_of says = variety_by_name(text);
		f.of = says > f.of ? says : f.of;
	}
	if (is_asked(l->call, text))
		f.path = text;
	return f;
}

static void learn_leaf(struct learning *l, struct doc *d, uint32_t t, const struct frame *f)
{
	enum variety_of of = f->of;

	if (doc_has(d, t, DOC_VALUE) && of == VARIETY_OTHER)
		of = variety_by_name(f->name);
	if (of == VARIETY_OTHER && l->described)
		return;
	if (json_is(&d->json, t, JSON_STRING))
		keep(l, json_string(&d->json, t, l->view->arena), f->path, of);
	else if (json_is(&d->json, t, JSON_NUMBER))
		keep(l, json_raw(&d->json, t), f->path, of);
}

/* Hidden tokens of a JSON document, each with the name it stands under. */
static void learn_json(struct learning *l, struct doc *d)
{
	const struct json *j = &d->json;
	struct frame at[MAX_DEPTH * 2] = { { .end = j->n, .path = l->path, .name = SL("") } };
	size_t depth = 0;

	for (uint32_t t = 0; d->marks && t < j->n && l->err == E_OK; t++) {
		while (depth > 0 && t >= at[depth].end)
			depth--;
		if (j->tok[t].flags & JSON_NAME) {
			if (doc_has(d, t, DOC_SET))
				keep(l, json_string(j, t, l->view->arena), at[depth].path, VARIETY_VALUE);
			if (depth + 1 < MAX_DEPTH * 2) {
				at[depth + 1] = enter(l, d, t, &at[depth]);
				depth++;
			}
		} else if (json_is(j, t, JSON_OBJECT)) {
			struct slice path = path_in(l, j, t);
			at[depth].path = path.p ? path : at[depth].path;
		} else if (doc_has(d, t, DOC_SET)) {
			learn_leaf(l, d, t, &at[depth]);
		}
	}
}

/* `NAME=`, `name: "`: what stands before a hidden part of a text. */
static struct slice name_before(struct slice s, size_t at)
{
	size_t end, start;

	while (at > 0 && memchr(" \t\"'`", s.p[at - 1], 5))
		at--;
	if (at == 0 || (s.p[at - 1] != '=' && s.p[at - 1] != ':'))
		return SL("");
	for (end = at - 1; end > 0 && memchr(" \t\"'", s.p[end - 1], 4);)
		end--;
	for (start = end; start > 0 && end - start < 64 && memchr(" \t\"'\n,;{", s.p[start - 1], 8) == NULL;)
		start--;
	return slice_make(s.p + start, end - start);
}

/* Words of a text that was hidden whole because nobody could take it apart. */
static void learn_words(struct learning *l, struct slice s)
{
	while (s.n && l->err == E_OK) {
		size_t n = 0;

		while (n < s.n && (unsigned char)s.p[n] > ' ')
			n++;
		struct slice word = slice_head(s, n);
		while (word.n && memchr("\"'`([{<,.;:", word.p[0], 11))
			word = slice_from(word, 1);
		while (word.n && memchr("\"'`)]}>,.;:", word.p[word.n - 1], 11))
			word.n--;
		keep(l, word, l->path, VARIETY_OTHER);
		s = slice_from(s, n + 1);
	}
}

static void learn_spans(struct learning *l, const struct doc *d)
{
	for (size_t i = 0; i < d->n_spans && l->err == E_OK; i++)
		keep(l, slice_make(d->text.p + d->spans[i].off, d->spans[i].len), l->path,
			variety_by_name(name_before(d->text, d->spans[i].off)));
}

static void learn_text(struct learning *l, struct doc *d)
{
	struct doc again = { .kind = DOC_TEXT, .text = d->text, .arena = d->arena };

	learn_spans(l, d);
	if (!d->whole.p)
		return;
	bool raw = l->call->rule && l->call->rule->out.as == OUT_RAW && l->call->rule->out.given;
	if (raw || !memchr(d->text.p, ' ', d->text.n)) {
		keep(l, d->text, l->path, VARIETY_VALUE);
		return;
	}
	if (mask_prose(&again, false, NULL) == MASKED_NOMEM)
		l->err = E_NOMEM;
	learn_spans(l, &again);
	learn_words(l, d->text);
}

/* Recursion is bounded by DOC_MAX_DEPTH. */
static void learn_doc(struct learning *l, struct doc *d)
{
	if (d->kind == DOC_TEXT)
		learn_text(l, d);
	else if (d->whole.p)
		keep(l, d->text, l->path, VARIETY_VALUE);
	else
		learn_json(l, d);
	for (uint32_t i = 0; i < d->n_children && l->err == E_OK && !d->whole.p; i++)
		if (!doc_has(d, d->children[i]->at, DOC_SET))
			learn_doc(l, d->children[i]);
}

static bool mark_value(void *ctx, struct doc *d, const struct found *f)
{
	struct learning *l = ctx;

	l->err = doc_mark(d, f->tok, DOC_VALUE);
	return l->err == E_OK;
}

static void mark_values(struct learning *l, const struct result *r)
{
	const struct rule *rule = l->call->rule;

	for (size_t i = 0; rule && i < r->n_payloads && !r->is_error; i++) {
		const struct payload *p = &r->payloads[i];

		if (p->doc->kind != DOC_JSON || p->kind == PAYLOAD_EXTRA || p->root == JSON_NONE)
			continue;
		for (size_t k = 0; k < rule->out.n_values && l->err == E_OK; k++)
			if (docsel_each(p->doc, p->root, &rule->out.values[k], mark_value, NULL, l) == E_NOMEM)
				l->err = E_NOMEM;
	}
}

enum err values_learn(struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c, const struct result *given)
{
	struct learning l = { .known = ledger_values(ledger), .view = v, .call = c };
	struct result r;

	(void)book;
	if (!values_in(v, c))
		return E_OK;
	l.path = path_of(c);
	l.of = variety_by_name(last_segment(l.path));
	l.described = c->rule && c->rule->out.n_values > 0;
	arena_init(&l.scratch, SCRATCH_BYTES);
	/* Masking edits the documents, and those of others stay as they are. */
	l.err = result_open(v, c, given->rpc, &r);
	if (l.err == E_OK)
		mark_values(&l, &r);
	if (l.err == E_OK)
		l.err = mask_find(v, c, &r);
	if (l.err == E_OK)
		learn_doc(&l, r.root);
	arena_finish(&l.scratch);
	return l.err;
}
