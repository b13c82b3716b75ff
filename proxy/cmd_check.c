#include <stdio.h>
#include <stdlib.h>
#include "guards/judge.h"
#include "proxy/commands.h"
#include "proxy/flags.h"
#include "proxy/load.h"

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

int cmd_check(int argc, char **argv)
{
	struct flag flags[] = { { NULL } };
	struct load_source source = { 0 };
	struct faults faults;
	bool ok = true;
	int at = flags_parse(argc, argv, "check FILE", "Validates a configuration, runs the self-test, prints each agent's effective profile.", flags);

	if (at == -2)
		return 0;
	if (at < 0 || at + 1 != argc) {
		if (at >= 0)
			fprintf(stderr, "narrowgate: check wants one FILE; see narrowgate check --help\n");
		return 2;
	}
	source.file = argv[at];
	faults_init(&faults);
	struct config *config = load_config(&source, &faults);
	load_print_faults(stderr, &faults);
	faults_finish(&faults);
	if (!config)
		return 2;
	printf("%s: ok, configuration %.16s\n", source.file, config->hash);
	print_upstreams(config);
	print_absent(config);
	for (size_t i = 0; i < config->n_agents; i++)
		ok &= print_agent(&config->agents[i]);
	config_unref(config);
	return ok ? 0 : 1;
}
