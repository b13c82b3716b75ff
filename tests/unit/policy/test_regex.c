#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "policy/selector.h"

static struct arena arena;

static int start(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

static const struct regex *compiled(const char *pattern)
{
	const char *why;
	size_t at;
	const struct regex *re = regex_compile(slice_of(pattern), &arena, &why, &at);
	assert_non_null(re);
	return re;
}

static void assert_group(const struct regex *re, const char *text, const char *name, const char *expected)
{
	size_t p, q;
	assert_true(regex_group(re, name, &p, &q));
	assert_true(slice_eq(slice_make(text + p, q - p), slice_of(expected)));
}

static void named_groups(void **state)
{
	(void)state;
	const struct regex *re = compiled("^- (?<path>\\S+) \\(type: (?<type>\\w+)(?<gone>x)?\\)$");
	const char *text = "- a/b (type: api)";
	size_t s, e;
	bool overrun;
	assert_true(regex_match(re, slice_of(text), 0, &s, &e, &overrun));
	assert_int_equal(s, 0);
	assert_int_equal(e, strlen(text));
	assert_group(re, text, "path", "a/b");
	assert_group(re, text, "type", "api");
	assert_false(regex_group(re, "gone", &s, &e));
	assert_false(regex_group(re, "none", &s, &e));
	assert_true(regex_has(re, "gone"));
	assert_false(regex_has(re, "none"));
}

static void lone_group_answers_every_name(void **state)
{
	(void)state;
	const struct regex *re = compiled("Approval ID: (\\S+)\\.");
	const char *text = "Human approval required. Approval ID: 12-ab. Use it";
	size_t s, e;
	bool overrun;
	assert_true(regex_match(re, slice_of(text), 0, &s, &e, &overrun));
	assert_group(re, text, "h", "12-ab");
	assert_false(regex_has(compiled("(a)(b)"), "h"));
	assert_false(regex_has(compiled("ab"), "h"));
}

static void matches_go_on_from_where_told(void **state)
{
	(void)state;
	const struct regex *re = compiled("a.");
	size_t s, e;
	bool overrun;
	assert_true(regex_match(re, SL("abxac"), 2, &s, &e, &overrun));
	assert_int_equal(s, 3);
	assert_false(regex_match(re, SL("abxac"), 5, &s, &e, &overrun));
	assert_false(regex_match(re, SL("abxac"), 6, &s, &e, &overrun));
	assert_false(overrun);
}

static void dollar_is_the_very_end(void **state)
{
	(void)state;
	const struct regex *re = compiled("^vault$");
	size_t s, e;
	bool overrun;
	assert_true(regex_match(re, SL("vault"), 0, &s, &e, &overrun));
	assert_false(regex_match(re, SL("vault\n"), 0, &s, &e, &overrun));
}

static void faults_have_a_place(void **state)
{
	(void)state;
	const char *why = NULL;
	size_t at = 0;
	assert_null(regex_compile(SL("ab(c"), &arena, &why, &at));
	assert_int_equal(at, 4);
	assert_non_null(strstr(why, "parenthesis"));
	assert_null(regex_compile(SL("x{2,5000}"), &arena, &why, &at));
	assert_int_equal(at, 1);
	assert_null(regex_compile(SL("x{70000}"), &arena, &why, &at));
	assert_null(regex_compile(SL("a\\Cb"), &arena, &why, &at));
	assert_non_null(regex_compile(SL("x\\{5000}"), &arena, &why, &at));
}

/* Patterns that take exponential or quadratic time elsewhere: each must give up soon, and say so. */
static void runaway_patterns_fail(void **state)
{
	(void)state;
	static const char *const patterns[] = { "(a+)+$", "(a|aa)+$", "(?:.*,){20}[xy]$", "([a,]+)*.$(?<=b)", "(?:[a,]*[a-z,]*[a-c,]*);?$(?<!,)" };
	size_t n = 100000, s, e;
	char *text = malloc(n);
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		text[i] = i >= 1000 && i % 3 == 0 ? ',' : 'a';
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		bool overrun = false;
		assert_false(regex_match(compiled(patterns[i]), slice_make(text, n), 0, &s, &e, &overrun));
		assert_true(overrun);
	}
	free(text);
}

static void long_texts(void **state)
{
	(void)state;
	size_t n = 1 << 20, s, e;
	bool overrun;
	char *text = malloc(n);
	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text + n - 6, "ID: 42", 6);
	assert_true(regex_match(compiled("ID: (\\d+)"), slice_make(text, n), 0, &s, &e, &overrun));
	assert_int_equal(s, n - 6);
	/* Every start runs to the end: quadratic, with few steps in each. */
	assert_false(regex_match(compiled("[a-z]*[0-9]"), slice_make(text, n / 4), 0, &s, &e, &overrun));
	assert_true(overrun);
	/* One long run and many steps back are no runaway. */
	memcpy(text, "ID: 42", 6);
	assert_true(regex_match(compiled("[\\s\\S]*(42)"), slice_make(text, n), 0, &s, &e, &overrun));
	assert_true(regex_match(compiled("^ID: (42)[x]*?ID"), slice_make(text, n), 0, &s, &e, &overrun));
	free(text);
}

static void invalid_utf8_is_no_match_and_no_crash(void **state)
{
	(void)state;
	size_t s, e;
	bool overrun;
	assert_false(regex_match(compiled("^..$"), SL("\xff\xfe"), 0, &s, &e, &overrun));
	assert_true(regex_match(compiled("ab"), SL("\xff" "ab"), 0, &s, &e, &overrun));
}

static void calls_are_taken_apart(void **state)
{
	(void)state;
	struct slice ref, pattern;
	const char *why;
	assert_true(regex_call(SL("re($.a, \"x(?<p>\\\\S+)\\\"\")"), &arena, &ref, &pattern, &why));
	assert_true(slice_eq(ref, SL("$.a")));
	assert_true(slice_eq(pattern, SL("x(?<p>\\S+)\"")));
	assert_true(regex_call(SL("re(\"\\S\")"), &arena, &ref, &pattern, &why));
	assert_int_equal(ref.n, 0);
	assert_true(slice_eq(pattern, SL("\\S")));
	assert_false(regex_call(SL("$.a"), &arena, &ref, &pattern, &why));
	assert_null(why);
	assert_false(regex_call(SL("re($.a \"x\")"), &arena, &ref, &pattern, &why));
	assert_non_null(why);
	assert_false(regex_call(SL("re(\")"), &arena, &ref, &pattern, &why));
	assert_non_null(why);
	assert_false(regex_call(SL("re($.a, x)"), &arena, &ref, &pattern, &why));
	assert_non_null(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(named_groups, start, stop),
		cmocka_unit_test_setup_teardown(lone_group_answers_every_name, start, stop),
		cmocka_unit_test_setup_teardown(matches_go_on_from_where_told, start, stop),
		cmocka_unit_test_setup_teardown(dollar_is_the_very_end, start, stop),
		cmocka_unit_test_setup_teardown(faults_have_a_place, start, stop),
		cmocka_unit_test_setup_teardown(runaway_patterns_fail, start, stop),
		cmocka_unit_test_setup_teardown(long_texts, start, stop),
		cmocka_unit_test_setup_teardown(invalid_utf8_is_no_match_and_no_crash, start, stop),
		cmocka_unit_test_setup_teardown(calls_are_taken_apart, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
