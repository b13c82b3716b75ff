/* The tape and the ways to look into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/json.h"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 1u << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

static struct json read(struct slice text)
{
	struct json j;
	assert_int_equal(json_parse(&j, text, &arena, NULL), E_OK);
	return j;
}

static void assert_slice(struct slice got, struct slice want)
{
	if (!slice_eq(got, want)) {
		print_error("%.*s, not %.*s\n", SL_ARG(got), SL_ARG(want));
		fail();
	}
}

static void tape(void **state)
{
	static const struct json_token want[] = {
		{ 1, 38, 9, 2, JSON_OBJECT, 0 },
		{ 3, 1, 2, 0, JSON_STRING, JSON_NAME },
		{ 6, 15, 7, 4, JSON_ARRAY, 0 },
		{ 7, 2, 4, 0, JSON_NUMBER, 0 },
		{ 12, 0, 5, 0, JSON_STRING, 0 },
		{ 14, 2, 6, 0, JSON_OBJECT, 0 },
		{ 17, 3, 7, 0, JSON_ARRAY, 0 },
		{ 24, 6, 8, 0, JSON_STRING, JSON_NAME | JSON_ESCAPED | JSON_NOT_ASCII },
		{ 33, 4, 9, 0, JSON_NULL, 0 },
	};
	struct json j = read(SL(" {\"a\":[-1, \"\",{},[ ]], \"\\u00e9\": null }"));

	(void)state;
	assert_int_equal(j.n, sizeof(want) / sizeof(*want));
	for (uint32_t t = 0; t < j.n; t++) {
		assert_int_equal(j.tok[t].off, want[t].off);
		assert_int_equal(j.tok[t].len, want[t].len);
		assert_int_equal(j.tok[t].next, want[t].next);
		assert_int_equal(j.tok[t].count, want[t].count);
		assert_int_equal(j.tok[t].type, want[t].type);
		assert_int_equal(j.tok[t].flags, want[t].flags);
	}
	assert_true(j.escaped_names);
	assert_slice(json_raw(&j, 2), SL("[-1, \"\",{},[ ]]"));
	assert_slice(json_source(&j, 2), json_raw(&j, 2));
	assert_slice(json_source(&j, 7), SL("\"\\u00e9\""));
	assert_slice(json_source(&j, 4), SL("\"\""));
	assert_int_equal(json_first(&j, 5), j.tok[5].next);
}

static void flags(void **state)
{
	struct json j = read(SL("[\"a\",\"\xC3\xA9\",\"\\n\",\"\\u007f\",\"\\u0080\",\"\\uD83D\\uDE00\",{\"a\":\"\\u0061\"}]"));
	static const uint8_t want[] = { 0, 0, JSON_NOT_ASCII, JSON_ESCAPED, JSON_ESCAPED, JSON_ESCAPED | JSON_NOT_ASCII,
		JSON_ESCAPED | JSON_NOT_ASCII, 0, JSON_NAME, JSON_ESCAPED };

	(void)state;
	assert_int_equal(j.n, sizeof(want));
	for (uint32_t t = 0; t < j.n; t++)
		assert_int_equal(j.tok[t].flags, want[t]);
	assert_false(j.escaped_names);
}

static void tape_outgrows_its_first_guess(void **state)
{
	struct json j;
	struct buf b;

	(void)state;
	buf_init(&b, 1u << 20);
	buf_add_char(&b, '[');
	for (int i = 0; i < 2000; i++)
		buf_add(&b, SL("[],"));
	for (int i = 0; i < 2000; i++)
		buf_add(&b, SL("1,"));
	buf_add(&b, SL("{\"last\":true}]"));
	j = read(buf_slice(&b));
	assert_int_equal(j.n, 1 + 4000 + 3);
	assert_int_equal(j.tok[0].count, 4001);
	for (uint32_t t = 1; t <= 2000; t++)
		assert_int_equal(j.tok[t].type, JSON_ARRAY);
	assert_int_equal(json_type(&j, json_member(&j, 4001, SL("last"))), JSON_TRUE);
	buf_finish(&b);
	arena_reset(&arena);
}

static void members_and_paths(void **state)
{
	struct json j = read(SL("{\"params\":{\"arguments\":{\"p\\u0061th\":\"x\",\"n\":[{\"path\":1}]},\"name\":\"t\"},\"a.b\":2,\"\":3}"));
	uint32_t params = json_member(&j, 0, SL("params")), arguments = json_walk(&j, 0, "params.arguments");

	(void)state;
	assert_int_equal(params, 2);
	assert_int_equal(json_type(&j, arguments), JSON_OBJECT);
	assert_slice(json_raw(&j, json_member(&j, arguments, SL("path"))), SL("x"));
	assert_slice(json_raw(&j, json_walk(&j, 0, "params.name")), SL("t"));
	assert_slice(json_raw(&j, json_walk(&j, params, "name")), SL("t"));
	assert_int_equal(json_walk(&j, 0, "params.arguments.n.path"), JSON_NONE);
	assert_int_equal(json_walk(&j, 0, "params.arguments.path.x"), JSON_NONE);
	assert_int_equal(json_walk(&j, 0, "name"), JSON_NONE);
	assert_int_equal(json_walk(&j, 0, "a.b"), JSON_NONE);
	assert_slice(json_raw(&j, json_walk(&j, 0, "")), SL("3"));
	assert_int_equal(json_walk(&j, JSON_NONE, "params"), JSON_NONE);
	assert_int_equal(json_member(&j, JSON_NONE, SL("params")), JSON_NONE);
	assert_int_equal(json_member(&j, 0, SL("Params")), JSON_NONE);
	assert_int_equal(json_member(&j, 0, SL("param")), JSON_NONE);
	assert_int_equal(json_member(&j, 0, SL("params\0")), JSON_NONE);
	assert_int_equal(json_member(&j, 1, SL("params")), JSON_NONE);
	assert_false(json_is(&j, JSON_NONE, JSON_OBJECT));
}

static void strings(void **state)
{
	static const struct {
		struct slice raw, text;
	} rows[] = {
		{ { "", 0 }, { "", 0 } },
		{ { "plain", 5 }, { "plain", 5 } },
		{ { "\\\"\\\\\\/\\b\\f\\n\\r\\t", 16 }, { "\"\\/\b\f\n\r\t", 8 } },
		{ { "a\\u0041b", 8 }, { "aAb", 3 } },
		{ { "\\u0000x", 7 }, { "\0x", 2 } },
		{ { "\\u00e9\\u00E9", 12 }, { "\xC3\xA9\xC3\xA9", 4 } },
		{ { "\\u20ac\\uFFFF", 12 }, { "\xE2\x82\xAC\xEF\xBF\xBF", 6 } },
		{ { "\\u007f\\u0080\\u07ff\\u0800", 24 }, { "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80", 8 } },
		{ { "\\uD83D\\uDE00!", 13 }, { "\xF0\x9F\x98\x80!", 5 } },
		{ { "\\ud800\\udc00\\udbff\\udfff", 24 }, { "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 8 } },
		{ { "\xC3\xA9\\n", 4 }, { "\xC3\xA9\n", 3 } },
		{ { "\\\\u0041", 7 }, { "\\u0041", 6 } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[64] = "\"", longer[64];
		struct slice want = rows[i].text;
		struct json j;

		memcpy(text + 1, rows[i].raw.p, rows[i].raw.n);
		text[1 + rows[i].raw.n] = '"';
		j = read(slice_make(text, rows[i].raw.n + 2));
		assert_slice(json_string(&j, 0, &arena), want);
		assert_true(json_string_eq(&j, 0, want));
		for (size_t n = 0; n < want.n; n++) {
			char other[64];
			assert_false(json_string_eq(&j, 0, slice_head(want, n)));
			memcpy(other, want.p, want.n);
			other[n] ^= 1;
			assert_false(json_string_eq(&j, 0, slice_make(other, want.n)));
		}
		memcpy(longer, want.p, want.n);
		longer[want.n] = 'x';
		assert_false(json_string_eq(&j, 0, slice_make(longer, want.n + 1)));
	}
}

/* JSON-12: a name is compared as it is, nothing is trimmed, folded or cut at a NUL. */
static void json_12_exact_names(void **state)
{
	struct json j = read(SL("[\"secret_read\",\"Secret_read\",\"secret_read \",\"secret_read\\u0000\",\"secret_re\\u200bad\","
				"\"s\xD0\xB5" "cret_read\",\"secret%5fread\",\"secret_rea\",\"secret_read2\",\"secret\\u005fread\"]"));

	(void)state;
	assert_true(json_string_eq(&j, 1, SL("secret_read")));
	for (uint32_t t = 2; t <= 9; t++)
		assert_false(json_string_eq(&j, t, SL("secret_read")));
	assert_true(json_string_eq(&j, 10, SL("secret_read")));
	assert_false(json_string_eq(&j, 0, SL("[\"secret_read\"")));
}

static void strings_without_memory(void **state)
{
	struct json j = read(SL("[\"plain\",\"esc\\u0061ped text\"]"));
	struct arena none;

	(void)state;
	arena_init(&none, 0);
	assert_slice(json_string(&j, 1, &none), SL("plain"));
	assert_null(json_string(&j, 2, &none).p);
	arena_finish(&none);
}

/* JSON-11: an id is an integer or not, as written, and exact up to 64 bits. */
static void json_11_integers(void **state)
{
	struct json j = read(SL("[0,-0,7,-7,9007199254740993,9223372036854775807,-9223372036854775808,"
				"9223372036854775808,-9223372036854775809,123456789012345678901234567890,1.0,1e2,-1E2,\"7\",null,[7]]"));
	static const int64_t want[] = { 0, 0, 7, -7, 9007199254740993, INT64_MAX, INT64_MIN };
	int64_t got = 42;

	(void)state;
	for (uint32_t i = 0; i < 7; i++) {
		assert_true(json_int(&j, i + 1, &got));
		assert_true(got == want[i]);
	}
	for (uint32_t t = 8; t < j.n; t++)
		assert_true(t == j.n - 1 || !json_int(&j, t, &got));
	assert_false(json_int(&j, 0, &got));
	assert_false(json_int(&j, JSON_NONE, &got));
	assert_slice(json_raw(&j, 5), SL("9007199254740993"));
	assert_slice(json_raw(&j, 10), SL("123456789012345678901234567890"));
}

static void words(void **state)
{
	static const char *const LIST[] = { "type", "text", "", NULL }, *const NONE[] = { NULL };
	struct json j = read(SL("[\"type\", \"\\u0074ext\", \"\", \"typ\", \"types\", \"\\u0074exts\", 1]"));

	(void)state;
	for (uint32_t t = 1; t < j.n; t++) {
		assert_int_equal(json_string_among(&j, t, LIST), t <= 3);
		assert_false(json_string_among(&j, t, NONE));
	}
	assert_false(json_string_among(&j, JSON_NONE, LIST));
	assert_false(json_string_among(&j, 0, LIST));
}

/* How a piece of a string may be written, and what it stands for. */
static const struct {
	const char *written, *means;
} PIECES[] = {
	{ "\\\"", "\"" }, { "\\n", "\n" }, { "\\\\", "\\" }, { "\\/", "/" }, { "\\t", "\t" }, { "\\u0041", "A" }, { "\\u005c", "\\" },
	{ "\\u2014", "\xe2\x80\x94" }, { "\\ud83d\\ude00", "\xf0\x9f\x98\x80" }, { "\xc3\xa9", "\xc3\xa9" }, { "x", "x" },
	{ "n", "n" }, { " and sixteen more", " and sixteen more" }, { "{\\n  \\\"a\\\": ", "{\n  \"a\": " },
	{ "0123456789012345678901234567890123456789012345678901234567890123456789",
		"0123456789012345678901234567890123456789012345678901234567890123456789" },
};
#define N_PIECES (sizeof PIECES / sizeof *PIECES)

static unsigned next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33);
}

/* On a copy that ends where the text does: a byte too many that is read is seen by the sanitizer. */
static void check_text(const struct buf *text, struct slice want, bool good)
{
	char *copy = malloc(text->n);
	struct json j;

	assert_non_null(copy);
	memcpy(copy, text->p, text->n);
	enum err e = json_parse(&j, slice_make(copy, text->n), &arena, NULL);
	assert_true((e == E_OK) == good);
	if (good) {
		assert_int_equal(j.n, 1);
		assert_slice(json_string(&j, 0, &arena), want);
		assert_true(json_string_eq(&j, 0, want));
	}
	arena_reset(&arena);
	free(copy);
}

/* Blocks of every kind, at every offset: read, decoded and refused as byte by byte. */
static void strings_of_pieces(void **state)
{
	struct buf text, means;
	uint64_t seed = 7;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_init(&means, 1 << 20);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned n = next_random(&seed) % 60, kinds = next_random(&seed) % N_PIECES + 1, bad = next_random(&seed) % (2 * n + 1);

		buf_clear(&text);
		buf_clear(&means);
		buf_add_char(&text, '"');
		for (unsigned i = 0; i < n; i++) {
			unsigned k = next_random(&seed) % kinds;
			buf_add(&text, slice_of(PIECES[k].written));
			buf_add(&means, slice_of(PIECES[k].means));
			if (i == bad)
				buf_add(&text, round % 3 == 0 ? SL("\\q") : round % 3 == 1 ? SL("\n") : SL("\xff"));
		}
		if (bad != n)
			buf_add_char(&text, '"');
		check_text(&text, buf_slice(&means), bad > n);
	}
	buf_finish(&text);
	buf_finish(&means);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tape),
		cmocka_unit_test(flags),
		cmocka_unit_test(tape_outgrows_its_first_guess),
		cmocka_unit_test(members_and_paths),
		cmocka_unit_test(strings),
		cmocka_unit_test(json_12_exact_names),
		cmocka_unit_test(strings_without_memory),
		cmocka_unit_test(json_11_integers),
		cmocka_unit_test(strings_of_pieces),
		cmocka_unit_test(words),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
