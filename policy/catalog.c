/* A catalog file: its head, its rules, and what must agree between them. */
#include <stdlib.h>
#include "policy/catalog_read.h"

#define MAX_CATALOG_BYTES ((size_t)64 << 20) /* of the tree and the rules made of it */

static void read_path_rule(struct catalog_reader *r, const struct yaml_node *node, struct catalog *c)
{
	static const char *const keys[] = { "sep", "fold", "reject", NULL };
	static const char *const folds[] = { "slashes", "case", NULL };
	static const char *const rejects[] = { "dotdot", "empty", NULL };
	static const char *const seps[] = { "/", NULL };
	size_t n;
	if (!catalog_map(r, node, keys))
		return;
	catalog_one_of(r, yaml_get(node, SL("sep")), seps, 0);
	const struct yaml_node *each = catalog_each(yaml_get(node, SL("fold")), &n);
	for (size_t i = 0; i < n; i++, each = each->next) {
		unsigned fold = catalog_one_of(r, each, folds, 0);
		c->fold_slashes |= fold == 0;
		c->fold_case |= fold == 1;
	}
	/* Both are always refused; a catalog may say so. */
	each = catalog_each(yaml_get(node, SL("reject")), &n);
	for (size_t i = 0; i < n; i++, each = each->next)
		catalog_one_of(r, each, rejects, 0);
}

static bool is_var(struct slice name, const struct slice *vars, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(vars[i], name))
			return true;
	return false;
}

/* The rule's paths and tenant may only name variables of its own URI. */
static void check_resource(struct catalog_reader *r, const struct rule *rule)
{
	struct slice vars[CATALOG_MAX_VARS];
	size_t n;
	const char *why;
	if (!catalog_uri_vars(rule->name, vars, &n, &why)) {
		faults_add(r->faults, rule->at, "resource `%.*s`: %s", SL_ARG(slice_head(rule->name, 200)), why);
		return;
	}
	if (rule->tenant.by == TENANT_URI && rule->tenant.n && !is_var(rule->tenant.names[0], vars, n))
		faults_add(r->faults, rule->at, "resource `%.*s` has no variable `%.*s`",
			SL_ARG(slice_head(rule->name, 200)), SL_ARG(rule->tenant.names[0]));
	for (size_t i = 0; i < rule->n_paths; i++) {
		for (size_t k = 0; k < rule->paths[i].n; k++) {
			const struct template_part *part = &rule->paths[i].parts[k];
			if (part->kind == PART_TEXT)
				continue;
			if (part->ref.n != 1 || part->ref.steps[0].kind != STEP_MEMBER ||
				!is_var(part->ref.steps[0].name, vars, n))
				faults_add(r->faults, rule->at, "resource `%.*s`: `%.*s` is none of its variables",
					SL_ARG(slice_head(rule->name, 200)), SL_ARG(slice_head(part->ref.source, 80)));
		}
	}
}

static void check_no_uri_tenant(struct catalog_reader *r, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rules[i].tenant.by == TENANT_URI)
			faults_add(r->faults, rules[i].at, "`tenant: {uri: …}` is for resources");
}

/* What a wrapper without an action of its own says of paths and answers would go unheard. */
static void check_nested(struct catalog_reader *r, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rules[i].nested && rules[i].action.by == BY_NOTHING && rules[i].action.fixed == ACT_UNKNOWN &&
			(rules[i].n_paths || rules[i].out.given))
			faults_add(r->faults, rules[i].at,
				"`call` without `do` only hands on: `path` and `out` belong to the inner tool");
}

static void read_head(struct catalog_reader *r, const struct yaml_node *root, struct catalog *c)
{
	static const char *const others[] = { "refuse", NULL };
	const struct yaml_node *name = yaml_get(root, SL("catalog"));
	if (name)
		c->name = yaml_text(name, r->faults);
	if (c->name.n == 0)
		faults_add(r->faults, name ? name->at : root->at, "a catalog needs a name: `catalog: NAME`");
	c->server = catalog_regex(r, yaml_get(root, SL("server")), false);
	c->connections = catalog_number(r, yaml_get(root, SL("connections")), 1000);
	c->generic = catalog_flag(r, yaml_get(root, SL("generic")));
	catalog_one_of(r, yaml_get(root, SL("other")), others, 0); /* the only answer; a catalog may say so */
	read_path_rule(r, yaml_get(root, SL("path")), c);
	catalog_read_tenant(r, yaml_get(root, SL("tenant")), &c->tenant);
	if (c->tenant.by == TENANT_URI)
		faults_add(r->faults, yaml_get(root, SL("tenant"))->at, "`tenant: {uri: …}` is for resources");
	catalog_read_vocabulary(r, yaml_get(root, SL("words")), &c->vocabulary);
}

static void read_catalog(struct catalog_reader *r, const struct yaml_node *root, struct catalog *c)
{
	static const char *const keys[] = { "catalog", "server", "connections", "generic", "path", "tenant", "words",
		"tools", "resources", "prompts", "other", NULL };
	if (!catalog_map(r, root, keys))
		return;
	read_head(r, root, c);
	catalog_read_rules(r, yaml_get(root, SL("tools")), &c->tools, &c->n_tools);
	catalog_read_rules(r, yaml_get(root, SL("resources")), &c->resources, &c->n_resources);
	catalog_read_rules(r, yaml_get(root, SL("prompts")), &c->prompts, &c->n_prompts);
	for (size_t i = 0; i < c->n_resources; i++)
		check_resource(r, &c->resources[i]);
	check_no_uri_tenant(r, c->tools, c->n_tools);
	check_no_uri_tenant(r, c->prompts, c->n_prompts);
	check_nested(r, c->tools, c->n_tools);
}

struct catalog *catalog_parse(struct slice yaml, struct slice file, struct faults *faults)
{
	size_t before = faults->n;
	struct catalog *c = calloc(1, sizeof *c);
	if (c) {
		arena_init(&c->arena, MAX_CATALOG_BYTES);
		c->file = arena_dup(&c->arena, file);
	}
	if (!c || !c->file.p) {
		faults_add(faults, (struct origin){ .file = file }, "out of memory");
		catalog_free(c);
		return NULL;
	}
	struct catalog_reader reader = { &c->arena, faults };
	const struct yaml_node *root = yaml_parse(yaml, c->file, &c->arena, faults);
	if (root)
		read_catalog(&reader, root, c);
	if (root && faults->n == before && !faults->lost)
		return c;
	catalog_free(c);
	return NULL;
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	arena_finish(&c->arena);
	free(c);
}
