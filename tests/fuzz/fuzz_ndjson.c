/*
 * The reader of lines. The first byte says how the rest is cut: whatever the pieces are, and wherever the receiver stops,
 * the lines and the outcome are those of the input in one piece. What is written reads back.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "mcp/ndjson.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_LINE = 100 };

struct result {
	struct buf seen; /* the lines, each with a newline */
	bool stops;
	enum err err;
};

static bool on_line(void *ctx, struct slice line)
{
	struct result *r = ctx;

	REQUIRE(line.n <= MAX_LINE && slice_trim(line).n > 0 && !memchr(line.p, '\n', line.n));
	buf_add(&r->seen, line);
	buf_add_char(&r->seen, '\n');
	return !r->stops;
}

static void run(struct slice input, size_t piece, bool stops, struct result *result)
{
	struct ndjson_reader r;

	*result = (struct result){ .stops = stops };
	buf_init(&result->seen, 1u << 24);
	ndjson_reader_init(&r, MAX_LINE);
	while (input.n && result->err == E_OK) {
		struct slice part = slice_head(input, piece);
		size_t used;
		result->err = ndjson_feed(&r, part, &used, on_line, result);
		REQUIRE(used > 0 && used <= part.n && (stops || result->err != E_OK || used == part.n));
		input = slice_from(input, used);
	}
	if (result->err == E_OK)
		result->err = ndjson_end(&r, on_line, result);
	ndjson_reader_finish(&r);
	REQUIRE(result->seen.failed == E_OK);
}

static void reads_alike(struct slice input, size_t piece, bool stops)
{
	struct result whole, cut;

	run(input, input.n, false, &whole);
	run(input, piece, stops, &cut);
	REQUIRE(whole.err == cut.err);
	REQUIRE(slice_eq(buf_slice(&whole.seen), buf_slice(&cut.seen)));
	buf_finish(&whole.seen);
	buf_finish(&cut.seen);
}

static void reads_back(struct slice json)
{
	struct result got;
	struct buf out;

	buf_init(&out, MAX_LINE + 1);
	REQUIRE(ndjson_write(&out, json) == E_OK && out.n == json.n + 1);
	run(buf_slice(&out), 7, false, &got);
	REQUIRE(got.err == E_OK);
	REQUIRE(slice_trim(json).n == 0 ? got.seen.n == 0 : slice_eq(buf_slice(&got.seen), buf_slice(&out)));
	buf_finish(&got.seen);
	buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = { (const char *)data + 1, size - 1 };

	if (size == 0)
		return 0;
	reads_alike(input, 1u + (data[0] >> 1) % 16, data[0] & 1);
	if (input.n <= MAX_LINE)
		reads_back(input);
	return 0;
}
