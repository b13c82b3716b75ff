#include <stdlib.h>
#include "guards/facts.h"
#include "guards/names.h"
#include "guards/scope.h"

/* Tokens that the catalog has spoken for: values, paths, handles, scopes. */
struct spoken {
	struct facts *f;
	const struct json *json;
	uint32_t *v;
	size_t n, cap;
};

static bool dotted_names(struct slice dotted, struct slice name)
{
	if (!slice_starts(dotted, name) || (dotted.n > name.n && dotted.p[name.n] != '.'))
		return false;
	return !name.n || !memchr(name.p, '.', name.n);
}

static bool list_names(const struct slice *list, size_t n, struct slice name)
{
	for (size_t i = 0; name.n && i < n; i++)
		if (list[i].n && list[i].p[0] == name.p[0] && dotted_names(list[i], name))
			return true;
	return false;
}

static bool selectors_name(const struct selector *list, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (selector_mentions(&list[i], name))
			return true;
	return false;
}

/* Names that say what they stand for: a path, a value, a handle, a scope. */
static bool rule_describes(const struct rule *r, struct slice name)
{
	for (size_t i = 0; i < r->n_paths; i++)
		if (template_mentions(&r->paths[i], name))
			return true;
	for (size_t i = 0; i < r->n_takes; i++)
		if (selector_mentions(&r->takes[i].arg, name))
			return true;
	if (r->scopes && selector_mentions(&r->scope_list, name))
		return true;
	return selectors_name(r->secret_args, r->n_secret_args, name);
}

/* Names that the rule has for another reason. */
static bool rule_admits(const struct rule *r, const struct tenant_rule *t, struct slice name)
{
	bool partner;

	if (list_names(r->args, r->n_args, name) || tenant_rule_names(t, name, &partner))
		return true;
	for (size_t i = 0; i < r->n_force; i++)
		if (slice_eq(r->force[i].arg, name))
			return true;
	if (r->nested && (template_mentions(&r->call_tool, name) || selector_mentions(&r->call_args, name)))
		return true;
	return (r->action.by != BY_NOTHING && slice_eq(r->action.arg, name)) ||
		list_names(r->side_files, r->n_side_files, name) || list_names(r->side_urls, r->n_side_urls, name);
}

bool rule_names(const struct rule *r, const struct tenant_rule *t, struct slice name)
{
	return rule_describes(r, name) || rule_admits(r, t, name);
}

static bool on_spoken(void *ctx, const struct found *found)
{
	struct spoken *s = ctx;

	if (found->json != s->json || found->is_name)
		return true;
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 16;
		uint32_t *v = arena_array(s->f->arena, cap, sizeof *v);
		if (!v) {
			s->f->nomem = true;
			return false;
		}
		if (s->n)
			memcpy(v, s->v, s->n * sizeof *v);
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = found->tok;
	return true;
}

static void speak(struct spoken *s, const struct selector *sel, uint32_t args)
{
	/* Strings that had to be JSON and are not: whoever uses the selector says so. */
	if (selector_each(sel, s->json, args, s->f->arena, on_spoken, s) == E_NOMEM)
		s->f->nomem = true;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void gather_spoken(struct spoken *s, const struct rule *r, uint32_t args)
{
	for (size_t i = 0; i < r->n_secret_args; i++)
		speak(s, &r->secret_args[i], args);
	for (size_t i = 0; i < r->n_paths; i++)
		for (size_t k = 0; k < r->paths[i].n; k++)
			if (r->paths[i].parts[k].kind != PART_TEXT)
				speak(s, &r->paths[i].parts[k].ref, args);
	for (size_t i = 0; i < r->n_takes; i++)
		speak(s, &r->takes[i].arg, args);
	if (r->scopes)
		speak(s, &r->scope_list, args);
	if (s->n > 1)
		qsort(s->v, s->n, sizeof *s->v, compare);
}

struct reading {
	struct facts *f;
	const struct rule *rule, *outer;
	const struct tenant_rule *tenants;
	const struct args *a;
	struct spoken spoken;
	bool gathered;
};

/* `sel` is json(NAME).MEMBER…: the member of the inner text that it speaks for, or JSON_NONE. */
static uint32_t spoken_inside(const struct selector *sel, struct slice name, const struct json *inner)
{
	bool inside = sel->n > 2 && selector_mentions(sel, name) && sel->steps[1].kind == STEP_JSON &&
		sel->steps[2].kind == STEP_MEMBER;

	return inside ? json_member(inner, 0, sel->steps[2].name) : JSON_NONE;
}

static void speak_inside(struct spoken *s, const struct selector *sel, struct slice name)
{
	uint32_t tok = spoken_inside(sel, name, s->json);

	if (tok != JSON_NONE)
		on_spoken(s, &(struct found){ .json = s->json, .tok = tok });
}

/* JSON in a string, parts of which the catalog speaks for. */
static void read_inside(struct reading *r, struct slice text, struct slice name)
{
	struct json inner;
	struct spoken s = { .f = r->f, .json = &inner };
	enum err e = json_parse(&inner, text, r->f->arena, NULL);

	if (e == E_NOMEM)
		r->f->nomem = true;
	if (e != E_OK)
		return; /* whoever uses the selector says so */
	for (size_t i = 0; i < r->rule->n_paths; i++)
		for (size_t k = 0; k < r->rule->paths[i].n; k++)
			speak_inside(&s, &r->rule->paths[i].parts[k].ref, name);
	for (size_t i = 0; i < r->rule->n_secret_args; i++)
		speak_inside(&s, &r->rule->secret_args[i], name);
	for (size_t i = 0; i < r->rule->n_takes; i++)
		speak_inside(&s, &r->rule->takes[i].arg, name);
	if (s.n > 1)
		qsort(s.v, s.n, sizeof *s.v, compare);
	classify_tree(r->f, &inner, 0, name, s.v, s.n);
}

static bool opens_json(const struct rule *r, struct slice name)
{
	for (size_t i = 0; i < r->n_paths; i++)
		for (size_t k = 0; k < r->paths[i].n; k++) {
			const struct selector *sel = &r->paths[i].parts[k].ref;
			if (selector_mentions(sel, name) && sel->n > 1 && sel->steps[1].kind == STEP_JSON)
				return true;
		}
	return false;
}

/* The inner arguments of a nested call are read by the inner call's rule. */
static bool is_handed_on(const struct reading *r, struct slice name)
{
	const struct rule *wrapper = r->outer ? r->outer : r->rule;

	return wrapper->nested && selector_mentions(&wrapper->call_args, name);
}

/* What is looked through for dangers may speak of anything: nothing is reached by it. */
static bool is_scan(const struct rule *r)
{
	return r->action.by == BY_NOTHING && r->action.fixed == ACT_SCAN;
}

/* By its name the argument holds a number, an id or options: a text that is none of these may be a path's way in. */
static bool fits(struct slice text, enum look_holds holds)
{
	switch (holds) {
	case HOLDS_NUMBER:
		return look_text_is_number(text);
	case HOLDS_WORD:
		return look_text_is_word(text);
	case HOLDS_OBJECT:
		return look_text_is_json(text) ||
			(look_text_is_word(text) && slice_find(text, SL("=")) < 0 && slice_find(text, SL(":")) < 0);
	case HOLDS_PROSE:
	case HOLDS_ANYTHING:
		break;
	}
	return true;
}

/* Texts of an argument that the catalog calls harmless. */
static bool holds_what_it_says(struct reading *r, uint32_t value, enum look_holds holds)
{
	const struct json *j = r->a->json;
	int64_t n;

	if (holds == HOLDS_ANYTHING)
		return true;
	if (json_is(j, value, JSON_STRING))
		return fits(facts_text(r->f, j, value), holds);
	if (!json_is(j, value, JSON_ARRAY))
		return holds != HOLDS_NUMBER || json_is(j, value, JSON_NULL) || json_int(j, value, &n);
	for (uint32_t c = json_first(j, value); c < j->tok[value].next; c = j->tok[c].next)
		if (!holds_what_it_says(r, c, holds))
			return false;
	return true;
}

static bool is_spoken(const struct reading *r, uint32_t tok)
{
	return r->spoken.n && bsearch(&tok, r->spoken.v, r->spoken.n, sizeof tok, compare);
}

/* Written like a path of the vault. An address is one only where it says what a grant is for. */
static bool is_stray_path(const struct reading *r, struct slice text)
{
	if (!scope_looks_like_path(text))
		return false;
	return r->f->call->action == ACT_GRANT || (slice_find(text, SL("://")) < 0 && !memchr(text.p, ' ', text.n));
}

/* Beside the paths that the catalog knows in an argument there may stand more, under names it does not have. */
static void read_strays(struct reading *r, uint32_t value, struct slice name)
{
	const struct json *j = r->a->json;

	for (uint32_t t = value; t < j->tok[value].next;) {
		bool spoken = is_spoken(r, t), is_name = j->tok[t].flags & JSON_NAME;

		if (!spoken && !is_name && json_is(j, t, JSON_STRING) && is_stray_path(r, facts_text(r->f, j, t)))
			fact_unknown(r->f, name);
		t = spoken ? j->tok[t].next : t + 1;
	}
}

static void read_text_below(struct reading *r, uint32_t value, struct slice name, bool described)
{
	struct slice text = facts_text(r->f, r->a->json, value);

	if (!look_text_is_json(text) || is_scan(r->rule))
		return;
	if (opens_json(r->rule, name))
		read_inside(r, text, name);
	else if (!described)
		classify_tree(r->f, r->a->json, value, name, NULL, 0);
}

/* A described argument may still hold more than its description: look below it, past what is spoken for. */
static void read_below(struct reading *r, uint32_t value, struct slice name, bool described)
{
	const struct json *j = r->a->json;

	if (is_handed_on(r, name))
		return;
	if (!described && !holds_what_it_says(r, value, names_hold(r->f->view, name)))
		fact_unknown(r->f, name);
	if (json_is(j, value, JSON_STRING)) {
		read_text_below(r, value, name, described);
		return;
	}
	if (j->tok[value].type < JSON_ARRAY)
		return;
	if (!r->gathered) {
		r->gathered = true;
		gather_spoken(&r->spoken, r->rule, r->a->args);
	}
	classify_tree(r->f, j, value, name, r->spoken.v, r->spoken.n);
	if (described)
		read_strays(r, value, name);
}

/* Nobody named it. The vault's own schema may, where neither its name nor its value looks like what is locked. */
static void read_unknown(struct reading *r, uint32_t value, struct slice name, enum look l)
{
	struct facts *f = r->f;
	struct slice tool = f->call->outer && !r->a->inner ? f->call->outer_name : f->call->name;
	const struct toolbook *tools = f->view->tools;

	if (look_is_path(l) || l == LOOK_KEY || tree_looks_judged(f, r->a->json, value)) {
		fact_unknown(f, name);
		return;
	}
	if (f->call->method->id != M_TOOLS_CALL || (tools && toolbook_declares(tools, tool, name)))
		return;
	if (!tools || !toolbook_complete(tools))
		f->call->needs_tools = true;
	else
		fact_unknown(f, name);
}

static bool is_admitted(const struct reading *r, struct slice name)
{
	return rule_admits(r->rule, r->tenants, name) || (r->outer && rule_names(r->outer, r->tenants, name));
}

static void read_argument(struct reading *r, struct slice name, uint32_t value)
{
	const struct json *j = r->a->json;
	bool partner, own = tenant_rule_names(r->tenants, name, &partner), described = rule_describes(r->rule, name);
	bool named = described || is_admitted(r, name);
	enum look l = own || described ? LOOK_NOTHING : names_look(r->f->view, name);

	if (own && json_is(j, value, JSON_NULL))
		return; /* as good as absent: it is filled in */
	if (own || look_is_tenant(l))
		classify_tenant_tree(r->f, j, value, own ? partner : l == LOOK_PARTNER, name);
	if (named && !own)
		read_below(r, value, name, described);
	else if (!named && look_is_tenant(l) && json_is(j, value, JSON_STRING))
		read_unknown(r, value, name, LOOK_NOTHING);
	else if (!named)
		read_unknown(r, value, name, l);
}

void classify_args(struct facts *f, const struct rule *rule, const struct rule *outer, const struct args *a)
{
	struct reading r = { .f = f, .rule = rule, .outer = outer, .tenants = tenant_rule_of(f->view, rule), .a = a };

	if (!a->json || a->args == JSON_NONE)
		return;
	r.spoken = (struct spoken){ .f = f, .json = a->json };
	for (uint32_t c = json_first(a->json, a->args); c < a->json->tok[a->args].next; c = a->json->tok[c + 1].next)
		read_argument(&r, facts_text(f, a->json, c), c + 1);
}
