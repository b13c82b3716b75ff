#include "tests/unit/check.h"

#include "guards/word.h"
/* The sources themselves, so that their tables can be reached. */
#include "guards/look.c"
#include "guards/mask_names.c"

static const struct word rows[] = {
	{ "a", 1 }, { "ab", 2 }, { "abcdefgh", 3 }, { "abcdefghi", 4 }, { "abcdefghijklmnop", 5 }, { "abcdefghijklmnopq", 6 },
	{ "abcdefghijklmnopqrstuvw", 7 }, { "b", 8 },
};

static int find(struct slice s)
{
	const struct word *w = word_find(rows, sizeof rows / sizeof *rows, s);

	return w ? w->means : 0;
}

static void finds_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(find(slice_of(rows[i].text)), rows[i].means);
	assert_int_equal(find(SL("")), 0);
	assert_int_equal(find(SL("abcdefg")), 0);
	assert_int_equal(find(SL("abcdefghj")), 0);
	assert_int_equal(find(SL("c")), 0);
	assert_int_equal(find(SL("abcdefghijklmnopqrstuvwx")), 0);
	assert_int_equal(find(SL("a\0")), 0);
	assert_null(word_find(rows, 0, SL("a")));
}

static void tables_are_sorted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		assert_ptr_equal(word_find(words, sizeof words / sizeof *words, slice_of(words[i].text)), &words[i]);
	for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
		assert_ptr_equal(word_find(KNOWN, sizeof KNOWN / sizeof *KNOWN, slice_of(KNOWN[i].text)), &KNOWN[i]);
}

/* What spares most names a list never spares one that the list has. */
static void gates_are_wide_enough(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++)
		assert_true(may_end_like_value(ENDS[i]));
	assert_true(may_end_like_value(SL("token")));
	for (size_t i = 0; i < sizeof MANNERS / sizeof *MANNERS; i++)
		assert_true(may_end_in_manner(MANNERS[i]));
	assert_true(may_end_in_manner(SL("secret2")));
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
		assert_true(may_have_tail(tails[i].text));
	for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
		assert_true(may_begin_owner(owners[i].text.p[0]));
	assert_true(may_begin_owner('T'));
	assert_false(may_begin_owner('x'));
	assert_false(may_have_tail(SL("limit")));
	assert_false(may_end_like_value(SL("filler")));
	assert_int_equal(word_last_pair(SL("x")), 0);
}

static void lists_and_ends(void **state)
{
	static const char *const list[] = { "alpha", "Beta", NULL };

	(void)state;
	assert_true(word_among(SL("alpha"), list));
	assert_false(word_among(SL("beta"), list));
	assert_false(word_among(SL("alphab"), list));
	assert_false(word_among(SL(""), list));
	assert_true(word_among_nocase(SL("bEtA"), list));
	assert_false(word_among_nocase(SL("bet"), list));
	assert_true(word_ends(SL("my_path"), SL("path")));
	assert_false(word_ends(SL("path"), SL("my_path")));
	assert_false(word_ends(SL("moth"), SL("path")));
	assert_true(word_starts(SL("tenant_id"), SL("tenant")));
	assert_false(word_starts(SL("tenet"), SL("tenant")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_words),
		cmocka_unit_test(tables_are_sorted),
		cmocka_unit_test(gates_are_wide_enough),
		cmocka_unit_test(lists_and_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
