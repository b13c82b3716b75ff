#include "tests/unit/check.h"
#include "mcp/rpc.h"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 1u << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

static struct rpc read(struct slice text)
{
	struct rpc r;
	size_t at = 12345;
	enum err e = rpc_parse(&r, text, &arena, &at);

	if (e != E_OK) {
		print_error("%s at %zu: %.*s\n", err_text(e), at, SL_ARG(text));
		fail();
	}
	return r;
}

static void kinds(void **state)
{
	struct rpc r;

	(void)state;
	r = read(SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"x\"}}"));
	assert_int_equal(r.kind, RPC_REQUEST);
	assert_slice(rpc_id(&r), SL("1"));
	assert_slice(r.method_name, SL("tools/call"));
	assert_slice(json_source(&r.json, r.params), SL("{\"name\":\"x\"}"));
	assert_true(r.result == JSON_NONE && r.error == JSON_NONE);

	r = read(SL("{\"method\":\"notifications/initialized\",\"jsonrpc\":\"2.0\"}"));
	assert_int_equal(r.kind, RPC_NOTIFICATION);
	assert_true(r.id == JSON_NONE && r.params == JSON_NONE);
	assert_slice(rpc_id(&r), SL(""));
	assert_slice(rpc_id_key(&r, &arena), SL(""));

	r = read(SL(" { \"result\" : { } , \"jsonrpc\" : \"2.0\" , \"id\" : \"a\" } "));
	assert_int_equal(r.kind, RPC_RESULT);
	assert_slice(rpc_id(&r), SL("\"a\""));
	assert_true(r.method == JSON_NONE && r.error == JSON_NONE);
	assert_slice(json_source(&r.json, r.result), SL("{ }"));

	r = read(SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"no\",\"data\":[1]}}"));
	assert_int_equal(r.kind, RPC_ERROR);
	assert_slice(rpc_id(&r), SL("1"));
	assert_true(r.result == JSON_NONE && json_is(&r.json, r.error, JSON_OBJECT));

	r = read(SL("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"\"}}"));
	assert_true(r.kind == RPC_ERROR && r.id == JSON_NONE);
	r = read(SL("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"\"}}"));
	assert_true(r.kind == RPC_ERROR && r.id == JSON_NONE);
}

/* JSON-02: escapes are decoded before anything is compared. */
static void escapes(void **state)
{
	struct rpc r = read(SL("{\"jsonrpc\":\"\\u0032.0\",\"\\u0069d\":\"\\u0061\",\"method\":\"tools\\/c\\u0061ll\",\"par\\u0061ms\":{}}"));

	(void)state;
	assert_int_equal(r.kind, RPC_REQUEST);
	assert_slice(r.method_name, SL("tools/call"));
	assert_slice(rpc_id(&r), SL("\"\\u0061\""));
	assert_slice(rpc_id_key(&r, &arena), SL("\"a\""));
	assert_true(r.json.escaped_names);
}

struct refusal {
	struct slice text;
	enum err want;
	size_t at;
};

static void refuse(const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rpc r;
		size_t at = SIZE_MAX;
		enum err e = rpc_parse(&r, rows[i].text, &arena, &at);
		if (e != rows[i].want || at != rows[i].at) {
			print_error("%s at %zu: %.*s\n", err_text(e), at, SL_ARG(rows[i].text));
			fail();
		}
		assert_true(r.id == JSON_NONE && r.method == JSON_NONE && r.json.n == 0);
		assert_int_equal(rpc_parse(&r, rows[i].text, &arena, NULL), e);
		arena_reset(&arena);
	}
}

#define REFUSE(rows) refuse(rows, sizeof(rows) / sizeof(*(rows)))

static void no_envelope(void **state)
{
	static const struct refusal rows[] = {
		{ SL("[]"), E_BATCH, 0 },
		{ SL(" [{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]"), E_BATCH, 1 },
		{ SL("1"), E_ENVELOPE, 0 },
		{ SL("\"x\""), E_ENVELOPE, 1 },
		{ SL("null"), E_ENVELOPE, 0 },
		{ SL("{}"), E_ENVELOPE, 0 },
		{ SL(""), E_SYNTAX, 0 },
		{ SL("{\"id\":1,\"method\":\"ping\"}"), E_ENVELOPE, 0 },
		{ SL("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}"), E_ENVELOPE, 12 },
		{ SL("{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}"), E_ENVELOPE, 11 },
		{ SL("{\"jsonrpc\":\"2.0 \",\"id\":1,\"method\":\"ping\"}"), E_ENVELOPE, 12 },
		{ SL("{\"jsonrpc\":\"2.0\"}"), E_ENVELOPE, 0 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1}"), E_ENVELOPE, 0 },
	};

	(void)state;
	REFUSE(rows);
}

/* JSON-13, JSON-16 */
static void mixed_shapes(void **state)
{
	static const struct refusal rows[] = {
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"result\":{}}"), E_ENVELOPE, 49 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"error\":{}}"), E_ENVELOPE, 48 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{\"code\":1,\"message\":\"\"}}"), E_ENVELOPE, 0 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"params\":{}}"), E_ENVELOPE, 0 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"params\":{}}"), E_ENVELOPE, 0 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}"), E_ENVELOPE, 33 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":null}"), E_ENVELOPE, 33 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":[\"ping\"]}"), E_ENVELOPE, 33 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":null}"), E_ENVELOPE, 49 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}"), E_ENVELOPE, 49 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":\"{}\"}"), E_ENVELOPE, 50 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}"), E_ENVELOPE, 33 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"x\"}"), E_ENVELOPE, 34 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}"), E_ENVELOPE, 33 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":null}"), E_ENVELOPE, 32 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"x\"}"), E_ENVELOPE, 33 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":\"1\",\"message\":\"\"}}"), E_ENVELOPE, 32 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1.5,\"message\":\"\"}}"), E_ENVELOPE, 32 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1}}"), E_ENVELOPE, 32 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":{}}}"), E_ENVELOPE, 32 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"message\":\"x\"}}"), E_ENVELOPE, 32 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"\",\"value\":\"s\"}}"), E_MEMBER, 56 },
	};

	(void)state;
	REFUSE(rows);
}

/* JSON-01, JSON-03, JSON-08, JSON-16 */
static void other_members(void **state)
{
	static const struct refusal rows[] = {
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"Method\":\"tools/call\"}"), E_MEMBER, 41 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"METHOD\":\"tools/call\"}"), E_MEMBER, 25 },
		{ SL("{\"jsonrpc\":\"2.0\",\"Id\":1,\"method\":\"ping\"}"), E_MEMBER, 18 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"param\u017f\":{}}"), E_MEMBER, 41 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"method \":\"x\"}"), E_MEMBER, 41 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"method\\u0000\":\"x\"}"), E_NUL, 47 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"arguments\":{}}"), E_MEMBER, 41 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"__proto__\":{}}"), E_MEMBER, 41 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"\":{}}"), E_MEMBER, 41 },
		{ SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"extensions\":{}}"), E_MEMBER, 37 },
	};
	struct rpc r;

	(void)state;
	REFUSE(rows);
	assert_int_equal(rpc_parse(&r, SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"method\":\"b\"}"), &arena, NULL), E_DUPLICATE);
	assert_int_equal(rpc_parse(&r, SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"m\\u0065thod\":\"b\"}"), &arena, NULL),
		E_DUPLICATE);
	assert_int_equal(rpc_parse(&r, SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}\n{}"), &arena, NULL), E_TRAILING);
}

static enum err parse_with_id(struct slice id, struct rpc *r)
{
	struct slice text = arena_fmt(&arena, "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":%.*s}", SL_ARG(id));

	return rpc_parse(r, text, &arena, NULL);
}

/* JSON-11, JSON-18 */
static void ids(void **state)
{
	static const struct slice good[] = {
		SL("0"), SL("1"), SL("-1"), SL("9007199254740991"), SL("9007199254740992"),
		SL("-9007199254740992"), SL("9007199254740993"), SL("-9007199254740993"), SL("9223372036854775807"),
		SL("-9223372036854775808"), SL("\"\""), SL("\"0\""), SL("\"a b\""), SL("\"caf\u00e9\""), SL("\"\u2028\""), SL("\"null\""), SL("\"\\u0000\""),
	};
	static const struct slice bad[] = {
		SL("null"), SL("true"), SL("1.5"), SL("1.0"), SL("1e2"), SL("-0"), SL("{}"), SL("[1]"),
		SL("9223372036854775808"), SL("18446744073709551617"), SL("100000000000000000000000000000000000000000"),
	};
	struct rpc r;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(parse_with_id(good[i], &r), E_OK);
		assert_slice(rpc_id(&r), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(parse_with_id(bad[i], &r), E_ID);
	assert_int_equal(rpc_parse(&r, SL("{\"jsonrpc\":\"2.0\",\"result\":{}}"), &arena, NULL), E_ID);
	assert_int_equal(rpc_parse(&r, SL("{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}"), &arena, NULL), E_ID);
	assert_int_equal(rpc_parse(&r, SL("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"error\":{\"code\":1,\"message\":\"\"}}"), &arena, NULL), E_ID);
}

static void long_ids(void **state)
{
	char id[RPC_MAX_ID + 3];
	struct rpc r;

	(void)state;
	memset(id, 'x', sizeof(id));
	id[0] = id[RPC_MAX_ID + 1] = '"';
	assert_int_equal(parse_with_id(slice_make(id, RPC_MAX_ID + 2), &r), E_OK);
	id[RPC_MAX_ID + 1] = 'x';
	id[RPC_MAX_ID + 2] = '"';
	assert_int_equal(parse_with_id(slice_make(id, RPC_MAX_ID + 3), &r), E_ID);
}

static struct slice key_of(struct slice id)
{
	struct rpc r;

	assert_int_equal(parse_with_id(id, &r), E_OK);
	return rpc_id_key(&r, &arena);
}

static void keys(void **state)
{
	(void)state;
	assert_slice(key_of(SL("7")), SL("7"));
	assert_slice(key_of(SL("\"7\"")), SL("\"7\""));
	assert_slice(key_of(SL("\"\\u0037\"")), SL("\"7\""));
	assert_slice(key_of(SL("\"a\\/b\"")), SL("\"a/b\""));
	assert_slice(key_of(SL("\"\\\"\"")), SL("\"\"\""));
	assert_slice(key_of(SL("\"\\u00e9\"")), key_of(SL("\"\u00e9\"")));
	assert_slice(key_of(SL("\"\"")), SL("\"\""));
}

static void make(void **state)
{
	struct buf b;
	struct rpc r;

	(void)state;
	buf_init(&b, 200);
	assert_int_equal(rpc_make_error(&b, SL("\"x\""), RPC_METHOD_NOT_FOUND, SL("no \"such\"\n"), SL("")), E_OK);
	assert_slice(buf_slice(&b), SL("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32601,\"message\":\"no \\\"such\\\"\\n\"}}"));
	r = read(buf_slice(&b));
	assert_int_equal(r.kind, RPC_ERROR);
	buf_clear(&b);
	assert_int_equal(rpc_make_error(&b, SL(""), -1, SL(""), SL("{\"a\":1}")), E_OK);
	assert_slice(buf_slice(&b), SL("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,\"message\":\"\",\"data\":{\"a\":1}}}"));
	buf_clear(&b);
	assert_int_equal(rpc_make_result(&b, SL("7"), SL("{}")), E_OK);
	assert_slice(buf_slice(&b), SL("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}"));
	buf_finish(&b);
}

/* Whatever the room is: all of the message, or nothing. */
static void make_all_or_nothing(void **state)
{
	const size_t error_n = strlen("{'jsonrpc':'2.0','id':1,'error':{'code':-32603,'message':'a\\n','data':{'d':1}}}");
	const size_t result_n = strlen("{'jsonrpc':'2.0','id':1,'result':{}}");

	(void)state;
	for (size_t max = 0; max < 100; max++) {
		struct buf b;
		enum err e;
		buf_init(&b, max);
		e = rpc_make_error(&b, SL("1"), -32603, SL("a\n"), SL("{\"d\":1}"));
		assert_int_equal(e, max < error_n ? E_TOO_BIG : E_OK);
		assert_int_equal(b.n, max < error_n ? 0 : error_n);
		buf_clear(&b);
		e = rpc_make_result(&b, SL("1"), SL("{}"));
		assert_int_equal(e, max < result_n ? E_TOO_BIG : E_OK);
		assert_int_equal(b.n, max < result_n ? 0 : result_n);
		buf_finish(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(escapes),
		cmocka_unit_test(no_envelope),
		cmocka_unit_test(mixed_shapes),
		cmocka_unit_test(other_members),
		cmocka_unit_test(ids),
		cmocka_unit_test(long_ids),
		cmocka_unit_test(keys),
		cmocka_unit_test(make),
		cmocka_unit_test(make_all_or_nothing),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
