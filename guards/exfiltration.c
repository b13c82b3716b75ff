/*
 * Exfiltration: values this agent was given do not go out again (docs/guards/exfiltration.md). All texts of a message are read as one,
 * bare, so that a value is found however it is written, and also where it is cut over several arguments.
 */
#include "guards/exfiltration.h"

#include "base/bare.h"
#include "guards/learn.h"
#include "guards/list.h"
#include "guards/unescape.h"

#define MAX_ROUNDS 3 /* escapes inside escapes */

struct joined {
	char *p;
	size_t n, cap;
};

struct sent {
	const struct view *view;
	const struct fingerprints *known;
	struct bare values, names, decoded; /* each one text: the strings and numbers; the names; what escapes hide */
	struct bare signs[3];               /* the same with their signs */
	bool want_signs;
	struct joined joined[2];            /* values and names, as they are; only where there are escapes */
	bool escapes;
	struct value_found found;
	bool any;
	enum err err;
};

static void note(struct sent *s, enum err e)
{
	if (s->err == E_OK)
		s->err = e;
}

enum part { VALUES, NAMES, DECODED };

static void add_bare(struct sent *s, enum part part, struct slice text, const char *end)
{
	struct bare *to = part == VALUES ? &s->values : part == NAMES ? &s->names : &s->decoded;

	note(s, text.p ? bare_add_in(to, text, end) : E_NOMEM);
	if (s->want_signs && s->err == E_OK)
		note(s, bare_add(&s->signs[part], text));
}

/* What escapes of one kind hide, layer by layer. */
static void add_decoded(struct sent *s, struct slice text)
{
	for (int round = 0; round < MAX_ROUNDS && s->err == E_OK && unescape_wanted(text); round++) {
		text = unescape(text, s->view->arena);
		add_bare(s, DECODED, text, text.p + text.n);
	}
}

/* The texts as they are, one behind the other: an escape may be cut as well. */
static void join(struct sent *s, enum part part, struct slice text)
{
	struct joined *to = &s->joined[part];

	if (!s->escapes || s->err != E_OK || text.n == 0)
		return;
	if (text.n > to->cap - to->n) {
		size_t cap = 2 * to->cap + text.n + 256;
		char *p = arena_alloc_raw(s->view->arena, cap);

		if (!p) {
			s->err = E_NOMEM;
			return;
		}
		if (to->n)
			memcpy(p, to->p, to->n);
		to->p = p;
		to->cap = cap;
	}
	memcpy(to->p + to->n, text.p, text.n);
	to->n += text.n;
}

/* Up to `end` may be read. */
static void add_text(struct sent *s, enum part part, struct slice text, const char *end)
{
	add_bare(s, part, text, end);
	join(s, part, text);
}

/* Tokens that are not looked at: the value arguments the catalog names. */
struct exempt {
	const struct json *json;
	uint8_t *skip;         /* by token; NULL: none */
	struct arena *arena;
	uint32_t inside;       /* the string behind json(…) whose text holds some; JSON_NONE */
	struct json inner;     /* … as JSON */
	uint8_t *inner_skip;
	enum err err;
};

static void add_string(struct sent *s, const struct json *j, uint32_t t)
{
	struct slice text = json_string(j, t, s->view->arena);
	const char *end = j->tok[t].flags & JSON_ESCAPED ? text.p + text.n : j->text.p + j->text.n;

	add_text(s, j->tok[t].flags & JSON_NAME ? NAMES : VALUES, text, end);
}

static void add_json(struct sent *s, const struct json *j, uint32_t root, const struct exempt *x)
{
	for (uint32_t t = root; t < j->tok[root].next && s->err == E_OK;) {
		if (x && x->skip && x->skip[t]) {
			t = j->tok[t].next;
			continue;
		}
		arena_worked(s->view->arena, ARENA_STEP_TOKEN);
		if (json_is(j, t, JSON_STRING))
			add_string(s, j, t);
		else if (json_is(j, t, JSON_NUMBER))
			add_text(s, VALUES, json_raw(j, t), j->text.p + j->text.n);
		t++;
	}
}

static bool begin(struct sent *s, const struct view *v, struct slice message)
{
	size_t n = message.n;

	*s = (struct sent){ .view = v, .known = v->ledger ? ledger_known_values(v->ledger) : NULL };
	if (!s->known || fingerprints_empty(s->known))
		return false;
	s->want_signs = fingerprints_want_signs(s->known);
	s->escapes = unescape_possible(message); /* in JSON too each stands as itself or behind a backslash */
	note(s, bare_init(&s->values, n, false, false, v->arena));
	note(s, bare_init(&s->names, n / 4, false, false, v->arena));
	note(s, bare_init(&s->decoded, 0, false, false, v->arena));
	for (int i = 0; s->want_signs && i < 3; i++)
		note(s, bare_init(&s->signs[i], i == VALUES ? n : n / 4, true, false, v->arena));
	return true;
}

static bool on_found(void *ctx, const struct value_found *found)
{
	struct sent *s = ctx;

	/* A part is found before the whole it belongs to, as a rule. */
	if (!s->any || !found->part) {
		s->found = *found;
		s->found.path = arena_dup(s->view->arena, found->path);
	}
	s->any = true;
	return found->part;
}

static void scan(struct sent *s, const struct bare *b)
{
	if (s->err == E_OK && !s->any)
		note(s, fingerprints_scan(s->known, bare_text(b), s->view->now_ms, on_found, s, s->view->arena));
}

static void look(struct sent *s)
{
	for (int i = 0; i < 2 && s->err == E_OK; i++)
		add_decoded(s, slice_make(s->joined[i].p, s->joined[i].n));
	scan(s, &s->values);
	scan(s, &s->names);
	scan(s, &s->decoded);
	for (int i = 0; s->want_signs && i < 3; i++)
		scan(s, &s->signs[i]);
}

/* --- exempt arguments ------------------------------------------------------------------------------------------------ */

static bool on_exempt(void *ctx, const struct found *f)
{
	struct exempt *x = ctx;

	if (f->json == x->json) {
		x->skip[f->tok] = 1;
	} else if (x->inner_skip && f->json->text.n == x->inner.text.n && f->tok < x->inner.n) {
		x->inner_skip[f->tok] = 1; /* read again from the same text: the same tokens */
	}
	return true;
}

static bool on_holder(void *ctx, const struct found *f)
{
	struct exempt *x = ctx;
	struct slice text;

	if (f->json != x->json || !json_is(f->json, f->tok, JSON_STRING))
		return true;
	text = json_string(f->json, f->tok, x->arena);
	x->err = text.p ? json_parse(&x->inner, text, x->arena, NULL) : E_NOMEM;
	x->inner_skip = x->err == E_OK ? arena_alloc(x->arena, x->inner.n) : NULL;
	if (x->inner_skip)
		x->inside = f->tok;
	return false;
}

/* `json($.a).b`: the string `a` is read as JSON, of which `b` is exempt. */
static void open_inside(struct exempt *x, const struct selector *sel, uint32_t args)
{
	for (size_t i = 0; i < sel->n && x->inside == JSON_NONE; i++)
		if (sel->steps[i].kind == STEP_JSON) {
			struct selector holder = { .source = sel->source, .steps = sel->steps, .n = i };

			selector_each(&holder, x->json, args, x->arena, on_holder, x);
		}
}

static enum err find_exempt(const struct view *v, const struct call *c, struct exempt *x)
{
	*x = (struct exempt){ .json = c->args_json, .arena = v->arena, .inside = JSON_NONE };
	if (!c->rule || !c->rule->n_secret_args || !c->args_json || c->args == JSON_NONE)
		return E_OK;
	x->skip = arena_alloc(v->arena, c->args_json->n);
	if (!x->skip)
		return E_NOMEM;
	for (size_t i = 0; i < c->rule->n_secret_args && x->err != E_NOMEM; i++) {
		open_inside(x, &c->rule->secret_args[i], c->args);
		if (selector_each(&c->rule->secret_args[i], c->args_json, c->args, v->arena, on_exempt, x) == E_NOMEM)
			x->err = E_NOMEM;
	}
	if (x->inside != JSON_NONE)
		x->skip[x->inside] = 1;
	return x->err == E_NOMEM ? E_NOMEM : E_OK;
}

/* --- calls ----------------------------------------------------------------------------------------------------------- */

static void add_call(struct sent *s, const struct call *c)
{
	const struct rpc *rpc = c->rpc;
	const struct json *j = &rpc->json;
	struct exempt x, outer = { .json = j };
	bool inner = c->args_json && c->args_json != j && c->inner_at != JSON_NONE;

	note(s, find_exempt(s->view, c, &x));
	if (s->err != E_OK)
		return;
	if (inner && x.skip) { /* the arguments stand as JSON in a string */
		outer.skip = arena_alloc(s->view->arena, j->n);
		if (!outer.skip) {
			note(s, E_NOMEM);
			return;
		}
		outer.skip[c->inner_at] = 1;
		add_json(s, c->args_json, c->args, &x);
	}
	if (x.inside != JSON_NONE) {
		struct exempt deep = { .json = &x.inner, .skip = x.inner_skip };
		add_json(s, &x.inner, 0, &deep);
	}
	if (rpc->params != JSON_NONE)
		add_json(s, j, rpc->params, x.json == j ? &x : &outer);
	if (json_is(j, rpc->id, JSON_STRING))
		add_string(s, j, rpc->id);
	else if (rpc->id != JSON_NONE)
		add_text(s, VALUES, json_raw(j, rpc->id), j->text.p + j->text.n);
	if (!c->method)
		add_text(s, VALUES, rpc->method_name, rpc->method_name.p + rpc->method_name.n);
}

static struct verdict give_verdict(const struct sent *s)
{
	const struct policy *p = s->view->policy;
	bool blocks = p->exfiltration == EXFILTRATION_BLOCK;
	struct verdict v = PASS_VERDICT;
	struct finding *f;

	if (s->err != E_OK && s->err != E_TOO_BIG)
		return deny(R_INTERNAL, SL(""), p->exfiltration_at);
	if (s->err == E_OK && !s->any)
		return v;
	f = ARENA_NEW(s->view->arena, struct finding);
	if (!f)
		return deny(R_INTERNAL, SL(""), p->exfiltration_at);
	*f = (struct finding){ .category = "exfiltration", .form = "unscanned", .path = SL("") };
	if (s->any)
		*f = (struct finding){ .category = "exfiltration", .form = value_form_word(s->found.form), .part = s->found.part,
			.path = s->found.path };
	if (blocks)
		v = s->any ? deny(R_EXFILTRATION, f->path, p->exfiltration_at) : deny(R_EXFILTRATION_SIZE, SL(""), p->exfiltration_at);
	v.found = f;
	return v;
}

static struct verdict exfiltration_request(const struct view *v, struct call *c)
{
	struct sent s;

	if (v->policy->exfiltration == EXFILTRATION_OFF || !begin(&s, v, c->rpc->json.text))
		return PASS_VERDICT;
	add_call(&s, c);
	look(&s);
	c->tainted = s.any || s.err != E_OK;
	return give_verdict(&s);
}

bool exfiltration_taints(const struct view *v, const struct call *c)
{
	struct sent s;

	if (!begin(&s, v, c->rpc->json.text))
		return false;
	if (c->rpc->params != JSON_NONE)
		add_json(&s, &c->rpc->json, c->rpc->params, NULL);
	add_text(&s, VALUES, c->rpc->method_name, c->rpc->method_name.p + c->rpc->method_name.n);
	look(&s);
	return s.any || s.err != E_OK;
}

bool judge_gives_away(const struct view *v, struct slice text)
{
	struct sent s;

	if (text.n == 0 || v->policy->exfiltration != EXFILTRATION_BLOCK || !v->policy->enforce || !begin(&s, v, text))
		return false;
	add_text(&s, VALUES, text, text.p + text.n);
	look(&s);
	return s.any || s.err != E_OK;
}

struct verdict exfiltration_beside(const struct view *v, const struct rpc *rpc, uint32_t tok)
{
	struct sent s;

	if (tok == JSON_NONE || v->policy->exfiltration == EXFILTRATION_OFF || !begin(&s, v, rpc->json.text))
		return PASS_VERDICT;
	add_json(&s, &rpc->json, tok, NULL);
	look(&s);
	return give_verdict(&s);
}

const struct guard guard_exfiltration = { .name = "exfiltration", .request = exfiltration_request, .learn = values_learn };
