/* The door of the floor: what tables cannot say. Answers of agents, memory that runs out, what refusals hold. */
#include "tests/unit/check.h"

#include <stdio.h>
#include "guards/guard.h"

struct fixture {
	struct arena arena;
	struct catalog *catalog;
	struct ledger *ledger;
	struct toolbook *tools;
	struct policy policy;
	struct prefix allowed;
	struct rpc rpc;
	struct call *call;
	struct judgement j;
};

static struct fixture f;

static int setup(void **state)
{
	struct faults faults;

	(void)state;
	memset(&f, 0, sizeof f);
	arena_init(&f.arena, 16u << 20);
	faults_init(&faults);
	f.catalog = catalog_builtin(SL("scaivault"), &faults);
	faults_finish(&faults);
	f.ledger = ledger_create(8);
	f.tools = toolbook_create(8);
	f.policy = (struct policy){ .profile = SL("p"), .actions = ~0u, .deny_unknown_tools = true, .enforce = true };
	return f.catalog ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	catalog_free(f.catalog);
	ledger_free(f.ledger);
	toolbook_free(f.tools);
	arena_finish(&f.arena);
	return 0;
}

static struct view view(struct arena *a)
{
	return (struct view){ .policy = &f.policy,
		.catalog = f.catalog,
		.ledger = f.ledger,
		.tools = f.tools,
		.upstream = SL("v"),
		.now_ms = 1000,
		.arena = a };
}

static void judge(const char *text, enum method asked)
{
	struct view v = view(&f.arena);

	assert_int_equal(rpc_parse(&f.rpc, slice_of(text), &f.arena, NULL), E_OK);
	judge_from_agent(&v, &f.rpc, asked, &f.call, &f.j);
}

static void allow(const char *prefix)
{
	assert_int_equal(path_canonical(&f.allowed.path, slice_of(prefix), true, &f.arena), PATH_OK);
	f.policy.allowed = (struct prefixes){ .set = true, .v = &f.allowed, .n = 1 };
}

/* What nobody touched goes on byte for byte, from the same memory. */
static void test_untouched(void **state)
{
	static const char text[] = "{ "
				"\"jsonrpc\":\"2.0\",\"params\":{\"name\":\"scaivault_read_secret\",\"arguments\":{"
				"\"path\":\"a\\/b\"}},"
				"\"id\":9007199254740991, \"method\":\"tools/call\" }";

	(void)state;
	f.policy.read_only = f.policy.mask_values = true;
	allow("a");
	judge(text, M_UNKNOWN);
	assert_int_equal(f.j.kind, VERDICT_PASS);
	assert_ptr_equal(f.j.bytes.p, text);
	assert_int_equal(f.j.bytes.n, sizeof text - 1);
	struct call_summary s;
	call_summary(f.call, &s);
	assert_int_equal(s.method, M_TOOLS_CALL);
	assert_slice(s.tool, SL("scaivault_read_secret"));
	assert_int_equal(s.action, ACT_READ);
	assert_int_equal(s.n_paths, 1);
	assert_slice(s.paths[0].text, SL("a/b"));
	assert_true(s.bears_values);
}

static bool bears(const char *catalog, const char *tool)
{
	char text[256];
	struct faults faults;
	struct call_summary s;

	faults_init(&faults);
	catalog_free(f.catalog);
	f.catalog = catalog_builtin(slice_of(catalog), &faults);
	faults_finish(&faults);
	snprintf(text, sizeof text,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\",\"arguments\":{\"path\":\"a\"}}}", tool);
	judge(text, M_UNKNOWN);
	call_summary(f.call, &s);
	return s.bears_values;
}

/* MASK-14: while such a call is open the vault's own texts wait. */
static void test_bears_values(void **state)
{
	(void)state;
	f.policy.mask_values = true;
	assert_true(bears("generic", "get_secret"));
	assert_true(bears("generic", "generate_password"));
	assert_true(bears("generic", "rotate_secret"));
	assert_true(bears("generic", "execute"));
	assert_false(bears("generic", "set_secret"));
	assert_false(bears("generic", "list_secrets"));
	assert_true(bears("scaivault", "scaivault_rotate_secret"));
	assert_true(bears("scaivault", "scaivault_get_secret_versions"));
	assert_false(bears("scaivault", "scaivault_delete_secret"));
	assert_false(bears("scaivault", "scaivault_write_secret")); /* the agent's own value; the vault may ask before it */
	assert_false(bears("scaivault", "scaivault_list_secrets"));
}

/* JSON-02 */
static void test_escaped_names(void **state)
{
	(void)state;
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"\\u0063ursor\":\"x\"}}",
		M_UNKNOWN);
	assert_int_equal(f.j.kind, VERDICT_PASS);
	assert_slice(f.j.bytes,
		SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"cursor\":\"x\"}}"));
}

static void test_answers(void **state)
{
	(void)state;
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"action\":\"accept\",\"content\":{\"a\":\"b\"}}}",
		M_ELICITATION);
	assert_int_equal(f.j.kind, VERDICT_PASS);
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"roots\":[{\"uri\":\"file:///x\"}]}}", M_ROOTS_LIST);
	assert_int_equal(f.j.kind, VERDICT_PASS);
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"role\":\"assistant\",\"content\":{\"type\":\"text\","
		"\"text\":\"x\"},\"model\":\"m\"}}",
		M_SAMPLING);
	assert_int_equal(f.j.kind, VERDICT_PASS);
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"no\"}}", M_SAMPLING);
	assert_int_equal(f.j.kind, VERDICT_PASS);
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", M_PING);
	assert_int_equal(f.j.kind, VERDICT_PASS);
	assert_null(f.call);
}

/* The vault waits: it gets a declining answer instead. */
static void test_answers_refused(void **state)
{
	(void)state;
	judge("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"result\":{\"action\":\"accept\",\"content\":{\"a\":"
		"\"\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"
	      "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\"}}}",
		M_ELICITATION);
	assert_int_equal(f.j.kind, VERDICT_REWRITE);
	assert_int_equal(f.j.why.reason, R_MASKED_INPUT);
	assert_slice(f.j.bytes, SL("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"result\":{\"action\":\"decline\"}}"));
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"roots\":[],\"extra\":1}}", M_ROOTS_LIST);
	assert_int_equal(f.j.kind, VERDICT_REWRITE);
	assert_true(slice_find(f.j.bytes, SL("\"error\":{\"code\":-32603")) > 0);
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"extra\":1}}", M_SAMPLING);
	assert_true(slice_find(f.j.bytes, SL("\"error\":{\"code\":-1")) > 0);
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", M_UNKNOWN);
	assert_int_equal(f.j.kind, VERDICT_DENY);
	assert_true(f.j.drop);
}

/* PATH-20, TEN-03: an answer names no path or tenant that a call could not. */
static void test_answers_beside(void **state)
{
	(void)state;
	allow("prod");
	f.policy.tenant.text = SL("acme");
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"action\":\"accept\",\"content\":{\"path\":\"prod/a\","
	      "\"tenant_id\":\"acme\",\"confirm\":true}}}",
		M_ELICITATION);
	assert_int_equal(f.j.kind, VERDICT_PASS);
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"action\":\"accept\",\"content\":{\"path\":\"infra/b\"}}}",
		M_ELICITATION);
	assert_int_equal(f.j.kind, VERDICT_REWRITE);
	assert_int_equal(f.j.why.reason, R_PATH_OUTSIDE);
	assert_slice(f.j.bytes, SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"action\":\"decline\"}}"));
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"action\":\"accept\",\"content\":{\"tenant\":\"other\"}}}",
		M_ELICITATION);
	assert_int_equal(f.j.why.reason, R_TENANT);
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"roots\":[{\"uri\":\"file:///infra\"}]}}", M_ROOTS_LIST);
	assert_int_equal(f.j.kind, VERDICT_PASS);
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"roots\":[],\"_meta\":{\"tenant\":\"other\"}}}", M_ROOTS_LIST);
	assert_int_equal(f.j.why.reason, R_TENANT);
	assert_true(slice_find(f.j.bytes, SL("\"error\":{\"code\":-32603")) > 0);
	f.policy.enforce = false;
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"action\":\"accept\",\"content\":{\"tenant\":\"other\"}}}",
		M_ELICITATION);
	assert_int_equal(f.j.kind, VERDICT_PASS);
	assert_true(f.j.shadow);
}

/* The agent's id, as it wrote it; its words, cut short; its secret-looking arguments nowhere. */
static void test_refusals(void **state)
{
	char text[1024], name[400];

	(void)state;
	memset(name, 'x', sizeof name);
	name[399] = 0;
	snprintf(text, sizeof text,
		"{\"jsonrpc\":\"2.0\",\"id\":\"\\u00e9\",\"method\":\"tools/call\",\"params\":{\"name\":\"%s\"}}",
		name);
	judge(text, M_UNKNOWN);
	assert_int_equal(f.j.kind, VERDICT_DENY);
	assert_true(slice_starts(f.j.refusal, SL("{\"jsonrpc\":\"2.0\",\"id\":\"\\u00e9\",\"error\":{\"code\":-32602,"
						"\"message\":\"Unknown tool: xxx")));
	assert_true(f.j.refusal.n < 400);
	f.policy.read_only = true;
	memcpy(f.j.id, "feed", 5);
	judge("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"tools/"
		"call\",\"params\":{\"name\":\"scaivault_write_secret\",\"arguments\":"
	      "{\"path\":\"hidden/place\",\"data\":{\"password\":\"hunter2\"}}}}",
		M_UNKNOWN);
	assert_slice(f.j.refusal,
		SL("{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"Refused by "
		"narrowgate (guard readonly, "
		"rule read-only): the profile is "
		"read-only.\"}],\"isError\":true,\"_meta\":{\"narrowgate.dev/refusal\":{\"guard\":\"readonly\","
		"\"rule\":\"read-only\",\"profile\":\"p\",\"id\":\"feed\"}}}}"));
	assert_slice(judge_failure(SL("7"), RPC_INTERNAL_ERROR, "down", &f.arena),
		SL("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32603,\"message\":\"down\"}}"));
}

static const char call_text[] =
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"scaivault_write_secret\","
	"\"arguments\":{\"path\":\"infra/"
	"caf\\u00e9\",\"data\":{\"a\":\"b\"},\"metadata\":{\"note\":\"{\\\"path\\\":\\\"x/y\\\"}\"}}}}";

/* OPS-09: whenever memory runs out, the call that must be refused is refused: with an answer, or without one. */
static void test_memory_failure(void **state)
{
	(void)state;
	allow("prod");
	f.policy.tenant.text = SL("acme");
	assert_int_equal(rpc_parse(&f.rpc, slice_of(call_text), &f.arena, NULL), E_OK);
	for (size_t limit = 0; limit < 40000; limit += 64) {
		struct arena small;
		struct view v = view(&small);

		arena_init(&small, limit);
		judge_from_agent(&v, &f.rpc, M_UNKNOWN, &f.call, &f.j);
		assert_int_equal(f.j.kind, VERDICT_DENY);
		assert_true(f.j.refusal.n > 0 || f.j.drop);
		arena_finish(&small);
	}
}

/* A call that must be rewritten is rewritten or refused, never passed as it was. */
static void test_memory_failure_rewrites(void **state)
{
	bool passed = false;

	(void)state;
	f.policy.tenant.text = SL("acme");
	assert_int_equal(rpc_parse(&f.rpc,
				SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
					"\"scaivault_list_secrets\"}}"),
				&f.arena, NULL),
		E_OK);
	for (size_t limit = 0; limit < 40000; limit += 64) {
		struct arena small;
		struct view v = view(&small);

		arena_init(&small, limit);
		judge_from_agent(&v, &f.rpc, M_UNKNOWN, &f.call, &f.j);
		if (f.j.kind != VERDICT_DENY) {
			assert_true(slice_find(f.j.bytes, SL("\"tenant_id\":\"acme\"")) > 0);
			passed = true;
		}
		arena_finish(&small);
	}
	assert_true(passed);
}

static void test_answer_to_nothing(void **state)
{
	struct view v = view(&f.arena);

	(void)state;
	assert_int_equal(rpc_parse(&f.rpc, SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"), &f.arena, NULL), E_OK);
	judge_answer(&v, NULL, &f.rpc, &f.j);
	assert_int_equal(f.j.kind, VERDICT_DENY);
	assert_true(f.j.drop);
	assert_int_equal(judge_learn(f.ledger, f.tools, &v, NULL, &f.rpc), E_OK);
}

/* A page of many teaches its tools, but is not all of them. */
static void test_learns_tools(void **state)
{
	struct view v = view(&f.arena);
	struct rpc answer;

	(void)state;
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}", M_UNKNOWN);
	assert_int_equal(rpc_parse(&answer,
				SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"a\"}],"
					"\"nextCursor\":\"2\"}}"),
				&f.arena, NULL),
		E_OK);
	assert_int_equal(judge_learn(f.ledger, f.tools, &v, f.call, &answer), E_OK);
	assert_true(toolbook_knows(f.tools, SL("a")));
	assert_false(toolbook_complete(f.tools));
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"cursor\":\"2\"}}", M_UNKNOWN);
	assert_int_equal(
		rpc_parse(&answer, SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[]}}"), &f.arena, NULL),
		E_OK);
	judge_learn(f.ledger, f.tools, &v, f.call, &answer);
	assert_false(toolbook_complete(f.tools));
	judge("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}", M_UNKNOWN);
	judge_learn(f.ledger, f.tools, &v, f.call, &answer);
	assert_true(toolbook_complete(f.tools));
}

static void test_offered(void **state)
{
	struct view v = view(&f.arena);

	(void)state;
	assert_true(offered_tool(&v, SL("scaivault_write_secret")));
	assert_false(offered_tool(&v, SL("scaivault_unheard_of")));
	f.policy.read_only = true;
	assert_false(offered_tool(&v, SL("scaivault_write_secret")));
	assert_true(offered_tool(&v, SL("scaivault_read_secret")));
	assert_false(offered_tool(&v, SL("scaivault_create_api_key")));
	assert_true(offered_resource(&v, SL("scaivault://secrets/{tenant}/{path}")));
	assert_true(offered_resource(&v, SL("scaivault://secrets/acme/a/b")));
	assert_false(offered_resource(&v, SL("file:///etc/passwd")));
	assert_true(offered_prompt(&v, SL("audit-investigation")));
	assert_false(offered_prompt(&v, SL("migrate-from-env")));
	assert_false(offered_prompt(&v, SL("unheard-of")));
	f.policy.actions = 1u << ACT_LIST;
	assert_false(offered_tool(&v, SL("scaivault_read_secret")));
	assert_true(offered_tool(&v, SL("scaivault_list_secrets")));
	f.policy.actions = ~0u;
	allow("prod");
	assert_false(offered_tool(&v, SL("scaivault_proxy_read")));
	f.policy.read_only = false;
	assert_false(offered_tool(&v, SL("scaivault_create_root_ca")));
	assert_true(offered_tool(&v, SL("scaivault_generate_secret_preview")));
	assert_true(offered_tool(&v, SL("scaivault_issue_certificate")));
	assert_true(offered_tool(&v, SL("scaivault_revoke_lease")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_untouched, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bears_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_escaped_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers_beside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_failure_rewrites, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answer_to_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_learns_tools, setup, teardown),
		cmocka_unit_test_setup_teardown(test_offered, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
