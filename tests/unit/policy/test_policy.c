#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "policy/config.h"

static struct arena arena;

static int start(void **state)
{
	(void)state;
	arena_init(&arena, 4 << 20);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

#define ALLOWED_LINE 10
#define DENIED_LINE  20

/* "a,b" as prefixes that stand in lines `line`, `line` + 1 …; NULL: not set; "-": an empty list. */
static struct prefixes prefixes_of(const char *list, unsigned line)
{
	struct prefixes p = { .set = list != NULL, .at = { .file = SL("f"), .line = line - 1 } };
	struct prefix *v = arena_array(&arena, 8, sizeof *v);
	struct slice rest = slice_of(list);

	if (!list || !strcmp(list, "-"))
		return p;
	while (rest.p) {
		struct slice item = slice_cut(&rest, ',');

		assert_int_equal(path_canonical(&v[p.n].path, item, true, &arena), PATH_OK);
		v[p.n].at = (struct origin){ SL("f"), line + (unsigned)p.n, 1 };
		p.n++;
	}
	p.v = v;
	return p;
}

typedef enum paths_verdict judge_fn(const struct policy *, const struct path *, struct origin *);

struct row {
	const char *allowed, *denied, *path;
	enum paths_verdict verdict;
	unsigned line; /* of the rule that said so */
};

static void check_rows(judge_fn *judge, const struct row *rows)
{
	for (; rows->path; rows++) {
		struct policy p = { .allowed = prefixes_of(rows->allowed, ALLOWED_LINE),
			.denied = prefixes_of(rows->denied, DENIED_LINE) };
		struct path path;
		struct origin rule;

		assert_int_equal(path_canonical(&path, slice_of(rows->path), true, &arena), PATH_OK);
		enum paths_verdict v = judge(&p, &path, &rule);

		if (v != rows->verdict || rule.line != rows->line)
			fail_msg("allow %s deny %s path %s: verdict %d line %u", rows->allowed, rows->denied, rows->path, v,
				rule.line);
		assert_int_equal(judge(&p, &path, NULL), v);
		arena_reset(&arena);
	}
}

static void path_01_02_12_one_path(void **state)
{
	(void)state;
	check_rows(policy_judge_path, (const struct row[]){
		{ NULL, NULL, "any/thing", PATHS_IN, 0 },
		{ "prod", NULL, "prod", PATHS_IN, 10 },
		{ "prod/", NULL, "prod/db", PATHS_IN, 10 },
		{ "dev,prod", NULL, "prod/db", PATHS_IN, 11 },
		{ "prod", NULL, "prod-evil/x", PATHS_OUTSIDE, 9 },
		{ "prod", NULL, "prodx", PATHS_OUTSIDE, 9 },
		{ "prod", NULL, "PROD/db", PATHS_OUTSIDE, 9 },
		{ "prod/db", NULL, "prod", PATHS_OUTSIDE, 9 },
		{ "-", NULL, "prod", PATHS_OUTSIDE, 9 },
		{ "-", NULL, "", PATHS_OUTSIDE, 9 },
		{ "/", NULL, "prod/db", PATHS_IN, 10 },
		{ "/", NULL, "", PATHS_IN, 10 },
		{ NULL, "prod", "prod", PATHS_DENIED, 20 },
		{ NULL, "prod", "prod/db", PATHS_DENIED, 20 },
		{ NULL, "prod", "PROD/db", PATHS_DENIED, 20 },
		{ NULL, "root", "rooted/db", PATHS_IN, 0 },
		{ NULL, "prod/db", "prod/db:v1", PATHS_DENIED, 20 },
		{ NULL, "prod/db", "prod/DB@2/x", PATHS_DENIED, 20 },
		{ NULL, "prod/db", "prod/db.v2", PATHS_IN, 0 },
		{ "prod/db", NULL, "prod/db:v1", PATHS_OUTSIDE, 9 },
		{ NULL, "prod", "", PATHS_IN, 0 },
		{ NULL, "/", "prod", PATHS_DENIED, 20 },
		{ "prod", "dev,prod/db", "prod/db/x", PATHS_DENIED, 21 },
		{ "prod", "prod/db", "prod/web", PATHS_IN, 10 },
		{ 0 },
	});
}

static void path_10_homoglyph_of_a_denied_name(void **state)
{
	(void)state;
	check_rows(policy_judge_path, (const struct row[]){
		{ NULL, "infra", "infr\u0430/db", PATHS_DENIED, 20 },
		{ NULL, "infra", "\uFF29nfra/db", PATHS_DENIED, 20 },
		{ "infra", NULL, "infr\u0430/db", PATHS_OUTSIDE, 9 },
		{ 0 },
	});
}

static void path_13_23_subtree(void **state)
{
	(void)state;
	check_rows(policy_judge_subtree, (const struct row[]){
		{ NULL, NULL, "", PATHS_IN, 0 },
		{ "prod", NULL, "prod", PATHS_IN, 10 },
		{ "prod", NULL, "prod/db", PATHS_IN, 10 },
		{ "prod/db", NULL, "prod", PATHS_OUTSIDE, 9 },
		{ "prod", NULL, "", PATHS_OUTSIDE, 9 },
		{ "prod", "prod/db", "prod", PATHS_DENIED, 20 },
		{ "prod", "PROD/DB", "prod", PATHS_DENIED, 20 },
		{ "prod", "prod/db", "prod/db/x", PATHS_DENIED, 20 },
		{ "prod", "prod/db", "prod/web", PATHS_IN, 10 },
		{ NULL, "prod/db", "", PATHS_DENIED, 20 },
		{ "-", NULL, "", PATHS_OUTSIDE, 9 },
		{ 0 },
	});
}

static void path_14_listing(void **state)
{
	(void)state;
	check_rows(policy_judge_listing, (const struct row[]){
		{ NULL, NULL, "", PATHS_IN, 0 },
		{ "prod/db", NULL, "", PATHS_IN, 10 },
		{ "prod/db", NULL, "prod", PATHS_IN, 10 },
		{ "prod/db", NULL, "prod/db/x", PATHS_IN, 10 },
		{ "prod/db", NULL, "prod/web", PATHS_OUTSIDE, 9 },
		{ "prod/db", NULL, "dev", PATHS_OUTSIDE, 9 },
		{ "prod", "prod/db", "prod", PATHS_IN, 10 },
		{ "prod", "prod/db", "prod/db", PATHS_DENIED, 20 },
		{ "-", NULL, "", PATHS_OUTSIDE, 9 },
		{ 0 },
	});
}

static void tool_globs(void **state)
{
	static const struct slice reads[] = { { "scaivault_read_*", 16 }, { "*_list_*", 8 } };
	static const struct slice secrets[] = { { "*secret*", 8 } };
	static const struct slice deletes[] = { { "*delete*", 8 } };
	static const struct glob_layer layers[] = {
		{ .allow_set = true, .allow = reads, .n_allow = 2, .at = { .line = 1 } },
		{ .allow_set = true, .allow = secrets, .n_allow = 1, .deny = deletes, .n_deny = 1, .at = { .line = 2 } },
	};
	const struct policy p = { .tools = layers, .n_tools = 2 };
	static const struct {
		const char *name;
		bool pass;
		unsigned line;
	} rows[] = {
		{ "scaivault_read_secret", true, 0 },
		{ "scaivault_list_secrets", true, 0 },
		{ "scaivault_read_cert", false, 2 },
		{ "scaivault_write_secret", false, 1 },
		{ "scaivault_read_deleted_secret", false, 2 },
		{ "scaivault_read_DELETED_secret", false, 2 },
		{ "SCAIVAULT_READ_SECRET", false, 1 },
		{ "", false, 1 },
	};
	struct origin rule;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (policy_judge_tool(&p, slice_of(rows[i].name), &rule) != rows[i].pass || rule.line != rows[i].line)
			fail_msg("%s: line %u", rows[i].name, rule.line);
	assert_true(policy_judge_tool(&(struct policy){ 0 }, SL("anything"), NULL));
	assert_false(policy_judge_tool(&p, SL("anything"), NULL));
}

static void tool_allow_empty_list_allows_none(void **state)
{
	static const struct glob_layer none = { .allow_set = true };

	(void)state;
	assert_false(policy_judge_tool(&(struct policy){ .tools = &none, .n_tools = 1 }, SL("x"), NULL));
}

static void tool_globs_are_not_exponential(void **state)
{
	static const struct slice pattern = { "*a*a*a*a*a*a*a*a*a*a*a*a*b", 26 };
	static const struct glob_layer layer = { .deny = &pattern, .n_deny = 1 };
	char name[2000];

	(void)state;
	memset(name, 'a', sizeof name);
	assert_true(policy_judge_tool(&(struct policy){ .tools = &layer, .n_tools = 1 }, slice_make(name, sizeof name), NULL));
}

static void actions_derive_from_one_list(void **state)
{
	(void)state;
	assert_int_equal(action_find(SL("rotate")), ACT_ROTATE);
	assert_int_equal(action_find(SL("Rotate")), ACT_UNKNOWN);
	assert_int_equal(action_find(SL("unknown")), ACT_UNKNOWN);
	assert_int_equal(action_find(SL("")), ACT_UNKNOWN);
	assert_string_equal(action_name(ACT_REDEEM), "redeem");
	assert_true(action_is_read_only(ACT_READ));
	assert_false(action_is_read_only(ACT_TOKEN));
	assert_false(action_is_read_only(ACT_UNKNOWN));
	assert_false(action_is_read_only((enum action)99));
	assert_true(action_bears_values(ACT_ISSUE));
	assert_true(action_bears_values(ACT_UNKNOWN));
	assert_false(action_bears_values(ACT_LIST));
}

static void print_says_what_and_where_from(void **state)
{
	struct policy p = { .profile = SL("reporting"), .read_only = true,
		.read_only_at = { SL("built-in observer"), 2, 12 }, .mask_values = false,
		.allowed = prefixes_of("integrations/,tmp", 10), .tenant = { SL("acme"), { SL("flag --tenant"), 0, 0 } },
		.actions = 1u << ACT_LIST | 1u << ACT_READ, .actions_at = { SL("f"), 3, 4 }, .deny_unknown_tools = true,
		.enforce = true };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(policy_print(&p, &out), E_OK);
	buf_add_char(&out, 0);
	assert_string_equal(out.p,
		"profile: reporting\n"
		"read_only: true  (built-in observer:2:12)\n"
		"mask_values: false  (default)\n"
		"exfiltration: block  (default)\n"
		"redact_secrets: false  (default)\n"
		"allowed_paths: integrations/  (f:10:1)\n"
		"allowed_paths: tmp/  (f:11:1)\n"
		"denied_paths: none  (default)\n"
		"tenant: acme  (flag --tenant)\n"
		"partner: any  (default)\n"
		"actions: list, read  (f:3:4)\n"
		"tools: all  (default)\n"
		"unknown_tools: deny  (default)\n"
		"enforce: true  (default)\n");
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_01_02_12_one_path),
		cmocka_unit_test(path_10_homoglyph_of_a_denied_name),
		cmocka_unit_test(path_13_23_subtree),
		cmocka_unit_test(path_14_listing),
		cmocka_unit_test(tool_globs),
		cmocka_unit_test(tool_allow_empty_list_allows_none),
		cmocka_unit_test(tool_globs_are_not_exponential),
		cmocka_unit_test(actions_derive_from_one_list),
		cmocka_unit_test(print_says_what_and_where_from),
	};
	return cmocka_run_group_tests_name("policy", tests, start, stop);
}
