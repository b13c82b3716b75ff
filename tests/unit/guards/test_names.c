#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include "guards/names.h"

static const char *const SOME[] = { "path", "paths", "secretPath", "x-tenant-id", "tenant", "partner_id", "value", "values",
	"db_password", "token_b64", "id", "ids", "lease_id", "version", "message", "description", "note", "metadata", "ok",
	"length", "a", "ab", "abc", "abcd", "abcde", "abcdefg", "abcdefgh", "nextToken", "filler", "options", "policyId",
	"exactlytwentyfourletters", "one_more_than_twentyfour!", "_", "--", "\xd1\x80" "ath" };
#define N_SOME (sizeof SOME / sizeof *SOME)

static void same(struct name_says a, struct name_says b)
{
	assert_int_equal(a.look, b.look);
	assert_int_equal(a.holds, b.holds);
	assert_int_equal(a.class, b.class);
	assert_int_equal(a.sentence, b.sentence);
}

static void says_the_same_with_and_without(void **state)
{
	struct names *names = calloc(1, sizeof *names);

	(void)state;
	assert_non_null(names);
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < N_SOME; i++)
			same(names_say(names, slice_of(SOME[i])), names_say(NULL, slice_of(SOME[i])));
	same(names_say(names, SL("")), names_say(NULL, SL("")));
	assert_int_equal(names_say(names, SL("secretPath")).look, LOOK_PATH);
	assert_int_equal(names_say(names, SL("secretPath")).class, NAME_PLAIN);
	assert_int_equal(names_say(names, SL("db_password")).class, NAME_VALUEISH);
	assert_int_equal(names_say(names, SL("version")).holds, HOLDS_NUMBER);
	assert_int_equal(names_say(names, SL("message")).sentence, SENTENCE_REPORT);
	free(names);
}

/* More names than rows, of all lengths: those that push each other out included. */
static void rows_are_shared(void **state)
{
	struct names *names = calloc(1, sizeof *names);
	char text[40];

	(void)state;
	assert_non_null(names);
	for (unsigned i = 0; i < 20000; i++) {
		int n = snprintf(text, sizeof text, "%.*s%u%s", (int)(i % 13), "secret_value_", i % 700,
			i % 3 ? SOME[i % N_SOME] : "");
		struct slice name = slice_make(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
		same(names_say(names, name), names_say(NULL, name));
	}
	free(names);
}

static bool holds(const struct names *names, const char *text)
{
	return slice_find(slice_make((const char *)names, sizeof *names), slice_of(text)) >= 0;
}

static void forgets(void **state)
{
	struct names *names = calloc(1, sizeof *names);

	(void)state;
	assert_non_null(names);
	names_say(names, SL("hunter2-hunter2"));
	assert_true(names->used);
	assert_true(holds(names, "hunter2-"));
	names_forget(names);
	assert_false(holds(names, "hunter2-"));
	same(names_say(names, SL("hunter2-hunter2")), names_say(NULL, SL("hunter2-hunter2")));
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_the_same_with_and_without),
		cmocka_unit_test(rows_are_shared),
		cmocka_unit_test(forgets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
