/*
 * From a message to facts: what the call does, to which paths, for whom, by which handles. Nothing is decided here;
 * what cannot be understood becomes a fault or a fact that some guard refuses.
 */
#include "guards/facts.h"
#include "guards/offer.h"
#include "guards/tasks.h"
#include "mcp/stateless.h"

static uint32_t param(const struct rpc *rpc, const char *name)
{
	return rpc->params == JSON_NONE ? JSON_NONE : json_member(&rpc->json, rpc->params, slice_of(name));
}

/* A member that must be a string; its text, or a fault. */
static bool take_name(struct facts *f, const char *member)
{
	const struct rpc *rpc = f->call->rpc;
	uint32_t tok = param(rpc, member);

	if (!json_is(&rpc->json, tok, JSON_STRING)) {
		facts_fault(f, R_MESSAGE, slice_of(member));
		return false;
	}
	f->call->name = facts_text(f, &rpc->json, tok);
	return true;
}

static bool take_args(struct facts *f, struct args *a)
{
	const struct rpc *rpc = f->call->rpc;

	a->json = &rpc->json;
	a->args = param(rpc, "arguments");
	if (a->args != JSON_NONE && !json_is(&rpc->json, a->args, JSON_OBJECT)) {
		facts_fault(f, R_MESSAGE, SL("arguments"));
		return false;
	}
	return true;
}

/* Where nothing is narrowed, nothing told and nothing handed out, nobody asks for the paths. */
static bool wants_paths(const struct facts *f, const struct rule *rule)
{
	return policy_narrows(f->view->policy) || f->view->tells_paths || rule->n_gives || rule->n_takes;
}

void classify_rule(struct facts *f, const struct rule *rule, const struct args *a, size_t n)
{
	if (wants_paths(f, rule))
		classify_paths(f, rule, a, n);
	if (rule->scopes)
		classify_scopes(f, rule, a, n);
	classify_handles(f, rule, a, n);
	if (!f->locked)
		return;
	classify_references(f, a, n);
	/* Beside the inner arguments stand the wrapper's own, and only there. */
	for (size_t i = 0; i < n; i++)
		classify_args(f, rule, a[i].inner ? NULL : f->call->outer, &a[i]);
	classify_tenants(f, rule, a, n);
}

/* With both places given, either may count: one that changes something, else one whose answer bears values. */
static enum action inner_action(struct facts *f, const struct rule *rule, const struct args *a, size_t n)
{
	enum action first = classify_action(&rule->action, a[0].json, a[0].args, f->arena);

	if (n == 1)
		return first;
	enum action second = classify_action(&rule->action, a[1].json, a[1].args, f->arena);
	if (!action_is_read_only(first) || !action_is_read_only(second))
		return action_is_read_only(first) ? second : first;
	return action_bears_values(first) ? first : second;
}

static void classify_wrapper(struct facts *f, const struct args *outer)
{
	struct call *c = f->call;
	struct args inner[2];
	size_t n = classify_nested(f, outer, inner);

	if (n == 0)
		return;
	c->args_json = inner[0].json;
	c->args = inner[0].args;
	classify_twins(f, c->outer, outer);
	if (!c->rule)
		return;
	c->action = inner_action(f, c->rule, inner, n);
	for (size_t i = 0; i < n; i++) {
		classify_twins(f, c->rule, &inner[i]);
		classify_verbs(f, c->rule, &inner[i]);
	}
	if (f->locked && n == 1 && inner[0].inner)
		classify_args(f, c->outer, NULL, outer);
	classify_rule(f, c->rule, inner, n);
}

/* `task` of 2025-11-25. Servers of later revisions look past it, so it may stand there where nothing is narrowed. */
static bool take_task(struct facts *f)
{
	const struct json *j = &f->call->rpc->json;
	uint32_t task = param(f->call->rpc, "task"), ttl = json_member(j, task, SL("ttl"));
	bool narrows = policy_narrows(f->view->policy), lasts = ttl != JSON_NONE;

	if (task == JSON_NONE)
		return true;
	if (narrows && (f->call->rpc->stateless || !json_is(j, task, JSON_OBJECT) || j->tok[task].count != lasts ||
		(lasts && !json_is(j, ttl, JSON_NUMBER)))) {
		facts_fault(f, R_MESSAGE, SL("task"));
		return false;
	}
	return true;
}

static void classify_tool(struct facts *f)
{
	struct call *c = f->call;
	struct args a = { .args = JSON_NONE };

	if (!take_name(f, "name") || !take_args(f, &a))
		return;
	if (!take_task(f))
		return;
	c->as_task = !c->rpc->stateless && param(c->rpc, "task") != JSON_NONE;
	c->args_json = a.json;
	c->args = a.args;
	c->rule = catalog_tool(f->view->catalog, c->name);
	c->known = c->rule != NULL;
	if (c->rule && c->rule->nested) {
		classify_wrapper(f, &a);
	} else if (c->rule) {
		c->action = classify_action(&c->rule->action, a.json, a.args, f->arena);
		classify_twins(f, c->rule, &a);
		classify_verbs(f, c->rule, &a);
		classify_rule(f, c->rule, &a, 1);
	} else if (f->view->catalog->generic) {
		classify_generic(f, &a);
		if (f->locked)
			classify_tenants(f, NULL, &a, 1);
	}
}

/*
 * A prompt makes text for the model; what it would read or write goes through calls. Its arguments are judged by
 * their looks.
 */
static void classify_prompt(struct facts *f)
{
	struct call *c = f->call;
	struct args a = { .args = JSON_NONE };

	if (!take_name(f, "name") || !take_args(f, &a))
		return;
	c->args_json = a.json;
	c->args = a.args;
	c->rule = catalog_prompt(f->view->catalog, c->name);
	c->known = c->rule || f->view->catalog->generic;
	c->action = c->rule ? classify_action(&c->rule->action, a.json, a.args, f->arena) : ACT_META;
	if (c->rule)
		classify_rule(f, c->rule, &a, 1);
	else if (f->locked && a.args != JSON_NONE)
		classify_tree(f, a.json, a.args, SL(""), NULL, 0);
}

/* The call behind the task was judged when it was made, and is judged again. */
static void classify_task(struct facts *f)
{
	struct call *c = f->call;

	c->action = ACT_META;
	if (c->rpc->stateless && !tasks_declared(c->rpc)) {
		facts_fault(f, R_CAPABILITY, SL(""));
		return;
	}
	if (!take_name(f, "taskId") || !take_task(f))
		return;
	c->task = task_recall(f->view, c->name, c->rpc->stateless);
	if (!c->task)
		facts_fault(f, R_HANDLE, SL(""));
}

static void take_cursor(struct facts *f)
{
	uint32_t cursor = param(f->call->rpc, "cursor");

	if (cursor != JSON_NONE && !json_is(&f->call->rpc->json, cursor, JSON_STRING))
		facts_fault(f, R_MESSAGE, SL("cursor"));
}

/* What belongs to a task belongs to one of this agent's. */
static void classify_related(struct facts *f)
{
	struct call *origin;

	if (!f->call->rpc->stateless && !task_related(f->view, f->call->rpc, param(f->call->rpc, "_meta"), &origin))
		facts_fault(f, R_HANDLE, SL("related-task"));
}

static void classify_method(struct facts *f)
{
	struct call *c = f->call;

	switch ((int)c->method->id) {
	case M_TOOLS_CALL:
		classify_tool(f);
		break;
	case M_PROMPTS_GET:
		classify_prompt(f);
		break;
	case M_RESOURCES_READ:
	case M_RESOURCES_SUBSCRIBE:
	case M_RESOURCES_UNSUBSCRIBE:
		if (take_name(f, "uri"))
			classify_resource(f, c->name);
		if (c->method->id != M_RESOURCES_READ)
			c->action = ACT_META;
		break;
	case M_COMPLETION:
		classify_complete(f, c->rpc->params);
		break;
	case M_TOOLS_LIST:
	case M_RESOURCES_LIST:
	case M_RESOURCES_TEMPLATES_LIST:
	case M_PROMPTS_LIST:
		c->action = ACT_LIST;
		take_cursor(f);
		break;
	case M_TASKS_LIST:
		c->action = ACT_META;
		take_cursor(f);
		break;
	case M_TASKS_GET:
	case M_TASKS_UPDATE:
	case M_TASKS_CANCEL:
	case M_TASKS_RESULT:
		classify_task(f);
		break;
	case M_LISTEN:
		c->action = ACT_META;
		if (!json_is(&c->rpc->json, param(c->rpc, "notifications"), JSON_OBJECT))
			facts_fault(f, R_MESSAGE, SL("notifications"));
		break;
	default:
		c->action = ACT_META;
		break;
	}
}

/* `_meta` travels with the call: a path or tenant in it is judged like one in an argument. */
static void classify_meta(struct facts *f)
{
	uint32_t meta = param(f->call->rpc, "_meta"), skip[8];
	const struct json *j = &f->call->rpc->json;
	size_t n = 0;

	if (meta == JSON_NONE)
		return;
	for (uint32_t t = json_first(j, meta); t < j->tok[meta].next && n < 8; t = j->tok[t + 1].next) {
		bool plain = json_is(j, t + 1, JSON_STRING) || json_is(j, t + 1, JSON_NUMBER);

		if ((plain && json_string_eq(j, t, SL("progressToken"))) ||
			(f->call->rpc->stateless && stateless_is_envelope(j, t)) ||
			(!f->call->rpc->stateless && json_string_eq(j, t, META_RELATED_TASK))) /* judged by itself */
			skip[n++] = t + 1;
	}
	classify_tree(f, j, meta, SL("_meta"), skip, n);
}

/* A member of that name changes what the others of its object mean, where the vault is written in JavaScript. */
static bool has_prototype(const struct rpc *rpc)
{
	const struct json *j = &rpc->json;
	const struct json_token *at, *end;

	if (rpc->params == JSON_NONE)
		return false;
	at = j->tok + rpc->params;
	for (end = j->tok + at->next; at < end; at++)
		if ((at->flags & JSON_NAME) && (at->len == 9 || (at->flags & JSON_ESCAPED)) &&
			json_string_eq(j, (uint32_t)(at - j->tok), SL("__proto__")))
			return true;
	return false;
}

static void keep_clean_paths(struct facts *f)
{
	struct call *c = f->call;
	struct path *v = arena_array(f->arena, c->n_paths, sizeof *v);

	if (!v) {
		f->nomem = true;
		return;
	}
	for (size_t i = 0; i < c->n_paths; i++)
		if (c->paths[i].fault == PATH_OK && !c->paths[i].absent)
			v[c->n_clean_paths++] = c->paths[i].path;
	c->clean_paths = v;
}

enum err classify(const struct view *v, const struct rpc *rpc, struct call *c)
{
	struct facts f = { .view = v, .arena = v->arena, .call = c };
	struct slice bad = { NULL, 0 };

	*c = (struct call){ .rpc = rpc, .args = JSON_NONE, .inner_at = JSON_NONE };
	json_edits_init(&c->edits, v->arena);
	json_edits_init(&c->inner_edits, v->arena);
	f.locked = policy_locks_paths(v->policy) || policy_locks_tenant(v->policy);
	c->method = method_find(rpc->method_name, SIDE_CLIENT, false);
	if (c->method && !method_in(c->method, rpc->stateless))
		c->method = NULL;
	if (!c->method) {
		facts_fault(&f, R_METHOD, SL(""));
		return E_OK;
	}
	if (!params_known(c->method, rpc->stateless, &rpc->json, rpc->params, &bad, v->arena)) {
		facts_fault(&f, R_MESSAGE, bad);
		return E_OK;
	}
	if (has_prototype(rpc)) {
		facts_fault(&f, R_MESSAGE, SL("__proto__"));
		return E_OK;
	}
	classify_method(&f);
	classify_related(&f);
	if (f.locked)
		classify_meta(&f);
	if (rpc->stateless && (c->method->rounds || c->method->id == M_TASKS_UPDATE))
		classify_rounds(&f);
	if (policy_locks_tenant(v->policy))
		classify_path_tenants(&f);
	keep_clean_paths(&f);
	return f.nomem ? E_NOMEM : E_OK;
}
