/* The call behind a task: kept in the ledger as it was asked, without the values in it, and read again whenever the task is. */
#include "guards/chain.h"
#include "guards/edit.h"
#include "guards/facts.h"
#include "guards/tasks.h"
#include "mcp/stateless.h"

#define KIND SL("io.modelcontextprotocol/task") /* no catalog's: theirs are words */
#define MAX_ID 1024
#define MAX_CALL 8192     /* of what is kept */
#define LONG_TEXT 1024    /* nobody's path */
#define MAX_SECRETS 64
#define SLACK_MS 60000
#define FOREVER_MS (24 * 3600 * 1000LL)   /* a task without an end */
#define LONGEST_MS (7 * FOREVER_MS)

bool tasks_declared(const struct rpc *rpc)
{
	const struct json *j = &rpc->json;
	uint32_t meta = json_member(j, rpc->params, SL("_meta"));
	uint32_t extensions = json_member(j, json_member(j, meta, META_CAPABILITIES), SL("extensions"));

	return json_is(j, json_member(j, extensions, TASKS_EXTENSION), JSON_OBJECT);
}

/* --- keeping ------------------------------------------------------------------------------------------------------- */

struct cleaning {
	const struct view *view;
	const struct call *call;
	struct json_edits edits;
	uint32_t secrets[MAX_SECRETS];
	size_t n_secrets;
	bool failed;
};

static bool on_secret(void *ctx, const struct found *found)
{
	struct cleaning *c = ctx;

	if (found->json != &c->call->rpc->json || c->n_secrets == MAX_SECRETS)
		c->failed = true; /* inside a string, or too many */
	else
		c->secrets[c->n_secrets++] = found->tok;
	return !c->failed;
}

static void find_secrets(struct cleaning *c)
{
	const struct call *call = c->call;

	for (size_t i = 0; call->rule && call->args != JSON_NONE && i < call->rule->n_secret_args; i++)
		if (selector_each(&call->rule->secret_args[i], call->args_json, call->args, c->view->arena, on_secret, c) != E_OK)
			c->failed = true;
}

static bool is_secret(const struct cleaning *c, uint32_t tok)
{
	for (size_t i = 0; i < c->n_secrets; i++)
		if (c->secrets[i] == tok)
			return true;
	return false;
}

/* Under a name that values have, where no catalog says which they are; or a text too long to name anything. */
static bool may_be_value(struct cleaning *c, uint32_t tok)
{
	const struct json *j = &c->call->rpc->json;
	bool named = (j->tok[tok - 1].flags & JSON_NAME) != 0;

	if (json_is(j, tok, JSON_STRING) && json_raw(j, tok).n > LONG_TEXT)
		return true;
	if (c->call->rule || !named)
		return false;
	struct slice name = json_string(j, tok - 1, c->view->arena);
	c->failed |= !name.p;
	return name.p && words_have(&c->view->catalog->vocabulary.values, name);
}

/* The same type without what was in it, so that it is still read the same way. */
static struct slice emptied(const struct json *j, uint32_t tok)
{
	switch (json_type(j, tok)) {
	case JSON_STRING:
		return SL("\"\"");
	case JSON_OBJECT:
		return SL("{}");
	case JSON_ARRAY:
		return SL("[]");
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	return SL("0");
}

static void clean_args(struct cleaning *c, uint32_t args)
{
	const struct json *j = &c->call->rpc->json;

	for (uint32_t t = args + 1; args != JSON_NONE && t < j->tok[args].next && !c->failed;) {
		if ((j->tok[t].flags & JSON_NAME) || !(is_secret(c, t) || may_be_value(c, t))) {
			t++;
			continue;
		}
		c->failed |= json_edit_raw(&c->edits, t, emptied(j, t)) != E_OK;
		t = j->tok[t].next;
	}
}

static void drop(struct cleaning *c, struct slice name)
{
	const struct rpc *rpc = c->call->rpc;
	uint32_t tok = json_member(&rpc->json, rpc->params, name);

	if (tok != JSON_NONE)
		c->failed |= json_edit_remove(&c->edits, tok) != E_OK;
}

/* Name and arguments of the call, as a message; p == NULL: it cannot be kept. */
static struct slice kept_text(const struct view *v, const struct call *call)
{
	struct cleaning c = { .view = v, .call = call, .failed = call->inner_at != JSON_NONE };
	const struct rpc *rpc = call->rpc;
	struct slice text = { NULL, 0 };

	json_edits_init(&c.edits, v->arena);
	find_secrets(&c);
	drop(&c, SL("_meta"));
	drop(&c, SL("task"));
	drop(&c, SL("inputResponses"));
	drop(&c, SL("requestState"));
	clean_args(&c, json_member(&rpc->json, rpc->params, SL("arguments")));
	if (c.failed || edits_render(&rpc->json, &c.edits, 64, v->arena, &text) != E_OK || text.n > MAX_CALL)
		return (struct slice){ NULL, 0 };
	return text;
}

static uint64_t expiry_of(const struct view *v, const struct json *j, uint32_t obj)
{
	int64_t ms = FOREVER_MS;

	if (!json_int(j, json_member(j, obj, SL("ttlMs")), &ms))
		json_int(j, json_member(j, obj, SL("ttl")), &ms);
	ms = ms < 0 ? 0 : ms > LONGEST_MS ? LONGEST_MS : ms;
	return v->now_ms + (uint64_t)ms + SLACK_MS;
}

static struct slice tenant_of(const struct view *v, const struct call *c)
{
	for (size_t i = 0; i < c->n_tenants; i++)
		if (!c->tenants[i].partner)
			return c->tenants[i].text;
	return v->policy->tenant.text;
}

/* Paths, those behind handles too: the handles may be used up by now. */
static const struct path *paths_of(const struct call *c, struct arena *arena, size_t *n)
{
	struct path *v = arena_array(arena, c->n_paths, sizeof *v);

	*n = 0;
	for (size_t i = 0; v && i < c->n_paths; i++)
		if (c->paths[i].fault == PATH_OK && !c->paths[i].absent)
			v[(*n)++] = c->paths[i].path;
	return v;
}

enum err task_keep(struct ledger *ledger, const struct view *v, const struct call *c, const struct json *j, uint32_t obj)
{
	uint32_t id = json_member(j, obj, SL("taskId"));
	struct handle h = { .upstream = v->upstream, .kind = KIND, .call = kept_text(v, c), .tenant = tenant_of(v, c),
		.expires_ms = expiry_of(v, j, obj) };

	h.text = json_is(j, id, JSON_STRING) ? json_string(j, id, v->arena) : SL("");
	h.paths = paths_of(c, v->arena, &h.n_paths);
	if (!h.text.p || !h.paths)
		return E_NOMEM;
	if (!h.text.n || h.text.n > MAX_ID || !h.call.p)
		return E_FULL;
	return ledger_learn(ledger, &h, v->now_ms);
}

/* --- reading it again ------------------------------------------------------------------------------------------------ */

/* What its handles stood for is known from then. */
static bool give_paths(const struct view *v, struct call *c, const struct path *paths, size_t n, struct slice tenant)
{
	struct facts f = { .view = v, .arena = v->arena, .call = c, .cap_paths = c->n_paths, .cap_tenants = c->n_tenants };

	if (!c->n_handles)
		return true;
	c->n_handles = 0;
	for (size_t i = 0; i < n; i++)
		fact_path_known(&f, &paths[i], SL("taskId"));
	if (tenant.n)
		fact_tenant(&f, tenant, false, SL("taskId"));
	return !f.nomem;
}

static struct path *copy_paths(const struct handle *h, struct arena *arena)
{
	struct path *v = arena_array(arena, h->n_paths, sizeof *v);

	for (size_t i = 0; v && i < h->n_paths; i++) {
		v[i].text = arena_dup(arena, h->paths[i].text);
		v[i].folded = arena_dup(arena, h->paths[i].folded);
		if (!v[i].text.p || !v[i].folded.p)
			return NULL;
	}
	return v;
}

struct call *task_recall(const struct view *v, struct slice id, bool stateless)
{
	const struct handle *h = v->ledger ? ledger_find(v->ledger, v->upstream, KIND, id, v->now_ms) : NULL;
	struct call *c = h ? ARENA_NEW(v->arena, struct call) : NULL;
	struct rpc *rpc = h ? ARENA_NEW(v->arena, struct rpc) : NULL;
	struct judgement j = { .kind = VERDICT_PASS };

	if (!c || !rpc)
		return NULL;
	/* Copies: the ledger may forget it meanwhile. */
	struct slice text = arena_dup(v->arena, h->call), tenant = arena_dup(v->arena, h->tenant);
	struct path *paths = copy_paths(h, v->arena);
	size_t n = h->n_paths;
	if (!text.p || !tenant.p || !paths || rpc_parse(rpc, text, v->arena, NULL) != E_OK)
		return NULL;
	rpc->stateless = stateless;
	if (classify(v, rpc, c) != E_OK || c->fault.kind == VERDICT_DENY || !give_paths(v, c, paths, n, tenant))
		return NULL;
	chain_request(v, c, &j);
	return j.kind == VERDICT_DENY && v->policy->enforce ? NULL : c;
}
