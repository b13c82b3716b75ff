#include "tests/unit/check.h"
#include <stdio.h>
#include "base/table.h"

static int freed;

static void count_free(void *value)
{
	free(value);
	freed++;
}

static void *value_of(int n)
{
	int *v = malloc(sizeof(*v));

	assert_non_null(v);
	*v = n;
	return v;
}

static int get(struct table *t, struct slice key, uint64_t now)
{
	const int *v = table_get(t, key, now);
	return v ? *v : -1;
}

static void put_get_remove(void **state)
{
	struct table *t = table_create(10, count_free);
	void *taken;

	(void)state;
	freed = 0;
	assert_int_equal(get(t, SL("a"), 0), -1);
	assert_int_equal(table_put(t, SL("a"), value_of(1), 0, 0), E_OK);
	assert_int_equal(table_put(t, SL("a\0b"), value_of(2), 0, 0), E_OK);
	assert_int_equal(table_put(t, SL(""), value_of(3), 0, 0), E_OK);
	assert_int_equal(get(t, SL("a"), 0), 1);
	assert_int_equal(get(t, SL("a\0b"), 0), 2);
	assert_int_equal(get(t, (struct slice){ NULL, 0 }, 0), 3);
	assert_int_equal(table_put(t, SL("a"), value_of(4), 0, 0), E_OK);
	assert_int_equal(freed, 1);
	assert_int_equal(get(t, SL("a"), 0), 4);
	assert_int_equal(table_count(t), 3);
	assert_true(table_remove(t, SL("a")));
	assert_int_equal(freed, 2);
	assert_false(table_remove(t, SL("a")));
	taken = table_take(t, SL("a\0b"));
	assert_int_equal(*(int *)taken, 2);
	assert_int_equal(freed, 2);
	free(taken);
	assert_null(table_take(t, SL("a\0b")));
	assert_int_equal(table_count(t), 1);
	table_free(t);
	assert_int_equal(freed, 3);
	table_free(NULL);
}

static void same_value_again(void **state)
{
	struct table *t = table_create(10, count_free);
	int *v = value_of(1);

	(void)state;
	freed = 0;
	table_put(t, SL("k"), v, 100, 0);
	table_put(t, SL("k"), v, 200, 0);
	assert_int_equal(freed, 0);
	assert_int_equal(get(t, SL("k"), 150), 1);
	table_free(t);
	assert_int_equal(freed, 1);
}

static void expiry(void **state)
{
	struct table *t = table_create(10, NULL);
	int v = 5;

	(void)state;
	table_put(t, SL("k"), &v, 100, 0);
	assert_int_equal(get(t, SL("k"), 99), 5);
	assert_int_equal(get(t, SL("k"), 100), -1);
	assert_int_equal(get(t, SL("k"), 101), -1);
	table_put(t, SL("k"), &v, 0, 200);
	assert_int_equal(get(t, SL("k"), UINT64_MAX), 5);
	table_free(t);
}

static void full(void **state)
{
	struct table *t = table_create(3, count_free);
	int *extra = value_of(9);

	(void)state;
	freed = 0;
	table_put(t, SL("a"), value_of(1), 300, 0);
	table_put(t, SL("b"), value_of(2), 100, 0);
	table_put(t, SL("c"), value_of(3), 0, 0);
	assert_int_equal(table_put(t, SL("d"), extra, 0, 50), E_FULL);
	assert_int_equal(freed, 0);
	assert_int_equal(table_put(t, SL("c"), value_of(4), 0, 50), E_OK); /* replacing needs no room */
	assert_int_equal(freed, 1);
	assert_int_equal(table_put(t, SL("d"), extra, 0, 100), E_OK); /* b has expired */
	assert_int_equal(freed, 2);
	assert_int_equal(get(t, SL("b"), 0), -1);
	assert_int_equal(get(t, SL("d"), 100), 9);
	extra = value_of(10);
	assert_int_equal(table_put(t, SL("e"), extra, 0, 299), E_FULL);
	assert_int_equal(table_put(t, SL("e"), extra, 0, 300), E_OK); /* and now a */
	assert_int_equal(table_count(t), 3);
	table_free(t);
	assert_int_equal(freed, 6);
}

/* An entry put again with an earlier end is dropped in time. */
static void shortened_expiry(void **state)
{
	struct table *t = table_create(1, NULL);
	int v = 1;

	(void)state;
	table_put(t, SL("a"), &v, 0, 0);
	table_put(t, SL("a"), &v, 10, 0);
	assert_int_equal(table_put(t, SL("b"), &v, 0, 9), E_FULL);
	assert_int_equal(table_put(t, SL("b"), &v, 0, 10), E_OK);
	table_free(t);
}

static bool add_up(void *ctx, struct slice key, void *value)
{
	(void)key;
	*(long *)ctx += *(int *)value;
	return true;
}

static bool stop_at_once(void *ctx, struct slice key, void *value)
{
	(void)key;
	(void)value;
	++*(long *)ctx;
	return false;
}

static void many(void **state)
{
	struct table *t = table_create(20000, count_free);
	char key[32];
	long sum = 0, calls = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int n = snprintf(key, sizeof(key), "key-%d", i);
		assert_int_equal(table_put(t, slice_make(key, (size_t)n), value_of(i), 0, 0), E_OK);
	}
	assert_int_equal(table_put(t, SL("one more"), NULL, 0, 0), E_FULL);
	table_each(t, add_up, &sum);
	assert_int_equal(sum, 20000L * 19999 / 2);
	table_each(t, stop_at_once, &calls);
	assert_int_equal(calls, 1);
	for (int i = 0; i < 20000; i += 2) {
		int n = snprintf(key, sizeof(key), "key-%d", i);
		assert_true(table_remove(t, slice_make(key, (size_t)n)));
	}
	for (int i = 0; i < 20000; i++) {
		int n = snprintf(key, sizeof(key), "key-%d", i);
		assert_int_equal(get(t, slice_make(key, (size_t)n), 0), i % 2 ? i : -1);
	}
	assert_int_equal(table_count(t), 10000);
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_get_remove),
		cmocka_unit_test(same_value_again),
		cmocka_unit_test(expiry),
		cmocka_unit_test(full),
		cmocka_unit_test(shortened_expiry),
		cmocka_unit_test(many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
