#include "guards/learn.h"

/* A tool that is withheld teaches nothing: its schema is not the accepted one. */
static bool is_withheld(const struct toolbook *book, const struct pins *accepted, const struct json *j, uint32_t tool, struct arena *a)
{
	uint32_t name = json_member(j, tool, SL("name"));
	struct slice text = json_is(j, name, JSON_STRING) ? json_string(j, name, a) : SL("");

	return text.n && pinbook_state(toolbook_pins(book), accepted, PIN_TOOL, text) == PIN_CHANGED;
}

enum err judge_learn_tools(struct toolbook *book, const struct pins *accepted, const struct json *j, uint32_t tools)
{
	enum err e = pinbook_learn(toolbook_pins(book), accepted, PIN_TOOL, j, tools);
	struct arena a;

	arena_init(&a, 1024 * 1024);
	for (uint32_t t = json_first(j, tools); e == E_OK && t < j->tok[tools].next; t = j->tok[t].next) {
		if (!is_withheld(book, accepted, j, t, &a))
			e = toolbook_learn(book, j, t);
		arena_reset(&a);
	}
	arena_finish(&a);
	return e;
}

enum err tools_learn(struct toolbook *book, const struct view *v, const struct call *c, const struct result *r, uint32_t tools)
{
	const struct json *j = &r->rpc->json;
	enum err e = judge_learn_tools(book, v->accepted, j, tools);

	/* A full book is never complete, and what it lacks is refused: the list itself may go on. */
	if (e != E_OK)
		return e == E_FULL ? E_OK : e;
	/* One page that is all of it; what spans pages is known whole only to who asked for every one. */
	if (json_walk(&c->rpc->json, c->rpc->params, "cursor") == JSON_NONE &&
		json_member(j, r->rpc->result, SL("nextCursor")) == JSON_NONE)
		toolbook_set_complete(book, true);
	return E_OK;
}
