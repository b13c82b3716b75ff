/*
 * The catalog loader, and what guards do with a catalog. A text is either taken without a fault or refused with one; of
 * a taken one every rule is found by its name, and every selector, template and expression is tried on a fixed document.
 */
#include <stdio.h>
#include <stdlib.h>
#include "policy/catalog.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] =
	"{\"path\":\"a/b\",\"prefix\":\"\",\"key\":\"k/l\",\"items\":[{\"path\":\"x\",\"key\":1},{\"path\":null}],"
	"\"m\":{\"a/b\":{\"data\":[true,\"v\"]},\"c\":{}},\"j\":\"{\\\"path\\\":\\\"q\\\"}\",\"total\":2}";
static const char prose[] =
	"Found 2 secret(s):\n- a/b (type: api)\n- c d (type: note)\nApproval ID: 12-ab. aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";

static struct arena arena; /* kept from run to run, for speed; nothing but memory is kept */

static bool on_found(void *ctx, const struct found *f)
{
	size_t *left = ctx;
	REQUIRE(f->tok < f->json->n);
	REQUIRE(f->holder == JSON_NONE || f->holder < f->json->n);
	return --*left > 0;
}

static bool on_text(void *ctx, struct slice text)
{
	size_t *left = ctx;
	REQUIRE(text.p);
	return --*left > 0;
}

static void try_selectors(const struct selector *s, size_t n, const struct json *j)
{
	for (size_t i = 0; i < n; i++) {
		size_t left = 1000;
		selector_each(&s[i], j, 0, &arena, on_found, &left);
		selector_mentions(&s[i], SL("path"));
	}
}

static void try_templates(const struct template *t, size_t n, const struct json *j)
{
	struct template_scope scope = { j, 0, j, 0 };
	for (size_t i = 0; i < n; i++) {
		size_t left = 1000;
		bool missing = false, bad = false;
		template_each(&t[i], &scope, &arena, on_text, &left, &missing, &bad);
		template_mentions(&t[i], SL("path"));
	}
}

static void try_regex(const struct regex *re)
{
	struct slice text = slice_make(prose, sizeof prose - 1);
	size_t from = 0, start, end, a, b;
	bool overrun;
	for (int i = 0; re && i < 20 && regex_match(re, text, from, &start, &end, &overrun); i++) {
		REQUIRE(start <= end && end <= text.n);
		if (regex_group(re, "path", &a, &b))
			REQUIRE(a <= b && b <= text.n);
		from = end > start ? end : end + 1;
	}
}

static void try_rule(const struct rule *r, const struct json *j)
{
	REQUIRE(r->at.line > 0);
	try_templates(r->paths, r->n_paths, j);
	try_selectors(r->secret_args, r->n_secret_args, j);
	if (r->scopes)
		try_selectors(&r->scope_list, 1, j);
	if (r->nested) {
		try_templates(&r->call_tool, 1, j);
		try_selectors(&r->call_args, 1, j);
	}
	for (size_t i = 0; i < r->n_takes; i++)
		try_selectors(&r->takes[i].arg, 1, j);
	for (size_t i = 0; i < r->n_gives; i++) {
		try_selectors(&r->gives[i].at, 1, j);
		try_selectors(&r->gives[i].ttl, 1, j);
		try_templates(r->gives[i].paths, r->gives[i].n_paths, j);
		try_regex(r->gives[i].regex);
	}
	try_selectors(r->out.values, r->out.n_values, j);
	try_selectors(r->out.keep, r->out.n_keep, j);
	try_selectors(r->out.items, r->out.n_items, j);
	try_selectors(r->out.counts, r->out.n_counts, j);
	try_templates(r->out.paths, r->out.n_paths, j);
	try_regex(r->out.line);
	try_regex(r->out.count_line);
}

static void try_catalog(const struct catalog *c)
{
	static const char *const uris[] = { "", "x://a/b/c", "x://a//", "scaivault://secrets/t/a/b", "vault://secrets" };
	struct json j;
	struct uri_var vars[CATALOG_MAX_VARS];
	size_t n;
	REQUIRE(json_parse(&j, slice_make(document, sizeof document - 1), &arena, NULL) == E_OK);
	try_regex(c->server);
	for (size_t i = 0; i < c->n_tools; i++) {
		REQUIRE(catalog_tool(c, c->tools[i].name) == &c->tools[i]);
		try_rule(&c->tools[i], &j);
	}
	for (size_t i = 0; i < c->n_prompts; i++) {
		REQUIRE(catalog_prompt(c, c->prompts[i].name) == &c->prompts[i]);
		try_rule(&c->prompts[i], &j);
	}
	for (size_t i = 0; i < c->n_resources; i++) {
		try_rule(&c->resources[i], &j);
		catalog_resource(c, c->resources[i].name, vars, &n);
		REQUIRE(n <= CATALOG_MAX_VARS);
	}
	for (size_t i = 0; i < sizeof uris / sizeof *uris; i++)
		catalog_resource(c, slice_of(uris[i]), vars, &n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults faults;
	faults_init(&faults);
	if (!arena.max_bytes)
		arena_init(&arena, 64 << 20);
	struct catalog *c = catalog_parse(slice_make((const char *)data, size), SL("fuzz.yaml"), &faults);
	REQUIRE((c == NULL) == faults_any(&faults));
	if (c)
		try_catalog(c);
	catalog_free(c);
	faults_finish(&faults);
	arena_reset(&arena);
	return 0;
}
