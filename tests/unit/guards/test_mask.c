#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "answers.h"

#define DOTS "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"

static const char CATALOG[] =
	"catalog: t\n"
	"tools:\n"
	"  get: {do: read, path: \"{path}\", out: {as: json, values: [\"$.value\"]}}\n"
	"  bare: {do: read, path: \"{path}\"}\n"
	"  fields: {do: read, path: \"{path}\", out: {as: json, values: [\"$.data.**\"], keep: [\"$.note\"]}}\n"
	"  raw: {do: read, path: \"{path}\", out: {as: raw, values: [\"$\"]}}\n"
	"  env: {do: read, path: \"{path}\", out: {as: env}}\n"
	"  yaml: {do: read, path: \"{path}\", out: {as: yaml}}\n"
	"  lines: {do: read, path: \"{path}\", out: {as: lines, line: '^(?<path>\\S+) = (?<value>.*)$', count: '^Found (?<n>\\d+)'}}\n"
	"  prose: {do: read, path: \"{path}\", out: {as: json, after: \"successfully: \", values: [\"$.value\"]}}\n"
	"  joined: {do: read, path: \"{namespace}/{key}\", out: {as: json, values: [\"$.value\"]}}\n"
	"  inner: {do: read, path: \"{path}\", out: {as: json, values: [\"json($.text).value\"]}}\n"
	"  versions: {do: read, path: \"{path}\", out: {as: json, values: [\"$.versions[*].data.**\"]}}\n"
	"  bulk: {do: read, path: \"{folder}\", covers: prefix, out: {as: json, values: [\"$.secrets[*].secretValue\"], items: \"$.secrets[*]\", path: \"{arg.folder}/{secretKey}\"}}\n"
	"  names: {do: read, path: \"{path}\", out: {as: json, values: [\"$.m[~]\"]}}\n"
	"  lease: {do: lease, path: \"{path}\", gives: {lease: \"$.leaseHandle\"}}\n"
	"  issue: {do: issue, out: {as: json, values: [\"$.password\", \"$.connection_url\"]}, gives: {lease: \"$.lease_ref\"}}\n"
	"  token: {do: token, out: {as: json, values: [\"$.token\"]}}\n"
	"  list: {do: list, out: {as: json, values: [], items: \"$.data[*]\", path: \"{path}\"}}\n"
	"  meta: {do: meta, path: \"{path}\"}\n"
	"  write: {do: write, path: \"{path}\", secret_args: [value], out: {as: json, values: [\"$.echo\"]}}\n"
	"  shared: {do: write, path: \"{path}\", out: {as: json, values: [\"json($.payload).x\"]}}\n"
	"  told: {do: write, path: \"{path}\", out: {as: json, after: \"successfully: \", values: []}}\n"
	"  wrapped: {do: read, path: \"{path}\", out: {as: json, values: [\"$.result\"]}}\n"
	"  approve: {do: read, path: \"{path}\", gives: {approval: 're(\"Approval ID: (?<h>[0-9a-z-]+)\")', in: error}, out: {as: json, values: [\"$.value\"]}}\n"
	"resources:\n"
	"  \"v://secrets/{path}\": {do: read, path: \"{path}\", out: {as: json, values: [\"$.value\"]}}\n"
	"  \"v://list\": {do: list}\n"
	"prompts:\n"
	"  show: {do: read}\n"
	"  help: {do: meta}\n";

struct row {
	const char *id, *tool, *text, *expected;
};

static int open_world(void **state)
{
	static struct world w;

	world_open(&w, CATALOG);
	w.policy.mask_values = true;
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

#define ARGS "{\"path\":\"a/b\",\"folder\":\"dev\",\"namespace\":\"n\",\"key\":\"k\"}"

static void assert_rows(struct world *w, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_seen(rows[i].id, world_text(w, rows[i].tool, ARGS, rows[i].text), rows[i].expected);
}
#define ROWS(state, rows) assert_rows(*(state), rows, sizeof rows / sizeof *rows)

static void values_of_reads_are_masked(void **state)
{
	static const struct row rows[] = {
		{ "MASK-01 json", "get", "{\"path\":\"a/b\",\"type\":\"kv\",\"version\":3,\"value\":\"hunter2\"}",
			"{\"path\":\"a/b\",\"type\":\"kv\",\"version\":3,\"value\":\"" DOTS "\"}" },
		{ "MASK-01 bare", "get", "hunter2", DOTS },
		{ "MASK-01 bare, no description", "bare", "hunter2", DOTS },
		{ "MASK-01 a tool nobody knows", "nobody", "hunter2", DOTS },
		{ "MASK-01 bare JSON scalar", "get", "\"hunter2\"", DOTS },
		{ "MASK-01 bare number", "get", "12345", DOTS },
		{ "MASK-28 spacing and order stay", "get", "{ \"version\" : 3,\n  \"value\" : \"x\" }", "{ \"version\" : 3,\n  \"value\" : \"" DOTS "\" }" },
		{ "MASK-03 other name", "get", "{\"Werte\":\"hunter2\"}", "{\"Werte\":\"" DOTS "\"}" },
		{ "MASK-03 other case", "get", "{\"VALUE\":\"hunter2\"}", "{\"VALUE\":\"" DOTS "\"}" },
		{ "MASK-03 nested", "get", "{\"a\":{\"b\":[{\"c\":\"s\"},\"t\"]}}", "{\"a\":{\"b\":[{\"c\":\"" DOTS "\"},\"" DOTS "\"]}}" },
		{ "MASK-03 types stay", "get", "{\"x\":5432,\"y\":true,\"z\":null,\"q\":false}", "{\"x\":0,\"y\":false,\"z\":null,\"q\":false}" },
		{ "MASK-03 JSON in metadata", "get", "{\"message\":\"{\\\"value\\\":\\\"s\\\"}\"}", "{\"message\":\"{\\\"value\\\":\\\"" DOTS "\\\"}\"}" },
		{ "MASK-03 JSON in a value", "get", "{\"blob\":\"{\\\"path\\\":\\\"s\\\"}\"}", "{\"blob\":\"" DOTS "\"}" },
		{ "MASK-03 name escaped", "get", "{\"v\\u0061lue\":\"s\"}", "{\"value\":\"" DOTS "\"}" },
		{ "MASK-03 look-alike of a metadata name", "get", "{\"p\xd0\xb0th\":\"s\"}", "{\"p\xd0\xb0th\":\"" DOTS "\"}" },
		{ "MASK-03 names as values", "names", "{\"m\":{\"s1\":1,\"s2\":2}}", "{\"m\":{\"" DOTS "\":0}}" },
		{ "MASK-03 data of an unknown shape", "bare", "{\"path\":\"a\",\"data\":{\"username\":\"u\",\"id\":\"i\"}}",
			"{\"path\":\"a\",\"data\":{\"username\":\"" DOTS "\",\"id\":\"" DOTS "\"}}" },
		{ "MASK-03 envelope", "bare", "{\"secret\":{\"path\":\"a\",\"value\":\"s\"}}", "{\"secret\":{\"path\":\"a\",\"value\":\"" DOTS "\"}}" },
		{ "all leaves below a selector", "fields", "{\"path\":\"a\",\"data\":{\"username\":\"u\",\"n\":[1]},\"note\":\"keep\",\"other\":\"x\"}",
			"{\"path\":\"a\",\"data\":{\"username\":\"" DOTS "\",\"n\":[0]},\"note\":\"keep\",\"other\":\"" DOTS "\"}" },
		{ "metadata map stays, values in it go", "get", "{\"metadata\":{\"team\":\"x\",\"password\":\"s\",\"n\":1},\"value\":\"v\"}",
			"{\"metadata\":{\"team\":\"x\",\"password\":\"" DOTS "\",\"n\":1},\"value\":\"" DOTS "\"}" },
		{ "MASK-23 length and preview", "get", "{\"metadata\":{\"format\":\"hex\",\"length\":8},\"preview\":\"****1234\"}",
			"{\"metadata\":{\"format\":\"hex\",\"length\":0},\"preview\":\"" DOTS "\"}" },
		{ "MASK-23 empty value", "get", "{\"value\":\"\"}", "{\"value\":\"" DOTS "\"}" },
		{ "MASK-25 versions", "versions", "{\"versions\":[{\"version\":1,\"data\":{\"name\":\"a\"}},{\"version\":2,\"data\":{\"name\":\"b\"}}]}",
			"{\"versions\":[{\"version\":1,\"data\":{\"name\":\"" DOTS "\"}},{\"version\":2,\"data\":{\"name\":\"" DOTS "\"}}]}" },
		{ "MASK-26 issue", "issue", "{\"lease_id\":\"l-1\",\"lease_ref\":\"r-1\",\"username\":\"u\",\"password\":\"s\",\"connection_url\":\"p://u:s@h/d\",\"certificate\":\"-----BEGIN CERTIFICATE-----\"}",
			"{\"lease_id\":\"l-1\",\"lease_ref\":\"r-1\",\"username\":\"u\",\"password\":\"" DOTS "\",\"connection_url\":\"" DOTS "\",\"certificate\":\"-----BEGIN CERTIFICATE-----\"}" },
		{ "whether it worked", "get", "{\"ok\":true,\"success\":\"s\",\"value\":\"v\"}", "{\"ok\":true,\"success\":\"" DOTS "\",\"value\":\"" DOTS "\"}" },
		{ "MASK-24 token", "token", "{\"token\":\"t\",\"scopes\":[\"secrets:read:a/*\"],\"ttl\":60}", "{\"token\":\"" DOTS "\",\"scopes\":[\"secrets:read:a/*\"],\"ttl\":60}" },
		{ "names of items stay", "bulk", "{\"secrets\":[{\"secretKey\":\"A\",\"secretValue\":\"s\",\"x\":\"y\"}]}",
			"{\"secrets\":[{\"secretKey\":\"A\",\"secretValue\":\"" DOTS "\",\"x\":\"" DOTS "\"}]}" },
		{ "the path's own members stay", "joined", "{\"namespace\":\"n\",\"key\":\"k\",\"value\":\"s\"}", "{\"namespace\":\"n\",\"key\":\"k\",\"value\":\"" DOTS "\"}" },
		{ "a key is no metadata elsewhere", "get", "{\"key\":\"sk-1\"}", "{\"key\":\"" DOTS "\"}" },
		{ "JSON in text the catalog knows", "inner", "{\"text\":\"{\\\"value\\\":\\\"s\\\",\\\"path\\\":\\\"p\\\"}\"}",
			"{\"text\":\"{\\\"value\\\":\\\"" DOTS "\\\",\\\"path\\\":\\\"p\\\"}\"}" },
		{ "JSON in text that is none", "inner", "{\"text\":\"s3cret\"}", "{\"text\":\"" DOTS "\"}" },
	};

	ROWS(state, rows);
}

static void texts_of_reads_are_masked(void **state)
{
	static const struct row rows[] = {
		{ "MASK-04 prose", "get", "The value is hunter2.", DOTS },
		{ "MASK-04 JSON with a tail", "get", "{\"value\":\"x\"} hunter2", DOTS },
		{ "MASK-04 code fence", "get", "```json\n{\"value\":\"x\"}\n```", DOTS },
		{ "MASK-06 duplicate member", "get", "{\"path\":\"x\",\"path\":\"hunter2\"}", DOTS },
		{ "prefix of plain words", "prose", "Secret retrieved successfully: {\"value\":\"s\"}", "Secret retrieved successfully: {\"value\":\"" DOTS "\"}" },
		{ "prefix that may hide something", "prose", "Secret hunter2 retrieved successfully: {\"value\":\"s\"}", "successfully: {\"value\":\"" DOTS "\"}" },
		{ "raw", "raw", "hunter2", DOTS },
		{ "raw JSON", "raw", "{\"path\":\"hunter2\"}", DOTS },
		{ "MASK-17 env", "env", "A=1\nexport B='x y'\r\n# old: s\n\nC=\"a\nb\"\nD=", "A=" DOTS "\nexport B='" DOTS "'\r\n#" DOTS "\n\nC=\"" DOTS "\"\nD=" DOTS },
		{ "MASK-17 env as JSON", "env", "{\"PATH\":\"s\",\"N\":1}", "{\"PATH\":\"" DOTS "\",\"N\":0}" },
		{ "MASK-17 PEM in env", "env", "K=-----BEGIN PRIVATE KEY-----\nabc=\n-----END PRIVATE KEY-----\nB=1", "K=" DOTS "\nB=" DOTS },
		{ "MASK-17 continued line", "env", "A=x\\\ny\nB=1", "A=" DOTS "\nB=" DOTS },
		{ "MASK-17 yaml style", "env", "A: \"1\"\nB: x", "A: \"" DOTS "\"\nB: " DOTS },
		{ "MASK-17 value that goes on", "env", "A=x\nhunter2", DOTS },
		{ "MASK-17 tail like a name", "env", "A=x\nhunTer2=", DOTS },
		{ "MASK-17 open quote", "env", "A=\"x\nB=1", DOTS },
		{ "MASK-17 behind the quote", "env", "A=\"x\" hunter2", DOTS },
		{ "yaml", "yaml", "a: x\nb:\n  - y\n  - c: \"z\"\nd: |\n  l1\n  l2\ne: 1 # s\n",
			"a: " DOTS "\nb:\n  - " DOTS "\n  - c: \"" DOTS "\"\nd: " DOTS "\ne: " DOTS "\n" },
		{ "yaml that runs on", "yaml", "a: x\n  hunter2\n", DOTS },
		{ "yaml that runs on like a name", "yaml", "a: x\n  hun: ter2\n", DOTS },
		{ "yaml of another kind", "yaml", "hunter2\n", DOTS },
		{ "lines", "lines", "Found 2 lines\na/b = s1\na/c = s2\n", "Found 2 lines\na/b = " DOTS "\na/c = " DOTS "\n" },
		{ "lines with something else", "lines", "a/b = s1\nhunter2\n", "a/b = " DOTS "\n" DOTS "\n" },
		{ "lines behind something else", "lines", "hunter2\na/b = s1\n", DOTS "\na/b = " DOTS "\n" },
		{ "no lines", "lines", "hunter2\nhunter3", DOTS },
		{ "MASK-22 quotes, lines, backslashes", "get", "{\"value\":\"a\\\"b\\n.*\\\\\\u2022\"}", "{\"value\":\"" DOTS "\"}" },
	};

	ROWS(state, rows);
}

static void other_answers_lose_named_values(void **state)
{
	static const struct row rows[] = {
		{ "MASK-18 list", "list", "{\"data\":[{\"path\":\"a\",\"note\":\"n\",\"value\":\"s\"}],\"token\":\"t\"}",
			"{\"data\":[{\"path\":\"a\",\"note\":\"n\",\"value\":\"" DOTS "\"}],\"token\":\"" DOTS "\"}" },
		{ "MASK-18 data elsewhere", "meta", "{\"data\":{\"path\":\"a\",\"x\":\"s\",\"n\":1}}", "{\"data\":{\"path\":\"a\",\"x\":\"" DOTS "\",\"n\":0}}" },
		{ "MASK-18 ending", "meta", "{\"db_password\":\"s\",\"next_token\":\"c\",\"has_password\":true}", "{\"db_password\":\"" DOTS "\",\"next_token\":\"c\",\"has_password\":true}" },
		{ "MASK-18 spelling", "meta", "{\"Api-Key\":\"s\",\"clientSecret\":\"s\",\"private_key\":\"s\"}", "{\"Api-Key\":\"" DOTS "\",\"clientSecret\":\"" DOTS "\",\"private_key\":\"" DOTS "\"}" },
		{ "MASK-18 look-alike", "meta", "{\"p\xd0\xb0ssword\":\"s\"}", "{\"p\xd0\xb0ssword\":\"" DOTS "\"}" },
		{ "MASK-18 JSON in a string", "meta", "{\"note\":\"{\\\"password\\\":\\\"s\\\"}\"}", "{\"note\":\"{\\\"password\\\":\\\"" DOTS "\\\"}\"}" },
		{ "MASK-18 private key", "meta", "{\"material\":\"-----BEGIN PRIVATE KEY-----\\nx\"}", "{\"material\":\"" DOTS "\"}" },
		{ "MASK-26 lease", "lease", "{\"leaseHandle\":\"h\",\"expiresAt\":\"2026\",\"previews\":[\"ab\"]}", "{\"leaseHandle\":\"h\",\"expiresAt\":\"2026\",\"previews\":[\"" DOTS "\"]}" },
		{ "echo of a write", "write", "{\"path\":\"a\",\"echo\":\"s\",\"note\":\"n\"}", "{\"path\":\"a\",\"echo\":\"" DOTS "\",\"note\":\"n\"}" },
		{ "JSON that is none", "shared", "{\"payload\":\"hunter2\",\"n\":1}", "{\"payload\":\"" DOTS "\",\"n\":1}" },
		{ "FP-03 a path that ends like a value's name", "meta", "- prod/token: v3\nsecret accessed: a/b", "- prod/token: v3\nsecret accessed: a/b" },
		{ "prose", "write", "Stored. password: s3cret\nAPI key = x\ntoken=\"t\" done", "Stored. password: " DOTS "\nAPI key = " DOTS "\ntoken=\"" DOTS "\" done" },
		{ "prose before JSON", "told", "token=abc1 stored successfully: {\"n\":1}", "successfully: {\"n\":1}" },
		{ "prose before JSON that stays", "told", "Stored a-1 successfully: {\"n\":1}", "Stored a-1 successfully: {\"n\":1}" },
		{ "URL in prose", "meta", "postgres://u:s@h/d", "postgres://u:" DOTS "@h/d" },
		{ "PEM in prose", "meta", "x\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\ny", "x\n" DOTS "\ny" },
		{ "FP-03 prose without values", "list", "Found 2 secret(s):\n- prod/token  (type: password, version: 3)\n", "Found 2 secret(s):\n- prod/token  (type: password, version: 3)\n" },
		{ "FP-03 metadata", "meta", "{\"path\":\"a\",\"type\":\"password\",\"n\":1.50,\"b\":true,\"t\":\"x: y\"}", "{\"path\":\"a\",\"type\":\"password\",\"n\":1.50,\"b\":true,\"t\":\"x: y\"}" },
	};

	ROWS(state, rows);
}

static void structured_content_is_masked_too(void **state)
{
	struct world *w = *state;

	assert_seen("MASK-02", world_tool(w, "get", ARGS, "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"value\\\":\\\"s\\\"}\"}],\"structuredContent\":{\"value\":\"s\",\"version\":1}}"),
		"{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"value\\\":\\\"" DOTS "\\\"}\"}],\"structuredContent\":{\"value\":\"" DOTS "\",\"version\":1}}");
	assert_seen("MASK-02 alone", world_tool(w, "get", ARGS, "{\"content\":[],\"structuredContent\":{\"value\":\"s\"}}"), "{\"content\":[],\"structuredContent\":{\"value\":\"" DOTS "\"}}");
	assert_seen("wrapped text", world_tool(w, "env", ARGS, "{\"content\":[],\"structuredContent\":{\"result\":\"A=s\"}}"), "{\"content\":[],\"structuredContent\":{\"result\":\"A=" DOTS "\"}}");
	assert_seen("wrapped value", world_tool(w, "raw", ARGS, "{\"content\":[],\"structuredContent\":{\"result\":\"s\"}}"), "{\"content\":[],\"structuredContent\":{\"result\":\"" DOTS "\"}}");
	assert_seen("wrapped object", world_tool(w, "get", ARGS, "{\"content\":[],\"structuredContent\":{\"result\":{\"value\":\"s\",\"path\":\"p\"}}}"),
		"{\"content\":[],\"structuredContent\":{\"result\":{\"value\":\"" DOTS "\",\"path\":\"p\"}}}");
	assert_seen("a result the catalog knows", world_tool(w, "wrapped", ARGS, "{\"content\":[],\"structuredContent\":{\"result\":{\"path\":\"s\"}}}"),
		"{\"content\":[],\"structuredContent\":{\"result\":{\"path\":\"" DOTS "\"}}}");
	assert_seen("bare root", world_tool(w, "get", ARGS, "{\"content\":[],\"structuredContent\":\"s\"}"), "{\"content\":[],\"structuredContent\":\"" DOTS "\"}");
	assert_seen("other tools", world_tool(w, "meta", ARGS, "{\"content\":[],\"structuredContent\":{\"password\":\"s\",\"n\":1}}"), "{\"content\":[],\"structuredContent\":{\"password\":\"" DOTS "\",\"n\":1}}");
}

static void frames_are_bare(void **state)
{
	struct world *w = *state;

	assert_seen("MASK-05", world_tool(w, "get", ARGS, "{\"content\":[{\"type\":\"text\",\"text\":\"hun\"},{\"type\":\"text\",\"text\":\"ter2\"}]}"),
		"{\"content\":[{\"type\":\"text\",\"text\":\"" DOTS "\"},{\"type\":\"text\",\"text\":\"" DOTS "\"}]}");
	assert_seen("MASK-07", world_tool(w, "get", ARGS, "{\"content\":[{\"type\":\"text\",\"text\":\"{}\",\"annotations\":{\"x\":\"s\"},\"_meta\":{\"y\":\"s\"}}],\"_meta\":{\"v\":\"s\"},\"extra\":\"s\"}"),
		"{\"content\":[{\"type\":\"text\",\"text\":\"{}\"}]}");
	assert_seen("MASK-09", world_tool(w, "get", ARGS, "{\"content\":[{\"type\":\"image\",\"data\":\"aGk=\",\"mimeType\":\"image/png\"},{\"type\":\"audio\",\"data\":\"aGk=\"},{\"type\":\"what\",\"v\":\"s\"},\"s\"]}"),
		"{\"content\":[]}");
	assert_seen("media of other tools", world_tool(w, "meta", ARGS, "{\"content\":[{\"type\":\"image\",\"data\":\"aGk=\",\"mimeType\":\"image/png\"}]}"),
		"{\"content\":[{\"type\":\"image\",\"data\":\"aGk=\",\"mimeType\":\"image/png\"}]}");
	assert_seen("MASK-08 text", world_tool(w, "get", ARGS, "{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"x://hunter2\",\"text\":\"hunter2\",\"title\":\"s\"}}]}"),
		"{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"urn:narrowgate:masked\",\"text\":\"" DOTS "\"}}]}");
	/* {"value":"s","path":"p"} */
	assert_seen("MASK-08 blob", world_tool(w, "get", ARGS, "{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"v://secrets/a/b\",\"blob\":\"eyJ2YWx1ZSI6InMiLCJwYXRoIjoicCJ9\"}}]}"),
		"{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"v://secrets/a/b\",\"blob\":\"eyJ2YWx1ZSI6IuKAouKAouKAouKAouKAouKAoiIsInBhdGgiOiJwIn0=\"}}]}");
	assert_seen("MASK-08 unreadable blob", world_tool(w, "get", ARGS, "{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"v://secrets/a/b\",\"blob\":\"/+7d\"}}]}"),
		"{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"v://secrets/a/b\",\"blob\":\"4oCi4oCi4oCi4oCi4oCi4oCi\"}}]}");
	assert_seen("MASK-08 link", world_tool(w, "get", ARGS, "{\"content\":[{\"type\":\"resource_link\",\"uri\":\"v://secrets/a/b\",\"name\":\"s\",\"description\":\"s\"},{\"type\":\"resource_link\",\"uri\":\"x://s\",\"name\":\"s\"}]}"),
		"{\"content\":[{\"type\":\"resource_link\",\"uri\":\"v://secrets/a/b\",\"name\":\"" DOTS "\"}]}");
}

#define READ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":\"v://secrets/a/b\"}}"
#define PROMPT(n) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/get\",\"params\":{\"name\":\"" n "\"}}"

static void resources_and_prompts_are_masked(void **state)
{
	struct world *w = *state;

	assert_seen("MASK-08 read", world_answer(w, READ, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"contents\":[{\"uri\":\"v://secrets/a/b\",\"mimeType\":\"application/json\",\"text\":\"{\\\"value\\\":\\\"s\\\",\\\"version\\\":1}\",\"x\":\"s\"}],\"y\":\"s\"}}"),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"contents\":[{\"uri\":\"v://secrets/a/b\",\"mimeType\":\"application/json\",\"text\":\"{\\\"value\\\":\\\"" DOTS "\\\",\\\"version\\\":1}\"}]}}");
	assert_seen("MASK-20 prompt", world_answer(w, PROMPT("show"), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"description\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"it is hunter2\"}},{\"role\":\"user\",\"content\":{\"type\":\"image\",\"data\":\"aGk=\"}}]}}"),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"" DOTS "\"}},{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"" DOTS "\"}}]}}");
	assert_seen("MASK-20 other prompt", world_answer(w, PROMPT("help"), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"Rotate it. password: s\"}}]}}"),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"Rotate it. password: " DOTS "\"}}]}}");
}

#define CALL(t) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"" t "\",\"arguments\":{\"path\":\"a/b\"}}}"
#define ERROR(m) "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32600,\"message\":\"" m "\""

static void errors_say_nothing(void **state)
{
	struct world *w = *state;

	assert_seen("MASK-10 isError", world_tool(w, "get", "{\"path\":\"a/b\"}", "{\"content\":[{\"type\":\"text\",\"text\":\"Error 404: no hunter2\"},{\"type\":\"text\",\"text\":\"hunter2\"}],\"structuredContent\":{\"v\":\"s\"},\"isError\":true,\"_meta\":{\"x\":\"s\"}}"),
		"{\"content\":[{\"type\":\"text\",\"text\":\"The vault did not find it. (a/b)\"}],\"isError\":true}");
	assert_seen("MASK-10 JSON-RPC", world_answer(w, CALL("get"), ERROR("Forbidden: value was hunter2") ",\"data\":{\"v\":\"hunter2\"}}}"),
		ERROR("The vault denied it. (a/b)") "}}");
	assert_seen("MASK-10 no known word", world_answer(w, CALL("get"), ERROR("hunter2") "}}"), ERROR("The vault reported an error. (a/b)") "}}");
	assert_seen("MASK-10 expired", world_answer(w, CALL("get"), ERROR("secret 410 gone hunter2") "}}"), ERROR("The vault says it has expired. (a/b)") "}}");
	assert_seen("MASK-10 quota", world_answer(w, CALL("get"), ERROR("402 hunter2") "}}"), ERROR("The vault's quota is used up. (a/b)") "}}");
	assert_seen("MASK-10 a number in a value", world_answer(w, CALL("get"), ERROR("x 14042 y") "}}"), ERROR("The vault reported an error. (a/b)") "}}");
	assert_seen("MASK-10 approval", world_answer(w, CALL("approve"), ERROR("Human approval required. Approval ID: 12ab-3. Value hunter2") "}}"),
		ERROR("Human approval is required. (a/b) Approval ID: 12ab-3") "}}");
	assert_seen("other tools keep their words", world_answer(w, CALL("meta"), ERROR("Not found: a/b; password=s") ",\"data\":{\"token\":\"s\",\"n\":1}}}"),
		ERROR("Not found: a/b; password=" DOTS) ",\"data\":{\"token\":\"" DOTS "\",\"n\":1}}}");
}

static void notices_lose_named_values(void **state)
{
	struct world *w = *state;

	assert_seen("MASK-14", world_notice(w, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":{\"password\":\"s\",\"path\":\"a\"}}}"),
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":{\"password\":\"" DOTS "\",\"path\":\"a\"}}}");
}

static void unmasked_answers_keep_every_byte(void **state)
{
	struct world *w = *state;
	const char *answer = "{ \"content\" : [ {\"type\":\"text\",\"text\":\"{\\\"value\\\":\\\"s\\\"}\"} ], \"_meta\":{} }";

	w->policy.mask_values = false;
	assert_seen("off", world_tool(w, "get", ARGS, answer), answer);
	w->policy.mask_values = true;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_reads_are_masked),
		cmocka_unit_test(texts_of_reads_are_masked),
		cmocka_unit_test(other_answers_lose_named_values),
		cmocka_unit_test(structured_content_is_masked_too),
		cmocka_unit_test(frames_are_bare),
		cmocka_unit_test(resources_and_prompts_are_masked),
		cmocka_unit_test(errors_say_nothing),
		cmocka_unit_test(notices_lose_named_values),
		cmocka_unit_test(unmasked_answers_keep_every_byte),
	};
	return cmocka_run_group_tests(tests, open_world, close_world);
}
