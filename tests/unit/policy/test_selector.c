#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "policy/selector.h"

static struct arena arena;

static int start(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

/* Everything found, as JSON text, with a blank before each. */
struct gathered {
	struct buf text;
	size_t n, limit;
	struct found last;
};

static bool gather(void *ctx, const struct found *f)
{
	struct gathered *g = ctx;
	buf_add_char(&g->text, ' ');
	buf_add(&g->text, json_source(f->json, f->tok));
	g->last = *f;
	return ++g->n != g->limit;
}

static enum err run(const char *selector, const char *text, struct gathered *g)
{
	struct selector s;
	struct json *json = ARENA_NEW(&arena, struct json);
	const char *why;
	buf_init(&g->text, 1 << 20);
	assert_int_equal(json_parse(json, slice_of(text), &arena, NULL), E_OK);
	assert_int_equal(selector_parse(&s, slice_of(selector), &arena, &why), E_OK);
	return selector_each(&s, json, 0, &arena, gather, g);
}

static void assert_finds(const char *selector, const char *text, const char *expected)
{
	struct gathered g = { .limit = 0 };
	assert_int_equal(run(selector, text, &g), E_OK);
	buf_add_char(&g.text, 0);
	assert_string_equal(g.text.p, expected);
	buf_finish(&g.text);
}

static void every_step(void **state)
{
	(void)state;
	const char *text = "{\"a\":{\"b\":[{\"c\":1},{\"c\":\"x\"},{\"d\":2}]},\"m\":{\"k1\":{\"v\":true},\"k2\":null},\"x.y\":7}";
	assert_finds("$.a.b[*].c", text, " 1 \"x\"");
	assert_finds("a.b[*].c", text, " 1 \"x\"");
	assert_finds("$.m.*", text, " {\"v\":true} null");
	assert_finds("$.m[~]", text, " \"k1\" \"k2\"");
	assert_finds("$.a.**", text, " 1 \"x\" 2");
	assert_finds("$.m.**", text, " true null");
	assert_finds("$[\"x.y\"]", text, " 7");
	assert_finds("$[\"x.y\"].**", text, " 7");
	assert_finds("$", "[1]", " [1]");
	assert_finds("[*]", "[1,\"a\"]", " 1 \"a\"");
	assert_finds("$[*].**", "[[1,[2]],{\"a\":3}]", " 1 2 3");
}

static void what_is_not_there_is_not_found(void **state)
{
	(void)state;
	assert_finds("$.a.b", "{\"a\":[1]}", "");
	assert_finds("$.a[*]", "{\"a\":{\"b\":1}}", "");
	assert_finds("$.a.*", "{\"a\":[1]}", "");
	assert_finds("$.a[~]", "{\"a\":\"s\"}", "");
	assert_finds("$.A", "{\"a\":1}", "");
	assert_finds("$.a.**", "{\"a\":[]}", "");
}

static void json_in_strings(void **state)
{
	(void)state;
	struct gathered g = { .limit = 0 };
	assert_finds("json($.a).b", "{\"a\":\"{\\\"b\\\":5}\"}", " 5");
	assert_finds("json(a).b", "{\"a\":{\"b\":5}}", " 5");
	assert_finds("json(json(a).b)[*]", "{\"a\":\"{\\\"b\\\":\\\"[1,2]\\\"}\"}", " 1 2");
	assert_finds("json(a).b", "{}", "");
	assert_int_equal(run("json(a).b", "{\"a\":\"{broken\"}", &g), E_SYNTAX);
	buf_finish(&g.text);
	assert_int_equal(run("json(a).b", "{\"a\":12}", &g), E_SYNTAX);
	buf_finish(&g.text);
	assert_int_equal(run("json(a).b", "{\"a\":\"{\\\"b\\\":1,\\\"b\\\":2}\"}", &g), E_SYNTAX);
	buf_finish(&g.text);
	assert_int_equal(g.n, 0);
}

static void found_says_where(void **state)
{
	(void)state;
	struct gathered g = { .limit = 0 };
	run("$.items[*].key", "{\"items\":[{\"key\":\"a\"}]}", &g);
	assert_false(g.last.is_name || g.last.nested);
	assert_int_equal(json_type(g.last.json, g.last.holder), JSON_OBJECT);
	buf_finish(&g.text);
	run("$.m[~]", "{\"m\":{\"k\":1}}", &g);
	assert_true(g.last.is_name);
	assert_int_equal(json_type(g.last.json, g.last.holder), JSON_OBJECT);
	buf_finish(&g.text);
	run("json(a).b", "{\"a\":\"{\\\"b\\\":5}\"}", &g);
	assert_true(g.last.nested);
	assert_int_equal(g.last.holder, 0);
	buf_finish(&g.text);
	run("$", "{}", &g);
	assert_int_equal(g.last.holder, JSON_NONE);
	buf_finish(&g.text);
}

static void a_walk_can_be_ended(void **state)
{
	(void)state;
	static const char *const selectors[] = { "$[*]", "$[*].**", "$.**" };
	for (size_t i = 0; i < 3; i++) {
		struct gathered g = { .limit = 2 };
		assert_int_equal(run(selectors[i], "[1,2,3]", &g), E_OK);
		assert_int_equal(g.n, 2);
		buf_finish(&g.text);
	}
}

static void what_cannot_be_read(void **state)
{
	(void)state;
	static const char *const broken[] = { "", "$.", "$.a.", "$a", "$.a[0]", "$.a[", "$[\"a]", "$.a.**.b", "$.a[~].b", "json(a", "a)",
		"$.a b", "$..a", "$.a*", "$[\"\"]", "$.a|b", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q" };
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct selector s;
		const char *why = NULL;
		assert_int_equal(selector_parse(&s, slice_of(broken[i]), &arena, &why), E_INVALID);
		assert_non_null(why);
	}
}

static void mentions_is_the_top_name(void **state)
{
	(void)state;
	struct selector s;
	const char *why;
	selector_parse(&s, SL("json(a).b"), &arena, &why);
	assert_true(selector_mentions(&s, SL("a")));
	assert_false(selector_mentions(&s, SL("b")));
	selector_parse(&s, SL("$"), &arena, &why);
	assert_false(selector_mentions(&s, SL("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_step, start, stop),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_not_found, start, stop),
		cmocka_unit_test_setup_teardown(json_in_strings, start, stop),
		cmocka_unit_test_setup_teardown(found_says_where, start, stop),
		cmocka_unit_test_setup_teardown(a_walk_can_be_ended, start, stop),
		cmocka_unit_test_setup_teardown(what_cannot_be_read, start, stop),
		cmocka_unit_test_setup_teardown(mentions_is_the_top_name, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
