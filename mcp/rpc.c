#include "mcp/rpc.h"

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* The members an envelope may have. */
enum { VERSION, ID, METHOD, PARAMS, RESULT, ERROR, N_MEMBERS };

/* Tokens of their values; JSON_NONE where there is none. */
struct envelope {
	uint32_t at[N_MEMBERS];
};

/* Which member a name token is; N_MEMBERS: none. */
static int member_of(const struct json *j, uint32_t name)
{
	if (json_string_eq(j, name, SL("jsonrpc")))
		return VERSION;
	if (json_string_eq(j, name, SL("id")))
		return ID;
	if (json_string_eq(j, name, SL("method")))
		return METHOD;
	if (json_string_eq(j, name, SL("params")))
		return PARAMS;
	if (json_string_eq(j, name, SL("result")))
		return RESULT;
	return json_string_eq(j, name, SL("error")) ? ERROR : N_MEMBERS;
}

/* The functions below set *bad to the token that is at fault. */

static enum err read_envelope(const struct json *j, struct envelope *e, uint32_t *bad)
{
	*bad = 0;
	for (int i = 0; i < N_MEMBERS; i++)
		e->at[i] = JSON_NONE;
	if (json_is(j, 0, JSON_ARRAY))
		return E_BATCH;
	if (!json_is(j, 0, JSON_OBJECT))
		return E_ENVELOPE;
	for (uint32_t c = json_first(j, 0); c < j->tok[0].next; c = j->tok[c + 1].next) {
		int member = member_of(j, c);
		*bad = c;
		if (member == N_MEMBERS)
			return E_MEMBER;
		e->at[member] = c + 1;
	}
	*bad = e->at[VERSION] == JSON_NONE ? 0 : e->at[VERSION];
	if (!json_is(j, e->at[VERSION], JSON_STRING) || !json_string_eq(j, e->at[VERSION], SL("2.0")))
		return E_ENVELOPE;
	return E_OK;
}

static bool is_valid_id(const struct json *j, uint32_t id)
{
	struct slice raw = json_raw(j, id);
	int64_t n;

	if (json_is(j, id, JSON_STRING))
		return raw.n <= RPC_MAX_ID;
	return json_int(j, id, &n) && !slice_eq(raw, SL("-0"));
}

static enum err read_call(struct rpc *out, const struct envelope *e, struct arena *arena, uint32_t *bad)
{
	const struct json *j = &out->json;

	*bad = e->at[RESULT] != JSON_NONE ? e->at[RESULT] : e->at[ERROR];
	if (*bad != JSON_NONE)
		return E_ENVELOPE;
	*bad = e->at[METHOD];
	if (!json_is(j, e->at[METHOD], JSON_STRING))
		return E_ENVELOPE;
	*bad = e->at[PARAMS];
	if (e->at[PARAMS] != JSON_NONE && !json_is(j, e->at[PARAMS], JSON_OBJECT))
		return E_ENVELOPE;
	*bad = e->at[ID];
	if (e->at[ID] != JSON_NONE && !is_valid_id(j, e->at[ID]))
		return E_ID;
	out->kind = e->at[ID] == JSON_NONE ? RPC_NOTIFICATION : RPC_REQUEST;
	out->id = e->at[ID];
	out->method = e->at[METHOD];
	out->params = e->at[PARAMS];
	out->method_name = json_string(j, e->at[METHOD], arena);
	*bad = e->at[METHOD];
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
		if (!json_string_eq(j, c, SL("code")) && !json_string_eq(j, c, SL("message")) &&
		    !json_string_eq(j, c, SL("data")))
			return E_MEMBER;
	}
	return E_OK;
}

static enum err read_answer(struct rpc *out, const struct envelope *e, uint32_t *bad)
{
	const struct json *j = &out->json;
	bool is_result = e->at[RESULT] != JSON_NONE, no_id = e->at[ID] == JSON_NONE || json_is(j, e->at[ID], JSON_NULL);
	enum err err;

	*bad = 0;
	if (e->at[PARAMS] != JSON_NONE || is_result == (e->at[ERROR] != JSON_NONE))
		return E_ENVELOPE;
	*bad = e->at[RESULT];
	if (is_result && !json_is(j, e->at[RESULT], JSON_OBJECT))
		return E_ENVELOPE;
	err = is_result ? E_OK : check_error(j, e->at[ERROR], bad);
	if (err != E_OK)
		return err;
	*bad = e->at[ID] == JSON_NONE ? 0 : e->at[ID];
	if (no_id ? is_result : !is_valid_id(j, e->at[ID]))
		return E_ID;
	out->kind = is_result ? RPC_RESULT : RPC_ERROR;
	out->id = no_id ? JSON_NONE : e->at[ID];
	out->result = e->at[RESULT];
	out->error = e->at[ERROR];
	return E_OK;
}

static const struct rpc no_message = {
	.id = JSON_NONE, .method = JSON_NONE, .params = JSON_NONE, .result = JSON_NONE, .error = JSON_NONE,
};

enum err rpc_parse(struct rpc *out, struct slice text, struct arena *arena, size_t *at)
{
	struct envelope envelope;
	uint32_t bad = 0;
	enum err e;

	*out = no_message;
	e = json_parse(&out->json, text, arena, at);
	if (e != E_OK)
		return e;
	e = read_envelope(&out->json, &envelope, &bad);
	if (e == E_OK && envelope.at[METHOD] != JSON_NONE)
		e = read_call(out, &envelope, arena, &bad);
	else if (e == E_OK)
		e = read_answer(out, &envelope, &bad);
	if (e == E_OK)
		return E_OK;
	if (at)
		*at = out->json.tok[bad].off;
	*out = no_message;
	return e;
}

struct slice rpc_id(const struct rpc *r)
{
	return r->id == JSON_NONE ? (struct slice){ NULL, 0 } : json_source(&r->json, r->id);
}

struct slice rpc_id_key(const struct rpc *r, struct arena *arena)
{
	struct slice text = rpc_id(r), decoded;

	if (r->id == JSON_NONE || !(r->json.tok[r->id].flags & JSON_ESCAPED))
		return text;
	decoded = json_string(&r->json, r->id, arena);
	return decoded.p ? arena_join(arena, SL("\""), decoded, SL("\"")) : decoded;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

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
