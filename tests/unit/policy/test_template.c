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
	arena_init(&arena, 64 << 20);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

struct made {
	struct buf text; /* every text, each with a `;` behind it */
	bool missing, bad;
	enum err err;
};

static bool on_text(void *ctx, struct slice text)
{
	struct made *m = ctx;
	buf_add(&m->text, text);
	buf_add_char(&m->text, ';');
	return true;
}

/* `item` is what references look into, `args` (may be NULL) the call's arguments. */
static struct made make(const char *source, const char *item, const char *args)
{
	struct made m = { .err = E_OK };
	struct template t;
	struct json json, args_json;
	const char *why;
	buf_init(&m.text, 1 << 20);
	assert_int_equal(template_parse(&t, slice_of(source), &arena, &why), E_OK);
	assert_int_equal(json_parse(&json, slice_of(item), &arena, NULL), E_OK);
	struct template_scope scope = { .json = &json };
	if (args) {
		assert_int_equal(json_parse(&args_json, slice_of(args), &arena, NULL), E_OK);
		scope.args_json = &args_json;
	}
	m.err = template_each(&t, &scope, &arena, on_text, &m, &m.missing, &m.bad);
	return m;
}

static void assert_makes(const char *source, const char *item, const char *args, const char *expected)
{
	struct made m = make(source, item, args);
	assert_int_equal(m.err, E_OK);
	assert_true(slice_eq(buf_slice(&m.text), slice_of(expected)));
	assert_false(m.missing);
	assert_false(m.bad);
	buf_finish(&m.text);
}

enum { MISSING = 1, BAD = 2 };

static void assert_lacks(const char *source, const char *item, const char *expected, int what)
{
	struct made m = make(source, item, NULL);
	assert_int_equal(m.err, E_OK);
	assert_true(slice_eq(buf_slice(&m.text), slice_of(expected)));
	assert_int_equal(m.missing, what == MISSING);
	assert_int_equal(m.bad, what == BAD);
	buf_finish(&m.text);
}

static void references(void **state)
{
	(void)state;
	assert_makes("{path}", "{\"path\":\"a/b\"}", NULL, "a/b;");
	assert_makes("{namespace}/{key}", "{\"namespace\":\"ns\",\"key\":\"K\"}", NULL, "ns/K;");
	assert_makes("{env}/{p|/}/{n}", "{\"env\":\"dev\",\"n\":\"X\"}", NULL, "dev///X;");
	assert_makes("{prefix|}", "{}", NULL, ";");
	assert_makes("{prefix|}", "{\"prefix\":\"\"}", NULL, ";");
	assert_makes("{config.path}", "{\"config\":{\"path\":\"x\"}}", NULL, "x;");
	assert_makes("{paths[*]}", "{\"paths\":[\"a\",\"b\"]}", NULL, "a;b;");
	assert_makes("{m[~]}", "{\"m\":{\"a/*\":\"b/*\"}}", NULL, "a/*;");
	assert_makes("{m.*}", "{\"m\":{\"a/*\":\"b/*\"}}", NULL, "b/*;");
	assert_makes("secret/{id}", "{\"id\":12}", NULL, "secret/12;");
	assert_makes("{p}", "{\"p\":\"a\\u002fb\"}", NULL, "a/b;");
	assert_makes("{json(a).b}", "{\"a\":\"{\\\"b\\\":\\\"c\\\"}\"}", NULL, "c;");
}

static void beside_an_item(void **state)
{
	(void)state;
	assert_makes("{arg.mount}/{arg.path|}/{.}", "\"x\"", "{\"mount\":\"kv\"}", "kv//x;");
	assert_makes("{arg.a.b}/{arg}", "{\"arg\":\"item\"}", "{\"a\":{\"b\":\"call\"}}", "call/item;");
	assert_makes("{$.arg.x}", "{\"arg\":{\"x\":\"item\"}}", "{\"x\":\"call\"}", "item;");
	assert_lacks("{arg.mount}/{.}", "\"x\"", "", MISSING);
}

static void several_go_each_with_each(void **state)
{
	(void)state;
	assert_makes("{a[*]}/{b[*]}", "{\"a\":[\"1\",\"2\"],\"b\":[\"x\",\"y\"]}", NULL, "1/x;1/y;2/x;2/y;");
	assert_makes("{a[*]}/z", "{\"a\":[\"1\",\"2\"]}", NULL, "1/z;2/z;");
}

static void nothing_found_is_missing(void **state)
{
	(void)state;
	assert_lacks("{path}", "{}", "", MISSING);
	assert_lacks("{namespace}/{key}", "{\"namespace\":\"ns\"}", "", MISSING);
	assert_lacks("{paths[*]}", "{\"paths\":[]}", "", MISSING);
	assert_lacks("{paths[*]}", "{\"paths\":\"a\"}", "", MISSING);
}

static void other_types_are_bad(void **state)
{
	(void)state;
	assert_lacks("{path}", "{\"path\":null}", "", BAD);
	assert_lacks("{path}", "{\"path\":true}", "", BAD);
	assert_lacks("{path|x}", "{\"path\":null}", "", BAD);
	assert_lacks("{path}", "{\"path\":[\"a\"]}", "", BAD);
	assert_lacks("{path}", "{\"path\":{}}", "", BAD);
	assert_lacks("{paths[*]}", "{\"paths\":[\"a\",[\"b\"]]}", "a;", BAD);
	struct made m = make("{json(a).b}", "{\"a\":\"{\"}", NULL);
	assert_int_equal(m.err, E_SYNTAX);
	buf_finish(&m.text);
}

static void forms(void **state)
{
	(void)state;
	assert_makes("{ns}/{key:segment}", "{\"ns\":\"a/b\",\"key\":\"K.1\"}", NULL, "a/b/K.1;");
	assert_lacks("{ns}/{key:segment}", "{\"ns\":\"a\",\"key\":\"b/c\"}", "", BAD);
	assert_lacks("{ns}/{key:segment}", "{\"ns\":\"a\",\"key\":\"\"}", "", BAD);
	assert_lacks("{ns}/{key:segment|x}", "{\"ns\":\"a\",\"key\":\"b/c\"}", "", BAD);
	assert_makes("{f|}/{key:rooted}", "{\"f\":\"x\",\"key\":\"k\"}", NULL, "x/k;");
	assert_makes("{f|}/{key:rooted}", "{\"f\":\"x\",\"key\":\"b/c\"}", NULL, "b/c;");
	assert_makes("{f}/{keys[*]:rooted}", "{\"f\":\"x\",\"keys\":[\"a\",\"b/c\"]}", NULL, "x/a;b/c;");
}

static void expressions(void **state)
{
	(void)state;
	const char *arn = "re(id, \"^arn:aws:[^:]*:[^:]*:[^:]*:secret:(?<p>.+)-[A-Za-z0-9]{6}$\")";
	assert_makes(arn, "{\"id\":\"arn:aws:secretsmanager:eu:12:secret:prod/db-AbCd12\"}", NULL, "prod/db;");
	assert_lacks(arn, "{\"id\":\"prod/db\"}", "", BAD);
	assert_lacks(arn, "{}", "", MISSING);
	assert_makes("re($.s[*], \"(?<p>[a-z]+)\")", "{\"s\":[\"ab cd\",\"ef\"]}", NULL, "ab;cd;ef;");
	assert_lacks("re(a, \"x(?<p>y)?\")", "{\"a\":\"x\"}", "", BAD);
	assert_makes("re(arg.u, \"/(?<p>.*)$\")", "{}", "{\"u\":\"op://v/i\"}", "/v/i;");
}

static void too_many_texts_are_an_error(void **state)
{
	(void)state;
	struct buf item;
	buf_init(&item, 1 << 20);
	buf_add(&item, SL("{\"a\":[0"));
	for (int i = 0; i < 400; i++)
		buf_add(&item, SL(",1"));
	buf_add(&item, SL("]}"));
	buf_add_char(&item, 0);
	struct made m = make("{a[*]}{a[*]}", item.p, NULL);
	assert_int_equal(m.err, E_TOO_MANY);
	buf_finish(&m.text);
	buf_finish(&item);
}

static void what_cannot_be_read(void **state)
{
	(void)state;
	static const char *const broken[] = { "{", "}", "{a", "a}", "{}", "{|x}", "{a b}", "{a:odd}", "re(a)", "re(\"(?<p>x)\")", "re(a, \"x\")",
		"re(a, \"(\")", "{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}{p}{q}" };
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct template t;
		const char *why = NULL;
		assert_int_equal(template_parse(&t, slice_of(broken[i]), &arena, &why), E_INVALID);
		assert_non_null(why);
	}
}

static void mentions(void **state)
{
	(void)state;
	struct template t;
	const char *why;
	assert_int_equal(template_parse(&t, SL("{config.path}/{arg.x}/{y|}"), &arena, &why), E_OK);
	assert_true(template_mentions(&t, SL("config")));
	assert_true(template_mentions(&t, SL("x")));
	assert_true(template_mentions(&t, SL("y")));
	assert_false(template_mentions(&t, SL("path")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(references, start, stop),
		cmocka_unit_test_setup_teardown(beside_an_item, start, stop),
		cmocka_unit_test_setup_teardown(several_go_each_with_each, start, stop),
		cmocka_unit_test_setup_teardown(nothing_found_is_missing, start, stop),
		cmocka_unit_test_setup_teardown(other_types_are_bad, start, stop),
		cmocka_unit_test_setup_teardown(forms, start, stop),
		cmocka_unit_test_setup_teardown(expressions, start, stop),
		cmocka_unit_test_setup_teardown(too_many_texts_are_an_error, start, stop),
		cmocka_unit_test_setup_teardown(what_cannot_be_read, start, stop),
		cmocka_unit_test_setup_teardown(mentions, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
