#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "policy/catalog.h"
#include "policy/embed.h"

static void assert_text(struct slice s, const char *expected)
{
	if (!slice_eq(s, slice_of(expected)))
		print_message("got: %.*s\n", SL_ARG(s));
	assert_true(slice_eq(s, slice_of(expected)));
}

static struct catalog *builtin(const char *name)
{
	struct faults faults;
	faults_init(&faults);
	struct catalog *c = catalog_builtin(slice_of(name), &faults);
	for (size_t i = 0; i < faults.n; i++)
		print_message("%s:%u:%u: %.*s\n", name, faults.v[i].at.line, faults.v[i].at.column, SL_ARG(faults.v[i].text));
	assert_non_null(c);
	assert_int_equal(faults.n, 0);
	faults_finish(&faults);
	return c;
}

static void builtins_have_no_fault(void **state)
{
	(void)state;
	assert_int_equal(policy_catalogs_count, 18);
	for (size_t i = 0; i < policy_catalogs_count; i++) {
		struct catalog *c = builtin(policy_catalogs[i].name);
		assert_text(c->name, policy_catalogs[i].name);
		assert_true(slice_find(catalog_builtin_names(), c->name) >= 0);
		assert_true(slice_starts(c->file, SL("built-in catalog ")));
		assert_int_equal(c->generic, slice_eq(c->name, SL("generic")));
		assert_int_equal(c->server == NULL, c->generic);
		catalog_free(c);
	}
	struct faults faults;
	faults_init(&faults);
	assert_null(catalog_builtin(SL("none"), &faults));
	assert_false(faults_any(&faults));
	faults_finish(&faults);
}

static void agree_action(const struct rule *r, enum action a)
{
	if (action_bears_values(a) && !(r->out.given && r->out.n_values > 0))
		fail_msg("%.*s: where are its values?", SL_ARG(r->name));
	if ((a == ACT_READ || a == ACT_WRITE || a == ACT_REDEEM) && !(r->n_paths || r->n_takes || r->unresolved))
		fail_msg("%.*s: what does it reach?", SL_ARG(r->name));
}

static void agree_rule(const struct rule *r)
{
	const struct action_rule *a = &r->action;
	if (r->nested)
		return;
	if (a->by != BY_ARGUMENT)
		assert_int_not_equal(a->fixed, ACT_UNKNOWN);
	if (a->by != BY_ARGUMENT)
		agree_action(r, a->fixed);
	if (a->by != BY_NOTHING)
		agree_action(r, a->otherwise);
	for (size_t i = 0; i < a->n_cases; i++)
		agree_action(r, a->cases[i].action);
}

/* Whatever bears values says where they are, or is masked whole; every kind of handle taken is given somewhere. */
static void builtins_agree_with_themselves(void **state)
{
	(void)state;
	for (size_t i = 0; i < policy_catalogs_count; i++) {
		struct catalog *c = builtin(policy_catalogs[i].name);
		for (size_t t = 0; t < c->n_tools; t++) {
			const struct rule *r = &c->tools[t];
			agree_rule(r);
			for (size_t k = 0; k < r->n_takes; k++) {
				bool given = false;
				for (size_t g = 0; g < c->n_tools; g++)
					for (size_t m = 0; m < c->tools[g].n_gives; m++)
						given |= slice_eq(c->tools[g].gives[m].kind, r->takes[k].kind);
				assert_true(given);
			}
		}
		catalog_free(c);
	}
}

/* The documented tools of ScaiVault: name, action. */
static const char *const scaivault_tools[][2] = {
	{ "read_secret", "read" }, { "write_secret", "write" }, { "delete_secret", "delete" }, { "list_secrets", "list" },
	{ "get_secret_versions", "meta" }, { "rotate_secret", "rotate" }, { "check_expiration", "list" },
	{ "list_secret_policies", "list" }, { "get_secret_policy", "meta" }, { "create_secret_policy", "admin" },
	{ "generate_secret_preview", "issue" }, { "get_policy_types", "meta" },
	{ "list_policies", "list" }, { "get_policy", "meta" }, { "create_policy", "grant" }, { "test_policy", "meta" },
	{ "list_rotation_policies", "list" }, { "create_rotation_policy", "admin" }, { "get_secrets_due_rotation", "list" },
	{ "list_service_accounts", "list" }, { "get_service_account", "meta" }, { "create_service_account", "admin" },
	{ "update_service_account", "admin" }, { "delete_service_account", "delete" }, { "create_api_key", "token" },
	{ "list_api_keys", "list" }, { "delete_api_key", "delete" },
	{ "list_cas", "list" }, { "get_ca", "meta" }, { "create_root_ca", "admin" }, { "list_certificates", "list" },
	{ "get_certificate", "meta" }, { "issue_certificate", "issue" }, { "revoke_certificate", "admin" },
	{ "validate_certificate", "meta" }, { "check_expiring_certs", "list" },
	{ "list_acme_accounts", "list" }, { "create_acme_account", "admin" }, { "list_acme_orders", "list" },
	{ "create_acme_order", "admin" }, { "complete_acme_challenge", "admin" }, { "request_certificate", "issue" },
	{ "list_dynamic_engines", "list" }, { "get_dynamic_engine", "meta" }, { "create_dynamic_engine", "admin" },
	{ "list_dynamic_roles", "list" }, { "create_dynamic_role", "admin" }, { "generate_credentials", "issue" },
	{ "list_leases", "list" }, { "renew_lease", "admin" }, { "revoke_lease", "admin" }, { "check_expiring_leases", "list" },
	{ "list_federation_backends", "list" }, { "get_federation_backend", "meta" }, { "create_federation_backend", "admin" },
	{ "test_federation_backend", "meta" }, { "sync_federation_backend", "admin" }, { "proxy_read", "read" },
	{ "list_subscriptions", "list" }, { "get_subscription", "meta" }, { "create_subscription", "share" },
	{ "delete_subscription", "delete" }, { "list_event_types", "list" },
	{ "query_audit", "list" }, { "audit_summary", "list" }, { "secret_audit_trail", "list" },
	{ "find_unauthorized_access", "list" },
};

static void scaivault_is_whole(void **state)
{
	(void)state;
	struct catalog *c = builtin("scaivault");
	size_t n = sizeof scaivault_tools / sizeof *scaivault_tools, vars;
	struct uri_var v[CATALOG_MAX_VARS];
	assert_int_equal(n, 67);
	assert_int_equal(c->n_tools, 67);
	for (size_t i = 0; i < n; i++) {
		char name[64];
		snprintf(name, sizeof name, "scaivault_%s", scaivault_tools[i][0]);
		const struct rule *r = catalog_tool(c, slice_of(name));
		assert_non_null(r);
		assert_string_equal(action_name(r->action.fixed), scaivault_tools[i][1]);
	}
	assert_non_null(catalog_resource(c, SL("scaivault://secrets/acme/a/b"), v, &vars));
	assert_non_null(catalog_resource(c, SL("scaivault://policies/p1"), v, &vars));
	assert_non_null(catalog_prompt(c, SL("audit-investigation")));
	assert_non_null(catalog_prompt(c, SL("rotate-credential")));
	assert_int_equal(catalog_prompt(c, SL("migrate-from-env"))->action.fixed, ACT_WRITE);
	catalog_free(c);
}

static void servers_are_recognised(void **state)
{
	(void)state;
	static const char *const servers[][2] = {
		{ "narrowgate-demo-vault", "demo" }, { "narrowgate-demo-vault2", "generic" }, { "ScaiVault", "scaivault" },
		{ "scaivault-mcp", "scaivault" }, { "1claw", "1claw" }, { "@1claw/mcp", "1claw" },
		{ "agent-secret-store", "agent-secret-store" }, { "@agentsecretstore/mcp", "agent-secret-store" },
		{ "ghoststack-vault", "ghoststack" }, { "Infisical", "infisical" },
		{ "Bitwarden MCP Server", "bitwarden" }, { "doppler-api", "doppler" }, { "vault-mcp-server", "hashicorp" },
		{ "1password-mcp", "onepassword" }, { "ksm-mcp", "keeper" }, { "Azure.Mcp.Server", "azure" },
		{ "vault", "generic" }, { "", "generic" },
	};
	for (size_t i = 0; i < sizeof servers / sizeof *servers; i++)
		assert_text(catalog_match(slice_of(servers[i][0])), servers[i][1]);
}

static void lines_of_1claw(void **state)
{
	(void)state;
	struct catalog *c = builtin("1claw");
	const struct out_rule *out = &catalog_tool(c, SL("list_secrets"))->out;
	struct slice text = SL("Found 2 secret(s):\n- a/b (type: api_key, version: 1, expires: never)\n- c d (x) (type: note)");
	size_t s, e;
	bool overrun;
	assert_true(regex_match(out->count_line, text, 0, &s, &e, &overrun));
	assert_true(regex_group(out->count_line, "n", &s, &e));
	assert_text(slice_make(text.p + s, e - s), "2");
	assert_true(regex_match(out->line, text, 0, &s, &e, &overrun));
	size_t next = e;
	assert_true(regex_group(out->line, "path", &s, &e));
	assert_text(slice_make(text.p + s, e - s), "a/b");
	assert_true(regex_match(out->line, text, next, &s, &e, &overrun));
	assert_true(regex_group(out->line, "path", &s, &e));
	assert_text(slice_make(text.p + s, e - s), "c d (x)");
	catalog_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builtins_have_no_fault),
		cmocka_unit_test(builtins_agree_with_themselves),
		cmocka_unit_test(scaivault_is_whole),
		cmocka_unit_test(servers_are_recognised),
		cmocka_unit_test(lines_of_1claw),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
