#include "upstream/http_answer.h"

#include "base/wipe.h"
#include "upstream/http_field.h"

#define MAX_HEAD_BYTES (64 * 1024)
#define MAX_INFORMATIONAL 8
#define KEEP_BYTES (16 * 1024) /* buffers up to this size stay for the next answer */

static void fail(struct http_answer *a, enum upstream_outcome why)
{
	if (!a->decided) /* else the owner may have been told already: what comes later changes nothing */
		a->outcome = why;
	a->failed = a->decided = true;
	a->keep = false;
}

static void decide(struct http_answer *a, enum upstream_outcome outcome)
{
	a->decided = true;
	a->outcome = outcome;
	a->body = HTTP_BODY_DROPPED;
}

static enum upstream_outcome outcome_of(enum err e)
{
	return e == E_TOO_BIG ? UP_TOO_BIG : UP_BROKEN;
}

/* --- the head ----------------------------------------------------------------------------------------------------- */

/* What a status that is no success means; a 4xx with a JSON body may still hold a JSON-RPC error worth reading. */
static void decide_failure(struct http_answer *a)
{
	bool post = a->asked.verb == HTTP_VERB_POST;

	if (a->status < 400)
		decide(a, UP_REDIRECT);
	else if (a->status == 401 || a->status == 403)
		decide(a, UP_UNAUTHORIZED);
	else if (!post && (a->status == 404 || a->status == 405)) /* a server without GET may have no route either */
		decide(a, UP_NOT_OFFERED);
	else if (a->status == 404 && a->asked.in_session)
		decide(a, UP_SESSION_LOST);
	else if (post && a->status < 500 && a->type == HTTP_TYPE_JSON && !a->encoded)
		a->body = HTTP_BODY_JSON;
	else
		decide(a, UP_STATUS);
}

static bool empty(const struct http_answer *a)
{
	return !a->chunked && a->parser.content_length == 0 && (a->parser.flags & F_CONTENT_LENGTH);
}

static void decide_success(struct http_answer *a)
{
	bool none = a->status == 202 || a->status == 204 || a->asked.verb == HTTP_VERB_DELETE || empty(a);

	if (a->encoded)
		fail(a, UP_GARBAGE);
	else if (none)
		decide(a, a->asked.awaits ? UP_NO_ANSWER : UP_DONE);
	else if (a->type == HTTP_TYPE_EVENTS)
		a->body = HTTP_BODY_EVENTS;
	else if (a->type == HTTP_TYPE_JSON && a->asked.verb == HTTP_VERB_POST)
		a->body = HTTP_BODY_JSON;
	else if (a->asked.awaits || a->asked.verb == HTTP_VERB_GET)
		fail(a, UP_GARBAGE);
	else
		decide(a, UP_DONE); /* some servers say "ok" to a notification */
}

static int on_headers_complete(llhttp_t *p)
{
	struct http_answer *a = p->data;

	a->status = p->status_code;
	if (p->http_major != 1 || a->status < 100 || a->status > 599 || a->status == 101) {
		fail(a, UP_GARBAGE);
		return -1;
	}
	if (a->status < 200) {
		if (++a->n_informational > MAX_INFORMATIONAL)
			fail(a, UP_GARBAGE);
		return a->failed ? -1 : 0;
	}
	a->head_done = true;
	a->length = p->content_length;
	a->keep = llhttp_should_keep_alive(p);
	if (a->status < 300)
		decide_success(a);
	else
		decide_failure(a);
	if (a->body == HTTP_BODY_JSON && p->content_length > a->max_message_bytes)
		fail(a, UP_TOO_BIG);
	if (a->failed)
		return -1;
	if (a->body == HTTP_BODY_EVENTS) {
		sse_reader_init(&a->events, a->max_message_bytes);
		a->events_open = true;
		a->sink->stream(a->sink->ctx);
	}
	return 0;
}

static int count_head(struct http_answer *a, size_t n)
{
	a->head_bytes += n;
	if (a->head_bytes > MAX_HEAD_BYTES)
		fail(a, UP_GARBAGE);
	return a->failed ? -1 : 0;
}

static int on_status(llhttp_t *p, const char *at, size_t n)
{
	(void)at;
	return count_head(p->data, n);
}

static int on_field(llhttp_t *p, const char *at, size_t n)
{
	struct http_answer *a = p->data;

	http_field_name(a, slice_make(at, n));
	return count_head(a, n);
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
	struct http_answer *a = p->data;

	if (!http_field_value(a, slice_make(at, n)))
		fail(a, UP_GARBAGE);
	return count_head(a, n);
}

static int on_value_complete(llhttp_t *p)
{
	struct http_answer *a = p->data;

	/* Behind the body come trailers, which may say nothing; what a 1xx said is forgotten when it is over. */
	if (!a->head_done && !http_field_take(a))
		fail(a, UP_GARBAGE);
	return count_head(a, 4);
}

/* --- the body ----------------------------------------------------------------------------------------------------- */

/* Out of the parser with each piece of body: messages are handed on with no parser on the stack. */
static int on_body(llhttp_t *p, const char *at, size_t n)
{
	struct http_answer *a = p->data;

	if (!n)
		return 0;
	a->chunk = slice_make(at, n);
	return HPE_PAUSED;
}

static int on_message_complete(llhttp_t *p)
{
	struct http_answer *a = p->data;

	if (!a->head_done) {
		http_field_reset(a);
		return 0;
	}
	a->complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_status = on_status,
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_complete,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

static void hand_on(struct http_answer *a, struct slice json)
{
	a->n_messages++;
	if (!a->sink->message(a->sink->ctx, json))
		a->stopped = true;
}

static bool on_event(void *ctx, const struct sse_event *e)
{
	struct http_answer *a = ctx;
	bool message = e->data.n && slice_eq(e->type, SL("message"));

	if (a->sink->mark && (e->mark.id.n || e->mark.has_retry))
		a->sink->mark(a->sink->ctx, &e->mark, !message);
	if (message)
		hand_on(a, e->data);
	else if (e->data.n && a->sink->named)
		a->sink->named(a->sink->ctx, e->type, e->data);
	return !a->stopped;
}

static void take_events(struct http_answer *a)
{
	size_t used = 0;
	enum err e = sse_feed(&a->events, a->chunk, &used, on_event, a);

	a->chunk = slice_from(a->chunk, used);
	if (e != E_OK)
		fail(a, outcome_of(e));
	else if (!a->stopped)
		a->chunk = SL("");
}

static void take_json(struct http_answer *a)
{
	struct slice chunk = a->chunk;
	enum err e;

	a->chunk = SL("");
	if (!a->chunked && chunk.n == a->length) { /* whole, in one piece: no copy */
		a->body = HTTP_BODY_DROPPED;
		hand_on(a, chunk);
		return;
	}
	/* Its announced length at once: to grow in steps would copy and wipe it twice over. */
	e = a->json.n || a->chunked ? E_OK : buf_reserve(&a->json, a->length);
	if (e == E_OK)
		e = buf_add(&a->json, chunk);
	if (e != E_OK)
		fail(a, outcome_of(e));
}

static void take_body(struct http_answer *a)
{
	switch (a->body) {
	case HTTP_BODY_JSON:
		take_json(a);
		break;
	case HTTP_BODY_EVENTS:
		take_events(a);
		break;
	case HTTP_BODY_DROPPED:
		a->chunk = SL("");
		break;
	}
}

/* --- feeding ------------------------------------------------------------------------------------------------------ */

static void conclude(struct http_answer *a)
{
	if (a->decided)
		return;
	a->decided = true;
	if (a->status >= 400)
		a->outcome = UP_STATUS;
	else
		a->outcome = a->asked.awaits && a->n_messages == 0 ? UP_NO_ANSWER : UP_DONE;
}

/* The body is complete: a JSON one that came in pieces is a message now. */
static enum http_answer_state complete(struct http_answer *a)
{
	if (a->body == HTTP_BODY_JSON && a->json.n) {
		a->body = HTTP_BODY_DROPPED;
		hand_on(a, buf_slice(&a->json));
		if (a->stopped)
			return HTTP_ANSWER_HELD;
	}
	conclude(a);
	return HTTP_ANSWER_DONE;
}

static void parse(struct http_answer *a, struct slice *in)
{
	llhttp_errno_t e;

	a->paused = false;
	e = llhttp_execute(&a->parser, in->n ? in->p : "", in->n);
	if (e == HPE_OK) {
		*in = slice_from(*in, in->n);
	} else if (e == HPE_PAUSED) {
		a->paused = true;
		if (in->n)
			*in = slice_from(*in, (size_t)(llhttp_get_error_pos(&a->parser) - in->p));
		llhttp_resume(&a->parser);
	} else {
		fail(a, UP_GARBAGE);
	}
}

enum http_answer_state http_answer_feed(struct http_answer *a, struct slice *in, const struct http_answer_sink *sink)
{
	a->sink = sink;
	a->stopped = false;
	for (;;) {
		if (a->chunk.n)
			take_body(a);
		if (a->failed)
			return HTTP_ANSWER_FAILED;
		if (a->stopped)
			return HTTP_ANSWER_HELD;
		if (a->chunk.n)
			continue;
		if (a->complete)
			return complete(a);
		if (!in->n && !a->paused) { /* paused at its last byte, the parser may have found the end already */
			buf_finish(&a->held);
			return HTTP_ANSWER_MORE;
		}
		parse(a, in);
	}
}

enum http_answer_state http_answer_end(struct http_answer *a, const struct http_answer_sink *sink)
{
	a->sink = sink;
	a->stopped = false;
	if (!a->complete) {
		llhttp_finish(&a->parser); /* completes a body that only the end of the connection ends */
		a->keep = false;
	}
	if (a->complete && !a->failed)
		return complete(a);
	fail(a, UP_BROKEN);
	return HTTP_ANSWER_FAILED;
}

bool http_answer_hold(struct http_answer *a, struct slice in)
{
	size_t left = a->chunk.n + in.n;
	const char *from = a->chunk.n ? a->chunk.p : in.p;

	a->held_body = a->chunk.n;
	a->chunk = SL("");
	if (a->held.n) { /* it was fed from there, and the rest is the end of it */
		buf_consume(&a->held, a->held.n - left);
		return true;
	}
	return buf_add(&a->held, slice_make(from, left)) == E_OK;
}

bool http_answer_holds(const struct http_answer *a)
{
	return a->held.n > 0;
}

struct slice http_answer_unhold(struct http_answer *a)
{
	struct slice all = buf_slice(&a->held);

	a->chunk = slice_head(all, a->held_body);
	return slice_from(all, a->held_body);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

void http_answer_init(struct http_answer *a, size_t max_message_bytes)
{
	memset(a, 0, sizeof *a);
	a->max_message_bytes = max_message_bytes;
	buf_init(&a->session, HTTP_VALUE_MAX);
	buf_init(&a->challenge, HTTP_VALUE_MAX);
	buf_init(&a->json, max_message_bytes);
	buf_init(&a->held, SIZE_MAX);
}

static void close_events(struct http_answer *a)
{
	if (a->events_open)
		sse_reader_finish(&a->events);
	a->events_open = false;
}

void http_answer_finish(struct http_answer *a)
{
	close_events(a);
	buf_finish(&a->session);
	buf_finish(&a->challenge);
	buf_finish(&a->json);
	buf_finish(&a->held);
	wipe(a->value, sizeof a->value);
}

/* Empty for the next answer, and wiped: by giving it back when it is big, in place when it is not. */
static void reset_buf(struct buf *b)
{
	if (b->cap > KEEP_BYTES) {
		buf_finish(b);
		return;
	}
	wipe(b->p, b->n);
	buf_clear(b);
}

void http_answer_begin(struct http_answer *a, struct http_asked asked)
{
	close_events(a);
	reset_buf(&a->session);
	reset_buf(&a->challenge);
	reset_buf(&a->json);
	buf_finish(&a->held);
	a->asked = asked;
	a->outcome = UP_DONE;
	a->body = HTTP_BODY_DROPPED;
	a->decided = a->head_done = a->keep = a->complete = a->stopped = a->failed = a->paused = false;
	a->status = 0;
	a->n_messages = a->head_bytes = a->held_body = 0;
	a->n_informational = 0;
	a->chunk = SL("");
	http_field_reset(a);
	llhttp_init(&a->parser, HTTP_RESPONSE, &settings);
	a->parser.data = a;
}
