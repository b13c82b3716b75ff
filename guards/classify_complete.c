/*
 * completion/complete lists what could be written for an argument: names of secrets, of tenants. It is judged as a
 * listing where the argument stands for a path, refused where it stands for a tenant, and where nobody knows what it
 * stands for.
 */
#include "guards/facts.h"
#include "guards/names.h"

/* A template as the server lists it is referred to by its own text. */
static const struct rule *find_template(const struct catalog *c, struct slice uri)
{
	for (size_t i = 0; i < c->n_resources; i++)
		if (slice_eq(c->resources[i].name, uri))
			return &c->resources[i];
	return NULL;
}

/* Only these members: another, or a twin of one in other letters, may be what the vault goes by. */
static bool has_only(struct facts *f, uint32_t object, const char *const *members)
{
	const struct method_row row = { .members = members };
	const struct json *j = &f->call->rpc->json;
	struct slice bad;

	if (object == JSON_NONE)
		return true;
	return json_is(j, object, JSON_OBJECT) && params_known(&row, j, object, &bad, f->arena);
}

/* A template the catalog does not have: under generic the part before its first variable is what would be listed. */
static void judge_unknown_template(struct facts *f, struct slice uri)
{
	ptrdiff_t scheme = slice_find(uri, SL("://")), open = slice_find(uri, SL("{"));

	if (!f->view->catalog->generic || scheme < 0 || open < scheme) {
		fact_unknown(f, SL("ref"));
		return;
	}
	size_t from = (size_t)scheme + 3;
	fact_path(f, slice_make(uri.p + from, (size_t)open - from), COVERS_PREFIX, SL("ref"));
}

static bool find_ref(struct facts *f, uint32_t ref)
{
	const struct json *j = &f->call->rpc->json;
	uint32_t type = json_member(j, ref, SL("type")), name = json_member(j, ref, SL("name")),
		uri = json_member(j, ref, SL("uri"));

	if (!json_is(j, type, JSON_STRING))
		return false;
	if (json_string_eq(j, type, SL("ref/prompt")) && json_is(j, name, JSON_STRING) && uri == JSON_NONE) {
		f->call->name = facts_text(f, j, name);
		f->call->rule = catalog_prompt(f->view->catalog, f->call->name);
		return true;
	}
	if (!json_string_eq(j, type, SL("ref/resource")) || !json_is(j, uri, JSON_STRING) || name != JSON_NONE)
		return false;
	f->call->name = facts_text(f, j, uri);
	f->call->rule = find_template(f->view->catalog, f->call->name);
	if (!f->call->rule && f->locked)
		judge_unknown_template(f, f->call->name);
	return true;
}

static bool rule_has_path(const struct rule *r, struct slice name)
{
	for (size_t i = 0; r && i < r->n_paths; i++)
		if (template_mentions(&r->paths[i], name))
			return true;
	return false;
}

static bool rule_has_arg(const struct rule *r, struct slice name)
{
	for (size_t i = 0; r && i < r->n_args; i++)
		if (slice_eq(r->args[i], name))
			return true;
	return false;
}

/* What has been typed of a path: the whole segments of it are the prefix that is listed. */
static void judge_typed(struct facts *f, struct slice text, struct slice name)
{
	size_t end = text.n;

	while (end && text.p[end - 1] != '/')
		end--;
	fact_path(f, slice_head(text, end), COVERS_PREFIX, name);
	if (end < text.n) {
		struct path whole;
		enum path_fault fault = path_canonical(&whole, text, true, f->arena);

		if (fault != PATH_OK)
			fact_path_fault(f, fault, name);
	}
}

enum part { PART_OF_PATH, PART_OF_TENANT, PART_OF_PARTNER, PART_HARMLESS, PART_UNCLEAR };

static enum part part_of(struct facts *f, struct slice name)
{
	const struct rule *r = f->call->rule;
	const struct tenant_rule *t = tenant_rule_of(f->view, r);
	enum look l = names_look(f->view, name);
	bool partner;

	if (tenant_rule_names(t, name, &partner))
		return partner ? PART_OF_PARTNER : PART_OF_TENANT;
	if (rule_has_path(r, name))
		return PART_OF_PATH;
	if (look_is_tenant(l))
		return l == LOOK_PARTNER ? PART_OF_PARTNER : PART_OF_TENANT;
	if (rule_has_arg(r, name))
		return PART_HARMLESS;
	if (look_is_path(l) || l == LOOK_KEY)
		return PART_OF_PATH;
	return PART_UNCLEAR;
}

/* The argument being completed. What is listed for a tenant are other tenants. */
static void judge_argument(struct facts *f, struct slice name, struct slice value)
{
	switch (part_of(f, name)) {
	case PART_OF_PATH:
		judge_typed(f, value, name);
		break;
	case PART_OF_TENANT:
	case PART_OF_PARTNER:
	case PART_UNCLEAR:
		fact_unknown(f, name);
		break;
	case PART_HARMLESS:
		break;
	}
}

/* Arguments already filled in. */
static void judge_context(struct facts *f, uint32_t object)
{
	const struct json *j = &f->call->rpc->json;

	for (uint32_t c = json_first(j, object); c < j->tok[object].next; c = j->tok[c + 1].next) {
		struct slice name = facts_text(f, j, c);
		enum part part = part_of(f, name);

		if (!json_is(j, c + 1, JSON_STRING))
			fact_unknown(f, name);
		else if (part == PART_OF_PATH)
			fact_path(f, facts_text(f, j, c + 1), COVERS_PREFIX, name);
		else if (part == PART_OF_TENANT || part == PART_OF_PARTNER)
			fact_tenant(f, facts_text(f, j, c + 1), part == PART_OF_PARTNER, name);
		else if (part == PART_UNCLEAR)
			fact_unknown(f, name);
	}
}

/* A template with a tenant in it, which the agent left open: the vault would take its own. Filled in as in a call. */
static void fill_context(struct facts *f, uint32_t filled)
{
	const struct rule *r = f->call->rule;
	const struct tenant_rule *t = tenant_rule_of(f->view, r);

	if (r && r->tenant.by == TENANT_URI && f->view->policy->tenant.text.n &&
		json_member(&f->call->rpc->json, filled, t->names[0]) == JSON_NONE)
		f->call->fill_tenant = t->names[0];
}

void classify_complete(struct facts *f, uint32_t params)
{
	const struct json *j = &f->call->rpc->json;
	uint32_t argument = json_walk(j, params, "argument"), ref = json_walk(j, params, "ref");
	uint32_t name = json_walk(j, argument, "name"), value = json_walk(j, argument, "value");
	uint32_t context = json_walk(j, params, "context"), filled = json_walk(j, params, "context.arguments");
	static const char *const refs[] = { "type", "name", "uri", "title", NULL };
	static const char *const arguments[] = { "name", "value", NULL };
	static const char *const contexts[] = { "arguments", NULL };

	f->call->action = ACT_LIST;
	if (!has_only(f, ref, refs) || !has_only(f, argument, arguments) || !has_only(f, context, contexts)) {
		facts_fault(f, R_MESSAGE, SL("ref"));
		return;
	}
	if (!json_is(j, name, JSON_STRING) || !json_is(j, value, JSON_STRING) || !find_ref(f, ref) ||
		(context != JSON_NONE && !json_is(j, context, JSON_OBJECT)) ||
		(filled != JSON_NONE && !json_is(j, filled, JSON_OBJECT))) {
		facts_fault(f, R_MESSAGE, SL("ref"));
		return;
	}
	f->call->known = f->call->rule || f->view->catalog->generic;
	if (!f->locked)
		return;
	judge_argument(f, facts_text(f, j, name), facts_text(f, j, value));
	if (filled != JSON_NONE)
		judge_context(f, filled);
	fill_context(f, filled);
}
