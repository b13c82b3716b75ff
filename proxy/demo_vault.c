#include "proxy/demo_vault.h"

#include "base/digest.h"
#include "mcp/stateless.h"
#include "mcp/rpc.h"
#include "proxy/app.h"
#include "proxy/demo_tools.h"

#define MAX_ANSWER (4u << 20)
#define MAX_DEMO_SESSIONS 1000
#define SESSION_CHARS 32

/* One request on its way through: where its answer is written. */
struct turn {
	struct demo_vault *vault;
	const struct rpc *rpc;
	struct reply *reply;
	struct buf result;       /* JSON text of the result */
	int code;                /* of an error; 0: none */
	const char *error;
};

static void fail(struct turn *t, int code, const char *text)
{
	t->code = code;
	t->error = text;
}

static struct slice param(const struct turn *t, const char *dotted)
{
	uint32_t tok = json_walk(&t->rpc->json, t->rpc->params, dotted);

	return json_is(&t->rpc->json, tok, JSON_STRING) ? json_string(&t->rpc->json, tok, &t->vault->arena) : SL("");
}

/* --- tools -------------------------------------------------------------------------------------------------------------- */

static void add_tool(struct buf *out, const struct demo_tool *tool)
{
	buf_add_fmt(out, "{\"name\":\"%s\",\"description\":", tool->name);
	buf_add_json_string(out, slice_of(tool->description));
	buf_add_fmt(out, ",\"inputSchema\":{\"type\":\"object\",\"properties\":{%s%s\"tenant\":{\"type\":\"string\",\"description\":"
		"\"Tenant id; all when absent\"}},\"required\":%s,\"additionalProperties\":false},\"outputSchema\":{\"type\":\"object\"},"
		"\"annotations\":{\"readOnlyHint\":%s}}",
		tool->properties, *tool->properties ? "," : "", tool->required, tool->reads_only ? "true" : "false");
}

static void tools_list(struct turn *t)
{
	buf_add(&t->result, SL("{\"tools\":["));
	for (size_t i = 0; i < demo_n_tools; i++) {
		if (i)
			buf_add_char(&t->result, ',');
		add_tool(&t->result, &demo_tools[i]);
	}
	buf_add(&t->result, SL("]}"));
}

static void add_text_block(struct buf *out, struct slice text)
{
	buf_add(out, SL("{\"content\":[{\"type\":\"text\",\"text\":"));
	buf_add_json_string(out, text);
	buf_add(out, SL("}]"));
}

static void run_tool(struct turn *t, const struct demo_tool *tool)
{
	struct buf out;
	struct demo_call call = {
		.store = &t->vault->store, .json = &t->rpc->json, .args = json_walk(&t->rpc->json, t->rpc->params, "arguments"),
		.arena = &t->vault->arena, .out = &out, .now_ms = app_wall_ms() };

	buf_init(&out, MAX_ANSWER / 4);
	tool->run(&call);
	if (call.error) {
		add_text_block(&t->result, slice_of(call.error));
		buf_add(&t->result, SL(",\"isError\":true}"));
	} else {
		add_text_block(&t->result, buf_slice(&out));
		buf_add(&t->result, SL(",\"structuredContent\":"));
		buf_add(&t->result, buf_slice(&out));
		buf_add_char(&t->result, '}');
	}
	buf_finish(&out);
}

static void tools_call(struct turn *t)
{
	struct slice name = param(t, "name");

	for (size_t i = 0; i < demo_n_tools; i++)
		if (slice_eq(slice_of(demo_tools[i].name), name)) {
			run_tool(t, &demo_tools[i]);
			return;
		}
	fail(t, RPC_INVALID_PARAMS, "Unknown tool");
}

/* --- resources ------------------------------------------------------------------------------------------------------------ */

#define URI "demo://secrets/"

static void resources_list(struct turn *t)
{
	const struct demo_store *s = &t->vault->store;
	bool first = true;

	buf_add(&t->result, SL("{\"resources\":["));
	for (size_t i = 0; i < s->n; i++) {
		if (!s->secrets[i].used)
			continue;
		struct slice uri = arena_fmt(&t->vault->arena, URI "%.*s/%.*s", SL_ARG(s->secrets[i].tenant), SL_ARG(s->secrets[i].path));
		buf_add(&t->result, first ? SL("{\"uri\":") : SL(",{\"uri\":"));
		buf_add_json_string(&t->result, uri);
		buf_add(&t->result, SL(",\"name\":"));
		buf_add_json_string(&t->result, s->secrets[i].path);
		buf_add_char(&t->result, '}');
		first = false;
	}
	buf_add(&t->result, SL("]}"));
}

static void templates_list(struct turn *t)
{
	buf_add(&t->result, SL("{\"resourceTemplates\":[{\"uriTemplate\":\"" URI "{tenant}/{path}\",\"name\":\"secret\"}]}"));
}

static void resources_read(struct turn *t)
{
	struct slice uri = param(t, "uri");
	struct slice path = slice_starts(uri, SL(URI)) ? slice_from(uri, sizeof URI - 1) : SL("");
	struct slice tenant = slice_cut(&path, '/');
	const struct demo_secret *s = path.n ? demo_find(&t->vault->store, tenant, path) : NULL;

	if (!s) {
		fail(t, RPC_RESOURCE_NOT_FOUND, "Resource not found");
		return;
	}
	buf_add(&t->result, SL("{\"contents\":[{\"uri\":"));
	buf_add_json_string(&t->result, uri);
	buf_add(&t->result, SL(",\"mimeType\":\"text/plain\",\"text\":"));
	buf_add_json_string(&t->result, s->value);
	buf_add(&t->result, SL("}]}"));
}

/* --- lifecycle ------------------------------------------------------------------------------------------------------------ */

static void initialize(struct turn *t)
{
	struct slice asked = param(t, "protocolVersion");
	struct slice version = era_find(asked) ? asked : era_newest()->version;
	unsigned char random[SESSION_CHARS / 2];
	char id[SESSION_CHARS + 1];

	digest_random(random, sizeof random);
	digest_hex(random, sizeof random, id);
	if (table_put(t->vault->sessions, slice_of(id), t->vault, 0, 0) != E_OK) {
		fail(t, RPC_INTERNAL_ERROR, "too many sessions");
		return;
	}
	t->reply->ops->session(t->reply, slice_of(id));
	buf_add_fmt(&t->result, "{\"protocolVersion\":\"%.*s\",\"capabilities\":{\"tools\":{},\"resources\":{}},"
		"\"serverInfo\":{\"name\":\"narrowgate-demo-vault\",\"version\":\"" NARROWGATE_VERSION "\"},"
		"\"instructions\":\"A vault with sample secrets. Nothing in it is real.\"}", SL_ARG(version));
}

static void ping(struct turn *t)
{
	buf_add(&t->result, SL("{}"));
}

static const struct {
	const char *method;
	void (*run)(struct turn *);
} methods[] = {
	{ "initialize", initialize }, { "ping", ping }, { "tools/list", tools_list }, { "tools/call", tools_call },
	{ "resources/list", resources_list }, { "resources/templates/list", templates_list }, { "resources/read", resources_read },
};

/* --- the front ------------------------------------------------------------------------------------------------------------- */

static void answer(struct turn *t)
{
	struct buf out;
	size_t i = 0;

	buf_init(&t->result, MAX_ANSWER);
	buf_init(&out, MAX_ANSWER + 1024);
	while (i < sizeof methods / sizeof *methods && !slice_eq(slice_of(methods[i].method), t->rpc->method_name))
		i++;
	if (i < sizeof methods / sizeof *methods)
		methods[i].run(t);
	else
		fail(t, RPC_METHOD_NOT_FOUND, "Method not found");
	if (t->code)
		rpc_make_error(&out, rpc_id(t->rpc), t->code, slice_of(t->error), SL(""));
	else
		rpc_make_result(&out, rpc_id(t->rpc), buf_slice(&t->result));
	t->reply->ops->answer(t->reply, buf_slice(&out));
	buf_finish(&out);
	buf_finish(&t->result);
}

static bool knows_session(const struct demo_vault *v, const struct ask *ask, bool opens, struct reply *reply)
{
	struct slice key = ask->session;

	if (ask->stdio || opens || (key.n && table_get(v->sessions, key, 0)))
		return true;
	reply->ops->fail(reply, key.n ? 404 : 400, SL("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32001,\"message\":\"Session not found\"}}"));
	return false;
}

/* It speaks the revisions with a handshake; clients of others fall back to those when they are told. */
static bool knows_version(const struct ask *ask, const struct rpc *rpc, struct arena *arena, struct reply *reply)
{
	const struct era *era = ask->version.p ? era_find(ask->version) : era_assumed();
	struct slice version = ask->version;
	struct buf out, data;

	if (era && era->handshake && stateless_read(rpc, arena, &version) == STATELESS_NOT)
		return true;
	buf_init(&out, 4096);
	buf_init(&data, 4096);
	era_unsupported(&data, version.n ? version : ask->version, ERA_HANDSHAKE);
	rpc_make_error(&out, rpc_id(rpc), MCP_UNSUPPORTED_VERSION, SL("Unsupported protocol version"), buf_slice(&data));
	reply->ops->fail(reply, 400, buf_slice(&out));
	buf_finish(&out);
	buf_finish(&data);
	return false;
}

static void post(struct front *front, const struct ask *ask, struct reply *reply)
{
	struct demo_vault *v = (struct demo_vault *)(void *)front;
	struct rpc rpc;

	if (rpc_parse(&rpc, ask->body, &v->arena, NULL) != E_OK) {
		reply->ops->fail(reply, 400, SL("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"Parse error\"}}"));
	} else if (knows_version(ask, &rpc, &v->arena, reply) && knows_session(v, ask, rpc.kind == RPC_REQUEST && slice_eq(rpc.method_name, SL("initialize")), reply)) {
		struct turn turn = { .vault = v, .rpc = &rpc, .reply = reply };

		if (rpc.kind == RPC_REQUEST)
			answer(&turn);
		else
			reply->ops->accepted(reply);
	}
	arena_reset(&v->arena);
}

static void listen_for(struct front *front, const struct ask *ask, struct reply *reply)
{
	(void)front;
	if (!ask->stdio) /* it has nothing to say by itself */
		reply->ops->fail(reply, 405, SL("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"Method not allowed\"}}"));
}

static void end_session(struct front *front, const struct ask *ask, struct reply *reply)
{
	struct demo_vault *v = (struct demo_vault *)(void *)front;

	if (!knows_session(v, ask, false, reply))
		return;
	table_remove(v->sessions, ask->session);
	reply->ops->accepted(reply);
}

static bool has_upstream(const struct front *front, struct slice name)
{
	(void)front;
	return name.n == 0;
}

static const struct front_ops demo_ops = {
	.post = post, .listen = listen_for, .end_session = end_session, .has_upstream = has_upstream };

bool demo_vault_init(struct demo_vault *v)
{
	*v = (struct demo_vault){ .front = { &demo_ops } };
	arena_init(&v->arena, 64u << 20);
	v->sessions = table_create(MAX_DEMO_SESSIONS, NULL);
	return v->sessions && demo_store_init(&v->store);
}

void demo_vault_finish(struct demo_vault *v)
{
	table_free(v->sessions);
	demo_store_finish(&v->store);
	arena_finish(&v->arena);
}
