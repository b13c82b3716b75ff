/* URI templates of resources: `scheme://literal/{variable}/{rest}`. */
#include "policy/catalog_read.h"

bool catalog_uri_vars(struct slice uri_template, struct slice vars[CATALOG_MAX_VARS], size_t *n, const char **why)
{
	struct slice rest = uri_template;
	*n = 0;
	while (rest.n) {
		ptrdiff_t open = slice_find(rest, SL("{"));
		struct slice literal = open < 0 ? rest : slice_head(rest, (size_t)open);
		*why = "a `}` without its `{`";
		if (slice_find(literal, SL("}")) >= 0)
			return false;
		if (open < 0)
			return true;
		rest = slice_from(rest, (size_t)open + 1);
		ptrdiff_t close = slice_find(rest, SL("}"));
		*why = "a variable needs a name between `{` and `}`";
		if (close <= 0)
			return false;
		*why = "too many variables";
		if (*n == CATALOG_MAX_VARS)
			return false;
		vars[(*n)++] = slice_head(rest, (size_t)close);
		rest = slice_from(rest, (size_t)close + 1);
		*why = "two variables need a `/` between them";
		if (rest.n && rest.p[0] == '{')
			return false;
	}
	return true;
}

/* The literal text of *rest up to the next variable, which is left in front. */
static struct slice cut_literal(struct slice *rest)
{
	ptrdiff_t open = slice_find(*rest, SL("{"));
	struct slice literal = open < 0 ? *rest : slice_head(*rest, (size_t)open);
	*rest = slice_from(*rest, literal.n);
	return literal;
}

/*
 * Matches one template. *literals is how many of its bytes are no variables: of two templates the one that says more
 * wins. A variable is never empty and, but for the last, never holds a slash.
 */
static bool match(struct slice pattern, struct slice uri, struct uri_var *vars, size_t *n, size_t *literals)
{
	*n = 0;
	*literals = 0;
	for (;;) {
		struct slice literal = cut_literal(&pattern);
		*literals += literal.n;
		if (!slice_starts(uri, literal))
			return false;
		uri = slice_from(uri, literal.n);
		if (pattern.n == 0)
			return uri.n == 0;
		size_t close = (size_t)slice_find(pattern, SL("}"));
		struct slice name = slice_make(pattern.p + 1, close - 1), value = uri;
		pattern = slice_from(pattern, close + 1);
		bool last = slice_find(pattern, SL("{")) < 0;
		if (last && !slice_ends(uri, pattern))
			return false;
		if (last) {
			value.n -= pattern.n;
		} else {
			struct slice next = pattern;
			ptrdiff_t end = slice_find(uri, slice_head(cut_literal(&next), 1));
			if (end < 0)
				return false;
			value.n = (size_t)end;
		}
		if (value.n == 0 || *n == CATALOG_MAX_VARS || (!last && memchr(value.p, '/', value.n)))
			return false;
		vars[(*n)++] = (struct uri_var){ name, value };
		uri = slice_from(uri, value.n);
	}
}

const struct rule *catalog_resource(const struct catalog *c, struct slice uri, struct uri_var *vars, size_t *n_vars)
{
	const struct rule *best = NULL;
	size_t most = 0;
	*n_vars = 0;
	for (size_t i = 0; i < c->n_resources; i++) {
		struct uri_var found[CATALOG_MAX_VARS];
		size_t n, literals;
		if (!match(c->resources[i].name, uri, found, &n, &literals) || (best && literals <= most))
			continue;
		best = &c->resources[i];
		most = literals;
		memcpy(vars, found, n * sizeof *vars);
		*n_vars = n;
	}
	return best;
}
