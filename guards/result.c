#include "guards/guard.h"

struct opening {
	struct result *out;
	const struct out_rule *rule;
	struct doc *root;
	size_t cap;
};

static enum err add_payload(struct opening *o, struct payload p)
{
	struct result *r = o->out;

	if (r->n_payloads == o->cap) {
		size_t cap = o->cap ? 2 * o->cap : 4;
		struct payload *grown = arena_array(o->root->arena, cap, sizeof *grown);
		if (!grown)
			return E_NOMEM;
		if (r->n_payloads)
			memcpy(grown, r->payloads, r->n_payloads * sizeof *grown);
		r->payloads = grown;
		o->cap = cap;
	}
	r->payloads[r->n_payloads++] = p;
	return E_OK;
}

/* Something nobody reads: an image, a link, a member of another kind. */
static enum err add_other(struct opening *o, uint32_t tok, uint32_t block, struct slice uri)
{
	return add_payload(o,
		(struct payload){ .kind = PAYLOAD_OTHER, .doc = o->root, .root = tok, .block = block, .uri = uri });
}

/* The members of an object whose names are not in the NULL-terminated list. */
static enum err add_extras(struct opening *o, uint32_t obj, const char *const *known)
{
	const struct json *j = &o->root->json;
	enum err e = E_OK;

	if (!json_is(j, obj, JSON_OBJECT))
		return E_OK;
	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next && e == E_OK; t = j->tok[t + 1].next) {
		if (!json_string_among(j, t, known))
			e = add_payload(o, (struct payload){ .kind = PAYLOAD_EXTRA, .doc = o->root, .root = t + 1,
				.block = JSON_NONE });
	}
	return e;
}

/* A string that holds a document of its own. */
static enum err add_text(struct opening *o, enum payload_kind kind, uint32_t tok, uint32_t block, struct slice uri)
{
	struct doc *d;

	if (!json_is(&o->root->json, tok, JSON_STRING))
		return tok == JSON_NONE ? E_OK : add_other(o, tok, block, uri);
	if (kind == PAYLOAD_RESOURCE_BLOB)
		d = doc_inside_blob(o->root, tok);
	else
		d = doc_inside(o->root, tok, o->rule ? o->rule->after : SL(""));
	if (!d)
		return kind == PAYLOAD_RESOURCE_BLOB ? add_other(o, tok, block, uri) : E_NOMEM;
	uint32_t root = d->kind == DOC_JSON ? 0 : JSON_NONE;
	return add_payload(o, (struct payload){ .kind = kind, .doc = d, .root = root, .block = block, .uri = uri });
}

static struct slice member_text(struct opening *o, uint32_t obj, struct slice name)
{
	const struct json *j = &o->root->json;
	uint32_t t = json_member(j, obj, name);

	return json_is(j, t, JSON_STRING) ? json_string(j, t, o->root->arena) : (struct slice){ NULL, 0 };
}

/* One item of resources/read, or the inside of an embedded resource. */
static enum err open_resource(struct opening *o, uint32_t resource, uint32_t block)
{
	static const char *const KNOWN[] = { "uri", "mimeType", "text", "blob", NULL };
	const struct json *j = &o->root->json;
	struct slice uri = member_text(o, resource, SL("uri"));
	uint32_t text = json_member(j, resource, SL("text")), blob = json_member(j, resource, SL("blob"));
	enum err e;

	if (text == JSON_NONE && blob == JSON_NONE)
		return add_other(o, resource, block, uri);
	e = add_extras(o, resource, KNOWN);
	if (e == E_OK && text != JSON_NONE)
		e = add_text(o, PAYLOAD_RESOURCE_TEXT, text, block, uri);
	return e == E_OK && blob != JSON_NONE ? add_text(o, PAYLOAD_RESOURCE_BLOB, blob, block, uri) : e;
}

/* One content block of a tool's or prompt's answer. */
static enum err open_block(struct opening *o, uint32_t block)
{
	static const char *const TEXT[] = { "type", "text", NULL }, *const RESOURCE[] = { "type", "resource", NULL };
	static const char *const MEDIA[] = { "type", "data", "mimeType", NULL };
	const struct json *j = &o->root->json;
	uint32_t type = json_member(j, block, SL("type"));
	enum err e;

	if (!json_is(j, type, JSON_STRING))
		return add_other(o, block, block, (struct slice){ NULL, 0 });
	if (json_string_eq(j, type, SL("text"))) {
		enum payload_kind kind = o->out->is_error ? PAYLOAD_ERROR_TEXT : PAYLOAD_TEXT;
		e = add_extras(o, block, TEXT);
		return e != E_OK ? e : add_text(o, kind, json_member(j, block, SL("text")), block, (struct slice){ NULL, 0 });
	}
	if (json_string_eq(j, type, SL("resource"))) {
		e = add_extras(o, block, RESOURCE);
		return e != E_OK ? e : open_resource(o, json_member(j, block, SL("resource")), block);
	}
	if (json_string_eq(j, type, SL("image")) || json_string_eq(j, type, SL("audio"))) {
		e = add_extras(o, block, MEDIA);
		if (e != E_OK)
			return e;
	}
	return add_other(o, block, block, member_text(o, block, SL("uri")));
}

static enum err open_blocks(struct opening *o, uint32_t array)
{
	const struct json *j = &o->root->json;
	enum err e = E_OK;

	for (uint32_t t = json_first(j, array); t < j->tok[array].next && e == E_OK; t = j->tok[t].next)
		e = open_block(o, t);
	return e;
}

static bool selects_result(const struct selector *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i].n && s[i].steps[0].kind == STEP_MEMBER && slice_eq(s[i].steps[0].name, SL("result")))
			return true;
	return false;
}

/*
 * Servers whose tools return a bare value wrap it as {"result": …} in structuredContent, and the text item holds it bare:
 * the catalog's selectors, written for the text, then start inside.
 */
static uint32_t unwrap(const struct opening *o, uint32_t tok)
{
	const struct json *j = &o->root->json;
	uint32_t inner = json_member(j, tok, SL("result"));

	if (inner == JSON_NONE || j->tok[tok].count != 1)
		return tok;
	const struct out_rule *r = o->rule;
	if (r && (selects_result(r->values, r->n_values) || selects_result(r->items, r->n_items)))
		return tok;
	return inner;
}

static enum err open_structured(struct opening *o, uint32_t tok)
{
	if (tok == JSON_NONE)
		return E_OK;
	uint32_t root = unwrap(o, tok);
	if (json_is(&o->root->json, root, JSON_STRING))
		return add_text(o, PAYLOAD_STRUCTURED, root, JSON_NONE, (struct slice){ NULL, 0 });
	return add_payload(o,
		(struct payload){ .kind = PAYLOAD_STRUCTURED, .doc = o->root, .root = root, .block = JSON_NONE });
}

static enum err open_tool_result(struct opening *o, uint32_t result)
{
	static const char *const KNOWN[] = { "content", "structuredContent", "isError", "resultType", NULL };
	const struct json *j = &o->root->json;
	uint32_t content = json_member(j, result, SL("content"));
	enum err e = add_extras(o, result, KNOWN);

	if (e == E_OK && json_is(j, content, JSON_ARRAY))
		e = open_blocks(o, content);
	return e == E_OK ? open_structured(o, json_member(j, result, SL("structuredContent"))) : e;
}

static enum err open_contents(struct opening *o, uint32_t result)
{
	static const char *const KNOWN[] = { "contents", "resultType", "ttlMs", "cacheScope", NULL };
	const struct json *j = &o->root->json;
	uint32_t contents = json_member(j, result, SL("contents"));
	enum err e = add_extras(o, result, KNOWN);

	if (json_is(j, contents, JSON_ARRAY))
		for (uint32_t t = json_first(j, contents); t < j->tok[contents].next && e == E_OK; t = j->tok[t].next)
			e = open_resource(o, t, t);
	return e;
}

static enum err open_prompt(struct opening *o, uint32_t result)
{
	static const char *const KNOWN[] = { "messages", "resultType", NULL }, *const MESSAGE[] = { "role", "content", NULL };
	const struct json *j = &o->root->json;
	uint32_t messages = json_member(j, result, SL("messages"));
	enum err e = add_extras(o, result, KNOWN);

	if (!json_is(j, messages, JSON_ARRAY))
		return e;
	for (uint32_t t = json_first(j, messages); t < j->tok[messages].next && e == E_OK; t = j->tok[t].next) {
		uint32_t content = json_member(j, t, SL("content"));
		e = add_extras(o, t, MESSAGE);
		if (e != E_OK)
			break;
		if (json_is(j, content, JSON_OBJECT))
			e = open_block(o, content);
		else if (json_is(j, content, JSON_ARRAY))
			e = open_blocks(o, content);
		else if (content != JSON_NONE)
			e = add_other(o, content, content, (struct slice){ NULL, 0 });
	}
	return e;
}

static enum err open_error(struct opening *o, uint32_t error)
{
	static const char *const KNOWN[] = { "code", "message", NULL };
	uint32_t message = json_member(&o->root->json, error, SL("message"));
	enum err e = add_text(o, PAYLOAD_ERROR_TEXT, message, JSON_NONE, (struct slice){ NULL, 0 });

	return e == E_OK ? add_extras(o, error, KNOWN) : e;
}

/* The completed values are judged by what was to be completed. */
static enum err open_completion(struct opening *o, uint32_t result)
{
	static const char *const KNOWN[] = { "completion", "resultType", NULL };
	static const char *const PARTS[] = { "values", "total", "hasMore", NULL };
	uint32_t completion = json_member(&o->root->json, result, SL("completion"));
	uint32_t values = json_member(&o->root->json, completion, SL("values"));
	enum err e = add_extras(o, result, KNOWN);

	if (e == E_OK)
		e = add_extras(o, completion, PARTS);
	return e != E_OK || values == JSON_NONE ? e : add_other(o, values, JSON_NONE, (struct slice){ NULL, 0 });
}

/* What the vault sends by itself: its params are data; of a log message what it logs, where `data` is no value's name. */
static enum err open_params(struct opening *o, const struct rpc *rpc)
{
	static const char *const KNOWN[] = { "level", "data", NULL };
	bool logs = slice_eq(rpc->method_name, method_by_id(M_N_MESSAGE)->name);
	uint32_t root = logs ? json_member(&rpc->json, rpc->params, SL("data")) : rpc->params;
	enum err e = logs ? add_extras(o, rpc->params, KNOWN) : E_OK;

	if (e != E_OK || root == JSON_NONE)
		return e;
	if (json_is(&rpc->json, root, JSON_STRING))
		return add_text(o, PAYLOAD_TEXT, root, JSON_NONE, (struct slice){ NULL, 0 });
	return add_payload(o,
		(struct payload){ .kind = PAYLOAD_STRUCTURED, .doc = o->root, .root = root, .block = JSON_NONE });
}

static enum err open_result(struct opening *o, const struct call *call, uint32_t result)
{
	static const char *const LIST[] = { "tools", "resources", "resourceTemplates", "prompts", "nextCursor", "resultType",
		"ttlMs", "cacheScope", NULL };
	static const char *const DISCOVERED[] = { "supportedVersions", "capabilities", "resultType", "ttlMs", "cacheScope", NULL };
	static const char *const HELLO[] = { "protocolVersion", "capabilities", "serverInfo", "resultType", NULL };
	static const char *const NOTHING[] = { "resultType", NULL };
	const struct json *j = &o->root->json;
	uint32_t flag;

	switch ((int)call->method->id) {
	case M_TOOLS_CALL:
		flag = json_member(j, result, SL("isError"));
		/* Anything but a plain false is taken for an error: the text is then not believed to be data. */
		o->out->is_error = flag != JSON_NONE && !json_is(j, flag, JSON_FALSE);
		return open_tool_result(o, result);
	case M_RESOURCES_READ:
		return open_contents(o, result);
	case M_PROMPTS_GET:
		return open_prompt(o, result);
	case M_COMPLETION:
		return open_completion(o, result);
	case M_TOOLS_LIST:
	case M_RESOURCES_LIST:
	case M_RESOURCES_TEMPLATES_LIST:
	case M_PROMPTS_LIST:
		return add_extras(o, result, LIST);
	case M_INITIALIZE:
		return add_extras(o, result, HELLO);
	case M_DISCOVER:
		return add_extras(o, result, DISCOVERED);
	default:
		return add_extras(o, result, NOTHING);
	}
}

enum err result_open(const struct view *view, const struct call *call, const struct rpc *rpc, struct result *out)
{
	struct opening o = { .out = out, .rule = call && call->rule ? &call->rule->out : NULL };

	*out = (struct result){ .rpc = rpc };
	o.root = out->root = doc_root(&rpc->json, view->arena);
	if (!o.root)
		return E_NOMEM;
	if (rpc->kind == RPC_ERROR) {
		out->is_error = true;
		return open_error(&o, rpc->error);
	}
	if (rpc->kind != RPC_RESULT)
		return open_params(&o, rpc);
	return call && call->method ? open_result(&o, call, rpc->result) : E_OK;
}
