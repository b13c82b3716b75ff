#include "tests/unit/check.h"

#include "guards/judge.h"

static struct arena arena;
static struct slice why;

static struct policy plain(void)
{
	return (struct policy){ .profile = SL("test"), .actions = ~0u, .deny_unknown_tools = true, .enforce = true };
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	memset(&p, 0, sizeof p);
	assert_int_equal(path_canonical(&p.path, slice_of(text), true, &arena), PATH_OK);
	return p;
}

static bool passes(const struct policy *p)
{
	bool ok = selftest_policy(p, &arena, &why);

	if (!ok)
		print_message("%.*s\n", SL_ARG(why));
	return ok;
}

static void test_sound_policies(void **state)
{
	struct prefix allowed[] = { prefix("integrations/"), prefix("prod/my db") },
			denied = prefix("integrations/stripe"), root = prefix("");
	struct policy p = plain();

	(void)state;
	assert_true(passes(&p));
	p.redact_secrets = true;
	assert_true(passes(&p));
	p.exfiltration = EXFILTRATION_WARN;
	assert_true(passes(&p));
	p.exfiltration = EXFILTRATION_OFF;
	assert_true(passes(&p));
	p = plain();
	p.read_only = true;
	assert_true(passes(&p));
	p.mask_values = true;
	assert_true(passes(&p));
	p.allowed = (struct prefixes){ .set = true, .v = allowed, .n = 2 };
	assert_true(passes(&p));
	p.denied = (struct prefixes){ .set = true, .v = &denied, .n = 1 };
	assert_true(passes(&p));
	p.tenant.text = SL("acme");
	p.partner.text = SL("ptn \"a\"");
	assert_true(passes(&p));
	p.actions = 1u << ACT_LIST;
	assert_true(passes(&p));
	p.enforce = false;
	assert_true(passes(&p));
	p = plain();
	p.allowed = (struct prefixes){ .set = true };
	assert_true(passes(&p));
	p.allowed = (struct prefixes){ .set = true, .v = &root, .n = 1 };
	assert_true(passes(&p));
}

/* Two prefixes one of which is what would lie beside the other. */
static void test_neighbours(void **state)
{
	struct prefix allowed[] = { prefix("prod"), prefix("prod-canary") };
	struct policy p = plain();

	(void)state;
	p.allowed = (struct prefixes){ .set = true, .v = allowed, .n = 2 };
	assert_true(passes(&p));
}

/* A prefix whose canonical form is broken matches nothing that it should: the self-test says so. */
static void test_broken_rule(void **state)
{
	struct prefix denied = { .path = { SL("infra/"), SL("infra/") } };
	struct policy p = plain();

	(void)state;
	p.denied = (struct prefixes){ .set = true, .v = &denied, .n = 1 };
	assert_false(selftest_policy(&p, &arena, &why));
	assert_true(why.n > 0);
}

static void test_no_memory(void **state)
{
	struct policy p = plain();
	struct arena small;

	(void)state;
	p.read_only = true;
	arena_init(&small, 64);
	assert_false(selftest_policy(&p, &small, &why));
	assert_true(why.n > 0);
	arena_finish(&small);
}

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 16u << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sound_policies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_neighbours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
