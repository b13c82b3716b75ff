/* Subscriptions of stateless agents at a vault with a handshake: its standing stream, and resources/subscribe. */
#include "mcp/changes.h"
#include "mcp/stateless.h"
#include "upstream/translate_inside.h"

static void on_ear_message(void *ctx, struct slice json)
{
	struct translated *v = ctx;
	struct arena arena;
	struct rpc rpc;

	arena_init(&arena, TRANSLATE_ARENA_BYTES);
	if (rpc_parse(&rpc, json, &arena, NULL) == E_OK)
		down_hear(v, &rpc, &arena);
	arena_finish(&arena);
}

/* Without it nobody hears anything: the subscriptions end, and agents subscribe anew. */
static void on_ear_end(void *ctx, const struct upstream_end *end)
{
	struct translated *v = ctx;

	v->ear = NULL;
	if (end->outcome == UP_NOT_OFFERED)
		return;
	for (struct tcall *c = v->calls; c; c = c->next)
		if (c->part == PART_EAR && !c->ends) {
			buf_clear(&c->say);
			buf_add_fmt(&c->say, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{\"resultType\":\"complete\"}}", SL_ARG(buf_slice(&c->id)));
			c->ends = true;
			c->end = (struct upstream_end){ UP_DONE, 0 };
			turn_add(&v->vault->turn, &c->task);
		}
}

static void tell_about(struct translated *v, const char *method, struct slice uri, struct arena *arena)
{
	struct buf quoted;

	buf_init(&quoted, SIZE_MAX);
	buf_add_json_string(&quoted, uri);
	translate_say(v, arena_fmt(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"method\":\"%s\",\"params\":{\"uri\":%.*s}}",
		SL_ARG(translate_next_id(v, arena)), method, SL_ARG(buf_slice(&quoted))), translate_version(v));
	buf_finish(&quoted);
}

static bool is_heard(const struct translated *v, struct slice uri, const struct tcall *but)
{
	for (const struct tcall *c = v->calls; c; c = c->next)
		for (size_t i = 0; c != but && c->part == PART_EAR && i < c->n_uris; i++)
			if (slice_eq(buf_slice(&c->uris[i]), uri))
				return true;
	return false;
}

static void take_uris(struct tcall *c, const struct rpc *rpc, uint32_t wanted, struct arena *arena)
{
	const struct json *j = &rpc->json;
	uint32_t all = json_member(j, wanted, SL("resourceSubscriptions"));

	if (!json_is(j, all, JSON_ARRAY))
		return;
	for (uint32_t t = json_first(j, all); t < j->tok[all].next && c->n_uris < MAX_SUBSCRIBED; t = j->tok[t].next) {
		if (!json_is(j, t, JSON_STRING))
			continue;
		struct slice uri = json_string(j, t, arena);

		if (!is_heard(c->owner, uri, NULL))
			tell_about(c->owner, "resources/subscribe", uri, arena);
		buf_init(&c->uris[c->n_uris], SIZE_MAX);
		translate_set(&c->uris[c->n_uris++], uri);
	}
}

/* What is agreed to: of what was asked for, that which the vault offers. */
static struct slice agreed(const struct tcall *c, struct arena *arena)
{
	struct slice out = SL("{"), one;

	for (size_t i = 0; i < N_CHANGES; i++)
		if (c->lists & 1u << i) {
			one = arena_fmt(arena, "%s\"%.*s\":true", out.n > 1 ? "," : "", SL_ARG(changes[i].wish));
			out = arena_join(arena, out, one, SL(""));
		}
	for (size_t i = 0; i < c->n_uris; i++) {
		struct buf quoted;

		buf_init(&quoted, SIZE_MAX);
		buf_add_json_string(&quoted, buf_slice(&c->uris[i]));
		one = arena_fmt(arena, "%s%.*s", i ? "," : out.n > 1 ? ",\"resourceSubscriptions\":[" : "\"resourceSubscriptions\":[",
			SL_ARG(buf_slice(&quoted)));
		out = arena_join(arena, out, one, SL(""));
		buf_finish(&quoted);
	}
	return arena_join(arena, out, c->n_uris ? SL("]") : SL(""), SL("}"));
}

void down_open_ear(struct translated *v)
{
	struct upstream_sink sink = { .message = on_ear_message, .end = on_ear_end, .ctx = v };
	struct upstream_request r = { .version = translate_version(v) };

	if (!v->ear)
		v->ear = upstream_listen(v->inner, &r, &sink); /* a pipe has none: there it comes by itself */
}

void down_subscribe(struct tcall *c, const struct rpc *rpc, struct arena *arena)
{
	struct translated *v = c->owner;
	uint32_t wanted = json_member(&rpc->json, rpc->params, SL("notifications"));
	struct rpc hello;

	if (rpc_parse(&hello, buf_slice(&v->hello), arena, NULL) != E_OK) {
		tcall_fail(c, UP_GARBAGE, 0);
		return;
	}
	uint32_t offered = json_member(&hello.json, hello.result, SL("capabilities"));
	c->part = PART_EAR;
	c->lists = changes_wished(&rpc->json, wanted) & changes_offered(&hello.json, offered);
	if (json_is(&hello.json, json_walk(&hello.json, offered, "resources.subscribe"), JSON_TRUE))
		take_uris(c, rpc, wanted, arena);
	buf_clear(&c->say);
	buf_add_fmt(&c->say, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{\"notifications\":%.*s,"
		"\"_meta\":{\"%.*s\":%.*s}}}", SL_ARG(agreed(c, arena)), SL_ARG(META_SUBSCRIPTION), SL_ARG(buf_slice(&c->id)));
	c->streams = true;
	turn_add(&v->vault->turn, &c->task);
	down_open_ear(v);
}

void down_unsubscribe(struct tcall *c, struct arena *arena)
{
	for (size_t i = 0; i < c->n_uris; i++)
		if (!is_heard(c->owner, buf_slice(&c->uris[i]), c))
			tell_about(c->owner, "resources/unsubscribe", buf_slice(&c->uris[i]), arena);
}

static bool concerns(const struct tcall *c, const struct rpc *rpc)
{
	uint32_t uri = json_member(&rpc->json, rpc->params, SL("uri"));

	for (size_t i = 0; i < N_CHANGES; i++)
		if (slice_eq(rpc->method_name, changes[i].method))
			return c->lists & 1u << i;
	for (size_t i = 0; i < c->n_uris; i++)
		if (uri != JSON_NONE && json_string_eq(&rpc->json, uri, buf_slice(&c->uris[i])))
			return true;
	return false;
}

void down_hear_change(struct translated *v, const struct rpc *rpc, struct arena *arena)
{
	for (struct tcall *c = v->calls, *next; c; c = next) {
		next = c->next;
		if (c->part == PART_EAR && !c->ends && concerns(c, rpc))
			if (!tcall_tell(c, translate_heard(rpc, buf_slice(&c->id), arena)))
				return; /* the list may be gone with it */
	}
}
