/*
 * `takes:` and `gives:`: handles, by kind. A map's own words (strip, in, ttl …) hold for every kind beside them; kinds
 * that differ in them stand in a list of maps.
 */
#include "policy/catalog_read.h"

static bool listed(struct slice word, const char *const *words)
{
	for (; *words; words++)
		if (slice_eq(word, slice_of(*words)))
			return true;
	return false;
}

/* How many kinds a map, or all maps of a list, name: its keys that are none of the format's own words. */
static size_t count_kinds(struct catalog_reader *r, const struct yaml_node *node, const char *const *own)
{
	size_t n, kinds = 0;
	const struct yaml_node *each = catalog_each(node, &n);
	for (size_t i = 0; i < n; i++, each = each->next) {
		size_t before = kinds;
		if (!yaml_is(each, YAML_MAP, r->faults))
			return 0;
		for (const struct yaml_node *c = each->first; c; c = c->next)
			kinds += !listed(c->key, own);
		if (kinds == before)
			faults_add(r->faults, each->at, "a kind of handle is missing, as in {lease: lease_id}");
	}
	return kinds;
}

void catalog_read_takes(struct catalog_reader *r, const struct yaml_node *node, struct rule *rule)
{
	static const char *const own[] = { "strip", "rooted", "hint", NULL };
	size_t n, kinds = count_kinds(r, node, own);
	const struct yaml_node *each = catalog_each(node, &n);
	struct take_rule *takes = kinds ? catalog_array(r, node, kinds, sizeof *takes) : NULL;
	if (!takes)
		return;
	rule->takes = takes;
	for (size_t i = 0; i < n; i++, each = each->next) {
		const struct yaml_node *strip = yaml_get(each, SL("strip")), *hint = yaml_get(each, SL("hint"));
		struct take_rule common = { .rooted = catalog_flag(r, yaml_get(each, SL("rooted"))) };
		if (strip)
			common.strip = yaml_text(strip, r->faults);
		if (hint)
			common.hint = yaml_text(hint, r->faults);
		for (const struct yaml_node *c = each->first; c; c = c->next) {
			if (listed(c->key, own))
				continue;
			*takes = common;
			takes->kind = c->key;
			catalog_selector(r, c, &takes->arg);
			takes++;
			rule->n_takes++;
		}
	}
}

/* What all kinds of one map share. */
static struct give_rule read_give(struct catalog_reader *r, const struct yaml_node *map)
{
	static const char *const places[] = { "result", "error", NULL };
	struct give_rule give = { .in_error = catalog_one_of(r, yaml_get(map, SL("in")), places, 0) == 1 };
	const struct yaml_node *ttl = yaml_get(map, SL("ttl"));
	catalog_selector(r, ttl, &give.ttl);
	if (ttl && give.ttl.source.n && give.ttl.n == 0)
		faults_add(r->faults, ttl->at, "`ttl` needs a member, as in $.expires_at");
	give.uses = catalog_number(r, yaml_get(map, SL("uses")), 1000000);
	give.adds = catalog_flag(r, yaml_get(map, SL("adds")));
	catalog_templates(r, yaml_get(map, SL("path")), &give.paths, &give.n_paths);
	return give;
}

/* Where a kind of handle stands: a selector, or re("…") over the text. */
static void read_place(struct catalog_reader *r, const struct yaml_node *node, struct give_rule *give)
{
	struct slice ref, pattern, text = node->kind == YAML_SCALAR ? node->text : (struct slice){ NULL, 0 };
	const char *why = NULL;
	if (regex_call(text, r->arena, &ref, &pattern, &why)) {
		if (ref.n)
			faults_add(r->faults, node->at, "re(…) searches the whole text here: re(\"PATTERN\")");
		give->regex = catalog_pattern(r, node, pattern, false);
	} else if (why) {
		faults_add(r->faults, node->at, "%s", why);
	} else {
		catalog_selector(r, node, &give->at);
	}
	if (give->in_error && !give->regex && !why)
		faults_add(r->faults, node->at, "`in: error` needs re(\"PATTERN\"): errors are texts");
}

void catalog_read_gives(struct catalog_reader *r, const struct yaml_node *node, struct rule *rule)
{
	static const char *const own[] = { "in", "ttl", "uses", "path", "adds", NULL };
	size_t n, kinds = count_kinds(r, node, own);
	const struct yaml_node *each = catalog_each(node, &n);
	struct give_rule *gives = kinds ? catalog_array(r, node, kinds, sizeof *gives) : NULL;
	if (!gives)
		return;
	rule->gives = gives;
	for (size_t i = 0; i < n; i++, each = each->next) {
		struct give_rule common = read_give(r, each);
		for (const struct yaml_node *c = each->first; c; c = c->next) {
			if (listed(c->key, own))
				continue;
			*gives = common;
			gives->kind = c->key;
			read_place(r, c, gives);
			gives++;
			rule->n_gives++;
		}
	}
}
