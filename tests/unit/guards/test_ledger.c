#include "tests/unit/check.h"

#include "guards/ledger.h"

static struct ledger *ledger;

static int open_ledger(void **state)
{
	(void)state;
	ledger = ledger_create(3);
	return ledger ? 0 : -1;
}

static int close_ledger(void **state)
{
	(void)state;
	ledger_free(ledger);
	return 0;
}

static enum err learn(const char *upstream, const char *kind, const char *text, uint64_t expires, unsigned uses)
{
	char copy[64];
	size_t n = strlen(text);
	struct path paths[2] = { { SL("prod/Db"), SL("prod/db") }, { SL("prod/x"), SL("prod/x") } };

	memcpy(copy, text, n);
	struct handle h = { .upstream = slice_of(upstream),
		.kind = slice_of(kind),
		.text = slice_make(copy, n),
		.paths = paths,
		.n_paths = 2,
		.tenant = SL("acme"),
		.expires_ms = expires,
		.uses_left = uses };
	enum err e = ledger_learn(ledger, &h, 1000);
	/* Everything is copied: what it was learned from may go. */
	memset(copy, 'x', sizeof copy);
	memset(paths, 0, sizeof paths);
	return e;
}

static const struct handle *find(const char *upstream, const char *kind, const char *text, uint64_t now)
{
	return ledger_find(ledger, slice_of(upstream), slice_of(kind), slice_of(text), now);
}

static void test_found_as_learned(void **state)
{
	(void)state;
	assert_int_equal(learn("v", "lease", "h1", 0, 0), E_OK);
	const struct handle *h = find("v", "lease", "h1", 1000);
	assert_non_null(h);
	assert_slice(h->text, SL("h1"));
	assert_slice(h->upstream, SL("v"));
	assert_slice(h->tenant, SL("acme"));
	assert_int_equal(h->n_paths, 2);
	assert_slice(h->paths[0].text, SL("prod/Db"));
	assert_slice(h->paths[0].folded, SL("prod/db"));
	assert_slice(h->paths[1].text, SL("prod/x"));
}

/* PATH-24: another vault's handle, another kind of handle, a text cut elsewhere. */
static void test_never_given(void **state)
{
	(void)state;
	learn("v", "lease", "h1", 0, 0);
	assert_null(find("w", "lease", "h1", 1000));
	assert_null(find("v", "approval", "h1", 1000));
	assert_null(find("v", "lease", "h", 1000));
	assert_null(find("v", "lease", "H1", 1000));
	assert_null(find("vl", "ease", "h1", 1000));
	assert_null(find("v", "leaseh", "1", 1000));
	assert_null(find("", "", "", 1000));
}

static void test_expires(void **state)
{
	(void)state;
	learn("v", "lease", "h1", 5000, 0);
	assert_non_null(find("v", "lease", "h1", 4999));
	assert_null(find("v", "lease", "h1", 5001));
}

static void test_used_up(void **state)
{
	(void)state;
	learn("v", "lease", "h1", 9000, 2);
	ledger_use(ledger, find("v", "lease", "h1", 1000));
	assert_non_null(find("v", "lease", "h1", 1000));
	ledger_use(ledger, find("v", "lease", "h1", 1000));
	assert_null(find("v", "lease", "h1", 1000));
	learn("v", "lease", "h2", 0, 0);
	for (int i = 0; i < 5; i++)
		ledger_use(ledger, find("v", "lease", "h2", 1000));
	assert_non_null(find("v", "lease", "h2", 1000));
}

static void test_full(void **state)
{
	(void)state;
	assert_int_equal(learn("v", "lease", "a", 0, 0), E_OK);
	assert_int_equal(learn("v", "lease", "b", 2000, 0), E_OK);
	assert_int_equal(learn("v", "lease", "c", 0, 0), E_OK);
	assert_int_equal(learn("v", "lease", "d", 0, 0), E_FULL);
	assert_int_equal(learn("v", "lease", "a", 0, 1), E_OK); /* replaced, not added */
	assert_int_equal(ledger_count(ledger), 3);
	struct handle late = { .upstream = SL("v"), .kind = SL("lease"), .text = SL("e") };
	assert_int_equal(ledger_learn(ledger, &late, 3000), E_OK); /* b has expired */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_found_as_learned, open_ledger, close_ledger),
		cmocka_unit_test_setup_teardown(test_never_given, open_ledger, close_ledger),
		cmocka_unit_test_setup_teardown(test_expires, open_ledger, close_ledger),
		cmocka_unit_test_setup_teardown(test_used_up, open_ledger, close_ledger),
		cmocka_unit_test_setup_teardown(test_full, open_ledger, close_ledger),
	};
	ledger_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
