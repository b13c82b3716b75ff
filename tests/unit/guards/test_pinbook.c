/* What a vault shows first, its bounds, and what is told. */
#include "tests/unit/check.h"

#include "guards/pinbook.h"

static struct arena arena;

static enum err learn(struct pinbook *b, const struct pins *accepted, enum pin_kind kind, const char *array)
{
	struct json j;

	assert_int_equal(json_parse(&j, slice_of(array), &arena, NULL), E_OK);
	return pinbook_learn(b, accepted, kind, &j, 0);
}

static void test_first_is_the_pin(void **state)
{
	struct pinbook *b = pinbook_create(8);

	(void)state;
	assert_int_equal(pinbook_state(b, NULL, PIN_TOOL, SL("a")), PIN_UNSEEN);
	learn(b, NULL, PIN_TOOL, "[{\"name\":\"a\",\"description\":\"1\"}]");
	assert_int_equal(pinbook_state(b, NULL, PIN_TOOL, SL("a")), PIN_SAME);
	assert_int_equal(pinbook_state(b, NULL, PIN_PROMPT, SL("a")), PIN_UNSEEN);
	learn(b, NULL, PIN_TOOL, "[{\"name\":\"a\",\"description\":\"2\"}]");
	assert_int_equal(pinbook_state(b, NULL, PIN_TOOL, SL("a")), PIN_CHANGED);
	/* Not listed is not changed back. */
	learn(b, NULL, PIN_TOOL, "[]");
	assert_int_equal(pinbook_state(b, NULL, PIN_TOOL, SL("a")), PIN_CHANGED);
	learn(b, NULL, PIN_TOOL, "[ {\"description\":\"1\",\"name\":\"a\"} ]");
	assert_int_equal(pinbook_state(b, NULL, PIN_TOOL, SL("a")), PIN_SAME);
	pinbook_free(b);
	pinbook_free(NULL);
}

static bool knows(const struct pinbook *b, const struct pins *accepted, const char *array)
{
	return pinbook_knows_page(b, accepted, PIN_TOOL, slice_of(array));
}

/* A page is known while all on it is as it is pinned, and while nothing has been shown otherwise since. */
static void test_pages(void **state)
{
	static const char ONE[] = "[{\"name\":\"a\",\"description\":\"1\"}]", TWO[] = "[{\"name\":\"a\",\"description\":\"2\"}]",
			  TWINS[] = "[{\"name\":\"c\"},{\"name\":\"c\",\"title\":\"x\"}]";
	struct pinbook *b = pinbook_create(8);
	struct faults faults;

	(void)state;
	assert_false(knows(b, NULL, ONE));
	learn(b, NULL, PIN_TOOL, ONE);
	assert_true(knows(b, NULL, ONE));
	assert_false(pinbook_knows_page(b, NULL, PIN_PROMPT, slice_of(ONE)));
	learn(b, NULL, PIN_TOOL, TWO);
	assert_false(knows(b, NULL, ONE));
	assert_false(knows(b, NULL, TWO));
	/* The same bytes as before are read again, and what they say counts. */
	learn(b, NULL, PIN_TOOL, ONE);
	assert_int_equal(pinbook_state(b, NULL, PIN_TOOL, SL("a")), PIN_SAME);
	learn(b, NULL, PIN_TOOL, TWINS);
	assert_false(knows(b, NULL, TWINS));
	/* Other pins, another matter. */
	faults_init(&faults);
	struct pins *p = pins_parse(SL("{\"tool\":{\"name\":\"a\",\"description\":\"2\"}}"), SL("f"), &faults);

	learn(b, NULL, PIN_TOOL, ONE);
	assert_true(knows(b, NULL, ONE));
	assert_false(knows(b, p, ONE));
	assert_int_equal(pinbook_state(b, p, PIN_TOOL, SL("a")), PIN_CHANGED);
	assert_int_equal(pinbook_state(b, NULL, PIN_TOOL, SL("a")), PIN_SAME);
	pins_free(p);
	faults_finish(&faults);
	pinbook_free(b);
}

static void test_bound(void **state)
{
	struct pinbook *b = pinbook_create(2);
	struct faults faults;

	(void)state;
	faults_init(&faults);
	struct pins *p = pins_parse(SL("{\"tool\":{\"name\":\"d\"}}"), SL("f"), &faults);

	assert_int_equal(learn(b, NULL, PIN_TOOL, "[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"d\"}]"), E_OK);
	assert_int_equal(pinbook_state(b, NULL, PIN_TOOL, SL("b")), PIN_SAME);
	assert_int_equal(pinbook_state(b, NULL, PIN_TOOL, SL("c")), PIN_FULL);
	assert_int_equal(pinbook_state(b, p, PIN_TOOL, SL("d")), PIN_UNSEEN);
	assert_int_equal(pinbook_state(b, NULL, PIN_PROMPT, SL("c")), PIN_UNSEEN);
	assert_slice(pinbook_tell(b), SL("more than 2 names of the kind tool: further ones are withheld"));
	learn(b, NULL, PIN_TOOL, "[{\"name\":\"e\"}]");
	assert_slice(pinbook_tell(b), SL(""));
	/* Resources are as many as secrets. */
	learn(b, NULL, PIN_RESOURCE, "[{\"uri\":\"a\"},{\"uri\":\"b\"},{\"uri\":\"c\"}]");
	assert_int_equal(pinbook_state(b, NULL, PIN_RESOURCE, SL("c")), PIN_SAME);
	pins_free(p);
	faults_finish(&faults);
	pinbook_free(b);
}

static void test_agrees(void **state)
{
	struct pinbook *b = pinbook_create(2);
	struct definition d;
	struct json j;

	(void)state;
	learn(b, NULL, PIN_TOOL, "[{\"name\":\"a\"}]");
	assert_int_equal(json_parse(&j, SL("[{\"name\":\"a\"},{\"name\":\"a\",\"title\":\"t\"},{\"name\":\"z\"}]"), &arena, NULL), E_OK);
	uint32_t t = json_first(&j, 0);
	assert_int_equal(definition_read(PIN_TOOL, &j, t, &d, &arena), E_OK);
	assert_true(pinbook_agrees(b, NULL, PIN_TOOL, &d));
	t = j.tok[t].next;
	assert_int_equal(definition_read(PIN_TOOL, &j, t, &d, &arena), E_OK);
	assert_false(pinbook_agrees(b, NULL, PIN_TOOL, &d));
	t = j.tok[t].next;
	assert_int_equal(definition_read(PIN_TOOL, &j, t, &d, &arena), E_OK);
	assert_false(pinbook_agrees(b, NULL, PIN_TOOL, &d));
	pinbook_free(b);
}

/* However much changes at once, what is kept for telling is bounded, and what is left out is counted. */
static void test_telling_is_bounded(void **state)
{
	struct pinbook *b = pinbook_create(1000);
	struct buf one, two;
	size_t lines = 0;

	(void)state;
	buf_init(&one, 1 << 20);
	buf_init(&two, 1 << 20);
	for (int i = 0; i < 500; i++) {
		buf_add_fmt(&one, "%c{\"name\":\"tool-%d\"}", i ? ',' : '[', i);
		buf_add_fmt(&two, "%c{\"name\":\"tool-%d\",\"description\":\"%0200d\"}", i ? ',' : '[', i, i);
	}
	buf_add(&one, SL("]"));
	buf_add(&two, SL("]"));
	learn(b, NULL, PIN_TOOL, arena_dup(&arena, buf_slice(&one)).p);
	assert_slice(pinbook_tell(b), SL(""));
	learn(b, NULL, PIN_TOOL, arena_dup(&arena, buf_slice(&two)).p);
	struct slice last = SL("");
	for (struct slice line = pinbook_tell(b); line.n; line = pinbook_tell(b), lines++) {
		assert_true(line.n <= PINBOOK_LINE_BYTES);
		last = arena_dup(&arena, line);
	}
	assert_true(lines > 10 && lines < 200);
	assert_true(slice_ends(last, SL(" more changes of definitions are not told here")));
	assert_slice(pinbook_tell(b), SL(""));
	buf_finish(&one);
	buf_finish(&two);
	pinbook_free(b);
}

/* A name that was made up to fill lines. */
static void test_long_names(void **state)
{
	struct pinbook *b = pinbook_create(4);
	struct buf text;

	(void)state;
	for (int i = 0; i < 2; i++) {
		buf_init(&text, 1 << 20);
		buf_add(&text, SL("[{\"name\":\""));
		for (int k = 0; k < 5000; k++)
			buf_add(&text, SL("\xe2\x80\xae")); /* turns text around */
		buf_add_fmt(&text, "\",\"title\":\"%d\"}]", i);
		learn(b, NULL, PIN_TOOL, arena_dup(&arena, buf_slice(&text)).p);
		buf_finish(&text);
	}
	struct slice line = pinbook_tell(b);
	assert_true(line.n > 0 && line.n <= PINBOOK_LINE_BYTES);
	assert_true(slice_find(line, SL("\\u{202e}")) >= 0 && slice_find(line, SL("\xe2\x80\xae")) < 0);
	assert_true(slice_find(line, SL("title changed: old \"0\" new \"1\"")) >= 0);
	pinbook_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_first_is_the_pin), cmocka_unit_test(test_pages), cmocka_unit_test(test_bound),
		cmocka_unit_test(test_agrees), cmocka_unit_test(test_telling_is_bounded), cmocka_unit_test(test_long_names) };

	arena_init(&arena, 64 << 20);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
