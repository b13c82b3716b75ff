#include "tests/unit/check.h"
#include "mcp/era.h"
#include "mcp/method.h"

enum { LAST = M_N_TASKS };

static void every_method_has_a_row(void **state)
{
	(void)state;
	assert_null(method_by_id(M_UNKNOWN));
	for (int id = M_UNKNOWN + 1; id <= LAST; id++) {
		const struct method_row *row = method_by_id((enum method)id);
		assert_non_null(row);
		assert_int_equal(row->id, id);
		assert_non_null(row->members);
		assert_true(row->from & (SIDE_CLIENT | SIDE_SERVER));
		assert_int_equal(slice_starts(row->name, SL("notifications/")), row->notification);
		for (int side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
			const struct method_row *want = row->from & (unsigned)side ? row : NULL;
			assert_ptr_equal(method_find(row->name, (enum side)side, row->notification), want);
			assert_null(method_find(row->name, (enum side)side, !row->notification));
		}
	}
}

static void sides(void **state)
{
	(void)state;
	assert_int_equal(method_find(SL("tools/call"), SIDE_CLIENT, false)->id, M_TOOLS_CALL);
	assert_null(method_find(SL("tools/call"), SIDE_SERVER, false));
	assert_null(method_find(SL("tools/call"), SIDE_CLIENT, true));
	assert_int_equal(method_find(SL("ping"), SIDE_CLIENT, false)->id, M_PING);
	assert_int_equal(method_find(SL("ping"), SIDE_SERVER, false)->id, M_PING);
	assert_null(method_find(SL("sampling/createMessage"), SIDE_CLIENT, false));
	assert_non_null(method_find(SL("sampling/createMessage"), SIDE_SERVER, false));
	assert_non_null(method_find(SL("notifications/cancelled"), SIDE_CLIENT, true));
	assert_non_null(method_find(SL("notifications/cancelled"), SIDE_SERVER, true));
}

/* JSON-12, RO-10: a name is what it is, byte by byte. */
static void names_are_exact(void **state)
{
	static const struct slice names[] = {
		SL(""), SL("Tools/call"), SL("tools/call "), SL(" tools/call"), SL("tools/call\0"), SL("tools\\call"), SL("tools%2fcall"),
		SL("tools/cal"), SL("tools/calls"), SL("tools/c\u0430ll"), SL("tools/call\u200b"), SL("tools.call"), SL("server/discovers"),
		SL("tasks/Get"), SL("rpc.discover"), SL("tools"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (int side = SIDE_CLIENT; side <= SIDE_SERVER; side++)
			for (int n = 0; n < 2; n++)
				assert_null(method_find(names[i], (enum side)side, n));
}

static bool has(enum method id, const char *name)
{
	for (const char *const *m = method_by_id(id)->members; *m; m++)
		if (strcmp(*m, name) == 0)
			return true;
	return false;
}

static void members(void **state)
{
	(void)state;
	assert_true(has(M_TOOLS_CALL, "name"));
	assert_true(has(M_TOOLS_CALL, "arguments"));
	assert_true(has(M_TOOLS_CALL, "task"));
	assert_false(has(M_TOOLS_CALL, "Name"));
	assert_false(has(M_TOOLS_CALL, "path"));
	assert_true(has(M_INITIALIZE, "protocolVersion"));
	assert_true(has(M_ELICITATION, "requestedSchema"));
	assert_true(has(M_SAMPLING, "systemPrompt"));
	assert_true(has(M_TOOLS_LIST, "cursor"));
	assert_false(has(M_RESOURCES_READ, "cursor"));
	assert_null(method_by_id(M_PING)->members[0]);
}

static void revisions(void **state)
{
	(void)state;
	assert_true(method_in(method_by_id(M_TOOLS_CALL), true) && method_in(method_by_id(M_TOOLS_CALL), false));
	assert_false(method_in(method_by_id(M_INITIALIZE), true));
	assert_false(method_in(method_by_id(M_SET_LEVEL), true));
	assert_false(method_in(method_by_id(M_RESOURCES_SUBSCRIBE), true));
	assert_true(method_in(method_by_id(M_LISTEN), true));
	assert_false(method_in(method_by_id(M_LISTEN), false));
	assert_false(method_in(method_by_id(M_DISCOVER), false));
	assert_string_equal(method_by_id(M_TOOLS_CALL)->rounds[0], "inputResponses");
	assert_null(method_by_id(M_TOOLS_LIST)->rounds);
}

static void eras(void **state)
{
	const struct era *e;
	struct slice list = era_list();

	(void)state;
	assert_null(era_find(SL("")));
	e = era_find(SL("2026-07-28"));
	assert_true(e->mirrors && !e->handshake && !e->batches && e->version_header && e->structured_content);
	assert_null(era_find(SL("2026-07-29")));
	assert_null(era_find(SL("2025-06-18 ")));
	e = era_find(SL("2024-11-05"));
	assert_true(e->handshake && !e->streamable_http && !e->version_header && !e->batches);
	e = era_find(SL("2025-03-26"));
	assert_true(e->streamable_http && !e->version_header && e->batches && !e->structured_content);
	assert_ptr_equal(e, era_assumed());
	e = era_find(SL("2025-06-18"));
	assert_true(e->version_header && !e->batches && e->structured_content);
	assert_slice(era_newest()->version, SL("2025-11-25"));
	while (list.p)
		assert_non_null(era_find(slice_trim(slice_cut(&list, ','))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_has_a_row),
		cmocka_unit_test(sides),
		cmocka_unit_test(names_are_exact),
		cmocka_unit_test(members),
		cmocka_unit_test(revisions),
		cmocka_unit_test(eras),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
