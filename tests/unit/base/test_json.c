/* What the JSON reader takes and refuses. The names JSON-nn are those of the threat list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/json.h"

#define T(literal) { "" literal, sizeof(literal) - 1 }

struct row {
	struct slice text;
	enum err err;
	size_t at; /* where the fault is; ANYWHERE: not asked */
};

#define ANYWHERE SIZE_MAX

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 256u << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

/* Parses a copy that ends where its memory ends, so that a read behind the text is seen. */
static enum err parse(struct slice text, size_t *at)
{
	char *copy = malloc(text.n ? text.n : 1);
	struct json j;
	enum err e;

	assert_non_null(copy);
	if (text.n)
		memcpy(copy, text.p, text.n);
	arena_reset(&arena);
	e = json_parse(&j, slice_make(copy, text.n), &arena, at);
	if (e != E_OK)
		assert_int_equal(j.n, 0);
	free(copy);
	return e;
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = 0;
		enum err e = parse(rows[i].text, &at);
		if (e != rows[i].err || (e != E_OK && rows[i].at != ANYWHERE && at != rows[i].at)) {
			print_error("row %zu, %.*s: %s at %zu, not %s at %zu\n", i, SL_ARG(rows[i].text), err_text(e), at,
				err_text(rows[i].err), rows[i].at);
			fail();
		}
	}
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(*(rows)))

static void json_01_duplicate_names(void **state)
{
	static const struct row rows[] = {
		{ T("{\"a\":1,\"a\":2}"), E_DUPLICATE, 8 },
		{ T("{\"a\":1,\"b\":2,\"a\":1}"), E_DUPLICATE, 14 },
		{ T("{\"\":1,\"\":2}"), E_DUPLICATE, 7 },
		{ T("{\"params\":{\"path\":\"x\",\"path\":\"y\"}}"), E_DUPLICATE, 23 },
		{ T("[[{\"x\":[{\"k\":1,\"k\":1}]}]]"), E_DUPLICATE, 16 },
		{ T("{\"a\":{\"x\":1,\"y\":[1,2]},\"a\":3}"), E_DUPLICATE, 24 },
		{ T("{\"p\\u0061th\":1,\"path\":2}"), E_DUPLICATE, ANYWHERE },
		{ T("{\"path\":1,\"p\\u0061th\":2}"), E_DUPLICATE, ANYWHERE },
		{ T("{\"\\u0070ath\":1,\"p\\u0061th\":2}"), E_DUPLICATE, ANYWHERE },
		{ T("{\"a/b\":1,\"a\\/b\":2}"), E_DUPLICATE, ANYWHERE },
		{ T("{\"\\uD83D\\uDE00\":1,\"\xF0\x9F\x98\x80\":2}"), E_DUPLICATE, ANYWHERE },
		{ T("{\"long name of a member, 1\":1,\"long name of a member, 1\":2}"), E_DUPLICATE, 31 },
		/* The same name at other levels, in siblings, or in another case is no duplicate. */
		{ T("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"), E_OK, 0 },
		{ T("[{\"a\":1},{\"a\":1}]"), E_OK, 0 },
		{ T("{\"a\":1,\"A\":1,\"a \":1,\"aa\":1,\"\":1}"), E_OK, 0 },
		{ T("{\"\xC3\xA9\":1,\"e\xCC\x81\":1}"), E_OK, 0 },
		{ T("{\"a\\\\\":1,\"a\\\"\":1,\"a\":1}"), E_OK, 0 },
		{ T("{\"long name of a member, 1\":1,\"long name of a member, 2\":2}"), E_OK, 0 },
		{ T("{\"12345678x12345678\":1,\"12345678y12345678\":2}"), E_OK, 0 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

/* An object of n members, of which number `twin` is named like number 0. Names are written escaped where `escaped` says so. */
static enum err parse_object(unsigned n, unsigned twin, unsigned escaped)
{
	struct buf b;
	enum err e;

	buf_init(&b, 64u << 20);
	buf_add_char(&b, '{');
	for (unsigned i = 0; i < n; i++) {
		const char *first = i == escaped ? "\\u006e" : "n";
		buf_add_fmt(&b, "%s\"%same%u\":{\"x\":[]}", i ? "," : "", first, i == twin ? 0 : i);
	}
	buf_add_char(&b, '}');
	assert_int_equal(b.failed, E_OK);
	e = parse(buf_slice(&b), NULL);
	buf_finish(&b);
	return e;
}

static void json_01_every_size_of_object(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 40; n++) {
		assert_int_equal(parse_object(n, n, n), E_OK);
		assert_int_equal(parse_object(n, n, n / 2), E_OK);
		for (unsigned twin = 1; twin < n; twin++) {
			assert_int_equal(parse_object(n, twin, n), E_DUPLICATE);
			assert_int_equal(parse_object(n, twin, twin), E_DUPLICATE);
			assert_int_equal(parse_object(n, twin, 0), E_DUPLICATE);
		}
	}
}

/* Names that begin alike are no twins, whatever the filter in front of the comparison thinks of them. */
static void json_01_names_that_begin_alike(void **state)
{
	(void)state;
	for (char letter = 'a'; letter <= 'z'; letter++) {
		char text[512] = "{", name[16];
		size_t n = 1;

		memset(name, letter, sizeof(name));
		for (int i = 16; i > 0; i--) /* the longest first */
			n += (size_t)snprintf(text + n, sizeof(text) - n, "\"%.*s\":1%c", i, name, i > 1 ? ',' : '}');
		assert_int_equal(parse(slice_make(text, n), NULL), E_OK);
	}
}

/* Would take minutes if names were compared pair by pair. */
static void json_01_many_members_are_cheap(void **state)
{
	(void)state;
	assert_int_equal(parse_object(150000, 150000, 7), E_OK);
	assert_int_equal(parse_object(150000, 149999, 150000), E_DUPLICATE);
}

static void json_02_escapes(void **state)
{
	static const struct row rows[] = {
		{ T("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u00E9\\uFFFF\"]"), E_OK, 0 },
		{ T("[\"\\u0000\"]"), E_OK, 0 },
		{ T("[\"\\x41\"]"), E_SYNTAX, 2 },
		{ T("[\"\\'\"]"), E_SYNTAX, 2 },
		{ T("[\"\\a\"]"), E_SYNTAX, 2 },
		{ T("[\"\\U0041\"]"), E_SYNTAX, 2 },
		{ T("[\"\\u004\"]"), E_SYNTAX, 2 },
		{ T("[\"\\u00g1\"]"), E_SYNTAX, 2 },
		{ T("[\"\\u+041\"]"), E_SYNTAX, 2 },
		{ T("[\"\\u"), E_SYNTAX, ANYWHERE },
		{ T("[\"\\"), E_SYNTAX, 3 },
		{ T("[\"\\\""), E_SYNTAX, 4 },
		{ T("[\"\\\n\"]"), E_SYNTAX, 2 },
		{ T("[\"\\\0\"]"), E_SYNTAX, 2 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void json_03_nul_in_names(void **state)
{
	static const struct row rows[] = {
		{ T("{\"name\\u0000\":1}"), E_NUL, 6 },
		{ T("{\"\\u0000\":1}"), E_NUL, 2 },
		{ T("{\"name\0\":1}"), E_NUL, 6 },
		{ T("{\"name\\u0001\":1}"), E_OK, 0 },
		{ T("{\"name\":\"\\u0000\"}"), E_OK, 0 },
		{ T("{\"name\":\"\0\"}"), E_SYNTAX, 9 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void json_04_lenient_syntax(void **state)
{
	static const struct row rows[] = {
		{ T("/**/{}"), E_SYNTAX, 0 },
		{ T("{}//x"), E_TRAILING, 2 },
		{ T("{}#x"), E_TRAILING, 2 },
		{ T("[1,/**/2]"), E_SYNTAX, 3 },
		{ T("[1,]"), E_SYNTAX, 3 },
		{ T("[,1]"), E_SYNTAX, 1 },
		{ T("[1,,2]"), E_SYNTAX, 3 },
		{ T("[1 2]"), E_SYNTAX, 3 },
		{ T("{\"a\":1,}"), E_SYNTAX, 7 },
		{ T("{,\"a\":1}"), E_SYNTAX, 1 },
		{ T("{\"a\":1,,\"b\":1}"), E_SYNTAX, 7 },
		{ T("{\"a\" 1}"), E_SYNTAX, 5 },
		{ T("{\"a\":}"), E_SYNTAX, 5 },
		{ T("{\"a\"}"), E_SYNTAX, 4 },
		{ T("{\"a\"::1}"), E_SYNTAX, 5 },
		{ T("{\"a\":1;\"b\":2}"), E_SYNTAX, 6 },
		{ T("{'a':1}"), E_SYNTAX, 1 },
		{ T("['a']"), E_SYNTAX, 1 },
		{ T("{a:1}"), E_SYNTAX, 1 },
		{ T("{1:1}"), E_SYNTAX, 1 },
		{ T("{null:1}"), E_SYNTAX, 1 },
		{ T("[undefined]"), E_SYNTAX, 1 },
		{ T("[True]"), E_SYNTAX, 1 },
		{ T("[tru]"), E_SYNTAX, 1 },
		{ T("[truee]"), E_SYNTAX, 5 },
		{ T("[nul"), E_SYNTAX, 1 },
		{ T("[1}"), E_SYNTAX, 2 },
		{ T("{\"a\":1]"), E_SYNTAX, 6 },
		{ T("["), E_SYNTAX, 1 },
		{ T("{"), E_SYNTAX, 1 },
		{ T("]"), E_SYNTAX, 0 },
		{ T("}"), E_SYNTAX, 0 },
		{ T("[\"a"), E_SYNTAX, 3 },
		{ T("[\"a\nb\"]"), E_SYNTAX, 3 },
		{ T("[\v1]"), E_SYNTAX, 1 },
		{ T("[\f1]"), E_SYNTAX, 1 },
		{ T("[\xC2\xA0" "1]"), E_SYNTAX, 1 },
		{ T("[1\0]"), E_SYNTAX, 2 },
		{ T("{\"a\":1\0,\"b\":2}"), E_SYNTAX, 6 },
		{ T("[true\0]"), E_SYNTAX, 5 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void json_05_numbers(void **state)
{
	static const struct row rows[] = {
		{ T("[0,-0,1,-1,10,1.5,-0.5,1e5,1E+5,1e-5,0e0,0.0e-0,1.5e308,-1.5E308]"), E_OK, 0 },
		{ T("[1e400]"), E_NUMBER, 1 },
		{ T("[-1e400]"), E_NUMBER, 1 },
		{ T("[1e309]"), E_NUMBER, 1 },
		{ T("[1.8e308]"), E_NUMBER, 1 },
		{ T("[1.7976931348623157e308]"), E_OK, 0 },
		{ T("[-1.7976931348623157e+308]"), E_OK, 0 },
		{ T("[17976931348623157e292]"), E_OK, 0 },
		{ T("[0.00017976931348623157e312]"), E_OK, 0 },
		{ T("[1.7976931348623158e308]"), E_NUMBER, 1 },
		{ T("[17976931348623158e292]"), E_NUMBER, 1 },
		{ T("[0.0001797693134862316e312]"), E_NUMBER, 1 },
		{ T("[2e308]"), E_NUMBER, 1 },
		{ T("[1e308]"), E_OK, 0 },
		{ T("[0e400]"), E_OK, 0 },
		{ T("[-0.000e99999999999999999999]"), E_OK, 0 },
		{ T("[1e99999999999999999999]"), E_NUMBER, 1 },
		{ T("[1e18446744073709551617]"), E_NUMBER, 1 },
		{ T("[1e-400]"), E_OK, 0 },
		{ T("[1e-99999999999999999999]"), E_OK, 0 },
		{ T("[123456789012345678901234567890]"), E_OK, 0 },
		{ T("[NaN]"), E_SYNTAX, 1 },
		{ T("[Infinity]"), E_SYNTAX, 1 },
		{ T("[-Infinity]"), E_SYNTAX, 2 },
		{ T("[01]"), E_SYNTAX, 2 },
		{ T("[-01]"), E_SYNTAX, 3 },
		{ T("[00]"), E_SYNTAX, 2 },
		{ T("[0x10]"), E_SYNTAX, 2 },
		{ T("[1_000]"), E_SYNTAX, 2 },
		{ T("[+1]"), E_SYNTAX, 1 },
		{ T("[.5]"), E_SYNTAX, 1 },
		{ T("[1.]"), E_SYNTAX, 3 },
		{ T("[1.e5]"), E_SYNTAX, 3 },
		{ T("[1e]"), E_SYNTAX, 3 },
		{ T("[1e+]"), E_SYNTAX, 4 },
		{ T("[1e5.5]"), E_SYNTAX, 4 },
		{ T("[-]"), E_SYNTAX, 2 },
		{ T("[--1]"), E_SYNTAX, 2 },
		{ T("[1,-"), E_SYNTAX, 4 },
		{ T("[1e"), E_SYNTAX, 3 },
		{ T("[1n]"), E_SYNTAX, 2 },
		{ T("[\xEF\xBC\x91]"), E_SYNTAX, 1 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

/* `digits` digits, the first of them `lead`, the others 0. */
static enum err parse_long_number(char lead, size_t digits, const char *tail)
{
	struct buf b;
	enum err e;

	buf_init(&b, 4096);
	buf_add_char(&b, lead);
	for (size_t i = 1; i < digits; i++)
		buf_add_char(&b, '0');
	buf_add(&b, slice_of(tail));
	e = parse(buf_slice(&b), NULL);
	buf_finish(&b);
	return e;
}

static void json_05_long_numbers(void **state)
{
	(void)state;
	assert_int_equal(parse_long_number('1', 309, ""), E_OK);
	assert_int_equal(parse_long_number('2', 309, ""), E_NUMBER);
	assert_int_equal(parse_long_number('1', 310, ""), E_NUMBER);
	assert_int_equal(parse_long_number('1', 309, ".5"), E_OK);
	assert_int_equal(parse_long_number('1', 310, ".5"), E_NUMBER);
	assert_int_equal(parse_long_number('1', 500, "e-200"), E_OK);
	assert_int_equal(parse_long_number('1', 300, "e10"), E_NUMBER);
	assert_int_equal(parse_long_number('1', 300, "e9"), E_OK);
}

static void json_06_utf8(void **state)
{
	static const struct row rows[] = {
		{ T("[\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"]"), E_OK, 0 },
		{ T("[\"\x80\"]"), E_UTF8, 2 },
		{ T("[\"\xBF\"]"), E_UTF8, 2 },
		{ T("[\"\xC0\xAF\"]"), E_UTF8, 2 },
		{ T("[\"\xC1\xBF\"]"), E_UTF8, 2 },
		{ T("[\"\xE0\x9F\xBF\"]"), E_UTF8, 2 },
		{ T("[\"\xF0\x8F\xBF\xBF\"]"), E_UTF8, 2 },
		{ T("[\"\xF4\x90\x80\x80\"]"), E_UTF8, 2 },
		{ T("[\"\xF5\x80\x80\x80\"]"), E_UTF8, 2 },
		{ T("[\"\xF8\x88\x80\x80\x80\"]"), E_UTF8, 2 },
		{ T("[\"\xFE\"]"), E_UTF8, 2 },
		{ T("[\"\xFF\"]"), E_UTF8, 2 },
		{ T("[\"\xED\xA0\x80\"]"), E_UTF8, 2 },
		{ T("[\"\xED\xBF\xBF\"]"), E_UTF8, 2 },
		{ T("[\"\xED\xA0\xBD\xED\xB8\x80\"]"), E_UTF8, 2 },
		{ T("[\"a\xC3\"]"), E_UTF8, 3 },
		{ T("[\"\xC3\x28\"]"), E_UTF8, 2 },
		{ T("[\"\xE2\x82\"]"), E_UTF8, 2 },
		{ T("[\"\xE2\x28\xA1\"]"), E_UTF8, 2 },
		{ T("[\"\xF0\x9F\x98\"]"), E_UTF8, 2 },
		{ T("[\"\xF0\x9F\x28\x80\"]"), E_UTF8, 2 },
		{ T("[\"\xC3"), E_UTF8, 2 },
		{ T("[\"\xE2"), E_UTF8, 2 },
		{ T("[\"\xE2\x82"), E_UTF8, 2 },
		{ T("[\"\xF0\x9F\x98"), E_UTF8, 2 },
		{ T("[\"\xC3\xA9\x80\"]"), E_UTF8, 4 },
		{ T("{\"\xC0\xAF\":1}"), E_UTF8, 2 },
		{ T("[\"\\uD83D\\uDE00\"]"), E_OK, 0 },
		{ T("[\"\\uD800\\uDC00\\uDBFF\\uDFFF\"]"), E_OK, 0 },
		{ T("[\"\\uD83D\"]"), E_UTF8, 2 },
		{ T("[\"\\uDE00\"]"), E_UTF8, 2 },
		{ T("[\"\\uDE00\\uD83D\"]"), E_UTF8, 2 },
		{ T("[\"\\uDE00\\uDE00\"]"), E_UTF8, 2 },
		{ T("[\"\\uD83D\\uE000\"]"), E_UTF8, 2 },
		{ T("[\"\\uD83D\\uD83D\"]"), E_UTF8, 2 },
		{ T("[\"\\uD83Dx\"]"), E_UTF8, 2 },
		{ T("[\"\\uD83D\\n\"]"), E_UTF8, 2 },
		{ T("[\"\\uD83D\\u0041\"]"), E_UTF8, 2 },
		{ T("[\"\\uD83D\\uZZZZ\"]"), E_SYNTAX, 8 },
		{ T("[\"\\uD83D\\u"), E_SYNTAX, 8 },
		{ T("[\"\\uD83D"), E_UTF8, 2 },
		{ T("{\"\\uD83D\":1}"), E_UTF8, 2 },
		{ T("[\"\x7F\"]"), E_OK, 0 },
		{ T("[\xC3\xA9]"), E_SYNTAX, 1 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void json_06_raw_controls(void **state)
{
	(void)state;
	for (int c = 0; c < 0x20; c++) {
		char text[] = "[\"abc\"]", name[] = "{\"abc\":1}";
		text[3] = name[3] = (char)c;
		assert_int_equal(parse(slice_make(text, 7), NULL), E_SYNTAX);
		assert_int_equal(parse(slice_make(name, 9), NULL), c ? E_SYNTAX : E_NUL);
	}
}

/* What may end a plain run is seen at each place of a block, and at each distance from the end of the text. */
static void json_06_at_every_offset(void **state)
{
	static const struct row marks[] = {
		{ T("\x01"), E_SYNTAX, 0 },
		{ T("\x1F"), E_SYNTAX, 0 },
		{ T("\\q"), E_SYNTAX, 0 },
		{ T("\x80"), E_UTF8, 0 },
		{ T("\xFF"), E_UTF8, 0 },
		{ T("\xED\xA0\x80"), E_UTF8, 0 },
		{ T("\xE2\x82\xAC"), E_OK, 0 },
		{ T("\\n"), E_OK, 0 },
		{ T(" !#[]\x7F"), E_OK, 0 },
	};
	(void)state;
	for (size_t m = 0; m < sizeof(marks) / sizeof(*marks); m++) {
		for (size_t before = 0; before < 150; before++) {
			for (size_t after = 0; after < 150; after += before % 7 + 1) {
				char text[400];
				size_t n = 0, at;
				enum err e;

				text[n++] = '"';
				memset(text + n, 'a', before);
				n += before;
				memcpy(text + n, marks[m].text.p, marks[m].text.n);
				n += marks[m].text.n;
				memset(text + n, 'z', after);
				n += after;
				text[n++] = '"';
				e = parse(slice_make(text, n), &at);
				assert_int_equal(e, marks[m].err);
				assert_int_equal(at, e == E_OK ? 0 : before + 1);
				assert_int_not_equal(parse(slice_make(text, n - 1), NULL), E_OK);
			}
		}
	}
}

static void json_07_other_encodings(void **state)
{
	static const struct row rows[] = {
		{ T("\xEF\xBB\xBF{}"), E_SYNTAX, 0 },
		{ T("{}\xEF\xBB\xBF"), E_TRAILING, 2 },
		{ T("\xFF\xFE{\0}\0"), E_SYNTAX, 0 },
		{ T("{\0}\0"), E_SYNTAX, 1 },
		{ T("\0{\0}"), E_SYNTAX, 0 },
		{ T("\0\0\0{"), E_SYNTAX, 0 },
		{ T("+AHsAfQ-"), E_SYNTAX, 0 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void json_08_trailing_bytes(void **state)
{
	static const struct row rows[] = {
		{ T("{}{}"), E_TRAILING, 2 },
		{ T("{}\n{}"), E_TRAILING, 3 },
		{ T("{} x"), E_TRAILING, 3 },
		{ T("{}\0"), E_TRAILING, 2 },
		{ T("{}]"), E_TRAILING, 2 },
		{ T("{},"), E_TRAILING, 2 },
		{ T("1 2"), E_TRAILING, 2 },
		{ T("1\0"), E_TRAILING, 1 },
		{ T("null\0"), E_TRAILING, 4 },
		{ T("\"a\"\"b\""), E_TRAILING, 3 },
		{ T(" \t\r\n{ \t\r\n} \t\r\n"), E_OK, 0 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

/* Which values may be a message is asked by others; an empty text is no JSON. */
static void json_09_roots(void **state)
{
	static const struct row rows[] = {
		{ T(""), E_SYNTAX, 0 },
		{ T(" \n"), E_SYNTAX, 2 },
		{ T("[]"), E_OK, 0 },
		{ T("null"), E_OK, 0 },
		{ T("-1"), E_OK, 0 },
		{ T("\"\""), E_OK, 0 },
	};
	(void)state;
	CHECK_ROWS(rows);
	assert_int_equal(parse(slice_make(NULL, 0), NULL), E_SYNTAX);
}

/* `n` times `open`, then `core`, then `n` times `close`. */
static enum err parse_nested(size_t n, const char *open, const char *core, const char *close)
{
	struct buf b;
	enum err e;

	buf_init(&b, 8u << 20);
	for (size_t i = 0; i < n; i++)
		buf_add(&b, slice_of(open));
	buf_add(&b, slice_of(core));
	for (size_t i = 0; i < n; i++)
		buf_add(&b, slice_of(close));
	e = parse(buf_slice(&b), NULL);
	buf_finish(&b);
	return e;
}

static void json_10_depth(void **state)
{
	(void)state;
	assert_int_equal(parse_nested(JSON_MAX_DEPTH, "[", "", "]"), E_OK);
	assert_int_equal(parse_nested(JSON_MAX_DEPTH + 1, "[", "", "]"), E_TOO_DEEP);
	assert_int_equal(parse_nested(JSON_MAX_DEPTH, "{\"a\":", "1", "}"), E_OK);
	assert_int_equal(parse_nested(JSON_MAX_DEPTH + 1, "{\"a\":", "1", "}"), E_TOO_DEEP);
	assert_int_equal(parse_nested(1000000, "[", "", ""), E_TOO_DEEP);
	assert_int_equal(parse_nested(100000, "{\"a\":[", "", ""), E_TOO_DEEP);
}

static void json_10_tokens(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8u << 20);
	buf_add(&b, SL("[0"));
	for (unsigned i = 2; i < JSON_MAX_TOKENS; i++)
		buf_add(&b, SL(",0"));
	buf_add_char(&b, ']');
	assert_int_equal(parse(buf_slice(&b), NULL), E_OK);
	b.n--;
	buf_add(&b, SL(",0]"));
	assert_int_equal(parse(buf_slice(&b), NULL), E_TOO_MANY);
	buf_finish(&b);
}

/* Every allocation may fail: the text is then refused, never half read. */
static void json_10_memory(void **state)
{
	static const struct slice text = T("[{\"a\\u0061\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]},{\"b\\n\":1,\"c\":[1,2,3,4,5,6,7,8,9,0]}]");
	size_t max_bytes = 0;
	struct json j;
	enum err e;

	(void)state;
	do {
		struct arena small;
		arena_init(&small, max_bytes++);
		e = json_parse(&j, text, &small, NULL);
		assert_true(e == E_OK || (e == E_NOMEM && j.n == 0));
		arena_finish(&small);
	} while (e != E_OK);
	assert_true(max_bytes > 100);
}

static void json_17_json_in_a_string_stays_a_string(void **state)
{
	static const struct row rows[] = {
		{ T("{\"params\":\"{\\\"path\\\":1,\\\"path\\\":2}\"}"), E_OK, 0 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void json_18_legal_oddities(void **state)
{
	static const struct row rows[] = {
		{ T("{\"id\":0}"), E_OK, 0 },
		{ T("{\"id\":-7}"), E_OK, 0 },
		{ T("{\"id\":\"x\"}"), E_OK, 0 },
		{ T("{\"id\":9007199254740993}"), E_OK, 0 },
		{ T("{\"id\":18446744073709551616}"), E_OK, 0 },
		{ T("{\"arguments\":{}}"), E_OK, 0 },
		{ T("[\"a\\/b\"]"), E_OK, 0 },
		{ T("[\"\xE2\x80\xA8\xE2\x80\xA9\"]"), E_OK, 0 },
		{ T("[\"\xEF\xBB\xBF\"]"), E_OK, 0 },
		{ T("[\"\xEF\xBF\xBE\xF4\x8F\xBF\xBF\"]"), E_OK, 0 },
		{ T("\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } }\r\n"), E_OK, 0 },
		{ T("[1.7976931348623157E+308,5e-324,2.2250738585072014e-308]"), E_OK, 0 },
	};
	(void)state;
	CHECK_ROWS(rows);
}

/* A cut message is never a message: every prefix of a container is refused. */
static void cut_messages(void **state)
{
	static const struct slice text =
		T("{\"jsonrpc\":\"2.0\",\"id\":1.5e3,\"params\":{\"a\":[true,false,null,\"\\u00e9\xC3\xA9\"],\"\\u0062\":{}}}");

	(void)state;
	assert_int_equal(parse(text, NULL), E_OK);
	for (size_t n = 0; n < text.n; n++)
		assert_int_not_equal(parse(slice_head(text, n), NULL), E_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_01_duplicate_names),
		cmocka_unit_test(json_01_every_size_of_object),
		cmocka_unit_test(json_01_names_that_begin_alike),
		cmocka_unit_test(json_01_many_members_are_cheap),
		cmocka_unit_test(json_02_escapes),
		cmocka_unit_test(json_03_nul_in_names),
		cmocka_unit_test(json_04_lenient_syntax),
		cmocka_unit_test(json_05_numbers),
		cmocka_unit_test(json_05_long_numbers),
		cmocka_unit_test(json_06_utf8),
		cmocka_unit_test(json_06_raw_controls),
		cmocka_unit_test(json_06_at_every_offset),
		cmocka_unit_test(json_07_other_encodings),
		cmocka_unit_test(json_08_trailing_bytes),
		cmocka_unit_test(json_09_roots),
		cmocka_unit_test(json_10_depth),
		cmocka_unit_test(json_10_tokens),
		cmocka_unit_test(json_10_memory),
		cmocka_unit_test(json_17_json_in_a_string_stays_a_string),
		cmocka_unit_test(json_18_legal_oddities),
		cmocka_unit_test(cut_messages),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
