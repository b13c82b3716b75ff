#include "proxy/admin.h"

#include <stdlib.h>

#define MAX_TEXT_BYTES (64u * 1024)

struct admin {
	struct http_handler handler; /* first */
	struct http_server *http;
	struct admin_source *source;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static struct admin *of(struct http_handler *h)
{
	return (struct admin *)(void *)h;
}

static void say(struct http_conn *conn, int status, struct slice text)
{
	const struct http_head h = {
		.status = status,
		.content_type = SL("text/plain; charset=utf-8"),
		.allow = status == 405 ? SL("GET, HEAD") : SL(""),
	};

	http_respond(conn, &h, text);
}

static void say_ready(struct admin *a, struct http_conn *conn, bool verbose)
{
	struct buf text;
	bool ready;

	buf_init(&text, MAX_TEXT_BYTES);
	ready = a->source->ops->ready(a->source, verbose, &text);
	if (text.n && text.p[text.n - 1] != '\n')
		buf_add_char(&text, '\n');
	say(conn, ready ? 200 : 503, buf_slice(&text));
	buf_finish(&text);
}

static void on_request(struct http_handler *h, struct http_conn *conn)
{
	struct slice target = http_conn_target(conn);

	if (http_conn_verb(conn) != VERB_GET && http_conn_verb(conn) != VERB_HEAD)
		say(conn, 405, SL("only GET and HEAD\n"));
	else if (slice_eq(target, SL("/healthz")))
		say(conn, 200, SL("ok\n"));
	else if (slice_eq(target, SL("/readyz")))
		say_ready(of(h), conn, false);
	else if (slice_eq(target, SL("/readyz?verbose")))
		say_ready(of(h), conn, true);
	else
		say(conn, 404, SL("not found\n"));
}

/* No body is ever of use here: other methods are told so before theirs is read. */
static bool on_head(struct http_handler *h, struct http_conn *conn)
{
	if (http_conn_verb(conn) == VERB_GET || http_conn_verb(conn) == VERB_HEAD)
		return true;
	on_request(h, conn);
	return false;
}

static void on_refuse(struct http_handler *h, struct http_conn *conn, int status, const char *why)
{
	(void)h;
	say(conn, status, slice_of(why));
}

/* Answers are given at once: nothing is ever left behind. */
static void on_gone(struct http_handler *h, struct http_conn *conn)
{
	(void)h;
	(void)conn;
}

static const struct http_handler_ops handler_ops = {
	.head = on_head,
	.request = on_request,
	.refuse = on_refuse,
	.gone = on_gone,
};

struct admin *admin_create(const struct http_config *config, uv_loop_t *loop, struct admin_source *source, struct buf *why)
{
	struct admin *a = calloc(1, sizeof(*a));

	if (!a) {
		buf_add(why, slice_of(err_text(E_NOMEM)));
		return NULL;
	}
	a->handler.ops = &handler_ops;
	a->source = source;
	a->http = http_server_create(config, loop, &a->handler, why);
	if (!a->http) {
		free(a);
		return NULL;
	}
	return a;
}

void admin_drain(struct admin *a, void (*drained)(void *ctx), void *ctx)
{
	http_server_drain(a->http, drained, ctx);
}

static void on_http_closed(void *ctx)
{
	struct admin *a = ctx;
	void (*closed)(void *) = a->closed;
	void *closed_ctx = a->closed_ctx;

	free(a);
	if (closed)
		closed(closed_ctx);
}

void admin_close(struct admin *a, void (*closed)(void *ctx), void *ctx)
{
	a->closed = closed;
	a->closed_ctx = ctx;
	http_server_close(a->http, on_http_closed, a);
}

void admin_describe(const struct admin *a, struct buf *out)
{
	http_server_describe(a->http, out);
}
