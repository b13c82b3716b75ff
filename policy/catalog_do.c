/* `do:`: what a call does, by itself or by one of its arguments. */
#include "policy/catalog_read.h"

static void read_cases(struct catalog_reader *r, const struct yaml_node *map, struct action_rule *out)
{
	if (!map || !yaml_is(map, YAML_MAP, r->faults))
		return;
	struct action_case *cases = catalog_array(r, map, map->n, sizeof *cases);
	if (!cases)
		return;
	size_t n = 0;
	for (const struct yaml_node *c = map->first; c; c = c->next)
		cases[n++] = (struct action_case){ .value = c->key, .action = catalog_action(r, c) };
	out->cases = cases;
	out->n_cases = n;
}

static enum action action_at(struct catalog_reader *r, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_get(map, slice_of(key));
	return node ? catalog_action(r, node) : ACT_UNKNOWN;
}

static void read_by_argument(struct catalog_reader *r, const struct yaml_node *node, struct action_rule *out)
{
	static const char *const keys[] = { "arg", "default", "map", "else", NULL };
	const struct yaml_node *map = yaml_get(node, SL("map")), *deflt = yaml_get(node, SL("default"));
	yaml_only(node, keys, r->faults);
	out->by = BY_ARGUMENT;
	out->arg = yaml_text(yaml_get(node, SL("arg")), r->faults);
	if (deflt)
		out->deflt = yaml_text(deflt, r->faults);
	if (!map)
		faults_add(r->faults, node->at, "`do` by argument needs `map`: {VALUE: action}");
	read_cases(r, map, out);
	out->otherwise = action_at(r, node, "else");
}

static void read_by_presence(struct catalog_reader *r, const struct yaml_node *node, struct action_rule *out)
{
	static const char *const keys[] = { "has", "then", "else", "empty", NULL };
	yaml_only(node, keys, r->faults);
	out->by = BY_PRESENCE;
	out->arg = yaml_text(yaml_get(node, SL("has")), r->faults);
	if (!yaml_get(node, SL("then")) || !yaml_get(node, SL("else")))
		faults_add(r->faults, node->at, "`do` by presence needs `then` and `else`");
	out->fixed = action_at(r, node, "then");
	out->otherwise = action_at(r, node, "else");
	out->empty = yaml_get(node, SL("empty")) ? action_at(r, node, "empty") : out->fixed;
}

void catalog_read_do(struct catalog_reader *r, const struct yaml_node *node, struct action_rule *out)
{
	if (node->kind != YAML_MAP)
		out->fixed = catalog_action(r, node);
	else if (yaml_get(node, SL("arg")))
		read_by_argument(r, node, out);
	else if (yaml_get(node, SL("has")))
		read_by_presence(r, node, out);
	else
		faults_add(r->faults, node->at, "`do` is an action, {arg, default, map, else} or {has, then, else}");
}
