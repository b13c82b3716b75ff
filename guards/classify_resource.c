/*
 * Resources by URI. The URI is taken apart by the catalog's templates only, as written: no escapes are decoded, no
 * case is folded, and whatever a URI could carry beside scheme, authority and path is refused.
 */
#include "guards/facts.h"
#include "guards/names.h"

/* `.` or `..` as a whole segment: whoever resolves it reads another URI. */
static bool has_dots(struct slice rest)
{
	while (rest.p) {
		struct slice segment = slice_cut(&rest, '/');

		if (slice_eq(segment, SL(".")) || slice_eq(segment, SL("..")))
			return true;
	}
	return false;
}

/* Printable, no escape, no user, port, query, fragment, or template left in; `//` once, behind the scheme. */
static bool is_strict(struct slice uri)
{
	ptrdiff_t colon = slice_find(uri, SL("://"));

	if (colon <= 0 || uri.n > PATH_MAX_BYTES)
		return false;
	for (size_t i = 0; i < uri.n; i++) {
		unsigned char ch = (unsigned char)uri.p[i];
		bool in_scheme = i <= (size_t)colon;

		if (ch <= ' ' || ch == 0x7F || strchr("%\\?#;@{}[]*\"<>|^`", ch) || (ch == ':' && !in_scheme))
			return false;
		if (in_scheme && ch >= 'A' && ch <= 'Z')
			return false;
	}
	struct slice rest = slice_from(uri, (size_t)colon + 3);
	return rest.n && rest.p[0] != '/' && slice_find(rest, SL("//")) < 0 && !has_dots(rest);
}

/* The variables as a JSON object, so that templates and selectors of the catalog read them like arguments. */
static const struct json *vars_json(struct facts *f, const struct uri_var *vars, size_t n)
{
	struct json *json = ARENA_NEW(f->arena, struct json);
	struct buf text;

	buf_init(&text, 4 * PATH_MAX_BYTES + 1024);
	buf_add_char(&text, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_char(&text, ',');
		buf_add_json_string(&text, vars[i].name);
		buf_add_char(&text, ':');
		buf_add_json_string(&text, vars[i].value);
	}
	buf_add_char(&text, '}');
	struct slice kept = text.failed == E_OK ? arena_dup(f->arena, buf_slice(&text)) : (struct slice){ NULL, 0 };
	buf_finish(&text);
	if (json && kept.p && json_parse(json, kept, f->arena, NULL) == E_OK)
		return json;
	f->nomem = true;
	return NULL;
}

/* A variable that is a tenant by the catalog or by its name. */
static void judge_tenants(struct facts *f, const struct uri_var *vars, size_t n)
{
	const struct tenant_rule *t = tenant_rule_of(f->view, f->call->rule);

	for (size_t i = 0; i < n; i++) {
		bool partner, own = tenant_rule_names(t, vars[i].name, &partner);
		enum look l = names_look(f->view, vars[i].name);

		if (own || look_is_tenant(l))
			fact_tenant(f, vars[i].value, own ? partner : l == LOOK_PARTNER, SL("uri"));
	}
}

/* A variable that is no path of the rule's and yet has segments: of which resource it is the name, nobody can say. */
static bool has_odd_id(const struct rule *r, const struct uri_var *vars, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool path = false;

		for (size_t k = 0; k < r->n_paths; k++)
			path |= template_mentions(&r->paths[k], vars[i].name);
		if (!path && !look_text_is_word(vars[i].value))
			return true;
	}
	return false;
}

/* Of a URI nobody describes: everything behind the scheme is taken for the path. */
static void classify_unknown(struct facts *f, struct slice uri)
{
	ptrdiff_t colon = slice_find(uri, SL("://"));

	f->call->known = f->view->catalog->generic;
	f->call->action = f->call->known ? ACT_READ : ACT_UNKNOWN;
	if (f->call->known)
		fact_path(f, colon < 0 ? uri : slice_from(uri, (size_t)colon + 3), COVERS_ONE, SL("uri"));
}

void classify_resource(struct facts *f, struct slice uri)
{
	struct call *c = f->call;
	struct uri_var vars[CATALOG_MAX_VARS];
	size_t n = 0;
	bool strict = is_strict(uri);

	if (!strict && f->locked) {
		facts_fault(f, R_PATH_UNCLEAR, SL("uri"));
		return;
	}
	c->rule = strict ? catalog_resource(f->view->catalog, uri, vars, &n) : NULL;
	if (!c->rule) {
		classify_unknown(f, uri);
		return;
	}
	c->known = true;
	c->args_json = vars_json(f, vars, n);
	if (!c->args_json)
		return;
	c->args = 0;
	c->action = classify_action(&c->rule->action, c->args_json, 0, f->arena);
	struct args a = { .json = c->args_json, .args = 0 };
	classify_paths(f, c->rule, &a, 1);
	classify_handles(f, c->rule, &a, 1);
	if (f->locked)
		judge_tenants(f, vars, n);
	if (f->locked && has_odd_id(c->rule, vars, n))
		facts_fault(f, R_PATH_UNCLEAR, SL("uri"));
}
