#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "answers.h"

static const char CATALOG[] =
	"catalog: t\n"
	"tenant: {arg: tenant_id, partner: partner_id}\n"
	"tools:\n"
	"  list: {do: list, path: \"{prefix|}\", covers: prefix, out: {as: json, items: \"$.items[*]\", path: \"{path}\"}}\n"
	"  read: {do: read, path: \"{path}\", out: {as: json, values: [\"$.value\"]}}\n"
	"  write: {do: write, path: \"{path}\"}\n"
	"resources:\n"
	"  \"v://secrets/{tenant}/{path}\": {do: read, path: \"{path}\", tenant: {uri: tenant}}\n"
	"  \"v://admin/{id}\": {do: admin}\n"
	"prompts:\n"
	"  show: {do: meta}\n"
	"  move: {do: write}\n";

static void open_world(struct world *w)
{
	world_open(w, CATALOG);
	w->policy.read_only = true;
	w->policy.deny_unknown_tools = true;
}

static void assert_list(struct world *w, const char *method, const char *before, const char *after)
{
	struct slice call = arena_fmt(&w->arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}", method);
	struct slice answer = arena_fmt(&w->arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}", before);
	struct slice expected = arena_fmt(&w->arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}", after);
	const char *got = world_answer(w, call.p, answer.p);

	if (strcmp(got, expected.p) != 0)
		print_message("got      %s\nexpected %s\n", got, expected.p);
	assert_string_equal(got, expected.p);
}

static void only_usable_tools_are_shown(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	/* RO-01, RO-02, RO-07, RO-12 */
	assert_list(&w, "tools/list", "{\"tools\":[{\"name\":\"read\",\"x\":1},{\"name\":\"write\",\"annotations\":{\"readOnlyHint\":true}},{\"name\":\"get_or_create\"},{\"name\":\"read\",\"x\":2},{\"name\":7},{\"name\":\"list\"}],\"nextCursor\":\"c\"}",
		"{\"tools\":[{\"name\":\"read\",\"x\":1},{\"name\":\"list\"}],\"nextCursor\":\"c\"}");
	assert_list(&w, "prompts/list", "{\"prompts\":[{\"name\":\"show\"},{\"name\":\"move\"},{\"name\":\"what\"}]}", "{\"prompts\":[{\"name\":\"show\"}]}");
	assert_list(&w, "resources/list", "{\"resources\":[{\"uri\":\"v://secrets/acme/a\"},{\"uri\":\"v://admin/1\"},{\"name\":\"x\"}]}", "{\"resources\":[{\"uri\":\"v://secrets/acme/a\"}]}");
	assert_list(&w, "resources/templates/list", "{\"resourceTemplates\":[{\"uriTemplate\":\"v://secrets/{tenant}/{path}\"},{\"uriTemplate\":\"v://admin/{id}\"}]}",
		"{\"resourceTemplates\":[{\"uriTemplate\":\"v://secrets/{tenant}/{path}\"}]}");
	world_close(&w);
}

static void resources_follow_paths_and_tenant(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	world_allow(&w, "dev");
	w.policy.tenant.text = SL("acme");
	/* PATH-25, TEN-07 */
	assert_list(&w, "resources/list", "{\"resources\":[{\"uri\":\"v://secrets/acme/dev/a\"},{\"uri\":\"v://secrets/acme/prod/a\"},{\"uri\":\"v://secrets/evil/dev/a\"},{\"uri\":\"v://secrets/acme/dev/%2e\"}]}",
		"{\"resources\":[{\"uri\":\"v://secrets/acme/dev/a\"}]}");
	world_close(&w);
}

static void locked_arguments_are_hidden(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	w.policy.tenant.text = SL("acme");
	assert_list(&w, "tools/list", "{\"tools\":[{\"name\":\"list\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"prefix\":{},\"tenant_id\":{\"type\":\"string\"},\"partner_id\":{}},\"required\":[\"tenant_id\",\"prefix\"]}}]}",
		"{\"tools\":[{\"name\":\"list\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"prefix\":{},\"partner_id\":{}},\"required\":[\"prefix\"]}}]}");
	assert_list(&w, "prompts/list", "{\"prompts\":[{\"name\":\"show\",\"arguments\":[{\"name\":\"path\"},{\"name\":\"tenant_id\",\"required\":true}]}]}",
		"{\"prompts\":[{\"name\":\"show\",\"arguments\":[{\"name\":\"path\"}]}]}");
	world_close(&w);
}


static void assert_schema(struct world *w, const char *tool, const char *schema, bool stays)
{
	struct slice with = arena_fmt(&w->arena, "{\"tools\":[{\"name\":\"%s\",\"outputSchema\":%s}]}", tool, schema);
	struct slice bare = arena_fmt(&w->arena, "{\"tools\":[{\"name\":\"%s\"}]}", tool);

	assert_list(w, "tools/list", with.p, stays ? with.p : bare.p);
}

static void schemas_that_masking_breaks_are_dropped(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	w.policy.mask_values = true;
	/* MASK-28 */
	assert_schema(&w, "read", "{\"type\":\"object\",\"properties\":{\"value\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"}},\"required\":[\"value\"],\"additionalProperties\":false}", true);
	assert_schema(&w, "read", "{\"properties\":{\"value\":{\"type\":\"string\",\"pattern\":\"^sk\"}}}", false);
	assert_schema(&w, "read", "{\"properties\":{\"value\":{\"enum\":[\"a\"]}}}", false);
	assert_schema(&w, "read", "{\"properties\":{\"value\":{\"anyOf\":[{\"format\":\"uuid\"}]}}}", false);
	assert_schema(&w, "read", "{\"properties\":{\"value\":{\"minLength\":8}}}", false);
	assert_schema(&w, "read", "{\"properties\":{\"value\":{\"minLength\":6,\"maxLength\":6}}}", true);
	assert_schema(&w, "read", "{\"properties\":{\"value\":{\"maxLength\":5}}}", false);
	assert_schema(&w, "read", "{\"properties\":{\"n\":{\"minimum\":1}}}", false);
	assert_schema(&w, "read", "{\"properties\":{\"n\":{\"minimum\":0,\"maximum\":9}}}", true);
	assert_schema(&w, "read", "{\"properties\":{\"type\":{\"enum\":[\"kv\"]},\"created_at\":{\"format\":\"date-time\"}}}", true);
	assert_schema(&w, "read", "{\"$defs\":{\"x\":{\"const\":1}},\"properties\":{\"value\":{\"$ref\":\"#/$defs/x\"}}}", false);
	assert_schema(&w, "list", "{\"properties\":{\"state\":{\"enum\":[\"on\"]}}}", true);
	assert_schema(&w, "list", "{\"properties\":{\"items\":{\"type\":\"array\",\"items\":{\"properties\":{\"password\":{\"pattern\":\"x\"}}}}}}", false);
	w.policy.mask_values = false;
	assert_schema(&w, "read", "{\"properties\":{\"value\":{\"enum\":[\"a\"]}}}", true);
	world_allow(&w, "dev");
	assert_schema(&w, "list", "{\"properties\":{\"items\":{\"minItems\":1}}}", false);
	assert_schema(&w, "list", "{\"properties\":{\"total\":{}},\"required\":[\"total\"]}", false);
	world_close(&w);
}

static void nothing_narrowed_keeps_every_byte(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CATALOG);
	assert_list(&w, "tools/list", "{ \"tools\" : [ {\"name\":\"write\",\"inputSchema\":{\"properties\":{\"tenant_id\":{}}}} ] }", "{ \"tools\" : [ {\"name\":\"write\",\"inputSchema\":{\"properties\":{\"tenant_id\":{}}}} ] }");
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_usable_tools_are_shown),
		cmocka_unit_test(resources_follow_paths_and_tenant),
		cmocka_unit_test(locked_arguments_are_hidden),
		cmocka_unit_test(schemas_that_masking_breaks_are_dropped),
		cmocka_unit_test(nothing_narrowed_keeps_every_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
