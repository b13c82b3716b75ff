/* Definitions, their digests, and the file in which they are accepted. */
#include "tests/unit/check.h"

#include "policy/pins.h"

static struct arena arena;

static struct definition definition(enum pin_kind kind, const char *text)
{
	struct definition d;
	struct json j;

	assert_int_equal(json_parse(&j, slice_of(text), &arena, NULL), E_OK);
	assert_int_equal(definition_read(kind, &j, 0, &d, &arena), E_OK);
	return d;
}

static bool same(enum pin_kind kind, const char *a, const char *b)
{
	struct definition x = definition(kind, a), y = definition(kind, b);

	return memcmp(x.digest, y.digest, DIGEST_BYTES) == 0;
}

static void test_what_counts(void **state)
{
	static const char *const whole[N_PIN_KINDS] = {
		[PIN_TOOL] = "{\"name\":\"n\",\"title\":\"t\",\"description\":\"d\",\"inputSchema\":{\"a\":1},\"outputSchema\":{},\"annotations\":{}}",
		[PIN_PROMPT] = "{\"name\":\"n\",\"title\":\"t\",\"description\":\"d\",\"arguments\":[{\"name\":\"x\"}]}",
		[PIN_RESOURCE] = "{\"uri\":\"u\",\"name\":\"n\",\"title\":\"t\",\"description\":\"d\",\"mimeType\":\"m\"}",
		[PIN_TEMPLATE] = "{\"uriTemplate\":\"u\",\"name\":\"n\",\"title\":\"t\",\"description\":\"d\",\"mimeType\":\"m\"}",
	};

	(void)state;
	for (int k = 0; k < N_PIN_KINDS; k++) {
		struct definition d = definition(k, whole[k]);
		struct json j;

		assert_slice(d.name, k == PIN_TOOL || k == PIN_PROMPT ? SL("n") : SL("u"));
		assert_int_equal(json_parse(&j, slice_of(whole[k]), &arena, NULL), E_OK);
		/* Each member that is there is one that counts: without it, or as another text, it is another definition. */
		for (uint32_t t = json_first(&j, 0); t < j.tok[0].next; t = j.tok[t + 1].next) {
			struct slice head = slice_head(j.text, j.tok[t + 1].off - (json_is(&j, t + 1, JSON_STRING))),
				     tail = slice_from(j.text, j.tok[t + 1].off + j.tok[t + 1].len + (json_is(&j, t + 1, JSON_STRING)));
			struct slice other = arena_fmt(&arena, "%.*s\"other\"%.*s", SL_ARG(head), SL_ARG(tail));

			assert_false(same(k, whole[k], other.p));
		}
		assert_true(same(k, whole[k], arena_fmt(&arena, "{\"_meta\":{},\"icons\":[],\"size\":1,%s", whole[k] + 1).p));
	}
}

static void test_marks(void **state)
{
	struct definition a = definition(PIN_TOOL, "{\"name\":\"n\",\"description\":\"d\"}"), b = definition(PIN_TOOL, "{\"description\":\"e\",\"name\":\"n\"}");

	(void)state;
	/* annotations, description, inputSchema, name, … */
	assert_int_equal(a.marks[0], 0);
	assert_int_not_equal(a.marks[1], b.marks[1]);
	assert_int_equal(a.marks[3], b.marks[3]);
	assert_slice(b.text, SL("{\"description\":\"e\",\"name\":\"n\"}"));
}

static void test_no_definition(void **state)
{
	static const char *const texts[] = { "7", "[]", "{}", "{\"name\":7}", "{\"Name\":\"x\"}" };
	struct definition d;
	struct json j;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(json_parse(&j, slice_of(texts[i]), &arena, NULL), E_OK);
		assert_int_equal(definition_read(PIN_TOOL, &j, 0, &d, &arena), E_INVALID);
	}
}

/* --- the file ------------------------------------------------------------------------------------------------------------- */

static void test_file(void **state)
{
	struct faults faults;
	struct buf out;

	(void)state;
	faults_init(&faults);
	buf_init(&out, 4096);
	buf_add(&out, SL("# by hand\n\n  \n"));
	struct definition a = definition(PIN_TOOL, "{\"name\":\"get\",\"description\":\"d\",\"icons\":[]}");

	assert_int_equal(pins_add_line(&out, PIN_TOOL, a.text), E_OK);
	buf_add(&out, SL("{ \"prompt\" : {\"description\":\"p\",\"name\":\"get\"} }\r\n{\"template\":{\"uriTemplate\":\"a://{b}\"}}"));
	struct pins *p = pins_parse(buf_slice(&out), SL("f.pins"), &faults);

	assert_non_null(p);
	assert_false(faults_any(&faults));
	assert_int_equal(pins_count(p), 3);
	assert_memory_equal(pins_find(p, PIN_TOOL, SL("get"))->is.digest, a.digest, DIGEST_BYTES);
	assert_int_equal(pins_find(p, PIN_TOOL, SL("get"))->line, 4);
	assert_int_equal(pins_find(p, PIN_PROMPT, SL("get"))->line, 5);
	assert_non_null(pins_find(p, PIN_TEMPLATE, SL("a://{b}")));
	assert_null(pins_find(p, PIN_RESOURCE, SL("get")));
	assert_null(pins_find(p, PIN_TOOL, SL("Get")));
	assert_null(pins_find(NULL, PIN_TOOL, SL("get")));
	assert_slice(pins_file(p), SL("f.pins"));
	pins_free(p);
	buf_finish(&out);
	faults_finish(&faults);
}

static void test_broken_files(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *says;
	} rows[] = {
		{ "{\"tool\":{\"name\":\"a\"}}\n{\"tool\":{\"name\":", 2, 17, "not valid JSON" },
		{ "{\"tool\":{\"name\":\"a\"},}", 1, 22, "not valid JSON" },
		{ "tool: get", 1, 1, "not valid JSON" },
		{ "[]", 1, 1, "a line pins" },
		{ "{}", 1, 1, "a line pins" },
		{ "{\"tool\":{\"name\":\"a\"},\"prompt\":{\"name\":\"a\"}}", 1, 1, "a line pins" },
		{ "{\"toll\":{\"name\":\"a\"}}", 1, 3, "is `tool` meant?" },
		{ "{\"tool\":\"a\"}", 1, 10, "a tool has a `name`" },
		{ "{\"tool\":{\"description\":\"a\"}}", 1, 9, "a tool has a `name`" },
		{ "{\"resource\":{\"name\":\"a\"}}", 1, 13, "a resource has a `uri`" },
		{ "{\"tool\":{\"name\":\"a\",\"mimeType\":\"b\"}}", 1, 22, "`mimeType` is not pinned of a tool" },
		{ "\n{\"tool\":{\"name\":\"a\"}}\n{\"tool\":{\"name\":\"a\"}}", 3, 18, "pinned in line 2 already" },
		{ "{\"tool\":{\"name\":\"a\",\"name\":\"b\"}}", 1, 22, "twice" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct faults faults;

		faults_init(&faults);
		assert_null(pins_parse(slice_of(rows[i].text), SL("f.pins"), &faults));
		assert_int_equal(faults.n, 1);
		if (faults.v[0].at.line != rows[i].line || faults.v[0].at.column != rows[i].column ||
			slice_find(faults.v[0].text, slice_of(rows[i].says)) < 0)
			fail_msg("%s: %u:%u: %.*s", rows[i].text, faults.v[0].at.line, faults.v[0].at.column, SL_ARG(faults.v[0].text));
		assert_slice(faults.v[0].at.file, SL("f.pins"));
		faults_finish(&faults);
	}
}

static void test_digest_of_file(void **state)
{
	struct faults faults;

	(void)state;
	faults_init(&faults);
	struct pins *a = pins_parse(SL(""), SL("f"), &faults), *b = pins_parse(SL("{\"tool\":{\"name\":\"a\"}}"), SL("f"), &faults);

	assert_memory_not_equal(pins_digest(a), pins_digest(b), DIGEST_BYTES);
	assert_int_equal(pins_count(a), 0);
	pins_free(a);
	pins_free(b);
	pins_free(NULL);
	faults_finish(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_counts), cmocka_unit_test(test_marks), cmocka_unit_test(test_no_definition),
		cmocka_unit_test(test_file), cmocka_unit_test(test_broken_files), cmocka_unit_test(test_digest_of_file) };

	arena_init(&arena, 16 << 20);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
