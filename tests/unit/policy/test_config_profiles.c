/* Profiles: keys, `extends`, what may not widen, what later versions have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "config_try.h"

#define ROWS(t, ...)                                          \
	do {                                                  \
		const struct try_row rows_[] = { __VA_ARGS__ }; \
		try_rows(t, rows_, sizeof rows_ / sizeof *rows_); \
	} while (0)

static void built_in_profiles(void **state)
{
	static const struct {
		const char *name;
		bool read_only, mask_values, deny_unknown;
		const char *actions;
	} rows[] = {
		{ "observer", true, true, true, "all" },
		{ "reader", true, false, true, "all" },
		{ "rotator", false, true, true, "list, meta, read, rotate, lease, redeem, scan" },
		{ "writer", false, true, true, "list, meta, read, write, delete, rotate, lease, redeem, scan" },
		{ "auditor", true, true, true, "list, meta" },
		{ "open", false, false, false, "all" },
	};
	struct try *t = *state;
	char yaml[100], actions[200];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(yaml, sizeof yaml, "default_profile: %s\n", rows[i].name);
		try_load(t, yaml, NULL, NULL);
		assert_string_equal(try_faults(t), "");
		const struct policy *p = t->config->agents[0].policy;

		assert_true(slice_eq(p->profile, slice_of(rows[i].name)));
		assert_int_equal(p->read_only, rows[i].read_only);
		assert_int_equal(p->mask_values, rows[i].mask_values);
		assert_int_equal(p->deny_unknown_tools, rows[i].deny_unknown);
		assert_false(p->allowed.set);
		assert_int_equal(p->denied.n, 0);
		assert_true(p->enforce);
		snprintf(actions, sizeof actions, "actions: %s  (", rows[i].actions);
		assert_non_null(strstr(try_print(t), actions));
		assert_int_equal(t->config->n_absent_guards, 2);
	}
}

static void all_keys(void **state)
{
	struct try *t = *state;

	try_load(t,
		"default_profile: p\n"
		"profiles:\n"
		"  p:\n"
		"    read_only: true\n"
		"    mask_values: false\n"
		"    mask_style: marker\n"
		"    allowed_paths: [/a/, b/c]\n"
		"    denied_paths: [b/c/d]\n"
		"    tenant: acme\n"
		"    partner: p1\n"
		"    actions: [list, read]\n"
		"    tools: {allow: ['get_*'], deny: ['*_all']}\n"
		"    unknown_tools: allow\n"
		"    limits: {}\n"
		"    enforce: false\n", NULL, NULL);
	assert_string_equal(try_faults(t), "");
	assert_string_equal(try_print(t),
		"profile: p\n"
		"read_only: true  (f.yaml:4:16)\n"
		"mask_values: false  (f.yaml:5:18)\n"
		"exfiltration: block  (default)\n"
		"redact_secrets: true  (default)\n"
		"allowed_paths: a/  (f.yaml:7:21)\n"
		"allowed_paths: b/c/  (f.yaml:7:26)\n"
		"denied_paths: b/c/d/  (f.yaml:8:20)\n"
		"tenant: acme  (f.yaml:9:13)\n"
		"partner: p1  (f.yaml:10:14)\n"
		"actions: list, read  (f.yaml:11:14)\n"
		"tools.allow: get_*  (f.yaml:12:12)\n"
		"tools.deny: *_all  (f.yaml:12:12)\n"
		"unknown_tools: allow  (f.yaml:13:20)\n"
		"enforce: false  (f.yaml:15:14)\n");
}

static void an_empty_profile_narrows_nothing_but_unknown_tools(void **state)
{
	struct try *t = *state;

	try_load(t, "default_profile: p\nprofiles: {p: }\n", NULL, NULL);
	assert_string_equal(try_faults(t), "");
	const struct policy *p = t->config->agents[0].policy;

	assert_false(p->read_only || p->mask_values || p->allowed.set || p->denied.set || p->n_tools);
	assert_true(p->deny_unknown_tools && p->enforce);
	assert_int_equal(p->actions, ~0u);
}

static void ops_02_profile_faults(void **state)
{
	ROWS(*state,
		{ "profiles: {p: 1}\n", "f.yaml:1:15: `p` must be a map of `key: value`, not a single value\n" },
		{ "profiles: {p: {read_onyl: true}}\n", "f.yaml:1:16: unknown key `read_onyl`: did you mean `read_only`?\n" },
		{ "profiles: {p: {read_only: yes}}\n", "f.yaml:1:27: `read_only` must be true or false (without quotes)\n" },
		{ "profiles: {p: {read_only: }}\n", "f.yaml:1:27: `read_only` must be true or false (without quotes)\n" },
		{ "profiles: {p: {allowed_paths: a}}\n", "f.yaml:1:31: `allowed_paths` must be a list, not a single value\n" },
		{ "profiles: {p: {allowed_paths: }}\n", "f.yaml:1:31: `allowed_paths` must be a list, not empty\n" },
		{ "profiles: {p: {allowed_paths: [a, 'b/*']}}\n",
			"f.yaml:1:35: `b/*`: wildcards do not stand in prefixes; `a/b` already covers all below it\n" },
		{ "profiles: {p: {allowed_paths: ['a/../b']}}\n", "f.yaml:1:32: `a/../b` is no path prefix: a `.` or `..` segment\n" },
		{ "profiles: {p: {allowed_paths: ['']}}\n", "f.yaml:1:32: an empty text\n" },
		{ "profiles: {p: {denied_paths: ['a%2fb']}}\n",
			"f.yaml:1:31: `a%2fb` is no path prefix: percent or unicode escapes\n" },
		{ "profiles: {p: {denied_paths: [[a]]}}\n", "f.yaml:1:31: this must be a single value, not a list\n" },
		{ "profiles: {p: {tenant: }}\n", "f.yaml:1:24: `tenant` must be a single value, not empty\n" },
		{ "profiles: {p: {tenant: ' a'}}\n", "f.yaml:1:24: `tenant` begins or ends with a space\n" },
		{ "profiles: {p: {actions: [raed]}}\n", "f.yaml:1:26: unknown word `raed`: did you mean `read`?\n" },
		{ "profiles: {p: {actions: [unknown]}}\n", "f.yaml:1:26: unknown word `unknown`: known here are list, meta, read, write, delete, rotate, grant, "
			"share, lease, redeem, approve, token, issue, admin, scan\n" },
		{ "profiles: {p: {actions: read}}\n", "f.yaml:1:25: `actions` must be a list, not a single value\n" },
		{ "profiles: {p: {tools: ['*']}}\n", "f.yaml:1:23: `tools` must be a map of `key: value`, not a list\n" },
		{ "profiles: {p: {tools: {alow: []}}}\n", "f.yaml:1:24: unknown key `alow`: did you mean `allow`?\n" },
		{ "profiles: {p: {unknown_tools: denied}}\n", "f.yaml:1:31: unknown word `denied`: did you mean `deny`?\n" },
		{ "profiles: {observer: {}}\n",
			"f.yaml:1:12: `observer` is a built-in profile: give yours another name and `extends: observer`\n" },
		{ "profiles: {p: {extends: obsrver}}\n", "f.yaml:1:25: no profile is called `obsrver`: did you mean `observer`?\n" },
		{ "profiles: {p: {extends: p}}\n", "f.yaml:1:25: `extends: p` goes round in a circle\n" },
		{ "profiles:\n  p: {extends: q}\n  q: {extends: r}\n  r: {extends: p}\n",
			"f.yaml:4:16: `extends: p` goes round in a circle\n" });
}

static void what_later_versions_have(void **state)
{
	static const char *const off[] = { "exfiltration: off", "inspection: off", "pii: false", "redact_secrets: false",
		"limits: {}", "mask_style: marker" };
	struct try *t = *state;
	char yaml[200];

	for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
		snprintf(yaml, sizeof yaml, "default_profile: p\nprofiles: {p: {%s}}\n", off[i]);
		try_load(t, yaml, NULL, NULL);
		assert_string_equal(try_faults(t), "");
		assert_int_equal(t->config->n_absent_guards, i == 1 || i == 2 ? 1 : 2);
	}
	static const struct {
		const char *key, *value;
	} on[] = { { "inspection", "block" }, { "inspection", "surgical" },
		{ "inspection", "log_only" }, { "pii", "true" }, { "mask_style", "reference" } };
	char fault[200];

	for (size_t i = 0; i < sizeof on / sizeof *on; i++) {
		snprintf(yaml, sizeof yaml, "profiles: {p: {%s: %s}}\n", on[i].key, on[i].value);
		snprintf(fault, sizeof fault, "f.yaml:1:%zu: `%s: %s` is not in this version: leave the key out, or switch it off\n",
			18 + strlen(on[i].key), on[i].key, on[i].value);
		assert_null(try_load(t, yaml, NULL, NULL));
		assert_string_equal(try_faults(t), fault);
	}
	ROWS(t,
		{ "profiles: {p: {limits: {calls_per_minute: 3}}}\n", "f.yaml:1:24: `limits` is not in this version\n" },
		{ "profiles: {p: {limits: {calls: 3}}}\n",
			"f.yaml:1:25: unknown key `calls`: did you mean `calls_per_minute`?\n"
			"f.yaml:1:24: `limits` is not in this version\n" },
		{ "profiles: {p: {exfiltration: blok}}\n",
			"f.yaml:1:30: unknown word `blok`: did you mean `block`?\n" });
}

static void absent_guards_are_those_some_agent_should_have(void **state)
{
	static const char *const names[] = { "inspection", "pii" };
	struct try *t = *state;

	try_load(t, "default_profile: p\nprofiles: {p: {exfiltration: off}}\n", NULL, NULL);
	assert_string_equal(try_faults(t), "");
	assert_int_equal(t->config->n_absent_guards, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(slice_eq(t->config->absent_guards[i], slice_of(names[i])));
	try_load(t,
		"profiles:\n"
		"  p: {exfiltration: off, inspection: off, pii: false, redact_secrets: false}\n"
		"agents:\n"
		"- {name: a, profile: p, identify: {local: true}}\n", NULL, NULL);
	assert_int_equal(t->config->n_absent_guards, 0);
}

static void extends_is_an_intersection(void **state)
{
	struct try *t = *state;

	try_load(t,
		"default_profile: child\n"
		"profiles:\n"
		"  parent:\n"
		"    extends: rotator\n"
		"    allowed_paths: [a/b, c, e/f/g, z]\n"
		"    denied_paths: [c/d]\n"
		"    tenant: acme\n"
		"    tools: {deny: [x]}\n"
		"    actions: [list, read, write]\n"
		"  child:\n"
		"    extends: parent\n"
		"    read_only: true\n"
		"    allowed_paths: [a, c/x, e, y]\n"
		"    denied_paths: [a/b/c, c/d]\n"
		"    tenant: acme\n"
		"    partner: pp\n"
		"    tools: {allow: [y]}\n"
		"    actions: [read, rotate]\n", NULL, NULL);
	assert_string_equal(try_faults(t), "");
	assert_string_equal(try_print(t),
		"profile: child\n"
		"read_only: true  (f.yaml:12:16)\n"
		"mask_values: true  (built-in rotator:2:14)\n"
		"exfiltration: block  (default)\n"
		"redact_secrets: true  (default)\n"
		"allowed_paths: a/b/  (f.yaml:5:21)\n"
		"allowed_paths: c/x/  (f.yaml:13:24)\n"
		"allowed_paths: e/f/g/  (f.yaml:5:29)\n"
		"denied_paths: c/d/  (f.yaml:6:20)\n"
		"denied_paths: a/b/c/  (f.yaml:14:20)\n"
		"tenant: acme  (f.yaml:7:13)\n"
		"partner: pp  (f.yaml:16:14)\n"
		"actions: read  (f.yaml:18:14)\n"
		"tools.deny: x  (f.yaml:8:12)\n"
		"tools.allow: y  (f.yaml:17:12)\n"
		"unknown_tools: deny  (default)\n"
		"enforce: true  (default)\n");
}

static void disjoint_prefixes_leave_nothing(void **state)
{
	struct try *t = *state;

	try_load(t, "default_profile: q\nprofiles: {p: {allowed_paths: [a]}, q: {extends: p, allowed_paths: [ab]}}\n", NULL, NULL);
	assert_string_equal(try_faults(t), "");
	assert_true(t->config->agents[0].policy->allowed.set);
	assert_int_equal(t->config->agents[0].policy->allowed.n, 0);
	assert_non_null(strstr(try_print(t), "allowed_paths: none  (f.yaml:2:68)\n"));
}

static void an_empty_list_allows_nothing(void **state)
{
	struct try *t = *state;

	try_load(t, "default_profile: p\nprofiles: {p: {allowed_paths: [], actions: []}}\n", NULL, NULL);
	assert_string_equal(try_faults(t), "");
	assert_true(t->config->agents[0].policy->allowed.set);
	assert_int_equal(t->config->agents[0].policy->allowed.n, 0);
	assert_int_equal(t->config->agents[0].policy->actions, 0);
	try_load(t, "default_profile: p\nprofiles: {p: {allowed_paths: [/]}}\n", NULL, NULL);
	assert_int_equal(t->config->agents[0].policy->allowed.n, 1);
	assert_int_equal(t->config->agents[0].policy->allowed.v[0].path.text.n, 0);
}

static void nothing_widens_a_parent(void **state)
{
	ROWS(*state,
		{ "profiles: {p: {extends: observer, read_only: false}}\n",
			"f.yaml:1:46: `read_only: false` would widen `observer`, which says `read_only: true` (built-in observer:2)\n" },
		{ "profiles: {p: {extends: observer, mask_values: false}}\n",
			"f.yaml:1:48: `mask_values: false` would widen `observer`, which says `mask_values: true` (built-in observer:3)\n" },
		{ "profiles: {p: {extends: observer, unknown_tools: allow}}\n",
			"f.yaml:1:50: `unknown_tools: allow` would widen `observer`, where it is `deny` unless said otherwise\n" },
		{ "profiles: {p: {extends: observer, enforce: false}}\n",
			"f.yaml:1:44: `enforce: false` would widen `observer`, where it is `true` unless said otherwise\n" },
		{ "profiles: {p: {extends: open, exfiltration: off}}\n",
			"f.yaml:1:45: `exfiltration: off` would widen `open`, where it is `block` unless said otherwise\n" },
		{ "profiles: {p: {extends: open, exfiltration: warn}}\n",
			"f.yaml:1:45: `exfiltration: warn` would widen `open`, where it is `block` unless said otherwise\n" },
		{ "profiles:\n  p: {exfiltration: warn}\n  q: {extends: p, exfiltration: off}\n",
			"f.yaml:3:33: `exfiltration: off` would widen `p`, which says `exfiltration: warn` (f.yaml:2)\n" },
		{ "profiles:\n  p: {exfiltration: off, redact_secrets: false}\n  q: {extends: p, exfiltration: block, redact_secrets: true}\n", NULL },
		{ "profiles: {p: {extends: open, redact_secrets: false}}\n",
			"f.yaml:1:47: `redact_secrets: false` would widen `open`, where it is `true` unless said otherwise\n" },
		{ "profiles: {p: {extends: open, pii: false}}\n",
			"f.yaml:1:36: `pii: false` would widen `open`, where it is `true` unless said otherwise\n" },
		{ "profiles:\n  p: {tenant: a}\n  q: {extends: p, tenant: b}\n",
			"f.yaml:3:27: `tenant: b` would widen `p`, which is locked to `a`\n" },
		{ "profiles:\n  p: {partner: a}\n  q: {extends: p}\n  r: {extends: q, partner: A}\n",
			"f.yaml:4:28: `partner: A` would widen `q`, which is locked to `a`\n" },
		{ "profiles: {p: {extends: open, unknown_tools: allow}}\n", NULL },
		{ "profiles: {p: {extends: open, read_only: false}}\n", NULL },
		{ "profiles:\n  p: {enforce: false}\n  q: {extends: p, enforce: false}\n  r: {extends: q, enforce: true}\n", NULL },
		{ "profiles:\n  p: {enforce: false, exfiltration: off}\n  q: {extends: p, exfiltration: off}\n", NULL });
}

static void a_broken_parent_is_told_once(void **state)
{
	ROWS(*state,
		{ "profiles:\n  q: {extends: p}\n  p: {read_only: maybe}\nagents:\n- {name: a, profile: q, identify: {local: true}}\n",
			"f.yaml:3:18: `read_only` must be true or false (without quotes)\n" });
}

static void long_chains_end(void **state)
{
	struct try *t = *state;
	struct buf yaml;

	buf_init(&yaml, 1 << 16);
	buf_add(&yaml, SL("profiles:\n"));
	for (int i = 0; i < 30; i++)
		buf_add_fmt(&yaml, "  p%d: {extends: p%d}\n", i, i + 1);
	buf_add(&yaml, SL("  p30: {}\n"));
	buf_add_char(&yaml, 0);
	assert_null(try_load(t, yaml.p, NULL, NULL));
	assert_non_null(strstr(try_faults(t), "too many profiles extend one another\n"));
	buf_finish(&yaml);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, try_start, try_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(built_in_profiles),
		TEST(all_keys),
		TEST(an_empty_profile_narrows_nothing_but_unknown_tools),
		TEST(ops_02_profile_faults),
		TEST(what_later_versions_have),
		TEST(absent_guards_are_those_some_agent_should_have),
		TEST(extends_is_an_intersection),
		TEST(disjoint_prefixes_leave_nothing),
		TEST(an_empty_list_allows_nothing),
		TEST(nothing_widens_a_parent),
		TEST(a_broken_parent_is_told_once),
		TEST(long_chains_end),
	};
	return cmocka_run_group_tests_name("config_profiles", tests, NULL, NULL);
}
