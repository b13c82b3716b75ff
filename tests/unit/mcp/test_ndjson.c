/* Each input is fed whole, byte by byte, in two parts at every place, and with a receiver that stops after each line. */
#include "tests/unit/check.h"
#include "mcp/ndjson.h"

struct listener {
	struct buf seen; /* `line;` for each line */
	bool stops;
};

static bool on_line(void *ctx, struct slice line)
{
	struct listener *l = ctx;

	assert_int_equal(buf_add(&l->seen, line), E_OK);
	assert_int_equal(buf_add_char(&l->seen, ';'), E_OK);
	return !l->stops;
}

static enum err feed(struct ndjson_reader *r, struct slice bytes, struct listener *l)
{
	while (bytes.n) {
		size_t used = SIZE_MAX;
		enum err e = ndjson_feed(r, bytes, &used, on_line, l);
		if (e != E_OK)
			return e;
		assert_true(used > 0 && used <= bytes.n);
		assert_true(l->stops || used == bytes.n);
		bytes = slice_from(bytes, used);
	}
	return E_OK;
}

static void run(struct slice input, size_t first, size_t piece, bool stops, enum err want_err, struct slice want)
{
	struct listener l = { .stops = stops };
	struct ndjson_reader r;
	enum err e;

	buf_init(&l.seen, 1u << 20);
	ndjson_reader_init(&r, 20);
	e = feed(&r, slice_head(input, first), &l);
	for (size_t at = first; e == E_OK && at < input.n; at += piece)
		e = feed(&r, slice_head(slice_from(input, at), piece), &l);
	if (e == E_OK)
		e = ndjson_end(&r, on_line, &l);
	assert_int_equal(e, want_err);
	assert_slice(buf_slice(&l.seen), want);
	ndjson_reader_finish(&r);
	buf_finish(&l.seen);
}

static void run_all(struct slice input, enum err want_err, struct slice want)
{
	for (int stops = 0; stops < 2; stops++) {
		run(input, 0, 1, stops, want_err, want);
		for (size_t cut = 0; cut <= input.n; cut++)
			run(input, cut, SIZE_MAX / 2, stops, want_err, want);
	}
}

static void lines(void **state)
{
	(void)state;
	run_all(SL("{\"a\":1}\n{\"b\":2}\n"), E_OK, SL("{\"a\":1};{\"b\":2};"));
	run_all(SL("{\"a\":1}\r\n{\"b\":2}\r\n"), E_OK, SL("{\"a\":1};{\"b\":2};"));
	run_all(SL("a\n\n\r\n \t\r\nb\n\n"), E_OK, SL("a;b;"));
	run_all(SL("a\nb"), E_OK, SL("a;b;"));
	run_all(SL("a\nb\r"), E_OK, SL("a;b;"));
	run_all(SL(""), E_OK, SL(""));
	run_all(SL(" \n  "), E_OK, SL(""));
	run_all(SL(" a \n"), E_OK, SL(" a ;"));
	run_all(SL("a\rb\n"), E_OK, SL("a\rb;"));
	run_all(SL("a\r\r\n"), E_OK, SL("a\r;"));
	run_all(SL("a\0b\n\xff\n"), E_OK, SL("a\0b;\xff;"));
}

static void limits(void **state)
{
	(void)state;
	run_all(SL("x\n01234567890123456789\n"), E_OK, SL("x;01234567890123456789;"));
	run_all(SL("0123456789012345678\r\n"), E_OK, SL("0123456789012345678;"));
	run_all(SL("x\n01234567890123456789\r\n"), E_TOO_BIG, SL("x;"));
	run_all(SL("x\n012345678901234567890\ny\n"), E_TOO_BIG, SL("x;"));
	run_all(SL("012345678901234567890"), E_TOO_BIG, SL(""));
	run_all(SL("                     \n"), E_TOO_BIG, SL(""));
}

/* A long line gives its memory back; the reader goes on. */
static void big_line(void **state)
{
	struct listener l = { .stops = false };
	struct ndjson_reader r;
	char *big = malloc(1u << 20);
	size_t used;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', 1u << 20);
	buf_init(&l.seen, 4u << 20);
	ndjson_reader_init(&r, 2u << 20);
	assert_int_equal(ndjson_feed(&r, slice_make(big, 1u << 20), &used, on_line, &l), E_OK);
	assert_int_equal(ndjson_feed(&r, SL("y\nz\n"), &used, on_line, &l), E_OK);
	assert_int_equal(l.seen.n, (1u << 20) + 4);
	assert_int_equal(r.line.cap, 0);
	ndjson_reader_finish(&r);
	buf_finish(&l.seen);
	free(big);
}

static void write_lines(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 16);
	assert_int_equal(ndjson_write(&b, SL("{\r\n\"a\":\n1}")), E_OK);
	assert_slice(buf_slice(&b), SL("{  \"a\": 1}\n"));
	assert_int_equal(ndjson_write(&b, SL("[1,2]")), E_TOO_BIG);
	assert_slice(buf_slice(&b), SL("{  \"a\": 1}\n"));
	assert_int_equal(ndjson_write(&b, SL("[12]")), E_OK);
	assert_slice(buf_slice(&b), SL("{  \"a\": 1}\n[12]\n"));
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(limits),
		cmocka_unit_test(big_line),
		cmocka_unit_test(write_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
