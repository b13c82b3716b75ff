/* Upstreams: where, what, and how we prove ourselves; no credential ever stands in the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "config_try.h"

#define ROWS(t, ...)                                          \
	do {                                                  \
		const struct try_row rows_[] = { __VA_ARGS__ }; \
		try_rows(t, rows_, sizeof rows_ / sizeof *rows_); \
	} while (0)

static void all_keys_of_a_url(void **state)
{
	static const char *const env[] = { "VAULT_ID=v-17", NULL };
	struct try *t = *state;

	try_load_as(t,
		"upstreams:\n"
		"  vault-1:\n"
		"    catalog: scaivault\n"
		"    url: https://vault.example:8443/mcp?x=1\n"
		"    transport: streamable-http\n"
		"    era: mirror\n"
		"    headers: {X-Vault-ID: \"${VAULT_ID}\"}\n"
		"    credential:\n"
		"      bearer: {file: token}\n"
		"    tls: {ca: ca.pem, certificate: /c.pem, key: k.pem}\n"
		"    proxy: http://proxy.example:3128\n"
		"    timeout: 5s\n"
		"    max_message: 64KiB\n", "/etc/ng/f.yaml", NULL, env);
	assert_string_equal(try_faults(t), "");
	const struct upstream_config *u = &t->config->upstreams[0];

	assert_true(slice_eq(u->name, SL("vault-1")));
	assert_true(slice_eq(u->catalog_name, SL("scaivault")));
	assert_non_null(u->catalog);
	assert_true(slice_eq(u->url, SL("https://vault.example:8443/mcp?x=1")));
	assert_int_equal(u->transport, TRANSPORT_STREAMABLE_HTTP);
	assert_int_equal(u->n_headers, 1);
	assert_true(slice_eq(u->headers[0].value, SL("v-17")));
	assert_int_equal(u->credential.kind, CREDENTIAL_BEARER);
	assert_int_equal(u->credential.secret.from, SECRET_FILE);
	assert_true(slice_eq(u->credential.secret.name, SL("/etc/ng/token")));
	assert_true(slice_eq(u->tls_ca, SL("/etc/ng/ca.pem")));
	assert_true(slice_eq(u->tls_certificate, SL("/c.pem")));
	assert_true(slice_eq(u->tls_key, SL("/etc/ng/k.pem")));
	assert_true(slice_eq(u->proxy, SL("http://proxy.example:3128")));
	assert_int_equal(u->timeout_ms, 5000);
	assert_int_equal(u->max_message_bytes, 65536);
	assert_false(u->inherit_env);
}

static void all_keys_of_a_command(void **state)
{
	static const char *const env[] = { "TOKEN=s3cret", NULL };
	struct try *t = *state;

	try_load(t,
		"upstreams:\n"
		"  v:\n"
		"    command: [scaivault-mcp, --flag]\n"
		"    transport: stdio\n"
		"    env: {SCAIVAULT_URL: 'https://x', SCAIVAULT_TOKEN: \"${TOKEN}\"}\n", NULL, env);
	assert_string_equal(try_faults(t), "");
	const struct upstream_config *u = &t->config->upstreams[0];

	assert_int_equal(u->n_command, 2);
	assert_true(slice_eq(u->command[1], SL("--flag")));
	assert_int_equal(u->transport, TRANSPORT_STDIO);
	assert_int_equal(u->n_env, 2);
	assert_true(slice_eq(u->env[1].value, SL("s3cret")));
	assert_null(u->catalog);
	assert_int_equal(u->catalog_name.n, 0);
	assert_int_equal(u->timeout_ms, 30000);
	assert_int_equal(u->max_message_bytes, 4 << 20);
}

#define U(keys) "upstreams: {v: {" keys "}}\n"
#define URL "url: 'https://x/', "

static void upstream_faults(void **state)
{
	ROWS(*state,
		{ "upstreams: {v: {url: \"http://localhost/mcp\", tls: {ca: a}}}\n",
			"f.yaml:1:46: `tls` has no meaning beside an `http` url\n" },
		{ "upstreams: []\n", "f.yaml:1:12: `upstreams` must be a map of `key: value`, not a list\n" },
		{ "upstreams: {'a b': {url: 'https://x'}}\n",
			"f.yaml:1:13: an upstream's name is letters, digits, `-` and `_`, at most 63\n" },
		{ "upstreams: {'../x': {url: 'https://x'}}\n",
			"f.yaml:1:13: an upstream's name is letters, digits, `-` and `_`, at most 63\n" },
		{ "upstreams: {v: https://x}\n", "f.yaml:1:16: `v` must be a map of `key: value`, not a single value\n" },
		{ U(""), "f.yaml:1:13: upstream `v` needs one of `url` and `command`\n" },
		{ U("url: 'https://x', command: [a]"), "f.yaml:1:13: upstream `v` needs one of `url` and `command`\n" },
		{ U(URL "credentials: {}"), "f.yaml:1:36: unknown key `credentials`: did you mean `credential`?\n" },
		{ U("command: a"), "f.yaml:1:26: `command` must be a list, not a single value\n" },
		{ U("command: []"), "f.yaml:1:26: an empty list\n" },
		{ U("command: [a], transport: sse"), "f.yaml:1:42: `transport: sse` needs `url`, not `command`\n" },
		{ U(URL "transport: http"),
			"f.yaml:1:47: unknown word `http`: known here are auto, streamable-http, stdio, sse\n" },
		{ U(URL "transport: stdio"), "f.yaml:1:47: `transport: stdio` needs `command`, not `url`\n" },
		{ U("command: [a], transport: streamable-http"),
			"f.yaml:1:42: `transport: streamable-http` needs `url`, not `command`\n" },
		{ U(URL "era: translate, catalog: agent-secret-store"),
			"f.yaml:1:41: `era: translate` does not work with a vault that stands one connection only (its catalog says `connections: 1`)\n" },
		{ U(URL "era: miror"), "f.yaml:1:41: unknown word `miror`: did you mean `mirror`?\n" },
		{ U(URL "timeout: 30"), "f.yaml:1:45: `timeout` is a time with its unit, at most 24h: 500ms, 25s, 2m, 1h\n" },
		{ U(URL "max_message: 4MB"),
			"f.yaml:1:49: `max_message` is a size from 1024 to 67108864 bytes: 65536, 64KiB, 4MiB\n" },
		{ U(URL "max_message: 100"),
			"f.yaml:1:49: `max_message` is a size from 1024 to 67108864 bytes: 65536, 64KiB, 4MiB\n" },
		{ U(URL "max_message: 99999999999999MiB"),
			"f.yaml:1:49: `max_message` is a size from 1024 to 67108864 bytes: 65536, 64KiB, 4MiB\n" },
		{ U(URL "env: {A: b}"), "f.yaml:1:36: `env` has no meaning beside `url`\n" },
		{ U("command: [a], credential: {bearer: {env: T}}"), "f.yaml:1:31: `credential` has no meaning beside `command`\n" },
		{ U("command: [a], tls: {ca: x}"), "f.yaml:1:31: `tls` has no meaning beside `command`\n" },
		{ U(URL "tls: {key: x}"), "f.yaml:1:41: `tls.certificate` and `tls.key` go together\n" },
		{ U(URL "tls: {verify: false}"), "f.yaml:1:42: unknown key `verify`: known here are ca, certificate, key\n" },
		{ U(URL "proxy: 'socks5://x'"), "f.yaml:1:43: `proxy` is http://host:port or https://host:port\n" },
		{ U(URL "proxy: 'http://u:p@x'"),
			"f.yaml:1:43: a user or password in a URL is not read: use a proxy that needs none\n" });
}

#define BAD_HTTP "http to another host would show the credential to the network: write https (http is for localhost only)\n"

/* HTTP-18 */
static void http_18_urls(void **state)
{
	ROWS(*state,
		{ U("url: 'http://vault.example/mcp'"), "f.yaml:1:22: " BAD_HTTP },
		{ U("url: 'http://localhost.evil.example/'"), "f.yaml:1:22: " BAD_HTTP },
		{ U("url: 'http://127.0.0.1.evil.example/'"), "f.yaml:1:22: " BAD_HTTP },
		{ U("url: 'http://10.0.0.1/'"), "f.yaml:1:22: " BAD_HTTP },
		{ U("url: 'http://[::2]/'"), "f.yaml:1:22: " BAD_HTTP },
		{ U("url: 'http://0177.0.0.1/'"), "f.yaml:1:22: " BAD_HTTP },
		{ U("url: 'HTTP://x/'"), "f.yaml:1:22: only https, and http to localhost, reach a vault\n" },
		{ U("url: 'ftp://x/'"), "f.yaml:1:22: only https, and http to localhost, reach a vault\n" },
		{ U("url: 'vault.example'"), "f.yaml:1:22: this is no URL: write https://host/path\n" },
		{ U("url: 'https://'"), "f.yaml:1:22: this is no URL: write https://host/path\n" },
		{ U("url: 'https:///x'"), "f.yaml:1:22: this is no URL: write https://host/path\n" },
		{ U("url: 'https://user:hunter2@x/'"), "f.yaml:1:22: a user or password in a URL: use `credential`\n" },
		{ U("url: 'http://localhost\\@evil/'"), "f.yaml:1:22: a character that does not belong in a URL\n" },
		{ U("url: 'http://localhost#@evil/'"), "f.yaml:1:22: a character that does not belong in a URL\n" },
		{ U("url: 'https://x/a b'"), "f.yaml:1:22: a character that does not belong in a URL\n" },
		{ U("url: 'https://x%2ey/'"), "f.yaml:1:22: a character that does not belong in a URL\n" },
		{ U("url: 'http://localhost:8080/mcp'"), NULL }, { U("url: 'http://127.0.0.1/'"), NULL },
		{ U("url: 'http://[::1]:80/'"), NULL }, { U("url: 'https://[2001:db8::1]/'"), NULL });
}

static void ops_07_no_credential_in_the_file(void **state)
{
	ROWS(*state,
		{ U(URL "credential: {bearer: hunter2}"),
			"f.yaml:1:57: a credential must not stand in the file: write `bearer: {file: PATH}` or `bearer: {env: NAME}`\n" },
		{ U(URL "credential: {header: {name: x-agent-key, value: hunter2}}"),
			"f.yaml:1:84: a credential must not stand in the file: write `value: {file: PATH}` or `value: {env: NAME}`\n" },
		{ U(URL "credential: hunter2"),
			"f.yaml:1:48: `credential` holds one of `bearer: {file: PATH}`, `header: {name: …, value: …}`, `agent_token: {url: …, agent_id: …, api_key: …}` and `oauth: {scopes: …}`\n" },
		{ U(URL "credential: {bearer: {env: 'hunter-2'}}"),
			"f.yaml:1:63: `env` holds the name of a variable, never the credential itself\n" },
		{ U(URL "credential: {bearer: {file: a, env: B}}"),
			"f.yaml:1:57: a credential is one of {file: PATH} and {env: NAME}\n" },
		{ U(URL "credential: {bearer: {}}"), "f.yaml:1:57: a credential is one of {file: PATH} and {env: NAME}\n" },
		{ U(URL "credential: {bearer: {fiel: a}}"), "f.yaml:1:58: unknown key `fiel`: did you mean `file`?\n" },
		{ U(URL "credential: {}"), "f.yaml:1:48: `credential` holds exactly one of bearer, header, agent_token, oauth\n" },
		{ U(URL "credential: {bearer: {env: A}, header: {name: x, value: {env: B}}}"),
			"f.yaml:1:48: `credential` holds exactly one of bearer, header, agent_token, oauth\n" },
		{ U(URL "credential: {header: {name: x}}"), "f.yaml:1:57: `header` holds `name` and `value`\n" },
		{ U(URL "credential: {header: {name: 'a b', value: {env: B}}}"), "f.yaml:1:64: `a b` is no header name\n" },
		{ U(URL "credential: {oauth: {client_id: x, token_file: t}}"), "f.yaml:1:56: `oauth` needs `scopes`: all that its token may ever do\n" },
		{ U(URL "credential: {oauth: {scopes: []}}"),
			"f.yaml:1:56: `oauth` needs a `token_file` with a refresh token, or a `client_secret`\n" },
		{ U(URL "credential: {oauth: {client_id: x, scopes: [a], client_secret: hunter2}}"),
			"f.yaml:1:99: a credential must not stand in the file: write `client_secret: {file: PATH}` or `client_secret: {env: NAME}`\n" },
		{ U(URL "credential: {oauth: {scopes: [a], client_secret: {env: S}}}"), "f.yaml:1:56: `client_secret` needs a `client_id`\n" },
		{ U(URL "credential: {oauth: {token_file: t, scopes: ['a b']}}"), "f.yaml:1:80: a scope is one word without quotes or backslashes: write a list of them\n" },
		{ U(URL "credential: {oauth: {token_file: t, scopes: a}}"), "f.yaml:1:80: `scopes` must be a list, not a single value\n" },
		{ U(URL "credential: {oauth: {token_file: t, scopes: [a], issuer: 'http://id.example'}}"), "f.yaml:1:93: " BAD_HTTP },
		{ U(URL "credential: {oauth: {token_file: t, scopes: [a], private_addresses: 1}}"), "f.yaml:1:104: `private_addresses` must be true or false (without quotes)\n" },
		{ U(URL "credential: {oauth: {client_id: x, client_secret: {env: S}, scopes: [vault:read], resource: 'https://vault.example/mcp'}}"), NULL },
		{ U(URL "credential: {oauth: {scopes: [vault:read], token_file: t.json, issuer: 'https://id.example', private_addresses: true}}"), NULL },
		{ U(URL "credential: {agent_token: {}}"), "f.yaml:1:62: `agent_token` holds `url`, `agent_id` and `api_key`\n" },
		{ U(URL "credential: {agent_token: {url: 'http://x/t', agent_id: a, api_key: {env: K}}}"),
			"f.yaml:1:68: http to another host would show the credential to the network: write https (http is for localhost only)\n" },
		{ U(URL "credential: {agent_token: {url: 'https://x/t', agent_id: a, api_key: ocv_x}}"),
			"f.yaml:1:105: a credential must not stand in the file: write `api_key: {file: PATH}` or `api_key: {env: NAME}`\n" },
		{ U(URL "headers: {Authorization: 'Bearer hunter2'}"),
			"f.yaml:1:46: `Authorization` looks like a credential: write `credential: {header: {name: Authorization, value: {file: PATH}}}`\n" },
		{ U(URL "headers: {x-api-key: '${K:-x}'}"),
			"f.yaml:1:46: `x-api-key` looks like a credential: write `credential: {header: {name: x-api-key, value: {file: PATH}}}`\n" },
		{ U(URL "headers: {Content-Length: '1'}"), "f.yaml:1:46: the header `Content-Length` is narrowgate's to set\n" },
		{ U(URL "headers: {Mcp-Param-Path: '1'}"), "f.yaml:1:46: the header `Mcp-Param-Path` is narrowgate's to set\n" },
		{ U(URL "headers: {'a:b': '1'}"), "f.yaml:1:46: `a:b` is no header name\n" },
		{ U(URL "headers: {a: \"x\\r\\nb: y\"}"), "f.yaml:1:49: a control character in a text\n" },
		{ U("command: [a], env: {VAULT_TOKEN: hunter2}"),
			"f.yaml:1:50: `VAULT_TOKEN` looks like a credential, which must not stand in the file: write `\"${VAULT_TOKEN}\"`\n" },
		{ U("command: [a], env: {VAULT_TOKEN: '${T:-hunter2}'}"),
			"f.yaml:1:50: `VAULT_TOKEN` looks like a credential, which must not stand in the file: write `\"${VAULT_TOKEN}\"`\n" },
		{ U("command: [a], env: {'A-B': x}"), "f.yaml:1:37: `A-B` is no name of a variable\n" },
		{ U("command: [a], env: {VAULT_ID: x}"), NULL });
}

static void catalogs_from_files(void **state)
{
	struct try *t = *state;
	char dir[] = "/tmp/narrowgate-test-XXXXXX", file[100], catalog[100];

	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/f.yaml", dir);
	snprintf(catalog, sizeof catalog, "%s/mine.yaml", dir);
	assert_null(try_load_as(t, U(URL "catalog: ./mine.yaml"), file, NULL, NULL));
	assert_non_null(strstr(try_faults(t), "/./mine.yaml`: No such file or directory\n"));
	FILE *f = fopen(catalog, "w");

	assert_non_null(f);
	fputs("catalog: mine\ntools:\n  get_it: {do: read, path: \"{path}\"}\n", f);
	fclose(f);
	try_load_as(t, U(URL "catalog: mine.yaml"), file, NULL, NULL);
	assert_string_equal(try_faults(t), "");
	assert_non_null(catalog_tool(t->config->upstreams[0].catalog, SL("get_it")));
	try_load_as(t, U(URL "catalog: scaivalt"), file, NULL, NULL);
	assert_non_null(strstr(try_faults(t), "no catalog is called `scaivalt`: built in are "));
	unlink(catalog);
	rmdir(dir);
}

static void catalog_flag(void **state)
{
	const struct config_flags generic = { .catalog = SL("generic") };
	struct try *t = *state;

	assert_non_null(try_load(t, U("command: [a]"), &generic, NULL));
	assert_true(slice_eq(t->config->upstreams[0].catalog_name, SL("generic")));
	assert_non_null(t->config->upstreams[0].catalog);
	assert_non_null(try_load(t, U("command: [a], catalog: generic"), &generic, NULL));
	assert_null(try_load(t, U("command: [a], catalog: scaivault"), &generic, NULL));
	assert_string_equal(try_faults(t), "flag --catalog: the file gives `v` the catalog `scaivault`\n");
	assert_null(try_load(t, "version: 1\n", &generic, NULL));
	assert_string_equal(try_faults(t), "flag --catalog: there must be one upstream for it, not 0\n");
}

#define LOCKED(name, tenant) "  " name ": {extends: observer, tenant: " tenant "}\n"
#define AGENT(name, key) "  - {name: " name ", profile: " name ", identify: {api_key_sha256: " key "}}\n"
#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* TEN-06: a vault that takes its tenant from a header is told the locked one, or the file is refused. */
static void ten_06_headers(void **state)
{
	struct try *t = *state;
	static const char one[] = "upstreams: {v: {catalog: 1claw, url: \"https://v.example/mcp\"}}\n"
				  "profiles:\n" LOCKED("a", "v1") "default_profile: a\n";

	try_load(t, one, NULL, NULL);
	assert_string_equal(try_faults(t), "");
	assert_int_equal(t->config->upstreams[0].n_headers, 1);
	assert_true(slice_eq(t->config->upstreams[0].headers[0].name, SL("X-Vault-ID")));
	assert_true(slice_eq(t->config->upstreams[0].headers[0].value, SL("v1")));
	try_load(t,
		"upstreams: {v: {catalog: 1claw, url: \"https://v.example/mcp\", headers: {x-vault-id: v1}}}\n"
		"profiles:\n" LOCKED("a", "v1") "default_profile: a\n",
		NULL, NULL);
	assert_string_equal(try_faults(t), "");
	assert_int_equal(t->config->upstreams[0].n_headers, 1);
	ROWS(t,
		{ "upstreams: {v: {catalog: 1claw, url: \"https://v.example/mcp\", headers: {X-Vault-ID: v2}}}\n"
		  "profiles:\n" LOCKED("a", "v1") "default_profile: a\n",
			"f.yaml:1:13: `X-Vault-ID` is sent as `v2`, but agent `default` is locked to tenant `v1`\n" },
		{ "upstreams: {v: {catalog: 1claw, url: \"https://v.example/mcp\"}}\n"
		  "profiles:\n" LOCKED("a", "v1") LOCKED("b", "v2") "agents:\n" AGENT("a", KEY_A) AGENT("b", KEY_B),
			"f.yaml:1:13: agents of different tenants, or one without, share this vault, which takes the tenant from "
			"`X-Vault-ID`: write that header here, or give each tenant an upstream\n" },
		{ "upstreams: {v: {catalog: 1claw, url: \"https://v.example/mcp\"}}\n"
		  "profiles:\n" LOCKED("a", "v1") "agents:\n" AGENT("a", KEY_A)
		  "  - {name: b, profile: observer, identify: {api_key_sha256: " KEY_B "}}\n",
			"f.yaml:1:13: agents of different tenants, or one without, share this vault, which takes the tenant from "
			"`X-Vault-ID`: write that header here, or give each tenant an upstream\n" },
		{ "upstreams: {v: {catalog: 1claw, command: [x]}}\n"
		  "profiles:\n" LOCKED("a", "v1") "default_profile: a\n",
			"f.yaml:1:13: agent `default` is locked to tenant `v1`, but this vault takes the tenant from `X-Vault-ID`, and a "
			"command is sent no headers: give its `url`, or set the tenant in the command's own settings and leave `tenant` out\n" },
		{ "upstreams: {v: {catalog: 1claw, command: [x]}}\n", NULL },
		{ "upstreams: {v: {catalog: scaivault, url: \"https://v.example/mcp\"}}\n"
		  "profiles:\n" LOCKED("a", "v1") LOCKED("b", "v2") "agents:\n" AGENT("a", KEY_A) AGENT("b", KEY_B), NULL });
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, try_start, try_stop)

/* A pins file is read with the file that names it, and is part of what the configuration is. */
static void pins_files(void **state)
{
	static const char YAML[] = "upstreams: {v: {url: \"https://v.example/mcp\", pins: p.pins}}\n";
	const struct config_flags accepts = { .accepts = true };
	char dir[] = "/tmp/narrowgate-pins-XXXXXX", file[64], pins[64], hash[65], fault[300];
	struct try *t = *state;

	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/f.yaml", dir);
	snprintf(pins, sizeof pins, "%s/p.pins", dir);
	assert_null(try_load_as(t, YAML, file, NULL, NULL));
	snprintf(fault, sizeof fault, "%s:1:53: there is no pins file `%s`: `narrowgate check --accept %s` writes it\n", file, pins, file);
	assert_string_equal(try_faults(t), fault);
	assert_non_null(try_load_as(t, YAML, file, &accepts, NULL));
	assert_null(t->config->upstreams[0].pins);
	for (int i = 0; i < 2; i++) {
		FILE *f = fopen(pins, "w");

		fprintf(f, "{\"tool\":{\"name\":\"tool-%d\"}}\n", i);
		fclose(f);
		assert_non_null(try_load_as(t, YAML, file, NULL, NULL));
		assert_int_equal(pins_count(t->config->upstreams[0].pins), 1);
		assert_true(slice_eq(t->config->upstreams[0].pins_path, slice_of(pins)));
		if (i)
			assert_string_not_equal(t->config->hash, hash);
		memcpy(hash, t->config->hash, sizeof hash);
	}
	assert_null(try_load_as(t, "upstreams:\n  v: {url: \"https://v.example/mcp\", pins: p.pins}\n  w: {url: \"https://v.example/mcp\", pins: p.pins}\n",
		file, NULL, NULL));
	assert_non_null(strstr(try_faults(t), ":3:43: another upstream has this pins file: each vault has its own\n"));
	FILE *f = fopen(pins, "a");
	fprintf(f, "{\"tool\"}");
	fclose(f);
	assert_null(try_load_as(t, YAML, file, &accepts, NULL));
	assert_non_null(strstr(try_faults(t), "p.pins:2:8: no definition in JSON"));
	unlink(pins);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_keys_of_a_url),
		TEST(all_keys_of_a_command),
		TEST(upstream_faults),
		TEST(http_18_urls),
		TEST(ops_07_no_credential_in_the_file),
		TEST(catalogs_from_files),
		TEST(catalog_flag),
		TEST(ten_06_headers),
		TEST(pins_files),
	};
	return cmocka_run_group_tests_name("config_upstreams", tests, NULL, NULL);
}
