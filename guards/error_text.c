#include "guards/error_text.h"

#define ERROR_LOOKED_AT 4096 /* bytes of a vault's text that are searched */
#define HANDLE_MAX 160

struct meaning {
	const char *words[10];  /* any of them, lower case; a number only as a whole word */
	const char *sentence;
};

/* In the order they are tried: what names the cause most exactly comes first. */
static const struct meaning MEANINGS[] = {
	{ { "approval required", "human approval", "requires approval", "approval id" }, "Human approval is required." },
	{ { "429", "rate limit", "too many requests" }, "The vault's rate limit is reached; try again later." },
	{ { "402", "quota", "payment required", "plan limit", "limit exceeded" }, "The vault's quota is used up." },
	{ { "already used", "already redeemed", "already been", "consumed", "single use", "single-use" },
		"The vault says it has been used already." },
	{ { "410", "expired" }, "The vault says it has expired." },
	{ { "404", "not found", "not be found", "no secret found", "not exist", "n't exist", "no such", "unknown secret" },
		"The vault did not find it." },
	{ { "401", "unauthorized", "unauthenticated", "invalid token" }, "The vault did not accept the credentials." },
	{ { "403", "forbidden", "denied", "not allowed", "permission", "insufficient" }, "The vault denied it." },
	{ { "409", "conflict", "already exists" }, "The vault reports a conflict with what is stored." },
	{ { "503", "502", "504", "unavailable", "timeout", "timed out", "econnrefused", "connection refused" },
		"The vault is not available right now." },
	{ { "400", "422", "validation", "required", "invalid" }, "The vault did not accept the arguments." },
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool holds(struct slice text, struct slice word)
{
	for (size_t i = 0; i + word.n <= text.n; i++) {
		size_t k = 0;
		while (k < word.n && lower(text.p[i + k]) == word.p[k])
			k++;
		if (k < word.n)
			continue;
		bool glued = (i > 0 && is_digit(text.p[i - 1])) || (i + k < text.n && is_digit(text.p[i + k]));
		if (!is_digit(word.p[0]) || !glued)
			return true;
	}
	return false;
}

static struct slice meaning_of(struct slice text)
{
	for (size_t i = 0; i < sizeof MEANINGS / sizeof *MEANINGS; i++)
		for (size_t w = 0; w < sizeof MEANINGS->words / sizeof *MEANINGS->words && MEANINGS[i].words[w]; w++)
			if (holds(text, slice_of(MEANINGS[i].words[w])))
				return slice_of(MEANINGS[i].sentence);
	return SL("The vault reported an error.");
}

/* A handle is one word of plain signs: anything else a pattern caught is not passed on. */
static bool is_plain_handle(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);
		if (!(c >= 'a' && c <= 'z') && !is_digit(c) && !memchr(" -_:.", c, 5))
			return false;
	}
	return s.n > 0 && s.n <= HANDLE_MAX;
}

/* The first text each `gives … in: error` of the rule matches. */
static struct slice add_handles(struct slice sentence, const struct rule *rule, struct slice text, struct arena *a)
{
	for (size_t i = 0; rule && i < rule->n_gives && sentence.p; i++) {
		const struct give_rule *g = &rule->gives[i];
		size_t start, end;
		bool overrun = false;

		if (!g->in_error || !g->regex || !regex_match(g->regex, text, 0, &start, &end, &overrun))
			continue;
		struct slice found = slice_make(text.p + start, end - start);
		if (is_plain_handle(found))
			sentence = arena_fmt(a, "%.*s %.*s", SL_ARG(sentence), SL_ARG(found));
	}
	return sentence;
}

struct slice error_sentence(const struct view *view, const struct call *call, struct slice text)
{
	struct slice sentence = meaning_of(slice_head(text, ERROR_LOOKED_AT));

	if (call && call->n_paths == 1 && call->paths[0].fault == PATH_OK && call->paths[0].path.text.n)
		sentence = arena_fmt(view->arena, "%.*s (%.*s)", SL_ARG(sentence), SL_ARG(call->paths[0].path.text));
	return sentence.p ? add_handles(sentence, call ? call->rule : NULL, text, view->arena) : sentence;
}
