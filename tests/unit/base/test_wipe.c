#include "tests/unit/check.h"
#include "base/wipe.h"

static void overwrites(void **state)
{
	char bytes[] = "secret";

	(void)state;
	wipe(bytes, 3);
	assert_memory_equal(bytes, "\0\0\0ret", 7);
	wipe(NULL, 0);
}

static void like_malloc(void **state)
{
	char *p, *q;

	(void)state;
	wipe_free(NULL);
	p = wipe_malloc(0);
	assert_non_null(p);
	p = wipe_realloc(p, 10);
	assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
	memcpy(p, "0123456789", 10);
	p = wipe_realloc(p, 100000);
	assert_memory_equal(p, "0123456789", 10);
	p = wipe_realloc(p, 4);
	assert_memory_equal(p, "0123", 4);
	assert_null(wipe_realloc(p, 0)); /* frees, as libcrypto expects */
	q = wipe_realloc(NULL, 5);
	assert_non_null(q);
	wipe_free(q);
	q = wipe_strdup("text");
	assert_string_equal(q, "text");
	wipe_free(q);
}

static void sizes_that_wrap(void **state)
{
	char *p;

	(void)state;
	assert_null(wipe_malloc(SIZE_MAX));
	assert_null(wipe_malloc(SIZE_MAX - 8));
	assert_null(wipe_calloc(SIZE_MAX / 2 + 2, 2));
	p = wipe_calloc(7, 9);
	for (int i = 0; i < 63; i++)
		assert_int_equal(p[i], 0);
	assert_null(wipe_realloc(p, SIZE_MAX)); /* p stays */
	p[62] = 1;
	wipe_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overwrites),
		cmocka_unit_test(like_malloc),
		cmocka_unit_test(sizes_that_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
