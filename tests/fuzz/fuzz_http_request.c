/*
 * The HTTP request reader. A text read in one piece and in small pieces gives the same verdict, body and rest; and whatever
 * is taken, llhttp alone takes too and finds the same body in it, so that no second reader sees another request.
 */
#include <stdio.h>
#include <stdlib.h>
#include "proxy/http_request.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_limits limits = { .max_head_bytes = 1024, .max_fields = 12, .max_body_bytes = 512 };

/* --- the reader ----------------------------------------------------------------------------------------------------- */

static enum http_progress read_in_steps(struct http_request *r, struct buf *in, struct slice text, size_t step)
{
	enum http_progress p = READ_MORE;

	http_request_init(r, &limits);
	while (text.n && p != READ_BAD) {
		struct slice piece = slice_head(text, step);

		REQUIRE(buf_add(in, piece) == E_OK);
		text = slice_from(text, piece.n);
		if (p == READ_DONE)
			continue;
		p = http_request_feed(r, in);
		if (p == READ_HEAD)
			p = http_request_feed(r, in);
		REQUIRE(p != READ_HEAD);
	}
	return p;
}

static void check_fields(const struct http_request *r, const struct buf *in)
{
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		struct slice value = http_request_field(r, in, (enum http_field)f);

		REQUIRE(!value.n || (value.p >= in->p && value.p + value.n <= in->p + r->head_bytes));
		REQUIRE(!value.n || (!memchr(value.p, '\r', value.n) && !memchr(value.p, '\n', value.n) && !memchr(value.p, 0, value.n)));
	}
	REQUIRE(http_request_target(r, in).p[0] == '/');
	REQUIRE(http_request_field(r, in, FIELD_HOST).n > 0);
}

/* --- llhttp alone --------------------------------------------------------------------------------------------------- */

struct other {
	llhttp_t parser;
	char body[4096];
	size_t n;
	bool whole;
};

static int on_body(llhttp_t *parser, const char *at, size_t n)
{
	struct other *o = parser->data;

	REQUIRE(o->n + n <= sizeof(o->body));
	memcpy(o->body + o->n, at, n);
	o->n += n;
	return 0;
}

static int on_message_complete(llhttp_t *parser)
{
	((struct other *)parser->data)->whole = true;
	return HPE_PAUSED;
}

static void check_other_reader(struct slice text, struct slice body, size_t rest)
{
	static const llhttp_settings_t settings = { .on_body = on_body, .on_message_complete = on_message_complete };
	struct other o = { .n = 0 };
	enum llhttp_errno e;

	llhttp_init(&o.parser, HTTP_REQUEST, &settings);
	o.parser.data = &o;
	e = llhttp_execute(&o.parser, text.p, text.n);
	REQUIRE(o.whole && (e == HPE_PAUSED || e == HPE_OK));
	REQUIRE(slice_eq(slice_make(o.body, o.n), body));
	REQUIRE(e == HPE_OK ? rest == 0 : (size_t)(text.p + text.n - llhttp_get_error_pos(&o.parser)) == rest);
}

/* -------------------------------------------------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request r, r2;
	struct buf in, in2;
	enum http_progress p;
	struct slice text;

	if (size < 2 || size > 8192)
		return 0;
	text = slice_make((const char *)data + 1, size - 1);
	buf_init(&in, 16384);
	buf_init(&in2, 16384);
	p = read_in_steps(&r, &in, text, text.n);
	REQUIRE(read_in_steps(&r2, &in2, text, 1u + data[0] % 16) == p);
	REQUIRE(r.status == r2.status && (p == READ_BAD) == (r.status != 0));
	if (p == READ_DONE) {
		struct slice body = http_request_body(&r, &in);
		struct slice rest = slice_from(buf_slice(&in), http_request_bytes(&r));

		check_fields(&r, &in);
		REQUIRE(slice_eq(body, http_request_body(&r2, &in2)));
		REQUIRE(slice_eq(rest, slice_from(buf_slice(&in2), http_request_bytes(&r2))));
		check_other_reader(text, body, rest.n);
	}
	buf_finish(&in);
	buf_finish(&in2);
	return 0;
}
