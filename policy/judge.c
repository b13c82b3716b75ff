/* The verdicts of policy.h: prefixes and tool names, nothing else. */
#include "policy/policy.h"
#include <stdint.h>

static enum paths_verdict say(enum paths_verdict verdict, struct origin at, struct origin *rule)
{
	if (rule)
		*rule = at;
	return verdict;
}

/* `db:v1`, `db@2` under the denied `db`: what some vaults take for a version or a parameter, and cut off. */
static bool covers_suffixed(struct slice denied, struct slice path)
{
	return denied.n && slice_starts(path, denied) && path.n > denied.n && memchr(":@&=", path.p[denied.n], 4);
}

/* The denied prefix that covers `path`; with `below`, also one that lies below it. */
static const struct prefix *find_denied(const struct policy *p, const struct path *path, bool below)
{
	for (size_t i = 0; i < p->denied.n; i++) {
		struct slice denied = p->denied.v[i].path.folded;

		if (path_covers(denied, path->folded) || covers_suffixed(denied, path->folded) ||
			(below && path_covers(path->folded, denied)))
			return &p->denied.v[i];
	}
	return NULL;
}

/* The allowed prefix that covers `path`; with `below`, also one that lies below it. */
static const struct prefix *find_allowed(const struct policy *p, const struct path *path, bool below)
{
	for (size_t i = 0; i < p->allowed.n; i++) {
		struct slice allowed = p->allowed.v[i].path.text;

		if (path_covers(allowed, path->text) || (below && path_covers(path->text, allowed)))
			return &p->allowed.v[i];
	}
	return NULL;
}

static enum paths_verdict judge(
	const struct policy *p, const struct path *path, bool denied_below, bool allowed_below, struct origin *rule)
{
	const struct prefix *found = find_denied(p, path, denied_below);

	if (found)
		return say(PATHS_DENIED, found->at, rule);
	if (!p->allowed.set)
		return say(PATHS_IN, (struct origin){ 0 }, rule);
	found = find_allowed(p, path, allowed_below);
	if (found)
		return say(PATHS_IN, found->at, rule);
	return say(PATHS_OUTSIDE, p->allowed.at, rule);
}

enum paths_verdict policy_judge_path(const struct policy *p, const struct path *path, struct origin *rule)
{
	return judge(p, path, false, false, rule);
}

enum paths_verdict policy_judge_subtree(const struct policy *p, const struct path *prefix, struct origin *rule)
{
	return judge(p, prefix, true, false, rule);
}

enum paths_verdict policy_judge_listing(const struct policy *p, const struct path *prefix, struct origin *rule)
{
	return judge(p, prefix, false, true, rule);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* `*` is any run of characters. Goes back to the last star only, so the cost is at most pattern times name. */
static bool glob_matches(struct slice pattern, struct slice name, bool any_case)
{
	size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;

	while (n < name.n) {
		bool same = p < pattern.n && pattern.p[p] != '*' &&
				(pattern.p[p] == name.p[n] || (any_case && lower(pattern.p[p]) == lower(name.p[n])));

		if (same) {
			p++;
			n++;
		} else if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = n;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static bool any_matches(const struct slice *patterns, size_t n, struct slice name, bool any_case)
{
	for (size_t i = 0; i < n; i++)
		if (glob_matches(patterns[i], name, any_case))
			return true;
	return false;
}

bool policy_judge_tool(const struct policy *p, struct slice name, struct origin *rule)
{
	for (size_t i = 0; i < p->n_tools; i++) {
		const struct glob_layer *layer = &p->tools[i];

		/* Denied names match without case: a server that folds names must not be a way round. */
		if (any_matches(layer->deny, layer->n_deny, name, true) ||
			(layer->allow_set && !any_matches(layer->allow, layer->n_allow, name, false))) {
			if (rule)
				*rule = layer->at;
			return false;
		}
	}
	if (rule)
		*rule = (struct origin){ 0 };
	return true;
}
