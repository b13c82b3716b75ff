#include "tests/unit/check.h"

#include "base/json_canon.h"

static struct arena arena;

/* The one spelling of a text; the same again of that spelling. */
static struct slice canon(const char *text)
{
	struct json j;
	struct buf b;

	assert_int_equal(json_parse(&j, slice_of(text), &arena, NULL), E_OK);
	buf_init(&b, 1 << 20);
	assert_int_equal(json_canon(&j, 0, &b, &arena), E_OK);
	struct slice once = arena_dup(&arena, buf_slice(&b));

	buf_clear(&b);
	assert_int_equal(json_parse(&j, once, &arena, NULL), E_OK);
	assert_int_equal(json_canon(&j, 0, &b, &arena), E_OK);
	assert_slice(buf_slice(&b), once);
	buf_finish(&b);
	return once;
}

static void test_order_and_space(void **state)
{
	(void)state;
	assert_slice(canon(" { \"b\" : [ 1 , {\"d\":null,\"c\":true} ] ,\n\"a\": {} , \"\":[] } "), SL("{\"\":[],\"a\":{},\"b\":[1,{\"c\":true,\"d\":null}]}"));
	assert_slice(canon("{\"ab\":1,\"a\":2,\"b\":3}"), SL("{\"a\":2,\"ab\":1,\"b\":3}"));
	assert_slice(canon("[3,1,2]"), SL("[3,1,2]"));
	assert_slice(canon("\"x\""), SL("\"x\""));
}

static void test_strings(void **state)
{
	(void)state;
	assert_slice(canon("\"\\u0041\\/\\u00e9\\n\\\"\""), SL("\"A/\xc3\xa9\\n\\\"\""));
	/* By its decoded name, whatever it is written like. */
	assert_slice(canon("{\"b\":1,\"\\u0061\":2}"), SL("{\"a\":2,\"b\":1}"));
}

static void test_numbers_stay(void **state)
{
	(void)state;
	assert_slice(canon("[1,1.0,1e0,-0]"), SL("[1,1.0,1e0,-0]"));
}

static void test_depth(void **state)
{
	char text[2 * JSON_MAX_DEPTH + 1] = "";

	(void)state;
	memset(text, '[', JSON_MAX_DEPTH);
	memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	assert_slice(canon(text), slice_of(text));
}

static void test_too_big(void **state)
{
	struct json j;
	struct buf b;

	(void)state;
	assert_int_equal(json_parse(&j, SL("{\"a\":\"0123456789\"}"), &arena, NULL), E_OK);
	buf_init(&b, 8);
	assert_int_equal(json_canon(&j, 0, &b, &arena), E_TOO_BIG);
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order_and_space), cmocka_unit_test(test_strings), cmocka_unit_test(test_numbers_stay),
		cmocka_unit_test(test_depth), cmocka_unit_test(test_too_big) };

	arena_init(&arena, 16 << 20);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
