#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "base/base64.h"
#include "guards/doc.h"
#include "guards/docsel.h"
#include "guards/mask_names.h"

static struct arena arena;

static int open_arena(void **state)
{
	(void)state;
	arena_init(&arena, 16u << 20);
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

static struct doc *read_doc(const char *text)
{
	struct json *j = ARENA_NEW(&arena, struct json);

	assert_int_equal(json_parse(j, slice_of(text), &arena, NULL), E_OK);
	struct doc *d = doc_root(j, &arena);
	assert_non_null(d);
	return d;
}

static void assert_renders(struct doc *d, const char *expected)
{
	struct buf out;

	buf_init(&out, 1u << 20);
	assert_int_equal(doc_render(d, &out), E_OK);
	struct slice text = arena_dup(&arena, buf_slice(&out));
	buf_finish(&out);
	assert_string_equal(text.p, expected);
}

static uint32_t at(const struct doc *d, const char *path)
{
	uint32_t t = json_walk(&d->json, 0, path);
	assert_int_not_equal(t, JSON_NONE);
	return t;
}

static void untouched_bytes_stay(void **state)
{
	struct doc *d = read_doc("{ \"a\" : [1, 2.50 ,\"x\\/y\"] }");

	(void)state;
	assert_false(doc_changed(d));
	assert_renders(d, "{ \"a\" : [1, 2.50 ,\"x\\/y\"] }");
}

static void changes_travel_outward(void **state)
{
	struct doc *d = read_doc("{\"t\":\"pre: {\\\"x\\\": \\\"{\\\\\\\"y\\\\\\\":1}\\\", \\\"k\\\":2}\",\"z\" : 3}");
	struct doc *one = doc_inside(d, at(d, "t"), SL("pre: "));

	(void)state;
	assert_int_equal(one->kind, DOC_JSON);
	assert_true(slice_eq(one->before, SL("pre: ")));
	struct doc *two = doc_inside(one, at(one, "x"), SL(""));
	assert_ptr_equal(two, doc_inside(one, at(one, "x"), SL("")));
	assert_int_equal(doc_set_raw(two, at(two, "y"), SL("\"q\"")), E_OK);
	assert_true(doc_changed(d));
	assert_renders(d, "{\"t\":\"pre: {\\\"x\\\": \\\"{\\\\\\\"y\\\\\\\":\\\\\\\"q\\\\\\\"}\\\", \\\"k\\\":2}\",\"z\" : 3}");
	/* Twice gives the same. */
	assert_renders(d, "{\"t\":\"pre: {\\\"x\\\": \\\"{\\\\\\\"y\\\\\\\":\\\\\\\"q\\\\\\\"}\\\", \\\"k\\\":2}\",\"z\" : 3}");
}

static void only_whole_json_is_json(void **state)
{
	static const char *const texts[] = { "\"{} x\"", "\"{\\\"a\\\":1,\\\"a\\\":2}\"", "\"12\"", "\"\\\"s\\\"\"", "\"\"", "\"[1\"" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct doc *d = read_doc(texts[i]);
		assert_int_equal(doc_inside(d, 0, SL(""))->kind, DOC_TEXT);
	}
	struct doc *d = read_doc("\" \\n {} \"");
	assert_int_equal(doc_inside(d, 0, SL("nowhere"))->kind, DOC_JSON);
}

static void removed_stays_removed(void **state)
{
	struct doc *d = read_doc("{\"a\":[\"x\",\"y\"],\"b\":{\"c\":1},\"n\":5}");
	uint32_t a = at(d, "a"), x = a + 1, b = at(d, "b"), n = at(d, "n");

	(void)state;
	assert_int_equal(doc_remove(d, x), E_OK);
	assert_int_equal(doc_set_string(d, x, SL("no")), E_OK);
	assert_int_equal(doc_remove(d, b), E_OK);
	assert_int_equal(doc_set_raw(d, at(d, "b.c"), SL("7")), E_OK);
	assert_int_equal(doc_count_less(d, n, 2), E_OK);
	assert_int_equal(doc_count_less(d, n, 1), E_OK);
	assert_renders(d, "{\"a\":[\"y\"],\"n\":2}");
	assert_int_equal(doc_count_less(d, n, 9), E_OK);
	assert_int_equal(doc_remove(d, 0), E_INVALID);
	assert_renders(d, "{\"a\":[\"y\"],\"n\":0}");
}

static void spans_merge(void **state)
{
	struct doc *d = read_doc("\"0123456789\""), *t = doc_inside(d, 0, SL(""));

	(void)state;
	assert_int_equal(doc_replace(t, 6, 2, SL("B")), E_OK);
	assert_int_equal(doc_replace(t, 1, 2, SL("A")), E_OK);
	assert_renders(d, "\"0A345B89\"");
	assert_int_equal(doc_replace(t, 2, 5, SL("C")), E_OK);
	assert_int_equal(t->n_spans, 1);
	assert_renders(d, "\"0A89\"");
	assert_int_equal(doc_replace(t, 10, 0, SL("!")), E_OK);
	assert_renders(d, "\"0A89!\"");
	assert_int_equal(doc_replace(t, 3, 1, SL("D")), E_OK);
	assert_renders(d, "\"0A89!\"");
	doc_replace_all(t, SL("all \"of\" it"));
	assert_renders(d, "\"all \\\"of\\\" it\"");
}

static void blobs_are_base64(void **state)
{
	struct doc *d = read_doc("{\"b\":\"eyJ4IjoxfQ==\",\"bad\":\"?\",\"bin\":\"/+7d\"}");
	struct doc *b = doc_inside_blob(d, at(d, "b"));

	(void)state;
	assert_int_equal(b->kind, DOC_JSON);
	assert_null(doc_inside_blob(d, at(d, "bad")));
	assert_null(doc_inside_blob(d, at(d, "bin")));
	assert_int_equal(doc_set_raw(b, at(b, "x"), SL("22")), E_OK);
	assert_renders(d, "{\"b\":\"eyJ4IjoyMn0=\",\"bad\":\"?\",\"bin\":\"/+7d\"}");
}

static void base64_is_strict(void **state)
{
	static const char *const good[][2] = { { "", "" }, { "aGk=", "hi" }, { "aGk", "hi" }, { "aG\nk=", "hi" }, { "Pz8_", "???" }, { "Pz8/", "???" } };
	static const char *const bad[] = { "a", "aGk=x", "aGk===", "a k=" };
	struct slice out;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(base64_decode(&out, slice_of(good[i][0]), &arena));
		assert_true(slice_eq(out, slice_of(good[i][1])));
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(base64_decode(&out, slice_of(bad[i]), &arena));
	for (size_t n = 0; n < 5; n++) {
		struct slice text = slice_head(SL("\xff\x01zq"), n);
		assert_true(base64_decode(&out, base64_encode(text, &arena), &arena));
		assert_true(slice_eq(out, text));
	}
}

static void documents_have_a_depth(void **state)
{
	struct doc *d = read_doc("\"x\"");

	(void)state;
	for (unsigned i = 0; i < DOC_MAX_DEPTH; i++) {
		struct doc *next = read_doc("{\"a\":\"[]\"}");
		next->depth = i;
		assert_non_null(doc_inside(next, at(next, "a"), SL("")));
	}
	d->depth = DOC_MAX_DEPTH;
	assert_null(doc_inside(d, 0, SL("")));
}

static void names_are_classed(void **state)
{
	static const struct {
		const char *name;
		enum name_class class;
	} rows[] = {
		{ "value", NAME_VALUE }, { "Values", NAME_VALUE }, { "SECRET_VALUE", NAME_VALUE }, { "api-key", NAME_VALUE }, { "apiKey", NAME_VALUE },
		{ "webhook_secret", NAME_VALUE }, { "accesskey", NAME_VALUE }, { "db_password", NAME_VALUEISH }, { "my_token", NAME_VALUEISH },
		{ "next_token", NAME_PLAIN }, { "path", NAME_META }, { "lease_id", NAME_META }, { "leaseId", NAME_META }, { "valid", NAME_PLAIN },
		{ "PAID", NAME_PLAIN }, { "created_at", NAME_META }, { "expiresAt", NAME_META }, { "expires_in", NAME_META }, { "format", NAME_PLAIN },
		{ "flat", NAME_PLAIN }, { "metadata", NAME_META_MAP }, { "message", NAME_PROSE }, { "length", NAME_LENGTH }, { "key", NAME_PLAIN },
		{ "scopes", NAME_META }, { "serialNumber", NAME_META }, { "secret_type", NAME_META }, { "version", NAME_META }, { "", NAME_VALUEISH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (mask_name_class(slice_of(rows[i].name)) != rows[i].class)
			print_message("%s\n", rows[i].name);
		assert_int_equal(mask_name_class(slice_of(rows[i].name)), rows[i].class);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_bytes_stay),
		cmocka_unit_test(changes_travel_outward),
		cmocka_unit_test(only_whole_json_is_json),
		cmocka_unit_test(removed_stays_removed),
		cmocka_unit_test(spans_merge),
		cmocka_unit_test(blobs_are_base64),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(documents_have_a_depth),
		cmocka_unit_test(names_are_classed),
	};
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
