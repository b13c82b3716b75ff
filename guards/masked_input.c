/* What stands for a value must never become one: it would destroy the secret (docs/guards/masked-input.md). */
#include "guards/facts.h"
#include "guards/response.h"

#define REDACTED "[REDACTED:"
/* The marker inside JSON inside a string, still escaped. */
#define MARKER_ESCAPED "\\u2022\\u2022\\u2022\\u2022\\u2022\\u2022"

static bool has(struct slice text, struct slice what)
{
	return memmem(text.p, text.n, what.p, what.n) != NULL;
}

static bool text_has_marker(struct slice text)
{
	return has(text, SL(MASK_MARKER)) || has(text, SL(REDACTED)) || has(text, SL(MARKER_ESCAPED));
}

/* memmem prepares itself for longer texts than most arguments are. */
static bool has_redacted(struct slice raw)
{
	for (const char *at; (at = memchr(raw.p, REDACTED[0], raw.n)) != NULL;) {
		raw = slice_from(raw, (size_t)(at - raw.p));
		if (slice_starts(raw, SL(REDACTED)))
			return true;
		raw = slice_from(raw, 1);
	}
	return false;
}

/* Only a text with one of these bytes can hold a marker, written in whatever way. */
static bool is_worth_reading(struct slice raw)
{
	return memchr(raw.p, '\\', raw.n) || memchr(raw.p, MASK_MARKER[0], raw.n) || has_redacted(raw);
}

bool json_has_marker(const struct json *j, uint32_t tok, struct arena *a)
{
	if (!is_worth_reading(json_raw(j, tok)))
		return false;
	for (uint32_t t = tok; t < j->tok[tok].next; t++) {
		if (!json_is(j, t, JSON_STRING))
			continue;
		struct slice text = json_string(j, t, a);
		/* Without memory nobody can say that it holds none. */
		if (!text.p || text_has_marker(text))
			return true;
	}
	return false;
}

static struct verdict masked_input_request(const struct view *v, struct call *c)
{
	uint32_t params = c->rpc->params;

	if (params == JSON_NONE || !json_has_marker(&c->rpc->json, params, v->arena))
		return PASS_VERDICT;
	return deny(R_MASKED_INPUT, SL(""), v->policy->mask_values_at);
}

const struct guard guard_masked_input = { .name = "masked-input", .request = masked_input_request };
