#include "tests/unit/check.h"
#include "base/arena.h"

/* Under AddressSanitizer each allocation takes up to this much more. */
enum { SLACK = 32 };

static void aligned_and_zeroed(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1u << 20);
	for (size_t n = 0; n < 300; n++) {
		unsigned char *p = arena_alloc(&a, n);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xAA, n);
	}
	arena_finish(&a);
}

static void limit(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1000);
	assert_null(arena_alloc(&a, 1001));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 8));
	assert_non_null(arena_alloc(&a, 1000 - SLACK));
	assert_null(arena_alloc(&a, SLACK + 1));
	assert_true(a.used_bytes <= 1000);
	arena_reset(&a);
	assert_int_equal(a.used_bytes, 0);
	assert_non_null(arena_alloc(&a, 1000 - SLACK));
	arena_finish(&a);
	assert_non_null(arena_alloc(&a, 1000 - SLACK));
	arena_finish(&a);
}

static void no_limit(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, SIZE_MAX);
	assert_non_null(arena_alloc(&a, 100000));
	assert_null(arena_alloc_raw(&a, SIZE_MAX));
	assert_null(arena_alloc_raw(&a, SIZE_MAX - 20));
	assert_null(arena_dup(&a, slice_make("", SIZE_MAX)).p);
	arena_finish(&a);
}

static void array_overflow(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, SIZE_MAX / 4);
	assert_null(arena_array(&a, SIZE_MAX / 2 + 2, 2)); /* wraps to 2 */
	assert_non_null(arena_array(&a, 3, 5));
	assert_non_null(arena_array(&a, 0, 5));
	arena_finish(&a);
}

static void blocks_and_huge_ones(void **state)
{
	struct arena a;
	char *small, *huge, *after;

	(void)state;
	arena_init(&a, 64u << 20);
	small = arena_alloc(&a, 100);
	huge = arena_alloc(&a, 3u << 20);
	after = arena_alloc(&a, 100);
	assert_true(small && huge && after);
	assert_true(after > small && after - small < 1024); /* the huge one did not end the block in use */
	memset(huge, 'h', 3u << 20);
	for (int i = 0; i < 10000; i++) {
		char *p = arena_alloc_raw(&a, 700);
		assert_non_null(p);
		memset(p, 'x', 700);
	}
	for (size_t i = 0; i < (3u << 20); i++)
		assert_int_equal(huge[i], 'h');
	assert_int_equal(small[0], 0);
	arena_reset(&a);
	assert_ptr_equal(arena_alloc(&a, 100), small); /* the first block is kept */
	arena_finish(&a);
}

/* What was in an arena is not in its memory any more after a reset. */
static void reset_wipes(void **state)
{
	struct arena a;
	char *p;

	(void)state;
	arena_init(&a, 1u << 20);
	p = arena_alloc_raw(&a, 5000);
	memset(p, 'S', 5000);
	arena_reset(&a);
	p = arena_alloc_raw(&a, 5000);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(p[i], 0);
	arena_finish(&a);
}

static void texts(void **state)
{
	struct arena a;
	struct slice s;

	(void)state;
	arena_init(&a, 256);
	s = arena_dup(&a, SL("copy"));
	assert_slice(s, SL("copy"));
	assert_int_equal(s.p[4], '\0');
	s = arena_dup(&a, SL(""));
	assert_non_null(s.p);
	assert_int_equal(s.n, 0);
	s = arena_fmt(&a, "%s=%d", "x", 7);
	assert_slice(s, SL("x=7"));
	assert_int_equal(s.p[3], '\0');
	assert_null(arena_fmt(&a, "%300d", 1).p);
	assert_null(arena_dup(&a, slice_make("", SIZE_MAX)).p);
	arena_finish(&a);
}

static void shrinks_the_last_one(void **state)
{
	struct arena a;
	char *p, *q, *big;

	(void)state;
	arena_init(&a, 4 << 20);
	p = arena_alloc_raw(&a, 1000);
	arena_shrink(&a, p, 1000, 100);
	q = arena_alloc_raw(&a, 50);
	assert_true(q >= p + 100 && q < p + 200);
	memset(p, 'x', 100);
	size_t used = a.used_bytes;
	arena_shrink(&a, p, 100, 10); /* no longer the last: nothing happens */
	assert_int_equal(a.used_bytes, used);
	big = arena_alloc_raw(&a, 2 << 20); /* a block of its own */
	memset(big, 'x', 5000);
	arena_shrink(&a, big, 2 << 20, 5000);
	assert_true(a.used_bytes < used + 6000);
	arena_shrink(&a, big, 5000, 0);
	assert_true(a.used_bytes <= used + 32);
	arena_finish(&a);
}

static void joins(void **state)
{
	struct arena a;
	struct slice s;

	(void)state;
	arena_init(&a, 256);
	s = arena_join(&a, SL("\""), SL("id"), SL("\""));
	assert_slice(s, SL("\"id\""));
	assert_int_equal(s.p[4], '\0');
	assert_slice(arena_join(&a, SL(""), SL("x"), SL("")), SL("x"));
	assert_null(arena_join(&a, slice_make("", SIZE_MAX), SL("x"), SL("")).p);
	assert_null(arena_join(&a, slice_make("", 200), slice_make("", 200), SL("")).p);
	arena_finish(&a);
}

static void never_used(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 100);
	arena_reset(&a);
	arena_finish(&a);
	arena_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligned_and_zeroed),
		cmocka_unit_test(limit),
		cmocka_unit_test(no_limit),
		cmocka_unit_test(array_overflow),
		cmocka_unit_test(blocks_and_huge_ones),
		cmocka_unit_test(reset_wipes),
		cmocka_unit_test(texts),
		cmocka_unit_test(shrinks_the_last_one),
		cmocka_unit_test(joins),
		cmocka_unit_test(never_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
