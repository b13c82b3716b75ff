#include "tests/unit/check.h"

#include "guards/toolbook.h"

static enum err learn(struct toolbook *b, const char *tool)
{
	struct arena a;
	struct json json;

	arena_init(&a, 1 << 20);
	assert_int_equal(json_parse(&json, slice_of(tool), &a, NULL), E_OK);
	enum err e = toolbook_learn(b, &json, 0);
	arena_finish(&a);
	return e;
}

static void test_declares(void **state)
{
	struct toolbook *b = toolbook_create(4);

	(void)state;
	assert_int_equal(learn(b, "{\"name\":\"get\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"path\":{},"
				"\"n\\u0061me\":{}}}}"),
		E_OK);
	assert_true(toolbook_knows(b, SL("get")));
	assert_true(toolbook_declares(b, SL("get"), SL("path")));
	assert_true(toolbook_declares(b, SL("get"), SL("name")));
	assert_false(toolbook_declares(b, SL("get"), SL("Path")));
	assert_false(toolbook_declares(b, SL("get"), SL("pat")));
	assert_false(toolbook_declares(b, SL("put"), SL("path")));
	assert_false(toolbook_knows(b, SL("put")));
	toolbook_free(b);
}

/* RO-12: the first definition of a name stays. */
static void test_first_stays(void **state)
{
	struct toolbook *b = toolbook_create(4);

	(void)state;
	learn(b, "{\"name\":\"get\",\"inputSchema\":{\"properties\":{\"path\":{}}}}");
	assert_int_equal(learn(b, "{\"name\":\"get\",\"inputSchema\":{\"properties\":{\"folder\":{}}}}"), E_OK);
	assert_true(toolbook_declares(b, SL("get"), SL("path")));
	assert_false(toolbook_declares(b, SL("get"), SL("folder")));
	toolbook_free(b);
}

static void test_odd_schemas(void **state)
{
	struct toolbook *b = toolbook_create(8);

	(void)state;
	assert_int_equal(learn(b, "{\"name\":\"a\"}"), E_OK);
	assert_int_equal(learn(b, "{\"name\":\"b\",\"inputSchema\":7}"), E_OK);
	assert_int_equal(learn(b, "{\"name\":\"c\",\"inputSchema\":{\"properties\":[\"x\"]}}"), E_OK);
	assert_int_equal(learn(b, "{\"name\":\"d\",\"inputSchema\":{\"properties\":{}}}"), E_OK);
	assert_int_equal(learn(b, "{\"name\":7}"), E_OK);
	assert_int_equal(learn(b, "{}"), E_OK);
	assert_int_equal(learn(b, "\"x\""), E_OK);
	assert_true(toolbook_knows(b, SL("c")));
	assert_false(toolbook_declares(b, SL("c"), SL("x")));
	toolbook_free(b);
}

static void test_bounds(void **state)
{
	struct toolbook *b = toolbook_create(1);

	(void)state;
	assert_int_equal(learn(b, "{\"name\":\"a\"}"), E_OK);
	assert_int_equal(learn(b, "{\"name\":\"b\"}"), E_FULL);
	assert_false(toolbook_complete(b));
	toolbook_set_complete(b, true);
	assert_true(toolbook_complete(b));
	toolbook_free(b);
	toolbook_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_declares),
		cmocka_unit_test(test_first_stays),
		cmocka_unit_test(test_odd_schemas),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
