/* When memory is out an answer is refused or comes out right: never with less cut out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "answers.h"
#include "guards/response.h"

static const char CATALOG[] =
	"catalog: t\n"
	"tools:\n"
	"  list: {do: list, out: {as: json, items: \"$.items[*]\", path: \"{path}\", count: \"$.total\"}}\n"
	"  read: {do: read, path: \"{path}\", out: {as: json, values: [\"json($.text).value\"]}}\n";

#define CALL(t) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"" t "\",\"arguments\":{\"path\":\"dev/a\"}}}"

static const char *const ANSWERS[][2] = {
	{ CALL("list"), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"items\\\":[{\\\"path\\\":\\\"prod/hunter2\\\",\\\"tenant\\\":\\\"x\\\"},{\\\"path\\\":\\\"dev/a\\\",\\\"tenant\\\":\\\"hunter2\\\"},{\\\"path\\\":\\\"dev/a\\\",\\\"password\\\":\\\"hunter2\\\"}],\\\"total\\\":3}\"}]}}" },
	{ CALL("read"), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"text\\\":\\\"{\\\\\\\"value\\\\\\\":\\\\\\\"hunter2\\\\\\\"}\\\",\\\"other\\\":\\\"hunter2\\\"}\"}],\"_meta\":{\"x\":\"hunter2\"}}}" },
	{ CALL("read"), "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"404 hunter2\",\"data\":\"hunter2\"}}" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"hunter2\"},{\"name\":\"list\",\"inputSchema\":{\"properties\":{\"a\":{}}}}]}}" },
};

static const struct guard *const GUARDS[] = { &guard_lists, &guard_mask };

/* The answer with `bytes` of arena left; {NULL,0} when it is refused or cannot be made. */
static struct slice answer_with(struct world *w, const struct call *call, const struct rpc *rpc, size_t bytes, struct buf *out)
{
	struct arena small;
	struct view v = { .policy = &w->policy, .catalog = w->catalog, .ledger = w->ledger, .upstream = SL("vault"), .arena = &small };
	struct result r;
	struct slice text = { NULL, 0 };

	arena_init(&small, bytes);
	buf_clear(out);
	bool ok = result_open(&v, call, rpc, &r) == E_OK && tenant_response(&v, call, &r).kind != VERDICT_DENY &&
		paths_response(&v, call, &r).kind != VERDICT_DENY;
	for (size_t i = 0; ok && i < sizeof GUARDS / sizeof *GUARDS; i++)
		ok = GUARDS[i]->response(&v, call, &r).kind != VERDICT_DENY;
	if (ok && doc_render(r.root, out) == E_OK)
		text = buf_slice(out);
	arena_finish(&small);
	return text;
}

static void nothing_passes_without_memory(void **state)
{
	struct world w;
	struct buf out;

	(void)state;
	world_open(&w, CATALOG);
	w.policy.mask_values = w.policy.deny_unknown_tools = true;
	w.policy.tenant.text = SL("acme");
	world_allow(&w, "dev");
	buf_init(&out, 1u << 20);
	for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
		struct view v = { .policy = &w.policy, .catalog = w.catalog, .ledger = w.ledger, .upstream = SL("vault"), .arena = &w.arena };
		struct rpc request, answer;
		struct call call = { 0 };
		size_t refused = 0, passed = 0;

		assert_int_equal(rpc_parse(&request, slice_of(ANSWERS[i][0]), &w.arena, NULL), E_OK);
		assert_int_equal(rpc_parse(&answer, slice_of(ANSWERS[i][1]), &w.arena, NULL), E_OK);
		assert_int_equal(classify(&v, &request, &call), E_OK);
		for (size_t bytes = 64; bytes < 60000; bytes += 64) {
			struct slice text = answer_with(&w, &call, &answer, bytes, &out);
			assert_true(slice_find(text, SL("hunter2")) < 0);
			refused += text.p == NULL;
			passed += text.p != NULL;
		}
		assert_true(refused > 0 && passed > 0);
	}
	buf_finish(&out);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_passes_without_memory) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
