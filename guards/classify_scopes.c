#include "guards/facts.h"

struct scopes {
	struct facts *f;
	struct slice from;
	size_t n;
	bool other; /* one is no read scope, or cannot be read */
};

static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'a' || s.p[i] > 'z')
			return false;
	return s.n > 0;
}

/* Exactly secrets:ACTION:PATH. Several in one text, other cases and blanks do not parse. */
static void read_scope(struct scopes *s, struct slice text)
{
	struct slice rest = text, kind = slice_cut(&rest, ':'), action = slice_cut(&rest, ':');
	bool blank =
		text.n && (memchr(text.p, ' ', text.n) || memchr(text.p, '\t', text.n) || memchr(text.p, '\n', text.n));

	s->n++;
	if (!slice_eq(kind, SL("secrets")) || !is_word(action) || blank || !rest.p || memchr(rest.p, ':', rest.n)) {
		s->other = true;
		fact_unknown(s->f, s->from);
		return;
	}
	if (!slice_eq(action, SL("read")) && !slice_eq(action, SL("list")))
		s->other = true;
	fact_path(s->f, rest, COVERS_GLOB, s->from);
	if (!s->f->nomem && s->f->call->paths[s->f->call->n_paths - 1].fault != PATH_OK)
		s->other = true;
}

/* An argument nobody named may ask for more: `scope` beside `scopes`. */
static bool is_all_named(struct facts *f, const struct rule *rule, const struct args *a)
{
	for (uint32_t c = json_first(a->json, a->args); c < a->json->tok[a->args].next; c = a->json->tok[c + 1].next)
		if (!rule_names(rule, tenant_rule_of(f->view, rule), facts_text(f, a->json, c)))
			return false;
	return true;
}

static bool on_scope(void *ctx, const struct found *found)
{
	struct scopes *s = ctx;
	uint32_t t = found->tok, end = found->json->tok[t].next;

	if (json_is(found->json, t, JSON_ARRAY))
		t = json_first(found->json, t);
	for (; t < end; t = found->json->tok[t].next) {
		if (json_is(found->json, t, JSON_STRING)) {
			read_scope(s, facts_text(s->f, found->json, t));
			continue;
		}
		s->n++;
		s->other = true;
		fact_unknown(s->f, s->from);
	}
	return !s->f->nomem;
}

void classify_scopes(struct facts *f, const struct rule *rule, const struct args *a, size_t n)
{
	struct scopes s = { .f = f, .from = rule->scope_list.source };

	for (size_t i = 0; i < n; i++) {
		if (!a[i].json || a[i].args == JSON_NONE)
			continue;
		s.other |= !is_all_named(f, rule, &a[i]);
		enum err e = selector_each(&rule->scope_list, a[i].json, a[i].args, f->arena, on_scope, &s);
		if (e == E_NOMEM)
			f->nomem = true;
		else if (e != E_OK)
			s.other = true;
	}
	f->call->read_scopes = s.n > 0 && !s.other;
}
