#include "tests/unit/check.h"

#include "mcp/mirror.h"
#include "mcp/stateless.h"

#define CALL "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"read\",\"arguments\":{\"path\":\"a/b\",\"n\":7,\"on\":true,\"gone\":null,\"deep\":{\"x\":\"caf\\u00e9 \"},\"bad\":[1]}}}"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

static struct rpc parse(const char *text)
{
	struct rpc rpc;

	assert_int_equal(rpc_parse(&rpc, slice_of(text), &arena, NULL), E_OK);
	return rpc;
}

static struct slice path1[] = { { "path", 4 } }, path_n[] = { { "n", 1 } }, path_on[] = { { "on", 2 } }, path_gone[] = { { "gone", 4 } },
	path_deep[] = { { "deep", 4 }, { "x", 1 } }, path_bad[] = { { "bad", 3 } };
static const struct mirror_param params[] = {
	{ { "Path", 4 }, path1, 1 }, { { "N", 1 }, path_n, 1 }, { { "On", 2 }, path_on, 1 }, { { "Gone", 4 }, path_gone, 1 },
	{ { "Deep", 4 }, path_deep, 2 },
};

#define GOOD "Host: x\r\nmcp-param-path: a/b\r\nMcp-Param-N: 7\r\nMcp-Param-On: true\r\nMcp-Param-Deep: =?base64?Y2Fmw6kg?=\r\n"

static const char *check(const char *method, const char *name, const char *lines)
{
	struct rpc rpc = parse(CALL);
	struct mirror_fields f = { .method = slice_of(method), .name = slice_of(name) };
	const char *bad = mirror_check(&f, &rpc, M_TOOLS_CALL, &arena);

	return bad ? bad : mirror_check_params(slice_of(lines), &rpc, params, 5, &arena);
}

/* HTTP-07 */
static void compares(void **state)
{
	(void)state;
	assert_null(check("tools/call", "read", GOOD));
	assert_null(check("tools/call", "=?base64?cmVhZA==?=", GOOD));
	assert_non_null(check(NULL, "read", GOOD));
	assert_non_null(check("tools/list", "read", GOOD));
	assert_non_null(check("Tools/call", "read", GOOD));
	assert_non_null(check("tools/call", NULL, GOOD));
	assert_null(check("tools/call", "read", "Mcp-Param-Path: a/b\nMcp-Param-N: 07.00\nMcp-Param-On: true\nMcp-Param-Deep: =?base64?Y2Fmw6kg?=\n"));
	assert_non_null(check("tools/call", "read", "Mcp-Param-Path: a/b\nMcp-Param-N: 7.\nMcp-Param-On: true\nMcp-Param-Deep: =?base64?Y2Fmw6kg?=\n"));
	assert_non_null(check("tools/call", "read", "Mcp-Param-Path: a/b\nMcp-Param-N: 7.01\nMcp-Param-On: true\nMcp-Param-Deep: =?base64?Y2Fmw6kg?=\n"));
	assert_non_null(check("tools/call", "read", "Mcp-Param-Path: a/b\nMcp-Param-N: -7\nMcp-Param-On: true\nMcp-Param-Deep: =?base64?Y2Fmw6kg?=\n"));
	assert_non_null(check("tools/call", "write", GOOD));
	assert_non_null(check("tools/call", "=?base64?cmVhZA=?=", GOOD));   /* padding */
	assert_non_null(check("tools/call", "=?base64?cmVhZB==?=", GOOD));  /* another text */
	assert_non_null(check("tools/call", "=?base64?cmVh\nZA==?=", GOOD));
	assert_non_null(check("tools/call", "read", "Mcp-Param-Path: a/b\r\nMcp-Param-N: 7\r\nMcp-Param-On: true\r\n")); /* one is missing */
	assert_non_null(check("tools/call", "read", GOOD "Mcp-Param-Gone: x\r\n"));
	assert_non_null(check("tools/call", "read", GOOD "Mcp-Param-Path: a/b\r\n"));
	assert_non_null(check("tools/call", "read", "Mcp-Param-Path: a/c\r\nMcp-Param-N: 7\r\nMcp-Param-On: true\r\nMcp-Param-Deep: =?base64?Y2Fmw6kg?=\r\n"));
	assert_true(mirror_has_params(SL("A: b\r\nMCP-PARAM-X: 1\r\n")));
	assert_false(mirror_has_params(SL("A: Mcp-Param-X: 1\r\n")));
}

static void other_methods(void **state)
{
	struct rpc read = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":\"v://a\"}}");
	struct rpc list = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
	struct mirror_fields f = { .method = SL("resources/read"), .name = SL("v://a") };

	(void)state;
	assert_null(mirror_check(&f, &read, M_RESOURCES_READ, &arena));
	f.name = SL("v://b");
	assert_non_null(mirror_check(&f, &read, M_RESOURCES_READ, &arena));
	f = (struct mirror_fields){ .method = SL("tools/list") };
	assert_null(mirror_check(&f, &list, M_TOOLS_LIST, &arena));
}

/* HTTP-16: whatever the body holds, a line stays a line. */
static void writes(void **state)
{
	struct rpc rpc = parse(CALL);
	struct mirror_param bad = { { "Bad", 3 }, path_bad, 1 };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(mirror_write(&out, &rpc, M_TOOLS_CALL, params, 5, &arena), E_OK);
	assert_slice(buf_slice(&out), SL("Mcp-Method: tools/call\r\nMcp-Name: read\r\nMcp-Param-Path: a/b\r\nMcp-Param-N: 7\r\n"
		"Mcp-Param-On: true\r\nMcp-Param-Deep: =?base64?Y2Fmw6kg?=\r\n"));
	assert_int_equal(mirror_write(&out, &rpc, M_TOOLS_CALL, &bad, 1, &arena), E_INVALID);
	buf_clear(&out);
	rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/get\",\"params\":{\"name\":\"a\\r\\nX: y\"}}");
	assert_int_equal(mirror_write(&out, &rpc, M_PROMPTS_GET, NULL, 0, &arena), E_OK);
	assert_slice(buf_slice(&out), SL("Mcp-Method: prompts/get\r\nMcp-Name: =?base64?YQ0KWDogeQ==?=\r\n"));
	buf_finish(&out);
}

static void encodes(void **state)
{
	static const char *const TEXTS[] = { "a", "a b", "a\tb", "", " a", "a ", "\xc3\xa9", "=?base64?YQ==?=", "a\nb", "\x7f", "=?BASE64?x?=" };
	struct slice back;

	(void)state;
	for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
		struct slice coded = mirror_encode(slice_of(TEXTS[i]), &arena);

		assert_int_equal(slice_starts(coded, SL("=?base64?")), i > 2);
		assert_true(mirror_decode(coded, &back, &arena));
		assert_slice(back, slice_of(TEXTS[i]));
	}
	assert_false(mirror_decode(SL("=?base64?/w==?="), &back, &arena)); /* no UTF-8 */
	assert_false(mirror_decode(SL("=?base64?*?="), &back, &arena));
}

#define META(members) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{" members "}}}"
#define V "\"io.modelcontextprotocol/protocolVersion\":"
#define C "\"io.modelcontextprotocol/clientCapabilities\":"

static enum stateless_read read_meta(const char *text)
{
	struct rpc rpc = parse(text);
	struct slice version;

	return stateless_read(&rpc, &arena, &version);
}

static void envelopes(void **state)
{
	(void)state;
	assert_int_equal(read_meta("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"), STATELESS_NOT);
	assert_int_equal(read_meta(META("\"progressToken\":1")), STATELESS_NOT);
	assert_int_equal(read_meta(META(V "\"2026-07-28\"," C "{}")), STATELESS_OK);
	assert_int_equal(read_meta(META("\"io.modelcontextprotocol\\/protocolVersion\":\"2026-07-28\"," C "{}")), STATELESS_OK);
	assert_int_equal(read_meta(META(V "\"2026-07-28\"")), STATELESS_MALFORMED);
	assert_int_equal(read_meta(META(V "\"2026-07-28\"," C "[]")), STATELESS_MALFORMED);
	assert_int_equal(read_meta(META(V "7," C "{}")), STATELESS_MALFORMED);
	assert_int_equal(read_meta(META(V "\"2026-07-28\"," C "{},\"io.modelcontextprotocol/clientInfo\":1")), STATELESS_MALFORMED);
	assert_int_equal(read_meta(META(V "\"2025-11-25\"," C "{}")), STATELESS_UNKNOWN);
	assert_int_equal(read_meta(META(V "\"2027-01-01\"," C "{}")), STATELESS_UNKNOWN);
}

static void names_a_task(void **state)
{
	struct rpc rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/get\",\"params\":{\"taskId\":\"t1\"}}");
	struct mirror_fields f = { .method = SL("tasks/get"), .name = SL("t1") };

	(void)state;
	assert_null(mirror_check(&f, &rpc, M_TASKS_GET, &arena));
	f.name = SL("t2");
	assert_non_null(mirror_check(&f, &rpc, M_TASKS_GET, &arena));
	f.name = (struct slice){ NULL, 0 };
	assert_non_null(mirror_check(&f, &rpc, M_TASKS_GET, &arena));
	rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/result\",\"params\":{\"taskId\":\"t1\"}}");
	f.method = SL("tasks/result"); /* no method of such revisions: it has no name to repeat */
	assert_null(mirror_check(&f, &rpc, M_TASKS_RESULT, &arena));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(names_a_task),
		cmocka_unit_test(other_methods),
		cmocka_unit_test(writes),
		cmocka_unit_test(encodes),
		cmocka_unit_test(envelopes),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
