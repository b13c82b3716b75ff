#include "guards/facts.h"

/* The value as a catalog writes it: a string's text, or `true`, `7`. */
static bool value_is(const struct json *json, uint32_t tok, struct slice text, struct arena *a)
{
	if (!json_is(json, tok, JSON_STRING))
		return slice_eq(json_raw(json, tok), text);
	struct slice s = json_string(json, tok, a);
	return s.p && slice_eq(s, text);
}

static enum action by_argument(const struct action_rule *r, const struct json *json, uint32_t tok, struct arena *a)
{
	for (size_t i = 0; i < r->n_cases; i++) {
		bool same = tok == JSON_NONE ? slice_eq(r->deflt, r->cases[i].value) :
					       value_is(json, tok, r->cases[i].value, a);
		if (same)
			return r->cases[i].action;
	}
	return r->otherwise;
}

static bool is_empty(const struct json *json, uint32_t tok)
{
	return json_is(json, tok, JSON_STRING) && json_raw(json, tok).n == 0;
}

enum action classify_action(const struct action_rule *r, const struct json *json, uint32_t args, struct arena *a)
{
	uint32_t tok = json ? json_member(json, args, r->arg) : JSON_NONE;

	switch (r->by) {
	case BY_NOTHING:
		return r->fixed;
	case BY_PRESENCE:
		return tok == JSON_NONE ? r->otherwise : is_empty(json, tok) ? r->empty : r->fixed;
	case BY_ARGUMENT:
		/* Absent, and no word about what that means: the vault decides, so nobody knows. */
		return tok == JSON_NONE && !r->deflt.n ? r->otherwise : by_argument(r, json, tok, a);
	}
	return ACT_UNKNOWN;
}
