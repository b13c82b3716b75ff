/*
 * Messages said anew in the words of another kind of revision. Whatever comes out is one message that our own reader takes, of
 * the same kind, under the id it was given; what carries arguments or contents is not changed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "mcp/stateless.h"
#include "mcp/translate.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rpc read_back(struct slice text, enum rpc_kind kind, struct arena *arena)
{
	struct rpc rpc;

	REQUIRE(rpc_parse(&rpc, text, arena, NULL) == E_OK && rpc.kind == kind);
	if (kind != RPC_NOTIFICATION)
		REQUIRE(slice_eq(rpc_id(&rpc), SL("77")));
	return rpc;
}

static void same(const struct rpc *a, uint32_t in_a, const struct rpc *b, uint32_t in_b, const char *name)
{
	uint32_t x = json_member(&a->json, in_a, slice_of(name)), y = json_member(&b->json, in_b, slice_of(name));

	REQUIRE((x == JSON_NONE) == (y == JSON_NONE));
	if (x != JSON_NONE && !a->json.escaped_names)
		REQUIRE(slice_eq(json_source(&a->json, x), json_source(&b->json, y)));
}

static void check_request(const struct rpc *rpc, struct arena *arena)
{
	struct translate_client client = { SL("{\"name\":\"a\",\"version\":\"1\"}"), SL("{}"), SL("\"info\"") };
	struct translate_round round = { SL("{}"), SL("\"s\"") };
	struct slice version, text = translate_from_stateless(rpc, SL("77"), SL("77"), arena);
	struct rpc again;

	if (text.n) {
		again = read_back(text, RPC_REQUEST, arena);
		same(rpc, rpc->params, &again, again.params, "arguments");
		same(rpc, rpc->params, &again, again.params, "name");
		REQUIRE(stateless_read(&again, arena, &version) != STATELESS_OK);
	}
	text = translate_to_stateless(rpc, SL("77"), &client, stateless_read(rpc, arena, &version) == STATELESS_NOT ? &round : NULL, arena);
	if (text.n && stateless_read(rpc, arena, &version) == STATELESS_NOT) {
		again = read_back(text, RPC_REQUEST, arena);
		same(rpc, rpc->params, &again, again.params, "arguments");
		REQUIRE(stateless_read(&again, arena, &version) == STATELESS_OK);
	}
	text = translate_initialize(rpc, SL("77"), arena);
	if (text.n)
		read_back(text, RPC_REQUEST, arena);
}

static void check_answer(const struct rpc *rpc, struct arena *arena)
{
	struct slice text = translate_answer_from_stateless(rpc, SL("77"), M_RESOURCES_READ, arena);
	struct rpc again;

	if (text.n) {
		again = read_back(text, rpc->kind, arena);
		same(rpc, rpc->result, &again, again.result, "content");
	}
	text = translate_answer_to_stateless(rpc, SL("77"), M_RESOURCES_READ, SL("{\"name\":\"v\"}"), arena);
	if (text.n) {
		again = read_back(text, rpc->kind, arena);
		same(rpc, rpc->result, &again, again.result, "content");
	}
	if (rpc->kind != RPC_RESULT)
		return;
	text = translate_hello(rpc, SL("77"), SL("2025-06-18"), arena);
	if (text.n)
		read_back(text, RPC_RESULT, arena);
	text = translate_discovered(rpc, SL("77"), arena);
	if (text.n)
		read_back(text, RPC_RESULT, arena);
}

static void check_notification(const struct rpc *rpc, struct arena *arena)
{
	struct slice texts[] = { translate_notification_from_stateless(rpc, arena), translate_heard(rpc, SL("5"), arena),
		translate_progress(rpc, SL("5"), arena) };

	for (size_t i = 0; i < 3; i++)
		if (texts[i].n)
			read_back(texts[i], RPC_NOTIFICATION, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct rpc rpc;

	arena_init(&arena, 16u << 20);
	if (rpc_parse(&rpc, slice_make((const char *)data, size), &arena, NULL) == E_OK) {
		if (rpc.kind == RPC_REQUEST)
			check_request(&rpc, &arena);
		else if (rpc.kind == RPC_NOTIFICATION)
			check_notification(&rpc, &arena);
		else
			check_answer(&rpc, &arena);
	}
	arena_finish(&arena);
	return 0;
}
