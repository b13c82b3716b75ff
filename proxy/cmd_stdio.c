#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "proxy/app.h"
#include "proxy/commands.h"
#include "proxy/flags.h"
#include "proxy/reload.h"
#include "proxy/service.h"
#include "proxy/stdio.h"

#define DEFAULT_FILE "/etc/narrowgate/narrowgate.yaml"

struct wrapper {
	struct service service;      /* first */
	struct app app;
	struct load_source source;
	struct reload *reload;
	struct stdio *stdio;
	struct slice allow[FLAG_MAX_VALUES], deny[FLAG_MAX_VALUES];
	struct slice *command;
};

static void on_closed(void *ctx)
{
	(void)ctx;
}

static void finish(struct service *service)
{
	struct wrapper *w = (struct wrapper *)(void *)service;

	if (w->stdio)
		stdio_close(w->stdio, on_closed, w);
	reload_stop(w->reload);
	app_finish(&w->app, on_closed, w);
}

static void on_drained(void *ctx)
{
	service_finish(ctx);
}

static void on_terminate(struct service *service)
{
	struct wrapper *w = (struct wrapper *)(void *)service;

	app_drain(&w->app);
	stdio_drain(w->stdio, on_drained, service);
}

static void on_cut(struct service *service)
{
	app_cut(&((struct wrapper *)(void *)service)->app);
}

static void on_hangup(struct service *service)
{
	reload_now(((struct wrapper *)(void *)service)->reload);
}

/* The agent has closed our input: what is in flight may still end, then the child and we go. */
static void on_ended(void *ctx)
{
	service_terminate(ctx);
}

static void on_broken(void *ctx)
{
	service_finish(ctx);
}

/* False, said on stderr, when it cannot be started. */
static bool start(struct wrapper *w, struct config *config)
{
	struct stdio_events events = { .ended = on_ended, .broken = on_broken, .ctx = &w->service };
	struct stdio_config stdio = { .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO };
	struct slice why = SL("");
	struct buf text;

	stdio.max_message_bytes = config->upstreams[0].max_message_bytes;
	if (!app_init(&w->app, w->service.loop, config, &why)) {
		fprintf(stderr, "narrowgate: %.*s\n", SL_ARG(why));
		config_unref(config);
		return false;
	}
	if (!app_start(&w->app, config, &why)) {
		fprintf(stderr, "narrowgate: %.*s\n", SL_ARG(why));
		return false;
	}
	service_log_policies(w->app.config);
	buf_init(&text, 4096);
	w->stdio = stdio_start(&stdio, w->service.loop, &w->app.front, &events, &text);
	if (!w->stdio)
		fprintf(stderr, "narrowgate: %.*s\n", SL_ARG(buf_slice(&text)));
	buf_finish(&text);
	return w->stdio;
}

static int run(struct wrapper *w, struct config *config)
{
	static const struct service_ops ops = { .terminate = on_terminate, .hangup = on_hangup, .cut = on_cut, .finish = finish };

	if (config->n_upstreams != 1) {
		fprintf(stderr, "narrowgate: stdio wants one upstream: give -- COMMAND, or a configuration with exactly one\n");
		config_unref(config);
		return 2;
	}
	service_init(&w->service, &ops, config->drain_ms);
	bool ok = start(w, config);
	if (ok)
		w->reload = reload_start(&w->app, &w->source, NULL);
	else
		service_finish(&w->service);
	int status = service_run(&w->service);
	return ok ? status : 2;
}

static bool take_flags(struct wrapper *w, struct flag *flags, int n, char **operands)
{
	struct config_flags *f = &w->source.flags;

	w->source.file = load_default_file(flag_value(&flags[0]), DEFAULT_FILE);
	f->stdio = true;
	f->catalog = slice_of(flag_value(&flags[1]));
	f->profile = slice_of(flag_value(&flags[2]));
	f->tenant = slice_of(flag_value(&flags[5]));
	f->n_allow = flag_values(&flags[3], w->allow);
	f->n_deny = flag_values(&flags[4], w->deny);
	f->allow = w->allow;
	f->deny = w->deny;
	w->command = calloc((size_t)n + 1, sizeof *w->command);
	if (!w->command)
		return false;
	for (int i = 0; i < n; i++)
		w->command[i] = slice_of(operands[i]);
	f->command = w->command;
	f->n_command = (size_t)n;
	return true;
}

int cmd_stdio(int argc, char **argv)
{
	struct flag flags[] = {
		{ "config", 'c', "FILE", "the configuration; else $NARROWGATE_CONFIG, else " DEFAULT_FILE },
		{ "catalog", 0, "C", "what the vault's tools do: a built-in name or a file" },
		{ "profile", 0, "P", "the profile; beside a file it only narrows" },
		{ "allow", 0, "PREFIX", "only paths below this", .many = true },
		{ "deny", 0, "PREFIX", "no path below this", .many = true },
		{ "tenant", 0, "T", "lock to this tenant" },
		{ NULL },
	};
	struct wrapper *w = calloc(1, sizeof *w);
	struct config *config = NULL;
	struct faults faults;
	int at = flags_parse(argc, argv, "stdio [-c FILE] [OPTION…] [-- CMD ARG…]",
		"Speaks MCP on stdin and stdout. With -- CMD the vault is that stdio server; it inherits the environment but NARROWGATE_*.", flags);

	if (at < 0 || !w || !take_flags(w, flags, argc - at, argv + at)) {
		free(w);
		return at == -2 ? 0 : 2;
	}
	faults_init(&faults);
	config = load_config(&w->source, &faults);
	load_print_faults(stderr, &faults);
	faults_finish(&faults);
	int status = config ? run(w, config) : 2;
	free(w->command);
	free(w);
	return status;
}
