/* One rule: what is known of a tool, a resource or a prompt. */
#include <stdlib.h>
#include "base/buf.h"
#include "policy/catalog_read.h"

static void read_path(struct catalog_reader *r, const struct yaml_node *node, struct rule *rule)
{
	static const char *const words[] = { "one", "prefix", "glob", NULL }; /* in enum path_covers' order */
	const struct yaml_node *covers = yaml_get(node, SL("covers")), *optional = yaml_get(node, SL("path_optional"));
	const struct yaml_node *unresolved = yaml_get(node, SL("unresolved")), *path = yaml_get(node, SL("path"));
	const struct yaml_node *pathless = yaml_get(node, SL("pathless"));
	catalog_templates(r, path, &rule->paths, &rule->n_paths);
	rule->covers = (enum path_covers)catalog_one_of(r, covers, words, COVERS_ONE);
	rule->path_optional = catalog_flag(r, optional);
	rule->unresolved = catalog_flag(r, unresolved);
	rule->pathless = catalog_flag(r, pathless);
	if (rule->pathless && (path || rule->unresolved))
		faults_add(r->faults, pathless->key_at, "`pathless` beside `%s`", path ? "path" : "unresolved");
	if (covers && !path)
		faults_add(r->faults, covers->key_at, "`covers` without `path`");
	if (optional && !path)
		faults_add(r->faults, optional->key_at, "`path_optional` without `path`");
}

static void read_side(struct catalog_reader *r, const struct yaml_node *node, struct rule *rule)
{
	static const char *const keys[] = { "file", "url", NULL };
	if (!catalog_map(r, node, keys))
		return;
	catalog_texts(r, yaml_get(node, SL("file")), &rule->side_files, &rule->n_side_files);
	catalog_texts(r, yaml_get(node, SL("url")), &rule->side_urls, &rule->n_side_urls);
}

/* A YAML scalar as JSON text: plain true, false, null and numbers as they stand, all else as a string. */
static struct slice json_of(struct catalog_reader *r, const struct yaml_node *node)
{
	struct json json;
	if (node->kind == YAML_NULL)
		return SL("null");
	struct slice text = yaml_text(node, r->faults);
	if (!text.p || (node->plain && text.n && json_parse(&json, text, r->arena, NULL) == E_OK &&
			json_type(&json, 0) < JSON_STRING))
		return text;
	struct buf quoted;
	buf_init(&quoted, 64 * 1024);
	struct slice copy = { NULL, 0 };
	if (buf_add_json_string(&quoted, text) == E_OK)
		copy = arena_dup(r->arena, buf_slice(&quoted));
	buf_finish(&quoted);
	if (!copy.p)
		faults_add(r->faults, node->at, "the text is too long");
	return copy;
}

static void read_force(struct catalog_reader *r, const struct yaml_node *node, struct rule *rule)
{
	if (!node || !yaml_is(node, YAML_MAP, r->faults))
		return;
	struct force_rule *force = catalog_array(r, node, node->n, sizeof *force);
	if (!force)
		return;
	rule->force = force;
	for (const struct yaml_node *c = node->first; c; c = c->next)
		force[rule->n_force++] = (struct force_rule){ .arg = c->key, .raw = json_of(r, c) };
}

static void read_call(struct catalog_reader *r, const struct yaml_node *node, struct rule *rule)
{
	static const char *const keys[] = { "tool", "args", NULL };
	if (!catalog_map(r, node, keys))
		return;
	const struct yaml_node *tool = yaml_get(node, SL("tool")), *args = yaml_get(node, SL("args"));
	size_t n;
	rule->nested = true;
	if (!tool || !args)
		faults_add(r->faults, node->at, "`call` needs `tool` and `args`");
	catalog_template(r, tool, &rule->call_tool);
	const struct yaml_node *each = catalog_each(args, &n);
	for (size_t i = 0; i < n; i++, each = each->next) {
		if (each->kind == YAML_SCALAR && slice_eq(each->text, SL("rest")))
			rule->call_args_rest = true;
		else if (rule->call_args.source.n)
			faults_add(r->faults, each->at, "`args` is one selector, with or without `rest`");
		else
			catalog_selector(r, each, &rule->call_args);
	}
}

static void read_scopes(struct catalog_reader *r, const struct yaml_node *node, struct rule *rule)
{
	rule->scopes = node != NULL;
	catalog_selector(r, node, &rule->scope_list);
}

static void read_rule(struct catalog_reader *r, const struct yaml_node *node, struct rule *rule)
{
	static const char *const keys[] = { "do", "path", "covers", "path_optional", "unresolved", "pathless",
		"secret_args",
		"args", "side", "takes", "gives", "force", "tenant", "call", "scopes", "out", NULL };
	rule->name = node->key;
	rule->at = node->key_at;
	if (!catalog_map(r, node, keys))
		return;
	const struct yaml_node *action = yaml_get(node, SL("do")), *call = yaml_get(node, SL("call"));
	if (action)
		catalog_read_do(r, action, &rule->action);
	else if (!call)
		faults_add(r->faults, node->key_at, "`%.*s` needs `do`: what it does to the vault",
			SL_ARG(slice_head(node->key, 80)));
	read_path(r, node, rule);
	catalog_selectors(r, yaml_get(node, SL("secret_args")), &rule->secret_args, &rule->n_secret_args);
	catalog_texts(r, yaml_get(node, SL("args")), &rule->args, &rule->n_args);
	read_side(r, yaml_get(node, SL("side")), rule);
	catalog_read_takes(r, yaml_get(node, SL("takes")), rule);
	catalog_read_gives(r, yaml_get(node, SL("gives")), rule);
	read_force(r, yaml_get(node, SL("force")), rule);
	catalog_read_tenant(r, yaml_get(node, SL("tenant")), &rule->tenant);
	read_call(r, call, rule);
	read_scopes(r, yaml_get(node, SL("scopes")), rule);
	catalog_read_out(r, yaml_get(node, SL("out")), &rule->out);
}

static int by_name(const void *a, const void *b)
{
	return catalog_order(((const struct rule *)a)->name, ((const struct rule *)b)->name);
}

void catalog_read_rules(struct catalog_reader *r, const struct yaml_node *node, const struct rule **v, size_t *n)
{
	if (!node || node->kind == YAML_NULL || !yaml_is(node, YAML_MAP, r->faults))
		return;
	struct rule *rules = catalog_array(r, node, node->n, sizeof *rules);
	if (!rules)
		return;
	size_t i = 0;
	for (const struct yaml_node *c = node->first; c; c = c->next)
		read_rule(r, c, &rules[i++]);
	qsort(rules, i, sizeof *rules, by_name);
	*v = rules;
	*n = i;
}
