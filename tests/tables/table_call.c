#include <stdio.h>
#include "tests/tables/table.h"

/* --- the call's text ------------------------------------------------------------------------------------------ */

/* Cuts a JSON value that starts with a bracket or a quote, blanks and all. */
static struct slice cut_json(struct slice *rest)
{
	size_t depth = 0, i = 0;
	bool quoted = false;

	for (; i < rest->n; i++) {
		char c = rest->p[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
		if (!quoted && depth == 0)
			break;
	}
	struct slice value = slice_head(*rest, i + 1);
	*rest = slice_trim(slice_from(*rest, value.n));
	return value;
}

static bool is_plain_json(struct slice s)
{
	size_t i = 0;

	if (slice_eq(s, SL("true")) || slice_eq(s, SL("false")) || slice_eq(s, SL("null")))
		return true;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return s.n > 0 && i == s.n;
}

/* key=value …: JSON where it starts like it or is a number or literal; else text up to the next blank. */
static void add_members(struct buf *out, struct slice rest)
{
	for (bool first = true; rest.n; first = false) {
		struct slice key = slice_cut(&rest, '=');

		buf_add_fmt(out, "%s", first ? "" : ",");
		buf_add_json_string(out, slice_trim(key));
		buf_add_char(out, ':');
		if (rest.n && strchr("{[\"", rest.p[0])) {
			buf_add(out, cut_json(&rest));
			continue;
		}
		struct slice value = rest.n && rest.p[0] == ' ' ? SL("") : table_word(&rest);
		rest = slice_trim(rest);
		if (is_plain_json(value))
			buf_add(out, value);
		else
			buf_add_json_string(out, value);
	}
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Bytes as they are, but `\xHH`, which JSON knows not, and `\xHH*N` for N of them. */
static struct slice make_bytes(struct table *t, struct slice text)
{
	struct buf b;

	buf_init(&b, 1u << 20);
	for (size_t i = 0; i < text.n;) {
		struct slice rest = slice_from(text, i);
		if (rest.n < 4 || !slice_starts(rest, SL("\\x")) || hex(rest.p[2]) < 0 || hex(rest.p[3]) < 0) {
			buf_add_char(&b, text.p[i++]);
			continue;
		}
		char c = (char)(hex(rest.p[2]) << 4 | hex(rest.p[3]));
		size_t times = 1;
		i += 4;
		if (i < text.n && text.p[i] == '*')
			for (times = 0, i++; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
				times = times * 10 + (size_t)(text.p[i] - '0');
		while (times--)
			buf_add_char(&b, c);
	}
	struct slice kept = arena_dup(&t->arena, buf_slice(&b));
	buf_finish(&b);
	return kept;
}

static struct slice make_message(struct table *t, struct slice text)
{
	struct buf b;

	if (text.n && text.p[0] == '{')
		return arena_dup(&t->arena, text);
	if (slice_starts(text, SL("bytes ")))
		return make_bytes(t, slice_from(text, 6));
	struct slice word = table_word(&text);
	bool method = memchr(word.p, '/', word.n) != NULL;
	buf_init(&b, 1u << 20);
	if (method)
		buf_add_fmt(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%.*s\",\"params\":{", SL_ARG(word));
	else
		buf_add_fmt(&b,
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"%.*s\"%s",
			SL_ARG(word), text.n ? ",\"arguments\":{" : "");
	add_members(&b, text);
	buf_add(&b, method || !text.n ? SL("}}") : SL("}}}"));
	struct slice kept = arena_dup(&t->arena, buf_slice(&b));
	buf_finish(&b);
	return kept;
}

static struct rpc *parse(struct table *t, struct slice text)
{
	struct rpc *rpc = ARENA_NEW(&t->arena, struct rpc);
	size_t at = 0;
	enum err e = rpc_parse(rpc, text, &t->arena, &at);

	if (e == E_OK)
		return rpc;
	table_fail(t, "%s at %zu: %.*s", err_text(e), at, SL_ARG(text));
	return NULL;
}

#define ENVELOPE(capabilities) \
	"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{" capabilities "}," \
	"\"io.modelcontextprotocol/clientInfo\":{\"name\":\"t\",\"version\":\"1\"}"
#define TASKS "\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}"

/* The same request with the envelope of a stateless revision. */
static void make_stateless(struct table *t)
{
	const struct method_row *row = method_find(t->rpc->method_name, SIDE_CLIENT, false);
	const struct json *j = &t->rpc->json;
	uint32_t meta = json_member(j, t->rpc->params, SL("_meta"));
	const char *envelope = t->tasks ? ENVELOPE(TASKS) : ENVELOPE("");
	struct json_edits edits;
	struct buf b;

	/* Those of tasks are asked for in either kind, to be refused in the one that has them not. */
	if (t->rpc->kind != RPC_REQUEST || (row && !method_in(row, true) && !slice_starts(row->name, SL("tasks/"))))
		return;
	json_edits_init(&edits, &t->arena);
	if (json_is(j, meta, JSON_OBJECT)) {
		struct slice old = json_source(j, meta);

		old = slice_trim(slice_from(old, 1));
		json_edit_raw(&edits, meta, arena_fmt(&t->arena, "{%s%s%.*s", envelope, old.p[0] == '}' ? "" : ",", SL_ARG(old)));
	} else if (meta == JSON_NONE && t->rpc->params != JSON_NONE) {
		json_edit_insert(&edits, t->rpc->params, SL("_meta"), arena_fmt(&t->arena, "{%s}", envelope));
	}
	buf_init(&b, 1u << 20);
	if (json_splice(j, &edits, &b) == E_OK) {
		struct slice text = arena_dup(&t->arena, buf_slice(&b));
		t->unread = rpc_parse(t->rpc, text, &t->arena, NULL);
	}
	buf_finish(&b);
	t->rpc->stateless = true;
}

static void note_tool(struct table *t)
{
	uint32_t name = json_walk(&t->rpc->json, 0, "params.name");
	const struct rule *rule = !t->called || name == JSON_NONE ? NULL :
		catalog_tool(t->catalog, json_string(&t->rpc->json, name, &t->arena));

	if (rule)
		t->called[rule - t->catalog->tools] = true;
}

bool table_call(struct table *t, struct slice text)
{
	struct view v = table_view(t);
	struct slice message = make_message(t, text);
	size_t at;

	t->answered = false;
	t->call = NULL;
	t->rpc = ARENA_NEW(&t->arena, struct rpc);
	t->unread = rpc_parse(t->rpc, message, &t->arena, &at);
	if (!t->catalog)
		return false;
	if (t->unread == E_OK && t->stateless)
		make_stateless(t);
	if (t->unread != E_OK) {
		t->judgement = (struct judgement){ .kind = VERDICT_DENY };
		return true;
	}
	memset(&t->judgement, 0, sizeof t->judgement);
	memcpy(t->judgement.id, "0123456789abcdef0123456789abcdef", sizeof t->judgement.id);
	judge_from_agent(&v, t->rpc, M_UNKNOWN, &t->call, &t->judgement);
	note_tool(t);
	t->refused = t->judgement.kind == VERDICT_DENY;
	return true;
}

/* --- what came out -------------------------------------------------------------------------------------------- */

static void got(struct table *t, struct slice want)
{
	static const char *const kinds[] = { "pass", "rewrite", "deny", "need-tools" };
	const struct judgement *j = &t->judgement;
	struct slice show = j->kind == VERDICT_DENY ? j->refusal : j->bytes;

	if (t->unread != E_OK) {
		table_fail(t, "wanted %.*s, got unread %s", SL_ARG(want), err_text(t->unread));
		return;
	}
	table_fail(t, "wanted %.*s, got %s %s (guard %s, %.*s)%s: %.*s", SL_ARG(want), kinds[j->kind],
		reason_word(j->why.reason), j->guard ? j->guard : "none", SL_ARG(j->why.what),
		j->shadow ? " shadow" : "", SL_ARG(show));
}

static bool says(struct table *t, struct slice want)
{
	const struct judgement *j = &t->judgement;
	struct slice rest = want, word = table_word(&rest);
	struct slice reason = slice_of(reason_word(j->why.reason));

	if (slice_eq(word, SL("unread")))
		return t->unread != E_OK && (!rest.n || slice_find(slice_of(err_text(t->unread)), rest) >= 0);
	if (t->unread != E_OK)
		return false;
	if (slice_eq(word, SL("pass")))
		return j->kind == VERDICT_PASS && !j->shadow;
	if (slice_eq(word, SL("shadow")))
		return j->kind == VERDICT_PASS && j->shadow && slice_eq(rest, reason);
	if (slice_eq(word, SL("deny")))
		return j->kind == VERDICT_DENY && !j->drop && j->refusal.n && slice_eq(rest, reason);
	if (slice_eq(word, SL("drop")))
		return j->kind == VERDICT_DENY && j->drop && slice_eq(rest, reason);
	if (slice_eq(word, SL("need-tools")))
		return j->kind == VERDICT_NEED_TOOLS;
	if (slice_eq(word, SL("rewrite")))
		return j->kind == VERDICT_REWRITE && slice_find(j->bytes, rest) >= 0;
	return false;
}

void table_verdict(struct table *t, struct slice want)
{
	if (!says(t, want))
		got(t, want);
}

void table_refusal(struct table *t, struct slice want)
{
	if (slice_find(t->judgement.refusal, want) < 0)
		got(t, want);
}

void table_guard(struct table *t, struct slice want)
{
	const char *guard = t->judgement.guard ? t->judgement.guard : "none";

	if (!slice_eq(slice_of(guard), want))
		table_fail(t, "wanted guard %.*s, got %s", SL_ARG(want), guard);
}

/* --- answers -------------------------------------------------------------------------------------------------- */

static void answer(struct table *t, struct slice member, const char *shown)
{
	struct view v = table_view(t);
	struct slice text = arena_fmt(&t->arena, "{\"jsonrpc\":\"2.0\",\"id\":1,%.*s}", SL_ARG(member));
	struct rpc *rpc = parse(t, text);

	if (!rpc || !t->call)
		return;
	if (t->refused)
		table_fail(t, "the call was refused: %.*s", SL_ARG(t->judgement.refusal));
	if (judge_learn(t->ledger, t->tools, &v, t->call, rpc) != E_OK)
		table_fail(t, "could not be learned");
	judge_answer(&v, t->call, rpc, &t->judgement);
	t->answered = true;
	struct rpc *out = t->judgement.kind == VERDICT_DENY ? NULL : parse(t, t->judgement.bytes);
	if (!out)
		return;
	uint32_t tok = json_walk(&out->json, 0, shown);
	if (tok == JSON_NONE && strcmp(shown, "text") == 0) {
		uint32_t content = json_walk(&out->json, 0, "result.content");
		tok = json_is(&out->json, content, JSON_ARRAY) && out->json.tok[content].count ?
			json_member(&out->json, json_first(&out->json, content), SL("text")) : JSON_NONE;
		t->answer = tok == JSON_NONE ? SL("") : json_string(&out->json, tok, &t->arena);
	} else {
		t->answer = tok == JSON_NONE ? SL("") : json_source(&out->json, tok);
	}
}

void table_text(struct table *t, struct slice text)
{
	struct buf b;

	buf_init(&b, 1u << 20);
	buf_add(&b, SL("\"result\":{\"content\":[{\"type\":\"text\",\"text\":"));
	buf_add_json_string(&b, text);
	buf_add(&b, SL("}]}"));
	struct slice member = arena_dup(&t->arena, buf_slice(&b));
	buf_finish(&b);
	answer(t, member, "text");
}

void table_result(struct table *t, struct slice text)
{
	answer(t, arena_fmt(&t->arena, "\"result\":%.*s", SL_ARG(text)), "result");
}

void table_error(struct table *t, struct slice text)
{
	answer(t, arena_fmt(&t->arena, "\"error\":%.*s", SL_ARG(text)), "error");
}

void table_notice(struct table *t, struct slice text)
{
	struct view v = table_view(t);
	struct rpc *rpc = parse(t, arena_dup(&t->arena, text));

	t->unread = E_OK;
	memset(&t->judgement, 0, sizeof t->judgement);
	if (rpc)
		judge_from_vault(&v, rpc, &t->judgement);
	t->asked = rpc && rpc->kind == RPC_REQUEST && t->judgement.kind != VERDICT_DENY ? judge_asks(&v, rpc) : M_UNKNOWN;
	t->answered = true;
	t->answer = t->judgement.bytes;
}

static bool is_verdict(struct slice want)
{
	return slice_starts(want, SL("deny ")) || slice_starts(want, SL("drop ")) || slice_eq(want, SL("pass"));
}

void table_reply(struct table *t, struct slice text)
{
	struct view v = table_view(t);
	struct rpc *rpc = parse(t, arena_fmt(&t->arena, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":%.*s}", SL_ARG(text)));

	t->unread = E_OK;
	memset(&t->judgement, 0, sizeof t->judgement);
	if (!rpc)
		return;
	judge_from_agent(&v, rpc, t->asked, &t->call, &t->judgement);
	if (t->judgement.kind == VERDICT_PASS && judge_learn_reply(t->ledger, &v, rpc, t->asked) != E_OK)
		table_fail(t, "could not be learned");
}

void table_expect(struct table *t, struct slice want)
{
	if (!t->answered)
		table_fail(t, "nothing was answered");
	else if (is_verdict(want))
		table_verdict(t, want);
	else if (t->judgement.kind == VERDICT_DENY)
		got(t, want);
	else if (!slice_eq(t->answer, want))
		table_fail(t, "wanted %.*s\n  got %.*s", SL_ARG(want), SL_ARG(t->answer));
}
