#include "mcp/rpc.h"

#define MAX_INT_ID (INT64_C(1) << 53)

/* --- reading -------------------------------------------------------------------------------------------------------- */

/* Tokens of the members of the envelope; JSON_NONE where there is none. */
struct envelope {
	uint32_t version, id, method, params, result, error;
};

/* Where the value of the envelope's member `name` goes; NULL: a member no envelope has. */
static uint32_t *envelope_slot(struct envelope *e, const struct json *j, uint32_t name)
{
	const struct {
		struct slice name;
		uint32_t *slot;
	} slots[] = {
		{ SL("jsonrpc"), &e->version }, { SL("id"), &e->id }, { SL("method"), &e->method },
		{ SL("params"), &e->params }, { SL("result"), &e->result }, { SL("error"), &e->error },
	};

	for (size_t i = 0; i < sizeof(slots) / sizeof(*slots); i++)
		if (json_string_eq(j, name, slots[i].name))
			return slots[i].slot;
	return NULL;
}

/* The functions below set *bad to the token that is at fault. */

static enum err read_envelope(const struct json *j, struct envelope *e, uint32_t *bad)
{
	*e = (struct envelope){ JSON_NONE, JSON_NONE, JSON_NONE, JSON_NONE, JSON_NONE, JSON_NONE };
	*bad = 0;
	if (json_is(j, 0, JSON_ARRAY))
		return E_BATCH;
	if (!json_is(j, 0, JSON_OBJECT))
		return E_ENVELOPE;
	for (uint32_t c = json_first(j, 0); c < j->tok[0].next; c = j->tok[c + 1].next) {
		uint32_t *slot = envelope_slot(e, j, c);
		*bad = c;
		if (!slot)
			return E_MEMBER;
		*slot = c + 1;
	}
	*bad = e->version == JSON_NONE ? 0 : e->version;
	return json_is(j, e->version, JSON_STRING) && json_string_eq(j, e->version, SL("2.0")) ? E_OK : E_ENVELOPE;
}

static bool is_valid_id(const struct json *j, uint32_t id)
{
	struct slice raw = json_raw(j, id);
	int64_t n;

	if (json_is(j, id, JSON_STRING))
		return raw.n <= RPC_MAX_ID;
	return json_int(j, id, &n) && n >= -MAX_INT_ID && n <= MAX_INT_ID && !slice_eq(raw, SL("-0"));
}

static enum err read_call(struct rpc *out, const struct envelope *e, struct arena *arena, uint32_t *bad)
{
	const struct json *j = &out->json;

	*bad = e->result != JSON_NONE ? e->result : e->error;
	if (*bad != JSON_NONE)
		return E_ENVELOPE;
	*bad = e->method;
	if (!json_is(j, e->method, JSON_STRING))
		return E_ENVELOPE;
	*bad = e->params;
	if (e->params != JSON_NONE && !json_is(j, e->params, JSON_OBJECT))
		return E_ENVELOPE;
	*bad = e->id;
	if (e->id != JSON_NONE && !is_valid_id(j, e->id))
		return E_ID;
	out->kind = e->id == JSON_NONE ? RPC_NOTIFICATION : RPC_REQUEST;
	out->id = e->id;
	out->method = e->method;
	out->params = e->params;
	out->method_name = json_string(j, e->method, arena);
	*bad = e->method;
	return out->method_name.p ? E_OK : E_NOMEM;
}

static enum err check_error(const struct json *j, uint32_t error, uint32_t *bad)
{
	int64_t code;

	*bad = error;
	if (!json_is(j, error, JSON_OBJECT))
		return E_ENVELOPE;
	if (!json_int(j, json_member(j, error, SL("code")), &code))
		return E_ENVELOPE;
	if (!json_is(j, json_member(j, error, SL("message")), JSON_STRING))
		return E_ENVELOPE;
	for (uint32_t c = json_first(j, error); c < j->tok[error].next; c = j->tok[c + 1].next) {
		*bad = c;
		if (!json_string_eq(j, c, SL("code")) && !json_string_eq(j, c, SL("message")) && !json_string_eq(j, c, SL("data")))
			return E_MEMBER;
	}
	return E_OK;
}

static enum err read_answer(struct rpc *out, const struct envelope *e, uint32_t *bad)
{
	const struct json *j = &out->json;
	bool is_result = e->result != JSON_NONE, no_id = e->id == JSON_NONE || json_is(j, e->id, JSON_NULL);
	enum err err;

	*bad = 0;
	if (e->params != JSON_NONE || is_result == (e->error != JSON_NONE))
		return E_ENVELOPE;
	*bad = e->result;
	if (is_result && !json_is(j, e->result, JSON_OBJECT))
		return E_ENVELOPE;
	err = is_result ? E_OK : check_error(j, e->error, bad);
	if (err != E_OK)
		return err;
	*bad = e->id == JSON_NONE ? 0 : e->id;
	if (no_id ? is_result : !is_valid_id(j, e->id))
		return E_ID;
	out->kind = is_result ? RPC_RESULT : RPC_ERROR;
	out->id = no_id ? JSON_NONE : e->id;
	out->result = e->result;
	out->error = e->error;
	return E_OK;
}

enum err rpc_parse(struct rpc *out, struct slice text, struct arena *arena, size_t *at)
{
	struct envelope envelope;
	uint32_t bad = 0;
	enum err e;

	*out = (struct rpc){ .id = JSON_NONE, .method = JSON_NONE, .params = JSON_NONE, .result = JSON_NONE, .error = JSON_NONE };
	e = json_parse(&out->json, text, arena, at);
	if (e != E_OK)
		return e;
	e = read_envelope(&out->json, &envelope, &bad);
	if (e == E_OK)
		e = envelope.method != JSON_NONE ? read_call(out, &envelope, arena, &bad) : read_answer(out, &envelope, &bad);
	if (e == E_OK)
		return E_OK;
	if (at)
		*at = out->json.tok[bad].off;
	*out = (struct rpc){ .id = JSON_NONE, .method = JSON_NONE, .params = JSON_NONE, .result = JSON_NONE, .error = JSON_NONE };
	return e;
}

struct slice rpc_id(const struct rpc *r)
{
	return r->id == JSON_NONE ? (struct slice){ NULL, 0 } : json_source(&r->json, r->id);
}

struct slice rpc_id_key(const struct rpc *r, struct arena *arena)
{
	struct slice text = rpc_id(r), decoded;
	char *key;

	if (r->id == JSON_NONE || !(r->json.tok[r->id].flags & JSON_ESCAPED))
		return text;
	decoded = json_string(&r->json, r->id, arena);
	key = decoded.p ? arena_alloc_raw(arena, decoded.n + 2) : NULL;
	if (!key)
		return (struct slice){ NULL, 0 };
	key[0] = key[decoded.n + 1] = '"';
	if (decoded.n)
		memcpy(key + 1, decoded.p, decoded.n);
	return slice_make(key, decoded.n + 2);
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

/* The first error wins; the rest of the run is skipped. */
static enum err add(struct buf *out, enum err before, struct slice s)
{
	return before == E_OK ? buf_add(out, s) : before;
}

static enum err finish(struct buf *out, enum err e, size_t before)
{
	if (e != E_OK)
		out->n = before;
	return e;
}

static enum err add_head(struct buf *out, struct slice id)
{
	enum err e = buf_add(out, SL("{\"jsonrpc\":\"2.0\",\"id\":"));

	return add(out, e, id.n ? id : SL("null"));
}

enum err rpc_make_error(struct buf *out, struct slice id, int code, struct slice message, struct slice data)
{
	size_t before = out->n;
	enum err e = add_head(out, id);

	if (e == E_OK)
		e = buf_add_fmt(out, ",\"error\":{\"code\":%d,\"message\":", code);
	if (e == E_OK)
		e = buf_add_json_string(out, message);
	if (data.n) {
		e = add(out, e, SL(",\"data\":"));
		e = add(out, e, data);
	}
	return finish(out, add(out, e, SL("}}")), before);
}

enum err rpc_make_result(struct buf *out, struct slice id, struct slice result)
{
	size_t before = out->n;
	enum err e = add_head(out, id);

	e = add(out, e, SL(",\"result\":"));
	e = add(out, e, result);
	return finish(out, add(out, e, SL("}")), before);
}
