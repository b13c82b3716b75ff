#include "mcp/translate.h"

#include "mcp/stateless.h"

#define SPARE_BYTES 1024 /* what a translation adds beside its parts */

static const struct slice NOTHING = { NULL, 0 };

/* The text with its edits, in the arena. */
static struct slice render(const struct json *j, const struct json_edits *edits, size_t more, struct arena *arena)
{
	struct buf out;
	struct slice text = NOTHING;

	buf_init(&out, j->text.n + more + SPARE_BYTES);
	if (json_splice(j, edits, &out) == E_OK)
		text = arena_dup(arena, buf_slice(&out));
	buf_finish(&out);
	return text;
}

/* Takes members out of an object, where they are. */
static enum err remove_members(const struct json *j, uint32_t obj, const struct slice *names, size_t n, struct json_edits *edits)
{
	enum err e = E_OK;

	for (size_t i = 0; i < n && e == E_OK; i++) {
		uint32_t t = json_member(j, obj, names[i]);

		if (t != JSON_NONE)
			e = json_edit_remove(edits, t);
	}
	return e;
}

static enum err put_member(const struct json *j, uint32_t obj, struct slice name, struct slice raw, struct json_edits *edits)
{
	uint32_t t = json_member(j, obj, name);

	return t == JSON_NONE ? json_edit_insert(edits, obj, name, raw) : json_edit_raw(edits, t, raw);
}

/* An object's members but those named. Empty object where there is none. */
static struct slice object_without(const struct json *j, uint32_t obj, const struct slice *names, size_t n, struct arena *arena)
{
	struct json part;
	struct json_edits edits;

	if (!json_is(j, obj, JSON_OBJECT))
		return SL("{}");
	json_edits_init(&edits, arena);
	if (json_parse(&part, json_source(j, obj), arena, NULL) != E_OK || remove_members(&part, 0, names, n, &edits) != E_OK)
		return NOTHING;
	return render(&part, &edits, 0, arena);
}

/* --- for vaults of the stateless revision --------------------------------------------------------------------------- */

static struct slice envelope(const struct translate_client *c, struct arena *arena)
{
	struct slice info = c->info.n ? c->info : SL("{\"name\":\"unknown\",\"version\":\"0\"}");
	struct slice level = c->log_level.n ? arena_fmt(arena, ",\"%.*s\":%.*s", SL_ARG(META_LOG_LEVEL), SL_ARG(c->log_level)) : SL("");

	return arena_fmt(arena, "\"%.*s\":\"%.*s\",\"%.*s\":%.*s,\"%.*s\":%.*s%.*s", SL_ARG(META_VERSION), SL_ARG(STATELESS_REVISION),
		SL_ARG(META_CLIENT), SL_ARG(info), SL_ARG(META_CAPABILITIES),
		SL_ARG(c->capabilities.n ? c->capabilities : SL("{}")), SL_ARG(level));
}

struct slice translate_client_capabilities(const struct json *j, uint32_t capabilities, struct arena *arena)
{
	static const char *const kept[] = { "roots", "sampling", "elicitation" };
	struct slice out = SL("{"), one;

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		uint32_t t = json_member(j, capabilities, slice_of(kept[i]));

		if (!json_is(j, t, JSON_OBJECT))
			continue;
		one = arena_fmt(arena, "%s\"%s\":%.*s", out.n > 1 ? "," : "", kept[i], SL_ARG(json_source(j, t)));
		out = arena_join(arena, out, one, SL(""));
	}
	return arena_join(arena, out, SL("}"), SL(""));
}

/* The members of an object as text, without its braces. */
static struct slice inside(struct slice object)
{
	return object.n >= 2 ? slice_make(object.p + 1, object.n - 2) : SL("");
}

static bool is_blank(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	return true;
}

static enum err put_round(const struct rpc *rpc, const struct translate_round *round, struct json_edits *edits)
{
	enum err e;

	if (!round)
		return E_OK;
	e = put_member(&rpc->json, rpc->params, SL("inputResponses"), round->responses, edits);
	return e == E_OK && round->state.n ? put_member(&rpc->json, rpc->params, SL("requestState"), round->state, edits) : e;
}

struct slice translate_to_stateless(
	const struct rpc *rpc, struct slice id, const struct translate_client *c, const struct translate_round *round, struct arena *arena)
{
	const struct json *j = &rpc->json;
	const struct slice ours[] = { META_VERSION, META_CLIENT, META_CAPABILITIES, META_LOG_LEVEL };
	struct slice kept = inside(object_without(j, json_member(j, rpc->params, SL("_meta")), ours, sizeof ours / sizeof *ours, arena));
	struct slice whole = arena_fmt(arena, "{%.*s%s%.*s}", SL_ARG(envelope(c, arena)), is_blank(kept) ? "" : ",", SL_ARG(kept));
	struct json_edits edits;
	enum err e;

	json_edits_init(&edits, arena);
	e = json_edit_raw(&edits, rpc->id, id);
	if (e == E_OK && rpc->params == JSON_NONE)
		e = json_edit_insert(&edits, 0, SL("params"), arena_fmt(arena, "{\"_meta\":%.*s}", SL_ARG(whole)));
	else if (e == E_OK)
		e = put_member(j, rpc->params, SL("_meta"), whole, &edits);
	if (e == E_OK && rpc->params != JSON_NONE)
		e = put_round(rpc, round, &edits);
	size_t more = whole.n + id.n + (round ? round->responses.n + round->state.n : 0);
	return e == E_OK && whole.p ? render(j, &edits, more, arena) : NOTHING;
}

struct slice translate_own_stateless(
	struct slice id, const char *method, const struct translate_client *c, struct slice params, struct arena *arena)
{
	return arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"method\":\"%s\",\"params\":{\"_meta\":{%.*s}%s%.*s}}", SL_ARG(id), method,
		SL_ARG(envelope(c, arena)), params.n ? "," : "", SL_ARG(params));
}

/* Codes that a revision with a handshake does not know, or means something else by. */
static int64_t code_from_stateless(int64_t code, enum method asked)
{
	if (code == RPC_INVALID_PARAMS && asked == M_RESOURCES_READ)
		return RPC_RESOURCE_NOT_FOUND;
	/* A header mismatch is ours to mend, not the agent's, so it keeps its code until it is known to stay. */
	return code == MCP_MISSING_CAPABILITY || code == MCP_UNSUPPORTED_VERSION ? RPC_INVALID_REQUEST : code;
}

static enum err translate_code(const struct rpc *rpc, int64_t (*map)(int64_t, enum method), enum method asked, struct json_edits *edits)
{
	uint32_t t = json_member(&rpc->json, rpc->error, SL("code"));
	int64_t code, other;

	if (rpc->kind != RPC_ERROR || !json_int(&rpc->json, t, &code) || (other = map(code, asked)) == code)
		return E_OK;
	struct slice text = arena_fmt(edits->arena, "%lld", (long long)other);
	return text.p ? json_edit_raw(edits, t, text) : E_NOMEM;
}

static enum err put_id(const struct rpc *rpc, struct slice id, struct json_edits *edits)
{
	return rpc->id == JSON_NONE ? put_member(&rpc->json, 0, SL("id"), id, edits) : json_edit_raw(edits, rpc->id, id);
}

struct slice translate_answer_from_stateless(const struct rpc *rpc, struct slice id, enum method asked, struct arena *arena)
{
	static const struct slice own[] = { { "resultType", 10 }, { "ttlMs", 5 }, { "cacheScope", 10 } };
	struct json_edits edits;

	json_edits_init(&edits, arena);
	enum err e = put_id(rpc, id, &edits);
	if (e == E_OK && rpc->kind == RPC_RESULT)
		e = remove_members(&rpc->json, rpc->result, own, sizeof own / sizeof *own, &edits);
	if (e == E_OK)
		e = translate_code(rpc, code_from_stateless, asked, &edits);
	return e == E_OK ? render(&rpc->json, &edits, id.n, arena) : NOTHING;
}

struct slice translate_notification_from_stateless(const struct rpc *rpc, struct arena *arena)
{
	const struct slice own[] = { META_SUBSCRIPTION };
	struct json_edits edits;

	json_edits_init(&edits, arena);
	enum err e = remove_members(&rpc->json, json_member(&rpc->json, rpc->params, SL("_meta")), own, 1, &edits);
	return e == E_OK ? render(&rpc->json, &edits, 0, arena) : NOTHING;
}

/* `,"instructions":…` where they are. */
static struct slice instructions_of(const struct rpc *rpc, struct arena *arena)
{
	uint32_t t = json_member(&rpc->json, rpc->result, SL("instructions"));

	return json_is(&rpc->json, t, JSON_STRING) ? arena_fmt(arena, ",\"instructions\":%.*s", SL_ARG(json_source(&rpc->json, t))) : SL("");
}

struct slice translate_hello(const struct rpc *d, struct slice id, struct slice version, struct arena *arena)
{
	const struct slice none[] = { SL("extensions") };
	const struct json *j = &d->json;
	const struct era *era = era_find(version);
	uint32_t meta = json_member(j, d->result, SL("_meta")), info = json_member(j, meta, META_SERVER);
	struct slice capabilities = object_without(j, json_member(j, d->result, SL("capabilities")), none, 1, arena);
	struct slice server = json_is(j, info, JSON_OBJECT) ? json_source(j, info) : SL("{\"name\":\"unknown\",\"version\":\"0\"}");

	if (!era || !era->handshake)
		era = era_newest();
	return capabilities.p ? arena_fmt(arena,
		"{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{\"protocolVersion\":\"%.*s\",\"capabilities\":%.*s,\"serverInfo\":%.*s%.*s}}",
		SL_ARG(id), SL_ARG(era->version), SL_ARG(capabilities), SL_ARG(server), SL_ARG(instructions_of(d, arena))) : NOTHING;
}

/* --- for vaults with a handshake ------------------------------------------------------------------------------------- */

struct slice translate_from_stateless(const struct rpc *rpc, struct slice id, struct slice token, struct arena *arena)
{
	static const struct slice rounds[] = { { "inputResponses", 14 }, { "requestState", 12 } };
	const struct json *j = &rpc->json;
	uint32_t meta = json_member(j, rpc->params, SL("_meta")), progress = json_member(j, meta, SL("progressToken"));
	struct json_edits edits;
	enum err e = E_OK;

	json_edits_init(&edits, arena);
	if (rpc->id != JSON_NONE)
		e = json_edit_raw(&edits, rpc->id, id);
	if (e == E_OK)
		e = remove_members(j, rpc->params, rounds, 2, &edits);
	for (uint32_t t = json_first(j, meta); meta != JSON_NONE && t < j->tok[meta].next && e == E_OK; t = j->tok[t + 1].next)
		if (stateless_is_envelope(j, t))
			e = json_edit_remove(&edits, t);
	if (e == E_OK && progress != JSON_NONE && token.n)
		e = json_edit_raw(&edits, progress, token);
	return e == E_OK ? render(j, &edits, id.n + token.n, arena) : NOTHING;
}

struct slice translate_initialize(const struct rpc *rpc, struct slice id, struct arena *arena)
{
	const struct json *j = &rpc->json;
	uint32_t meta = json_member(j, rpc->params, SL("_meta")), info = json_member(j, meta, META_CLIENT);
	struct slice capabilities = translate_client_capabilities(j, json_member(j, meta, META_CAPABILITIES), arena);

	return capabilities.p ? arena_fmt(arena,
		"{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"%.*s\",\"capabilities\":%.*s,\"clientInfo\":%.*s}}",
		SL_ARG(id), SL_ARG(era_newest()->version), SL_ARG(capabilities),
		SL_ARG(json_is(j, info, JSON_OBJECT) ? json_source(j, info) : SL("{\"name\":\"unknown\",\"version\":\"0\"}"))) : NOTHING;
}

static int64_t code_to_stateless(int64_t code, enum method asked)
{
	(void)asked;
	return code == RPC_RESOURCE_NOT_FOUND ? RPC_INVALID_PARAMS : code;
}

/* Results that say how long they may be kept. */
static bool is_cached(enum method m)
{
	return m == M_TOOLS_LIST || m == M_PROMPTS_LIST || m == M_RESOURCES_LIST || m == M_RESOURCES_TEMPLATES_LIST || m == M_RESOURCES_READ ||
		m == M_DISCOVER;
}

static enum err put_server(const struct rpc *rpc, struct slice server, struct json_edits *edits)
{
	uint32_t meta = json_member(&rpc->json, rpc->result, SL("_meta"));

	if (json_is(&rpc->json, meta, JSON_OBJECT))
		return put_member(&rpc->json, meta, META_SERVER, server, edits);
	struct slice whole = arena_fmt(edits->arena, "{\"%.*s\":%.*s}", SL_ARG(META_SERVER), SL_ARG(server));
	return whole.p ? put_member(&rpc->json, rpc->result, SL("_meta"), whole, edits) : E_NOMEM;
}

struct slice translate_answer_to_stateless(
	const struct rpc *rpc, struct slice id, enum method asked, struct slice server, struct arena *arena)
{
	struct json_edits edits;

	json_edits_init(&edits, arena);
	enum err e = put_id(rpc, id, &edits);
	if (e == E_OK)
		e = translate_code(rpc, code_to_stateless, asked, &edits);
	if (e == E_OK && rpc->kind == RPC_RESULT)
		e = put_member(&rpc->json, rpc->result, SL("resultType"), SL("\"complete\""), &edits);
	if (e == E_OK && rpc->kind == RPC_RESULT && server.n)
		e = put_server(rpc, server, &edits);
	if (e == E_OK && rpc->kind == RPC_RESULT && is_cached(asked)) {
		e = put_member(&rpc->json, rpc->result, SL("ttlMs"), SL("0"), &edits);
		if (e == E_OK)
			e = put_member(&rpc->json, rpc->result, SL("cacheScope"), SL("\"private\""), &edits);
	}
	return e == E_OK ? render(&rpc->json, &edits, id.n + server.n, arena) : NOTHING;
}

struct slice translate_progress(const struct rpc *rpc, struct slice token, struct arena *arena)
{
	uint32_t t = json_member(&rpc->json, rpc->params, SL("progressToken"));
	struct json_edits edits;

	if (t == JSON_NONE || !token.n)
		return rpc->json.text;
	json_edits_init(&edits, arena);
	return json_edit_raw(&edits, t, token) == E_OK ? render(&rpc->json, &edits, token.n, arena) : NOTHING;
}

struct slice translate_heard(const struct rpc *rpc, struct slice subscription, struct arena *arena)
{
	uint32_t meta = json_member(&rpc->json, rpc->params, SL("_meta"));
	struct slice whole = arena_fmt(arena, "{\"%.*s\":%.*s}", SL_ARG(META_SUBSCRIPTION), SL_ARG(subscription));
	struct json_edits edits;
	enum err e;

	json_edits_init(&edits, arena);
	if (rpc->params == JSON_NONE)
		e = json_edit_insert(&edits, 0, SL("params"), arena_fmt(arena, "{\"_meta\":%.*s}", SL_ARG(whole)));
	else if (json_is(&rpc->json, meta, JSON_OBJECT))
		e = put_member(&rpc->json, meta, META_SUBSCRIPTION, subscription, &edits);
	else
		e = put_member(&rpc->json, rpc->params, SL("_meta"), whole, &edits);
	return e == E_OK ? render(&rpc->json, &edits, whole.n, arena) : NOTHING;
}

struct slice translate_discovered(const struct rpc *h, struct slice id, struct arena *arena)
{
	const struct slice none[] = { SL("tasks") };
	const struct json *j = &h->json;
	uint32_t info = json_member(j, h->result, SL("serverInfo"));
	struct slice capabilities = object_without(j, json_member(j, h->result, SL("capabilities")), none, 1, arena);
	struct slice server = json_is(j, info, JSON_OBJECT) ? json_source(j, info) : SL("{\"name\":\"unknown\",\"version\":\"0\"}");

	return capabilities.p ? arena_fmt(arena,
		"{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"%.*s\"],\"capabilities\":%.*s,"
		"\"ttlMs\":0,\"cacheScope\":\"private\",\"_meta\":{\"%.*s\":%.*s}%.*s}}",
		SL_ARG(id), SL_ARG(STATELESS_REVISION), SL_ARG(capabilities), SL_ARG(META_SERVER), SL_ARG(server),
		SL_ARG(instructions_of(h, arena))) : NOTHING;
}
