/* The small readers every part of a catalog is made of. */
#include "policy/catalog_read.h"

const struct yaml_node *catalog_each(const struct yaml_node *node, size_t *n)
{
	*n = 0;
	if (!node)
		return NULL;
	*n = node->kind == YAML_LIST ? node->n : 1;
	return node->kind == YAML_LIST ? node->first : node;
}

void *catalog_array(struct catalog_reader *r, const struct yaml_node *at, size_t n, size_t size)
{
	void *v = arena_array(r->arena, n, size);
	if (!v)
		faults_add(r->faults, at->at, "out of memory");
	return v;
}

/* A scalar's text that is not empty, or {NULL, 0} and a fault. */
static struct slice text_of(struct catalog_reader *r, const struct yaml_node *node)
{
	struct slice text = yaml_text(node, r->faults);
	if (text.p && text.n == 0) {
		faults_add(r->faults, node->at, "an empty text");
		text.p = NULL;
	}
	return text;
}

void catalog_texts(struct catalog_reader *r, const struct yaml_node *node, const struct slice **v, size_t *n)
{
	size_t count;
	const struct yaml_node *each = catalog_each(node, &count);
	struct slice *texts = node ? catalog_array(r, node, count, sizeof *texts) : NULL;
	if (!texts)
		return;
	for (size_t i = 0; i < count; i++, each = each->next)
		texts[i] = text_of(r, each);
	*v = texts;
	*n = count;
}

void catalog_selector(struct catalog_reader *r, const struct yaml_node *node, struct selector *out)
{
	const char *why;
	struct slice text = node ? text_of(r, node) : (struct slice){ NULL, 0 };
	if (text.p && selector_parse(out, text, r->arena, &why) != E_OK)
		faults_add(r->faults, node->at, "selector `%.*s`: %s", SL_ARG(slice_head(text, 200)), why);
}

void catalog_selectors(struct catalog_reader *r, const struct yaml_node *node, const struct selector **v, size_t *n)
{
	size_t count;
	const struct yaml_node *each = catalog_each(node, &count);
	struct selector *selectors = node ? catalog_array(r, node, count, sizeof *selectors) : NULL;
	if (!selectors)
		return;
	for (size_t i = 0; i < count; i++, each = each->next)
		catalog_selector(r, each, &selectors[i]);
	*v = selectors;
	*n = count;
}

/* A template that names nothing is always the same path: a pair of braces forgotten. */
static bool refers(const struct template *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].kind != PART_TEXT)
			return true;
	return false;
}

void catalog_template(struct catalog_reader *r, const struct yaml_node *node, struct template *out)
{
	const char *why;
	struct slice text = node ? text_of(r, node) : (struct slice){ NULL, 0 };
	if (!text.p)
		return;
	struct slice shown = slice_head(text, 200);
	if (template_parse(out, text, r->arena, &why) != E_OK)
		faults_add(r->faults, node->at, "template `%.*s`: %s", SL_ARG(shown), why);
	else if (!refers(out))
		faults_add(r->faults, node->at, "template `%.*s` refers to nothing: write `{%.*s}`", SL_ARG(shown),
			SL_ARG(shown));
}

void catalog_templates(struct catalog_reader *r, const struct yaml_node *node, const struct template **v, size_t *n)
{
	size_t count;
	const struct yaml_node *each = catalog_each(node, &count);
	struct template *templates = node ? catalog_array(r, node, count, sizeof *templates) : NULL;
	if (!templates)
		return;
	for (size_t i = 0; i < count; i++, each = each->next)
		catalog_template(r, each, &templates[i]);
	*v = templates;
	*n = count;
}

const struct regex *catalog_pattern(struct catalog_reader *r, const struct yaml_node *at, struct slice pattern,
	bool by_line)
{
	const char *why;
	size_t offset, prefix = by_line ? strlen("(?m)") : 0;
	struct slice text = by_line ? arena_fmt(r->arena, "(?m)%.*s", SL_ARG(pattern)) : pattern;
	if (!text.p) {
		faults_add(r->faults, at->at, "out of memory");
		return NULL;
	}
	const struct regex *re = regex_compile(text, r->arena, &why, &offset);
	if (!re)
		faults_add(r->faults, at->at, "regular expression `%.*s`: %s, at character %zu of it",
			SL_ARG(slice_head(pattern, 200)), why, (offset > prefix ? offset - prefix : 0) + 1);
	return re;
}

const struct regex *catalog_regex(struct catalog_reader *r, const struct yaml_node *node, bool by_line)
{
	struct slice text = node ? text_of(r, node) : (struct slice){ NULL, 0 };
	return text.p ? catalog_pattern(r, node, text, by_line) : NULL;
}

unsigned catalog_one_of(struct catalog_reader *r, const struct yaml_node *node, const char *const *words,
	unsigned deflt)
{
	struct slice text = node ? text_of(r, node) : (struct slice){ NULL, 0 };
	if (!text.p)
		return deflt;
	for (unsigned i = 0; words[i]; i++)
		if (slice_eq(text, slice_of(words[i])))
			return i;
	const char *near = yaml_nearest(text, words);
	faults_add(r->faults, node->at, "`%.*s` is not known here: did you mean `%s`?", SL_ARG(slice_head(text, 80)),
		near ? near : words[0]);
	return deflt;
}

enum action catalog_action(struct catalog_reader *r, const struct yaml_node *node)
{
	static const char *const words[] = {
#define X(name, word, ro, values) word,
		ACTIONS(X)
#undef X
		NULL
	};
	struct slice text = text_of(r, node);
	enum action action = text.p ? action_find(text) : ACT_UNKNOWN;
	if (!text.p || action != ACT_UNKNOWN)
		return action;
	const char *near = yaml_nearest(text, words);
	struct slice shown = slice_head(text, 80);
	if (near)
		faults_add(r->faults, node->at, "unknown action `%.*s`: did you mean `%s`?", SL_ARG(shown), near);
	else
		faults_add(r->faults, node->at,
			"unknown action `%.*s`: list, meta, read, write, delete, rotate, grant, share, lease, redeem, "
			"approve, token, issue, admin or scan", SL_ARG(shown));
	return ACT_UNKNOWN;
}

unsigned catalog_number(struct catalog_reader *r, const struct yaml_node *node, unsigned max)
{
	if (!node)
		return 0;
	struct slice text = yaml_text(node, r->faults);
	unsigned long n = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || (n = n * 10 + (unsigned long)(text.p[i] - '0')) > max) {
			text.n = 0;
			break;
		}
	}
	if (text.p && text.n == 0) {
		faults_add(r->faults, node->at, "this must be a whole number, at most %u", max);
		return 0;
	}
	return (unsigned)n;
}

bool catalog_flag(struct catalog_reader *r, const struct yaml_node *node)
{
	return node && yaml_bool(node, false, r->faults);
}

bool catalog_map(struct catalog_reader *r, const struct yaml_node *node, const char *const *keys)
{
	if (!node || !yaml_is(node, YAML_MAP, r->faults))
		return false;
	yaml_only(node, keys, r->faults);
	return true;
}
