#include "mcp/mirror.h"

#include "base/base64.h"
#include "base/utf8.h"

#define HEAD SL("=?base64?")
#define TAIL SL("?=")
#define PARAM SL("Mcp-Param-")

/* --- values ------------------------------------------------------------------------------------------------------- */

static bool is_encoded(struct slice s)
{
	return s.n >= HEAD.n + TAIL.n && slice_eq_nocase(slice_head(s, HEAD.n), HEAD) && slice_ends(s, TAIL);
}

static bool is_edge(char c)
{
	return c == ' ' || c == '\t';
}

/* Visible ASCII, with spaces and tabs inside. */
static bool is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 0x7E || ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t'))
			return false;
	return s.n > 0 && !is_edge(s.p[0]) && !is_edge(s.p[s.n - 1]) && !is_encoded(s);
}

struct slice mirror_encode(struct slice text, struct arena *arena)
{
	if (is_plain(text))
		return text;
	struct slice coded = base64_encode(text, arena);
	return coded.p ? arena_join(arena, HEAD, coded, TAIL) : coded;
}

/* Only what an encoder would have written: padding, alphabet and unused bits as they must be. */
bool mirror_decode(struct slice value, struct slice *text, struct arena *arena)
{
	*text = value;
	if (!is_encoded(value))
		return value.n == 0 || is_plain(value);
	struct slice coded = slice_make(value.p + HEAD.n, value.n - HEAD.n - TAIL.n), again;
	if (!base64_decode(text, coded, arena) || !utf8_valid(*text))
		return false;
	again = base64_encode(*text, arena);
	return again.p && slice_eq(again, coded);
}

/* --- what the body says ------------------------------------------------------------------------------------------- */

/* The member that Mcp-Name repeats; NULL: none. */
static const char *named_member(enum method m)
{
	if (m == M_TOOLS_CALL || m == M_PROMPTS_GET)
		return "name";
	if (method_is_task(m) && method_in(method_by_id(m), true))
		return "taskId";
	return m == M_RESOURCES_READ ? "uri" : NULL;
}

static uint32_t find_param(const struct rpc *rpc, const struct mirror_param *p)
{
	uint32_t tok = json_member(&rpc->json, rpc->params, SL("arguments"));

	for (size_t i = 0; i < p->n_path && tok != JSON_NONE; i++)
		tok = json_member(&rpc->json, tok, p->path[i]);
	return tok;
}

/* The argument as text; p == NULL: nothing to repeat. False: of a type that cannot be. */
static bool param_text(const struct rpc *rpc, const struct mirror_param *p, struct slice *text, struct arena *arena)
{
	const struct json *j = &rpc->json;
	uint32_t tok = find_param(rpc, p);
	int64_t n;

	*text = (struct slice){ NULL, 0 };
	if (tok == JSON_NONE || json_is(j, tok, JSON_NULL))
		return true;
	if (json_is(j, tok, JSON_STRING))
		*text = json_string(j, tok, arena);
	else if (json_is(j, tok, JSON_TRUE) || json_is(j, tok, JSON_FALSE) || json_int(j, tok, &n))
		*text = json_raw(j, tok);
	return text->p != NULL;
}

/* --- comparing ---------------------------------------------------------------------------------------------------- */

/* The value of the field `Mcp-Param-NAME`; p == NULL: none. False: it is there twice. */
static bool find_field(struct slice lines, struct slice name, struct slice *value)
{
	bool found = false;

	*value = (struct slice){ NULL, 0 };
	while (lines.n) {
		struct slice line = slice_cut(&lines, '\n');
		struct slice key = slice_cut(&line, ':');

		if (key.n != PARAM.n + name.n || !slice_eq_nocase(slice_head(key, PARAM.n), PARAM) ||
			!slice_eq_nocase(slice_from(key, PARAM.n), name))
			continue;
		if (found)
			return false;
		found = true;
		*value = slice_trim(line);
	}
	return true;
}

bool mirror_has_params(struct slice lines)
{
	while (lines.n) {
		struct slice line = slice_cut(&lines, '\n');

		if (slice_eq_nocase(slice_head(line, PARAM.n), PARAM))
			return true;
	}
	return false;
}

/* A whole number however it is written: `42`, `042`, `42.0`. */
static bool read_whole(struct slice s, int64_t *out)
{
	bool minus = s.n && s.p[0] == '-';
	size_t i = minus, digits = 0;

	for (*out = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && digits < 18; i++, digits++)
		*out = *out * 10 + (s.p[i] - '0');
	if (minus)
		*out = -*out;
	if (i < s.n && digits && s.p[i] == '.')
		for (i++; i < s.n && s.p[i] == '0'; i++)
			;
	return digits && i == s.n && s.p[i - 1] != '.';
}

/* Integers are compared as numbers, all else as texts. */
static bool same_value(struct slice header, struct slice body, bool number, struct arena *arena)
{
	struct slice text;
	int64_t a, b;

	if (!mirror_decode(header, &text, arena))
		return false;
	return slice_eq(text, body) || (number && read_whole(text, &a) && read_whole(body, &b) && a == b);
}

const char *mirror_check_params(struct slice lines, const struct rpc *rpc, const struct mirror_param *p, size_t n, struct arena *arena)
{
	for (size_t i = 0; i < n; i++) {
		struct slice header, body;

		if (!find_field(lines, p[i].header, &header))
			return "an Mcp-Param header appears twice";
		if (!param_text(rpc, &p[i], &body, arena))
			return "an argument that a header must repeat is no string, integer or boolean";
		if (!header.p != !body.p)
			return header.p ? "an Mcp-Param header repeats an argument that is not there" :
				"an Mcp-Param header is missing";
		if (header.p && !same_value(header, body, json_is(&rpc->json, find_param(rpc, &p[i]), JSON_NUMBER), arena))
			return "an Mcp-Param header does not match the body";
	}
	return NULL;
}

const char *mirror_check(const struct mirror_fields *f, const struct rpc *rpc, enum method m, struct arena *arena)
{
	const char *member = named_member(m);
	uint32_t tok = member ? json_member(&rpc->json, rpc->params, slice_of(member)) : JSON_NONE;
	struct slice name;

	if (!f->method.p)
		return "the Mcp-Method header is missing";
	if (!slice_eq(f->method, rpc->method_name))
		return "the Mcp-Method header does not match the body";
	if (member && !f->name.p)
		return "the Mcp-Name header is missing";
	if (member && (!json_is(&rpc->json, tok, JSON_STRING) || !mirror_decode(f->name, &name, arena) ||
		!json_string_eq(&rpc->json, tok, name)))
		return "the Mcp-Name header does not match the body";
	return NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static void add_field(struct buf *out, struct slice name, struct slice tail, struct slice value)
{
	buf_add(out, name);
	buf_add(out, tail);
	buf_add(out, SL(": "));
	buf_add(out, value);
	buf_add(out, SL("\r\n"));
}

enum err mirror_write(struct buf *out, const struct rpc *rpc, enum method m, const struct mirror_param *p, size_t n, struct arena *arena)
{
	const char *member = named_member(m);
	struct slice value = mirror_encode(rpc->method_name, arena), text;

	if (!value.p)
		return E_NOMEM;
	add_field(out, SL("Mcp-Method"), SL(""), value);
	if (member) {
		uint32_t tok = json_member(&rpc->json, rpc->params, slice_of(member));

		if (!json_is(&rpc->json, tok, JSON_STRING))
			return E_INVALID;
		value = json_string(&rpc->json, tok, arena);
		value = value.p ? mirror_encode(value, arena) : value;
		if (!value.p)
			return E_NOMEM;
		add_field(out, SL("Mcp-Name"), SL(""), value);
	}
	for (size_t i = 0; m == M_TOOLS_CALL && i < n; i++) {
		if (!param_text(rpc, &p[i], &text, arena))
			return E_INVALID;
		if (!text.p)
			continue;
		value = mirror_encode(text, arena);
		if (!value.p)
			return E_NOMEM;
		add_field(out, PARAM, p[i].header, value);
	}
	return out->failed;
}
