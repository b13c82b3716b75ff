/*
 * Lists show what could be used (docs/guards/lists.md): tools, resources, templates and prompts that would be refused
 * whatever their arguments are left out, and so are the arguments narrowgate fills in itself. Cosmetic; calls are judged.
 */
#include <stdlib.h>

#include "guards/facts.h"
#include "guards/response.h"
#include "guards/schema.h"
#include "guards/scope.h"
#include "mcp/era.h"

struct lists {
	const struct view *view;
	struct scope scope;
	struct doc *doc;
	enum err err;
};

static void note(struct lists *l, enum err e)
{
	if (l->err == E_OK)
		l->err = e;
}

static struct slice text_member(struct lists *l, uint32_t obj, struct slice name)
{
	const struct json *j = &l->doc->json;
	uint32_t t = json_member(j, obj, name);

	return json_is(j, t, JSON_STRING) ? json_string(j, t, l->doc->arena) : (struct slice){ NULL, 0 };
}

/* --- tools -------------------------------------------------------------------------------------------------------- */

struct named {
	struct slice name;
	uint32_t tok;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int order = n ? memcmp(x->name.p, y->name.p, n) : 0;

	if (order == 0)
		order = (x->name.n > y->name.n) - (x->name.n < y->name.n);
	return order ? order : (x->tok > y->tok) - (x->tok < y->tok);
}

/* Of several tools of one name the first is the one (RO-12). */
static void drop_twins(struct lists *l, struct named *tools, size_t n)
{
	qsort(tools, n, sizeof *tools, by_name);
	for (size_t i = 1; i < n; i++)
		if (slice_eq(tools[i].name, tools[i - 1].name))
			note(l, doc_remove(l->doc, tools[i].tok));
}

/* Takes an argument out of an input schema. */
static void hide_argument(struct lists *l, uint32_t schema, struct slice name)
{
	const struct json *j = &l->doc->json;
	uint32_t property = json_member(j, json_member(j, schema, SL("properties")), name);
	uint32_t required = json_member(j, schema, SL("required"));

	if (property != JSON_NONE)
		note(l, doc_remove(l->doc, property));
	if (!json_is(j, required, JSON_ARRAY))
		return;
	for (uint32_t t = json_first(j, required); t < j->tok[required].next; t = j->tok[t].next)
		if (json_is(j, t, JSON_STRING) && json_string_eq(j, t, name))
			note(l, doc_remove(l->doc, t));
}

static void hide_all(struct lists *l, uint32_t schema, const struct slice *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hide_argument(l, schema, names[i]);
}

/* The arguments of the locks: narrowgate fills them in, so the agent need not know them. */
static void hide_locked(struct lists *l, const struct rule *rule, uint32_t schema)
{
	static const struct slice TENANTS[] = { { "tenant_id", 9 }, { "tenantId", 8 }, { "tenant", 6 } };
	static const struct slice PARTNERS[] = { { "partner_id", 10 }, { "partnerId", 9 }, { "partner", 7 } };
	const struct policy *p = l->view->policy;
	bool generic = !rule && l->view->catalog->generic;
	const struct tenant_rule *t = tenant_rule_of(l->view, rule);

	if (p->tenant.text.n && generic)
		hide_all(l, schema, TENANTS, 3);
	else if (p->tenant.text.n && t->by == TENANT_ARG)
		hide_all(l, schema, t->names, t->n);
	if (p->partner.text.n && generic)
		hide_all(l, schema, PARTNERS, 3);
	else if (p->partner.text.n)
		hide_all(l, schema, t->partner_names, t->n_partner);
}

/* A list of choices in a schema: those outside go, and the list with its last one. */
static void hide_choices(struct lists *l, uint32_t array)
{
	const struct json *j = &l->doc->json;
	uint32_t left = j->tok[array].count;

	for (uint32_t t = json_first(j, array); t < j->tok[array].next; t = j->tok[t].next) {
		if (!json_is(j, t, JSON_STRING) || scope_bare_in(&l->scope, json_string(j, t, l->doc->arena)))
			continue;
		note(l, doc_remove(l->doc, t));
		left--;
	}
	if (!left && j->tok[array].count)
		note(l, doc_remove(l->doc, array));
}

/* Paths that a schema itself offers: choices, examples, defaults. */
static void hide_outside(struct lists *l, uint32_t schema)
{
	const struct json *j = &l->doc->json;

	for (uint32_t t = schema; schema != JSON_NONE && t < j->tok[schema].next; t++) {
		if (!(j->tok[t].flags & JSON_NAME))
			continue;
		bool list = json_string_eq(j, t, SL("enum")) || json_string_eq(j, t, SL("examples"));
		bool one = json_string_eq(j, t, SL("default")) || json_string_eq(j, t, SL("const"));
		if (list && json_is(j, t + 1, JSON_ARRAY))
			hide_choices(l, t + 1);
		else if (one && json_is(j, t + 1, JSON_STRING) &&
			!scope_bare_in(&l->scope, json_string(j, t + 1, l->doc->arena)))
			note(l, doc_remove(l->doc, t));
	}
}

static void show_tool(struct lists *l, uint32_t tool, struct slice name)
{
	const struct json *j = &l->doc->json;
	const struct rule *rule = catalog_tool(l->view->catalog, name);
	uint32_t in = json_member(j, tool, SL("inputSchema")), out = json_member(j, tool, SL("outputSchema"));

	if (in != JSON_NONE)
		hide_locked(l, rule, in);
	if (out != JSON_NONE && schema_breaks(l->view, rule, name, j, out))
		note(l, doc_remove(l->doc, out));
	if (policy_locks_paths(l->view->policy)) {
		hide_outside(l, in);
		hide_outside(l, out);
	}
}

static void filter_tools(struct lists *l, uint32_t array)
{
	const struct json *j = &l->doc->json;
	struct named *shown = arena_array(l->doc->arena, j->tok[array].count + 1, sizeof *shown);
	size_t n = 0;

	if (!shown) {
		l->err = E_NOMEM;
		return;
	}
	for (uint32_t t = json_first(j, array); t < j->tok[array].next && l->err == E_OK; t = j->tok[t].next) {
		struct slice name = text_member(l, t, SL("name"));
		if (!name.p || !offered_tool(l->view, name)) {
			note(l, doc_remove(l->doc, t));
			continue;
		}
		shown[n++] = (struct named){ name, t };
		show_tool(l, t, name);
	}
	drop_twins(l, shown, n);
}

/* --- resources, templates, prompts -------------------------------------------------------------------------------- */

static bool show_resource(struct lists *l, uint32_t item)
{
	const struct policy *p = l->view->policy;
	struct slice uri = text_member(l, item, SL("uri"));

	if (!uri.p || !offered_resource(l->view, uri))
		return false;
	if (policy_locks_paths(p) && !scope_uri_in(&l->scope, uri))
		return false;
	return !policy_locks_tenant(p) || scope_uri_tenant_in(&l->scope, uri);
}

/* The template with `_` for each of its variables. */
static struct slice fill_template(struct slice uri, struct arena *a)
{
	char *out = arena_alloc(a, uri.n + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < uri.n; i++) {
		if (uri.p[i] != '{') {
			out[n++] = uri.p[i];
			continue;
		}
		out[n++] = '_';
		while (i + 1 < uri.n && uri.p[i] != '}')
			i++;
	}
	return slice_make(out, n);
}

static bool is_path_var(const struct rule *r, struct slice name)
{
	for (size_t i = 0; i < r->n_paths; i++)
		if (template_mentions(&r->paths[i], name))
			return true;
	return false;
}

/* A template that fixes a tenant or the beginning of a path is judged by what it fixes. */
static bool fixes_inside(struct lists *l, struct slice uri)
{
	const struct policy *p = l->view->policy;
	struct slice filled = fill_template(uri, l->doc->arena);
	struct uri_var vars[CATALOG_MAX_VARS];
	size_t n = 0;
	const struct rule *r = filled.p ? catalog_resource(l->view->catalog, filled, vars, &n) : NULL;

	for (size_t i = 0; r && i < n; i++) {
		struct slice value = vars[i].value;
		bool path = is_path_var(r, vars[i].name);
		if (slice_eq(value, SL("_")))
			continue;
		while (path && value.n && value.p[value.n - 1] != '/')
			value.n--;
		if (path && policy_locks_paths(p) && !scope_in(&l->scope, value, SCOPE_FOLDER))
			return false;
		if (!path && policy_locks_tenant(p) && !scope_uri_tenant_in(&l->scope, filled))
			return false;
	}
	return filled.p != NULL;
}

/* What a template fixes before its first variable, taken for a folder where no catalog knows better. */
static bool show_template(struct lists *l, uint32_t item)
{
	struct slice uri = text_member(l, item, SL("uriTemplate"));

	if (!uri.p || !offered_resource(l->view, uri))
		return false;
	if (!l->view->catalog->generic)
		return fixes_inside(l, uri);
	if (!policy_locks_paths(l->view->policy))
		return true;
	ptrdiff_t scheme = slice_find(uri, SL("://")), brace = slice_find(uri, SL("{"));
	if (scheme < 0)
		return false;
	struct slice fixed = slice_from(brace < 0 ? uri : slice_head(uri, (size_t)brace), (size_t)scheme + 3);
	return scope_in(&l->scope, fixed, SCOPE_FOLDER);
}

/* A prompt's arguments are a list of objects with a name. */
static bool show_prompt(struct lists *l, uint32_t item)
{
	const struct json *j = &l->doc->json;
	const struct policy *p = l->view->policy;
	struct slice name = text_member(l, item, SL("name"));
	uint32_t args = json_member(j, item, SL("arguments"));

	if (!name.p || !offered_prompt(l->view, name))
		return false;
	if (!policy_locks_tenant(p) || !json_is(j, args, JSON_ARRAY))
		return true;
	const struct tenant_rule *t = tenant_rule_of(l->view, catalog_prompt(l->view->catalog, name));
	for (uint32_t a = json_first(j, args); a < j->tok[args].next; a = j->tok[a].next) {
		struct slice arg = text_member(l, a, SL("name"));
		bool partner = false;
		if (arg.p && tenant_rule_names(t, arg, &partner) && (partner ? p->partner.text.n : p->tenant.text.n))
			note(l, doc_remove(l->doc, a));
	}
	return true;
}

static void filter_items(struct lists *l, uint32_t array, bool (*show)(struct lists *, uint32_t))
{
	const struct json *j = &l->doc->json;

	for (uint32_t t = json_first(j, array); t < j->tok[array].next && l->err == E_OK; t = j->tok[t].next)
		if (!show(l, t))
			note(l, doc_remove(l->doc, t));
}

static struct verdict finish(const struct lists *l)
{
	if (l->err != E_OK || l->scope.nomem)
		return deny(R_INTERNAL, (struct slice){ NULL, 0 }, (struct origin){ 0 });
	return doc_changed(l->doc) ? (struct verdict){ .kind = VERDICT_REWRITE } : PASS_VERDICT;
}

/* --- what the vault says of itself (server/discover) ---------------------------------------------------------------- */

/* Only revisions that can be judged. */
static struct verdict discover_response(struct lists *l, uint32_t result)
{
	const struct json *j = &l->doc->json;
	uint32_t versions = json_member(j, result, SL("supportedVersions"));

	if (!json_is(j, versions, JSON_ARRAY))
		return deny(R_RESULT_FORM, SL("supportedVersions"), (struct origin){ 0 });
	for (uint32_t t = json_first(j, versions); t < j->tok[versions].next; t = j->tok[t].next)
		if (!json_is(j, t, JSON_STRING) || !era_find(json_string(j, t, l->doc->arena)))
			note(l, doc_remove(l->doc, t));
	return finish(l);
}

static struct verdict lists_response(const struct view *view, const struct call *call, struct result *r)
{
	struct lists l = { .view = view, .scope = { .view = view }, .doc = r->root };
	enum method id = call && call->method ? call->method->id : M_UNKNOWN;
	struct slice member = id == M_TOOLS_LIST ? SL("tools") :
		id == M_RESOURCES_LIST ? SL("resources") :
		id == M_RESOURCES_TEMPLATES_LIST ? SL("resourceTemplates") :
		id == M_PROMPTS_LIST ? SL("prompts") : SL("");

	if (id == M_DISCOVER && r->rpc->kind == RPC_RESULT)
		return discover_response(&l, r->rpc->result);
	if (!member.n || r->rpc->kind != RPC_RESULT)
		return PASS_VERDICT;
	uint32_t array = json_member(&r->root->json, r->rpc->result, member);
	if (array == JSON_NONE)
		return PASS_VERDICT;
	if (!json_is(&r->root->json, array, JSON_ARRAY))
		return deny(R_RESULT_FORM, member, (struct origin){ 0 });
	if (id == M_TOOLS_LIST)
		filter_tools(&l, array);
	else
		filter_items(&l, array, id == M_RESOURCES_LIST ? show_resource :
			id == M_PROMPTS_LIST ? show_prompt : show_template);
	return finish(&l);
}

const struct guard guard_lists = { .name = "lists", .response = lists_response };
