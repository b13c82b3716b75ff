#include "proxy/changed.h"

#include "mcp/stateless.h"
#include "proxy/app.h"
#include "proxy/channel.h"
#include "proxy/exchange.h"

static const struct {
	const char *capability, *wish, *method;
} lists[] = {
	{ "tools.listChanged", "toolsListChanged", "notifications/tools/list_changed" },
	{ "prompts.listChanged", "promptsListChanged", "notifications/prompts/list_changed" },
	{ "resources.listChanged", "resourcesListChanged", "notifications/resources/list_changed" },
};
enum { N_LISTS = sizeof lists / sizeof *lists }; /* 1 << index: an enum changed_list */

unsigned changed_offered(const struct rpc *rpc)
{
	uint32_t capabilities = json_member(&rpc->json, rpc->result, SL("capabilities"));
	unsigned set = 0;

	for (unsigned i = 0; i < N_LISTS; i++)
		if (json_is(&rpc->json, json_walk(&rpc->json, capabilities, lists[i].capability), JSON_TRUE))
			set |= 1u << i;
	return set;
}

unsigned changed_agreed(const struct rpc *rpc)
{
	uint32_t wanted;
	unsigned set = 0;

	if (!slice_eq(rpc->method_name, SL("notifications/subscriptions/acknowledged")))
		return 0;
	wanted = json_member(&rpc->json, rpc->params, SL("notifications"));
	for (unsigned i = 0; i < N_LISTS; i++)
		if (json_is(&rpc->json, json_member(&rpc->json, wanted, slice_of(lists[i].wish)), JSON_TRUE))
			set |= 1u << i;
	return set;
}

static void tell_subscription(struct exchange *x, struct arena *arena)
{
	for (unsigned i = 0; i < N_LISTS; i++) {
		struct slice text = SL("");

		if (x->agreed & 1u << i)
			text = arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{\"_meta\":{\"%.*s\":%.*s}}}", lists[i].method,
				SL_ARG(META_SUBSCRIPTION), SL_ARG(x->id));
		if (text.n && x->reply)
			x->reply->ops->message(x->reply, text);
	}
}

static void tell_channel(struct channel *c, unsigned set, struct arena *arena)
{
	for (unsigned i = 0; i < N_LISTS; i++)
		if (set & 1u << i)
			channel_tell_open(c, arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"}", lists[i].method));
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
