/*
 * The speed of reading a message and sending it on, against other libraries: MB/s, and the ratio to jansson (the median
 * over rounds of the ratio inside a round, so that a busy machine disturbs all alike). Also that all read the same.
 *
 *     json_bench [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/json.h"
#include "json_peers.h"

enum { MOST_ROUNDS = 99, MOST_READERS = 8 };

struct sample {
	const char *name;
	struct buf text;
};

/* --- ours --------------------------------------------------------------------------------------------------------- */

/* Memory as an exchange has it: kept from message to message. */
struct ours {
	struct arena arena;
	struct buf out;
};

static bool ours_check(struct ours *o, struct slice text)
{
	struct json j;

	arena_reset(&o->arena);
	return json_parse(&j, text, &o->arena, NULL) == E_OK;
}

static bool ours_forward(struct ours *o, struct slice text)
{
	struct json_edits none;
	struct json j;

	arena_reset(&o->arena);
	buf_clear(&o->out);
	json_edits_init(&none, &o->arena);
	return json_parse(&j, text, &o->arena, NULL) == E_OK && json_splice(&j, &none, &o->out) == E_OK;
}

static bool ours_facts(struct ours *o, struct slice text, struct json_facts *f)
{
	struct json j;

	arena_reset(&o->arena);
	if (json_parse(&j, text, &o->arena, NULL) != E_OK)
		return false;
	for (uint32_t t = 0; t < j.n; t++) {
		if (j.tok[t].flags & JSON_NAME)
			f->members++;
		else
			f->values++;
		if (json_is(&j, t, JSON_STRING))
			f->string_bytes += json_string(&j, t, &o->arena).n;
	}
	return true;
}

/* --- samples ------------------------------------------------------------------------------------------------------ */

static void add_row(struct buf *b, unsigned i)
{
	buf_add_fmt(b,
		"{\"id\":%u,\"path\":\"apps/service-%u/prod/database\",\"version\":%u,\"type\":\"api_key\","
		"\"active\":%s,\"owner\":\"team-%u@example.com\",\"score\":%u.%u,\"expires_at\":null,"
		"\"tags\":[\"prod\",\"eu-west-%u\"]}",
		i * 7919 + 11, i, i % 40 + 1, i % 3 ? "true" : "false", i % 17, i % 100, i % 10, i % 4);
}

/* A result that lists secrets, of about n bytes. */
static void make_rows(struct buf *b, size_t n)
{
	buf_add(b, SL("{\"jsonrpc\":\"2.0\",\"id\":4217,\"result\":{\"isError\":false,"
		      "\"structuredContent\":{\"items\":["));
	for (unsigned i = 0; i == 0 || b->n + 180 < n; i++) {
		if (i)
			buf_add_char(b, ',');
		add_row(b, i);
	}
	buf_add(b, SL("]}}}"));
}

/* A result with one text of n bytes, in which lines and quotes are escaped. */
static void make_text(struct buf *b, size_t n)
{
	buf_add(b, SL("{\"jsonrpc\":\"2.0\",\"id\":4217,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\""));
	while (b->n + 120 < n)
		buf_add(b, SL("the quick report of the \\\"payments\\\" service says that all is well, "
			      "and that nothing was seen today\\n"));
	buf_add(b, SL("\"}]}}"));
}

/* A small call, spread over lines as a person would write it. */
static void make_call(struct buf *b)
{
	buf_add(b, SL("{\n  \"jsonrpc\": \"2.0\",\n  \"id\": 4217,\n  \"method\": \"tools/call\",\n  \"params\": {\n"
		      "    \"name\": \"secret_read\",\n    \"arguments\": {\n      \"mount\": \"secret\",\n"
		      "      \"path\": \"apps/payments/prod/db\",\n      \"version\": 12,\n"
		      "      \"fields\": [\"username\", \"password\"]\n    },\n"
		      "    \"_meta\": {\"progressToken\": \"tok-4217\"}\n  }\n}\n"));
}

/* --- measuring ---------------------------------------------------------------------------------------------------- */

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Reader 0 only checks, 1 checks and forwards, the others are the peers. */
static bool run_reader(int reader, struct ours *o, struct slice text)
{
	if (reader == 0)
		return ours_check(o, text);
	if (reader == 1)
		return ours_forward(o, text);
	return json_peers[reader - 2].forward(text.p, text.n);
}

/* MB/s over at least 30 ms; negative when the text was refused. */
static double measure(int reader, struct ours *o, struct slice text)
{
	double start = now_s(), spent;
	size_t bytes = 0;

	do {
		for (size_t i = 0; i < 1 + 65536 / text.n; i++) {
			if (!run_reader(reader, o, text))
				return -1;
			bytes += text.n;
		}
		spent = now_s() - start;
	} while (spent < 0.03);
	return (double)bytes / spent / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), compare);
	return v[n / 2];
}

static bool same_facts(struct ours *o, struct slice text)
{
	struct json_facts mine = { 0 };
	bool same = ours_facts(o, text, &mine);

	for (const struct json_peer *p = json_peers; p->name; p++) {
		struct json_facts theirs = { 0 };
		bool ok = p->facts(text.p, text.n, &theirs) && memcmp(&mine, &theirs, sizeof(mine)) == 0;
		if (!ok)
			printf("%s reads it otherwise\n", p->name);
		same = same && ok;
	}
	return same;
}

static bool bench_sample(const struct sample *s, struct ours *o, int rounds)
{
	static const char *const own[] = { "check", "check+forward" };
	static double mbs[MOST_READERS][MOST_ROUNDS], ratio[MOST_READERS][MOST_ROUNDS];
	struct slice text = buf_slice(&s->text);
	int readers = 2;

	while (json_peers[readers - 2].name)
		readers++;
	if (!same_facts(o, text))
		return false;
	for (int round = 0; round < rounds; round++)
		for (int r = 0; r < readers; r++)
			mbs[r][round] = measure(r, o, text);
	printf("%-14s %9zu bytes, all read the same\n", s->name, text.n);
	for (int r = 0; r < readers; r++)
		for (int round = 0; round < rounds; round++)
			ratio[r][round] = mbs[r][round] / mbs[2][round];
	for (int r = 0; r < readers; r++)
		printf("  %-14s %9.0f MB/s  %6.1f x jansson\n", r < 2 ? own[r] : json_peers[r - 2].name,
			median(mbs[r], rounds), median(ratio[r], rounds));
	return true;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 7;
	struct sample samples[] = { { .name = "call" }, { .name = "1 KB rows" }, { .name = "64 KB rows" },
		{ .name = "4 MB rows" }, { .name = "4 MB text" } };
	const size_t count = sizeof(samples) / sizeof(*samples);
	struct ours o;
	bool ok = true;

	if (rounds < 1 || rounds > MOST_ROUNDS)
		rounds = 7;
	arena_init(&o.arena, 256u << 20);
	buf_init(&o.out, 16u << 20);
	for (size_t i = 0; i < count; i++)
		buf_init(&samples[i].text, 8u << 20);
	make_call(&samples[0].text);
	make_rows(&samples[1].text, 1 << 10);
	make_rows(&samples[2].text, 64 << 10);
	make_rows(&samples[3].text, 4 << 20);
	make_text(&samples[4].text, 4 << 20);
	for (size_t i = 0; i < count; i++) {
		ok = bench_sample(&samples[i], &o, rounds) && ok;
		buf_finish(&samples[i].text);
	}
	arena_finish(&o.arena);
	buf_finish(&o.out);
	return ok ? 0 : 1;
}
