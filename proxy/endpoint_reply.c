#include "proxy/endpoint_reply.h"

#include "mcp/rpc.h"
#include "mcp/sse.h"

#define MAX_ERROR_BYTES 4096

static struct endpoint_reply *of(struct reply *r)
{
	return (struct endpoint_reply *)(void *)r;
}

static struct slice session_of(const struct endpoint_reply *er)
{
	return slice_make(er->session, er->session_n);
}

/* The reply is done: what the exchange left behind is forgotten. */
static void done(struct endpoint_reply *er)
{
	er->reply.exchange = NULL;
	er->streaming = false;
	er->mark = NULL;
}

static void respond(struct endpoint_reply *er, int status, struct slice json)
{
	struct http_head h = { .status = status, .session = session_of(er) };

	if (json.n)
		h.content_type = SL("application/json");
	if (er->bad_session)
		endpoint_refuse(er->conn, 500, RPC_INTERNAL_ERROR, SL("the session id cannot be sent"), SL(""), SL(""));
	else
		http_respond(er->conn, &h, json);
	done(er);
}

static void reply_stream(struct reply *r)
{
	struct endpoint_reply *er = of(r);
	struct http_head h = { .status = 200, .content_type = SL("text/event-stream"), .events = true, .session = session_of(er) };

	if (!er->streaming && !er->bad_session)
		er->streaming = http_stream_begin(er->conn, &h);
}

static void add_event(struct endpoint_reply *er, struct slice json)
{
	struct buf *out = http_stream_chunk(er->conn);

	if (er->mark)
		sse_write_mark(out, er->mark);
	er->mark = NULL;
	sse_write_message(out, json);
	http_stream_chunk_end(er->conn);
}

static void reply_mark(struct reply *r, const struct sse_mark *mark, bool alone)
{
	struct endpoint_reply *er = of(r);
	struct buf *out;

	er->mark = alone ? NULL : mark;
	if (!alone || !er->streaming)
		return;
	out = http_stream_chunk(er->conn);
	sse_write_mark(out, mark);
	sse_write_end(out, mark);
	http_stream_chunk_end(er->conn);
}

static void reply_message(struct reply *r, struct slice json)
{
	reply_stream(r);
	if (of(r)->streaming)
		add_event(of(r), json);
}

static void finish_stream(struct endpoint_reply *er, struct slice json)
{
	if (json.n)
		add_event(er, json);
	http_stream_end(er->conn);
	done(er);
}

static void reply_answer(struct reply *r, struct slice json)
{
	if (of(r)->streaming)
		finish_stream(of(r), json);
	else
		respond(of(r), 200, json);
}

static void reply_accepted(struct reply *r)
{
	struct endpoint_reply *er = of(r);

	if (er->streaming)
		finish_stream(er, SL(""));
	else
		respond(er, http_conn_verb(er->conn) == VERB_DELETE ? 200 : 202, SL(""));
}

static void reply_fail(struct reply *r, int status, struct slice json)
{
	if (of(r)->streaming)
		finish_stream(of(r), json); /* the status is out already */
	else
		respond(of(r), status, json);
}

static bool reply_full(struct reply *r)
{
	return http_full(of(r)->conn);
}

static void reply_session(struct reply *r, struct slice id)
{
	struct endpoint_reply *er = of(r);

	er->bad_session = id.n > sizeof(er->session);
	er->session_n = er->bad_session ? 0 : id.n;
	if (er->session_n)
		memcpy(er->session, id.p, id.n);
}

static const struct reply_ops reply_ops = {
	.stream = reply_stream,
	.mark = reply_mark,
	.message = reply_message,
	.answer = reply_answer,
	.accepted = reply_accepted,
	.fail = reply_fail,
	.full = reply_full,
	.session = reply_session,
};

void endpoint_reply_init(struct endpoint_reply *er, struct http_conn *conn)
{
	er->reply = (struct reply){ .ops = &reply_ops };
	er->conn = conn;
	er->ask = (struct ask){ .body = { NULL, 0 } };
	er->session_n = 0;
	er->bad_session = false;
	er->streaming = false;
	er->mark = NULL;
	er->sse = NULL;
}

void endpoint_reply_silent(struct endpoint_reply *er)
{
	buf_add(http_stream_chunk(er->conn), SL(": keep-alive\n\n"));
	http_stream_chunk_end(er->conn);
}

void endpoint_reply_end(struct endpoint_reply *er)
{
	reply_stream(&er->reply);
	if (er->streaming)
		finish_stream(er, SL(""));
}

void endpoint_refuse(struct http_conn *conn, int status, int code, struct slice text, struct slice data, struct slice allow)
{
	const struct http_head h = { .status = status, .content_type = SL("application/json"), .allow = allow };
	struct buf body;

	buf_init(&body, MAX_ERROR_BYTES);
	if (rpc_make_error(&body, SL(""), code, text, data))
		buf_clear(&body);
	http_respond(conn, &h, buf_slice(&body));
	buf_finish(&body);
}
