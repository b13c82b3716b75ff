#include "answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "guards/response.h"

void world_open(struct world *w, const char *yaml)
{
	struct faults faults;

	memset(w, 0, sizeof *w);
	arena_init(&w->arena, 64u << 20);
	w->policy.profile = SL("test");
	w->policy.actions = ~0u;
	w->policy.enforce = true;
	w->ledger = ledger_create(64);
	faults_init(&faults);
	w->catalog = strchr(yaml, '\n') ? catalog_parse(slice_of(yaml), SL("t.yaml"), &faults) : catalog_builtin(slice_of(yaml), &faults);
	for (size_t i = 0; i < faults.n; i++)
		print_message("%u:%u: %.*s\n", faults.v[i].at.line, faults.v[i].at.column, SL_ARG(faults.v[i].text));
	faults_finish(&faults);
	assert_non_null(w->catalog);
}

void world_close(struct world *w)
{
	catalog_free(w->catalog);
	ledger_free(w->ledger);
	arena_finish(&w->arena);
}

static void add_prefix(struct world *w, struct prefixes *list, struct prefix *room, const char *prefix)
{
	struct path path;

	assert_int_equal(path_canonical(&path, slice_of(prefix), true, &w->arena), PATH_OK);
	assert_true(list->n < 4);
	room[list->n] = (struct prefix){ .path = path };
	list->v = room;
	list->n++;
	list->set = true;
}

void world_allow(struct world *w, const char *prefix)
{
	add_prefix(w, &w->policy.allowed, w->allowed, prefix);
}

void world_deny(struct world *w, const char *prefix)
{
	add_prefix(w, &w->policy.denied, w->denied, prefix);
}

static struct view view_of(struct world *w)
{
	return (struct view){ .policy = &w->policy, .catalog = w->catalog, .ledger = w->ledger, .upstream = SL("vault"),
		.now_ms = 1000, .arena = &w->arena };
}

static const char *keep(struct world *w, struct slice s)
{
	struct slice text = arena_dup(&w->arena, s);
	assert_non_null(text.p);
	return text.p;
}

/* The guards in the order of guards/list.h. */
static const char *run(struct world *w, const struct call *call, const struct rpc *rpc)
{
	struct view v = view_of(w);
	struct result r;
	struct buf out;

	assert_int_equal(result_open(&v, call, rpc, &r), E_OK);
	for (int i = 0; i < 4; i++) {
		bool before = doc_changed(r.root);
		struct verdict said = i == 0 ? tenant_response(&v, call, &r) :
			i == 1 ? paths_response(&v, call, &r) :
			i == 2 ? guard_lists.response(&v, call, &r) : guard_mask.response(&v, call, &r);
		if (said.kind == VERDICT_DENY)
			return arena_fmt(&w->arena, "DENY %s", reason_word(said.reason)).p;
		/* What a guard changed it must own up to. */
		if (!before && doc_changed(r.root))
			assert_int_equal(said.kind, VERDICT_REWRITE);
	}
	buf_init(&out, 64u << 20);
	assert_int_equal(doc_render(r.root, &out), E_OK);
	const char *text = keep(w, buf_slice(&out));
	buf_finish(&out);
	struct json again;
	assert_int_equal(json_parse(&again, slice_of(text), &w->arena, NULL), E_OK);
	return text;
}

static struct rpc *read_rpc(struct world *w, const char *text)
{
	struct rpc *rpc = ARENA_NEW(&w->arena, struct rpc);
	size_t at = 0;

	assert_non_null(rpc);
	enum err e = rpc_parse(rpc, slice_of(text), &w->arena, &at);
	if (e != E_OK)
		print_message("%s at %zu: %s\n", err_text(e), at, text);
	assert_int_equal(e, E_OK);
	return rpc;
}

const char *world_answer(struct world *w, const char *request, const char *answer)
{
	struct view v = view_of(w);
	struct call *call = ARENA_NEW(&w->arena, struct call);

	assert_non_null(call);
	assert_int_equal(classify(&v, read_rpc(w, request), call), E_OK);
	return run(w, call, read_rpc(w, answer));
}

const char *world_notice(struct world *w, const char *notice)
{
	return run(w, NULL, read_rpc(w, notice));
}

const char *world_tool(struct world *w, const char *tool, const char *args, const char *result)
{
	struct slice request = arena_fmt(&w->arena,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\",\"arguments\":%s}}", tool, args);
	struct slice answer = arena_fmt(&w->arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}", result);
	const char *out = world_answer(w, request.p, answer.p);
	struct json j;

	if (strncmp(out, "DENY ", 5) == 0)
		return out;
	assert_int_equal(json_parse(&j, slice_of(out), &w->arena, NULL), E_OK);
	return keep(w, json_source(&j, json_walk(&j, 0, "result")));
}

const char *world_text(struct world *w, const char *tool, const char *args, const char *text)
{
	struct buf b;
	struct json j;

	buf_init(&b, 16u << 20);
	assert_int_equal(buf_add(&b, SL("{\"content\":[{\"type\":\"text\",\"text\":")), E_OK);
	assert_int_equal(buf_add_json_string(&b, slice_of(text)), E_OK);
	assert_int_equal(buf_add(&b, SL("}]}")), E_OK);
	const char *out = world_tool(w, tool, args, keep(w, buf_slice(&b)));
	buf_finish(&b);
	if (strncmp(out, "DENY ", 5) == 0)
		return out;
	assert_int_equal(json_parse(&j, slice_of(out), &w->arena, NULL), E_OK);
	uint32_t content = json_walk(&j, 0, "content");
	if (!json_is(&j, content, JSON_ARRAY) || j.tok[content].count == 0)
		return "(no content)";
	return keep(w, json_string(&j, json_member(&j, content + 1, SL("text")), &w->arena));
}
