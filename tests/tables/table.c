#include "tests/tables/table.h"

#include <stdio.h>
#include <stdlib.h>

void table_open(struct table *t)
{
	memset(t, 0, sizeof *t);
	arena_init(&t->arena, 64u << 20);
	arena_init(&t->catalog_arena, 1u << 20);
	table_fresh(t);
}

void table_drop_catalog(struct table *t)
{
	table_all_called(t);
	catalog_free(t->catalog);
	t->catalog = NULL;
	arena_reset(&t->catalog_arena);
}

void table_close(struct table *t)
{
	table_drop_catalog(t);
	ledger_free(t->ledger);
	toolbook_free(t->tools);
	pins_free(t->accepted);
	arena_finish(&t->arena);
	arena_finish(&t->catalog_arena);
}

void table_fresh(struct table *t)
{
	ledger_free(t->ledger);
	toolbook_free(t->tools);
	t->ledger = ledger_create(64);
	t->tools = toolbook_create(64);
	pins_free(t->accepted);
	t->accepted = NULL;
	arena_reset(&t->arena);
	t->now_ms = 1000000;
	t->value_open = false;
	t->tasks = false;
	t->rpc = NULL;
	t->unread = E_OK;
	t->call = NULL;
	t->answer = SL("");
	t->answered = false;
	table_policy(t, SL("."));
}

void table_fail(struct table *t, const char *fmt, ...)
{
	va_list args;

	t->failed++;
	printf("%s:%u: %.*s: ", t->file, t->line, SL_ARG(t->id));
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

struct slice table_word(struct slice *rest)
{
	struct slice s = slice_trim(*rest);
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != '\n')
		n++;
	*rest = slice_trim(slice_from(s, n));
	return slice_head(s, n);
}

struct view table_view(struct table *t)
{
	return (struct view){ .policy = &t->policy, .catalog = t->catalog, .ledger = t->ledger, .tools = t->tools, .accepted = t->accepted,
		.upstream = SL("vault"), .now_ms = t->now_ms, .value_call_open = t->value_open, .tells_paths = true, .arena = &t->arena };
}

void table_catalog(struct table *t, struct slice text)
{
	struct faults faults;

	table_drop_catalog(t);
	faults_init(&faults);
	/* YAML needs the indentation of its first line back. */
	if (memchr(text.p, '\n', text.n))
		for (; text.p[-1] == ' '; text.p--)
			text.n++;
	text = arena_dup(&t->catalog_arena, text);
	t->catalog = memchr(text.p, '\n', text.n) ? catalog_parse(text, SL("inline"), &faults)
						: catalog_builtin(text, &faults);
	for (size_t i = 0; i < faults.n; i++)
		table_fail(
			t, "catalog %u:%u: %.*s", faults.v[i].at.line, faults.v[i].at.column, SL_ARG(faults.v[i].text));
	faults_finish(&faults);
	if (!t->catalog)
		table_fail(t, "no such catalog");
}

void table_knows(struct table *t, struct slice names)
{
	size_t n = t->catalog ? t->catalog->n_tools : 0, found = 0;

	free(t->called);
	t->called = calloc(n + 1, sizeof *t->called);
	for (struct slice word = table_word(&names); word.n; word = table_word(&names), found++)
		if (!t->catalog || !catalog_tool(t->catalog, word))
			table_fail(t, "the catalog has no %.*s", SL_ARG(word));
	if (found < n)
		table_fail(t, "the catalog has %zu tools, %zu are known here", n, found);
}

void table_all_called(struct table *t)
{
	for (size_t i = 0; t->called && t->catalog && i < t->catalog->n_tools; i++)
		if (!t->called[i])
			table_fail(t, "no row calls %.*s", SL_ARG(t->catalog->tools[i].name));
	free(t->called);
	t->called = NULL;
}

/* --- policy --------------------------------------------------------------------------------------------------- */

static void read_prefixes(struct table *t, struct slice list, struct prefixes *out, struct prefix *room)
{
	out->set = true;
	out->v = room;
	for (out->n = 0; list.p && list.n && out->n < TABLE_LIST;) {
		struct slice one = slice_cut(&list, ',');
		if (path_canonical(&room[out->n].path, one, true, &t->arena) != PATH_OK)
			table_fail(t, "not a prefix: %.*s", SL_ARG(one));
		out->n++;
	}
}

static void read_actions(struct table *t, struct slice list)
{
	t->policy.actions = 0;
	while (list.p && list.n) {
		struct slice one = slice_cut(&list, ',');
		enum action a = action_find(one);
		if (a == ACT_UNKNOWN)
			table_fail(t, "no such action: %.*s", SL_ARG(one));
		t->policy.actions |= 1u << a;
	}
}

/* read_*,-delete_*: names to allow, and behind a minus to deny. */
static void read_globs(struct table *t, struct slice list)
{
	t->globs = (struct glob_layer){ .allow = t->tools_allow, .deny = t->tools_deny };
	while (list.p && list.n) {
		struct slice one = slice_cut(&list, ',');
		if (slice_starts(one, SL("-"))) {
			t->tools_deny[t->globs.n_deny++] = slice_from(one, 1);
		} else {
			t->globs.allow_set = true;
			t->tools_allow[t->globs.n_allow++] = one;
		}
	}
	t->policy.tools = &t->globs;
	t->policy.n_tools = 1;
}

static bool read_key(struct table *t, struct slice key, struct slice value)
{
	struct policy *p = &t->policy;

	if (slice_eq(key, SL("read_only")))
		p->read_only = slice_eq(value, SL("yes"));
	else if (slice_eq(key, SL("mask")))
		p->mask_values = slice_eq(value, SL("yes"));
	else if (slice_eq(key, SL("exfiltration")))
		p->exfiltration = slice_eq(value, SL("warn")) ? EXFILTRATION_WARN : slice_eq(value, SL("off")) ? EXFILTRATION_OFF : EXFILTRATION_BLOCK;
	else if (slice_eq(key, SL("redact")))
		p->redact_secrets = slice_eq(value, SL("yes"));
	else if (slice_eq(key, SL("enforce")))
		p->enforce = !slice_eq(value, SL("no"));
	else if (slice_eq(key, SL("unknown")))
		p->deny_unknown_tools = !slice_eq(value, SL("allow"));
	else if (slice_eq(key, SL("value_open")))
		t->value_open = slice_eq(value, SL("yes"));
	else if (slice_eq(key, SL("tasks")))
		t->tasks = slice_eq(value, SL("yes"));
	else if (slice_eq(key, SL("tenant")))
		p->tenant.text = value;
	else if (slice_eq(key, SL("partner")))
		p->partner.text = value;
	else if (slice_eq(key, SL("allow")))
		read_prefixes(t, value, &p->allowed, t->allowed);
	else if (slice_eq(key, SL("deny")))
		read_prefixes(t, value, &p->denied, t->denied);
	else if (slice_eq(key, SL("actions")))
		read_actions(t, value);
	else if (slice_eq(key, SL("tools")))
		read_globs(t, value);
	else
		return false;
	return true;
}

bool table_policy(struct table *t, struct slice text)
{
	t->policy =
		(struct policy){ .profile = SL("test"), .actions = ~0u, .redact_secrets = true, .deny_unknown_tools = true, .enforce = true };
	for (struct slice word = table_word(&text); word.n; word = table_word(&text)) {
		struct slice value = word, key = slice_cut(&value, '=');
		if (!slice_eq(word, SL(".")) && !read_key(t, key, value)) {
			table_fail(t, "not a policy: %.*s", SL_ARG(word));
			return false;
		}
	}
	return true;
}

void table_later(struct table *t, struct slice text)
{
	char room[32] = { 0 };

	memcpy(room, text.p, text.n < sizeof room - 1 ? text.n : sizeof room - 1);
	t->now_ms += strtoull(room, NULL, 10);
}

void table_pins(struct table *t, struct slice text)
{
	struct faults faults;

	faults_init(&faults);
	pins_free(t->accepted);
	t->accepted = pins_parse(text, SL("pins"), &faults);
	for (size_t i = 0; i < faults.n; i++)
		table_fail(t, "pins %u:%u: %.*s", faults.v[i].at.line, faults.v[i].at.column, SL_ARG(faults.v[i].text));
	faults_finish(&faults);
}

void table_told(struct table *t, struct slice want)
{
	struct slice line = pinbook_tell(toolbook_pins(t->tools));

	if (slice_eq(want, SL("nothing")) ? line.n > 0 : slice_find(line, want) < 0)
		table_fail(t, "wanted to be told %.*s, got %.*s", SL_ARG(want), SL_ARG(line));
}

void table_tools(struct table *t, struct slice text)
{
	toolbook_set_complete(t->tools, true);
	for (struct slice word = table_word(&text); word.n; word = table_word(&text)) {
		struct slice args = word, name = slice_cut(&args, '(');
		struct json json;
		struct buf b;

		if (slice_eq(word, SL("none")))
			continue;
		buf_init(&b, 64 * 1024);
		buf_add_fmt(
			&b, "{\"name\":\"%.*s\",\"inputSchema\":{\"type\":\"object\",\"properties\":{", SL_ARG(name));
		args = args.p ? slice_head(args, args.n - 1) : args;
		for (bool first = true; args.p && args.n; first = false) {
			struct slice arg = slice_cut(&args, ',');
			buf_add_fmt(&b, "%s\"%.*s\":{\"type\":\"string\"}", first ? "" : ",", SL_ARG(arg));
		}
		buf_add(&b, SL("}}}"));
		struct slice kept = arena_dup(&t->arena, buf_slice(&b));
		buf_finish(&b);
		if (json_parse(&json, kept, &t->arena, NULL) != E_OK || toolbook_learn(t->tools, &json, 0) != E_OK)
			table_fail(t, "not a tool: %.*s", SL_ARG(word));
	}
}
