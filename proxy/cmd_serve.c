#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "proxy/admin.h"
#include "proxy/app.h"
#include "proxy/commands.h"
#include "proxy/endpoint.h"
#include "proxy/flags.h"
#include "proxy/reload.h"
#include "proxy/service.h"
#include "proxy/tls.h"

#define DEFAULT_FILE "/etc/narrowgate/narrowgate.yaml"

struct sidecar {
	struct service service;         /* first */
	struct app app;
	struct load_source source;
	struct reload *reload;
	struct endpoint *endpoint;
	struct tls *tls;                /* NULL: never yet needed */
	bool encrypted;                 /* `tls` is in use */
	struct admin *admin;
	struct admin_source health;
};

static struct sidecar *sidecar_of_health(struct admin_source *source)
{
	return (struct sidecar *)(void *)((char *)source - offsetof(struct sidecar, health));
}

/* --- readiness ------------------------------------------------------------------------------------------------------------ */

static void add_line(void *ctx, struct slice text)
{
	buf_add(ctx, text);
	buf_add_char(ctx, '\n');
}

static bool is_ready(struct admin_source *source, bool verbose, struct buf *text)
{
	struct sidecar *s = sidecar_of_health(source);
	bool ready = app_ready(&s->app, verbose ? add_line : NULL, text);

	add_line(text, ready ? SL("ready") : SL("not ready"));
	return ready;
}

static const struct admin_source_ops health_ops = { .ready = is_ready };

/* --- listening ------------------------------------------------------------------------------------------------------------- */

static struct browser_config browser_rules(const struct config *c)
{
	return (struct browser_config){
		.allowed_origins = c->allowed_origins, .n_allowed_origins = c->n_allowed_origins,
		.allowed_hosts = c->allowed_hosts, .n_allowed_hosts = c->n_allowed_hosts };
}

static size_t largest_message(const struct config *c)
{
	size_t max = 0;

	for (size_t i = 0; i < c->n_upstreams; i++)
		if (c->upstreams[i].max_message_bytes > max)
			max = c->upstreams[i].max_message_bytes;
	return max;
}

static bool open_admin(struct sidecar *s, const struct config *c, struct arena *arena, struct buf *why)
{
	struct http_config http = { .max_connections = 64, .max_body_bytes = 1024 };

	if (!c->admin)
		return true;
	struct slice address = service_address(c->admin, arena);
	http.listen = &address;
	http.n_listen = 1;
	s->health.ops = &health_ops;
	s->admin = admin_create(&http, s->service.loop, &s->health, why);
	return s->admin != NULL;
}

static bool open_listeners(struct sidecar *s, const struct config *c, struct arena *arena, struct buf *why)
{
	struct endpoint_config endpoint = { .browser = browser_rules(c), .http = { .max_body_bytes = largest_message(c) } };
	struct slice *addresses = arena_array(arena, c->n_mcp + 1, sizeof *addresses);

	if (!addresses)
		return false;
	for (size_t i = 0; i < c->n_mcp; i++)
		addresses[i] = service_address(&c->mcp[i], arena);
	endpoint.http.listen = addresses;
	endpoint.http.n_listen = c->n_mcp;
	endpoint.http.filter = tls_filter(s->tls);
	s->endpoint = endpoint_create(&endpoint, s->service.loop, &s->app.front, why);
	return s->endpoint && open_admin(s, c, arena, why);
}

/* What is in force, and whether agents will like it. */
static void tell_certificate(const struct tls_context *context)
{
	struct buf text;

	buf_init(&text, 8192);
	tls_context_describe(context, &text);
	log_info("tls", "%.*s", SL_ARG(buf_slice(&text)));
	buf_clear(&text);
	if (tls_context_complain(context, time(NULL), &text))
		log_warn("tls", "%.*s", SL_ARG(buf_slice(&text)));
	buf_finish(&text);
}

static void announce(const struct sidecar *s)
{
	struct buf text;

	buf_init(&text, 4096);
	endpoint_describe(s->endpoint, &text);
	log_info("serve", "MCP at %.*s, path /mcp, configuration %.16s", SL_ARG(buf_slice(&text)), s->app.config->hash);
	buf_clear(&text);
	if (s->tls)
		tell_certificate(tls_now(s->tls));
	if (s->admin) {
		admin_describe(s->admin, &text);
		log_info("serve", "health at %.*s, path /readyz", SL_ARG(buf_slice(&text)));
	}
	buf_finish(&text);
	service_log_policies(s->app.config);
}

/* --- the end ------------------------------------------------------------------------------------------------------------------ */

static void on_closed(void *ctx)
{
	(void)ctx;
}

static void finish(struct service *service)
{
	struct sidecar *s = (struct sidecar *)(void *)service;

	if (s->endpoint)
		endpoint_close(s->endpoint, on_closed, s);
	if (s->admin)
		admin_close(s->admin, on_closed, s);
	reload_stop(s->reload);
	app_finish(&s->app, on_closed, s);
}

static void on_drained(void *ctx)
{
	service_finish(ctx);
}

static void on_terminate(struct service *service)
{
	struct sidecar *s = (struct sidecar *)(void *)service;

	app_drain(&s->app);
	log_info("serve", "shutting down: %zu requests in flight", app_in_flight(&s->app));
	endpoint_drain(s->endpoint, on_drained, service);
}

static void on_cut(struct service *service)
{
	app_cut(&((struct sidecar *)(void *)service)->app);
}

static void on_hangup(struct service *service)
{
	reload_now(((struct sidecar *)(void *)service)->reload);
}

static bool same_listeners(const struct config *a, const struct config *b)
{
	if (a->n_mcp != b->n_mcp || !a->admin != !b->admin)
		return false;
	for (size_t i = 0; i < a->n_mcp; i++)
		if (!slice_eq(a->mcp[i].host, b->mcp[i].host) || a->mcp[i].port != b->mcp[i].port || !slice_eq(a->mcp[i].path, b->mcp[i].path))
			return false;
	return !a->admin || (slice_eq(a->admin->host, b->admin->host) && a->admin->port == b->admin->port);
}

/* A new configuration is in force: what of it concerns the listeners. */
static void on_swapped(void *ctx, const struct config *before)
{
	struct sidecar *s = ctx;
	struct browser_config rules = browser_rules(s->app.config);
	struct slice bad = SL("");

	s->service.drain_ms = s->app.config->drain_ms;
	if (!endpoint_set_browser_rules(s->endpoint, &rules, &bad))
		log_error("reload", "allowed_origins: %.*s is no origin; the old rules stay", SL_ARG(bad));
	if (largest_message(before) != largest_message(s->app.config))
		log_warn("reload", "another `max_message` for what agents send needs a restart: the old one stays there");
	if (!same_listeners(before, s->app.config))
		log_warn("reload", "other listen addresses need a restart: the old ones stay");
	service_log_policies(s->app.config);
}

static void on_certified(void *ctx, struct tls_context *context)
{
	struct sidecar *s = ctx;

	if (context && s->encrypted && tls_context_same(tls_now(s->tls), context)) {
		tls_context_free(context);
		return;
	}
	if (context)
		tell_certificate(context);
	if (context && s->tls)
		tls_use(s->tls, context);
	else if (context && !(s->tls = tls_create(context)))
		log_error("tls", "%s", err_text(E_NOMEM));
	s->encrypted = context && s->tls;
	endpoint_set_filter(s->endpoint, s->encrypted ? tls_filter(s->tls) : NULL);
}

/* False, said in `why`, when it cannot be started. The reference to the configuration is taken over. */
static bool start(struct sidecar *s, struct config *config, struct buf *why)
{
	struct slice text = SL("");
	struct arena arena;

	arena_init(&arena, 1 << 20);
	bool ok = app_init(&s->app, s->service.loop, config, &text) && open_listeners(s, config, &arena, why);
	arena_finish(&arena);
	if (ok)
		ok = app_start(&s->app, config, &text);
	else
		config_unref(config);
	buf_add(why, text);
	return ok;
}

static bool start_or_say(struct sidecar *s, struct config *config)
{
	struct buf why;

	buf_init(&why, 4096);
	bool ok = start(s, config, &why);
	if (!ok)
		fprintf(stderr, "narrowgate: %.*s\n", SL_ARG(buf_slice(&why)));
	buf_finish(&why);
	return ok;
}

static int serve(struct sidecar *s, struct config *config)
{
	static const struct service_ops ops = { .terminate = on_terminate, .hangup = on_hangup, .cut = on_cut, .finish = finish };
	const struct reload_events events = { .swapped = on_swapped, .certified = on_certified, .ctx = s };

	service_init(&s->service, &ops, config->drain_ms);
	bool ok = start_or_say(s, config);
	if (ok) {
		s->reload = reload_start(&s->app, &s->source, &events);
		announce(s);
	} else {
		service_finish(&s->service);
	}
	int status = service_run(&s->service);
	tls_free(s->tls);
	return ok ? status : 2;
}

/* The configuration and its certificates. NULL, said on stderr, when one of them is no good. */
static struct config *load(struct sidecar *s)
{
	struct tls_context *context = NULL;
	struct faults faults;

	faults_init(&faults);
	struct config *config = load_config(&s->source, &faults);
	if (config && config->tls)
		context = tls_context_load(config->tls, &faults);
	load_print_faults(stderr, &faults);
	s->tls = context ? tls_create(context) : NULL;
	s->encrypted = s->tls != NULL;
	if (context && !s->tls)
		fprintf(stderr, "narrowgate: %s\n", err_text(E_NOMEM));
	if (config && config->tls && !s->tls) {
		config_unref(config);
		config = NULL;
	}
	faults_finish(&faults);
	return config;
}

int cmd_serve(int argc, char **argv)
{
	struct flag flags[] = { { "config", 'c', "FILE", "the configuration; else $NARROWGATE_CONFIG, else " DEFAULT_FILE }, { NULL } };
	struct sidecar *s = calloc(1, sizeof *s);
	int at = flags_parse(argc, argv, "serve [-c FILE]", "The sidecar: agents connect to it over Streamable HTTP.", flags);

	if (at == -2 || at < 0 || at < argc || !s) {
		if (at >= 0)
			fprintf(stderr, "narrowgate: serve takes no operand; see narrowgate serve --help\n");
		free(s);
		return at == -2 ? 0 : 2;
	}
	s->source.file = load_default_file(flag_value(&flags[0]), DEFAULT_FILE);
	struct config *config = load(s);
	int status = config ? serve(s, config) : 2;
	free(s);
	return status;
}
