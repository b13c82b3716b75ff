/*
 * A call and the vault's answer to it, through all guards. Input: a byte for the catalog (its top bit: a stateless revision), a byte
 * for the profile, then the agent's message and the vault's, one a line. Whatever goes on and whatever is refused must be a message
 * that reads strictly again; a call that was rewritten must pass unchanged when judged again.
 */
#include <stdint.h>
#include <stdlib.h>
#include "guards/judge.h"
#include "policy/config.h"

#define N_CATALOGS 6

static struct catalog *catalogs[N_CATALOGS];
static struct config *config;

static const char *const names[N_CATALOGS] = { "demo", "scaivault", "1claw", "agent-secret-store", "ghoststack", "generic" };
static const char profiles[] =
	"version: 1\n"
	"profiles:\n"
	"  p0: {mask_values: true}\n"
	"  p1: {extends: observer, allowed_paths: [dev/], denied_paths: [dev/x/]}\n"
	"  p2: {allowed_paths: [dev/], tenant: acme}\n"
	"  p3: {extends: rotator, tenant: acme, partner: ptn}\n"
	"  p4: {denied_paths: [prod/], unknown_tools: allow}\n"
	"  p5: {extends: open}\n"
	"agents:\n"
	"  - {name: a0, profile: p0, identify: {local: true}}\n"
	"  - {name: a1, profile: p1, identify: {api_key_sha256: \"0000000000000000000000000000000000000000000000000000000000000001\"}}\n"
	"  - {name: a2, profile: p2, identify: {api_key_sha256: \"0000000000000000000000000000000000000000000000000000000000000002\"}}\n"
	"  - {name: a3, profile: p3, identify: {api_key_sha256: \"0000000000000000000000000000000000000000000000000000000000000003\"}}\n"
	"  - {name: a4, profile: p4, identify: {api_key_sha256: \"0000000000000000000000000000000000000000000000000000000000000004\"}}\n"
	"  - {name: a5, profile: p5, identify: {api_key_sha256: \"0000000000000000000000000000000000000000000000000000000000000005\"}}\n";

static const char *no_variable(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return NULL;
}

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct config_flags flags = { 0 };
	struct faults faults;

	(void)argc;
	(void)argv;
	faults_init(&faults);
	for (int i = 0; i < N_CATALOGS; i++)
		must((catalogs[i] = catalog_builtin(slice_of(names[i]), &faults)) != NULL);
	config = config_load(slice_of(profiles), SL("fuzz.yaml"), &flags, no_variable, NULL, &faults);
	must(config != NULL);
	faults_finish(&faults);
	return 0;
}

static void must_read(struct slice text, struct arena *arena)
{
	struct rpc rpc;

	must(rpc_parse(&rpc, text, arena, NULL) == E_OK);
}

static void judge_again(const struct view *v, struct slice bytes, bool stateless)
{
	struct rpc rpc;
	struct call *call = NULL;
	struct judgement j = { .id = "0" };

	must(rpc_parse(&rpc, bytes, v->arena, NULL) == E_OK);
	rpc.stateless = stateless;
	judge_from_agent(v, &rpc, M_UNKNOWN, &call, &j);
	must(j.kind == VERDICT_PASS && slice_eq(j.bytes, bytes));
}

static void judge_answer_of(struct view *v, struct ledger *ledger, struct toolbook *tools, const struct call *call, struct slice text)
{
	struct rpc rpc;
	struct judgement j = { .id = "0" };

	if (rpc_parse(&rpc, text, v->arena, NULL) != E_OK || (rpc.kind != RPC_RESULT && rpc.kind != RPC_ERROR))
		return;
	must(judge_learn(ledger, tools, v, call, &rpc) != E_INVALID);
	judge_answer(v, call, &rpc, &j);
	must_read(j.kind == VERDICT_DENY ? j.refusal : j.bytes, v->arena);
}

static void judge_both(struct view *v, struct ledger *ledger, struct toolbook *tools, bool stateless, struct slice ask,
	struct slice answer)
{
	struct rpc rpc;
	struct call *call = NULL;
	struct judgement j = { .id = "0" };

	if (rpc_parse(&rpc, ask, v->arena, NULL) != E_OK || rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR)
		return;
	rpc.stateless = stateless && rpc.kind == RPC_REQUEST;
	judge_from_agent(v, &rpc, M_UNKNOWN, &call, &j);
	if (j.kind == VERDICT_DENY) {
		if (j.refusal.n)
			must_read(j.refusal, v->arena);
		return;
	}
	if (j.kind == VERDICT_NEED_TOOLS)
		return;
	must_read(j.bytes, v->arena);
	if (j.kind == VERDICT_REWRITE && rpc.kind == RPC_REQUEST)
		judge_again(v, j.bytes, rpc.stateless);
	if (call && rpc.kind == RPC_REQUEST)
		judge_answer_of(v, ledger, tools, call, answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data + 2, size - 2 };
	struct arena arena;

	if (size < 3)
		return 0;
	struct slice ask = slice_cut(&rest, '\n');
	struct ledger *ledger = ledger_create(16);
	struct toolbook *tools = toolbook_create(64);
	struct view view = {
		.policy = config->agents[data[1] % config->n_agents].policy, .catalog = catalogs[(data[0] & 0x7F) % N_CATALOGS], .ledger = ledger,
		.tools = tools, .upstream = SL("vault"), .now_ms = 1000, .value_call_open = data[1] & 0x80, .arena = &arena,
	};
	must(ledger && tools);
	arena_init(&arena, 32u << 20);
	judge_both(&view, ledger, tools, data[0] & 0x80, ask, rest);
	arena_finish(&arena);
	toolbook_free(tools);
	ledger_free(ledger);
	return 0;
}
