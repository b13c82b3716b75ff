#include "tests/unit/check.h"

#include "guards/facts.h"
#include "guards/learn.h"
#include "guards/look.h"

static enum look look(const char *name)
{
	return look_word(slice_of(name));
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(look("path"), LOOK_PATH);
	assert_int_equal(look("secretPath"), LOOK_PATH);
	assert_int_equal(look("SECRET_PATH"), LOOK_PATH);
	assert_int_equal(look("root-credentials-path"), LOOK_PATH);
	assert_int_equal(look("path_pattern"), LOOK_PREFIX);
	assert_int_equal(look("folderPath"), LOOK_PATH);
	assert_int_equal(look("namespace"), LOOK_FOLDER);
	assert_int_equal(look("from"), LOOK_KEY);
	assert_int_equal(look("path "), LOOK_PATH);
	assert_int_equal(look("limit"), LOOK_NOTHING);
	assert_int_equal(look(""), LOOK_NOTHING);
	assert_int_equal(
		look("a_very_long_name_that_goes_on_and_on_and_on_until_nobody_reads_it_any_more_path"), LOOK_PATH);
}

/* TEN-02 */
static void test_tenants(void **state)
{
	static const char *const tenants[] = { "tenant", "tenantId", "tenant_id", "x-tenant-id", "X-Tenant-ID",
		"target_tenant", "org", "orgId", "organization", "organisationIds", "workspace", "workspace_slug",
		NULL };

	(void)state;
	for (size_t i = 0; tenants[i]; i++)
		assert_int_equal(look(tenants[i]), LOOK_TENANT);
	assert_int_equal(look("partner_id"), LOOK_PARTNER);
	assert_int_equal(look("x-partner-id"), LOOK_PARTNER);
	assert_int_equal(look("com.example/tenant"), LOOK_TENANT);
	assert_int_equal(look("X-ScaiVault-Tenant"), LOOK_TENANT);
	assert_int_equal(look("actingTenantId"), LOOK_TENANT);
	assert_int_equal(look("organic"), LOOK_NOTHING);
	assert_int_equal(look("cyborg"), LOOK_NOTHING);
	assert_int_equal(look("tenantless"), LOOK_NOTHING);
	assert_int_equal(look("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxtenant"), LOOK_NOTHING);
}

static void test_texts(void **state)
{
	struct prefix denied = { .path = { SL("infra/db"), SL("infra/db") } };
	struct policy p = { .denied = { .v = &denied, .n = 1 } };
	static const char *const paths[] = { "a/b", "/", "a\\b", "..", "a%2fb", "*", "vault://x", "infra", "INFRA",
		"infra/db",
		"a\xef\xbc\x8f"
		"b",
		"a\xe2\x80\x8b"
		"b",
		NULL };

	(void)state;
	for (size_t i = 0; paths[i]; i++)
		assert_true(look_text_is_path(&p, slice_of(paths[i])));
	assert_false(look_text_is_path(&p, SL("blue")));
	assert_false(look_text_is_path(&p, SL("infrared")));
	assert_false(look_text_is_path(&p, SL("v1.2")));
	assert_false(look_text_is_path(&p, SL("caf\xc3\xa9")));
	assert_false(look_text_is_path(&p, SL("")));
	assert_true(look_text_is_tenant(SL("tnt_acme")));
	assert_true(look_text_is_tenant(SL("ORG:acme")));
	assert_false(look_text_is_tenant(SL("organic")));
	assert_false(look_text_is_tenant(SL("tenant")));
	assert_true(look_text_is_json(SL(" {\"a\":1} ")));
	assert_false(look_text_is_json(SL("{")));
}

/* PATH-19, PATH-21, RO-04 */
static void test_arguments(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(look_holds(SL("version")), HOLDS_NUMBER);
	assert_int_equal(look_holds(SL("policy_id")), HOLDS_WORD);
	assert_int_equal(look_holds(SL("policyId")), HOLDS_WORD);
	assert_int_equal(look_holds(SL("ids")), HOLDS_WORD);
	assert_int_equal(look_holds(SL("paid")), HOLDS_ANYTHING);
	assert_int_equal(look_holds(SL("api_version")), HOLDS_ANYTHING);
	assert_int_equal(look_holds(SL("reason")), HOLDS_PROSE);
	assert_int_equal(look_holds(SL("options")), HOLDS_OBJECT);
	assert_true(look_text_is_number(SL("17")));
	assert_false(look_text_is_number(SL("")));
	assert_false(look_text_is_number(SL("1.0")));
	assert_true(look_text_is_word(SL("postgres-prod_1:x.y")));
	assert_false(look_text_is_word(SL("a/b")));
	assert_false(look_text_is_word(SL("a..b")));
	assert_false(look_text_is_word(SL("a\xef\xbc\x8f")));
	assert_true(look_is_verb(SL("HTTP-Method")));
	assert_false(look_is_verb(SL("auth_method")));
	assert_true(look_is_script(SL("SQL")));
	assert_true(look_is_deed(SL("delete")));
	assert_true(look_is_deed(SL("DELETE_AFTER_READ")));
	assert_true(look_is_deed(SL("createIfMissing")));
	assert_false(look_is_deed(SL("deleted")));
	assert_false(look_is_deed(SL("include_deleted")));
	assert_false(look_is_deed(SL("created_after")));
	assert_true(look_same_name(SL("Action"), SL("action"), &a));
	assert_true(look_same_name(SL("tool_name"), SL("toolName"), &a));
	assert_true(look_same_name(SL("\xc5\xbf"
				      "copes"),
		SL("scopes"), &a));
	assert_false(look_same_name(SL("actions"), SL("action"), &a));
	assert_true(look_text_is_json(SL("\"{\\\"a\\\":1}\"")));
	assert_false(look_text_is_json(SL("\"quoted\"")));
	assert_false(look_text_is_json(SL("\"")));
	arena_finish(&a);
}

static void test_words_of_tools(void **state)
{
	struct faults faults;
	bool executor;

	(void)state;
	faults_init(&faults);
	struct catalog *c = catalog_builtin(SL("generic"), &faults);
	assert_non_null(c);
	static const struct {
		const char *name;
		enum action action;
	} rows[] = {
		{ "get_secret", ACT_READ },
		{ "getSecret", ACT_READ },
		{ "vault.secrets.list", ACT_LIST },
		{ "list-secrets", ACT_LIST },
		{ "search_secrets", ACT_LIST },
		{ "list_and_read_secrets", ACT_READ },
		{ "describe_secret", ACT_READ },
		{ "get_or_create", ACT_WRITE },
		{ "read_and_delete", ACT_WRITE },
		{ "getAndFrobnicate", ACT_WRITE },
		{ "set_secret", ACT_WRITE },
		{ "secret", ACT_UNKNOWN },
		{ "", ACT_UNKNOWN },
		{ "---", ACT_UNKNOWN },
		{ "updateHTTPSecret", ACT_ADMIN },
		{ "forgetful", ACT_UNKNOWN },
		{ "getaway", ACT_UNKNOWN },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(generic_action(&c->vocabulary, slice_of(rows[i].name), &executor), rows[i].action);
	generic_action(&c->vocabulary, SL("run_query"), &executor);
	assert_true(executor);
	generic_action(&c->vocabulary, SL("get_secret"), &executor);
	assert_false(executor);
	catalog_free(c);
	faults_finish(&faults);
}

static void test_expiry(void **state)
{
	(void)state;
	assert_int_equal(expiry_ms(SL("900"), 1000), 901000);
	assert_int_equal(expiry_ms(SL("900.5"), 1000), 901000);
	assert_int_equal(expiry_ms(SL("1970-01-01T00:00:10Z"), 1000), 10000);
	assert_int_equal(expiry_ms(SL("2024-02-29T12:00:00Z"), 0), 1709208000000);
	assert_int_equal(expiry_ms(SL("2024-03-01T00:00:00.250+02:00"), 0), 1709244000000);
	assert_int_equal(expiry_ms(SL("2024-03-01T00:00:00-0530"), 0), 1709270999000 + 1000);
	assert_int_equal(expiry_ms(SL("tomorrow"), 0), 0);
	assert_int_equal(expiry_ms(SL(""), 0), 0);
	assert_int_equal(expiry_ms(SL("2024-02-29"), 0), 0);
	assert_int_equal(expiry_ms(SL("1960-01-01T00:00:00Z"), 0), 1); /* over long ago */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_tenants),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_words_of_tools),
		cmocka_unit_test(test_expiry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
