#include "tests/unit/check.h"

#include "mcp/changes.h"
#include "mcp/stateless.h"
#include "mcp/translate.h"

#define ENVELOPE "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientInfo\":{\"name\":\"a\",\"version\":\"1\"},\"io.modelcontextprotocol/clientCapabilities\":{\"roots\":{}}"

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

static const struct translate_client client = {
	{ "{\"name\":\"a\",\"version\":\"1\"}", 26 }, { "{\"roots\":{}}", 12 }, { NULL, 0 } };

static void test_to_stateless(void **state)
{
	struct translate_client loud = client;
	struct translate_round round = { SL("{\"c\":{\"action\":\"accept\"}}"), SL("\"s\\u0031\"") };
	struct rpc rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"tools/list\"}");

	(void)state;
	assert_slice(translate_to_stateless(&rpc, SL("7"), &client, NULL, &arena),
		SL("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\",\"params\":{\"_meta\":{" ENVELOPE "}}}"));
	rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"r\",\"_meta\":{\"progressToken\":3,\"io.modelcontextprotocol/clientCapabilities\":{\"sampling\":{}}}}}");
	assert_slice(translate_to_stateless(&rpc, SL("8"), &client, &round, &arena),
		SL("{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"tools/call\",\"params\":{\"name\":\"r\",\"_meta\":{" ENVELOPE ",\"progressToken\":3}"
		   ",\"inputResponses\":{\"c\":{\"action\":\"accept\"}},\"requestState\":\"s\\u0031\"}}"));
	loud.log_level = SL("\"debug\"");
	assert_slice(translate_own_stateless(SL("\"q\""), "server/discover", &loud, SL("\"a\":1"), &arena),
		SL("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"server/discover\",\"params\":{\"_meta\":{" ENVELOPE
		   ",\"io.modelcontextprotocol/logLevel\":\"debug\"},\"a\":1}}"));
}

static void test_from_stateless(void **state)
{
	struct rpc rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\",\"tools\":[],\"ttlMs\":5,\"cacheScope\":\"public\"}}");

	(void)state;
	assert_slice(translate_answer_from_stateless(&rpc, SL("\"k\""), M_TOOLS_LIST, &arena), SL("{\"jsonrpc\":\"2.0\",\"id\":\"k\",\"result\":{\"tools\":[]}}"));
	rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"gone\"}}");
	assert_slice(translate_answer_from_stateless(&rpc, SL("2"), M_RESOURCES_READ, &arena), SL("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32002,\"message\":\"gone\"}}"));
	assert_slice(translate_answer_from_stateless(&rpc, SL("2"), M_TOOLS_CALL, &arena), SL("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32602,\"message\":\"gone\"}}"));
	rpc = parse("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32022,\"message\":\"m\"}}");
	assert_slice(translate_answer_from_stateless(&rpc, SL("3"), M_TOOLS_CALL, &arena), SL("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"m\"},\"id\":3}"));
	rpc = parse("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"u\",\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":4,\"k\":1}}}");
	assert_slice(translate_notification_from_stateless(&rpc, &arena),
		SL("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"u\",\"_meta\":{\"k\":1}}}"));
}

static void test_hello(void **state)
{
	struct rpc rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{},\"extensions\":{\"x\":1}},\"instructions\":\"i\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"v\",\"version\":\"2\"}}}}");

	(void)state;
	assert_slice(translate_hello(&rpc, SL("0"), SL("2025-06-18"), &arena),
		SL("{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"v\",\"version\":\"2\"},\"instructions\":\"i\"}}"));
	/* A revision without a handshake, or one that is not known, is answered with the newest that has one. */
	assert_true(memmem(translate_hello(&rpc, SL("0"), SL("2026-07-28"), &arena).p, 80, "2025-11-25", 10) != NULL);
	assert_true(memmem(translate_hello(&rpc, SL("0"), SL("x"), &arena).p, 80, "2025-11-25", 10) != NULL);
}

static void test_down(void **state)
{
	struct rpc rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/call\",\"params\":{\"name\":\"r\",\"inputResponses\":{},\"requestState\":\"s\",\"_meta\":{" ENVELOPE ",\"progressToken\":\"p\",\"traceparent\":\"t\"}}}");

	(void)state;
	assert_slice(translate_from_stateless(&rpc, SL("5"), SL("5"), &arena),
		SL("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":\"r\",\"_meta\":{\"progressToken\":5,\"traceparent\":\"t\"}}}"));
	assert_slice(translate_initialize(&rpc, SL("\"h\""), &arena),
		SL("{\"jsonrpc\":\"2.0\",\"id\":\"h\",\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"roots\":{}},\"clientInfo\":{\"name\":\"a\",\"version\":\"1\"}}}"));
	rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"tools\":[],\"resultType\":\"strange\"}}");
	assert_slice(translate_answer_to_stateless(&rpc, SL("\"a\""), M_TOOLS_LIST, SL("{\"name\":\"v\"}"), &arena),
		SL("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"tools\":[],\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"v\"}},\"ttlMs\":0,\"cacheScope\":\"private\"}}"));
	rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32002,\"message\":\"m\"}}");
	assert_slice(translate_answer_to_stateless(&rpc, SL("1"), M_RESOURCES_READ, SL("{}"), &arena), SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"m\"}}"));
	rpc = parse("{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{},\"tasks\":{}},\"serverInfo\":{\"name\":\"v\",\"version\":\"2\"}}}");
	assert_slice(translate_discovered(&rpc, SL("9"), &arena),
		SL("{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}},\"ttlMs\":0,\"cacheScope\":\"private\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"v\",\"version\":\"2\"}}}}"));
}

static void test_notifications(void **state)
{
	struct rpc rpc = parse("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":5,\"progress\":1}}");

	(void)state;
	assert_slice(translate_progress(&rpc, SL("\"p\""), &arena), SL("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":\"p\",\"progress\":1}}"));
	rpc = parse("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
	assert_slice(translate_heard(&rpc, SL("4"), &arena),
		SL("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":4}}}"));
	rpc = parse("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"u\",\"_meta\":{\"k\":1}}}");
	assert_slice(translate_heard(&rpc, SL("4"), &arena),
		SL("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"u\",\"_meta\":{\"k\":1,\"io.modelcontextprotocol/subscriptionId\":4}}}"));
}

static void test_changes(void **state)
{
	struct json j;

	(void)state;
	assert_int_equal(json_parse(&j, SL("{\"tools\":{\"listChanged\":true},\"prompts\":{\"listChanged\":false},\"resources\":{}}"), &arena, NULL), E_OK);
	assert_int_equal(changes_offered(&j, 0), 1);
	assert_int_equal(changes_offered(&j, JSON_NONE), 0);
	assert_int_equal(json_parse(&j, SL("{\"toolsListChanged\":false,\"promptsListChanged\":true,\"resourcesListChanged\":true}"), &arena, NULL), E_OK);
	assert_int_equal(changes_wished(&j, 0), 6);
	assert_slice(changes[2].method, SL("notifications/resources/list_changed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_stateless),
		cmocka_unit_test(test_from_stateless),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_notifications),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
