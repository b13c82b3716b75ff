#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "policy/path.h"

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

struct row {
	const char *raw;
	enum path_fault fault;
	const char *text; /* canonical; NULL with a fault */
};

static void check_rows(const struct row *rows)
{
	for (; rows->raw; rows++) {
		struct path path;
		enum path_fault f = path_canonical(&path, slice_of(rows->raw), false, &arena);

		if (f != rows->fault)
			fail_msg("`%s`: %s, expected %s", rows->raw, path_fault_text(f), path_fault_text(rows->fault));
		if (f == PATH_OK && !slice_eq(path.text, slice_of(rows->text)))
			fail_msg("`%s` became `%.*s`", rows->raw, SL_ARG(path.text));
		arena_reset(&arena);
	}
}

static void path_03_dot_segments(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "..", PATH_DOTS },
		{ ".", PATH_DOTS },
		{ "prod/../infra", PATH_DOTS },
		{ "prod/..", PATH_DOTS },
		{ "./prod", PATH_DOTS },
		{ "prod/./db", PATH_DOTS },
		{ "prod/.../db", PATH_DOTS },
		{ "prod/.. /db", PATH_SPACE },
		{ "prod/..x", PATH_OK, "prod/..x" },
		{ 0 },
	});
}

static void path_04_slashes(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "/prod/db/", PATH_OK, "prod/db" },
		{ "prod//db", PATH_SLASHES },
		{ "//prod", PATH_SLASHES },
		{ "prod//", PATH_SLASHES },
		{ "//", PATH_SLASHES },
		{ "///", PATH_SLASHES },
		{ 0 },
	});
}

static void path_05_percent(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "prod/%2e%2e/infra", PATH_PERCENT },
		{ "prod%2finfra", PATH_PERCENT },
		{ "prod/%252e", PATH_PERCENT },
		{ "prod/%c0%ae", PATH_PERCENT },
		{ "prod/%u002e", PATH_PERCENT },
		{ "prod/100%", PATH_PERCENT },
		{ 0 },
	});
}

static void path_06_backslash(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "prod\\infra", PATH_BACKSLASH },
		{ "prod/\\u002e", PATH_BACKSLASH },
		{ 0 },
	});
}

static void path_07_controls(void **state)
{
	struct path path;

	(void)state;
	check_rows((const struct row[]){
		{ "prod/d\tb", PATH_CONTROL },
		{ "prod/db\r", PATH_CONTROL },
		{ "prod/db\n", PATH_CONTROL },
		{ "prod/\x7f", PATH_CONTROL },
		{ "prod/\xC2\x85", PATH_CONTROL },
		{ "prod/\xE2\x80\xA8", PATH_CONTROL },
		{ 0 },
	});
	assert_int_equal(path_canonical(&path, SL("prod\0evil"), false, &arena), PATH_CONTROL);
}

static void path_08_lookalike_separators(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "prod\uFF0Finfra", PATH_LOOKALIKE },
		{ "prod\u2044infra", PATH_LOOKALIKE },
		{ "prod\u2215infra", PATH_LOOKALIKE },
		{ "prod/\uFF0E\uFF0E/infra", PATH_LOOKALIKE },
		{ "prod/\u2024\u2024", PATH_LOOKALIKE },
		{ "prod/\u2025", PATH_LOOKALIKE },
		{ "prod\u2100x", PATH_LOOKALIKE },       /* NFKC: a/c */
		{ "prod/db\uFF1Fv=1", PATH_LOOKALIKE },  /* fullwidth question mark */
		{ "prod/\uFF0Ax", PATH_LOOKALIKE },      /* fullwidth asterisk */
		{ "prod\uFF05" "2finfra", PATH_LOOKALIKE },
		{ "prod\uFF3Cinfra", PATH_LOOKALIKE },
		{ 0 },
	});
}

static void path_09_invisible(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "pr\u200Bod", PATH_INVISIBLE },
		{ "pr\u00ADod", PATH_INVISIBLE },
		{ "pr\u202Eod", PATH_INVISIBLE },
		{ "pr\uFEFFod", PATH_INVISIBLE },
		{ "pr\U000E0041od", PATH_INVISIBLE },
		{ "pr\uFE0Fod", PATH_INVISIBLE },
		{ 0 },
	});
}

static void path_10_folded_copy(void **state)
{
	struct path plain, odd;
	static const char *const same[] = { "INFRA", "\u0406nfra", "\uFF49nfra", "infr\u0430" };

	(void)state;
	assert_int_equal(path_canonical(&plain, SL("infra"), false, &arena), PATH_OK);
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		assert_int_equal(path_canonical(&odd, slice_of(same[i]), false, &arena), PATH_OK);
		if (!slice_eq(plain.folded, odd.folded))
			fail_msg("%s folds to %.*s", same[i], SL_ARG(odd.folded));
		assert_false(slice_eq(plain.text, odd.text));
	}
}

static void path_11_composition(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "cafe\u0301/db", PATH_OK, "caf\u00E9/db" },
		{ "caf\u00E9/db", PATH_OK, "caf\u00E9/db" },
		{ "prod/db\u037Ev", PATH_SUFFIX }, /* NFC makes a semicolon of it */
		{ 0 },
	});
}

static void path_13_wildcards(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "prod/*", PATH_WILDCARD },
		{ "prod/**", PATH_WILDCARD },
		{ "prod/[ab]", PATH_WILDCARD },
		{ "prod/{a,b}", PATH_WILDCARD },
		{ "prod/}", PATH_WILDCARD },
		{ 0 },
	});
}

static void path_13_glob_base(void **state)
{
	static const struct {
		const char *raw;
		enum path_fault fault;
		const char *base;
		bool wild;
	} rows[] = {
		{ "prod/db/*", PATH_OK, "prod/db", true },
		{ "prod/**", PATH_OK, "prod", true },
		{ "prod/db-*", PATH_OK, "prod", true },
		{ "prod/*/db", PATH_OK, "prod", true },
		{ "/prod/db/", PATH_OK, "prod/db", false },
		{ "*", PATH_OK, "", true },
		{ "**/db", PATH_OK, "", true },
		{ "pr*d", PATH_OK, "", true },
		{ "", PATH_EMPTY, "", false },
		{ "/", PATH_EMPTY, "", false },
		{ "prod/*/../../infra", PATH_DOTS, "", false },
		{ "prod/?", PATH_WILDCARD, "", false },
		{ "prod/[a]", PATH_WILDCARD, "", false },
		{ "prod/{a}", PATH_WILDCARD, "", false },
		{ "prod/%2a", PATH_PERCENT, "", false },
		{ "prod/*\uFF0Fx", PATH_LOOKALIKE, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct path path;
		bool wild;
		enum path_fault f = path_glob_base(&path, slice_of(rows[i].raw), &wild, &arena);

		if (f != rows[i].fault)
			fail_msg("`%s`: %s", rows[i].raw, path_fault_text(f));
		if (f != PATH_OK)
			continue;
		if (!slice_eq(path.text, slice_of(rows[i].base)) || wild != rows[i].wild)
			fail_msg("`%s`: base `%.*s`, wild %d", rows[i].raw, SL_ARG(path.text), wild);
	}
}

static void path_13_glob_base_is_folded(void **state)
{
	struct path path;
	bool wild;

	(void)state;
	assert_int_equal(path_glob_base(&path, SL("PROD/Db/x*"), &wild, &arena), PATH_OK);
	assert_true(slice_eq(path.folded, SL("prod/db")));
}

static void path_14_empty(void **state)
{
	struct path path;

	(void)state;
	check_rows((const struct row[]){
		{ "", PATH_EMPTY },
		{ "/", PATH_EMPTY },
		{ " ", PATH_SPACE },
		{ 0 },
	});
	assert_int_equal(path_canonical(&path, SL(""), true, &arena), PATH_OK);
	assert_int_equal(path.text.n, 0);
	assert_non_null(path.text.p);
	assert_int_equal(path_canonical(&path, SL("/"), true, &arena), PATH_OK);
	assert_int_equal(path.text.n, 0);
	assert_int_equal(path.folded.n, 0);
	assert_int_equal(path_canonical(&path, SL("."), true, &arena), PATH_DOTS);
	assert_int_equal(path_canonical(&path, SL("//"), true, &arena), PATH_SLASHES);
}

static void path_15_suffixes(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "prod/db?version=1", PATH_SUFFIX },
		{ "prod/db#x", PATH_SUFFIX },
		{ "prod/db;v=1", PATH_SUFFIX },
		{ "prod/db ", PATH_SPACE },
		{ " prod/db", PATH_SPACE },
		{ "prod /db", PATH_SPACE },
		{ "prod/ db", PATH_SPACE },
		{ "prod/db\u00A0", PATH_SPACE },
		{ "prod/db\u3000/x", PATH_SPACE },
		{ 0 },
	});
}

static void path_16_comma_lists(void **state)
{
	(void)state;
	check_rows((const struct row[]){ { "prod/a,infra/b", PATH_LIST }, { 0 } });
}

static void path_20_schemes(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "scaivault://secrets/acme/prod", PATH_SCHEME },
		{ "file:///etc/passwd", PATH_SCHEME },
		{ "file:prod", PATH_SCHEME },
		{ "C:/prod", PATH_SCHEME },
		{ "/file:prod", PATH_SCHEME }, /* the slash is dropped on the way */
		{ "arn:aws:secretsmanager:eu:1:secret:prod", PATH_SCHEME },
		{ "prod/x://y", PATH_SCHEME },
		{ "prod/svc:primary", PATH_OK, "prod/svc:primary" },
		{ 0 },
	});
}

static void path_length_and_encoding(void **state)
{
	char text[PATH_MAX_BYTES + 1];
	struct path path;

	(void)state;
	memset(text, 'a', sizeof text);
	assert_int_equal(path_canonical(&path, slice_make(text, PATH_MAX_BYTES), false, &arena), PATH_OK);
	assert_int_equal(path_canonical(&path, slice_make(text, sizeof text), false, &arena), PATH_TOO_LONG);
	assert_int_equal(path_canonical(&path, SL("prod/\xC0\xAE"), false, &arena), PATH_ENCODING);
	assert_int_equal(path_canonical(&path, SL("prod/\xED\xA0\x80"), false, &arena), PATH_ENCODING);
}

static void path_out_of_memory_is_a_fault(void **state)
{
	struct arena tiny;
	struct path path;

	(void)state;
	arena_init(&tiny, 1);
	assert_int_equal(path_canonical(&path, SL("PROD"), false, &tiny), PATH_NOMEM);
	arena_finish(&tiny);
}

static void fp_01_ordinary_paths(void **state)
{
	(void)state;
	check_rows((const struct row[]){
		{ "prod/app.v1.2/db.bak", PATH_OK, "prod/app.v1.2/db.bak" },
		{ "prod/my secret name", PATH_OK, "prod/my secret name" },
		{ "r\u00E9sum\u00E9/\u043F\u0430\u0440\u043E\u043B\u044C", PATH_OK, "r\u00E9sum\u00E9/\u043F\u0430\u0440\u043E\u043B\u044C" },
		{ "\u79D8\u5BC6/\u5BC6\u78BC", PATH_OK, "\u79D8\u5BC6/\u5BC6\u78BC" },
		{ ".env", PATH_OK, ".env" },
		{ "a_b-c+d=e@f~g!h(i)'j&k$l", PATH_OK, "a_b-c+d=e@f~g!h(i)'j&k$l" },
		{ 0 },
	});
}

static void path_01_covers_by_whole_segments(void **state)
{
	static const struct {
		const char *prefix, *path;
		bool covers;
	} rows[] = {
		{ "prod", "prod", true }, { "prod", "prod/x", true }, { "prod", "prod/x/y", true },
		{ "prod", "prod-evil", false }, { "prod", "prodx", false }, { "prod", "prod.bak", false },
		{ "prod/x", "prod", false }, { "prod", "Prod", false }, { "", "anything", true }, { "", "", true },
		{ "prod", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (path_covers(slice_of(rows[i].prefix), slice_of(rows[i].path)) != rows[i].covers)
			fail_msg("`%s` over `%s`", rows[i].prefix, rows[i].path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_01_covers_by_whole_segments),
		cmocka_unit_test(path_03_dot_segments),
		cmocka_unit_test(path_04_slashes),
		cmocka_unit_test(path_05_percent),
		cmocka_unit_test(path_06_backslash),
		cmocka_unit_test(path_07_controls),
		cmocka_unit_test(path_08_lookalike_separators),
		cmocka_unit_test(path_09_invisible),
		cmocka_unit_test(path_10_folded_copy),
		cmocka_unit_test(path_11_composition),
		cmocka_unit_test(path_13_wildcards),
		cmocka_unit_test(path_13_glob_base),
		cmocka_unit_test(path_13_glob_base_is_folded),
		cmocka_unit_test(path_14_empty),
		cmocka_unit_test(path_15_suffixes),
		cmocka_unit_test(path_16_comma_lists),
		cmocka_unit_test(path_20_schemes),
		cmocka_unit_test(path_length_and_encoding),
		cmocka_unit_test(path_out_of_memory_is_a_fault),
		cmocka_unit_test(fp_01_ordinary_paths),
	};
	return cmocka_run_group_tests_name("path", tests, start, stop);
}
