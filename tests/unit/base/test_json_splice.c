/* The splice: what is edited changes, everything else keeps its bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/json.h"

enum { MOST_EDITS = 6 };

/* An edit of the token at `path`: member names and item numbers between dots, "" is the root. */
struct step {
	char kind; /* s string, r raw, x remove, v remove by the value, n rename, i insert */
	const char *path;
	const char *with;
	const char *name; /* of what is inserted */
};

struct row {
	const char *text;
	struct step step[MOST_EDITS];
	const char *want;
};

static struct arena arena;

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

static uint32_t item(const struct json *j, uint32_t t, unsigned long i)
{
	uint32_t c = json_first(j, t);

	while (i--)
		c = j->tok[c].next;
	return c;
}

static uint32_t find(const struct json *j, const char *path)
{
	struct slice rest = slice_of(path);
	uint32_t t = 0;

	while (rest.n) {
		struct slice step = slice_cut(&rest, '.');
		t = json_is(j, t, JSON_ARRAY) ? item(j, t, strtoul(step.p, NULL, 10)) : json_member(j, t, step);
		assert_int_not_equal(t, JSON_NONE);
	}
	return t;
}

static enum err add(struct json_edits *e, const struct json *j, const struct step *s)
{
	uint32_t t = find(j, s->path);
	bool member = t > 0 && (j->tok[t - 1].flags & JSON_NAME);

	switch (s->kind) {
	case 's':
		return json_edit_string(e, t, slice_of(s->with));
	case 'r':
		return json_edit_raw(e, t, slice_of(s->with));
	case 'x':
		return json_edit_remove(e, member ? t - 1 : t);
	case 'v':
		return json_edit_remove(e, t);
	case 'n':
		return json_edit_string(e, t - 1, slice_of(s->with));
	default:
		return json_edit_insert(e, t, slice_of(s->name), slice_of(s->with));
	}
}

/* Splices the row's steps, last first when `backwards`, behind some bytes that must stay. */
static void check_row(const struct row *row, bool backwards)
{
	struct json_edits e;
	struct json j, again;
	struct buf out;
	int n = 0;

	arena_reset(&arena);
	buf_init(&out, 4096);
	buf_add(&out, SL("head "));
	assert_int_equal(json_parse(&j, slice_of(row->text), &arena, NULL), E_OK);
	json_edits_init(&e, &arena);
	while (n < MOST_EDITS && row->step[n].kind)
		n++;
	for (int i = 0; i < n; i++)
		assert_int_equal(add(&e, &j, &row->step[backwards ? n - 1 - i : i]), E_OK);
	assert_int_equal(json_splice(&j, &e, &out), E_OK);
	assert_true(slice_starts(buf_slice(&out), SL("head ")));
	buf_consume(&out, 5);
	if (!slice_eq(buf_slice(&out), slice_of(row->want))) {
		print_error("%s gives %.*s, not %s\n", row->text, SL_ARG(buf_slice(&out)), row->want);
		fail();
	}
	assert_int_equal(json_parse(&again, buf_slice(&out), &arena, NULL), E_OK);
	buf_finish(&out);
}

static void check_rows(const struct row *rows, size_t n, bool any_order)
{
	for (size_t i = 0; i < n; i++) {
		check_row(&rows[i], false);
		if (any_order)
			check_row(&rows[i], true);
	}
}

#define CHECK_ROWS(rows, any_order) check_rows(rows, sizeof(rows) / sizeof(*(rows)), any_order)

static void no_edits(void **state)
{
	static const struct row rows[] = {
		{ " {\"a\" : [1.50, 1E2,\t\"\\u0041\\/\"] }\r\n", { { 0 } }, " {\"a\" : [1.50, 1E2,\t\"\\u0041\\/\"] }\r\n" },
		{ "12345678901234567890", { { 0 } }, "12345678901234567890" },
		{ "\"\"", { { 0 } }, "\"\"" },
	};
	(void)state;
	CHECK_ROWS(rows, false);
}

static void replaced(void **state)
{
	static const struct row rows[] = {
		{ "{\"a\":\"x\",\"b\":1}", { { 's', "a", "y", NULL } }, "{\"a\":\"y\",\"b\":1}" },
		{ "{\"a\":\"\"}", { { 's', "a", "", NULL } }, "{\"a\":\"\"}" },
		{ "{\"a\":\"\"}", { { 's', "a", "\"\\\n", NULL } }, "{\"a\":\"\\\"\\\\\\n\"}" },
		{ " {\"a\": \"x\" } ", { { 's', "a", "\xE2\x80\xA2", NULL } }, " {\"a\": \"\xE2\x80\xA2\" } " },
		{ "{\"a\":[1, {\"b\":2} ,3]}", { { 's', "a.1", "y", NULL } }, "{\"a\":[1, \"y\" ,3]}" },
		{ "{\"a\":[1, {\"b\":2} ,3]}", { { 'r', "a.1.b", "[null]", NULL } }, "{\"a\":[1, {\"b\":[null]} ,3]}" },
		{ "{\"a\":[1,2,3]}", { { 'r', "a.0", "9", NULL }, { 'r', "a.2", "8", NULL } }, "{\"a\":[9,2,8]}" },
		{ " 12 ", { { 'r', "", "{}", NULL } }, " {} " },
		{ "{\"a\":1}", { { 's', "", "all", NULL } }, "\"all\"" },
		{ "{\"a\" :1,\"b\":2}", { { 'n', "a", "c", NULL } }, "{\"c\" :1,\"b\":2}" },
		{ "{\"a\":1}", { { 'n', "a", "c", NULL }, { 'r', "a", "2", NULL } }, "{\"c\":2}" },
	};
	(void)state;
	CHECK_ROWS(rows, true);
}

static void last_edit_wins(void **state)
{
	static const struct row rows[] = {
		{ "[1]", { { 'r', "0", "2", NULL }, { 's', "0", "x", NULL }, { 'r', "0", "3", NULL } }, "[3]" },
		{ "[1,2]", { { 'x', "0", NULL, NULL }, { 'r', "0", "3", NULL } }, "[3,2]" },
		{ "[1,2]", { { 'r', "0", "3", NULL }, { 'x', "0", NULL, NULL } }, "[2]" },
		{ "{\"a\":1}", { { 'n', "a", "b", NULL }, { 'x', "a", NULL, NULL } }, "{}" },
		{ "{\"a\":1}", { { 'x', "a", NULL, NULL }, { 'n', "a", "b", NULL } }, "{\"b\":1}" },
		{ "{\"\\u0061\":1}", { { 'n', "a", "b", NULL } }, "{\"b\":1}" },
		{ "{}", { { 'i', "", "1", "t" }, { 'i', "", "2", "u" }, { 'i', "", "3", "t" } }, "{\"u\":2,\"t\":3}" },
	};
	(void)state;
	CHECK_ROWS(rows, false);
}

static void void_inside_what_is_gone(void **state)
{
	static const struct row rows[] = {
		{ "{\"a\":{\"b\":[1,2]},\"c\":3}", { { 'r', "a.b.1", "9", NULL }, { 'r', "a", "0", NULL } }, "{\"a\":0,\"c\":3}" },
		{ "{\"a\":{\"b\":[1,2]},\"c\":3}", { { 'x', "a.b.1", NULL, NULL }, { 'x', "a", NULL, NULL } }, "{\"c\":3}" },
		{ "{\"a\":{\"b\":1}}", { { 'i', "a", "2", "c" }, { 'r', "a", "{}", NULL } }, "{\"a\":{}}" },
		{ "{\"a\":{\"b\":1}}", { { 'i', "a", "2", "c" }, { 'x', "a", NULL, NULL } }, "{}" },
		{ "{\"a\":{\"b\":1}}", { { 'r', "a", "2", NULL }, { 'x', "a", NULL, NULL }, { 'n', "a.b", "c", NULL } }, "{}" },
		{ "[[1,2,3],4]", { { 'x', "0.0", NULL, NULL }, { 'x', "0.2", NULL, NULL }, { 'x', "0", NULL, NULL } }, "[4]" },
		{ "[1,2]", { { 'x', "0", NULL, NULL }, { 'r', "", "{}", NULL } }, "{}" },
	};
	(void)state;
	CHECK_ROWS(rows, false);
}

static void removed_items(void **state)
{
	static const struct row rows[] = {
		{ "[1]", { { 'x', "0", NULL, NULL } }, "[]" },
		{ "[ 1 ]", { { 'x', "0", NULL, NULL } }, "[  ]" },
		{ "[1,2]", { { 'x', "0", NULL, NULL } }, "[2]" },
		{ "[1,2]", { { 'x', "1", NULL, NULL } }, "[1]" },
		{ "[1,2]", { { 'x', "0", NULL, NULL }, { 'x', "1", NULL, NULL } }, "[]" },
		{ "[1,2,3]", { { 'x', "0", NULL, NULL } }, "[2,3]" },
		{ "[1,2,3]", { { 'x', "1", NULL, NULL } }, "[1,3]" },
		{ "[1,2,3]", { { 'x', "2", NULL, NULL } }, "[1,2]" },
		{ "[1,2,3]", { { 'x', "0", NULL, NULL }, { 'x', "1", NULL, NULL } }, "[3]" },
		{ "[1,2,3]", { { 'x', "0", NULL, NULL }, { 'x', "2", NULL, NULL } }, "[2]" },
		{ "[1,2,3]", { { 'x', "1", NULL, NULL }, { 'x', "2", NULL, NULL } }, "[1]" },
		{ "[1,2,3]", { { 'x', "0", NULL, NULL }, { 'x', "1", NULL, NULL }, { 'x', "2", NULL, NULL } }, "[]" },
		{ "[1,2,3,4]", { { 'x', "1", NULL, NULL }, { 'x', "2", NULL, NULL } }, "[1,4]" },
		{ "[1,2,3,4]", { { 'x', "0", NULL, NULL }, { 'x', "2", NULL, NULL }, { 'x', "3", NULL, NULL } }, "[2]" },
		{ "[ 1 , 2 , 3 ]", { { 'x', "1", NULL, NULL } }, "[ 1   , 3 ]" },
		{ "[ 1 , 2 , 3 ]", { { 'x', "0", NULL, NULL } }, "[   2 , 3 ]" },
		{ "[[],[1],\",\"]", { { 'x', "1", NULL, NULL } }, "[[],\",\"]" },
		{ "[[],[1],\",\"]", { { 'x', "1.0", NULL, NULL }, { 'x', "2", NULL, NULL } }, "[[],[]]" },
		{ "[[1],2]", { { 'x', "0.0", NULL, NULL }, { 'x', "1", NULL, NULL } }, "[[]]" },
		{ "[[1,2],[3,4]]", { { 'x', "0.1", NULL, NULL }, { 'x', "1.0", NULL, NULL } }, "[[1],[4]]" },
		{ "[1,2,3]", { { 'x', "0", NULL, NULL }, { 'r', "1", "9", NULL }, { 'x', "2", NULL, NULL } }, "[9]" },
		{ "[1,2,3]", { { 'r', "0", "9", NULL }, { 'x', "1", NULL, NULL }, { 'r', "2", "8", NULL } }, "[9,8]" },
		{ "[\"a\",\"\",\"b\"]", { { 'x', "1", NULL, NULL } }, "[\"a\",\"b\"]" },
	};
	(void)state;
	CHECK_ROWS(rows, true);
}

static void removed_members(void **state)
{
	static const struct row rows[] = {
		{ "{\"a\":1}", { { 'x', "a", NULL, NULL } }, "{}" },
		{ "{\"a\":1}", { { 'v', "a", NULL, NULL } }, "{}" },
		{ "{\"a\":1,\"b\":{\"c\":[]}}", { { 'x', "a", NULL, NULL } }, "{\"b\":{\"c\":[]}}" },
		{ "{\"a\":1,\"b\":{\"c\":[]}}", { { 'x', "b", NULL, NULL } }, "{\"a\":1}" },
		{ "{\"a\":1,\"b\":{\"c\":[]}}", { { 'x', "b.c", NULL, NULL } }, "{\"a\":1,\"b\":{}}" },
		{ "{\"a\" : 1 , \"b\" : 2 }", { { 'x', "b", NULL, NULL } }, "{\"a\" : 1   }" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", { { 'x', "a", NULL, NULL }, { 'v', "c", NULL, NULL } }, "{\"b\":2}" },
		{ "{\"a\":1,\"b\":2}", { { 'x', "a", NULL, NULL }, { 'x', "b", NULL, NULL } }, "{}" },
		{ "{\"\":\"\",\"b\":\"\"}", { { 'x', "b", NULL, NULL } }, "{\"\":\"\"}" },
	};
	(void)state;
	CHECK_ROWS(rows, true);
}

static void inserted(void **state)
{
	static const struct row rows[] = {
		{ "{}", { { 'i', "", "1", "t" } }, "{\"t\":1}" },
		{ "{ }", { { 'i', "", "1", "t" } }, "{ \"t\":1}" },
		{ "{\"a\":{}}", { { 'i', "a", "1", "t" } }, "{\"a\":{\"t\":1}}" },
		{ "{\"a\":{}}", { { 'i', "", "1", "t" } }, "{\"a\":{},\"t\":1}" },
		{ "{\"a\":{}}", { { 'i', "", "1", "t" }, { 'i', "a", "2", "t" } }, "{\"a\":{\"t\":2},\"t\":1}" },
		{ "{\"a\":1 }", { { 'i', "", "[{}]", "q\"" } }, "{\"a\":1 ,\"q\\\"\":[{}]}" },
		{ "{\"a\":1}", { { 'x', "a", NULL, NULL }, { 'i', "", "2", "t" } }, "{\"t\":2}" },
		{ "{\"a\":1}", { { 'x', "a", NULL, NULL }, { 'i', "", "2", "a" } }, "{\"a\":2}" },
		{ "{\"a\":1,\"b\":2}", { { 'x', "b", NULL, NULL }, { 'i', "", "2", "t" } }, "{\"a\":1,\"t\":2}" },
		{ "{\"a\":1,\"b\":2}", { { 'x', "a", NULL, NULL }, { 'i', "", "2", "t" } }, "{\"b\":2,\"t\":2}" },
		{ "{\"a\":1,\"b\":2}", { { 'x', "a", NULL, NULL }, { 'x', "b", NULL, NULL }, { 'i', "", "2", "t" } }, "{\"t\":2}" },
		{ "{\"a\":[1]}", { { 'x', "a.0", NULL, NULL }, { 'i', "", "2", "t" } }, "{\"a\":[],\"t\":2}" },
		{ "[{\"a\":1},{\"a\":1}]", { { 'i', "0", "2", "t" }, { 'i', "1", "3", "t" } },
			"[{\"a\":1,\"t\":2},{\"a\":1,\"t\":3}]" },
		{ "{\"a\":\"x\"}", { { 's', "a", "y", NULL }, { 'i', "", "2", "t" } }, "{\"a\":\"y\",\"t\":2}" },
	};
	static const struct row two[] = {
		{ "{}", { { 'i', "", "1", "t" }, { 'i', "", "2", "u" } }, "{\"t\":1,\"u\":2}" },
		{ "{\"a\":0}", { { 'i', "", "1", "t" }, { 'x', "a", NULL, NULL }, { 'i', "", "2", "u" } }, "{\"t\":1,\"u\":2}" },
	};
	(void)state;
	CHECK_ROWS(rows, true);
	CHECK_ROWS(two, false);
}

/* JSON-02: names written with escapes are written anew, so that those who compare undecoded bytes see the same names. */
static void json_02_escaped_names(void **state)
{
	static const struct row rows[] = {
		{ "{\"p\\u0061th\":\"\\u0061\"}", { { 0 } }, "{\"path\":\"\\u0061\"}" },
		{ "{ \"a\\/b\" : {\"x\":[{\"\\u00e9\":1}]} }", { { 0 } }, "{ \"a/b\" : {\"x\":[{\"\xC3\xA9\":1}]} }" },
		{ "{\"a\\\"b\":1,\"a\\\\b\":2,\"\\u000a\":3}", { { 0 } }, "{\"a\\\"b\":1,\"a\\\\b\":2,\"\\n\":3}" },
		{ "{\"\\u0061\":1,\"b\":2}", { { 'r', "a", "3", NULL } }, "{\"a\":3,\"b\":2}" },
		{ "{\"\\u0061\":1,\"b\":2}", { { 'x', "a", NULL, NULL } }, "{\"b\":2}" },
		{ "{\"\\u0061\":1,\"b\":2}", { { 'x', "b", NULL, NULL } }, "{\"a\":1}" },
		{ "{\"o\":{\"\\u0061\":1}}", { { 'r', "o", "0", NULL } }, "{\"o\":0}" },
		{ "{\"\\uD83D\\uDE00\":1}", { { 0 } }, "{\"\xF0\x9F\x98\x80\":1}" },
	};
	(void)state;
	CHECK_ROWS(rows, true);
}

static enum err splice(const char *text, const struct step *s, struct buf *out)
{
	struct json_edits e;
	struct json j;

	arena_reset(&arena);
	assert_int_equal(json_parse(&j, slice_of(text), &arena, NULL), E_OK);
	json_edits_init(&e, &arena);
	assert_int_equal(add(&e, &j, s), E_OK);
	return json_splice(&j, &e, out);
}

static void refused(void **state)
{
	const struct step taken = { 'i', "", "1", "a" }, into_array = { 'i', "a", "1", "b" }, root = { 'v', "", NULL, NULL };
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	buf_add(&out, SL("kept"));
	assert_int_equal(splice("{\"a\":[]}", &taken, &out), E_DUPLICATE);
	assert_int_equal(splice("{\"\\u0061\":[]}", &taken, &out), E_DUPLICATE);
	assert_int_equal(splice("{\"a\":[]}", &into_array, &out), E_INVALID);
	assert_int_equal(splice("{\"a\":[]}", &root, &out), E_INVALID);
	assert_true(slice_eq(buf_slice(&out), SL("kept")));
	buf_finish(&out);
}

static void unknown_token(void **state)
{
	struct json_edits e;
	struct json j;
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	assert_int_equal(json_parse(&j, SL("[1]"), &arena, NULL), E_OK);
	json_edits_init(&e, &arena);
	assert_int_equal(json_edit_raw(&e, JSON_NONE, SL("1")), E_OK);
	assert_int_equal(json_splice(&j, &e, &out), E_INVALID);
	buf_finish(&out);
}

static void out_of_room(void **state)
{
	static const struct step step = { 's', "a", "a longer text than before", NULL };
	enum err e = E_TOO_BIG;

	(void)state;
	for (size_t max = 5; e != E_OK; max++) {
		struct buf out;

		assert_true(max < 100);
		buf_init(&out, max);
		buf_add(&out, SL("kept "));
		e = splice("{\"a\":1,\"\\u0062\":[2]}", &step, &out);
		if (e == E_OK)
			assert_true(slice_eq(buf_slice(&out), SL("kept {\"a\":\"a longer text than before\",\"b\":[2]}")));
		else
			assert_true(e == E_TOO_BIG && slice_eq(buf_slice(&out), SL("kept ")));
		buf_finish(&out);
	}
}

static void out_of_memory(void **state)
{
	size_t max_bytes = 0;
	enum err e;

	(void)state;
	do {
		struct arena small;
		struct json_edits edits;
		struct buf out;
		struct json j;

		arena_init(&small, max_bytes++);
		buf_init(&out, 4096);
		json_edits_init(&edits, &small);
		e = json_parse(&j, SL("{\"\\u0061\":[1,2,3,4]}"), &arena, NULL);
		for (uint32_t t = 3; e == E_OK && t < 7; t++)
			e = json_edit_remove(&edits, t);
		for (int i = 0; e == E_OK && i < 9; i++)
			e = json_edit_insert(&edits, 0, SL("name"), SL("1"));
		if (e == E_OK)
			e = json_splice(&j, &edits, &out);
		if (e == E_OK)
			assert_true(slice_eq(buf_slice(&out), SL("{\"a\":[],\"name\":1}")));
		else
			assert_true(e == E_NOMEM && out.n == 0);
		buf_finish(&out);
		arena_finish(&small);
	} while (e != E_OK);
	assert_true(max_bytes > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_edits),
		cmocka_unit_test(replaced),
		cmocka_unit_test(last_edit_wins),
		cmocka_unit_test(void_inside_what_is_gone),
		cmocka_unit_test(removed_items),
		cmocka_unit_test(removed_members),
		cmocka_unit_test(inserted),
		cmocka_unit_test(json_02_escaped_names),
		cmocka_unit_test(refused),
		cmocka_unit_test(unknown_token),
		cmocka_unit_test(out_of_room),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
