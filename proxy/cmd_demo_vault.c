#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "proxy/commands.h"
#include "proxy/demo_vault.h"
#include "proxy/endpoint.h"
#include "proxy/flags.h"
#include "proxy/service.h"
#include "proxy/stdio.h"

#define DRAIN_MS 2000

struct demo {
	struct service service;    /* first */
	struct demo_vault vault;
	struct endpoint *endpoint; /* one of the two */
	struct stdio *stdio;
};

static void on_closed(void *ctx)
{
	(void)ctx;
}

static void finish(struct service *service)
{
	struct demo *d = (struct demo *)(void *)service;

	if (d->endpoint)
		endpoint_close(d->endpoint, on_closed, d);
	if (d->stdio)
		stdio_close(d->stdio, on_closed, d);
}

static void on_drained(void *ctx)
{
	service_finish(ctx);
}

static void on_terminate(struct service *service)
{
	struct demo *d = (struct demo *)(void *)service;

	if (d->endpoint)
		endpoint_drain(d->endpoint, on_drained, service);
	else
		stdio_drain(d->stdio, on_drained, service);
}

static void on_ended(void *ctx)
{
	service_terminate(ctx);
}

static void on_broken(void *ctx)
{
	service_finish(ctx);
}

static bool open_http(struct demo *d, const char *listen, struct buf *why)
{
	struct slice address = slice_of(listen);
	struct endpoint_config config = { .http = { .listen = &address, .n_listen = 1 } };

	d->endpoint = endpoint_create(&config, d->service.loop, &d->vault.front, why);
	if (!d->endpoint)
		return false;
	endpoint_describe(d->endpoint, why);
	log_info("demo-vault", "MCP at %.*s, path /mcp", SL_ARG(buf_slice(why)));
	return true;
}

static bool open_stdio(struct demo *d, struct buf *why)
{
	struct stdio_config config = { .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO };
	struct stdio_events events = { .ended = on_ended, .broken = on_broken, .ctx = &d->service };

	d->stdio = stdio_start(&config, d->service.loop, &d->vault.front, &events, why);
	return d->stdio != NULL;
}

int cmd_demo_vault(int argc, char **argv)
{
	static const struct service_ops ops = { .terminate = on_terminate, .finish = finish };
	struct flag flags[] = { { "listen", 0, "HOST:PORT", "serve HTTP there instead of stdin and stdout" }, { NULL } };
	int at = flags_parse(argc, argv, "demo-vault [--listen HOST:PORT]", "A small in-memory vault MCP server with sample secrets.", flags);
	const char *listen = at >= 0 ? flag_value(&flags[0]) : NULL;
	struct demo *d = at >= 0 && at == argc ? calloc(1, sizeof *d) : NULL;
	struct buf why;

	if (!d) {
		if (at >= 0)
			fprintf(stderr, "narrowgate: demo-vault takes no operand; see narrowgate demo-vault --help\n");
		return at == -2 ? 0 : 2;
	}
	service_init(&d->service, &ops, DRAIN_MS);
	buf_init(&why, 4096);
	bool ok = demo_vault_init(&d->vault) && (listen ? open_http(d, listen, &why) : open_stdio(d, &why));
	if (!ok)
		fprintf(stderr, "narrowgate: %.*s\n", SL_ARG(buf_slice(&why)));
	buf_finish(&why);
	if (!ok)
		service_finish(&d->service);
	int status = service_run(&d->service);
	demo_vault_finish(&d->vault);
	free(d);
	return ok ? status : 2;
}
