#include "tests/unit/check.h"

#include "base/bare.h"
#include "base/locked.h"

static struct arena arena;

static int open_arena(void **state)
{
	(void)state;
	arena_init(&arena, 16u << 20);
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

static struct slice bare(const char *text, bool signs)
{
	struct bare b;

	assert_int_equal(bare_init(&b, 0, signs, false, &arena), E_OK);
	assert_int_equal(bare_add(&b, slice_of(text)), E_OK);
	return bare_text(&b);
}

static void test_what_stays(void **state)
{
	(void)state;
	assert_slice(bare("", false), SL(""));
	assert_slice(bare("Ab-9 _z!", false), SL("ab9z"));
	assert_slice(bare("Ab-9 _z!", true), SL("ab-9_z!"));
	assert_slice(bare("@[`{/:", false), SL("")); /* next to letters and digits */
	assert_slice(bare("\xef\xbc\xa1\xef\xbd\x82\xef\xbc\x91", false), SL("ab1"));             /* full width */
	assert_slice(bare("\xd0\xb0\xd0\xb5\xd0\xbe", false), SL("aeo"));                          /* Cyrillic look-alikes */
	assert_slice(bare("a\xe2\x80\x8b" "b\xc2\xad" "c\xcc\xb6" "d\xc2\xa0" "e", false), SL("abcde"));
	assert_slice(bare("\xc3\x84\xc3\x9f", false), SL("ass"));                                  /* Äß */
	assert_slice(bare("\xd0\x96", false), SL("\xd0\xb6"));                                     /* Ж is itself, lower */
	assert_slice(bare("a\xff\xfe" "b", false), SL("a\xff\xfe" "b"));                           /* no UTF-8 */
}

/* Whatever stands behind a text, however long it is, and whether its places are wanted: the same comes out. */
static void test_every_length(void **state)
{
	static const char all[] = "The-Quick 42 brown_FOX jumps; over/the lazy DOG? 0123456789 {\"a\":[1,2]} ... \xc3\xa4rger ZZ  tail-End-Of-It 77";
	size_t n = sizeof all - 1;

	(void)state;
	for (size_t from = 0; from < n; from++)
		for (size_t to = from; to <= n; to++) {
			struct slice text = slice_make(all + from, to - from);
			struct bare fast, careful;

			assert_int_equal(bare_init(&fast, 0, false, false, &arena), E_OK);
			assert_int_equal(bare_init(&careful, 0, false, true, &arena), E_OK);
			assert_int_equal(bare_add_in(&fast, text, all + n), E_OK);
			assert_int_equal(bare_add(&careful, text), E_OK);
			assert_slice(bare_text(&fast), bare_text(&careful));
			for (size_t i = 0; i < careful.n; i++)
				assert_true(careful.at[i] < text.n);
			arena_reset(&arena);
		}
}

static void test_places(void **state)
{
	struct bare b;

	(void)state;
	assert_int_equal(bare_init(&b, 0, false, true, &arena), E_OK);
	assert_int_equal(bare_add(&b, SL("a-b")), E_OK);
	assert_int_equal(bare_break(&b), E_OK);
	assert_int_equal(bare_add(&b, SL("\xef\xbc\xa1 c")), E_OK);
	assert_slice(bare_text(&b), SL("ab\x01" "ac"));
	assert_int_equal(b.at[1], 2);
	assert_int_equal(b.at[3], 3);
	assert_int_equal(b.at[4], 7);
}

static void test_locked(void **state)
{
	char *p = locked_alloc(100);

	(void)state;
	assert_non_null(p);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	memset(p, 7, 100);
	locked_free(p, 100);
	locked_free(NULL, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_stays), cmocka_unit_test(test_every_length), cmocka_unit_test(test_places),
		cmocka_unit_test(test_locked) };

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
