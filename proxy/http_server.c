#include "proxy/http_inside.h"

#include <stdlib.h>
#include <time.h>

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
		.stranger = SL("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
		.filter = config->filter,
		.max_in_bytes = config->max_head_bytes + config->max_body_bytes + 2 * TCP_BUFFER_BYTES,
		.max_out_bytes = config->max_queued_bytes,
		.slow_reader_ms = config->slow_reader_ms,
	};
	return tcp_server_start(&server->tcp, &tcp, &http_conn_ops, loop, why, on_server_closed) ? server : NULL;
}

void http_server_round(struct tcp_server *tcp)
{
	struct http_server *server = (struct http_server *)(void *)tcp;
	void (*drained)(void *) = server->drained;

	if (server->draining && drained && tcp->n_conns == 0) {
		server->drained = NULL;
		drained(server->drained_ctx);
	}
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
		http_conn_drain((struct http_conn *)(void *)c);
	}
}

void http_server_close(struct http_server *server, void (*closed)(void *ctx), void *ctx)
{
	server->drained = NULL;
	server->closed = closed;
	server->closed_ctx = ctx;
	tcp_server_close(&server->tcp);
}

void http_server_set_filter(struct http_server *server, struct tcp_filter *filter)
{
	tcp_server_set_filter(&server->tcp, filter);
}

void http_server_describe(const struct http_server *server, struct buf *out)
{
	tcp_server_describe(&server->tcp, out);
}

size_t http_server_connections(const struct http_server *server)
{
	return server->tcp.n_conns;
}

struct slice http_server_date(struct http_server *server)
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
	return slice_make(server->date, HTTP_DATE_CHARS);
}
