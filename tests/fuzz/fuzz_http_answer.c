/*
 * The reader of HTTP answers. The first byte says what was asked, the second how the rest is cut: whatever the pieces are,
 * and wherever the receiver stops, the messages and the outcome are those of the answer in one piece; no message is over
 * the limit, and a session id is visible ASCII.
 */
#include <stdio.h>
#include <stdlib.h>
#include "tests/fuzz/require.h"
#include "upstream/http_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_MESSAGE = 200 };

struct result {
	struct buf seen;
	bool stops;
	size_t n_messages;
	enum upstream_outcome outcome;
	int status;
	char session[HTTP_VALUE_MAX];
	size_t session_n;
};

static void on_stream(void *ctx)
{
	struct result *r = ctx;

	REQUIRE(r->n_messages == 0);
	buf_add_char(&r->seen, 's');
}

static bool on_message(void *ctx, struct slice json)
{
	struct result *r = ctx;

	REQUIRE(json.n > 0 && json.n <= MAX_MESSAGE);
	r->n_messages++;
	buf_add_fmt(&r->seen, "%zu:", json.n);
	buf_add(&r->seen, json);
	return !r->stops;
}

/* One piece, from memory that ends where it ends and is gone afterwards. */
static enum http_answer_state feed(struct http_answer *a, struct slice piece, const struct http_answer_sink *sink)
{
	char *copy = malloc(piece.n ? piece.n : 1);
	struct slice in = { copy, piece.n };
	enum http_answer_state state;

	REQUIRE(copy);
	if (piece.n)
		memcpy(copy, piece.p, piece.n);
	state = http_answer_feed(a, &in, sink);
	while (state == HTTP_ANSWER_HELD) {
		REQUIRE(http_answer_hold(a, in));
		free(copy);
		copy = NULL;
		in = http_answer_holds(a) ? http_answer_unhold(a) : SL("");
		state = http_answer_feed(a, &in, sink);
	}
	REQUIRE(state != HTTP_ANSWER_MORE || in.n == 0);
	free(copy);
	return state;
}

static void run(struct slice text, struct http_asked asked, size_t piece, bool stops, struct result *r)
{
	struct http_answer_sink sink = { on_stream, on_message, r };
	enum http_answer_state state = HTTP_ANSWER_MORE;
	struct http_answer a;

	*r = (struct result){ .stops = stops };
	buf_init(&r->seen, 1u << 24);
	http_answer_init(&a, MAX_MESSAGE);
	http_answer_begin(&a, asked);
	for (; text.n && state == HTTP_ANSWER_MORE; text = slice_from(text, piece))
		state = feed(&a, slice_head(text, piece), &sink);
	while (state == HTTP_ANSWER_MORE || state == HTTP_ANSWER_HELD)
		state = http_answer_end(&a, &sink);
	REQUIRE(a.decided && (state == HTTP_ANSWER_DONE || !a.keep));
	r->outcome = a.outcome;
	r->status = a.status;
	r->session_n = a.session.n;
	for (size_t i = 0; i < a.session.n; i++)
		REQUIRE(a.session.p[i] > 0x20 && a.session.p[i] < 0x7F);
	if (a.session.n)
		memcpy(r->session, a.session.p, a.session.n);
	http_answer_finish(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, parts;

	if (size < 2)
		return 0;
	struct slice text = slice_make((const char *)data + 2, size - 2);
	struct http_asked asked = { (enum http_verb)((data[0] & 3) % 3), data[0] & 4, data[0] & 8 };
	run(text, asked, SIZE_MAX, false, &whole);
	for (int stops = 0; stops < 2; stops++) {
		run(text, asked, 1u + data[1] % 64, stops, &parts);
		REQUIRE(slice_eq(buf_slice(&whole.seen), buf_slice(&parts.seen)));
		REQUIRE(whole.outcome == parts.outcome && whole.status == parts.status);
		REQUIRE(slice_eq(slice_make(whole.session, whole.session_n), slice_make(parts.session, parts.session_n)));
		buf_finish(&parts.seen);
	}
	buf_finish(&whole.seen);
	return 0;
}
