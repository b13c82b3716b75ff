#include "proxy/http_inside.h"

#include "proxy/tcp_filter.h"

#define TAIL_BYTES 512 /* of room kept behind a big body, so that the peer's end is noticed */

static struct http_server *server_of(const struct http_conn *c)
{
	return (struct http_server *)(void *)c->tcp.server;
}

static struct http_conn *conn_of(struct tcp_conn *tcp)
{
	return (struct http_conn *)(void *)tcp;
}

static struct http_handler *handler_of(const struct http_conn *c)
{
	return server_of(c)->handler;
}

static uint64_t now_of(const struct http_conn *c)
{
	return uv_now(c->tcp.server->loop);
}

/* The one function that changes a connection's state; each state has its deadline. */
static void move(struct http_conn *c, enum http_state to)
{
	const struct http_config *config = &server_of(c)->config;

	switch (to) {
	case CONN_WAIT:
		c->tcp.deadline_ms = now_of(c) + config->idle_ms;
		break;
	case CONN_HEAD:
		c->began_ms = now_of(c);
		c->tcp.deadline_ms = c->began_ms + config->head_ms;
		break;
	case CONN_BODY:
		c->tcp.deadline_ms = c->began_ms + config->body_ms;
		break;
	case CONN_LINGER:
		c->tcp.deadline_ms = now_of(c) + config->linger_ms;
		break;
	case CONN_BUSY:
	case CONN_STREAM:
	case CONN_SENT:
		c->tcp.deadline_ms = 0; /* the handler has its own; a slow reader is tcp.c's */
		break;
	}
	c->state = to;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void refuse(struct http_conn *c, int status, const char *why)
{
	c->ends = true;
	handler_of(c)->ops->refuse(handler_of(c), c, status, why);
}

/* Makes room for what the request still needs, once known exactly. */
static bool make_room(struct http_conn *c)
{
	struct buf *in = &c->tcp.in;
	size_t wants = http_request_wants(&c->request);
	size_t more = wants > in->n ? wants - in->n + TAIL_BYTES : TAIL_BYTES;

	if (in->cap - in->n >= more)
		return true;
	return buf_reserve(in, more) == E_OK;
}

static void read_more(struct http_conn *c)
{
	if (!make_room(c))
		refuse(c, 503, "out of memory");
}

static void hand_over(struct http_conn *c)
{
	move(c, CONN_BUSY);
	if (c->tcp.in.n == c->tcp.in.cap)
		tcp_pause(&c->tcp);
	handler_of(c)->ops->request(handler_of(c), c);
}

/* The head is in: the handler looks at it before a body is waited for. */
static void take_head(struct http_conn *c)
{
	const struct http_handler_ops *ops = handler_of(c)->ops;
	enum http_progress p = http_request_feed(&c->request, &c->tcp.in);

	c->whole = p == READ_DONE;
	if (p == READ_BAD) {
		refuse(c, c->request.status, c->request.why);
		return;
	}
	c->ends = c->ends || !c->request.keep_alive;
	if (ops->head && !ops->head(handler_of(c), c))
		return;
	if (c->whole) {
		hand_over(c);
		return;
	}
	move(c, CONN_BODY);
	if (c->request.expects_continue)
		buf_add(tcp_out(&c->tcp), SL("HTTP/1.1 100 Continue\r\n\r\n"));
	read_more(c);
}

/* Reads what is in the buffer until a request is handed over or more is needed. */
static void read_request(struct http_conn *c)
{
	if (c->tcp.in.n == 0)
		return;
	if (c->state == CONN_WAIT)
		move(c, CONN_HEAD);
	switch (http_request_feed(&c->request, &c->tcp.in)) {
	case READ_MORE:
		read_more(c);
		break;
	case READ_HEAD:
		take_head(c);
		break;
	case READ_DONE:
		c->whole = true;
		hand_over(c);
		break;
	case READ_BAD:
		refuse(c, c->request.status, c->request.why);
		break;
	}
}

static void on_received(struct tcp_conn *tcp)
{
	struct http_conn *c = conn_of(tcp);

	switch (c->state) {
	case CONN_WAIT:
	case CONN_HEAD:
	case CONN_BODY:
		read_request(c);
		break;
	case CONN_LINGER:
		tcp_consume(tcp, tcp->in.n);
		break;
	case CONN_BUSY:
	case CONN_STREAM:
	case CONN_SENT:
		if (tcp->in.n == tcp->in.cap)
			tcp_pause(tcp); /* pipelined: it waits until the answer is out */
		break;
	}
}

/* --- after an answer ---------------------------------------------------------------------------------------------- */

static void next_request(struct http_conn *c)
{
	tcp_consume(&c->tcp, http_request_bytes(&c->request));
	http_request_reset(&c->request);
	c->whole = false;
	move(c, CONN_WAIT);
	tcp_resume(&c->tcp);
	read_request(c);
}

/* With bytes unread a close would be a reset, and the peer might lose the answer: it is given time to take it. */
static void end_conn(struct http_conn *c)
{
	if (c->tcp.eof || (c->whole && c->tcp.in.n == http_request_bytes(&c->request))) {
		tcp_conn_close(&c->tcp);
		return;
	}
	tcp_shutdown(&c->tcp);
	move(c, CONN_LINGER);
	tcp_consume(&c->tcp, c->tcp.in.n);
	tcp_resume(&c->tcp);
}

static void tell_drained(struct http_conn *c)
{
	const struct http_handler_ops *ops = handler_of(c)->ops;

	if (!c->full || tcp_queued(&c->tcp) >= HTTP_DRAINED_BYTES)
		return;
	c->full = false;
	if (ops->drained)
		ops->drained(handler_of(c), c);
}

static void on_flushed(struct tcp_conn *tcp)
{
	struct http_conn *c = conn_of(tcp);

	if (c->state == CONN_BUSY || c->state == CONN_STREAM)
		tell_drained(c);
	else if (c->state == CONN_SENT && c->ends)
		end_conn(c);
	else if (c->state == CONN_SENT)
		next_request(c);
}

/* --- time, ends --------------------------------------------------------------------------------------------------- */

static void on_expired(struct tcp_conn *tcp)
{
	struct http_conn *c = conn_of(tcp);

	if (c->state == CONN_HEAD || c->state == CONN_BODY)
		refuse(c, 408, "the request came too slowly");
	else
		tcp_conn_close(tcp);
}

static void on_eof(struct tcp_conn *tcp)
{
	struct http_conn *c = conn_of(tcp);

	c->ends = true;
	if (c->state != CONN_SENT)
		tcp_conn_close(tcp);
}

static void on_closing(struct tcp_conn *tcp)
{
	struct http_conn *c = conn_of(tcp);

	if (c->state == CONN_BUSY || c->state == CONN_STREAM)
		handler_of(c)->ops->gone(handler_of(c), c);
	move(c, CONN_LINGER);
}

static void on_tick(struct tcp_conn *tcp, uint64_t now_ms)
{
	struct http_conn *c = conn_of(tcp);
	const struct http_handler_ops *ops = handler_of(c)->ops;

	if (c->state == CONN_WAIT && !tcp_filter_keeps(tcp))
		tcp_conn_close(tcp); /* the client certificate has run out */
	else if (c->state == CONN_STREAM && ops->silent && now_ms - c->spoke_ms >= server_of(c)->config.keep_alive_ms)
		ops->silent(handler_of(c), c);
}

static void on_opened(struct tcp_conn *tcp)
{
	struct http_conn *c = conn_of(tcp);

	http_request_init(&c->request, &server_of(c)->limits);
	move(c, CONN_WAIT);
	tcp->deadline_ms = now_of(c) + server_of(c)->config.head_ms;
}

/* --- what the handler asks ---------------------------------------------------------------------------------------- */

void *http_conn_state(struct http_conn *c)
{
	return c->state_of_handler;
}

enum http_verb http_conn_verb(const struct http_conn *c)
{
	return (enum http_verb)c->request.verb;
}

struct slice http_conn_target(const struct http_conn *c)
{
	return http_request_target(&c->request, &c->tcp.in);
}

struct slice http_conn_fields(const struct http_conn *c)
{
	return http_request_fields(&c->request, &c->tcp.in);
}

struct slice http_conn_field(const struct http_conn *c, enum http_field f)
{
	return http_request_field(&c->request, &c->tcp.in, f);
}

struct slice http_conn_body(const struct http_conn *c)
{
	return http_request_body(&c->request, &c->tcp.in);
}

unsigned http_conn_accepted(const struct http_conn *c)
{
	return c->request.accepted;
}

bool http_conn_local(const struct http_conn *c)
{
	return c->tcp.local;
}

const struct san *http_conn_names(const struct http_conn *c, size_t *n)
{
	return tcp_peer_names(&c->tcp, n);
}

bool http_full(struct http_conn *c)
{
	c->full = c->full || tcp_queued(&c->tcp) > HTTP_FULL_BYTES;
	return c->full;
}

/* --- what the handler answers ------------------------------------------------------------------------------------- */

/* A connection that ended under the handler's hands takes no answer. */
static bool can_answer(const struct http_conn *c)
{
	return !c->tcp.closing && c->state != CONN_SENT && c->state != CONN_LINGER;
}

/* False: the session id is none, and nothing was written. */
static bool write_head(struct http_conn *c, const struct http_head *wanted, size_t length)
{
	struct http_head h = *wanted;

	c->ends = c->ends || !c->whole || server_of(c)->draining;
	h.length = length;
	h.close = c->ends;
	h.date = http_server_date(server_of(c));
	return http_write_head(tcp_out(&c->tcp), &h) != E_INVALID;
}

void http_respond(struct http_conn *c, const struct http_head *h, struct slice body)
{
	if (!can_answer(c))
		return;
	if (!write_head(c, h, body.n)) {
		body.n = 0;
		write_head(c, &(struct http_head){ .status = 500 }, 0);
	}
	if (body.n && http_conn_verb(c) != VERB_HEAD)
		buf_add(tcp_out(&c->tcp), body);
	move(c, CONN_SENT);
}

bool http_stream_begin(struct http_conn *c, const struct http_head *h)
{
	if (!can_answer(c))
		return true;
	if (!write_head(c, h, 0)) {
		http_respond(c, &(struct http_head){ .status = 500 }, SL(""));
		return false;
	}
	c->spoke_ms = now_of(c);
	move(c, CONN_STREAM);
	return true;
}

struct buf *http_stream_chunk(struct http_conn *c)
{
	struct buf *out = tcp_out(&c->tcp);

	c->spoke_ms = now_of(c);
	c->chunk_at = http_chunk_begin(out);
	return out;
}

void http_stream_chunk_end(struct http_conn *c)
{
	http_chunk_end(tcp_out(&c->tcp), c->chunk_at);
}

void http_stream_end(struct http_conn *c)
{
	if (c->state != CONN_STREAM)
		return;
	http_write_last_chunk(tcp_out(&c->tcp));
	move(c, CONN_SENT);
}

/* --- what tcp.c and the server call --------------------------------------------------------------------------------- */

void http_conn_drain(struct http_conn *c)
{
	const struct http_handler_ops *ops = handler_of(c)->ops;

	c->ends = true;
	if (c->state == CONN_WAIT)
		tcp_conn_close(&c->tcp);
	else if ((c->state == CONN_BUSY || c->state == CONN_STREAM) && ops->drain)
		ops->drain(handler_of(c), c);
}

const struct tcp_ops http_conn_ops = {
	.opened = on_opened,
	.received = on_received,
	.flushed = on_flushed,
	.expired = on_expired,
	.eof = on_eof,
	.closing = on_closing,
	.tick = on_tick,
	.round = http_server_round,
};
