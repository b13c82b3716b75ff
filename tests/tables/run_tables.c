/*
 * Verdicts as tables: run_tables FILE.tbl … Each row is a policy, a call and the verdict it must get; see
 * tests/tables/README.md for the words. Prints every row that came out otherwise, with its file and line.
 */
#include <stdio.h>
#include <stdlib.h>
#include "tests/tables/table.h"

#define ARROW "\xe2\x9f\xb6" /* ⟶ */

/* Cuts the part before the next arrow. */
static struct slice cut_column(struct slice *rest)
{
	ptrdiff_t at = slice_find(*rest, SL(ARROW));
	struct slice column = at < 0 ? *rest : slice_head(*rest, (size_t)at);

	*rest = at < 0 ? (struct slice){ NULL, 0 } : slice_from(*rest, (size_t)at + 3);
	return slice_trim(column);
}

/* ID policy ⟶ call ⟶ verdict: judged in a world of its own, but for the catalog. */
static void run_row(struct table *t, struct slice line)
{
	struct slice rest = line, first = cut_column(&rest), call = cut_column(&rest), verdict = cut_column(&rest);
	struct slice policy = first, id = table_word(&policy);

	table_fresh(t);
	t->id = id;
	if (!table_policy(t, policy) || !table_call(t, call))
		return;
	table_verdict(t, verdict);
	t->rows++;
}

struct field {
	const char *key;
	void (*run)(struct table *, struct slice value);
};

static void run_case(struct table *t, struct slice value)
{
	table_fresh(t);
	t->id = table_word(&value);
	t->rows++;
}

static void run_policy(struct table *t, struct slice value)
{
	table_policy(t, value);
}

static void run_call(struct table *t, struct slice value)
{
	table_call(t, value);
}

static const struct field fields[] = {
	{ "catalog:", table_catalog }, { "case:", run_case }, { "policy:", run_policy }, { "tools:", table_tools },
	{ "pins:", table_pins }, { "told:", table_told },
	{ "call:", run_call }, { "verdict:", table_verdict }, { "text:", table_text }, { "result:", table_result },
	{ "error:", table_error }, { "notice:", table_notice }, { "expect:", table_expect }, { "later:", table_later },
	{ "refusal:", table_refusal }, { "knows:", table_knows },
	{ "guard:", table_guard }, { "reply:", table_reply },
};

/* `handshake:` and `stateless:` in front of a line: it holds for that kind of revision alone. False: not now. */
static bool holds_now(const struct table *t, struct slice *line)
{
	static const struct slice ONE = { "handshake:", 10 }, OTHER = { "stateless:", 10 };
	bool one = slice_starts(*line, ONE), other = slice_starts(*line, OTHER);

	if (one || other)
		*line = slice_trim(slice_from(*line, 10));
	return t->stateless ? !one : !other;
}

static void run_line(struct table *t, struct slice line)
{
	if (!holds_now(t, &line))
		return;
	if (slice_find(line, SL(ARROW)) >= 0) {
		run_row(t, line);
		return;
	}
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (slice_starts(line, slice_of(fields[i].key))) {
			fields[i].run(t, slice_trim(slice_from(line, strlen(fields[i].key))));
			return;
		}
	table_fail(t, "unknown line: %.*s", SL_ARG(line));
}

static bool is_continued(struct slice rest)
{
	return rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t');
}

/* A line, with the indented ones below it. */
static struct slice cut_entry(struct slice *rest, unsigned *lines)
{
	struct slice all = *rest;

	do {
		slice_cut(rest, '\n');
		++*lines;
	} while (rest->p && is_continued(*rest));
	return slice_make(all.p, rest->p ? (size_t)(rest->p - all.p) : all.n);
}

static char *read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	char *text = malloc(1u << 20);

	*n = f && text ? fread(text, 1, 1u << 20, f) : 0;
	if (f)
		fclose(f);
	return text;
}

static void run_file(struct table *t, const char *path)
{
	size_t n;
	char *text = read_file(path, &n);
	struct slice rest = { text, n };
	unsigned line = 1;

	t->file = path;
	if (n == 0)
		table_fail(t, "cannot be read");
	while (rest.p) {
		unsigned lines = 0;
		struct slice entry = slice_trim(cut_entry(&rest, &lines));

		t->line = line;
		line += lines;
		if (entry.n && entry.p[0] != '#')
			run_line(t, entry);
	}
	table_drop_catalog(t);
	free(text);
}

int main(int argc, char **argv)
{
	struct table t;

	table_open(&t);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--stateless") == 0)
			t.stateless = true;
		else
			run_file(&t, argv[i]);
	}
	printf("%u rows, %u failed\n", t.rows, t.failed);
	bool ok = t.failed == 0 && t.rows > 0;
	table_close(&t);
	return ok ? 0 : 1;
}
