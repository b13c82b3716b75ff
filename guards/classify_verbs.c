/*
 * What arguments say about the deed. Beside a name that reads, `method: DELETE` makes another call of it, and `Action`
 * beside `action` another still, for a vault that reads names without case.
 */
#include "guards/facts.h"
#include "guards/look.h"
#include "guards/offer.h"

/* JSON in a string in JSON …: deeper than this nobody means it. */
#define VERBS_MAX_NESTING 4
#define VERB_MAX_BYTES    64

struct verbs {
	struct facts *f;
	const struct json *json;
	unsigned nesting;
};

static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && c != '_' && c != '-' && c != '.' && c != ':')
			return false;
	}
	return s.n > 0 && s.n <= VERB_MAX_BYTES;
}

/* Where no vocabulary says more. */
static bool is_reading_word(struct slice s)
{
	static const char *const words[] = { "get", "head", "options", "list", "read", "fetch", "describe", "show",
		"search", "find", "view", "status" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_eq_nocase(s, slice_of(words[i])))
			return true;
	return false;
}

/* Under generic a search may be for anything (`action: login` of an audit); nothing else takes an unknown word. */
static void judge_word(struct facts *f, struct slice text)
{
	const struct vocabulary *v = &f->view->catalog->vocabulary;
	struct call *c = f->call;
	bool executor = false;
	enum action a = v->reads.n ? generic_action(v, text, &executor) : ACT_UNKNOWN;
	bool reads =
	        is_word(text) && !executor && (action_is_read_only(a) || (a == ACT_UNKNOWN && is_reading_word(text)));
	bool searches = v->reads.n && c->action == ACT_LIST && a == ACT_UNKNOWN && !executor && is_word(text);

	if (!reads && !searches)
		c->action = ACT_UNKNOWN;
	else if (a == ACT_READ && c->action == ACT_LIST)
		c->action = ACT_READ;
}

static void judge_value(struct verbs *v, uint32_t tok)
{
	const struct json *j = v->json;

	for (uint32_t t = tok; t < j->tok[tok].next; t++) {
		if (json_is(j, t, JSON_STRING))
			judge_word(v->f, facts_text(v->f, j, t));
		else if (json_is(j, t, JSON_NUMBER) || json_is(j, t, JSON_TRUE))
			v->f->call->action = ACT_UNKNOWN;
	}
}

/* true, "true", 1: nothing that says no. */
static bool is_on(const struct json *j, uint32_t tok)
{
	struct slice text = json_raw(j, tok);

	return json_is(j, tok, JSON_TRUE) || slice_eq(text, SL("1")) || slice_eq_nocase(text, SL("true")) ||
	       slice_eq_nocase(text, SL("yes"));
}

static void scan(struct verbs *v, uint32_t from, uint32_t end);

static void scan_text(struct verbs *v, struct slice text)
{
	struct json inner;

	if (!look_text_is_json(text) || v->nesting == VERBS_MAX_NESTING)
		return;
	enum err e = json_parse(&inner, text, v->f->arena, NULL);
	if (e == E_NOMEM)
		v->f->nomem = true;
	else if (e == E_OK)
		scan(&(struct verbs){ v->f, &inner, v->nesting + 1 }, 0, inner.n);
}

static void scan(struct verbs *v, uint32_t from, uint32_t end)
{
	const struct json *j = v->json;

	for (uint32_t t = from; t < end && action_is_read_only(v->f->call->action); t++) {
		if (!json_is(j, t, JSON_STRING))
			continue;
		struct slice text = facts_text(v->f, j, t);
		if (!(j->tok[t].flags & JSON_NAME))
			scan_text(v, text);
		else if (look_is_verb(text))
			judge_value(v, t + 1);
		else if (look_is_deed(text) && is_on(j, t + 1))
			v->f->call->action = ACT_UNKNOWN;
	}
}

static bool is_named(struct facts *f, const struct rule *rule, struct slice name)
{
	return rule && rule_names(rule, tenant_rule_of(f->view, rule), name);
}

void classify_verbs(struct facts *f, const struct rule *rule, const struct args *a)
{
	struct verbs v = { .f = f, .json = a->json };

	if (!a->json || a->args == JSON_NONE || !policy_narrows(f->view->policy))
		return;
	for (uint32_t c = json_first(a->json, a->args); c < a->json->tok[a->args].next; c = a->json->tok[c + 1].next) {
		struct slice name = facts_text(f, a->json, c);

		/* Beside the inner arguments of a wrapper stand its own. */
		if (!is_named(f, rule, name) && (a->inner || !is_named(f, f->call->outer, name)))
			scan(&v, c, a->json->tok[c + 1].next);
	}
}

/* --- twins ---------------------------------------------------------------------------------------------------- */

static bool is_twin_of(struct facts *f, struct slice name, struct slice known)
{
	return known.n && look_same_name(name, known, f->arena);
}

static bool is_twin_of_member(struct facts *f, struct slice name, const struct selector *s)
{
	return s->n && s->steps[0].kind == STEP_MEMBER && is_twin_of(f, name, s->steps[0].name);
}

/* Another spelling of an argument by which it is known what the call does. */
static bool is_twin(struct facts *f, const struct rule *r, struct slice name)
{
	if (r->action.by != BY_NOTHING && is_twin_of(f, name, r->action.arg))
		return true;
	if (r->scopes && is_twin_of_member(f, name, &r->scope_list))
		return true;
	if (!r->nested)
		return false;
	for (size_t i = 0; i < r->call_tool.n; i++)
		if (r->call_tool.parts[i].kind != PART_TEXT && is_twin_of_member(f, name, &r->call_tool.parts[i].ref))
			return true;
	return is_twin_of_member(f, name, &r->call_args);
}

void classify_twins(struct facts *f, const struct rule *rule, const struct args *a)
{
	bool decides = rule->action.by != BY_NOTHING || rule->scopes || rule->nested;

	if (!decides || !a->json || a->args == JSON_NONE || !policy_narrows(f->view->policy))
		return;
	for (uint32_t c = json_first(a->json, a->args); c < a->json->tok[a->args].next; c = a->json->tok[c + 1].next) {
		struct slice name = facts_text(f, a->json, c);

		if (!is_named(f, rule, name) && is_twin(f, rule, name))
			facts_fault(f, R_ARGUMENT, name);
	}
}
