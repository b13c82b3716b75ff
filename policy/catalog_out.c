/* `out:`: what an answer looks like, where its values are and which paths its items have. */
#include "policy/catalog_read.h"

static void need_group(struct catalog_reader *r, const struct yaml_node *at, const struct regex *re, const char *group)
{
	if (re && !regex_has(re, group))
		faults_add(r->faults, at->at, "the regular expression needs a group (?<%s>…)", group);
}

static void read_lines(struct catalog_reader *r, const struct yaml_node *node, struct out_rule *out)
{
	const struct yaml_node *line = yaml_get(node, SL("line")), *count = yaml_get(node, SL("count"));
	out->line = catalog_regex(r, line, true);
	out->count_line = catalog_regex(r, count, true);
	need_group(r, count, out->count_line, "n");
	if (!line)
		faults_add(r->faults, node->at,
			"`as: lines` needs `line`: a regular expression with a group path, value or tenant");
	if (out->line && !regex_has(out->line, "path") && !regex_has(out->line, "value") &&
		!regex_has(out->line, "tenant"))
		faults_add(r->faults, line->at,
			"the regular expression needs a group (?<path>…), (?<value>…) or (?<tenant>…)");
}

/* Keys that point into JSON have no meaning for other forms. */
static void refuse_keys(struct catalog_reader *r, const struct yaml_node *node, const char *const *keys, const char *as)
{
	for (; *keys; keys++) {
		const struct yaml_node *found = yaml_get(node, slice_of(*keys));
		if (found)
			faults_add(r->faults, found->key_at, "`%s` has no meaning with `as: %s`", *keys, as);
	}
}

static void read_json(struct catalog_reader *r, const struct yaml_node *node, struct out_rule *out)
{
	const struct yaml_node *after = yaml_get(node, SL("after")), *items = yaml_get(node, SL("items"));
	const struct yaml_node *path = yaml_get(node, SL("path"));
	if (after)
		out->after = yaml_text(after, r->faults);
	out->tenant_rows = catalog_flag(r, yaml_get(node, SL("tenant_rows")));
	catalog_selectors(r, items, &out->items, &out->n_items);
	catalog_templates(r, path, &out->paths, &out->n_paths);
	catalog_selectors(r, yaml_get(node, SL("count")), &out->counts, &out->n_counts);
	if (!items != !path)
		faults_add(r->faults, node->at, "`items` and `path` go together: which items, and the path of each");
}

void catalog_read_out(struct catalog_reader *r, const struct yaml_node *node, struct out_rule *out)
{
	static const char *const keys[] = { "as", "after", "values", "keep", "items", "path", "tenant_rows",
		"count", "line", NULL };
	static const char *const forms[] = { "json", "raw", "env", "yaml", "lines", NULL }; /* in enum out_as's order */
	static const char *const for_json[] = { "after", "items", "path", "tenant_rows", NULL };
	static const char *const for_lines[] = { "line", NULL };
	static const char *const for_both[] = { "count", NULL };
	if (!catalog_map(r, node, keys))
		return;
	out->given = true;
	out->as = (enum out_as)catalog_one_of(r, yaml_get(node, SL("as")), forms, OUT_JSON);
	out->values_given = yaml_get(node, SL("values")) != NULL;
	catalog_selectors(r, yaml_get(node, SL("values")), &out->values, &out->n_values);
	catalog_selectors(r, yaml_get(node, SL("keep")), &out->keep, &out->n_keep);
	if (out->as == OUT_JSON)
		read_json(r, node, out);
	else
		refuse_keys(r, node, for_json, forms[out->as]);
	if (out->as == OUT_LINES)
		read_lines(r, node, out);
	else
		refuse_keys(r, node, for_lines, forms[out->as]);
	if (out->as != OUT_JSON && out->as != OUT_LINES)
		refuse_keys(r, node, for_both, forms[out->as]);
}
