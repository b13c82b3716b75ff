#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "answers.h"

static const char CATALOG[] =
	"catalog: t\n"
	"tools:\n"
	"  list: {do: list, path: \"{prefix|}\", covers: prefix, out: {as: json, values: [], items: \"$.items[*]\", path: \"{path}\", count: \"$.total\"}}\n"
	"  folders: {do: list, out: {as: json, values: [], items: \"$.items[*]\", path: \"{folderPath}/{key:rooted}\", count: \"$.total\"}}\n"
	"  names: {do: list, out: {as: json, values: [], items: \"$.namespaces[*]\", path: \"{.}\", count: \"$.total\"}}\n"
	"  map: {do: list, out: {as: json, values: [], items: \"$.by_path[~]\", path: \"{.}\"}}\n"
	"  relative: {do: list, path: \"{mount}/{sub|}\", covers: prefix, out: {as: json, values: [], items: \"$.names[*]\", path: \"{arg.mount}/{arg.sub|}/{.}\"}}\n"
	"  lines: {do: list, path: \"{prefix|}\", covers: prefix, out: {as: lines, line: '^- (?<path>.+?)  ?\\(type: [^\\n]*\\)$', count: '^Found (?<n>\\d+) secret'}}\n"
	"  lone: {do: meta, path: \"{path}\", out: {as: json, values: [], items: \"$\", path: \"{path}\"}}\n"
	"  alone: {do: meta, path: \"{path}\", out: {as: json, values: [], items: \"$.it\", path: \"{where}\"}}\n"
	"  hits: {do: list, out: {as: json, values: [], items: \"$.items[*]\", path: \"{path}\", count: \"$.hits\"}}\n"
	"  rows: {do: list, path: \"{mount}\", covers: prefix, out: {as: json, values: [], items: \"$.rows[*]\", path: \"{arg.mount}/{name}\"}}\n"
	"  split: {do: meta, path: \"{mount}/{item}\"}\n"
	"  slow: {do: list, out: {as: lines, line: '^(?<path>(a|aa|a.)+)b$'}}\n"
	"  plain: {do: list}\n"
	"  about: {do: meta, args: [id]}\n"
	"  read: {do: read, path: \"{path}\", out: {as: json, values: [\"$.value\"]}}\n"
	"  bulk: {do: read, path: \"{prefix|}\", covers: prefix, out: {as: json, values: [\"$.secrets[*].value\"], items: \"$.secrets[*]\", path: \"{path}\"}}\n"
	"resources:\n"
	"  \"v://secrets/{path}\": {do: read, path: \"{path}\", out: {as: json, values: [\"$.value\"]}}\n"
	"  \"v://policies/{id}\": {do: meta}\n"
	"  \"v://list\": {do: list, out: {as: json, values: [], items: \"$[*]\", path: \"{.}\"}}\n";

struct row {
	const char *id, *tool, *text, *expected; /* expected NULL: as it was */
};

static int open_world(void **state)
{
	static struct world w;

	world_open(&w, CATALOG);
	world_allow(&w, "dev");
	world_allow(&w, "prod/app");
	world_deny(&w, "dev/root");
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

#define ARGS "{\"path\":\"dev/a\",\"prefix\":\"dev\",\"mount\":\"dev\",\"item\":\"s/t\"}"
#define REFUSED "DENY result-paths"

static void assert_rows(struct world *w, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_seen(rows[i].id, world_text(w, rows[i].tool, ARGS, rows[i].text), rows[i].expected ? rows[i].expected : rows[i].text);
}
#define ROWS(state, rows) assert_rows(*(state), rows, sizeof rows / sizeof *rows)

static void items_outside_are_cut(void **state)
{
	static const struct row rows[] = {
		{ "PATH-25 items and total", "list", "{\"items\":[{\"path\":\"dev/a\"},{\"path\":\"prod/db\"},{\"path\":\"dev/b\"}],\"total\":3}",
			"{\"items\":[{\"path\":\"dev/a\"},{\"path\":\"dev/b\"}],\"total\":2}" },
		{ "PATH-25 all inside", "list", "{ \"items\": [ {\"path\":\"dev/a\"} ], \"total\": 1 }", NULL },
		{ "PATH-25 nothing left", "list", "{\"items\":[{\"path\":\"prod/db\"}],\"total\":1}", "{\"items\":[],\"total\":0}" },
		{ "PATH-25 empty", "list", "{\"items\":[],\"total\":0}", NULL },
		{ "PATH-26 total over pages", "list", "{\"items\":[{\"path\":\"dev/a\"}],\"total\":57,\"nextCursor\":\"x\"}", "{\"items\":[{\"path\":\"dev/a\"}],\"nextCursor\":\"x\"}" },
		{ "PATH-26 last page", "list", "{\"items\":[{\"path\":\"dev/a\"}],\"total\":57,\"nextCursor\":null}", NULL },
		{ "PATH-01 neighbour", "list", "{\"items\":[{\"path\":\"dev-evil/a\"},{\"path\":\"development\"}],\"total\":2}", "{\"items\":[],\"total\":0}" },
		{ "PATH-02 denied", "list", "{\"items\":[{\"path\":\"dev/root/x\"},{\"path\":\"dev/ROOT\"},{\"path\":\"dev/rooted\"}],\"total\":3}", "{\"items\":[{\"path\":\"dev/rooted\"}],\"total\":1}" },
		{ "PATH-03 dots", "list", "{\"items\":[{\"path\":\"dev/../prod/db\"}],\"total\":1}", "{\"items\":[],\"total\":0}" },
		{ "PATH-05 percent", "list", "{\"items\":[{\"path\":\"dev/%2e%2e/prod\"}],\"total\":1}", "{\"items\":[],\"total\":0}" },
		{ "a path that is no text", "list", "{\"items\":[{\"path\":{\"p\":\"prod/db\"}}],\"total\":1}", "{\"items\":[],\"total\":0}" },
		{ "no path, but another member", "list", "{\"items\":[{\"secret_path\":\"prod/db\"},{\"note\":\"x\"}]}", "{\"items\":[{\"note\":\"x\"}]}" },
		{ "folder on the way", "list", "{\"items\":[{\"path\":\"prod/\"},{\"path\":\"infra/\"}]}", "{\"items\":[{\"path\":\"prod/\"}]}" },
		{ "joined", "folders", "{\"items\":[{\"folderPath\":\"/dev\",\"key\":\"a\"},{\"folderPath\":\"prod\",\"key\":\"db\"},{\"folderPath\":\"/\",\"key\":\"dev/b\"},{\"folderPath\":\"dev/\",\"key\":\"prod/db\"}]}",
			"{\"items\":[{\"folderPath\":\"/dev\",\"key\":\"a\"},{\"folderPath\":\"/\",\"key\":\"dev/b\"}]}" },
		{ "bare strings", "names", "{\"namespaces\":[\"dev\",\"prod\",\"infra\"],\"total\":3}", "{\"namespaces\":[\"dev\"],\"total\":1}" },
		{ "map names", "map", "{\"by_path\":{\"dev/a\":1,\"prod/db\":2}}", "{\"by_path\":{\"dev/a\":1}}" },
		{ "relative", "relative", "{\"names\":[\"a\",\"root\",\"../x\",\"sub/\"],\"path\":\"x/y\"}", "{\"names\":[\"a\",\"sub/\"],\"path\":\"x/y\"}" },
		{ "beside the items", "list", "{\"items\":[{\"path\":\"dev/a\"}],\"near\":[\"prod/db\",\"dev/c\"]}", "{\"items\":[{\"path\":\"dev/a\"}],\"near\":[\"dev/c\"]}" },
		{ "lone item", "lone", "{\"path\":\"prod/db\"}", REFUSED },
		{ "lone item by another name", "alone", "{\"it\":{\"where\":\"prod/db\"}}", REFUSED },
		{ "PATH-26 the catalog's total", "hits", "{\"items\":[{\"path\":\"dev/a\"}],\"hits\":57,\"cursor\":\"x\"}", "{\"items\":[{\"path\":\"dev/a\"}],\"cursor\":\"x\"}" },
		{ "relative without a name", "rows", "{\"rows\":[{\"title\":\"x\"},{\"name\":\"y\"}]}", "{\"rows\":[{\"name\":\"y\"}]}" },
		{ "lone item inside", "lone", "{\"path\":\"dev/b\"}", NULL },
	};

	ROWS(state, rows);
}

static void names_are_looked_at(void **state)
{
	static const struct row rows[] = {
		{ "array item", "plain", "{\"rows\":[{\"path\":\"prod/db\",\"n\":1},{\"path\":\"dev/a\",\"n\":2}],\"total\":2}", "{\"rows\":[{\"path\":\"dev/a\",\"n\":2}],\"total\":1}" },
		{ "other total", "plain", "{\"rows\":[{\"path\":\"prod/db\"}],\"total\":9}", "{\"rows\":[]}" },
		{ "lone", "about", "{\"path\":\"prod/db\"}", REFUSED },
		{ "lone, deep", "about", "{\"config\":{\"root_credentials_path\":\"prod/db\"}}", REFUSED },
		{ "camel", "about", "{\"secretPath\":\"prod/db\"}", REFUSED },
		{ "namespace and key", "about", "{\"namespace\":\"prod\",\"key\":\"db\"}", REFUSED },
		{ "namespace and key inside", "about", "{\"namespace\":\"prod/app\",\"key\":\"db\"}", NULL },
		{ "folderPath and key", "about", "{\"folderPath\":\"/dev\",\"key\":\"root\"}", REFUSED },
		{ "key", "plain", "{\"rows\":[{\"key\":\"prod/db\"},{\"key\":\"dev/a\"}]}", "{\"rows\":[{\"key\":\"dev/a\"}]}" },
		{ "tags", "about", "{\"id\":\"x\",\"tags\":[{\"key\":\"env\"}],\"metadata\":{\"key\":\"x\"}}", NULL },
		{ "bare strings", "plain", "[\"dev/a\",\"prod/db\",\"word\",\"12/11/2026\"]", "[\"dev/a\",\"word\",\"12/11/2026\"]" },
		{ "map names", "plain", "{\"by\":{\"prod/db\":3,\"dev/a\":1}}", "{\"by\":{\"dev/a\":1}}" },
		{ "map entries", "plain", "{\"by\":{\"x\":{\"path\":\"prod/db\"},\"y\":{\"path\":\"dev/a\"}}}", "{\"by\":{\"y\":{\"path\":\"dev/a\"}}}" },
		{ "patterns", "plain", "{\"r\":[{\"path_pattern\":\"prod/*\"},{\"path_pattern\":\"dev/**\"},{\"path_pattern\":\"pro*\"},{\"path_pattern\":\"infra/*\"},{\"path_pattern\":\"*\"}]}",
			"{\"r\":[{\"path_pattern\":\"prod/*\"},{\"path_pattern\":\"dev/**\"},{\"path_pattern\":\"*\"}]}" },
		{ "scopes", "plain", "{\"scopes\":[\"secrets:read:prod/db\",\"secrets:read:dev/*\"]}", "{\"scopes\":[\"secrets:read:dev/*\"]}" },
		{ "uri", "plain", "{\"r\":[{\"uri\":\"v://secrets/prod/db\"},{\"uri\":\"v://secrets/dev/a\"},{\"uri\":\"v://policies/7\"},{\"uri\":\"https://x/y\"},{\"uri\":\"w://dev/a\"},{\"uri\":\"w://prod/db\"}]}",
			"{\"r\":[{\"uri\":\"v://secrets/dev/a\"},{\"uri\":\"v://policies/7\"},{\"uri\":\"https://x/y\"},{\"uri\":\"w://dev/a\"}]}" },
		{ "JSON in a string", "plain", "{\"r\":[{\"x\":\"{\\\"path\\\":\\\"prod/db\\\"}\"},{\"x\":\"{\\\"path\\\":\\\"dev/a\\\"}\"}]}", "{\"r\":[{\"x\":\"{\\\"path\\\":\\\"dev/a\\\"}\"}]}" },
		{ "list in a string", "plain", "{\"x\":\"{\\\"paths\\\":[\\\"prod/db\\\",\\\"dev/a\\\"]}\"}", "{\"x\":\"{\\\"paths\\\":[\\\"dev/a\\\"]}\"}" },
		{ "names nothing", "about", "{\"id\":\"7\",\"rules\":[{\"min\":3}],\"note\":\"a/b or c\"}", NULL },
		{ "FP-01 other addresses", "about", "{\"uri\":\"urn:x:y\"}", NULL },
		{ "PATH-26 total of an unknown list", "plain", "{\"rows\":[{\"path\":\"dev/a\"}],\"total\":57,\"cursor\":\"x\"}", "{\"rows\":[{\"path\":\"dev/a\"}],\"cursor\":\"x\"}" },
		{ "echo of a relative path", "split", "{\"mount\":\"dev\",\"path\":\"s/t\"}", NULL },
		{ "echo of what was asked", "list", "{\"prefix\":\"dev\",\"rows\":[]}", NULL },
		{ "parent of the allowed", "plain", "{\"prefix\":\"prod\",\"rows\":[\"prod/app/x\"]}", NULL },
	};

	ROWS(state, rows);
}

static void lines_outside_are_cut(void **state)
{
	static const struct row rows[] = {
		{ "lines", "lines", "Found 3 secret(s):\n- dev/a  (type: kv, version: 1)\n- prod/db  (type: kv)\n- dev/root/x  (type: kv)\n", "Found 1 secret(s):\n- dev/a  (type: kv, version: 1)\n" },
		{ "last line without end", "lines", "Found 2 secret(s):\n- dev/a (type: kv)\n- prod/db (type: kv)", "Found 1 secret(s):\n- dev/a (type: kv)\n" },
		{ "nothing to do", "lines", "Found 1 secret(s):\n- dev/a  (type: kv)\n", NULL },
		{ "a pattern that runs away", "slow", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaXbX", REFUSED },
		{ "no list", "lines", "No secrets found in this vault.", NULL },
		{ "a line of another form", "lines", "Found 1 secret(s):\n- dev/a  (type: kv)\nSee also prod/db.\n", "Found 1 secret(s):\n- dev/a  (type: kv)\n" },
		{ "prose outside", "plain", "There is dev/a and prod/db.", REFUSED },
		{ "prose inside", "plain", "There is dev/a, and more and/or less.", NULL },
		{ "prose of other actions", "about", "Stored at x/y.", "Stored at [outside]." },
	};

	ROWS(state, rows);
}

static void values_may_hold_slashes(void **state)
{
	static const struct row rows[] = {
		{ "value", "read", "{\"value\":\"prod/db\",\"path\":\"dev/a\"}", NULL },
		{ "value of members", "read", "{\"value\":{\"path\":\"/usr/bin\",\"list\":[\"a/b\"]}}", NULL },
		{ "text", "read", "prod/db", NULL },
		{ "items of a bulk read", "bulk", "{\"secrets\":[{\"path\":\"prod/db\",\"value\":\"x\"},{\"path\":\"dev/a\",\"value\":\"a/b\"}]}", "{\"secrets\":[{\"path\":\"dev/a\",\"value\":\"a/b\"}]}" },
	};

	ROWS(state, rows);
}

static void every_copy_is_cut(void **state)
{
	struct world *w = *state;

	assert_seen("structured", world_tool(w, "list", ARGS, "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"items\\\":[{\\\"path\\\":\\\"prod/db\\\"}],\\\"total\\\":1}\"}],\"structuredContent\":{\"items\":[{\"path\":\"prod/db\"}],\"total\":1}}"),
		"{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"items\\\":[],\\\"total\\\":0}\"}],\"structuredContent\":{\"items\":[],\"total\":0}}");
	assert_seen("structured, wrapped", world_tool(w, "plain", ARGS, "{\"content\":[],\"structuredContent\":{\"result\":[\"prod/db\",\"dev/a\"]}}"), "{\"content\":[],\"structuredContent\":{\"result\":[\"dev/a\"]}}");
	assert_seen("blocks as items", world_tool(w, "plain", ARGS, "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"path\\\":\\\"prod/db\\\"}\"},{\"type\":\"text\",\"text\":\"{\\\"path\\\":\\\"dev/a\\\"}\"}]}"),
		"{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"path\\\":\\\"dev/a\\\"}\"}]}");
	assert_seen("links", world_tool(w, "plain", ARGS, "{\"content\":[{\"type\":\"resource_link\",\"uri\":\"v://secrets/prod/db\",\"name\":\"x\"},{\"type\":\"resource_link\",\"uri\":\"v://secrets/dev/a\",\"name\":\"y\"}]}"),
		"{\"content\":[{\"type\":\"resource_link\",\"uri\":\"v://secrets/dev/a\",\"name\":\"y\"}]}");
	assert_seen("embedded", world_tool(w, "plain", ARGS, "{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"v://secrets/prod/db\",\"text\":\"x\"}},{\"type\":\"resource\",\"resource\":{\"uri\":\"v://policies/1\",\"text\":\"{\\\"rules\\\":[\\\"prod/db\\\"]}\"}}]}"),
		"{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"v://policies/1\",\"text\":\"{\\\"rules\\\":[]}\"}}]}");
	/* ["prod/db","dev/a"] */
	assert_seen("blob", world_tool(w, "plain", ARGS, "{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"v://policies/1\",\"blob\":\"WyJwcm9kL2RiIiwiZGV2L2EiXQ==\"}}]}"),
		"{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"v://policies/1\",\"blob\":\"WyJkZXYvYSJd\"}}]}");
	assert_seen("structured alone refused", world_tool(w, "about", ARGS, "{\"content\":[],\"structuredContent\":{\"path\":\"prod/db\"}}"), REFUSED);
}

#define READ(u) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":\"" u "\"}}"
#define RESULT(r) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" r "}"

static void resources_are_cut(void **state)
{
	struct world *w = *state;

	assert_seen("list resource", world_answer(w, READ("v://list"), RESULT("{\"contents\":[{\"uri\":\"v://list\",\"text\":\"[\\\"prod/db\\\",\\\"dev/a\\\"]\"}]}")),
		RESULT("{\"contents\":[{\"uri\":\"v://list\",\"text\":\"[\\\"dev/a\\\"]\"}]}"));
	assert_seen("foreign item", world_answer(w, READ("v://secrets/dev/a"), RESULT("{\"contents\":[{\"uri\":\"v://secrets/dev/a\",\"text\":\"x\"},{\"uri\":\"v://secrets/prod/db\",\"text\":\"y\"}]}")),
		RESULT("{\"contents\":[{\"uri\":\"v://secrets/dev/a\",\"text\":\"x\"}]}"));
	assert_seen("nothing left", world_answer(w, READ("v://secrets/dev/a"), RESULT("{\"contents\":[{\"uri\":\"v://secrets/prod/db\",\"text\":\"y\"}]}")), REFUSED);
}

#define COMPLETE(ref, name) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"completion/complete\",\"params\":{\"ref\":" ref ",\"argument\":{\"name\":\"" name "\",\"value\":\"\"}}}"

static void completions_are_cut(void **state)
{
	struct world *w = *state;

	assert_seen("resource", world_answer(w, COMPLETE("{\"type\":\"ref/resource\",\"uri\":\"v://secrets/{path}\"}", "path"), RESULT("{\"completion\":{\"values\":[\"dev/a\",\"prod\",\"infra\"],\"total\":3,\"hasMore\":false}}")),
		RESULT("{\"completion\":{\"values\":[\"dev/a\",\"prod\"],\"total\":2,\"hasMore\":false}}"));
	assert_seen("prompt", world_answer(w, COMPLETE("{\"type\":\"ref/prompt\",\"name\":\"x\"}", "word"), RESULT("{\"completion\":{\"values\":[\"dev/a\",\"prod/db\",\"word\"],\"total\":40,\"hasMore\":true}}")),
		RESULT("{\"completion\":{\"values\":[\"dev/a\",\"word\"],\"hasMore\":true}}"));
}

#define CALL "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"about\",\"arguments\":{\"id\":\"7\"}}}"
#define ERROR(m) "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32600,\"message\":\"" m "\""

static void errors_name_nothing_outside(void **state)
{
	struct world *w = *state;

	assert_seen("message", world_answer(w, CALL, ERROR("Not found; try prod/db") ",\"data\":{\"path\":\"prod/db\"}}}"), ERROR("The vault did not find it.") "}}");
	assert_seen("inside", world_answer(w, CALL, ERROR("Not found: dev/a") ",\"data\":{\"path\":\"dev/a\"}}}"), ERROR("Not found: dev/a") ",\"data\":{\"path\":\"dev/a\"}}}");
	assert_seen("isError", world_tool(w, "about", "{\"id\":\"7\"}", "{\"content\":[{\"type\":\"text\",\"text\":\"Denied: prod/db\"}],\"isError\":true}"),
		"{\"content\":[{\"type\":\"text\",\"text\":\"The vault denied it.\"}],\"isError\":true}");
	assert_seen("a web address", world_answer(w, CALL, ERROR("Not found, see https://x.example/docs") "}}"), ERROR("Not found, see https://x.example/docs") "}}");
}

static void notices_name_nothing_outside(void **state)
{
	struct world *w = *state;

	assert_seen("updated", world_notice(w, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"v://secrets/prod/db\"}}"), REFUSED);
	assert_seen("message", world_notice(w, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":\"secret accessed: prod/db\"}}"), REFUSED);
	assert_seen("inside", world_notice(w, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":\"secret accessed: dev/a\"}}"),
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":\"secret accessed: dev/a\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_outside_are_cut),
		cmocka_unit_test(names_are_looked_at),
		cmocka_unit_test(lines_outside_are_cut),
		cmocka_unit_test(values_may_hold_slashes),
		cmocka_unit_test(every_copy_is_cut),
		cmocka_unit_test(resources_are_cut),
		cmocka_unit_test(completions_are_cut),
		cmocka_unit_test(errors_name_nothing_outside),
		cmocka_unit_test(notices_name_nothing_outside),
	};
	return cmocka_run_group_tests(tests, open_world, close_world);
}
