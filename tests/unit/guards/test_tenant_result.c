#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "answers.h"

static const char CATALOG[] =
	"catalog: t\n"
	"tenant: {arg: project, partner: reseller}\n"
	"tools:\n"
	"  list: {do: list}\n"
	"  read: {do: read, path: \"{path}\", out: {as: json, values: [\"$.data.**\"]}}\n"
	"  vaults: {do: list, out: {as: lines, line: '^- .*\\(id: (?<tenant>[a-z]+)\\)$', count: '^Found (?<n>\\d+)'}}\n"
	"resources:\n"
	"  \"v://secrets/{tenant}/{path}\": {do: read, path: \"{path}\", tenant: {uri: tenant}}\n";

struct row {
	const char *id, *tool, *text, *expected; /* expected NULL: as it was */
};

static int open_world(void **state)
{
	static struct world w;

	world_open(&w, CATALOG);
	w.policy.tenant.text = SL("acme");
	w.policy.partner.text = SL("umbrella");
	*state = &w;
	return 0;
}

static int close_world(void **state)
{
	world_close(*state);
	return 0;
}

static void assert_seen(const char *id, const char *got, const char *expected)
{
	if (strcmp(got, expected) != 0)
		print_message("%s\n  got      %s\n  expected %s\n", id, got, expected);
	assert_string_equal(got, expected);
}

#define REFUSED "DENY result-tenant"

static void assert_rows(struct world *w, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_seen(rows[i].id, world_text(w, rows[i].tool, "{\"path\":\"a\"}", rows[i].text), rows[i].expected ? rows[i].expected : rows[i].text);
}

static void other_tenants_are_cut(void **state)
{
	static const struct row rows[] = {
		{ "TEN-07 items", "list", "{\"items\":[{\"tenant\":\"acme\"},{\"tenant\":\"evil\"}],\"total\":2}", "{\"items\":[{\"tenant\":\"acme\"}],\"total\":1}" },
		{ "TEN-07 spelling", "list", "[{\"tenantId\":\"evil\"},{\"tenant_id\":\"evil\"},{\"Tenant-ID\":\"evil\"},{\"tenantid\":\"acme\"}]", "[{\"tenantid\":\"acme\"}]" },
		{ "TEN-07 partner", "list", "[{\"partner_id\":\"other\"},{\"partner_id\":\"umbrella\"}]", "[{\"partner_id\":\"umbrella\"}]" },
		{ "TEN-07 the catalog's names", "list", "[{\"project\":\"evil\"},{\"project\":\"acme\"},{\"reseller\":\"x\"}]", "[{\"project\":\"acme\"}]" },
		{ "TEN-07 deep in an item", "list", "[{\"a\":{\"b\":{\"tenant\":\"evil\"}}},{\"a\":1}]", "[{\"a\":1}]" },
		{ "TEN-07 object", "list", "[{\"tenant\":{\"id\":\"evil\"}},{\"tenant\":{\"id\":\"acme\"}}]", "[{\"tenant\":{\"id\":\"acme\"}}]" },
		{ "TEN-07 number", "list", "[{\"tenant_id\":7}]", "[]" },
		{ "TEN-07 alone", "list", "{\"tenant\":\"evil\",\"items\":[]}", REFUSED },
		{ "TEN-07 look-alike", "list", "{\"tenant\":\"Acme\"}", REFUSED },
		{ "TEN-07 list of tenants", "list", "{\"tenants\":[\"acme\",\"evil\"]}", "{\"tenants\":[\"acme\"]}" },
		{ "TEN-07 JSON in a string", "list", "[{\"x\":\"{\\\"tenant\\\":\\\"evil\\\"}\"}]", "[]" },
		{ "TEN-05 URI", "list", "[{\"uri\":\"v://secrets/evil/a\"},{\"uri\":\"v://secrets/acme/a\"}]", "[{\"uri\":\"v://secrets/acme/a\"}]" },
		{ "TEN-07 read", "read", "{\"tenant_id\":\"evil\",\"data\":{\"x\":1}}", REFUSED },
		{ "a secret's own field", "read", "{\"tenant_id\":\"acme\",\"data\":{\"tenant\":\"blue\"}}", NULL },
		{ "what people read", "list", "[{\"tenant_name\":\"Acme Corp\",\"tenant\":null}]", NULL },
		{ "TEN-07 lines", "vaults", "Found 2 vaults\n- one (id: acme)\n- two (id: evil)\n", "Found 1 vaults\n- one (id: acme)\n" },
	};

	assert_rows(*state, rows, sizeof rows / sizeof *rows);
}

static void every_place_is_looked_at(void **state)
{
	struct world *w = *state;

	assert_seen("structured", world_tool(w, "list", "{}", "{\"content\":[],\"structuredContent\":{\"r\":[{\"tenant\":\"evil\"}]}}"), "{\"content\":[],\"structuredContent\":{\"r\":[]}}");
	assert_seen("link", world_tool(w, "list", "{}", "{\"content\":[{\"type\":\"resource_link\",\"uri\":\"v://secrets/evil/a\",\"name\":\"x\"}]}"), REFUSED);
	assert_seen("embedded", world_tool(w, "list", "{}", "{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"v://secrets/evil/a\",\"text\":\"x\"}}]}"), REFUSED);
	assert_seen("error data", world_answer(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"list\"}}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"no\",\"data\":{\"tenant\":\"evil\"}}}"),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"no\"}}");
	assert_seen("notice", world_notice(w, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"v://secrets/evil/a\"}}"), REFUSED);
	assert_seen("completion", world_answer(w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"completion/complete\",\"params\":{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"x\"},\"argument\":{\"name\":\"tenant\",\"value\":\"\"}}}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"completion\":{\"values\":[\"acme\",\"evil\"],\"total\":2}}}"),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"completion\":{\"values\":[\"acme\"],\"total\":1}}}");
}

static void both_filters_count_together(void **state)
{
	struct world *w = *state;

	world_allow(w, "dev");
	assert_seen("totals", world_text(w, "list", "{}", "{\"items\":[{\"path\":\"dev/a\",\"tenant\":\"acme\"},{\"path\":\"dev/b\",\"tenant\":\"evil\"},{\"path\":\"prod/c\",\"tenant\":\"acme\"}],\"total\":3}"),
		"{\"items\":[{\"path\":\"dev/a\",\"tenant\":\"acme\"}],\"total\":1}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_tenants_are_cut),
		cmocka_unit_test(every_place_is_looked_at),
		cmocka_unit_test(both_filters_count_together),
	};
	return cmocka_run_group_tests(tests, open_world, close_world);
}
