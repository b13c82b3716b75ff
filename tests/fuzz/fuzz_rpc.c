/*
 * The reader of messages. Of what it takes: the tokens are those of the kind, nothing else stands in the envelope, and an
 * answer made with the id of the message is read back with the same id.
 */
#include <stdio.h>
#include <stdlib.h>
#include "mcp/rpc.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;
static struct buf answer;

static void check_shape(const struct rpc *r)
{
	bool call = r->kind == RPC_REQUEST || r->kind == RPC_NOTIFICATION;
	uint32_t members = 1u + (r->method != JSON_NONE) + (r->params != JSON_NONE) + (r->result != JSON_NONE) +
			   (r->error != JSON_NONE);

	REQUIRE(json_is(&r->json, 0, JSON_OBJECT));
	REQUIRE(call == (r->method != JSON_NONE) && call == (r->method_name.p != NULL));
	REQUIRE(call || r->params == JSON_NONE);
	REQUIRE((r->kind == RPC_RESULT) == (r->result != JSON_NONE));
	REQUIRE((r->kind == RPC_ERROR) == (r->error != JSON_NONE));
	REQUIRE(r->kind != RPC_NOTIFICATION || r->id == JSON_NONE);
	REQUIRE((r->kind != RPC_REQUEST && r->kind != RPC_RESULT) || r->id != JSON_NONE);
	REQUIRE(r->params == JSON_NONE || json_is(&r->json, r->params, JSON_OBJECT));
	REQUIRE(r->result == JSON_NONE || json_is(&r->json, r->result, JSON_OBJECT));
	if (r->id != JSON_NONE)
		REQUIRE(r->json.tok[0].count == members + 1);
	else
		REQUIRE(r->json.tok[0].count == members || (r->kind == RPC_ERROR && r->json.tok[0].count == members + 1));
}

static void check_id(const struct rpc *r)
{
	struct slice id = rpc_id(r), key = rpc_id_key(r, &arena);
	struct rpc back;

	REQUIRE((r->id == JSON_NONE) == (id.n == 0) && (id.n == 0) == (key.n == 0) && key.n <= RPC_MAX_ID + 2);
	buf_clear(&answer);
	REQUIRE(rpc_make_error(&answer, id, RPC_INTERNAL_ERROR, r->method_name, SL("{}")) == E_OK);
	REQUIRE(rpc_parse(&back, buf_slice(&answer), &arena, NULL) == E_OK && back.kind == RPC_ERROR);
	REQUIRE(slice_eq(rpc_id(&back), id) && slice_eq(rpc_id_key(&back, &arena), key));
	if (r->id == JSON_NONE || r->params == JSON_NONE)
		return;
	buf_clear(&answer);
	REQUIRE(rpc_make_result(&answer, id, json_source(&r->json, r->params)) == E_OK);
	REQUIRE(rpc_parse(&back, buf_slice(&answer), &arena, NULL) == E_OK && back.kind == RPC_RESULT);
	REQUIRE(slice_eq(rpc_id_key(&back, &arena), key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct rpc r;
	size_t at = 0;

	arena_init(&arena, 64u << 20);
	buf_init(&answer, 16u << 20);
	if (rpc_parse(&r, text, &arena, &at) == E_OK) {
		check_shape(&r);
		check_id(&r);
	} else {
		REQUIRE(at <= size && r.json.n == 0 && r.id == JSON_NONE);
	}
	buf_finish(&answer);
	arena_finish(&arena);
	return 0;
}
