#include "tests/unit/check.h"
#include <stdio.h>
#include "base/buf.h"

static void adds_and_limit(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_add(&b, SL("")), E_OK);
	assert_int_equal(buf_add(&b, SL("abcde")), E_OK);
	assert_int_equal(buf_add(&b, SL("fghi")), E_TOO_BIG);
	assert_slice(buf_slice(&b), SL("abcde"));
	assert_int_equal(b.failed, E_TOO_BIG);
	assert_int_equal(buf_add_char(&b, 'f'), E_OK);
	assert_int_equal(b.failed, E_TOO_BIG);
	assert_int_equal(buf_add_fmt(&b, "%d", 42), E_OK); /* to the last byte: no room for a NUL */
	assert_slice(buf_slice(&b), SL("abcdef42"));
	assert_int_equal(buf_add_char(&b, '!'), E_TOO_BIG);
	assert_int_equal(buf_add_fmt(&b, "%d", 1), E_TOO_BIG);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), E_TOO_BIG);
	assert_slice(buf_slice(&b), SL("abcdef42"));
	buf_clear(&b);
	assert_int_equal(b.failed, E_OK);
	assert_int_equal(b.n, 0);
	buf_finish(&b);
	assert_null(b.p);
	assert_int_equal(buf_add(&b, SL("again")), E_OK);
	buf_finish(&b);
}

static void grows_geometrically(void **state)
{
	struct buf b;
	size_t moves = 0, cap = 0;

	(void)state;
	buf_init(&b, 1u << 20);
	for (size_t i = 0; i < (1u << 20); i++) {
		assert_int_equal(buf_add_char(&b, (char)('a' + i % 26)), E_OK);
		moves += b.cap != cap;
		cap = b.cap;
		assert_true(b.cap <= b.max);
	}
	assert_true(moves <= 13);
	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	buf_finish(&b);
}

static void a_limit_of_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(buf_add(&b, SL("")), E_OK);
	assert_int_equal(buf_add_fmt(&b, "%s", ""), E_OK);
	assert_int_equal(buf_add_char(&b, 'a'), E_TOO_BIG);
	assert_int_equal(buf_add_json_string(&b, SL("")), E_TOO_BIG);
	assert_int_equal(b.n, 0);
	buf_finish(&b);
}

static void consume(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_consume(&b, 3);
	assert_int_equal(b.n, 0);
	buf_add(&b, SL("0123456789"));
	buf_consume(&b, 0);
	assert_slice(buf_slice(&b), SL("0123456789"));
	buf_consume(&b, 4);
	assert_slice(buf_slice(&b), SL("456789"));
	buf_consume(&b, 7);
	assert_int_equal(b.n, 0);
	buf_finish(&b);
}

static void trim(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10000);
	buf_add(&b, SL("small"));
	buf_trim(&b, 1024);
	assert_int_equal(b.n, 0);
	assert_non_null(b.p);
	assert_int_equal(buf_reserve(&b, 5000), E_OK);
	buf_trim(&b, 1024);
	assert_null(b.p);
	assert_int_equal(b.max, 10000);
	buf_finish(&b);
}

static void json_string(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	assert_int_equal(buf_add_json_string(&b, SL("a\"b\\c/\b\f\n\r\t")), E_OK);
	assert_slice(buf_slice(&b), SL("\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\""));
	buf_clear(&b);
	assert_int_equal(buf_add_json_string(&b, SL("\0\x1f\x7f\xc3\xa9")), E_OK);
	assert_slice(buf_slice(&b), SL("\"\\u0000\\u001f\x7f\xc3\xa9\""));
	buf_clear(&b);
	assert_int_equal(buf_add_json_string(&b, SL("")), E_OK);
	assert_slice(buf_slice(&b), SL("\"\""));
	buf_finish(&b);
}

/* Every byte at every place of a text that is longer than a word, between bytes that need no escape. */
static void json_string_every_byte(void **state)
{
	static const char around[] = "!#[]~\x7f\x80\xff !#[]~";

	(void)state;
	for (int c = 0; c < 256; c++) {
		for (size_t at = 0; at < sizeof(around) - 1; at++) {
			char text[sizeof(around)], want[8];
			struct slice escaped, got;
			struct buf b;
			memcpy(text, around, sizeof(around));
			text[at] = (char)c;
			if (c == '"' || c == '\\')
				snprintf(want, sizeof(want), "\\%c", c);
			else if (c == '\b' || c == '\t' || c == '\n' || c == '\f' || c == '\r')
				snprintf(want, sizeof(want), "\\%c", "btn.fr"[c - '\b']);
			else
				snprintf(want, sizeof(want), c < 0x20 ? "\\u%04x" : "%c", c);
			escaped = slice_of(want);
			buf_init(&b, 64);
			assert_int_equal(buf_add_json_string(&b, slice_make(text, sizeof(around) - 1)), E_OK);
			got = buf_slice(&b);
			assert_int_equal(got.n, sizeof(around) - 2 + escaped.n + 2);
			assert_memory_equal(got.p + 1, around, at);
			assert_slice(slice_head(slice_from(got, at + 1), escaped.n), escaped);
			assert_memory_equal(got.p + 1 + at + escaped.n, around + at + 1, sizeof(around) - 2 - at);
			buf_finish(&b);
		}
	}
}

static void json_string_is_all_or_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 12);
	buf_add(&b, SL("keep"));
	assert_int_equal(buf_add_json_string(&b, SL("abcdefg")), E_TOO_BIG);
	assert_slice(buf_slice(&b), SL("keep"));
	assert_int_equal(buf_add_json_string(&b, SL("abc\n\n")), E_TOO_BIG); /* would fit unescaped */
	assert_slice(buf_slice(&b), SL("keep"));
	assert_int_equal(buf_add_json_string(&b, SL("ab\n\n")), E_OK);
	assert_slice(buf_slice(&b), SL("keep\"ab\\n\\n\""));
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_and_limit),
		cmocka_unit_test(grows_geometrically),
		cmocka_unit_test(a_limit_of_nothing),
		cmocka_unit_test(consume),
		cmocka_unit_test(trim),
		cmocka_unit_test(json_string),
		cmocka_unit_test(json_string_every_byte),
		cmocka_unit_test(json_string_is_all_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
