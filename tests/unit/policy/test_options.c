/* The option rows, and the page about the configuration: it names every row, and its examples load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "config_try.h"
#include "policy/options.h"

static struct arena arena;
static struct slice page; /* docs/configuration.md */

static void every_row_is_whole(void **state)
{
	(void)state;
	for (enum option o = 0; o < N_OPTIONS; o++) {
		const struct option_row *row = option_row(o);

		assert_true(row->key || row->variables[0]);
		assert_true(row->doc && *row->doc && row->deflt);
		assert_int_equal(row->type == OPTION_WORD, row->words != NULL);
		if (row->variables[0])
			assert_true(!strncmp(row->variables[0], "NARROWGATE_", 11) && row->variables[1]);
		if (row->key)
			assert_int_equal(option_find(slice_of(row->key)), o);
	}
	assert_int_equal(option_find(SL("extends")), N_OPTIONS);
	assert_int_equal(option_find(SL("")), N_OPTIONS);
}

static void the_keys_are_the_rows_keys(void **state)
{
	size_t keys = 0, rows = 0;

	(void)state;
	for (const char *const *k = option_keys(); *k; k++, keys++)
		assert_true(!strcmp(*k, "extends") || option_find(slice_of(*k)) != N_OPTIONS);
	for (enum option o = 0; o < N_OPTIONS; o++)
		rows += option_row(o)->key != NULL;
	assert_int_equal(keys, rows + 1); /* `extends` is no option */
}

/* Whether the page has a table row that begins with `| `key` | ` and goes on with `cell`. */
static bool has_row(const char *key, const char *cell)
{
	char text[500];

	snprintf(text, sizeof text, "\n| `%s` | %s |", key, cell);
	return slice_find(page, slice_of(text)) >= 0;
}

static void the_page_has_every_row(void **state)
{
	static const char *const types[] = { [OPTION_BOOL] = "boolean", [OPTION_WORD] = "word", [OPTION_TEXT] = "text",
		[OPTION_PATHS] = "prefixes", [OPTION_ACTIONS] = "actions", [OPTION_GLOBS] = "globs", [OPTION_MAP] = "map" };
	char cells[300];

	(void)state;
	for (enum option o = 0; o < N_OPTIONS; o++) {
		const struct option_row *row = option_row(o);

		if (row->key) {
			snprintf(cells, sizeof cells, "%s | `%s`", types[row->type], row->deflt);
			if (!has_row(row->key, cells))
				fail_msg("the page lacks: | `%s` | %s |", row->key, cells);
		}
		if (row->variables[0]) {
			snprintf(cells, sizeof cells, "`%s`", row->variables[1]);
			if (!has_row(row->variables[0], cells))
				fail_msg("the page lacks: | `%s` | %s |", row->variables[0], cells);
		}
	}
}

static void the_examples_of_the_page_load(void **state)
{
	static const char *const env[] = { "VAULT_ID=v", "SCAIVAULT_TOKEN=t", NULL };
	struct try *t = *state;
	struct slice rest = page;
	size_t n = 0;

	for (ptrdiff_t at; (at = slice_find(rest, SL("```yaml\n"))) >= 0; n++) {
		rest = slice_from(rest, (size_t)at + 8);
		ptrdiff_t end = slice_find(rest, SL("```"));

		assert_true(end > 0);
		struct slice text = arena_dup(&arena, slice_head(rest, (size_t)end));

		rest = slice_from(rest, (size_t)end + 3);
		try_load_as(t, text.p, "/etc/narrowgate/narrowgate.yaml", NULL, env);
		if (*try_faults(t))
			fail_msg("%s\n%s", text.p, try_faults(t));
	}
	assert_true(n >= 4);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, try_start, try_stop)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(the_keys_are_the_rows_keys),
		cmocka_unit_test(the_page_has_every_row),
		TEST(the_examples_of_the_page_load),
	};

	arena_init(&arena, 16 << 20);
	if (argc != 2 || config_read_file(argv[1], &arena, &page) != E_OK) {
		fprintf(stderr, "usage: test_options docs/configuration.md\n");
		return 2;
	}
	int failed = cmocka_run_group_tests_name("options", tests, NULL, NULL);

	arena_finish(&arena);
	return failed;
}
