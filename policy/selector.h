/*
 * Selectors and templates: how a catalog points into JSON. Pure: JSON in, tokens or texts out.
 *
 *   $.a.b      member            $.a[*]   each item           $.m.*   each member's value      $.m[~]   each member's name
 *   $.data.**  every leaf below  $        the value itself    json($.a).b   the string `a` read as JSON first
 *   $["a.b"]   a member whose name holds dots or brackets
 *
 * A template makes text: `{a}` `{a|default}` `{a.b}` `{a[*]}` `{a[~]}` `{.}` (the value itself) and, beside an item of
 * a result, `{arg.a}` for the call's argument. A reference without default that finds nothing makes the template yield
 * nothing. `{a:segment}` takes a text without a slash only, and none that is empty; `{a:rooted}` is the whole template's
 * text as soon as it holds a slash.
 * `re($.a, "…(?<p>…)")` takes the named group of each match instead.
 */
#ifndef NARROWGATE_POLICY_SELECTOR_H
#define NARROWGATE_POLICY_SELECTOR_H

#include "base/json.h"

enum step_kind { STEP_MEMBER, STEP_ITEMS, STEP_VALUES, STEP_NAMES, STEP_LEAVES, STEP_JSON };

struct step {
	enum step_kind kind;
	struct slice name; /* STEP_MEMBER */
};

struct selector {
	struct slice source; /* as written */
	const struct step *steps;
	size_t n;
};

#define SELECTOR_MAX_STEPS 16

/*
 * Reads a selector; `$` may be left out (`a.b` is `$.a.b`). `**` and `[~]` stand last. On error (E_INVALID, E_TOO_MANY,
 * E_NOMEM) *why is a static text. Results live in the arena; names point into `text`.
 */
enum err selector_parse(struct selector *out, struct slice text, struct arena *, const char **why);

/* One thing a selector found: a token of `json`, which is the document searched or, behind json(…), one parsed from a string of it. */
struct found {
	const struct json *json;
	uint32_t tok;
	bool is_name;        /* STEP_NAMES: the token is a member's name */
	bool nested;         /* found behind json(…) */
	uint32_t holder;     /* the object or array the last step started from; JSON_NONE for the root itself */
};

/*
 * Calls `each` for everything the selector finds below `root`, until it returns false. Returns E_OK, E_NOMEM, or
 * E_SYNTAX when a string that had to be JSON was not (behind json(…) an object or array may also stand as itself).
 */
enum err selector_each(const struct selector *, const struct json *, uint32_t root, struct arena *,
	bool (*each)(void *ctx, const struct found *), void *ctx);

enum part_kind { PART_TEXT, PART_REF, PART_ARG };

/* What a reference's text must look like. */
enum part_form {
	FORM_ANY,
	FORM_SEGMENT, /* no slash, and not empty: else it counts as a bad type */
	FORM_ROOTED,  /* with a slash it is a whole path by itself and stands for the template's text */
};

struct template_part {
	enum part_kind kind;
	enum part_form form;
	struct slice text;        /* PART_TEXT; or the default of a reference */
	bool has_default;
	struct selector ref;
};

struct regex; /* a compiled PCRE2 pattern with a match limit */

struct template {
	struct slice source;
	const struct template_part *parts;
	size_t n;
	const struct regex *regex; /* re(…): parts[0] is the reference searched */
};

enum err template_parse(struct template *out, struct slice text, struct arena *, const char **why);

/* Where a template looks: the item (or the arguments themselves), and the call's arguments for {arg.x}; args.json may be NULL. */
struct template_scope {
	const struct json *json;
	uint32_t root;
	const struct json *args_json;
	uint32_t args_root;
};

/*
 * Calls `each` for every text the template makes (several when a reference finds several: each with each), until it
 * returns false. *missing is set when a reference without default found nothing, *bad_type when one found something
 * that is no string or number, does not have the form asked for, or that a re(…) does not match: such a text is left
 * out, and the caller must refuse. Both are only ever set, never cleared. Texts live in the arena or are bytes of the
 * JSON. E_NOMEM, E_TOO_MANY, and E_SYNTAX as from selector_each.
 */
enum err template_each(const struct template *, const struct template_scope *, struct arena *,
	bool (*each)(void *ctx, struct slice text), void *ctx, bool *missing, bool *bad_type);

/* Whether the selector names argument `name` at its top level (so the argument is not an unknown one). */
static inline bool selector_mentions(const struct selector *s, struct slice name)
{
	return s->n > 0 && s->steps[0].kind == STEP_MEMBER && slice_eq(s->steps[0].name, name);
}
/* Whether some reference of the template does. */
static inline bool template_mentions(const struct template *t, struct slice name)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].kind != PART_TEXT && selector_mentions(&t->parts[i].ref, name))
			return true;
	return false;
}

/* --- regular expressions of catalogs ---------------------------------------------------------------------------- */

/*
 * Compiles a PCRE2 pattern; all of it lives in the arena. NULL on error, with a text in *why (static or in the arena)
 * and the byte offset in *at. `$` is the very end of the text. Work at match time is bounded by the text's length: a
 * pattern that runs away fails to match.
 */
const struct regex *regex_compile(struct slice pattern, struct arena *, const char **why, size_t *at);
/* First match at or after `from`, *start..*end; false when there is none, or over the limit, with *overrun set. */
bool regex_match(const struct regex *, struct slice text, size_t from, size_t *start, size_t *end, bool *overrun);
/*
 * The named group of the last successful regex_match as offsets; false when the pattern has no such group or it is
 * unset. In a pattern whose only group has no name, that group answers to every name.
 */
bool regex_group(const struct regex *, const char *name, size_t *start, size_t *end);
/* Whether regex_group may ever find `name`. */
bool regex_has(const struct regex *, const char *name);
/*
 * Takes `re(REF, "PATTERN")` or `re("PATTERN")` apart: REF (empty when there is none) and the pattern, in which `\\`
 * and `\"` are unescaped (in the arena). False when the text is not of that form, with *why; NULL there means it does
 * not start with `re(`.
 */
bool regex_call(struct slice text, struct arena *, struct slice *ref, struct slice *pattern, const char **why);

#endif
