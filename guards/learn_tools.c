#include "guards/learn.h"

enum err tools_learn(struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c,
	const struct result *r)
{
	const struct rpc *rpc = r->rpc;
	const struct json *j = &rpc->json;

	(void)ledger;
	(void)v;
	if (!book || c->method->id != M_TOOLS_LIST || rpc->kind != RPC_RESULT)
		return E_OK;
	uint32_t tools = json_member(j, rpc->result, SL("tools"));
	if (!json_is(j, tools, JSON_ARRAY))
		return E_OK;
	for (uint32_t t = json_first(j, tools); t < j->tok[tools].next; t = j->tok[t].next) {
		enum err e = toolbook_learn(book, j, t);
		/* A full book is never complete, and what it lacks is refused: the list itself may go on. */
		if (e != E_OK)
			return e == E_FULL ? E_OK : e;
	}
	/* One page that is all of it; what spans pages is known whole only to who asked for every one. */
	if (json_walk(&c->rpc->json, c->rpc->params, "cursor") == JSON_NONE &&
		json_member(j, rpc->result, SL("nextCursor")) == JSON_NONE)
		toolbook_set_complete(book, true);
	return E_OK;
}
