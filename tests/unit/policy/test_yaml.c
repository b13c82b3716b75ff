#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "policy/yaml.h"

struct doc {
	struct arena arena;
	struct faults faults;
	const struct yaml_node *root;
};

static int start(void **state)
{
	struct doc *d = calloc(1, sizeof *d);

	arena_init(&d->arena, 32 << 20);
	faults_init(&d->faults);
	*state = d;
	return 0;
}

static int stop(void **state)
{
	struct doc *d = *state;

	arena_finish(&d->arena);
	faults_finish(&d->faults);
	free(d);
	return 0;
}

static const struct yaml_node *parse(struct doc *d, const char *text)
{
	d->root = yaml_parse(slice_of(text), SL("f.yaml"), &d->arena, &d->faults);
	return d->root;
}

/* The only fault, as "line:column: text". */
static void assert_fault(struct doc *d, const char *expected)
{
	char text[1200];

	assert_int_equal(d->faults.n, 1);
	snprintf(text, sizeof text, "%.*s:%u:%u: %.*s", SL_ARG(d->faults.v[0].at.file), d->faults.v[0].at.line,
		d->faults.v[0].at.column, SL_ARG(d->faults.v[0].text));
	assert_string_equal(text, expected);
	faults_finish(&d->faults);
	faults_init(&d->faults);
}

static void tree_with_places(void **state)
{
	struct doc *d = *state;
	const struct yaml_node *root = parse(d, "a: 1\nb:\n  - x\n  - {k: 'v', empty: }\nc: ~\nd: 'null'\n");

	assert_non_null(root);
	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(root->n, 4);
	const struct yaml_node *b = yaml_get(root, SL("b"));

	assert_int_equal(b->kind, YAML_LIST);
	assert_int_equal(b->key_at.line, 2);
	assert_int_equal(b->key_at.column, 1);
	const struct yaml_node *map = b->first->next;

	assert_int_equal(map->at.line, 4);
	assert_int_equal(map->at.column, 5);
	const struct yaml_node *k = yaml_get(map, SL("k"));

	assert_true(slice_eq(k->text, SL("v")));
	assert_false(k->plain);
	assert_int_equal(k->at.column, 9);
	assert_int_equal(yaml_get(map, SL("empty"))->kind, YAML_NULL);
	assert_int_equal(yaml_get(root, SL("c"))->kind, YAML_NULL);
	assert_int_equal(yaml_get(root, SL("d"))->kind, YAML_SCALAR);
	assert_null(yaml_get(root, SL("z")));
	assert_null(yaml_get(b, SL("z")));
	assert_null(yaml_get(NULL, SL("z")));
	assert_false(faults_any(&d->faults));
}

static void empty_text_is_null(void **state)
{
	static const char *const texts[] = { "", "\n", "# only a comment\n", "---\n", "--- ~\n...\n" };
	struct doc *d = *state;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_non_null(parse(d, texts[i]));
		assert_int_equal(d->root->kind, YAML_NULL);
		assert_int_equal(d->root->at.line > 0, 1);
	}
	assert_false(faults_any(&d->faults));
}

static void json_is_yaml(void **state)
{
	struct doc *d = *state;

	assert_non_null(parse(d, "{\"a\": [1, {\"b\": \"\\u00e9\"}]}"));
	assert_true(slice_eq(yaml_get(yaml_get(d->root, SL("a"))->first->next, SL("b"))->text, SL("\u00E9")));
}

static void ops_02_what_reads_two_ways_is_refused(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{ "a: 1\nb: 2\na: 3\n", "f.yaml:3:1: `a` is given twice: first in line 1" },
		{ "a: 1\n\"\\x61\": 3\n", "f.yaml:2:1: `a` is given twice: first in line 1" },
		{ "a: &x 1\n", "f.yaml:1:4: anchors and tags are not read: write the value out" },
		{ "a: *x\n", "f.yaml:1:4: aliases are not read: write the value out" },
		{ "a: !!str 1\n", "f.yaml:1:4: anchors and tags are not read: write the value out" },
		{ "a: ! 1\n", "f.yaml:1:4: anchors and tags are not read: write the value out" },
		{ "a: !x [1]\n", "f.yaml:1:4: anchors and tags are not read: write the value out" },
		{ "a: &x {b: 1}\n", "f.yaml:1:4: anchors and tags are not read: write the value out" },
		{ "&x a: 1\n", "f.yaml:1:1: anchors and tags are not read: write the value out" },
		{ "a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document: one file holds one" },
		{ "<<: {a: 1}\n", "f.yaml:1:1: merge keys (`<<`) are not read: write the entries out" },
		{ "? [a]\n: 1\n", "f.yaml:1:3: a key must be plain text" },
		{ "~: 1\n", "f.yaml:1:1: a key is missing before the colon" },
		{ "'': 1\n", "f.yaml:1:1: an empty key" },
		{ "a: \"x\\0y\"\n", "f.yaml:1:4: a NUL character" },
		{ "a: [1\n", "f.yaml:2:1: not valid YAML: while parsing a flow sequence: did not find expected ',' or ']'" },
		{ "a: b: c\n", "f.yaml:1:5: not valid YAML: mapping values are not allowed in this context" },
		{ "a: \xFF\n", "f.yaml:0:0: not a text file: invalid leading UTF-8 octet at byte 3" },
		{ "\xFF\xFE" "a", "f.yaml:0:0: not a text file: invalid leading UTF-8 octet at byte 0" },
	};
	struct doc *d = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_null(parse(d, rows[i].text));
		assert_fault(d, rows[i].fault);
	}
}

static void bounds(void **state)
{
	struct doc *d = *state;
	char text[200] = "";

	for (int i = 0; i < 33; i++)
		strcat(text, "[");
	assert_null(parse(d, text));
	assert_fault(d, "f.yaml:1:33: nested too deeply");

	struct buf b;

	buf_init(&b, 8 << 20);
	for (int i = 0; i < 2001; i++)
		buf_add_fmt(&b, "k%d: 1\n", i);
	assert_null(yaml_parse(buf_slice(&b), SL("f.yaml"), &d->arena, &d->faults));
	assert_fault(d, "f.yaml:2001:8: too many entries");
	buf_clear(&b);
	for (int i = 0; i < 100001; i++)
		buf_add(&b, SL("- 1\n"));
	assert_null(yaml_parse(buf_slice(&b), SL("f.yaml"), &d->arena, &d->faults));
	assert_fault(d, "f.yaml:100000:3: too many entries");
	buf_clear(&b);
	while (b.n <= 4 << 20)
		buf_add(&b, SL("# comment line of some length\n"));
	assert_null(yaml_parse(buf_slice(&b), SL("f.yaml"), &d->arena, &d->faults));
	assert_fault(d, "f.yaml:0:0: over the size limit of 4 MiB");
	buf_finish(&b);
}

static void out_of_memory_is_a_fault(void **state)
{
	struct doc *d = *state;
	struct arena tiny;

	for (size_t most = 0; most < 4096; most += 64) {
		arena_init(&tiny, most);
		if (!yaml_parse(SL("a: 1\nb: [1, {c: d}]\n"), SL("f.yaml"), &tiny, &d->faults)) {
			assert_fault(d, "f.yaml:0:0: out of memory");
		}
		arena_finish(&tiny);
	}
}

static void unknown_keys_name_the_nearest(void **state)
{
	static const char *const keys[] = { "read_only", "mask_values", "allowed_paths", "denied_paths", NULL };
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{ "read_onyl: 1", "f.yaml:1:1: unknown key `read_onyl`: did you mean `read_only`?" },
		{ "readOnly: 1", "f.yaml:1:1: unknown key `readOnly`: did you mean `read_only`?" },
		{ "Read-Only: 1", "f.yaml:1:1: unknown key `Read-Only`: did you mean `read_only`?" },
		{ "allowed: 1", "f.yaml:1:1: unknown key `allowed`: did you mean `allowed_paths`?" },
		{ "\n  deny_paths: 1", "f.yaml:2:3: unknown key `deny_paths`: did you mean `denied_paths`?" },
		{ "zzzz: 1", "f.yaml:1:1: unknown key `zzzz`: known here are read_only, mask_values, allowed_paths, denied_paths" },
		{ "\"z\\nz\": 1", "f.yaml:1:1: unknown key `z?z`: known here are read_only, mask_values, allowed_paths, denied_paths" },
	};
	struct doc *d = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		yaml_only(parse(d, rows[i].text), keys, &d->faults);
		assert_fault(d, rows[i].fault);
	}
	yaml_only(parse(d, "read_only: 1"), keys, &d->faults);
	yaml_only(NULL, keys, &d->faults);
	assert_false(faults_any(&d->faults));
}

static void nearest_has_limits(void **state)
{
	static const char *const words[] = { "block", "surgical", "off", NULL };
	char text[200];

	(void)state;
	assert_string_equal(yaml_nearest(SL("blok"), words), "block");
	assert_string_equal(yaml_nearest(SL("bolck"), words), "block");
	assert_string_equal(yaml_nearest(SL("of"), words), "off");
	assert_null(yaml_nearest(SL("zebra"), words));
	assert_null(yaml_nearest(SL(""), words));
	memset(text, 'x', sizeof text);
	assert_null(yaml_nearest(slice_make(text, sizeof text), words));
}

static void booleans_and_texts(void **state)
{
	struct doc *d = *state;

	parse(d, "a: true\nb: false\nc: yes\nd: 'true'\ne: [x]\nf: True\ng: 007");
	assert_true(yaml_bool(yaml_get(d->root, SL("a")), false, &d->faults));
	assert_false(yaml_bool(yaml_get(d->root, SL("b")), true, &d->faults));
	assert_false(faults_any(&d->faults));
	assert_true(yaml_bool(yaml_get(d->root, SL("c")), true, &d->faults));
	assert_fault(d, "f.yaml:3:4: `c` must be true or false (without quotes)");
	yaml_bool(yaml_get(d->root, SL("d")), true, &d->faults);
	assert_fault(d, "f.yaml:4:4: `d` must be true or false (without quotes)");
	yaml_bool(yaml_get(d->root, SL("f")), true, &d->faults);
	assert_fault(d, "f.yaml:6:4: `f` must be true or false (without quotes)");
	assert_null(yaml_text(yaml_get(d->root, SL("e")), &d->faults).p);
	assert_fault(d, "f.yaml:5:4: `e` must be a single value, not a list");
	assert_null(yaml_text(d->root, &d->faults).p);
	assert_fault(d, "f.yaml:1:1: this must be a single value, not a map of `key: value`");
	assert_true(slice_eq(yaml_text(yaml_get(d->root, SL("g")), &d->faults), SL("007")));
}

static void faults_outlive_what_they_speak_of(void **state)
{
	struct doc *d = *state;
	char *name = strdup("gone.yaml");

	faults_add(&d->faults, (struct origin){ slice_of(name), 1, 2 }, "a\x1b[31m%s\n", "b");
	free(name);
	assert_fault(d, "gone.yaml:1:2: a?[31mb?");
	for (int i = 0; i < 150; i++)
		faults_add(&d->faults, (struct origin){ 0 }, "%d", i);
	assert_int_equal(d->faults.n, 100);
	assert_true(faults_any(&d->faults));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tree_with_places),
		TEST(empty_text_is_null),
		TEST(json_is_yaml),
		TEST(ops_02_what_reads_two_ways_is_refused),
		TEST(bounds),
		TEST(out_of_memory_is_a_fault),
		TEST(unknown_keys_name_the_nearest),
		TEST(nearest_has_limits),
		TEST(booleans_and_texts),
		TEST(faults_outlive_what_they_speak_of),
	};
	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
