#include "tests/unit/check.h"
#include "base/utf8.h"

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

static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* Every code point there is: valid unless a surrogate, and read back as itself. */
static void every_code_point(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		char bytes[4];
		struct slice s = { bytes, encode(c, bytes) };
		bool surrogate = c >= 0xD800 && c < 0xE000;
		size_t i = 0;
		assert_int_equal(utf8_valid(s), !surrogate);
		assert_int_equal(utf8_length(s), surrogate ? 0 : s.n);
		if (surrogate)
			continue;
		assert_int_equal(utf8_next(s, &i), c);
		assert_int_equal(i, s.n);
		for (size_t cut = 1; cut < s.n; cut++)
			assert_false(utf8_valid(slice_head(s, cut)));
	}
}

static void invalid(void **state)
{
	static const struct slice bad[] = {
		SL("\x80"), SL("\xbf"), SL("\xc0\x80"), SL("\xc0\xaf"), SL("\xc1\xbf"), SL("\xe0\x80\xaf"), SL("\xe0\x9f\xbf"),
		SL("\xed\xa0\x80"), SL("\xed\xbf\xbf"), SL("\xf0\x80\x80\xaf"), SL("\xf0\x8f\xbf\xbf"), SL("\xf4\x90\x80\x80"),
		SL("\xf5\x80\x80\x80"), SL("\xfe"), SL("\xff"), SL("\xc3("), SL("\xe2\x28\xa1"), SL("\xe2\x82("), SL("\xf0\x9f\x92("),
		SL("\xc3"), SL("\xe2\x82"), SL("\xf0\x9f\x92"), SL("\xf8\x88\x80\x80\x80"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[64] = "a long run of ascii, then ";
		size_t n = strlen(text);
		assert_false(utf8_valid(bad[i]));
		assert_null(utf8_nfc(bad[i], &arena).p);
		assert_null(utf8_fold(bad[i], &arena).p);
		memcpy(text + n, bad[i].p, bad[i].n);
		assert_false(utf8_valid(slice_make(text, n + bad[i].n)));
	}
	assert_true(utf8_valid(SL("")));
	assert_true(utf8_valid(SL("caf\u00e9 \u20ac \U0001f4a9")));
}

static void ascii(void **state)
{
	char text[40];

	(void)state;
	assert_true(utf8_is_ascii(SL("")));
	for (size_t at = 0; at < sizeof(text); at++) {
		memset(text, 'a', sizeof(text));
		assert_true(utf8_is_ascii(slice_make(text, at)));
		text[at] = '\x80';
		assert_false(utf8_is_ascii(slice_make(text, sizeof(text))));
		assert_true(utf8_is_ascii(slice_make(text, at)));
	}
}

static void invisible(void **state)
{
	static const uint32_t yes[] = {
		0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x180B, 0x180E, 0x200B, 0x200D, 0x200F, 0x202A, 0x202E, 0x2060, 0x2064,
		0x2066, 0x2069, 0x206F, 0x2800, 0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFF9, 0x1D173, 0xE0001, 0xE0041, 0xE007F, 0xE01EF,
	};
	static const uint32_t no[] = { 0, ' ', 'a', 0xA0, 0xAC, 0xAE, 0xE9, 0x300, 0x2010, 0x2027, 0x2070, 0x4E00, 0xFFFD, 0x1F4A9 };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		assert_true(utf8_is_invisible(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		assert_false(utf8_is_invisible(no[i]));
}

static void separators(void **state)
{
	static const uint32_t yes[] = {
		0xFF0F, 0x2044, 0x2215, 0x29F8, 0xFF3C, 0x29F5, 0x2216, 0xFE68, 0xFF0E, 0x2024, 0x2025, 0x2026, 0xFE52, 0x3002, 0xFF61,
		0xFE19, 0xFE30, 0x2105 /* c/o */, 0x2100 /* a/c */, 0x2488 /* 1. */, 0xBD /* one half */, 0x33C2 /* a.m. */,
	};
	static const uint32_t no[] = { '/', '\\', '.', 'a', 0xE9, 0x30CE, 0x4E3F, 0x4E2D, 0xAC00, 0x1F4A9, 0xFDFA };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		assert_true(utf8_is_separator_lookalike(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		assert_false(utf8_is_separator_lookalike(no[i]));
}

static void nfc(void **state)
{
	struct slice plain = SL("plain/path");

	(void)state;
	assert_ptr_equal(utf8_nfc(plain, &arena).p, plain.p);
	assert_slice(utf8_nfc(SL("cafe\u0301"), &arena), SL("caf\u00e9"));
	assert_slice(utf8_nfc(SL("caf\u00e9"), &arena), SL("caf\u00e9"));
	assert_slice(utf8_nfc(SL("\u212b"), &arena), SL("\u00c5"));
	assert_slice(utf8_nfc(SL("q\u0307\u0323"), &arena), SL("q\u0323\u0307"));
	assert_slice(utf8_nfc(SL("\u1112\u1161\u11ab"), &arena), SL("\ud55c"));
	assert_slice(utf8_nfc(SL("\ufb01\uff0f"), &arena), SL("\ufb01\uff0f")); /* compatibility forms stay */
	assert_slice(utf8_nfc(SL("\U0001d15e"), &arena), SL("\U0001d157\U0001d165"));
}

static void folds_to(struct slice s, struct slice want)
{
	struct slice once = utf8_fold(s, &arena);

	assert_slice(once, want);
	assert_slice(utf8_fold(once, &arena), want);
}

static void fold(void **state)
{
	(void)state;
	folds_to(SL("PROD/Db"), SL("prod/db"));
	folds_to(SL(""), SL(""));
	folds_to(SL("\uff30\uff32\uff2f\uff24"), SL("prod"));                 /* full width */
	folds_to(SL("\U0001d429\U0001d42b\U0001d428\U0001d41d"), SL("prod")); /* mathematical bold */
	folds_to(SL("p\u200br\u00ado\u2060d\ufe0f\U000e0041"), SL("prod"));   /* nobody sees these */
	folds_to(SL("\u0440r\u043ed"), SL("prod"));                           /* Cyrillic */
	folds_to(SL("\u0420R\u041eD"), SL("prod"));                           /* Cyrillic capitals */
	folds_to(SL("\u03c1r\u03bfd"), SL("prod"));                           /* Greek */
	folds_to(SL("pr\u0585\u0501"), SL("prod"));                           /* Armenian, Komi */
	folds_to(SL("\u13e2\u13a1\ua4f3\ua4d3"), SL("prod"));                 /* Cherokee, Lisu */
	folds_to(SL("s\u0435cr\u0435t"), SL("secret"));
	folds_to(SL("\u0430dm\u0456n"), SL("admin"));
	folds_to(SL("stra\u00dfe"), SL("strasse"));
	folds_to(SL("\U0001ccd6\U0001ccf9"), SL("a9"));
	folds_to(SL("caf\u00c9"), SL("caf\u00e9"));
	folds_to(SL("cafe\u0301"), SL("caf\u00e9"));
	folds_to(SL("\u0441\u0430f\u0435\u0301"), SL("caf\u00e9")); /* composes after the letter was mapped */
	folds_to(SL("a\u0323\u034f\u0307"), SL("\u1ea1\u0307"));    /* orders after the joiner was dropped */
	folds_to(SL("a\u0307\u034f\u0323"), SL("\u1ea1\u0307"));
	folds_to(SL("\u4e2d\u6587"), SL("\u4e2d\u6587"));
}

/* Folding never separates what case folding puts together, and folding twice is folding once. */
static void fold_every_code_point(void **state)
{
	(void)state;
	for (uint32_t c = 0x80; c < 0x20000; c++) {
		char bytes[4];
		struct slice s = { bytes, encode(c, bytes) }, once;
		if (c >= 0xD800 && c < 0xE000)
			continue;
		once = utf8_fold(s, &arena);
		assert_non_null(once.p);
		assert_true(utf8_valid(once));
		assert_slice(utf8_fold(once, &arena), once);
		assert_slice(utf8_fold(utf8_nfc(s, &arena), &arena), once);
		arena_reset(&arena);
	}
}

static void no_memory(void **state)
{
	struct arena small;

	(void)state;
	arena_init(&small, 16);
	assert_null(utf8_nfc(SL("cafe\u0301 cafe\u0301 cafe\u0301"), &small).p);
	assert_null(utf8_fold(SL("cafe\u0301 cafe\u0301 cafe\u0301"), &small).p);
	assert_null(utf8_fold(SL("plain ascii of some length"), &small).p);
	arena_finish(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(invalid),
		cmocka_unit_test(ascii),
		cmocka_unit_test(invisible),
		cmocka_unit_test(separators),
		cmocka_unit_test(nfc),
		cmocka_unit_test(fold),
		cmocka_unit_test(fold_every_code_point),
		cmocka_unit_test(no_memory),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
