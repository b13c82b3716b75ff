#include "mcp/stateless.h"

static bool has_form(const struct json *j, uint32_t tok, enum json_type type, bool required)
{
	return tok == JSON_NONE ? !required : json_is(j, tok, type);
}

enum stateless_read stateless_read(const struct rpc *rpc, struct arena *arena, struct slice *version)
{
	const struct json *j = &rpc->json;
	uint32_t meta = json_member(j, rpc->params, SL("_meta"));
	uint32_t named = json_member(j, meta, META_VERSION);

	*version = SL("");
	if (named == JSON_NONE)
		return STATELESS_NOT;
	if (!json_is(j, named, JSON_STRING))
		return STATELESS_MALFORMED;
	*version = json_string(j, named, arena);
	const struct era *era = era_find(*version);
	if (!era || era->handshake)
		return STATELESS_UNKNOWN;
	if (!has_form(j, json_member(j, meta, META_CAPABILITIES), JSON_OBJECT, true) ||
		!has_form(j, json_member(j, meta, META_CLIENT), JSON_OBJECT, false) ||
		!has_form(j, json_member(j, meta, META_LOG_LEVEL), JSON_STRING, false))
		return STATELESS_MALFORMED;
	return STATELESS_OK;
}

bool stateless_is_envelope(const struct json *j, uint32_t name)
{
	uint32_t value = name + 1;

	if (json_string_eq(j, name, META_CAPABILITIES) || json_string_eq(j, name, META_CLIENT))
		return json_is(j, value, JSON_OBJECT);
	return (json_string_eq(j, name, META_VERSION) || json_string_eq(j, name, META_LOG_LEVEL)) && json_is(j, value, JSON_STRING);
}
