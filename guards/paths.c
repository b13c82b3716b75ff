/* Every path of a call lies inside the allowed prefixes and under no denied one (docs/guards/paths.md). */
#include "guards/edit.h"
#include "guards/offer.h"
#include "guards/response.h"

enum reach { REACH_ONE, REACH_ALL_BELOW, REACH_LISTING, REACH_NOTHING };

/* Its answer is cut to what is allowed, so it may ask for more. */
static bool is_filtered(const struct call *c)
{
	switch ((int)c->action) {
	case ACT_LIST:
	case ACT_META:
	case ACT_SCAN:
		return true;
	case ACT_READ:
		return c->rule && c->rule->out.n_items && c->rule->out.n_paths;
	default:
		return false;
	}
}

/*
 * An optional path left out by a prompt, which makes text alone, or by a call that keeps or issues something: nothing
 * is named.
 */
static bool names_nothing(const struct call *c)
{
	return c->method->id == M_PROMPTS_GET || c->action == ACT_ISSUE || c->action == ACT_ADMIN ||
		c->action == ACT_APPROVE;
}

static enum reach reach_of(const struct call *c, const struct path_fact *f)
{
	if (f->absent && names_nothing(c))
		return REACH_NOTHING;
	if (f->covers == COVERS_ONE && !f->absent)
		return REACH_ONE;
	return is_filtered(c) ? REACH_LISTING : REACH_ALL_BELOW;
}

static struct verdict say(enum paths_verdict verdict, struct slice from, struct origin at)
{
	switch (verdict) {
	case PATHS_IN:
		return PASS_VERDICT;
	case PATHS_OUTSIDE:
		return deny(R_PATH_OUTSIDE, from, at);
	case PATHS_DENIED:
		return deny(R_PATH_DENIED, from, at);
	}
	return deny(R_INTERNAL, SL(""), at);
}

static struct verdict judge_fact(const struct view *v, const struct call *c, const struct path_fact *f)
{
	struct origin at = { 0 };

	if (f->fault != PATH_OK) {
		struct slice what = arena_fmt(v->arena, "%.*s: %s", SL_ARG(f->from), path_fault_text(f->fault));
		return deny(R_PATH_UNCLEAR, what, paths_locked_at(v->policy));
	}
	switch (reach_of(c, f)) {
	case REACH_ONE:
		return say(policy_judge_path(v->policy, &f->path, &at), f->from, at);
	case REACH_ALL_BELOW:
		return say(policy_judge_subtree(v->policy, &f->path, &at), f->from, at);
	case REACH_LISTING:
		return say(policy_judge_listing(v->policy, &f->path, &at), f->from, at);
	case REACH_NOTHING:
		return PASS_VERDICT;
	}
	return deny(R_INTERNAL, SL(""), at);
}

static bool names_some(const struct call *c)
{
	for (size_t i = 0; i < c->n_paths; i++)
		if (reach_of(c, &c->paths[i]) != REACH_NOTHING)
			return true;
	return false;
}

static bool misses_path(const struct call *c)
{
	if (c->rule && c->rule->unresolved)
		return true;
	if (names_some(c) || (c->method->id != M_TOOLS_CALL && c->method->id != M_RESOURCES_READ))
		return false;
	if (c->rule && c->rule->pathless)
		return false;
	return action_needs_path(c->action) || (c->rule && c->rule->n_paths);
}

/* Why no argument would help. */
static struct slice without_path(const struct call *c)
{
	bool whole = c->rule && rule_acts_on_all(c->rule, c->action);

	return whole ? SL("the tool acts on the whole vault") : SL("");
}

/* Arguments that would make the vault reach further than the call says. */
static struct verdict force(const struct view *v, struct call *c)
{
	struct verdict out = PASS_VERDICT;

	for (size_t i = 0; c->rule && i < c->rule->n_force; i++) {
		const struct force_rule *r = &c->rule->force[i];

		if (slice_eq(call_arg_source(c, r->arg), r->raw))
			continue;
		enum err e = call_set_arg(c, r->arg, r->raw, v->arena);
		if (e != E_OK)
			return deny(e == E_INVALID ? R_ARGUMENT : R_INTERNAL, r->arg, c->rule->at);
		out.kind = VERDICT_REWRITE;
	}
	return out;
}

/* Puts the path that was judged where another spelling of it stands. False where it cannot be written. */
static bool respell(struct call *c, const struct path_fact *f)
{
	if (!f->json || f->wild) /* of a pattern only the fixed part is known in its canonical form */
		return false;
	if (f->json == &c->rpc->json)
		return json_edit_string(&c->edits, f->tok, f->path.text) == E_OK;
	return f->json == c->args_json && c->inner_at != JSON_NONE &&
		json_edit_string(&c->inner_edits, f->tok, f->path.text) == E_OK;
}

/* The vault gets the form that was judged, never another spelling that it may read otherwise. */
static struct verdict respell_all(const struct view *v, struct call *c)
{
	struct verdict out = PASS_VERDICT;

	for (size_t i = 0; i < c->n_paths; i++) {
		const struct path_fact *f = &c->paths[i];

		if (!f->respelled)
			continue;
		if (!respell(c, f)) {
			struct slice what = arena_fmt(
				v->arena, "%.*s: %s", SL_ARG(f->from), path_fault_text(PATH_SPELLING));
			return deny(R_PATH_UNCLEAR, what, paths_locked_at(v->policy));
		}
		out.kind = VERDICT_REWRITE;
	}
	return out;
}

static struct verdict paths_request(const struct view *v, struct call *c)
{
	if (!policy_locks_paths(v->policy))
		return PASS_VERDICT;
	for (size_t i = 0; i < c->n_paths; i++) {
		struct verdict one = judge_fact(v, c, &c->paths[i]);
		if (one.kind == VERDICT_DENY)
			return one;
	}
	if (c->n_unknown_args)
		return deny(R_ARGUMENT, c->unknown_args[0], paths_locked_at(v->policy));
	if (misses_path(c))
		return deny(R_PATH_MISSING, without_path(c), paths_locked_at(v->policy));
	struct verdict forced = force(v, c);
	struct verdict spelled = forced.kind == VERDICT_DENY ? forced : respell_all(v, c);
	return spelled.kind == VERDICT_PASS ? forced : spelled;
}

const struct guard guard_paths = { .name = "paths", .request = paths_request, .response = paths_response };
