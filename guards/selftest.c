/*
 * "Is it really on?" Canary calls and answers, put through the live profile over a small vault of our own. Each must be
 * refused by the guard it is for; a refusal by another one proves nothing, so what would get in the way is put aside.
 */
#include "guards/judge.h"

#define CANARY_VALUE "narrowgate-canary-value-9f27c1"
#define CANARY_BASE64 "bmFycm93Z2F0ZS1jYW5hcnktdmFsdWUtOWYyN2Mx"
#define OUTSIDE "narrowgate-canary-outside/secret"

static const char vault[] =
	"catalog: selftest\n"
	"tools:\n"
	"  read: {do: read, path: \"{path}\", tenant: {arg: tenant, partner: partner},"
	" out: {as: json, values: [\"$.value\"]}}\n"
	"  list: {do: list, path: \"{prefix|}\", covers: prefix, tenant: {arg: tenant, partner: partner},"
	" out: {as: json, values: [], items: \"$.items[*]\", path: \"{path}\"}}\n"
	"  write: {do: write, path: \"{path}\", secret_args: [value], tenant: {arg: tenant, partner: partner}}\n";

struct selftest {
	struct view view;
	struct policy policy;      /* the live one, made to enforce */
	const struct policy *live;
	struct slice *why;
};

static bool missed(struct selftest *t, const char *what, struct slice rule)
{
	*t->why = rule.n ? arena_fmt(t->view.arena, "%s: %.*s", what, SL_ARG(rule)) : slice_of(what);
	if (!t->why->p)
		*t->why = slice_of(what);
	return false;
}

/* {"NAME":"VALUE"} as JSON text; empty when memory is out. */
static struct slice object(struct selftest *t, const char *name, struct slice value)
{
	struct buf b;
	struct slice out = { NULL, 0 };

	buf_init(&b, 6 * value.n + 256);
	buf_add_fmt(&b, "{\"%s\":", name);
	buf_add_json_string(&b, value);
	buf_add_char(&b, '}');
	if (b.failed == E_OK)
		out = arena_dup(t->view.arena, buf_slice(&b));
	buf_finish(&b);
	return out;
}

static bool ask(struct selftest *t, const char *tool, struct slice args, struct call **call, struct judgement *j)
{
	struct rpc *rpc = ARENA_NEW(t->view.arena, struct rpc);
	struct slice text = arena_fmt(t->view.arena,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
		"\"params\":{\"name\":\"%s\",\"arguments\":%.*s}}",
		tool, SL_ARG(args));

	*j = (struct judgement){ .kind = VERDICT_DENY };
	if (!rpc || !args.p || !text.p || rpc_parse(rpc, text, t->view.arena, NULL) != E_OK)
		return false;
	judge_from_agent(&t->view, rpc, M_UNKNOWN, call, j);
	return true;
}

static bool is_refused(struct selftest *t, const char *tool, struct slice args, enum reason a, enum reason b)
{
	struct call *call;
	struct judgement j;

	return ask(t, tool, args, &call, &j) && j.kind == VERDICT_DENY && (j.why.reason == a || j.why.reason == b);
}

/* The vault answers `result` to a call that passed; true when nothing of `hidden` is left in what goes on. */
static bool is_hidden(struct selftest *t, const char *tool, struct slice args, struct slice result, const char *hidden)
{
	struct call *call;
	struct judgement j;
	struct rpc *rpc = ARENA_NEW(t->view.arena, struct rpc);
	struct slice text = arena_fmt(t->view.arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%.*s}", SL_ARG(result));

	if (!rpc || !text.p || !ask(t, tool, args, &call, &j) || j.kind == VERDICT_DENY ||
		rpc_parse(rpc, text, t->view.arena, NULL) != E_OK)
		return false;
	judge_answer(&t->view, call, rpc, &j);
	return j.kind == VERDICT_DENY || slice_find(j.bytes, slice_of(hidden)) < 0;
}

/* The profile with only one of its rules left. */
static void keep_only(struct selftest *t, bool paths, bool tenant, bool mask)
{
	t->policy = *t->live;
	t->policy.enforce = true;
	t->policy.n_tools = 0;
	t->policy.actions = ~0u;
	t->policy.read_only = false;
	t->policy.mask_values = mask && t->live->mask_values;
	if (!paths) {
		t->policy.allowed = (struct prefixes){ 0 };
		t->policy.denied = (struct prefixes){ 0 };
	}
	if (!tenant) {
		t->policy.tenant = (struct lock){ 0 };
		t->policy.partner = (struct lock){ 0 };
	}
}

static bool test_writes(struct selftest *t)
{
	struct slice args = SL("{\"path\":\"canary\",\"value\":\"x\"}");

	keep_only(t, false, false, false);
	t->policy.read_only = t->live->read_only;
	if (t->policy.read_only && !is_refused(t, "write", args, R_READ_ONLY, R_READ_ONLY))
		return missed(t, "a write passed under read_only", SL(""));
	if (t->policy.read_only && !is_refused(t, "get_or_create", args, R_UNKNOWN_TOOL, R_READ_ONLY))
		return missed(t, "an unknown tool passed under read_only", SL(""));
	t->policy.read_only = false;
	t->policy.actions = t->live->actions;
	if (!(t->policy.actions >> ACT_WRITE & 1u) && !is_refused(t, "write", args, R_ACTIONS, R_ACTIONS))
		return missed(t, "a write passed that `actions` does not list", SL(""));
	return true;
}

/* Beside an allowed prefix, and through it. */
static bool test_allowed(struct selftest *t, const struct prefix *p)
{
	struct slice beside = arena_fmt(t->view.arena, "%.*s-canary/secret", SL_ARG(p->path.text));
	struct slice through = arena_fmt(t->view.arena, "%.*s/../canary", SL_ARG(p->path.text));
	struct path path;

	if (!beside.p || !through.p)
		return missed(t, "out of memory", SL(""));
	if (p->path.text.n == 0)
		return true;
	if (path_canonical(&path, beside, false, t->view.arena) == PATH_OK &&
		policy_judge_path(&t->policy, &path, NULL) != PATHS_IN &&
		!is_refused(t, "read", object(t, "path", beside), R_PATH_OUTSIDE, R_PATH_DENIED))
		return missed(t, "a path beside an allowed prefix passed", p->path.text);
	if (!is_refused(t, "read", object(t, "path", through), R_PATH_UNCLEAR, R_PATH_UNCLEAR))
		return missed(t, "a path with dot segments passed", p->path.text);
	return true;
}

static bool test_outside(struct selftest *t)
{
	struct path path;

	if (path_canonical(&path, SL(OUTSIDE), false, t->view.arena) != PATH_OK)
		return missed(t, "out of memory", SL(""));
	if (policy_judge_path(&t->policy, &path, NULL) == PATHS_IN)
		return true;
	if (!is_refused(t, "read", object(t, "path", path.text), R_PATH_OUTSIDE, R_PATH_DENIED))
		return missed(t, "a path outside the allowed prefixes passed", SL(""));
	if (t->policy.allowed.n == 0)
		return true;
	if (!is_hidden(t, "list", object(t, "prefix", t->policy.allowed.v[0].path.text),
			SL("{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"items\\\":[{\\\"path\\\":\\\"" OUTSIDE
			"\\\"}]}\"}]}"),
			OUTSIDE))
		return missed(t, "a list named a path outside the allowed prefixes", SL(""));
	return true;
}

static bool test_paths(struct selftest *t)
{
	keep_only(t, true, false, false);
	for (size_t i = 0; i < t->policy.allowed.n; i++)
		if (!test_allowed(t, &t->policy.allowed.v[i]))
			return false;
	for (size_t i = 0; i < t->policy.denied.n; i++) {
		struct slice denied = t->policy.denied.v[i].path.text;

		if (denied.n && !is_refused(t, "read", object(t, "path", denied), R_PATH_DENIED, R_PATH_DENIED))
			return missed(t, "a denied path passed", denied);
	}
	return !policy_locks_paths(&t->policy) || test_outside(t);
}

static bool test_lock(struct selftest *t, const char *arg, const struct lock *lock, enum reason reason)
{
	struct slice other = arena_fmt(t->view.arena, "%.*s-canary", SL_ARG(lock->text));
	struct slice own = object(t, arg, lock->text);
	struct call *call;
	struct judgement j;

	if (lock->text.n == 0)
		return true;
	if (!other.p || !own.p)
		return missed(t, "out of memory", SL(""));
	if (!is_refused(t, "list", object(t, arg, other), reason, reason))
		return missed(t, "a call for another passed under a lock", slice_of(arg));
	if (!ask(t, "list", SL("{}"), &call, &j) || j.kind == VERDICT_DENY ||
		slice_find(j.bytes, slice_make(own.p + 1, own.n - 2)) < 0)
		return missed(t, "a lock was not filled in", slice_of(arg));
	return true;
}

static bool test_tenant(struct selftest *t)
{
	keep_only(t, false, true, false);
	return test_lock(t, "tenant", &t->policy.tenant, R_TENANT) &&
		test_lock(t, "partner", &t->policy.partner, R_PARTNER);
}

static bool test_mask(struct selftest *t)
{
	static const char *const answers[] = {
		"{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"path\\\":\\\"a\\\",\\\"value\\\":\\\"" CANARY_VALUE
		"\\\"}\"}]}",
		"{\"content\":[],\"structuredContent\":{\"path\":\"a\",\"value\":\"" CANARY_VALUE "\"}}",
		"{\"content\":[{\"type\":\"text\",\"text\":\"it is " CANARY_VALUE "\"}]}",
		"{\"content\":[{\"type\":\"text\",\"text\":\"failed: " CANARY_VALUE "\"}],\"isError\":true}",
	};

	keep_only(t, false, false, true);
	for (size_t i = 0; t->policy.mask_values && i < sizeof answers / sizeof *answers; i++)
		if (!is_hidden(t, "read", SL("{\"path\":\"a\"}"), slice_of(answers[i]), CANARY_VALUE))
			return missed(t, "a secret value passed under mask_values", SL(""));
	return true;
}

/* What a read gives, so that it is remembered. */
static bool give_canary(struct selftest *t, struct ledger *ledger)
{
	struct call *call;
	struct judgement j;
	struct rpc *rpc = ARENA_NEW(t->view.arena, struct rpc);
	struct slice text = SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[],"
		"\"structuredContent\":{\"path\":\"a\",\"value\":\"" CANARY_VALUE "\"}}}");

	return rpc && ask(t, "read", SL("{\"path\":\"a\"}"), &call, &j) && j.kind != VERDICT_DENY &&
		rpc_parse(rpc, text, t->view.arena, NULL) == E_OK && judge_learn(ledger, NULL, &t->view, call, rpc) == E_OK;
}

static bool test_known_value(struct selftest *t, struct ledger *ledger)
{
	static const char *const forms[] = { "{\"prefix\":\"a/" CANARY_VALUE "\"}", "{\"prefix\":\"a\",\"note\":\"" CANARY_BASE64 "\"}" };

	if (!give_canary(t, ledger))
		return missed(t, "a value that was read could not be remembered", SL(""));
	for (size_t i = 0; t->policy.exfiltration == EXFILTRATION_BLOCK && i < sizeof forms / sizeof *forms; i++)
		if (!is_refused(t, "list", slice_of(forms[i]), R_EXFILTRATION, R_EXFILTRATION))
			return missed(t, "a value that was read passed under `exfiltration`", SL(""));
	if (t->policy.redact_secrets && !is_hidden(t, "list", SL("{\"prefix\":\"b\"}"),
			SL("{\"content\":[{\"type\":\"text\",\"text\":\"it is " CANARY_VALUE "\"}]}"), CANARY_VALUE))
		return missed(t, "a value that was read passed under redact_secrets", SL(""));
	return true;
}

static bool test_values(struct selftest *t)
{
	struct ledger *ledger;
	bool ok = false;

	keep_only(t, false, false, false);
	if (t->policy.exfiltration != EXFILTRATION_BLOCK && !t->policy.redact_secrets)
		return true;
	ledger = ledger_create(1);
	t->view.ledger = ledger;
	ok = ledger ? test_known_value(t, ledger) : missed(t, "out of memory", SL(""));
	t->view.ledger = NULL;
	ledger_free(ledger);
	return ok;
}

bool selftest_policy(const struct policy *policy, struct arena *arena, struct slice *why)
{
	struct faults faults;
	struct selftest t = { .live = policy, .why = why };
	struct catalog *catalog;

	*why = SL("");
	faults_init(&faults);
	catalog = catalog_parse(slice_make(vault, sizeof vault - 1), SL("built-in self-test"), &faults);
	faults_finish(&faults);
	if (!catalog)
		return missed(&(struct selftest){ .view = { .arena = arena }, .why = why },
			"the self-test itself could not be read", SL(""));
	t.view = (struct view){ .policy = &t.policy, .catalog = catalog, .upstream = SL("self-test"), .arena = arena };
	bool ok = test_writes(&t) && test_paths(&t) && test_tenant(&t) && test_mask(&t) && test_values(&t);
	catalog_free(catalog);
	return ok;
}
