#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "guards/judge.h"
#include "proxy/accept.h"
#include "proxy/commands.h"
#include "proxy/flags.h"
#include "proxy/load.h"
#include "proxy/tls.h"

static void print_upstreams(const struct config *config)
{
	for (size_t i = 0; i < config->n_upstreams; i++) {
		const struct upstream_config *u = &config->upstreams[i];
		struct slice url = u->url, where = u->n_command ? u->command[0] : slice_cut(&url, '?'); /* a query may be a secret */

		printf("upstream %.*s: %.*s, catalog %.*s\n", SL_ARG(u->name), SL_ARG(where),
			SL_ARG(u->catalog_name.n ? u->catalog_name : SL("chosen by the server's name")));
	}
}

static void print_absent(const struct config *config)
{
	for (size_t i = 0; i < config->n_absent_guards; i++)
		printf("not in this version: %.*s\n", SL_ARG(config->absent_guards[i]));
}

/* Reads every certificate file that the configuration names; *tls: those for agents, NULL without them or after a fault. */
static void check_certificates(const struct config *config, struct tls_context **tls, struct faults *faults)
{
	*tls = config->tls ? tls_context_load(config->tls, faults) : NULL;
	for (size_t i = 0; i < config->n_upstreams; i++)
		tls_check_upstream(&config->upstreams[i], faults);
}

static void print_tls(const struct tls_context *tls)
{
	struct buf text;

	buf_init(&text, 16384);
	tls_context_describe(tls, &text);
	printf("TLS for agents: %.*s\n", SL_ARG(buf_slice(&text)));
	buf_clear(&text);
	if (tls_context_complain(tls, time(NULL), &text))
		printf("warning: %.*s\n", SL_ARG(buf_slice(&text)));
	buf_finish(&text);
}

/* The configuration with its certificates. NULL, said on stderr, when anything is wrong. */
static struct config *load_all(const struct load_source *source, struct tls_context **tls)
{
	struct faults faults;

	*tls = NULL;
	faults_init(&faults);
	struct config *config = load_config(source, &faults);
	if (config)
		check_certificates(config, tls, &faults);
	load_print_faults(stderr, &faults);
	if (config && faults_any(&faults)) {
		tls_context_free(*tls);
		config_unref(config);
		config = NULL;
	}
	faults_finish(&faults);
	return config;
}

/* One agent's profile and its self-test; false when the test found a hole. */
static bool print_agent(const struct agent_config *a)
{
	struct buf text;
	struct arena arena;
	struct slice why = SL("");

	buf_init(&text, 1 << 20);
	arena_init(&arena, 16u << 20);
	policy_print(a->policy, &text);
	bool ok = selftest_policy(a->policy, &arena, &why);
	printf("\nagent %.*s\n%.*sself-test: %s%.*s\n", SL_ARG(a->name), SL_ARG(buf_slice(&text)), ok ? "passed" : "FAILED: ", SL_ARG(why));
	arena_finish(&arena);
	buf_finish(&text);
	return ok;
}

static int print_all(const struct config *config, const char *file, const struct tls_context *tls)
{
	bool ok = true;

	printf("%s: ok, configuration %.16s\n", file, config->hash);
	if (tls)
		print_tls(tls);
	print_upstreams(config);
	print_absent(config);
	for (size_t i = 0; i < config->n_agents; i++)
		ok &= print_agent(&config->agents[i]);
	return ok ? 0 : 1;
}

int cmd_check(int argc, char **argv)
{
	struct flag flags[] = {
		{ "accept", 0, NULL, "read what each vault shows, and write it into the pins file of its upstream" },
		{ NULL },
	};
	struct load_source source = { 0 };
	struct tls_context *tls;
	int at = flags_parse(argc, argv, "check [--accept] FILE", "Validates a configuration, runs the self-test, prints each agent's effective profile.", flags);

	if (at == -2)
		return 0;
	if (at < 0 || at + 1 != argc) {
		if (at >= 0)
			fprintf(stderr, "narrowgate: check wants one FILE; see narrowgate check --help\n");
		return 2;
	}
	source.file = argv[at];
	source.flags.accepts = flag_value(&flags[0]) != NULL;
	struct config *config = load_all(&source, &tls);
	if (!config)
		return 2;
	int status = source.flags.accepts ? accept_all(config) : print_all(config, source.file, tls);
	tls_context_free(tls);
	config_unref(config);
	return status;
}
