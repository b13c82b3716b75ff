#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "guards/judge.h"
#include "mcp/stateless.h"
#include "proxy/agent.h"
#include "proxy/app.h"
#include "proxy/commands.h"
#include "proxy/flags.h"
#include "proxy/load.h"

#define MAX_REQUEST (4u << 20)

/* Everything one explanation needs; freed together. */
struct asked {
	struct config *config;
	const struct agent_config *agent;
	const struct upstream_config *upstream;
	struct catalog *generic;
	struct ledger *ledger;
	struct toolbook *tools;
	struct arena arena;
};

static bool read_request(const char *name, struct arena *arena, struct slice *out)
{
	struct buf b;
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	char part[4096];
	size_t n;

	if (!f) {
		fprintf(stderr, "narrowgate: %s: %s\n", name, strerror(errno));
		return false;
	}
	buf_init(&b, MAX_REQUEST);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_add(&b, slice_make(part, n));
	bool ok = b.failed == E_OK && !ferror(f);
	*out = ok ? slice_trim(arena_dup(arena, buf_slice(&b))) : SL("");
	buf_finish(&b);
	if (f != stdin)
		fclose(f);
	if (!ok)
		fprintf(stderr, "narrowgate: %s cannot be read or is over %u bytes\n", name, MAX_REQUEST);
	return ok;
}

/* `names` stand `step` bytes apart. */
static void complain(const char *what, const char *given, const struct slice *names, size_t step, size_t n)
{
	if (given)
		fprintf(stderr, "narrowgate: no %s is called `%s`:", what, given);
	else
		fprintf(stderr, "narrowgate: which %s? Give --%s NAME:", what, what);
	for (size_t i = 0; i < n; i++) {
		const struct slice *name = (const struct slice *)(const void *)((const char *)names + i * step);
		fprintf(stderr, "%s %.*s", i ? "," : "", SL_ARG(*name));
	}
	fprintf(stderr, n ? "\n" : " the configuration has none\n");
}

static bool pick(struct asked *a, const char *agent, const char *upstream)
{
	const struct config *c = a->config;

	for (size_t i = 0; i < c->n_agents; i++)
		if (agent ? slice_eq(c->agents[i].name, slice_of(agent)) : c->n_agents == 1)
			a->agent = &c->agents[i];
	for (size_t i = 0; i < c->n_upstreams; i++)
		if (upstream ? slice_eq(c->upstreams[i].name, slice_of(upstream)) : c->n_upstreams == 1)
			a->upstream = &c->upstreams[i];
	if (!a->agent)
		complain("agent", agent, c->n_agents ? &c->agents[0].name : NULL, sizeof c->agents[0], c->n_agents);
	else if (!a->upstream)
		complain("upstream", upstream, c->n_upstreams ? &c->upstreams[0].name : NULL, sizeof c->upstreams[0],
			c->n_upstreams);
	return a->agent && a->upstream;
}

static const char *word(const struct judgement *j)
{
	switch (j->kind) {
	case VERDICT_PASS:
		return j->shadow ? "pass (shadow mode: would be denied)" : "pass";
	case VERDICT_REWRITE:
		return "rewrite";
	case VERDICT_NEED_TOOLS:
		return "depends on the vault's own schema, which narrowgate would read first";
	case VERDICT_DENY:
		break;
	}
	return "deny";
}

static void print_judgement(const struct judgement *j, struct slice request)
{
	printf("verdict: %s\n", word(j));
	if (j->guard)
		printf("guard: %s\n", j->guard);
	if (j->why.reason != R_NONE)
		printf("rule: %s (%s)\n", reason_word(j->why.reason), reason_text(j->why.reason));
	if (j->why.what.n)
		printf("about: %.*s\n", SL_ARG(j->why.what));
	if (j->why.rule.file.n && j->why.rule.line)
		printf("from: %.*s:%u:%u\n", SL_ARG(j->why.rule.file), j->why.rule.line, j->why.rule.column);
	else if (j->why.rule.file.n)
		printf("from: %.*s\n", SL_ARG(j->why.rule.file));
	if (j->kind == VERDICT_REWRITE && !slice_eq(j->bytes, request))
		printf("sent on: %.*s\n", SL_ARG(j->bytes));
	if (j->kind == VERDICT_DENY && j->refusal.n)
		printf("answer: %.*s\n", SL_ARG(j->refusal));
}

static int explain(struct asked *a, struct slice request)
{
	struct rpc rpc;
	struct call *call = NULL;
	struct judgement j = { .id = "00000000000000000000000000000000" };
	size_t at = 0;
	enum err e = rpc_parse(&rpc, request, &a->arena, &at);
	struct slice version;

	if (e != E_OK) {
		printf("verdict: deny\nrule: message (%s, at byte %zu)\n", err_text(e), at);
		return 1;
	}
	switch (stateless_read(&rpc, &a->arena, &version)) {
	case STATELESS_NOT:
		break;
	case STATELESS_OK:
		rpc.stateless = true;
		break;
	case STATELESS_MALFORMED:
	case STATELESS_UNKNOWN:
		printf("verdict: deny\nrule: message (params._meta: not the envelope of a revision that is spoken here)\n");
		return 1;
	}
	struct view view = {
		.policy = a->agent->policy, .catalog = a->upstream->catalog ? a->upstream->catalog : a->generic,
		.ledger = a->ledger, .tools = a->tools, .upstream = a->upstream->name, .now_ms = app_wall_ms(), .tells_paths = true, .arena = &a->arena,
	};
	judge_from_agent(&view, &rpc, M_UNKNOWN, &call, &j);
	print_judgement(&j, request);
	if (j.kind != VERDICT_DENY && a->agent->policy->exfiltration != EXFILTRATION_OFF)
		printf("not asked: values the agent has read (exfiltration); only the running narrowgate remembers them\n");
	return j.kind == VERDICT_DENY ? 1 : 0;
}

/* Whether the vault still says the same can only be known while serving. */
static void print_pin(struct asked *a, struct slice request)
{
	static const struct {
		const char *method, *member;
		enum pin_kind kind;
	} named[] = { { "tools/call", "params.name", PIN_TOOL }, { "prompts/get", "params.name", PIN_PROMPT },
		{ "resources/read", "params.uri", PIN_RESOURCE }, { "resources/subscribe", "params.uri", PIN_RESOURCE } };
	struct json j;

	if (json_parse(&j, request, &a->arena, NULL) != E_OK)
		return;
	for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
		uint32_t method = json_member(&j, 0, SL("method")), name = json_walk(&j, 0, named[i].member);
		const struct pin *pin = json_is(&j, name, JSON_STRING) && json_string_eq(&j, method, slice_of(named[i].method)) ?
			pins_find(a->upstream->pins, named[i].kind, json_string(&j, name, &a->arena)) : NULL;

		if (pin)
			printf("pinned: %.*s:%u; while serving, guard pinning refuses it when the vault shows it otherwise\n",
				SL_ARG(pins_file(a->upstream->pins)), pin->line);
	}
}

static int run(struct asked *a, const char *agent, const char *upstream, const char *file)
{
	struct slice request;

	if (!pick(a, agent, upstream) || !read_request(file, &a->arena, &request))
		return 2;
	if (!agent_may_use(a->agent, a->upstream->name)) {
		printf("verdict: deny\nabout: the agent may not use this upstream (403)\n");
		return 1;
	}
	if (!a->upstream->catalog)
		printf("catalog: generic, for no catalog is named here; while serving the server's own name chooses\n");
	print_pin(a, request);
	return explain(a, request);
}

int cmd_explain(int argc, char **argv)
{
	struct flag flags[] = {
		{ "config", 'c', "FILE", "the configuration" },
		{ "agent", 0, "NAME", "whose profile; needed when there are several agents" },
		{ "upstream", 0, "NAME", "which vault; needed when there are several" },
		{ NULL },
	};
	struct asked a = { 0 };
	struct load_source source = { 0 };
	struct faults faults;
	int at = flags_parse(argc, argv, "explain -c FILE [--agent A] [--upstream U] [REQUEST.json | -]",
		"Decides one JSON-RPC request without sending it anywhere: verdict, guard, rule, and what would be rewritten.", flags);

	if (at == -2)
		return 0;
	if (at < 0 || argc - at > 1 || !flag_value(&flags[0])) {
		if (at >= 0)
			fprintf(stderr, "narrowgate: explain wants -c FILE and one request; see narrowgate explain --help\n");
		return 2;
	}
	source.file = flag_value(&flags[0]);
	faults_init(&faults);
	a.config = load_config(&source, &faults);
	a.generic = catalog_builtin(SL("generic"), &faults);
	load_print_faults(stderr, &faults);
	faults_finish(&faults);
	a.ledger = ledger_create(1);
	a.tools = toolbook_create(1);
	arena_init(&a.arena, 64u << 20);
	int status = a.config && a.generic && a.ledger && a.tools ?
		run(&a, flag_value(&flags[1]), flag_value(&flags[2]), at < argc ? argv[at] : "-") : 2;
	arena_finish(&a.arena);
	toolbook_free(a.tools);
	ledger_free(a.ledger);
	catalog_free(a.generic);
	config_unref(a.config);
	return status;
}
