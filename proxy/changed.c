#include "proxy/changed.h"

#include "mcp/changes.h"
#include "mcp/stateless.h"
#include "proxy/app.h"
#include "proxy/channel.h"
#include "proxy/exchange.h"

unsigned changed_offered(const struct rpc *rpc)
{
	return changes_offered(&rpc->json, json_member(&rpc->json, rpc->result, SL("capabilities")));
}

unsigned changed_agreed(const struct rpc *rpc)
{
	if (!slice_eq(rpc->method_name, SL("notifications/subscriptions/acknowledged")))
		return 0;
	return changes_wished(&rpc->json, json_member(&rpc->json, rpc->params, SL("notifications")));
}

static void tell_subscription(struct exchange *x, struct arena *arena)
{
	for (unsigned i = 0; i < N_CHANGES; i++) {
		struct slice text = SL("");

		if (x->agreed & 1u << i)
			text = arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"method\":\"%.*s\",\"params\":{\"_meta\":{\"%.*s\":%.*s}}}",
				SL_ARG(changes[i].method), SL_ARG(META_SUBSCRIPTION), SL_ARG(x->id));
		if (text.n && x->reply)
			x->reply->ops->message(x->reply, text);
	}
}

static void tell_channel(struct channel *c, unsigned set, struct arena *arena)
{
	for (unsigned i = 0; i < N_CHANGES; i++)
		if (set & 1u << i)
			channel_tell_open(c, arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"method\":\"%.*s\"}", SL_ARG(changes[i].method)));
}

static void tell_trunk(struct trunk *t, struct arena *arena)
{
	for (struct exchange *x = t->exchanges; x; x = x->next)
		if (x->method == M_LISTEN && x->kind == XK_REQUEST)
			tell_subscription(x, arena);
	for (struct channel *c = t->channels; c; c = c->next)
		if (c->initialized)
			tell_channel(c, t->offered, arena);
}

void changed_tell(struct app *app)
{
	for (size_t i = 0; i < app->n_backends; i++)
		for (struct trunk *t = app->backends[i]->trunks; t; t = t->next)
			tell_trunk(t, &app->scratch);
	arena_reset(&app->scratch);
}
