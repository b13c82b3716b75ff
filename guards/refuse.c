#include "guards/refuse.h"

#include "mcp/stateless.h"

#define MAX_REFUSAL (64 * 1024)
#define MAX_ECHO 128

/* The call takes a handle, which stands for a path. */
static struct slice ask_for_handle(const struct rule *r, struct arena *a)
{
	struct slice arg = r->takes[0].arg.source;

	if (slice_starts(arg, SL("$.")))
		arg = slice_from(arg, 2);
	if (r->takes[0].hint.n)
		return arena_fmt(a, "%.*s, and give %.*s", SL_ARG(r->takes[0].hint), SL_ARG(arg));
	return arena_fmt(a, "give %.*s", SL_ARG(arg));
}

/* What the agent can do about it; empty where there is nothing. */
static struct slice advice(const struct view *v, const struct call *c, const struct judgement *j)
{
	switch ((int)j->why.reason) {
	case R_HANDLE:
		for (size_t i = 0; c && c->rule && i < c->rule->n_takes; i++)
			if (slice_eq(c->rule->takes[i].arg.source, j->why.what) && c->rule->takes[i].hint.n)
				return c->rule->takes[i].hint;
		return SL("ask the vault for it again first");
	case R_MASKED_INPUT:
		return SL("send a real value, or leave the secret as it is");
	case R_PATH_MISSING:
		if (c && c->rule && c->rule->n_takes && !c->rule->n_paths && !j->why.what.n)
			return ask_for_handle(c->rule, v->arena);
		return j->why.what.n ? SL("") : SL("name a path inside the allowed prefixes, where the tool takes one");
	case R_ARGUMENT:
		return SL("leave that argument out");
	case R_PATH_UNCLEAR:
		return SL("write it as plain segments joined by single slashes");
	case R_CHANGED:
		return SL("do without it, and ask the operator to look at the change and accept it");
	case R_UNPINNED:
		return SL("do without it, and tell the operator");
	case R_LEDGER_FULL:
		return SL("wait until earlier handles expire");
	default:
		return SL("");
	}
}

/* Refused by guard paths, rule allowed-paths: a path is outside the allowed prefixes (path). */
static void add_sentence(struct buf *out, const struct view *v, const struct call *c, const struct judgement *j)
{
	struct slice tip = advice(v, c, j);

	buf_add_fmt(out, "Refused by narrowgate (guard %s, rule %s): %s", j->guard ? j->guard : "message",
		reason_word(j->why.reason), reason_text(j->why.reason));
	if (j->why.what.n)
		buf_add_fmt(out, " (%.*s)", SL_ARG(j->why.what));
	if (tip.n)
		buf_add_fmt(out, "; %.*s", SL_ARG(tip));
	buf_add_char(out, '.');
}

/* The agent's own word, cut at a whole character. */
static struct slice echo(struct slice s)
{
	size_t n = s.n < MAX_ECHO ? s.n : MAX_ECHO;

	while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n--;
	return slice_head(s, n);
}

static void add_member(struct buf *out, const char *name, struct slice text, const char *behind)
{
	buf_add_fmt(out, "\"%s\":", name);
	buf_add_json_string(out, text);
	buf_add(out, slice_of(behind));
}

/* {"narrowgate.dev/refusal": {…}}, with more members before it. */
static void add_details(struct buf *out, const struct view *v, const struct judgement *j, bool uniform)
{
	/* A tool that is withheld and one that does not exist are refused in the same words. */
	enum reason reason = uniform ? R_UNKNOWN_TOOL : j->why.reason;

	buf_add(out, SL("\"narrowgate.dev/refusal\":{"));
	add_member(out, "guard", slice_of(j->guard ? j->guard : "message"), ",");
	add_member(out, "rule", slice_of(reason_word(reason)), ",");
	add_member(out, "profile", v->policy->profile, ",");
	add_member(out, "id", slice_of(j->id), "}");
}

static struct slice keep(struct buf *b, struct arena *a)
{
	struct slice s = b->failed == E_OK ? arena_dup(a, buf_slice(b)) : (struct slice){ NULL, 0 };

	buf_finish(b);
	return s;
}

/* --- one shape each ------------------------------------------------------------------------------------------- */

static struct slice tool_result(const struct view *v, const struct call *c, const struct judgement *j)
{
	struct buf text, result, out;

	buf_init(&text, MAX_REFUSAL);
	buf_init(&result, MAX_REFUSAL);
	buf_init(&out, MAX_REFUSAL);
	add_sentence(&text, v, c, j);
	buf_add(&result, c->rpc->stateless ? SL("{\"resultType\":\"complete\",") : SL("{"));
	buf_add(&result, SL("\"content\":[{\"type\":\"text\",\"text\":"));
	buf_add_json_string(&result, buf_slice(&text));
	buf_add(&result, SL("}],\"isError\":true,\"_meta\":{"));
	add_details(&result, v, j, false);
	buf_add(&result, SL("}}"));
	rpc_make_result(&out, rpc_id(c->rpc), buf_slice(&result));
	if (text.failed != E_OK || result.failed != E_OK)
		out.failed = E_TOO_BIG;
	buf_finish(&text);
	buf_finish(&result);
	return keep(&out, v->arena);
}

struct error_shape {
	int code;
	const char *fixed;    /* the message; NULL: the sentence */
	struct slice named;   /* behind a fixed message */
	bool uniform;         /* says nothing of why */
	struct slice uri;     /* for `data` */
	const char *data;     /* further members of it, a comma behind each; NULL: none */
};

static struct slice error_reply(
	const struct view *v, const struct call *c, const struct judgement *j, const struct error_shape *s)
{
	struct buf message, data, out;

	buf_init(&message, MAX_REFUSAL);
	buf_init(&data, MAX_REFUSAL);
	buf_init(&out, MAX_REFUSAL);
	if (s->fixed)
		buf_add(&message, slice_of(s->fixed));
	else
		add_sentence(&message, v, c, j);
	buf_add(&message, s->named);
	buf_add_char(&data, '{');
	if (s->uri.n)
		add_member(&data, "uri", s->uri, ",");
	if (s->data)
		buf_add(&data, slice_of(s->data));
	add_details(&data, v, j, s->uniform);
	buf_add_char(&data, '}');
	rpc_make_error(&out, rpc_id(c->rpc), s->code, buf_slice(&message), buf_slice(&data));
	if (message.failed != E_OK || data.failed != E_OK)
		out.failed = E_TOO_BIG;
	buf_finish(&message);
	buf_finish(&data);
	return keep(&out, v->arena);
}

static struct error_shape unknown(const char *text, struct slice name)
{
	return (struct error_shape){ .code = RPC_INVALID_PARAMS, .fixed = text, .named = echo(name), .uniform = true };
}

static struct error_shape shape_of(const struct call *c, const struct judgement *j)
{
	bool hidden = j->why.reason == R_UNKNOWN_TOOL || j->why.reason == R_TOOLS;
	enum method m = c->method ? c->method->id : M_UNKNOWN;

	if (j->why.reason == R_CAPABILITY)
		return (struct error_shape){ .code = MCP_MISSING_CAPABILITY, .fixed = "Missing required client capability",
			.data = "\"requiredCapabilities\":{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}," };
	if (method_is_task(m) && j->why.reason == R_HANDLE)
		return (struct error_shape){ .code = RPC_INVALID_PARAMS, .fixed = "Task not found" };
	if (j->why.reason == R_METHOD || m == M_UNKNOWN)
		return (struct error_shape){ .code = RPC_METHOD_NOT_FOUND, .fixed = "Method not found" };
	if (j->why.reason == R_INTERNAL)
		return (struct error_shape){ .code = RPC_INTERNAL_ERROR };
	if (m == M_TOOLS_CALL && hidden)
		return unknown("Unknown tool: ", c->outer && j->why.reason == R_TOOLS ? c->outer_name : c->name);
	if (m == M_PROMPTS_GET && hidden)
		return unknown("Unknown prompt: ", c->name);
	if (m == M_RESOURCES_READ && j->why.reason == R_CHANGED)
		return (struct error_shape){ .code = c->rpc->stateless ? RPC_INVALID_PARAMS : RPC_RESOURCE_NOT_FOUND, .uri = echo(c->name) };
	if (m == M_RESOURCES_READ && j->why.reason != R_MESSAGE)
		return (struct error_shape){ c->rpc->stateless ? RPC_INVALID_PARAMS : RPC_RESOURCE_NOT_FOUND,
			"Resource not found", .uri = echo(c->name) };
	return (struct error_shape){ .code = j->why.reason == R_RESULT_FORM ? RPC_INTERNAL_ERROR : RPC_INVALID_PARAMS };
}

struct slice refuse_request(const struct view *v, const struct call *c, const struct judgement *j)
{
	struct error_shape shape = shape_of(c, j);
	/* Who asked for a task waits for one, and for no result of a tool; that comes with tasks/result. */
	bool tool = c->method && ((c->method->id == M_TOOLS_CALL && !c->as_task) || (c->method->id == M_TASKS_RESULT && c->task));

	if (tool && !shape.fixed && j->why.reason != R_MESSAGE && j->why.reason != R_INTERNAL)
		return tool_result(v, c, j);
	return error_reply(v, c, j, &shape);
}

/* --- what the vault asks -------------------------------------------------------------------------------------- */

static struct slice make(struct slice id, int code, const char *text, struct arena *a)
{
	struct buf out;

	buf_init(&out, MAX_REFUSAL);
	rpc_make_error(&out, id, code, slice_of(text), SL(""));
	return keep(&out, a);
}

static struct slice decline(struct slice id, struct arena *a)
{
	struct buf out;

	buf_init(&out, MAX_REFUSAL);
	rpc_make_result(&out, id, SL("{\"action\":\"decline\"}"));
	return keep(&out, a);
}

struct slice refuse_vault(const struct view *v, const struct rpc *rpc, enum method method, const struct judgement *j)
{
	if (method == M_ELICITATION && j->why.reason != R_MESSAGE)
		return decline(rpc_id(rpc), v->arena);
	if (j->why.reason == R_METHOD)
		return make(rpc_id(rpc), RPC_METHOD_NOT_FOUND, "Method not found", v->arena);
	if (method_is_task(method) && j->why.reason == R_HANDLE)
		return make(rpc_id(rpc), RPC_INVALID_PARAMS, "Task not found", v->arena);
	if (method == M_SAMPLING && j->why.reason != R_MESSAGE)
		return make(rpc_id(rpc), -1, "The user rejected the sampling request", v->arena);
	return make(rpc_id(rpc), RPC_INVALID_PARAMS, "The request was refused", v->arena);
}

struct slice refuse_answer(const struct view *v, const struct rpc *rpc, enum method asked)
{
	if (asked == M_ELICITATION)
		return decline(rpc_id(rpc), v->arena);
	return make(rpc_id(rpc), asked == M_SAMPLING ? -1 : RPC_INTERNAL_ERROR, "The answer was refused", v->arena);
}

struct slice judge_failure(struct slice id, int code, const char *text, struct arena *a)
{
	return make(id, code, text, a);
}
