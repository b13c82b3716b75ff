#include "proxy/http.h"

#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include "proxy/tcp.h"

/*
 *   WAIT -> HEAD -> BODY -> BUSY -> SENT -> WAIT …       or, when the connection ends: SENT -> LINGER
 *                               \-> STREAM -> SENT
 */
enum state {
	WAIT,   /* for the first byte of a request */
	HEAD,   /* some of the head is in */
	BODY,   /* the head is accepted, the body incomplete */
	BUSY,   /* the handler has it */
	STREAM, /* the handler answers with a stream */
	SENT,   /* the answer is complete and on its way */
	LINGER, /* and with the kernel; what still comes in is thrown away until the peer has it */
};

#define TAIL_BYTES 512 /* of room kept behind a big body, so that the peer's end is noticed */
#define DATE_CHARS 29

struct http_server {
	struct tcp_server tcp; /* first */
	struct http_config config;
	struct http_limits limits;
	struct http_handler *handler;
	char date[DATE_CHARS + 1];
	uint64_t date_second; /* of the loop's clock */
	bool draining;
	void (*drained)(void *ctx);
	void *drained_ctx;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

struct http_conn {
	struct tcp_conn tcp; /* first */
	struct http_request request;
	enum state state;
	bool ends;           /* the connection ends with this answer */
	bool whole;          /* the request's last byte is in */
	bool full;           /* http_full said so */
	size_t chunk_at;
	uint64_t began_ms;   /* first byte of the request */
	uint64_t spoke_ms;   /* the stream's last chunk */
	max_align_t state_of_handler[];
};

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
static void move(struct http_conn *c, enum state to)
{
	const struct http_config *config = &server_of(c)->config;

	switch (to) {
	case WAIT:
		c->tcp.deadline_ms = now_of(c) + config->idle_ms;
		break;
	case HEAD:
		c->began_ms = now_of(c);
		c->tcp.deadline_ms = c->began_ms + config->head_ms;
		break;
	case BODY:
		c->tcp.deadline_ms = c->began_ms + config->body_ms;
		break;
	case LINGER:
		c->tcp.deadline_ms = now_of(c) + config->linger_ms;
		break;
	case BUSY:
	case STREAM:
	case SENT:
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
	move(c, BUSY);
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
	move(c, BODY);
	if (c->request.expects_continue)
		buf_add(tcp_out(&c->tcp), SL("HTTP/1.1 100 Continue\r\n\r\n"));
	read_more(c);
}

/* Reads what is in the buffer until a request is handed over or more is needed. */
static void read_request(struct http_conn *c)
{
	if (c->tcp.in.n == 0)
		return;
	if (c->state == WAIT)
		move(c, HEAD);
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
	case WAIT:
	case HEAD:
	case BODY:
		read_request(c);
		break;
	case LINGER:
		tcp_consume(tcp, tcp->in.n);
		break;
	case BUSY:
	case STREAM:
	case SENT:
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
	move(c, WAIT);
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
	move(c, LINGER);
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

	if (c->state == BUSY || c->state == STREAM)
		tell_drained(c);
	else if (c->state == SENT && c->ends)
		end_conn(c);
	else if (c->state == SENT)
		next_request(c);
}

/* --- time, ends --------------------------------------------------------------------------------------------------- */

static void on_expired(struct tcp_conn *tcp)
{
	struct http_conn *c = conn_of(tcp);

	if (c->state == HEAD || c->state == BODY)
		refuse(c, 408, "the request came too slowly");
	else
		tcp_conn_close(tcp);
}

static void on_eof(struct tcp_conn *tcp)
{
	struct http_conn *c = conn_of(tcp);

	c->ends = true;
	if (c->state != SENT)
		tcp_conn_close(tcp);
}

static void on_closing(struct tcp_conn *tcp)
{
	struct http_conn *c = conn_of(tcp);

	if (c->state == BUSY || c->state == STREAM)
		handler_of(c)->ops->gone(handler_of(c), c);
	c->state = LINGER;
}

static void on_tick(struct tcp_conn *tcp, uint64_t now_ms)
{
	struct http_conn *c = conn_of(tcp);
	const struct http_handler_ops *ops = handler_of(c)->ops;

	if (c->state == STREAM && ops->silent && now_ms - c->spoke_ms >= server_of(c)->config.keep_alive_ms)
		ops->silent(handler_of(c), c);
}

static void on_opened(struct tcp_conn *tcp)
{
	struct http_conn *c = conn_of(tcp);

	http_request_init(&c->request, &server_of(c)->limits);
	move(c, WAIT);
	tcp->deadline_ms = now_of(c) + server_of(c)->config.head_ms;
}

static void on_round(struct tcp_server *tcp)
{
	struct http_server *server = (struct http_server *)(void *)tcp;
	void (*drained)(void *) = server->drained;

	if (server->draining && drained && tcp->n_conns == 0) {
		server->drained = NULL;
		drained(server->drained_ctx);
	}
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

bool http_full(struct http_conn *c)
{
	c->full = c->full || tcp_queued(&c->tcp) > HTTP_FULL_BYTES;
	return c->full;
}

/* --- what the handler answers ------------------------------------------------------------------------------------- */

static struct slice date_now(struct http_server *server)
{
	uint64_t second = uv_now(server->tcp.loop) / 1000 + 1;
	struct tm tm;
	time_t t;

	if (second != server->date_second) {
		server->date_second = second;
		t = time(NULL);
		gmtime_r(&t, &tm);
		strftime(server->date, sizeof(server->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	}
	return slice_make(server->date, DATE_CHARS);
}

/* A connection that ended under the handler's hands takes no answer. */
static bool can_answer(const struct http_conn *c)
{
	return !c->tcp.closing && c->state != SENT && c->state != LINGER;
}

/* False: the session id is none, and nothing was written. */
static bool write_head(struct http_conn *c, const struct http_head *wanted, size_t length)
{
	struct http_head h = *wanted;

	c->ends = c->ends || !c->whole || server_of(c)->draining;
	h.length = length;
	h.close = c->ends;
	h.date = date_now(server_of(c));
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
	move(c, SENT);
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
	move(c, STREAM);
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
	if (c->state != STREAM)
		return;
	http_write_last_chunk(tcp_out(&c->tcp));
	move(c, SENT);
}

/* --- the server --------------------------------------------------------------------------------------------------- */

static void set_defaults(struct http_config *c)
{
#define DEFAULT(name, value) c->name = c->name ? c->name : (value)
	DEFAULT(max_connections, 1024);
	DEFAULT(max_head_bytes, 32u * 1024);
	DEFAULT(max_fields, 100);
	DEFAULT(max_body_bytes, 4u * 1024 * 1024);
	DEFAULT(max_queued_bytes, 64u * 1024 * 1024);
	DEFAULT(head_ms, 10 * 1000);
	DEFAULT(body_ms, 30 * 1000);
	DEFAULT(idle_ms, 120 * 1000);
	DEFAULT(slow_reader_ms, 30 * 1000);
	DEFAULT(keep_alive_ms, 15 * 1000);
	DEFAULT(linger_ms, 2 * 1000);
#undef DEFAULT
}

static void on_server_closed(struct tcp_server *tcp)
{
	struct http_server *server = (struct http_server *)(void *)tcp;

	if (server->closed)
		server->closed(server->closed_ctx);
	free(server);
}

static const struct tcp_ops conn_ops = {
	.opened = on_opened,
	.received = on_received,
	.flushed = on_flushed,
	.expired = on_expired,
	.eof = on_eof,
	.closing = on_closing,
	.tick = on_tick,
	.round = on_round,
};

struct http_server *http_server_create(const struct http_config *config, uv_loop_t *loop, struct http_handler *handler,
	struct buf *why)
{
	struct http_server *server = calloc(1, sizeof(*server));
	struct tcp_config tcp;

	if (!server) {
		buf_add(why, slice_of(err_text(E_NOMEM)));
		return NULL;
	}
	server->config = *config;
	set_defaults(&server->config);
	config = &server->config;
	server->handler = handler;
	server->limits = (struct http_limits){ config->max_head_bytes, config->max_fields, config->max_body_bytes };
	tcp = (struct tcp_config){
		.addresses = config->listen,
		.n_addresses = config->n_listen,
		.conn_bytes = sizeof(struct http_conn) + handler->ops->state_bytes,
		.max_connections = config->max_connections,
		.refusal = SL("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"),
		.max_in_bytes = config->max_head_bytes + config->max_body_bytes + 2 * TCP_BUFFER_BYTES,
		.max_out_bytes = config->max_queued_bytes,
		.slow_reader_ms = config->slow_reader_ms,
	};
	return tcp_server_start(&server->tcp, &tcp, &conn_ops, loop, why, on_server_closed) ? server : NULL;
}

static void drain_conn(struct http_conn *c)
{
	const struct http_handler_ops *ops = handler_of(c)->ops;

	c->ends = true;
	if (c->state == WAIT)
		tcp_conn_close(&c->tcp);
	else if ((c->state == BUSY || c->state == STREAM) && ops->drain)
		ops->drain(handler_of(c), c);
}

void http_server_drain(struct http_server *server, void (*drained)(void *ctx), void *ctx)
{
	struct tcp_conn *next;

	server->draining = true;
	server->drained = drained;
	server->drained_ctx = ctx;
	tcp_server_stop_listening(&server->tcp);
	for (struct tcp_conn *c = server->tcp.conns; c; c = next) {
		next = c->next;
		drain_conn(conn_of(c));
	}
}

void http_server_close(struct http_server *server, void (*closed)(void *ctx), void *ctx)
{
	server->drained = NULL;
	server->closed = closed;
	server->closed_ctx = ctx;
	tcp_server_close(&server->tcp);
}

void http_server_describe(const struct http_server *server, struct buf *out)
{
	tcp_server_describe(&server->tcp, out);
}

size_t http_server_connections(const struct http_server *server)
{
	return server->tcp.n_conns;
}
