#include "tests/unit/check.h"
#include <stdlib.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool same(struct slice a, struct slice b)
{
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return a.n == b.n;
}

/* Every byte against every byte, at every place of short and long texts. */
static void case_of_letters(void **state)
{
	char a[20], b[20];

	(void)state;
	assert_true(slice_eq_nocase(SL(""), SL("")));
	assert_true(slice_eq_nocase(SL("Content-TYPE"), SL("content-type")));
	assert_false(slice_eq_nocase(SL("content-type"), SL("content-typ")));
	for (size_t n = 1; n <= sizeof a; n++) {
		memset(a, 'x', sizeof a);
		memset(b, 'X', sizeof b);
		for (int k = 0; k < 256 * 256; k += n == 9 ? 1 : 251) {
			size_t at = (size_t)k % n;
			a[at] = (char)(k >> 8);
			b[at] = (char)k;
			assert_int_equal(slice_eq_nocase(slice_make(a, n), slice_make(b, n)), same(slice_make(a, n), slice_make(b, n)));
			a[at] = 'x';
			b[at] = 'X';
		}
	}
}

/* Every length, with a difference at every place or none; on memory that ends where the bytes do. */
static void equal(void **state)
{
	(void)state;
	for (size_t n = 0; n < 100; n++) {
		char *a = malloc(n ? n : 1), *b = malloc(n ? n : 1);

		assert_true(a && b);
		for (size_t i = 0; i < n; i++)
			a[i] = b[i] = (char)(i * 7);
		assert_true(slice_eq(slice_make(a, n), slice_make(b, n)));
		assert_true(slice_starts(slice_make(a, n), slice_make(b, n / 2)));
		assert_true(slice_ends(slice_make(a, n), slice_make(b + n / 2, n - n / 2)));
		assert_false(slice_eq(slice_make(a, n), slice_make(b, n / 2)) && n > 0);
		for (size_t i = 0; i < n; i++) {
			b[i] ^= 1;
			assert_false(slice_eq(slice_make(a, n), slice_make(b, n)));
			assert_false(slice_starts(slice_make(a, n), slice_make(b, i + 1)));
			assert_false(slice_ends(slice_make(a, n), slice_make(b + i, n - i)));
			b[i] ^= 1;
		}
		free(a);
		free(b);
	}
}

static void finds(void **state)
{
	char text[600];

	(void)state;
	assert_int_equal(slice_find(SL("abc"), SL("")), 0);
	assert_int_equal(slice_find(SL(""), SL("a")), -1);
	assert_int_equal(slice_find(SL("aab"), SL("ab")), 1);
	assert_int_equal(slice_find(SL("aba"), SL("abab")), -1);
	assert_int_equal(slice_find(SL("xyz"), SL("xyz")), 0);
	for (size_t n = 1; n <= sizeof text; n += 7) {
		memset(text, 'a', sizeof text);
		text[n - 1] = 'b';
		assert_int_equal(slice_find(slice_make(text, n), SL("b")), n - 1);
		assert_int_equal(slice_find(slice_make(text, n), SL("aab")), n < 3 ? -1 : (ptrdiff_t)n - 3);
		assert_int_equal(slice_find(slice_make(text, n), SL("ba")), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_of_letters),
		cmocka_unit_test(equal),
		cmocka_unit_test(finds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
