/* The file as a whole, listeners, agents, audit. */
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

static void defaults(void **state)
{
	struct try *t = *state;
	const struct config *c = try_load(t, "version: 1\n", NULL, NULL);

	assert_string_equal(try_faults(t), "");
	assert_int_equal(c->n_mcp, 2);
	assert_true(slice_eq(c->mcp[0].host, SL("127.0.0.1")));
	assert_int_equal(c->mcp[0].port, 8808);
	assert_true(slice_eq(c->mcp[1].host, SL("::1")));
	assert_int_equal(c->mcp[1].port, 8808);
	assert_null(c->admin);
	assert_int_equal(c->drain_ms, 25000);
	assert_int_equal(c->n_upstreams, 0);
	assert_int_equal(c->n_agents, 1);
	assert_true(slice_eq(c->agents[0].name, SL("default")));
	assert_int_equal(c->agents[0].identify, IDENTIFY_LOCAL);
	assert_int_equal(c->agents[0].n_upstreams, 0);
	assert_true(slice_eq(c->agents[0].policy->profile, SL("observer")));
	assert_int_equal(c->audit_file.n, 0);
	assert_false(c->audit_stdout);
	assert_true(slice_eq(c->file, SL("f.yaml")));
}

static void ops_02_broken_files(void **state)
{
	ROWS(*state,
		{ "", "f.yaml:1:1: the file says nothing: write at least `version: 1`\n" },
		{ "# nothing\n", "f.yaml:1:1: the file says nothing: write at least `version: 1`\n" },
		{ "- a\n", "f.yaml:1:1: this must be a map of `key: value`, not a list\n" },
		{ "version: 2\n", "f.yaml:1:10: `version: 2`: this program reads version 1\n" },
		{ "version: [1]\n", "f.yaml:1:10: `version` must be a single value, not a list\n" },
		{ "profile: {}\n", "f.yaml:1:1: unknown key `profile`: did you mean `profiles`?\n" },
		{ "listen: 8808\n", "f.yaml:1:9: `listen` must be a map of `key: value`, not a single value\n" },
		{ "listen:\n", "f.yaml:1:8: `listen` must be a map of `key: value`, not empty\n" },
		{ "profiles: []\n", "f.yaml:1:11: `profiles` must be a map of `key: value`, not a list\n" },
		{ "agents: {}\n", "f.yaml:1:9: `agents` must be a list, not a map of `key: value`\n" },
		{ "default_profile: obsever\n", "f.yaml:1:18: no profile is called `obsever`: did you mean `observer`?\n" },
		{ "default_profile: secure\nprofiles: {mine: {}}\n",
			"f.yaml:1:18: no profile is called `secure`: built in are auditor, observer, open, reader, rotator, writer\n" },
		{ "audit: {fil: x}\n", "f.yaml:1:9: unknown key `fil`: did you mean `file`?\n" },
		{ "audit: {stdout: yes}\n", "f.yaml:1:17: `stdout` must be true or false (without quotes)\n" },
		{ "state: {key: {file: k}}\n", "f.yaml:1:1: `state` is not in this version\n" },
		{ "state: {}\n", NULL },
		{ "version: 1\nvresion: 1\nlisten: {prot: 1}\n",
			"f.yaml:2:1: unknown key `vresion`: did you mean `version`?\n"
			"f.yaml:3:10: unknown key `prot`: known here are mcp, admin, drain, tls, allowed_origins, allowed_hosts\n" });
}

static void an_empty_file_is_no_missing_file(void **state)
{
	struct try *t = *state;

	assert_null(try_load_as(t, "", "/etc/narrowgate/narrowgate.yaml", NULL, NULL));
	assert_non_null(try_load_as(t, NULL, NULL, NULL, NULL));
}

static void listeners(void **state)
{
	struct try *t = *state;
	const struct config *c = try_load(t,
		"listen:\n"
		"  mcp: ['127.0.0.1:1', '[::1]:2', 'localhost:0']\n"
		"  admin: 0.0.0.0:9808\n"
		"  drain: 500ms\n"
		"  allowed_origins: ['https://app.example:8443']\n"
		"  allowed_hosts: [gateway.example]\n", NULL, NULL);

	assert_string_equal(try_faults(t), "");
	assert_int_equal(c->n_mcp, 4);
	assert_true(slice_eq(c->mcp[1].host, SL("::1")));
	assert_int_equal(c->mcp[1].port, 2);
	assert_true(slice_eq(c->mcp[3].host, SL("::1")));
	assert_int_equal(c->mcp[3].port, 0);
	assert_true(slice_eq(c->admin->host, SL("0.0.0.0")));
	assert_int_equal(c->admin->port, 9808);
	assert_int_equal(c->drain_ms, 500);
	assert_int_equal(c->n_allowed_origins, 1);
	assert_int_equal(c->n_allowed_hosts, 1);
	c = try_load(t, "listen: {admin: 'localhost:9808', mcp: 'localhost:1'}\n", NULL, NULL);
	assert_true(slice_eq(c->admin->host, SL("127.0.0.1")));
	assert_int_equal(c->n_mcp, 2);
}

#define NO_ADDRESS "is no address to listen on: write localhost:8808, 127.0.0.1:8808 or [::1]:8808\n"
#define NO_SOCKET "a unix socket is unix:/PATH, an absolute name of at most 107 bytes\n"
#define LONG_NAME "0123456789012345678901234567890123456789012345678901234567"
#define TLS_NEEDS "`listen.tls` needs `certificate` and `key`, each the name of a PEM file\n"
#define OPEN(host) "`mcp: " host "` is open to other machines, but no agent proves who it is: add agents with " \
	"`identify: {api_key_sha256: …}` or `{mtls: …}`, or listen on localhost\n"

static void listener_faults(void **state)
{
	ROWS(*state,
		{ "listen: {mcp: 8808}\n", "f.yaml:1:15: `8808` " NO_ADDRESS },
		{ "listen: {mcp: 'localhost:70000'}\n", "f.yaml:1:15: `localhost:70000` " NO_ADDRESS },
		{ "listen: {mcp: 'localhost:'}\n", "f.yaml:1:15: `localhost:` " NO_ADDRESS },
		{ "listen: {mcp: 'localhost:-1'}\n", "f.yaml:1:15: `localhost:-1` " NO_ADDRESS },
		{ "listen: {mcp: '::1:8808'}\n", "f.yaml:1:15: `::1:8808` " NO_ADDRESS },
		{ "listen: {mcp: '[127.0.0.1]:8808'}\n", "f.yaml:1:15: `[127.0.0.1]:8808` " NO_ADDRESS },
		{ "listen: {mcp: 'example.com:80'}\n", "f.yaml:1:15: `example.com:80` " NO_ADDRESS },
		{ "listen: {mcp: []}\n", "f.yaml:1:15: `mcp` holds 1 to 16 addresses\n" },
		{ "listen: {mcp: {a: 1}}\n", "f.yaml:1:15: `mcp` must be a list, not a map of `key: value`\n" },
		{ "listen: {mcp: 'unix:run/ng.sock'}\n", "f.yaml:1:15: " NO_SOCKET },
		{ "listen: {mcp: 'unix:'}\n", "f.yaml:1:15: " NO_SOCKET },
		{ "listen: {mcp: 'unix:/run/'}\n", "f.yaml:1:15: " NO_SOCKET },
		{ "listen: {mcp: 'unix:/" LONG_NAME LONG_NAME "'}\n", "f.yaml:1:15: " NO_SOCKET },
		{ "listen: {admin: 'unix:/run/ng.sock'}\n",
			"f.yaml:1:17: `admin` is host:port: probes do not come over a unix socket\n" },
		{ "listen: {mcp: '0.0.0.0:8808'}\n", "f.yaml:1:15: " OPEN("0.0.0.0") },
		{ "listen:\n  mcp: ['127.0.0.1:8808', '[::]:8808']\n", "f.yaml:2:27: " OPEN("::") },
		{ "listen: {mcp: '127.1.2.3:8808'}\n", NULL },
		{ "listen: {admin: ['127.0.0.1:1']}\n", "f.yaml:1:17: `admin` must be a single value, not a list\n" },
		{ "listen: {drain: 25}\n", "f.yaml:1:17: `drain` is a time with its unit, at most 24h: 500ms, 25s, 2m, 1h\n" },
		{ "listen: {drain: 0s}\n", "f.yaml:1:17: `drain` is a time with its unit, at most 24h: 500ms, 25s, 2m, 1h\n" },
		{ "listen: {drain: 25h}\n", "f.yaml:1:17: `drain` is a time with its unit, at most 24h: 500ms, 25s, 2m, 1h\n" },
		{ "listen: {drain: 2m}\n", NULL },
		{ "listen: {tls: {certificate: a}}\n", "f.yaml:1:10: " TLS_NEEDS },
		{ "listen: {tls: {key: a, client_ca: b}}\n", "f.yaml:1:10: " TLS_NEEDS },
		{ "listen: {tls: {certificate: a, key: b, ca: c}}\n",
			"f.yaml:1:40: unknown key `ca`: known here are certificate, key, client_ca\n" },
		{ "listen: {tls: {certificate: a, key: ''}}\n", "f.yaml:1:37: an empty text\n" },
		{ "listen:\n  tls:\n    certificate: a\n    key: |\n      -----BEGIN PRIVATE KEY-----\n      MC4CAQ\n",
			"f.yaml:4:10: `tls.key` is the name of a file: what it holds never stands in the configuration\n" },
		{ "listen: {mcp: 'unix:/a', tls: {certificate: a, key: b}}\n",
			"f.yaml:1:26: `listen.tls` has no meaning where every `mcp` address is a unix socket\n" },
		{ "listen: {tls: on}\n", "f.yaml:1:15: `tls` must be a map of `key: value`, not a single value\n" },
		{ "listen: {allowed_origins: ['*']}\n",
			"f.yaml:1:27: `*` is no origin: write https://app.example, without path or wildcard\n" },
		{ "listen: {allowed_hosts: ['a:1']}\n",
			"f.yaml:1:25: `a:1` is no host name: write gateway.example, without port or wildcard\n" },
		{ "listen: {allowed_origins: []}\n", NULL });
}

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "BBbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void agents(void **state)
{
	struct try *t = *state;
	const struct config *c = try_load(t,
		"listen: {mcp: '0.0.0.0:8808'}\n"
		"upstreams: {one: {url: 'https://a/'}, two: {command: [x]}}\n"
		"agents:\n"
		"- {name: a, identify: {api_key_sha256: " KEY_A "}, upstreams: [two]}\n"
		"- {name: b, identify: {api_key_sha256: " KEY_B "}, profile: writer}\n"
		"- {name: c, identify: {local: true}, profile: writer}\n"
		"default_profile: reader\n", NULL, NULL);

	assert_string_equal(try_faults(t), "");
	assert_int_equal(c->n_agents, 3);
	assert_true(slice_eq(c->agents[0].policy->profile, SL("reader")));
	assert_int_equal(c->agents[0].n_upstreams, 1);
	assert_int_equal(c->agents[0].identify, IDENTIFY_API_KEY);
	assert_int_equal(c->agents[0].api_key_sha256[31], 0xaa);
	assert_int_equal(c->agents[1].api_key_sha256[0], 0xbb);
	assert_true(slice_eq(c->agents[1].policy->profile, SL("writer")));
	assert_ptr_equal(c->agents[1].policy, c->agents[2].policy);
	assert_int_equal(c->agents[2].identify, IDENTIFY_LOCAL);
}

#define MTLS "listen: {tls: {certificate: c, key: k, client_ca: a}}\n"

static void tls(void **state)
{
	struct try *t = *state;
	const struct config *c = try_load_as(t,
		"listen: {mcp: ['0.0.0.0:8808', 'unix:/run/ng.sock'], tls: {certificate: tls.crt, key: /k/tls.key, client_ca: ca.crt}}\n"
		"agents:\n"
		"- {name: a, identify: {mtls: {san: 'spiffe://td/ns/x'}}}\n"
		"- {name: b, identify: {mtls: {san: agent.example}}}\n"
		"- {name: c, identify: {mtls: {san: a@b.example}}}\n", "/etc/ng/f.yaml", NULL, NULL);

	assert_string_equal(try_faults(t), "");
	assert_int_equal(c->n_mcp, 2);
	assert_int_equal(c->mcp[0].path.n, 0);
	assert_true(slice_eq(c->mcp[1].path, SL("/run/ng.sock")));
	assert_true(slice_eq(c->tls->certificate.path, SL("/etc/ng/tls.crt")));
	assert_true(slice_eq(c->tls->key.path, SL("/k/tls.key")));
	assert_true(slice_eq(c->tls->client_ca.path, SL("/etc/ng/ca.crt")));
	assert_int_equal(c->tls->key.at.line, 1);
	assert_int_equal(c->agents[0].identify, IDENTIFY_MTLS);
	assert_int_equal(c->agents[0].san.kind, SAN_URI);
	assert_true(slice_eq(c->agents[0].san.text, SL("spiffe://td/ns/x")));
	assert_int_equal(c->agents[1].san.kind, SAN_DNS);
	assert_int_equal(c->agents[2].san.kind, SAN_EMAIL);
	/* On stdio nobody listens. */
	c = try_load(t, "listen: {tls: {certificate: c, key: k}}\n", &(struct config_flags){ .stdio = true }, NULL);
	assert_null(c->tls);
}

static void agent_faults(void **state)
{
	ROWS(*state,
		{ "agents: []\n", "f.yaml:1:9: `agents` holds 1 to 1000 agents; leave it out for one local caller\n" },
		{ "agents:\n- x\n", "f.yaml:2:3: this must be a map of `key: value`, not a single value\n" },
		{ "agents:\n- {name: a}\n",
			"f.yaml:2:3: an agent without `identify`: write `identify: {local: true}`, an api_key_sha256 or `mtls: {san: …}`\n" },
		{ "agents:\n- identify: {local: true}\n", "f.yaml:2:3: an agent without `name`\n" },
		{ "agents:\n- {name: a, identify: {local: false}}\n", "f.yaml:2:31: `local` is true, or left out\n" },
		{ "agents:\n- {name: a, identify: {}}\n",
			"f.yaml:2:23: `identify` holds exactly one of api_key_sha256, mtls, local\n" },
		{ "agents:\n- {name: a, identify: {api_key_sha256: hunter2}}\n",
			"f.yaml:2:40: `api_key_sha256` is the SHA-256 of the key in 64 hex digits (`printf %s KEY | sha256sum`), never the key\n" },
		{ "agents:\n- {name: a, identify: {api_key_sha256: "
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}}\n",
			"f.yaml:2:40: `api_key_sha256` is the hash of an empty key\n" },
		{ "agents:\n- {name: a, identify: {jwt: {issuer: x}}}\n", "f.yaml:2:24: `identify: jwt` is not in this version\n" },
		{ "agents:\n- {name: a, identify: {mtls: {san: x}}}\n", "f.yaml:2:24: `identify: mtls` needs `listen.tls.client_ca`: "
			"no client certificate would be asked for\n" },
		{ MTLS "agents:\n- {name: a, identify: {mtls: {}}}\n",
			"f.yaml:3:24: `mtls` needs `san`: a URI, DNS name or e-mail address of the client certificate\n" },
		{ MTLS "agents:\n- {name: a, identify: {mtls: {san: '*.example'}}}\n",
			"f.yaml:3:36: `san` is compared as it stands: wildcards have no meaning in it\n" },
		{ MTLS "agents:\n- {name: a, identify: {mtls: {san: x}}}\n- {name: b, identify: {mtls: {san: x}}}\n",
			"f.yaml:4:3: `a` and `b` have the same `mtls.san`\n" },
		{ MTLS "agents:\n- {name: a, identify: {mtls: {san: x}}}\n- {name: b, identify: {mtls: {san: y}}}\n", NULL },
		{ "agents:\n- {name: a, identify: {locl: true}}\n", "f.yaml:2:24: unknown key `locl`: did you mean `local`?\n" },
		{ "agents:\n- {name: a, identify: {local: true}, upstreams: [v]}\n", "f.yaml:2:49: no upstream is called `v`\n" },
		{ "agents:\n- {name: a, identify: {local: true}, upstreams: []}\n", "f.yaml:2:49: an empty list\n" },
		{ "agents:\n- {name: a, identify: {local: true}, profile: raeder}\n",
			"f.yaml:2:47: no profile is called `raeder`: did you mean `reader`?\n" },
		{ "agents:\n- {name: a, identify: {local: true}}\n- {name: a, identify: {api_key_sha256: " KEY_A "}}\n",
			"f.yaml:3:3: agent `a` is given twice: first in line 2\n" },
		{ "agents:\n- {name: a, identify: {local: true}}\n- {name: b, identify: {local: true}}\n",
			"f.yaml:3:3: `a` and `b` are both `local`: nobody could tell them apart\n" },
		{ "agents:\n- {name: a, identify: {api_key_sha256: " KEY_A "}}\n- {name: b, identify: {api_key_sha256: " KEY_A "}}\n",
			"f.yaml:3:3: `a` and `b` have the same api_key_sha256\n" },
		{ "listen: {mcp: '0.0.0.0:1'}\nagents:\n- {name: a, identify: {local: true}}\n", "f.yaml:1:15: " OPEN("0.0.0.0") });
}

static void stdio_front(void **state)
{
	struct try *t = *state;
	const struct config_flags flags = { .stdio = true };

	assert_null(try_load(t, "audit: {stdout: true}\n", &flags, NULL));
	assert_string_equal(try_faults(t),
		"f.yaml:1:17: `audit.stdout` cannot be where the agent is on stdio: use `audit.file`\n");
	assert_non_null(try_load(t, "listen: {mcp: '0.0.0.0:8808'}\n", &flags, NULL));
	assert_null(try_load(t, "agents:\n- {name: a, identify: {api_key_sha256: " KEY_A "}}\n", &flags, NULL));
	assert_string_equal(try_faults(t),
		"f.yaml: no agent is `identify: {local: true}`: the caller on stdio would be nobody\n");
}

static void audit_paths_start_at_the_file(void **state)
{
	struct try *t = *state;

	assert_non_null(try_load_as(t, "audit: {file: audit.jsonl, stdout: true}\n", "/etc/ng/f.yaml", NULL, NULL));
	assert_true(slice_eq(t->config->audit_file, SL("/etc/ng/audit.jsonl")));
	assert_true(t->config->audit_stdout);
	assert_non_null(try_load_as(t, "audit: {file: /var/a}\n", "/etc/ng/f.yaml", NULL, NULL));
	assert_true(slice_eq(t->config->audit_file, SL("/var/a")));
	assert_non_null(try_load_as(t, "audit: {file: a}\n", "f.yaml", NULL, NULL));
	assert_true(slice_eq(t->config->audit_file, SL("a")));
}

static void variables_in_texts(void **state)
{
	static const char *const env[] = { "TEAM=payments", "EMPTY=", NULL };
	static const struct {
		const char *tenant, *becomes, *fault;
	} rows[] = {
		{ "${TEAM}", "payments", NULL },
		{ "x-${TEAM}-y-${TEAM}", "x-payments-y-payments", NULL },
		{ "${NOPE:-dflt}", "dflt", NULL },
		{ "${EMPTY:-dflt}", "dflt", NULL },
		{ "${TEAM:-dflt}", "payments", NULL },
		{ "a$$b", "a$b", NULL },
		{ "$${TEAM}", "${TEAM}", NULL },
		{ "a$b", "a$b", NULL },
		{ "${NOPE}", NULL, "the variable `NOPE` is not set: set it, or write `${NOPE:-default}`" },
		{ "${EMPTY}", NULL, "an empty text" },
		{ "${NOPE:-}", NULL, "an empty text" },
		{ "${TEAM", NULL, "`${` without its `}`; write `$$` for a dollar" },
		{ "${}", NULL, "`${…}` holds a variable's name, or a name and `:-` and a default" },
		{ "${1A}", NULL, "`${…}` holds a variable's name, or a name and `:-` and a default" },
		{ "${TEAM-x}", NULL, "`${…}` holds a variable's name, or a name and `:-` and a default" },
	};
	struct try *t = *state;
	char yaml[200], fault[300];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(yaml, sizeof yaml, "default_profile: p\nprofiles: {p: {tenant: \"%s\"}}\n", rows[i].tenant);
		snprintf(fault, sizeof fault, "f.yaml:2:24: %s\n", rows[i].fault);
		try_load(t, yaml, NULL, env);
		assert_string_equal(try_faults(t), rows[i].fault ? fault : "");
		if (!rows[i].fault)
			assert_true(slice_eq(t->config->agents[0].policy->tenant.text, slice_of(rows[i].becomes)));
	}
}

static void control_characters_are_refused(void **state)
{
	static const char *const env[] = { "BAD=a\r\nb", NULL };
	struct try *t = *state;

	assert_null(try_load(t, "profiles: {p: {tenant: \"${BAD}\"}}\n", NULL, env));
	assert_string_equal(try_faults(t), "f.yaml:1:24: a control character in a text\n");
}

static void hash_tells_configurations_apart(void **state)
{
	static const char *const env[] = { "NARROWGATE_READ_ONLY=true", NULL };
	const struct slice allow = SL("a");
	const struct config_flags flags = { .allow = &allow, .n_allow = 1 };
	struct try *t = *state;
	char first[65];

	strcpy(first, try_load(t, "version: 1\n", NULL, NULL)->hash);
	assert_int_equal(strlen(first), 64);
	assert_string_equal(try_load(t, "version: 1\n", NULL, NULL)->hash, first);
	assert_string_not_equal(try_load(t, "version: 1 \n", NULL, NULL)->hash, first);
	assert_string_not_equal(try_load(t, "version: 1\n", NULL, env)->hash, first);
	assert_string_not_equal(try_load(t, "version: 1\n", &flags, NULL)->hash, first);
}

static void references_are_counted(void **state)
{
	struct try *t = *state;
	struct config *c = config_ref(try_load(t, "version: 1\nupstreams: {v: {url: 'https://x', catalog: generic}}\n", NULL, NULL));

	try_load(t, "version: 1\n", NULL, NULL);
	assert_true(slice_eq(c->upstreams[0].name, SL("v")));
	config_unref(c);
	config_unref(NULL);
}

static void read_file(void **state)
{
	struct arena arena;
	struct slice text;
	char path[] = "/tmp/narrowgate-test-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	arena_init(&arena, 32 << 20);
	assert_int_equal(write(fd, "version: 1\n", 11), 11);
	assert_int_equal(config_read_file(path, &arena, &text), E_OK);
	assert_true(slice_eq(text, SL("version: 1\n")));
	assert_int_equal(ftruncate(fd, (4 << 20) + 1), 0);
	assert_int_equal(config_read_file(path, &arena, &text), E_TOO_BIG);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(config_read_file(path, &arena, &text), E_OK);
	assert_int_equal(text.n, 0);
	close(fd);
	unlink(path);
	assert_int_equal(config_read_file(path, &arena, &text), E_IO);
	assert_int_equal(config_read_file("/", &arena, &text), E_IO);
	arena_finish(&arena);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, try_start, try_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults),
		TEST(ops_02_broken_files),
		TEST(an_empty_file_is_no_missing_file),
		TEST(listeners),
		TEST(listener_faults),
		TEST(agents),
		TEST(tls),
		TEST(agent_faults),
		TEST(stdio_front),
		TEST(audit_paths_start_at_the_file),
		TEST(variables_in_texts),
		TEST(control_characters_are_refused),
		TEST(hash_tells_configurations_apart),
		TEST(references_are_counted),
		TEST(read_file),
	};
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
