/*
 * Regular expressions of catalogs, over PCRE2's interpreter. The pattern lives in the catalog's arena. Matching counts
 * its own work: a callout before every item of the pattern charges the step, and the distance run since the last one,
 * against a budget that grows with the text, so that no pattern takes more than linear time.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include "policy/selector.h"

#define PATTERN_MAX_BYTES 4096
#define REPEAT_MAX        1000 /* of `{n,m}`: longer runs would do uncounted work */
#define BUDGET_BASE       100000u
#define BUDGET_PER_BYTE   8u
#define RUN_PER_STEP      64 /* bytes a simple repeat runs over for the price of one step */
#define HEAP_KIB          4096u

struct regex {
	pcre2_code *code;
	size_t *ovector; /* of the last successful match: start, end of the whole, then of each group */
	uint32_t pairs;
	bool lone; /* one group, and it has no name */
};

static void *alloc_in_arena(size_t n, void *arena)
{
	return arena_alloc_raw(arena, n);
}

static void free_nothing(void *p, void *arena)
{
	(void)p;
	(void)arena;
}

/* Whether a counted repeat asks for more than REPEAT_MAX; *at is where. */
static bool repeats_too_often(struct slice pattern, size_t *at)
{
	for (size_t i = 0; i < pattern.n; i++) {
		if (pattern.p[i] == '\\') {
			i++;
			continue;
		}
		if (pattern.p[i] != '{')
			continue;
		unsigned long n = 0;
		for (size_t k = i + 1; k < pattern.n; k++) {
			char c = pattern.p[k];
			if (c >= '0' && c <= '9')
				n = n > REPEAT_MAX ? n : n * 10 + (unsigned long)(c - '0');
			else if (c == ',' && n <= REPEAT_MAX)
				n = 0;
			else
				break;
		}
		if (n > REPEAT_MAX) {
			*at = i;
			return true;
		}
	}
	return false;
}

static const struct regex *regex_wrap(pcre2_code *code, struct arena *a)
{
	struct regex *re = ARENA_NEW(a, struct regex);
	uint32_t groups = 0, names = 0;
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &names);
	if (!re || !(re->ovector = arena_array(a, 2 * ((size_t)groups + 1), sizeof *re->ovector)))
		return NULL;
	re->code = code;
	re->pairs = groups + 1;
	re->lone = groups == 1 && names == 0;
	for (size_t i = 0; i < 2 * (size_t)re->pairs; i++)
		re->ovector[i] = PCRE2_UNSET;
	return re;
}

const struct regex *regex_compile(struct slice pattern, struct arena *a, const char **why, size_t *at)
{
	*why = "out of memory";
	*at = 0;
	if (repeats_too_often(pattern, at)) {
		*why = "a repeat of more than 1000";
		return NULL;
	}
	pcre2_general_context *general = pcre2_general_context_create(alloc_in_arena, free_nothing, a);
	pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;
	if (!context)
		return NULL;
	pcre2_set_max_pattern_length(context, PATTERN_MAX_BYTES);
	pcre2_set_parens_nest_limit(context, 50);
	uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY |
			   PCRE2_AUTO_CALLOUT;
	int code = 0;
	PCRE2_SPTR text = (PCRE2_SPTR)(pattern.n ? pattern.p : "");
	pcre2_code *compiled = pcre2_compile(text, pattern.n, options, &code, at, context);
	if (compiled)
		return regex_wrap(compiled, a);
	char message[160];
	if (pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message) > 0) {
		struct slice copy = arena_dup(a, slice_of(message));
		if (copy.p)
			*why = copy.p;
	}
	return NULL;
}

struct budget {
	size_t left;
	size_t last; /* position of the last callout */
};

static int charge(pcre2_callout_block *block, void *data)
{
	struct budget *budget = data;
	size_t here = block->current_position, run = here > budget->last ? here - budget->last : budget->last - here;
	size_t cost = 1 + run / RUN_PER_STEP;
	budget->last = here;
	if (budget->left < cost)
		return PCRE2_ERROR_CALLOUT;
	budget->left -= cost;
	return 0;
}

bool regex_match(const struct regex *re, struct slice text, size_t from, size_t *start, size_t *end, bool *overrun)
{
	*overrun = false;
	if (from > text.n)
		return false;
	pcre2_match_data *data = pcre2_match_data_create(re->pairs, NULL);
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	int rc = PCRE2_ERROR_NOMEMORY;
	struct budget budget = { .left = BUDGET_BASE + BUDGET_PER_BYTE * text.n, .last = from };
	if (data && context) {
		pcre2_set_heap_limit(context, HEAP_KIB);
		pcre2_set_callout(context, charge, &budget);
		rc = pcre2_match(re->code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, from, 0, data, context);
	}
	if (rc > 0) {
		memcpy(re->ovector, pcre2_get_ovector_pointer(data), 2 * (size_t)re->pairs * sizeof *re->ovector);
		*start = re->ovector[0];
		*end = re->ovector[1];
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	*overrun = rc < 0 && rc != PCRE2_ERROR_NOMATCH;
	return rc > 0 && *start <= *end; /* `\K` in a lookahead may turn them round */
}

/* The group's number, or a negative one. */
static int group_number(const struct regex *re, const char *name)
{
	return re->lone ? 1 : pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)name);
}

bool regex_has(const struct regex *re, const char *name)
{
	return group_number(re, name) > 0;
}

bool regex_group(const struct regex *re, const char *name, size_t *start, size_t *end)
{
	int n = group_number(re, name);
	if (n <= 0 || (uint32_t)n >= re->pairs || re->ovector[2 * n] == PCRE2_UNSET)
		return false;
	*start = re->ovector[2 * n];
	*end = re->ovector[2 * n + 1];
	return *start <= *end;
}

/* The text between double quotes with `\\` and `\"` undone; every other backslash belongs to the pattern. */
static struct slice unquote(struct slice s, struct arena *a)
{
	char *out = arena_alloc_raw(a, s.n + 1);
	if (!out)
		return (struct slice){ NULL, 0 };
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n && (s.p[i + 1] == '\\' || s.p[i + 1] == '"'))
			i++;
		out[n++] = s.p[i];
	}
	return (struct slice){ out, n };
}

bool regex_call(struct slice text, struct arena *a, struct slice *ref, struct slice *pattern, const char **why)
{
	*why = NULL;
	text = slice_trim(text);
	if (!slice_starts(text, SL("re(")))
		return false;
	*why = "re(…) is written re(REFERENCE, \"PATTERN\") or re(\"PATTERN\")";
	if (!slice_ends(text, SL("\")")))
		return false;
	struct slice inside = slice_make(text.p + 3, text.n - 5); /* from behind `re(` to the closing quote */
	ptrdiff_t quote = slice_find(inside, SL("\""));
	if (quote < 0)
		return false;
	*ref = slice_trim(slice_head(inside, (size_t)quote));
	if (ref->n) {
		if (!slice_ends(*ref, SL(",")))
			return false;
		*ref = slice_trim(slice_head(*ref, ref->n - 1));
	}
	*pattern = unquote(slice_from(inside, (size_t)quote + 1), a);
	if (!pattern->p)
		*why = "out of memory";
	return pattern->p != NULL;
}
