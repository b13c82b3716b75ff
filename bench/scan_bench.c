/*
 * What recognising values costs a call: user instructions to judge one of 500 bytes, with nothing remembered, with one value, and with
 * more and more of them; and the memory they take.
 *
 *     scan_bench [CALLS [VALUES [call]]]
 *
 * Where the processor does not count for us: the difference of two runs of `valgrind --tool=callgrind scan_bench CALLS VALUES call`; without `call`, with
 * answers too.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "guards/judge.h"

static const char yaml[] =
	"catalog: t\n"
	"tools:\n"
	"  note: {do: meta, pathless: true, args: [text, title, tags, number]}\n";

static const char call_text[] =
	"{\"jsonrpc\":\"2.0\",\"id\":4217,\"method\":\"tools/call\",\"params\":{\"name\":\"note\",\"arguments\":{\"title\":\"Deploy of payments to "
	"eu-west-1\",\"text\":\"Rolled out version 2.14.3 of the payments service to the cluster. All pods are ready, the error rate stayed below "
	"0.1 percent and latency is at 42 ms. The old replica set will be removed tomorrow; see the dashboard for details of the run.\",\"tags\":"
	"[\"deploy\",\"payments\",\"eu-west-1\",\"team-platform\"],\"number\":2417},\"_meta\":{\"progressToken\":\"tok-4217-a\"}}}";

static const char answer_text[] =
	"{\"jsonrpc\":\"2.0\",\"id\":4217,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"Saved the note under deployments/payments/2417. It is "
	"visible to team-platform, and was linked to the change request CHG-20318 of last Tuesday. Three people follow it: anna, bob and chen. The "
	"previous note of this service was written eleven days ago and says that the rollout took nine minutes; this one took seven.\"},{\"type\":"
	"\"text\",\"text\":\"{\\\"id\\\":2417,\\\"path\\\":\\\"deployments/payments/2417\\\",\\\"version\\\":1,\\\"tags\\\":[\\\"deploy\\\",\\\"payments\\\",\\\"eu-west-1\\\",\\\"team-platform\\\"],"
	"\\\"author\\\":\\\"report-runner\\\",\\\"created\\\":\\\"2026-11-03T09:41:07Z\\\",\\\"links\\\":[\\\"https://change.example.com/CHG-20318\\\",\\\"https://dash.example.com/d/payments\\\"]}\"}],"
	"\"isError\":false,\"_meta\":{\"took_ms\":12,\"server\":\"notes-3\"}}}";

static struct policy policy;
static struct catalog *catalog;
static struct arena arena;

/* -1: the machine does not count for us. */
static int open_counter(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE, .size = sizeof attr, .config = PERF_COUNT_HW_INSTRUCTIONS, .disabled = 1,
		.exclude_kernel = 1, .exclude_hv = 1 };

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void judge_once(struct ledger *ledger, bool answers)
{
	struct rpc rpc, back;
	struct call *call = NULL;
	struct judgement j = { .id = "0123456789abcdef0123456789abcdef" };
	struct view v = { .policy = &policy, .catalog = catalog, .ledger = ledger, .upstream = SL("v"), .now_ms = 1000, .arena = &arena };

	arena_reset(&arena);
	if (rpc_parse(&rpc, slice_make(call_text, sizeof call_text - 1), &arena, NULL) != E_OK)
		abort();
	judge_from_agent(&v, &rpc, M_UNKNOWN, &call, &j);
	if (j.kind != VERDICT_PASS)
		abort();
	if (!answers)
		return;
	if (rpc_parse(&back, slice_make(answer_text, sizeof answer_text - 1), &arena, NULL) != E_OK || judge_learn(ledger, NULL, &v, call, &back) != E_OK)
		abort();
	judge_answer(&v, call, &back, &j);
	if (j.kind != VERDICT_PASS)
		abort();
}

static struct ledger *remember(size_t values)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	struct ledger *l = ledger_create(16);
	uint64_t seed = 42;
	char text[32];

	for (size_t i = 0; l && i < values; i++) {
		for (size_t k = 0; k < sizeof text; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[k] = alphabet[(seed >> 33) % 62];
		}
		arena_reset(&arena);
		if (fingerprints_learn(ledger_values(l), slice_make(text, sizeof text), SL("apps/some/path"), VARIETY_VALUE, UINT64_MAX, 1, &arena) != E_OK)
			break;
	}
	return l;
}

static void measure(int counter, struct ledger *l, size_t calls, bool answers, const char *what)
{
	uint64_t n = 0;

	judge_once(l, answers);
	double from = now_s();
	if (counter >= 0) {
		ioctl(counter, PERF_EVENT_IOC_RESET, 0);
		ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
	}
	for (size_t i = 0; i < calls; i++)
		judge_once(l, answers);
	if (counter >= 0) {
		ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
		if (read(counter, &n, sizeof n) != sizeof n)
			n = 0;
	}
	printf("  %-22s %8.0f instructions %6.0f ns", what, (double)n / (double)calls, (now_s() - from) / (double)calls * 1e9);
}

int main(int argc, char **argv)
{
	static const size_t counts[] = { 0, 1, 1000, 2000, 16000 };
	size_t calls = argc > 1 ? (size_t)atol(argv[1]) : 20000;
	int counter = open_counter();
	struct faults faults;

	faults_init(&faults);
	policy = (struct policy){ .profile = SL("bench"), .actions = ~0u, .redact_secrets = true, .enforce = true };
	catalog = catalog_parse(slice_make(yaml, sizeof yaml - 1), SL("bench"), &faults);
	faults_finish(&faults);
	arena_init(&arena, 64u << 20);
	if (!catalog)
		return 1;
	printf("a call of %zu bytes, an answer of %zu\n", sizeof call_text - 1, sizeof answer_text - 1);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		if (argc > 2 && counts[i] != (size_t)atol(argv[2]))
			continue;
		struct ledger *l = remember(counts[i]);
		const struct fingerprints *f = ledger_known_values(l);

		printf("%6zu values, %7zu pieces, %8zu bytes:", fingerprints_values(f), fingerprints_pieces(f), fingerprints_bytes(f));
		measure(counter, l, calls, false, "the call");
		if (argc < 4)
			measure(counter, l, calls, true, " and its answer");
		puts("");
		ledger_free(l);
	}
	catalog_free(catalog);
	arena_finish(&arena);
	return 0;
}
