/* The environment and the command line: alone they are the profile, beside a file they only narrow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "config_try.h"

static void nothing_given_is_observer(void **state)
{
	struct try *t = *state;

	assert_non_null(try_load(t, NULL, NULL, NULL));
	assert_true(slice_eq(t->config->agents[0].policy->profile, SL("observer")));
	assert_true(t->config->agents[0].policy->read_only && t->config->agents[0].policy->mask_values);
}

static void variables_alone_are_the_profile(void **state)
{
	static const char *const env[] = { "SCAIVAULT_READ_ONLY=true", "SCAIVAULT_ALLOWED_PATHS=integrations/, tmp",
		"SCAIVAULT_DENIED_PATHS=integrations/stripe/", "SCAIVAULT_TENANT_ID=acme", "SCAIVAULT_PARTNER_ID=p1", NULL };
	struct try *t = *state;

	try_load(t, NULL, NULL, env);
	assert_string_equal(try_faults(t), "");
	assert_string_equal(try_print(t),
		"profile: environment\n"
		"read_only: true  (environment SCAIVAULT_READ_ONLY)\n"
		"mask_values: false  (default)\n"
		"exfiltration: block  (default)\n"
		"redact_secrets: true  (default)\n"
		"allowed_paths: integrations/  (environment SCAIVAULT_ALLOWED_PATHS)\n"
		"allowed_paths: tmp/  (environment SCAIVAULT_ALLOWED_PATHS)\n"
		"denied_paths: integrations/stripe/  (environment SCAIVAULT_DENIED_PATHS)\n"
		"tenant: acme  (environment SCAIVAULT_TENANT_ID)\n"
		"partner: p1  (environment SCAIVAULT_PARTNER_ID)\n"
		"actions: all  (default)\n"
		"tools: all  (default)\n"
		"unknown_tools: deny  (default)\n"
		"enforce: true  (default)\n");
}

static void absent_is_off(void **state)
{
	static const char *const env[] = { "NARROWGATE_MASK_VALUES=1", NULL };
	struct try *t = *state;

	assert_non_null(try_load(t, NULL, NULL, env));
	assert_true(t->config->agents[0].policy->mask_values);
	assert_false(t->config->agents[0].policy->read_only);
}

static void booleans_in_every_spelling(void **state)
{
	static const char *const yes[] = { "true", "TRUE", "1", "yes", "On", " true " };
	static const char *const no[] = { "false", "0", "No", "off" };
	static const char *const neither[] = { "tru", "2", "y", "enabled", "true false" };
	struct try *t = *state;
	char text[100];
	const char *env[] = { text, NULL };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		snprintf(text, sizeof text, "SCAIVAULT_READ_ONLY=%s", yes[i]);
		assert_non_null(try_load(t, NULL, NULL, env));
		assert_true(t->config->agents[0].policy->read_only);
	}
	for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
		snprintf(text, sizeof text, "SCAIVAULT_READ_ONLY=%s", no[i]);
		assert_non_null(try_load(t, NULL, NULL, env));
		assert_false(t->config->agents[0].policy->read_only);
	}
	for (size_t i = 0; i < sizeof neither / sizeof *neither; i++) {
		snprintf(text, sizeof text, "SCAIVAULT_READ_ONLY=%s", neither[i]);
		assert_null(try_load(t, NULL, NULL, env));
		assert_string_equal(try_faults(t), "environment SCAIVAULT_READ_ONLY: SCAIVAULT_READ_ONLY must be true or "
						   "false, 1 or 0, yes or no, on or off\n");
	}
}

struct env_row {
	const char *yaml, *env[3], *faults; /* faults NULL: it loads */
};

static void check_rows(struct try *t, const struct env_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *got;

		try_load(t, rows[i].yaml, NULL, rows[i].env);
		got = try_faults(t);
		if (strcmp(got, rows[i].faults ? rows[i].faults : ""))
			fail_msg("\n%s under %s gave\n%s\nexpected\n%s", rows[i].yaml ? rows[i].yaml : "no file", rows[i].env[0], got,
				rows[i].faults ? rows[i].faults : "");
	}
}

static void broken_variables(void **state)
{
	static const struct env_row rows[] = {
		{ NULL, { "SCAIVAULT_ALLOWED_PATHS=" },
			"environment SCAIVAULT_ALLOWED_PATHS: SCAIVAULT_ALLOWED_PATHS is set but empty: unset it, or say what it should be\n" },
		{ NULL, { "NARROWGATE_DENIED_PATHS= " },
			"environment NARROWGATE_DENIED_PATHS: NARROWGATE_DENIED_PATHS is set but empty: unset it, or say what it should be\n" },
		{ NULL, { "SCAIVAULT_TENANT_ID=" },
			"environment SCAIVAULT_TENANT_ID: SCAIVAULT_TENANT_ID is set but empty: unset it, or say what it should be\n" },
		{ NULL, { "SCAIVAULT_ALLOWED_PATHS=a,,b" },
			"environment SCAIVAULT_ALLOWED_PATHS: SCAIVAULT_ALLOWED_PATHS has an empty item between its commas\n" },
		{ NULL, { "SCAIVAULT_ALLOWED_PATHS=a,b," },
			"environment SCAIVAULT_ALLOWED_PATHS: SCAIVAULT_ALLOWED_PATHS has an empty item between its commas\n" },
		{ NULL, { "SCAIVAULT_ALLOWED_PATHS=a/*" },
			"environment SCAIVAULT_ALLOWED_PATHS: `a/*`: wildcards do not stand in prefixes; `a/b` already covers all below it\n" },
		{ NULL, { "SCAIVAULT_TENANT_ID=a\nb" }, "environment SCAIVAULT_TENANT_ID: SCAIVAULT_TENANT_ID holds a control character\n" },
		{ NULL, { "SCAIVAULT_READ_ONLY=true", "NARROWGATE_READ_ONLY=false" },
			"environment SCAIVAULT_READ_ONLY: says something else than NARROWGATE_READ_ONLY: set only one of them\n" },
		{ NULL, { "SCAIVAULT_READ_ONLY=true", "NARROWGATE_READ_ONLY=true" }, NULL },
	};

	check_rows(*state, rows, sizeof rows / sizeof *rows);
}

#define LATER(variable, value)                        \
	"environment " variable ": " variable "=" value \
	" asks for a guard that is not in this version: unset it, or switch it off\n"

static void guards_of_later_versions(void **state)
{
	static const struct env_row rows[] = {
		{ NULL, { "ONECLAW_MCP_EXFIL_PROTECTION=block" }, NULL },
		{ NULL, { "ONECLAW_MCP_EXFIL_PROTECTION=warn" }, NULL },
		{ NULL, { "ONECLAW_MCP_EXFIL_PROTECTION=off" }, NULL },
		{ NULL, { "ONECLAW_MCP_EXFIL_PROTECTION=maybe" }, 
			"environment ONECLAW_MCP_EXFIL_PROTECTION: ONECLAW_MCP_EXFIL_PROTECTION is one of block, warn, off\n" },
		{ NULL, { "ONECLAW_MCP_SANITIZATION_MODE=block" }, LATER("ONECLAW_MCP_SANITIZATION_MODE", "block") },
		{ NULL, { "ONECLAW_MCP_SANITIZATION_MODE=surgical" }, LATER("ONECLAW_MCP_SANITIZATION_MODE", "surgical") },
		{ NULL, { "ONECLAW_MCP_SANITIZATION_MODE=log_only" }, NULL },
		{ NULL, { "ONECLAW_MCP_REDACT_SECRETS=true" }, NULL },
		{ NULL, { "NARROWGATE_REDACT_SECRETS=false" }, NULL },
		{ NULL, { "ONECLAW_MCP_PII_DETECTION=1" }, LATER("ONECLAW_MCP_PII_DETECTION", "1") },
		{ NULL, { "ONECLAW_MCP_PII_DETECTION=0" }, NULL },
		{ NULL, { "ONECLAW_MCP_SECURITY_ENABLED=true" }, LATER("ONECLAW_MCP_SECURITY_ENABLED", "true") },
		{ NULL, { "ONECLAW_MCP_SECURITY_ENABLED=false" }, NULL },
		{ NULL, { "ONECLAW_LOCAL_ONLY=true" }, LATER("ONECLAW_LOCAL_ONLY", "true") },
		{ NULL, { "ONECLAW_LOCAL_ONLY=false" }, NULL },
	};
	static const char *const off[] = { "ONECLAW_MCP_SECURITY_ENABLED=false", NULL };
	static const char *const warn[] = { "ONECLAW_MCP_EXFIL_PROTECTION=warn", NULL };
	static const char *const no_redaction[] = { "NARROWGATE_REDACT_SECRETS=false", NULL };
	static const char *const exfil_off[] = { "ONECLAW_MCP_EXFIL_PROTECTION=off", NULL };
	struct try *t = *state;

	check_rows(t, rows, sizeof rows / sizeof *rows);
	try_load(t, NULL, NULL, off);
	assert_int_equal(t->config->n_absent_guards, 0); /* inspection and pii are off */
	try_load(t, NULL, NULL, warn);
	assert_int_equal(t->config->n_absent_guards, 2);
	assert_int_equal(t->config->agents[0].policy->exfiltration, EXFILTRATION_WARN);
	try_load(t, NULL, NULL, exfil_off);
	assert_int_equal(t->config->agents[0].policy->exfiltration, EXFILTRATION_OFF);
	assert_true(t->config->agents[0].policy->redact_secrets);
	try_load(t, NULL, NULL, no_redaction);
	assert_int_equal(t->config->agents[0].policy->exfiltration, EXFILTRATION_BLOCK);
	assert_false(t->config->agents[0].policy->redact_secrets);
}

#define FILE_P "default_profile: p\nprofiles:\n  p: {extends: observer, allowed_paths: [a, b/c], tenant: acme}\n"

static void ops_03_beside_a_file_they_only_narrow(void **state)
{
	static const struct env_row rows[] = {
		{ FILE_P, { "SCAIVAULT_READ_ONLY=true" }, NULL },
		{ FILE_P, { "SCAIVAULT_READ_ONLY=false" },
			"environment SCAIVAULT_READ_ONLY: `read_only: false` would widen `p`, which says `read_only: true` (built-in observer:2)\n" },
		{ FILE_P, { "SCAIVAULT_MASK_VALUES=0" },
			"environment SCAIVAULT_MASK_VALUES: `mask_values: false` would widen `p`, which says `mask_values: true` (built-in observer:3)\n" },
		{ FILE_P, { "SCAIVAULT_ALLOWED_PATHS=a/x,b/c" }, NULL },
		{ FILE_P, { "SCAIVAULT_ALLOWED_PATHS=a,c" },
			"environment SCAIVAULT_ALLOWED_PATHS: `c` would widen: it reaches outside what the profile allows\n" },
		{ FILE_P, { "SCAIVAULT_ALLOWED_PATHS=b" },
			"environment SCAIVAULT_ALLOWED_PATHS: `b` would widen: it reaches outside what the profile allows\n" },
		{ FILE_P, { "SCAIVAULT_ALLOWED_PATHS=ab" },
			"environment SCAIVAULT_ALLOWED_PATHS: `ab` would widen: it reaches outside what the profile allows\n" },
		{ FILE_P, { "SCAIVAULT_DENIED_PATHS=zzz" }, NULL },
		{ FILE_P, { "SCAIVAULT_TENANT_ID=acme" }, NULL },
		{ FILE_P, { "SCAIVAULT_TENANT_ID=other" },
			"environment SCAIVAULT_TENANT_ID: `tenant: other` would widen `p`, which is locked to `acme`\n" },
		{ FILE_P, { "SCAIVAULT_PARTNER_ID=other" }, NULL },
		{ FILE_P, { "ONECLAW_MCP_EXFIL_PROTECTION=warn" },
			"environment ONECLAW_MCP_EXFIL_PROTECTION: `exfiltration: warn` would widen `p`, where it is `block` unless said otherwise\n" },
		{ FILE_P, { "ONECLAW_MCP_REDACT_SECRETS=false" },
			"environment ONECLAW_MCP_REDACT_SECRETS: `redact_secrets: false` would widen `p`, where it is `true` unless said otherwise\n" },
		{ FILE_P, { "ONECLAW_MCP_EXFIL_PROTECTION=block" }, NULL },
		{ "default_profile: p\nprofiles: {p: {exfiltration: off}}\n", { "ONECLAW_MCP_EXFIL_PROTECTION=warn" }, NULL },
		{ FILE_P, { "ONECLAW_MCP_SECURITY_ENABLED=false" },
			"environment ONECLAW_MCP_SECURITY_ENABLED: `inspection: off` would widen `p`, where it is `block` unless said otherwise\n"
			"environment ONECLAW_MCP_SECURITY_ENABLED: `pii: false` would widen `p`, where it is `true` unless said otherwise\n" },
		{ "default_profile: p\nprofiles: {p: {exfiltration: off}}\n", { "ONECLAW_MCP_EXFIL_PROTECTION=off" }, NULL },
		{ "default_profile: p\nprofiles: {p: {}}\n", { "SCAIVAULT_READ_ONLY=false" }, NULL },
	};

	check_rows(*state, rows, sizeof rows / sizeof *rows);
}

static void what_is_left_is_the_intersection(void **state)
{
	static const char *const env[] = { "NARROWGATE_ALLOWED_PATHS=a/x,b/c", "NARROWGATE_DENIED_PATHS=a/x/y",
		"NARROWGATE_PARTNER_ID=p1", NULL };
	struct try *t = *state;

	try_load(t, FILE_P, NULL, env);
	assert_string_equal(try_faults(t), "");
	assert_string_equal(try_print(t),
		"profile: p\n"
		"read_only: true  (built-in observer:2:12)\n"
		"mask_values: true  (built-in observer:3:14)\n"
		"exfiltration: block  (default)\n"
		"redact_secrets: true  (default)\n"
		"allowed_paths: a/x/  (environment NARROWGATE_ALLOWED_PATHS)\n"
		"allowed_paths: b/c/  (f.yaml:3:45)\n"
		"denied_paths: a/x/y/  (environment NARROWGATE_DENIED_PATHS)\n"
		"tenant: acme  (f.yaml:3:59)\n"
		"partner: p1  (environment NARROWGATE_PARTNER_ID)\n"
		"actions: all  (default)\n"
		"tools: all  (default)\n"
		"unknown_tools: deny  (default)\n"
		"enforce: true  (default)\n");
}

static void every_agent_is_narrowed(void **state)
{
	static const char *const env[] = { "NARROWGATE_ALLOWED_PATHS=a/x", "NARROWGATE_READ_ONLY=true", NULL };
	static const char yaml[] =
		"profiles: {p: {allowed_paths: [a]}, q: {allowed_paths: [b]}, unused: {read_only: false}}\n"
		"agents:\n"
		"- {name: one, profile: p, identify: {local: true}}\n"
		"- {name: two, profile: q, identify: {api_key_sha256: "
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}\n";
	struct try *t = *state;

	try_load(t, yaml, NULL, env);
	assert_string_equal(try_faults(t), "");
	for (size_t i = 0; i < 2; i++)
		assert_true(t->config->agents[i].policy->read_only);
	assert_int_equal(t->config->agents[0].policy->allowed.n, 1);
	assert_true(slice_eq(t->config->agents[0].policy->allowed.v[0].path.text, SL("a/x")));
	assert_true(t->config->agents[1].policy->allowed.set);
	assert_int_equal(t->config->agents[1].policy->allowed.n, 0);
}

static void flags_narrow(void **state)
{
	static const struct slice allow[] = { { "a/x/", 4 } }, deny[] = { { "a/x/y", 5 } };
	const struct config_flags flags = { .profile = SL("auditor"), .allow = allow, .n_allow = 1, .deny = deny, .n_deny = 1,
		.tenant = SL("acme") };
	struct try *t = *state;

	try_load(t, FILE_P, &flags, NULL);
	assert_string_equal(try_faults(t), "");
	assert_string_equal(try_print(t),
		"profile: p+auditor\n"
		"read_only: true  (built-in observer:2:12)\n"
		"mask_values: true  (built-in observer:3:14)\n"
		"exfiltration: block  (default)\n"
		"redact_secrets: true  (default)\n"
		"allowed_paths: a/x/  (flag --allow)\n"
		"denied_paths: a/x/y/  (flag --deny)\n"
		"tenant: acme  (f.yaml:3:59)\n"
		"partner: any  (default)\n"
		"actions: list, meta  (built-in auditor:4:10)\n"
		"tools: all  (default)\n"
		"unknown_tools: deny  (default)\n"
		"enforce: true  (default)\n");
}

static void a_wider_profile_flag_widens_nothing(void **state)
{
	const struct config_flags flags = { .profile = SL("open") };
	struct try *t = *state;

	try_load(t, FILE_P, &flags, NULL);
	assert_string_equal(try_faults(t), "");
	const struct policy *p = t->config->agents[0].policy;

	assert_true(p->read_only && p->mask_values && p->deny_unknown_tools && p->allowed.n == 2 && p->enforce);
	assert_int_equal(t->config->n_absent_guards, 2);
}

static void flag_faults(void **state)
{
	static const struct slice outside[] = { { "c", 1 } }, glob[] = { { "a/*", 3 } }, empty[] = { { "", 0 } };
	const struct {
		struct config_flags flags;
		const char *faults;
	} rows[] = {
		{ { .profile = SL("observe") }, "flag --profile: no profile is called `observe`: did you mean `observer`?\n" },
		{ { .allow = outside, .n_allow = 1 },
			"flag --allow: `c` would widen: it reaches outside what the profile allows\n" },
		{ { .allow = glob, .n_allow = 1 },
			"flag --allow: `a/*`: wildcards do not stand in prefixes; `a/b` already covers all below it\n" },
		{ { .deny = empty, .n_deny = 1 }, "flag --deny: an empty path prefix: write `/` for everything\n" },
		{ { .tenant = SL("other") }, "flag --tenant: `tenant: other` would widen `p`, which is locked to `acme`\n" },
		{ { .tenant = SL("") }, "flag --tenant: an empty tenant\n" },
	};
	struct try *t = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_null(try_load(t, FILE_P, &rows[i].flags, NULL));
		assert_string_equal(try_faults(t), rows[i].faults);
	}
}

static void a_profile_flag_without_a_file_is_the_profile(void **state)
{
	static const char *const narrow[] = { "SCAIVAULT_READ_ONLY=true", NULL };
	static const char *const wide[] = { "SCAIVAULT_READ_ONLY=false", NULL };
	struct config_flags flags = { .profile = SL("writer"), .stdio = true };
	struct try *t = *state;

	assert_non_null(try_load(t, NULL, &flags, NULL));
	assert_true(slice_eq(t->config->agents[0].policy->profile, SL("writer")));
	assert_false(t->config->agents[0].policy->read_only);
	assert_non_null(try_load(t, NULL, &flags, narrow));
	assert_true(t->config->agents[0].policy->read_only && t->config->agents[0].policy->mask_values);
	flags.profile = SL("observer");
	assert_null(try_load(t, NULL, &flags, wide));
	assert_string_equal(try_faults(t), "environment SCAIVAULT_READ_ONLY: `read_only: false` would widen `observer`, which says "
					   "`read_only: true` (built-in observer:2)\n");
}

static void the_editor_line(void **state)
{
	static const struct slice command[] = { { "scaivault-mcp", 13 }, { "--flag", 6 } }, allow[] = { { "integrations/", 13 } };
	struct config_flags flags = { .profile = SL("observer"), .allow = allow, .n_allow = 1, .command = command, .n_command = 2,
		.catalog = SL("scaivault"), .stdio = true };
	struct try *t = *state;
	const struct config *c = try_load(t, NULL, &flags, NULL);

	assert_string_equal(try_faults(t), "");
	assert_int_equal(c->n_upstreams, 1);
	assert_true(slice_eq(c->upstreams[0].name, SL("vault")));
	assert_true(c->upstreams[0].inherit_env);
	assert_int_equal(c->upstreams[0].n_command, 2);
	assert_true(slice_eq(c->upstreams[0].command[0], SL("scaivault-mcp")));
	assert_true(slice_eq(c->upstreams[0].catalog_name, SL("scaivault")));
	assert_non_null(c->upstreams[0].catalog);
	assert_null(try_load(t, "upstreams: {v: {command: [x]}}\n", &flags, NULL));
	assert_string_equal(try_faults(t), "f.yaml:1:1: the command line gives a server after `--`: leave `upstreams` out\n");
	assert_non_null(try_load(t, "profiles: {p: {}}\n", &flags, NULL));
	flags.catalog = SL("scaivaul");
	assert_null(try_load(t, NULL, &flags, NULL));
	assert_non_null(strstr(try_faults(t), "flag --catalog: no catalog is called `scaivaul`: built in are "));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, try_start, try_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_given_is_observer),
		TEST(variables_alone_are_the_profile),
		TEST(absent_is_off),
		TEST(booleans_in_every_spelling),
		TEST(broken_variables),
		TEST(guards_of_later_versions),
		TEST(ops_03_beside_a_file_they_only_narrow),
		TEST(what_is_left_is_the_intersection),
		TEST(every_agent_is_narrowed),
		TEST(flags_narrow),
		TEST(a_wider_profile_flag_widens_nothing),
		TEST(flag_faults),
		TEST(a_profile_flag_without_a_file_is_the_profile),
		TEST(the_editor_line),
	};
	return cmocka_run_group_tests_name("config_env", tests, NULL, NULL);
}
