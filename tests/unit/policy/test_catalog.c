#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "policy/catalog.h"

#define C "catalog: t\n"

static struct catalog *parse(const char *yaml)
{
	struct faults faults;
	faults_init(&faults);
	struct catalog *c = catalog_parse(slice_of(yaml), SL("t.yaml"), &faults);
	for (size_t i = 0; i < faults.n; i++)
		print_message("%u:%u: %.*s\n", faults.v[i].at.line, faults.v[i].at.column, SL_ARG(faults.v[i].text));
	assert_non_null(c);
	faults_finish(&faults);
	return c;
}

static void assert_text(struct slice s, const char *expected)
{
	if (!slice_eq(s, slice_of(expected)))
		print_message("got: %.*s\n", SL_ARG(s));
	assert_true(slice_eq(s, slice_of(expected)));
}

/* --- what is refused, and where ------------------------------------------------------------------------------------ */

struct refusal {
	const char *yaml;
	unsigned line, column;
	const char *text; /* is in the fault's text */
};

static void assert_refused(const struct refusal *r)
{
	struct faults faults;
	faults_init(&faults);
	assert_null(catalog_parse(slice_of(r->yaml), SL("t.yaml"), &faults));
	assert_true(faults.n > 0);
	bool told = false;
	for (size_t i = 0; i < faults.n; i++) {
		const struct fault *f = &faults.v[i];
		told |= f->at.line == r->line && f->at.column == r->column && slice_find(f->text, slice_of(r->text)) >= 0 &&
			slice_eq(f->at.file, SL("t.yaml"));
	}
	if (!told)
		for (size_t i = 0; i < faults.n; i++)
			print_message("for %s: %u:%u: %.*s\n", r->text, faults.v[i].at.line, faults.v[i].at.column,
				SL_ARG(faults.v[i].text));
	assert_true(told);
	faults_finish(&faults);
}

static void refusals_say_where(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
		{ "tools: {}\n", 1, 1, "a catalog needs a name" },
		{ C "tool: {}\n", 2, 1, "did you mean `tools`?" },
		{ C "server: \"a(\"\n", 2, 9, "missing closing parenthesis, at character 3" },
		{ C "connections: many\n", 2, 14, "a whole number" },
		{ C "generic: yes\n", 2, 10, "true or false" },
		{ C "other: allow\n", 2, 8, "did you mean `refuse`?" },
		{ C "path: {sep: \":\"}\n", 2, 13, "did you mean `/`?" },
		{ C "path: {fold: [slash]}\n", 2, 15, "did you mean `slashes`?" },
		{ C "tenant: {}\n", 2, 9, "needs one of" },
		{ C "tenant: {arg: a, header: h}\n", 2, 18, "takes one of" },
		{ C "tenant: {header: [a, b]}\n", 2, 18, "one name" },
		{ C "tenant: {uri: t}\n", 2, 9, "is for resources" },
		{ C "words: {reads: [\"-\"]}\n", 2, 16, "no word" },
		{ C "tools: [a]\n", 2, 8, "must be a map" },
		{ C "tools:\n  a:\n", 3, 5, "must be a map" },
		{ C "tools:\n  a: {}\n", 3, 3, "needs `do`" },
		{ C "tools:\n  a: {do: raed}\n", 3, 11, "did you mean `read`?" },
		{ C "tools:\n  a: {do: fly}\n", 3, 11, "unknown action `fly`: list, meta, read" },
		{ C "tools:\n  a: {do: read, pat: \"{x}\"}\n", 3, 17, "did you mean `path`?" },
		{ C "tools:\n  a: {do: read, path: x}\n", 3, 23, "write `{x}`" },
		{ C "tools:\n  a: {do: read, path: \"{x\"}\n", 3, 23, "without its `}`" },
		{ C "tools:\n  a: {do: read, path: [\"{x}\", \"{}\"]}\n", 3, 31, "member name is missing" },
		{ C "tools:\n  a: {do: read, path: \"{x}\", covers: all}\n", 3, 38, "is not known here" },
		{ C "tools:\n  a: {do: read, covers: one}\n", 3, 17, "`covers` without `path`" },
		{ C "tools:\n  a: {do: read, path_optional: true}\n", 3, 17, "without `path`" },
		{ C "tools:\n  a: {do: admin, path: \"{x}\", pathless: true}\n", 3, 31, "`pathless` beside `path`" },
		{ C "tools:\n  a: {do: admin, unresolved: true, pathless: true}\n", 3, 36, "`pathless` beside `unresolved`" },
		{ C "tools:\n  a: {do: {arg: x}}\n", 3, 11, "needs `map`" },
		{ C "tools:\n  a: {do: {arg: x, map: {get: reed}}}\n", 3, 31, "did you mean `read`?" },
		{ C "tools:\n  a: {do: {has: x, then: read}}\n", 3, 11, "`then` and `else`" },
		{ C "tools:\n  a: {do: {arg: x, map: {y: read}, empty: read}}\n", 3, 36, "empty" },
		{ C "tools:\n  a: {do: {has: x, then: read, else: list, empty: reed}}\n", 3, 51, "reed" },
		{ C "tools:\n  a: {do: list, out: {as: raw, tenant_rows: true}}\n", 3, 32, "no meaning with" },
		{ C "tools:\n  a: {do: list, out: {tenant_rows: maybe}}\n", 3, 36, "true or false" },
		{ C "tools:\n  a: {do: {when: x}}\n", 3, 11, "`do` is an action" },
		{ C "tools:\n  a: {do: read, secret_args: [\"$.a[0]\"]}\n", 3, 31, "a selector is made of" },
		{ C "tools:\n  a: {do: read, side: {mail: [x]}}\n", 3, 24, "unknown key `mail`" },
		{ C "tools:\n  a: {do: read, takes: {strip: x}}\n", 3, 24, "kind of handle is missing" },
		{ C "tools:\n  a: {do: read, takes: lease}\n", 3, 24, "must be a map" },
		{ C "tools:\n  a: {do: read, gives: {x: \"$.x\", in: errors}}\n", 3, 39, "did you mean `error`?" },
		{ C "tools:\n  a: {do: read, gives: {x: \"$.x\", in: error}}\n", 3, 28, "errors are texts" },
		{ C "tools:\n  a: {do: read, gives: {x: 're(\"(\")'}}\n", 3, 28, "regular expression" },
		{ C "tools:\n  a: {do: read, gives: {x: 're($.a, \"(a)\")'}}\n", 3, 28, "whole text" },
		{ C "tools:\n  a: {do: read, gives: {x: \"$.x\", ttl: \"$\"}}\n", 3, 40, "needs a member" },
		{ C "tools:\n  a: {do: read, gives: {x: \"$.x\", uses: 1x}}\n", 3, 41, "whole number" },
		{ C "tools:\n  a: {do: read, force: {x: [1]}}\n", 3, 28, "must be a single value" },
		{ C "tools:\n  a: {call: {tool: \"{t}\"}}\n", 3, 13, "`tool` and `args`" },
		{ C "tools:\n  a: {call: {tool: \"{t}\", args: [b, c]}}\n", 3, 37, "one selector" },
		{ C "tools:\n  a: {call: {tool: \"{t}\", args: b}, path: \"{p}\"}\n", 3, 3, "only hands on" },
		{ C "tools:\n  a: {do: read, tenant: {uri: t}}\n", 3, 3, "is for resources" },
		{ C "tools:\n  a: {do: read, out: {as: xml}}\n", 3, 27, "is not known here" },
		{ C "tools:\n  a: {do: list, out: {items: \"$[*]\"}}\n", 3, 22, "go together" },
		{ C "tools:\n  a: {do: list, out: {as: lines}}\n", 3, 22, "needs `line`" },
		{ C "tools:\n  a: {do: list, out: {as: lines, line: \"(?<pth>a)\"}}\n", 3, 40, "needs a group" },
		{ C "tools:\n  a: {do: list, out: {as: lines, line: \"(?<path>a)\", count: \"x\"}}\n", 3, 61, "(?<n>" },
		{ C "tools:\n  a: {do: list, out: {as: env, items: \"$[*]\"}}\n", 3, 32, "no meaning with `as: env`" },
		{ C "tools:\n  a: {do: list, out: {as: raw, count: \"$.n\"}}\n", 3, 32, "no meaning with `as: raw`" },
		{ C "tools:\n  a: {do: list, out: {line: \"(?<path>a)\"}}\n", 3, 23, "no meaning with `as: json`" },
		{ C "resources:\n  \"x://{a}{b}\": {do: read}\n", 3, 3, "between them" },
		{ C "resources:\n  \"x://{a\": {do: read}\n", 3, 3, "needs a name" },
		{ C "resources:\n  \"x://{a}\": {do: read, path: \"{b}\"}\n", 3, 3, "none of its variables" },
		{ C "resources:\n  \"x://{a}\": {do: read, tenant: {uri: b}}\n", 3, 3, "no variable `b`" },
	};
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		assert_refused(&refusals[i]);
}

static void all_faults_are_told_at_once(void **state)
{
	(void)state;
	struct faults faults;
	faults_init(&faults);
	assert_null(catalog_parse(SL(C "tools:\n  a: {do: raed, pat: x}\n  b: {}\n"), SL("t.yaml"), &faults));
	assert_int_equal(faults.n, 3);
	/* Faults of another file do not spoil this one. */
	struct catalog *c = catalog_parse(SL(C), SL("u.yaml"), &faults);
	assert_non_null(c);
	assert_int_equal(faults.n, 3);
	catalog_free(c);
	faults_finish(&faults);
}

/* --- what is read -------------------------------------------------------------------------------------------------- */

static void heads(void **state)
{
	(void)state;
	struct catalog *c = parse(C "server: \"^x\"\nconnections: 1\npath: {sep: \"/\", fold: [slashes, case], reject: [dotdot, empty]}\n"
				    "tenant: {arg: [t, tid], partner: p}\nother: refuse\nwords: {reads: [Get, look_up], values: [a-b]}\n");
	assert_text(c->name, "t");
	assert_text(c->file, "t.yaml");
	assert_non_null(c->server);
	assert_int_equal(c->connections, 1);
	assert_true(c->fold_slashes && c->fold_case);
	assert_int_equal(c->tenant.by, TENANT_ARG);
	assert_int_equal(c->tenant.n, 2);
	assert_text(c->tenant.names[1], "tid");
	assert_text(c->tenant.partner_names[0], "p");
	assert_true(words_have(&c->vocabulary.reads, SL("lookUp")));
	assert_true(words_have(&c->vocabulary.values, SL("A_B")));
	assert_false(words_have(&c->vocabulary.values, SL("ab c")));
	assert_false(words_have(&c->vocabulary.writes, SL("get")));
	catalog_free(c);
}

static void actions(void **state)
{
	(void)state;
	struct catalog *c = parse(C "tools:\n  a: {do: read}\n"
				    "  b: {do: {arg: unmask, default: false, map: {\"true\": read, x: share}, else: meta}}\n"
				    "  c: {do: {has: secret, then: read, else: list}}\n"
				    "  d: {do: {arg: op, map: {get: read}}}\n"
				    "  f: {do: {has: v, then: write, else: delete, empty: delete}}\n");
	const struct action_rule *b = &catalog_tool(c, SL("b"))->action, *p = &catalog_tool(c, SL("c"))->action;
	assert_int_equal(catalog_tool(c, SL("a"))->action.fixed, ACT_READ);
	assert_int_equal(b->by, BY_ARGUMENT);
	assert_text(b->arg, "unmask");
	assert_text(b->deflt, "false");
	assert_int_equal(b->n_cases, 2);
	assert_text(b->cases[0].value, "true");
	assert_int_equal(b->cases[1].action, ACT_SHARE);
	assert_int_equal(b->otherwise, ACT_META);
	assert_int_equal(p->by, BY_PRESENCE);
	assert_int_equal(p->fixed, ACT_READ);
	assert_int_equal(p->otherwise, ACT_LIST);
	assert_int_equal(p->empty, ACT_READ);
	assert_int_equal(catalog_tool(c, SL("f"))->action.empty, ACT_DELETE);
	assert_int_equal(catalog_tool(c, SL("d"))->action.otherwise, ACT_UNKNOWN);
	assert_null(catalog_tool(c, SL("e")));
	assert_null(catalog_tool(c, SL("A")));
	catalog_free(c);
}

static void rules(void **state)
{
	(void)state;
	struct catalog *c = parse(C "tools:\n  a:\n    do: write\n    path: [\"{x}\", \"{y|}\"]\n    covers: glob\n    path_optional: true\n"
				    "    secret_args: value\n    args: [n, m]\n    side: {file: out, url: [u, d.u]}\n"
				    "    force: {i: false, s: \"false\", n: 12, t: no wonder, z: }\n    tenant: {header: H}\n    unresolved: true\n"
				    "  w: {do: approve, call: {tool: \"kv_{cmd}\", args: [json(p), rest]}}\n"
				    "  s: {do: token, scopes: \"$.scopes[*]\"}\n");
	const struct rule *a = catalog_tool(c, SL("a")), *w = catalog_tool(c, SL("w"));
	assert_int_equal(a->at.line, 3);
	assert_int_equal(a->n_paths, 2);
	assert_int_equal(a->covers, COVERS_GLOB);
	assert_true(a->path_optional && a->unresolved);
	assert_int_equal(a->n_secret_args, 1);
	assert_int_equal(a->n_args, 2);
	assert_text(a->side_files[0], "out");
	assert_text(a->side_urls[1], "d.u");
	assert_int_equal(a->tenant.by, TENANT_HEADER);
	static const char *const raw[] = { "false", "\"false\"", "12", "\"no wonder\"", "null" };
	assert_int_equal(a->n_force, 5);
	for (size_t i = 0; i < 5; i++)
		assert_text(a->force[i].raw, raw[i]);
	assert_true(w->nested && w->call_args_rest);
	assert_text(w->call_args.source, "json(p)");
	assert_int_equal(w->tenant.by, TENANT_NONE);
	assert_true(catalog_tool(c, SL("s"))->scopes);
	catalog_free(c);
}

static void handles(void **state)
{
	(void)state;
	struct catalog *c = parse(C "tools:\n"
				    "  a: {do: read, takes: {lease: h, strip: \"v:\", rooted: true, hint: do it}, gives: {lease: \"$.h\", ttl: \"$.t\", uses: 1}}\n"
				    "  b: {do: read, gives: [{k: \"$[*].k\", path: \"{f}/{k}\", adds: true}, {e: 're(\"ID: (\\\\S+)\\\\.\")', in: error}]}\n"
				    "  d: {do: read, takes: [{x: p}, {y: q.r}]}\n");
	const struct rule *a = catalog_tool(c, SL("a")), *b = catalog_tool(c, SL("b")), *d = catalog_tool(c, SL("d"));
	assert_int_equal(a->n_takes, 1);
	assert_text(a->takes[0].kind, "lease");
	assert_text(a->takes[0].strip, "v:");
	assert_text(a->takes[0].hint, "do it");
	assert_true(a->takes[0].rooted);
	assert_int_equal(a->gives[0].uses, 1);
	assert_int_equal(a->gives[0].ttl.n, 1);
	assert_int_equal(b->n_gives, 2);
	assert_true(b->gives[0].adds && !b->gives[1].adds);
	assert_int_equal(b->gives[0].n_paths, 1);
	assert_true(b->gives[1].in_error);
	size_t s, e;
	bool overrun;
	struct slice text = SL("Approval ID: 77.");
	assert_true(regex_match(b->gives[1].regex, text, 0, &s, &e, &overrun));
	assert_true(regex_group(b->gives[1].regex, "h", &s, &e));
	assert_text(slice_make(text.p + s, e - s), "77");
	assert_int_equal(d->n_takes, 2);
	assert_text(d->takes[1].kind, "y");
	assert_int_equal(d->takes[1].arg.n, 2);
	catalog_free(c);
}

static void outs(void **state)
{
	(void)state;
	struct catalog *c = parse(C "tools:\n"
				    "  a: {do: read, out: {as: json, after: \"ok: \", values: [], keep: \"$.k\", items: \"$[*]\", path: \"{p}\", count: \"$.n\"}}\n"
				    "  b: {do: list, out: {as: lines, line: '^- (?<path>\\S+)$', count: '^Found (?<n>\\d+)$'}}\n"
				    "  c: {do: read, out: {as: env}}\n"
				    "  d: {do: read}\n");
	const struct out_rule *a = &catalog_tool(c, SL("a"))->out, *b = &catalog_tool(c, SL("b"))->out;
	assert_true(a->given && a->values_given);
	assert_int_equal(a->n_values, 0);
	assert_text(a->after, "ok: ");
	assert_int_equal(a->n_items + a->n_paths + a->n_counts + a->n_keep, 4);
	assert_int_equal(b->as, OUT_LINES);
	assert_false(b->values_given);
	size_t s, e;
	bool overrun;
	struct slice text = SL("Found 2\n- a/b\n- c\n");
	assert_true(regex_match(b->line, text, 0, &s, &e, &overrun));
	assert_int_equal(s, 8);
	assert_true(regex_match(b->count_line, text, 0, &s, &e, &overrun));
	assert_int_equal(catalog_tool(c, SL("c"))->out.as, OUT_ENV);
	assert_false(catalog_tool(c, SL("d"))->out.given);
	catalog_free(c);
}

/* --- resources ----------------------------------------------------------------------------------------------------- */

static void assert_uri(const struct catalog *c, const char *uri, const char *name, const char *vars)
{
	struct uri_var v[CATALOG_MAX_VARS];
	size_t n = 99;
	char text[256] = "";
	const struct rule *r = catalog_resource(c, slice_of(uri), v, &n);
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s=%.*s;", SL_ARG(v[i].name), SL_ARG(v[i].value));
	assert_text(r ? r->name : SL(""), name);
	assert_string_equal(text, vars);
}

static void resources(void **state)
{
	(void)state;
	struct catalog *c = parse(C "resources:\n"
				    "  \"v://secrets/{tenant}/{path}\": {do: read, path: \"{path}\", tenant: {uri: tenant}}\n"
				    "  \"v://secrets/{tenant}/policies/{id}\": {do: meta}\n"
				    "  \"v://all\": {do: list}\n"
				    "  \"v://at/{path}/versions\": {do: meta, path: \"{path}\"}\n");
	const char *secret = "v://secrets/{tenant}/{path}";
	assert_uri(c, "v://secrets/acme/a/b", secret, "tenant=acme;path=a/b;");
	assert_uri(c, "v://secrets/acme/policies/7", "v://secrets/{tenant}/policies/{id}", "tenant=acme;id=7;");
	assert_uri(c, "v://all", "v://all", "");
	assert_uri(c, "v://at/a/b/versions", "v://at/{path}/versions", "path=a/b;");
	assert_uri(c, "v://secrets/ac%2fme/a%2fb?x#y", secret, "tenant=ac%2fme;path=a%2fb?x#y;");
	assert_uri(c, "v://secrets/acme/", "", "");
	assert_uri(c, "v://secrets/acme", "", "");
	assert_uri(c, "v://secrets//a", "", "");
	assert_uri(c, "V://secrets/acme/a", "", "");
	assert_uri(c, "v://all/", "", "");
	assert_uri(c, "v://at/versions", "", "");
	assert_uri(c, "", "", "");
	catalog_free(c);
}

/* --- the manual ---------------------------------------------------------------------------------------------------- */

/* Every complete catalog shown in docs/catalogs.md is one. */
static void examples_of_the_manual_load(void **state)
{
	struct arena arena;
	struct slice text;
	arena_init(&arena, 1 << 20);
	FILE *f = fopen(*state, "r");
	assert_non_null(f);
	char *bytes = arena_alloc(&arena, 200000);
	assert_non_null(bytes);
	text = slice_make(bytes, fread(bytes, 1, 199999, f));
	fclose(f);
	size_t n = 0;
	for (ptrdiff_t at; (at = slice_find(text, SL("```yaml\ncatalog:"))) >= 0; n++) {
		text = slice_from(text, (size_t)at + 8);
		ptrdiff_t end = slice_find(text, SL("\n```"));
		assert_true(end > 0);
		struct slice example = arena_dup(&arena, slice_head(text, (size_t)end + 1));
		catalog_free(parse(example.p));
	}
	assert_true(n >= 1);
	arena_finish(&arena);
}

int main(int argc, char **argv)
{
	char *manual = argc > 1 ? argv[1] : NULL;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_say_where),
		cmocka_unit_test(all_faults_are_told_at_once),
		cmocka_unit_test(heads),
		cmocka_unit_test(actions),
		cmocka_unit_test(rules),
		cmocka_unit_test(handles),
		cmocka_unit_test(outs),
		cmocka_unit_test(resources),
		cmocka_unit_test_prestate(examples_of_the_manual_load, manual),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
