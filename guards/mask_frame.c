/* The message around the payloads of an answer that bears values: what nobody described does not go on. */
#include "base/base64.h"
#include "guards/error_text.h"
#include "guards/mask_walk.h"
#include "guards/response.h"

/* Stands where a resource's address was that might hold a value: still a URI. */
#define MASKED_URI "urn:narrowgate:masked"
#define MASKED_BLOCK "{\"type\":\"text\",\"text\":\"" MASK_MARKER "\"}"

static void note(struct mask *m, enum err e)
{
	if (m->err == E_OK)
		m->err = e;
}

/* Removes the members of an object whose names are not in the NULL-terminated list. */
static void keep_only(struct mask *m, struct doc *d, uint32_t obj, const char *const *names)
{
	const struct json *j = &d->json;

	if (!json_is(j, obj, JSON_OBJECT))
		return;
	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next; t = j->tok[t + 1].next) {
		if (!json_string_among(j, t, names))
			note(m, doc_remove(d, t));
	}
}

/* The URI the agent asked for, or one of the vault's known templates: neither is a place for a value. */
static bool is_known_uri(const struct mask *m, struct slice uri)
{
	struct uri_var vars[CATALOG_MAX_VARS];
	size_t n = 0;

	if (m->call->method->id == M_RESOURCES_READ && slice_eq(uri, m->call->name))
		return true;
	return m->view->catalog && catalog_resource(m->view->catalog, uri, vars, &n);
}

static void mask_uri(struct mask *m, struct doc *d, uint32_t tok)
{
	if (tok == JSON_NONE)
		return;
	struct slice uri = json_is(&d->json, tok, JSON_STRING) ? json_string(&d->json, tok, d->arena) : SL("");
	if (!is_known_uri(m, uri))
		note(m, doc_set_string(d, tok, SL(MASKED_URI)));
}

/* A blob that could be read was masked inside; one that could not goes whole. */
static void mask_blob(struct mask *m, struct doc *d, uint32_t tok)
{
	if (tok == JSON_NONE || doc_opened(d, tok))
		return;
	struct slice blob = base64_encode(SL(MASK_MARKER), d->arena);
	note(m, blob.p ? doc_set_string(d, tok, blob) : E_NOMEM);
}

static void mask_contents_item(struct mask *m, struct doc *d, uint32_t item)
{
	static const char *const KNOWN[] = { "uri", "mimeType", "text", "blob", NULL };
	const struct json *j = &d->json;
	uint32_t text = json_member(j, item, SL("text"));

	if (!json_is(j, item, JSON_OBJECT)) {
		if (item != JSON_NONE)
			mask_all(m, d, item);
		return;
	}
	keep_only(m, d, item, KNOWN);
	mask_uri(m, d, json_member(j, item, SL("uri")));
	mask_blob(m, d, json_member(j, item, SL("blob")));
	if (text != JSON_NONE && !json_is(j, text, JSON_STRING))
		note(m, doc_set_string(d, text, SL(MASK_MARKER)));
}

/* A block whose text was not read as a payload, and every other kind: as little as it can be. */
static void mask_block(struct mask *m, struct doc *d, uint32_t block, bool must_stay)
{
	static const char *const TEXT[] = { "type", "text", NULL };
	static const char *const RESOURCE[] = { "type", "resource", NULL };
	static const char *const LINK[] = { "type", "uri", "name", "mimeType", NULL };
	const struct json *j = &d->json;
	uint32_t type = json_member(j, block, SL("type")), uri = json_member(j, block, SL("uri"));

	if (json_is(j, type, JSON_STRING) && json_string_eq(j, type, SL("text")) &&
		json_is(j, json_member(j, block, SL("text")), JSON_STRING)) {
		keep_only(m, d, block, TEXT);
	} else if (json_is(j, type, JSON_STRING) && json_string_eq(j, type, SL("resource"))) {
		keep_only(m, d, block, RESOURCE);
		mask_contents_item(m, d, json_member(j, block, SL("resource")));
	} else if (json_is(j, type, JSON_STRING) && json_string_eq(j, type, SL("resource_link")) &&
		json_is(j, uri, JSON_STRING) && is_known_uri(m, json_string(j, uri, d->arena))) {
		keep_only(m, d, block, LINK);
		uint32_t name = json_member(j, block, SL("name"));
		note(m, name == JSON_NONE ? E_OK : doc_set_string(d, name, SL(MASK_MARKER)));
	} else if (must_stay) {
		note(m, doc_set_raw(d, block, SL(MASKED_BLOCK)));
	} else {
		note(m, doc_remove(d, block));
	}
}

static void mask_blocks(struct mask *m, struct doc *d, uint32_t array)
{
	const struct json *j = &d->json;

	if (array == JSON_NONE)
		return;
	if (!json_is(j, array, JSON_ARRAY)) {
		note(m, doc_set_raw(d, array, SL("[]")));
		return;
	}
	for (uint32_t t = json_first(j, array); t < j->tok[array].next; t = j->tok[t].next)
		mask_block(m, d, t, false);
}

static void mask_contents(struct mask *m, struct doc *d, uint32_t array)
{
	const struct json *j = &d->json;

	if (json_is(j, array, JSON_ARRAY))
		for (uint32_t t = json_first(j, array); t < j->tok[array].next; t = j->tok[t].next)
			mask_contents_item(m, d, t);
	else if (array != JSON_NONE)
		note(m, doc_set_raw(d, array, SL("[]")));
}

static void mask_messages(struct mask *m, struct doc *d, uint32_t array)
{
	static const char *const KNOWN[] = { "role", "content", NULL };
	const struct json *j = &d->json;

	if (!json_is(j, array, JSON_ARRAY)) {
		note(m, array == JSON_NONE ? E_OK : doc_set_raw(d, array, SL("[]")));
		return;
	}
	for (uint32_t t = json_first(j, array); t < j->tok[array].next; t = j->tok[t].next) {
		uint32_t content = json_member(j, t, SL("content"));
		if (content == JSON_NONE) {
			note(m, doc_remove(d, t));
			continue;
		}
		keep_only(m, d, t, KNOWN);
		if (json_is(j, content, JSON_ARRAY))
			mask_blocks(m, d, content);
		else
			mask_block(m, d, content, true);
	}
}

/* Members of the frame that are words of the protocol, and nothing else. */
static void mask_words(struct mask *m, struct doc *d, uint32_t result)
{
	const struct json *j = &d->json;
	uint32_t failed = json_member(j, result, SL("isError")), type = json_member(j, result, SL("resultType"));

	if (failed != JSON_NONE && !json_is(j, failed, JSON_FALSE) && !json_is(j, failed, JSON_TRUE))
		note(m, doc_set_raw(d, failed, SL("true")));
	if (type != JSON_NONE && !(json_is(j, type, JSON_STRING) && (json_string_eq(j, type, SL("complete")) ||
		json_string_eq(j, type, SL("input_required")) || json_string_eq(j, type, SL("task")))))
		note(m, doc_set_string(d, type, SL("complete")));
}

void mask_frame(struct mask *m, struct result *r)
{
	static const char *const TOOL[] = { "content", "structuredContent", "isError", "resultType", NULL };
	static const char *const READ[] = { "contents", "resultType", "ttlMs", "cacheScope", NULL };
	static const char *const PROMPT[] = { "messages", "resultType", NULL };
	struct doc *d = r->root;
	uint32_t result = r->rpc->result;
	const struct json *j = &d->json;

	mask_words(m, d, result);
	switch ((int)m->call->method->id) {
	case M_TOOLS_CALL:
		keep_only(m, d, result, TOOL);
		mask_blocks(m, d, json_member(j, result, SL("content")));
		break;
	case M_RESOURCES_READ:
		keep_only(m, d, result, READ);
		mask_contents(m, d, json_member(j, result, SL("contents")));
		break;
	default:
		keep_only(m, d, result, PROMPT);
		mask_messages(m, d, json_member(j, result, SL("messages")));
		break;
	}
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

static void mask_rpc_error(struct mask *m, struct result *r)
{
	static const char *const KNOWN[] = { "code", "message", NULL };
	struct doc *d = r->root;
	uint32_t message = json_member(&d->json, r->rpc->error, SL("message"));

	keep_only(m, d, r->rpc->error, KNOWN);
	if (!json_is(&d->json, message, JSON_STRING)) {
		note(m, message == JSON_NONE ? E_OK : doc_set_string(d, message, SL("The vault reported an error.")));
		return;
	}
	struct slice text = json_string(&d->json, message, d->arena);
	struct slice sentence = text.p ? error_sentence(m->view, m->call, text) : text;
	note(m, sentence.p ? doc_set_string(d, message, sentence) : E_NOMEM);
}

/* The result becomes one text item; nothing of the vault's own stays. */
static void mask_error_result(struct mask *m, struct result *r)
{
	static const char *const KNOWN[] = { "content", "isError", "resultType", NULL };
	struct doc *d = r->root;
	uint32_t result = r->rpc->result, content = json_member(&d->json, result, SL("content"));
	struct slice text = SL(""), sentence;
	struct buf b;

	for (size_t i = 0; i < r->n_payloads && !text.n; i++)
		if (r->payloads[i].kind == PAYLOAD_ERROR_TEXT)
			text = r->payloads[i].doc->text;
	sentence = error_sentence(m->view, m->call, text);
	keep_only(m, d, result, KNOWN);
	mask_words(m, d, result);
	buf_init(&b, 65536);
	note(m, sentence.p ? E_OK : E_NOMEM);
	note(m, buf_add(&b, SL("[{\"type\":\"text\",\"text\":")));
	note(m, buf_add_json_string(&b, sentence));
	note(m, buf_add(&b, SL("}]")));
	struct slice raw = m->err == E_OK ? arena_dup(d->arena, buf_slice(&b)) : (struct slice){ NULL, 0 };
	buf_finish(&b);
	if (m->err == E_OK)
		note(m, !raw.p ? E_NOMEM : content == JSON_NONE ? E_OK : doc_set_raw(d, content, raw));
}

void mask_error(struct mask *m, struct result *r)
{
	if (r->rpc->kind == RPC_ERROR)
		mask_rpc_error(m, r);
	else
		mask_error_result(m, r);
}
