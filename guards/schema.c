#include "guards/schema.h"

#include "guards/facts.h"
#include "guards/filter.h"
#include "guards/mask_names.h"

#define MARKER_CHARS 6

struct schema {
	const struct json *json;
	const struct rule *rule;
	struct arena *arena;
	bool mask, bears;  /* values are masked; everything but metadata is */
	bool filter;       /* items may be missing */
	bool refers;       /* something masked is described elsewhere in the schema */
};

static bool action_rule_bears(const struct action_rule *a)
{
	bool bears = a->by != BY_ARGUMENT && action_bears_values(a->fixed);

	bears = bears || (a->by != BY_NOTHING && action_bears_values(a->otherwise));
	for (size_t i = 0; i < a->n_cases; i++)
		bears = bears || action_bears_values(a->cases[i].action);
	return bears;
}

static bool tool_bears(const struct view *v, const struct rule *rule, struct slice tool)
{
	bool executor;

	if (rule)
		return action_rule_bears(&rule->action);
	enum action a = generic_action(&v->catalog->vocabulary, tool, &executor);
	return !v->catalog->generic || executor || action_bears_values(a) ||
		(!action_is_read_only(a) && generic_hands_out(tool));
}

/* The catalog points at this member, or at everything. */
static bool is_selected(const struct rule *rule, struct slice name)
{
	for (size_t i = 0; rule && i < rule->out.n_values; i++) {
		const struct selector *s = &rule->out.values[i];
		for (size_t k = 0; k < s->n; k++)
			if (s->steps[k].kind != STEP_MEMBER || slice_eq(s->steps[k].name, name))
				return true;
	}
	return false;
}

/* How much of what a schema describes is masked. */
enum hiding { SHOWN, HIDDEN, HIDDEN_ALL /* metadata too */ };

/* Whether what stands under a property of this name is masked, given what was so above it. */
static enum hiding hiding_of(const struct schema *s, struct slice name, enum hiding above)
{
	enum name_class c = mask_name_class(name);

	if (!s->mask || above == HIDDEN_ALL)
		return above;
	/* `data` of an answer nobody describes holds the secret's own fields. */
	if (s->bears && c == NAME_VALUE && !(s->rule && s->rule->out.n_values) && !slice_eq_nocase(name, SL("secret")))
		return HIDDEN_ALL;
	if (is_selected(s->rule, name) || c == NAME_VALUE || c == NAME_VALUEISH || c == NAME_LENGTH)
		return HIDDEN;
	if (c == NAME_META || c == NAME_META_MAP || c == NAME_PROSE)
		return SHOWN;
	return above;
}

static bool number_over(const struct json *j, uint32_t tok, int64_t limit)
{
	int64_t n;
	return !json_int(j, tok, &n) || n > limit;
}

static bool number_under(const struct json *j, uint32_t tok, int64_t limit)
{
	int64_t n;
	return !json_int(j, tok, &n) || n < limit;
}

/* One keyword above a masked leaf. */
static bool breaks_mask(const struct json *j, uint32_t name)
{
	static const char *const NEVER[] = { "enum", "const", "pattern", "format", "not", "if", "uniqueItems",
		"dependentSchemas" };

	for (size_t i = 0; i < sizeof NEVER / sizeof *NEVER; i++)
		if (json_string_eq(j, name, slice_of(NEVER[i])))
			return true;
	if (json_string_eq(j, name, SL("minLength")))
		return number_over(j, name + 1, MARKER_CHARS);
	if (json_string_eq(j, name, SL("maxLength")))
		return number_under(j, name + 1, MARKER_CHARS);
	if (json_string_eq(j, name, SL("minimum")))
		return number_over(j, name + 1, 0);
	if (json_string_eq(j, name, SL("exclusiveMinimum")))
		return number_over(j, name + 1, -1);
	if (json_string_eq(j, name, SL("maximum")))
		return number_under(j, name + 1, 0);
	return json_string_eq(j, name, SL("exclusiveMaximum")) && number_under(j, name + 1, 1);
}

/* A list of required members that names a total: totals go when pages follow. */
static bool requires_total(const struct json *j, uint32_t array)
{
	if (!json_is(j, array, JSON_ARRAY))
		return false;
	for (uint32_t t = json_first(j, array); t < j->tok[array].next; t = j->tok[t].next)
		if (json_is(j, t, JSON_STRING) && filter_is_total_name(j, t))
			return true;
	return false;
}

static bool breaks_filter(const struct json *j, uint32_t name)
{
	if (json_string_eq(j, name, SL("minItems")) || json_string_eq(j, name, SL("minProperties")))
		return number_over(j, name + 1, 0);
	return json_string_eq(j, name, SL("required")) && requires_total(j, name + 1);
}

static bool breaks(struct schema *, uint32_t tok, enum hiding hidden);

static bool properties_break(struct schema *s, uint32_t obj, enum hiding hidden)
{
	const struct json *j = s->json;

	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next; t = j->tok[t + 1].next) {
		struct slice name = json_string(j, t, s->arena);
		if (!name.p || breaks(s, t + 1, hiding_of(s, name, hidden)))
			return true;
	}
	return false;
}

/* Recursion is bounded by the reader's depth. */
static bool breaks(struct schema *s, uint32_t tok, enum hiding hidden)
{
	const struct json *j = s->json;

	if (json_is(j, tok, JSON_ARRAY)) {
		for (uint32_t t = json_first(j, tok); t < j->tok[tok].next; t = j->tok[t].next)
			if (breaks(s, t, hidden))
				return true;
		return false;
	}
	if (!json_is(j, tok, JSON_OBJECT))
		return false;
	for (uint32_t t = json_first(j, tok); t < j->tok[tok].next; t = j->tok[t + 1].next) {
		bool properties = json_string_eq(j, t, SL("properties")) && json_is(j, t + 1, JSON_OBJECT);

		s->refers |= hidden && (json_string_eq(j, t, SL("$ref")) || json_string_eq(j, t, SL("$dynamicRef")));
		if ((hidden && breaks_mask(j, t)) || (s->filter && breaks_filter(j, t)))
			return true;
		if (properties ? properties_break(s, t + 1, hidden) : breaks(s, t + 1, hidden))
			return true;
	}
	return false;
}

/* Each definition as if it described something masked. */
static bool definitions_break(struct schema *s, uint32_t obj)
{
	const struct json *j = s->json;

	if (!json_is(j, obj, JSON_OBJECT))
		return true;
	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next; t = j->tok[t + 1].next)
		if (breaks(s, t + 1, HIDDEN))
			return true;
	return false;
}

bool schema_breaks(
	const struct view *v, const struct rule *rule, struct slice tool, const struct json *j, uint32_t schema)
{
	struct schema s = { .json = j, .rule = rule, .arena = v->arena, .mask = v->policy->mask_values };

	s.filter = policy_locks_paths(v->policy) || policy_locks_tenant(v->policy);
	s.bears = s.mask && tool_bears(v, rule, tool);
	if (breaks(&s, schema, s.bears ? HIDDEN : SHOWN))
		return true;
	/* A reference is followed by looking at every definition. */
	uint32_t now = json_member(j, schema, SL("$defs")), before = json_member(j, schema, SL("definitions"));
	return s.refers && ((now != JSON_NONE && definitions_break(&s, now)) ||
		(before != JSON_NONE && definitions_break(&s, before)));
}
