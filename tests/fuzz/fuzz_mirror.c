/*
 * Headers that repeat a body. Input: Mcp-Method, Mcp-Name, the fields, an empty line, the body. What was found to match is the same
 * text once decoded; what we write for a body is found to match it, and no text makes a second line.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "mcp/mirror.h"
#include "mcp/stateless.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct slice path[] = { { "region", 6 } }, deep[] = { { "a", 1 }, { "b", 1 } };
static const struct mirror_param params[] = { { { "Region", 6 }, path, 1 }, { { "Deep", 4 }, deep, 2 } };

/* Takes the fields that were written apart again. */
static struct slice field(struct slice lines, struct slice name)
{
	while (lines.n) {
		struct slice line = slice_cut(&lines, '\n'), value = line, key = slice_cut(&value, ':');

		must(line.n > 1 && line.p[line.n - 1] == '\r' && value.p);
		if (slice_eq(key, name))
			return slice_trim(value);
	}
	return (struct slice){ NULL, 0 };
}

static void write_and_check(const struct rpc *rpc, enum method m, struct arena *arena)
{
	struct mirror_fields again;
	struct buf out;

	buf_init(&out, 1u << 16);
	if (mirror_write(&out, rpc, m, params, 2, arena) == E_OK) {
		again = (struct mirror_fields){ field(buf_slice(&out), SL("Mcp-Method")), field(buf_slice(&out), SL("Mcp-Name")) };
		if (m != M_UNKNOWN && slice_eq(again.method, rpc->method_name))
			must(mirror_check(&again, rpc, m, arena) == NULL);
		if (m == M_TOOLS_CALL)
			must(mirror_check_params(buf_slice(&out), rpc, params, 2, arena) == NULL);
	}
	buf_finish(&out);
}

static void codes(struct slice text, struct arena *arena)
{
	struct slice plain, coded;

	if (mirror_decode(text, &plain, arena)) {
		coded = mirror_encode(plain, arena);
		must(coded.p && mirror_decode(coded, &text, arena) && slice_eq(text, plain));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data, size };
	struct mirror_fields in = { .method = slice_cut(&rest, '\n') };
	struct arena arena;
	struct rpc rpc;

	if (!rest.p)
		return 0;
	in.name = slice_cut(&rest, '\n');
	ptrdiff_t blank = slice_find(rest, SL("\n\n"));
	if (blank < 0)
		return 0;
	struct slice lines = slice_head(rest, (size_t)blank + 1), body = slice_from(rest, (size_t)blank + 2), version;
	arena_init(&arena, 1u << 22);
	codes(in.name, &arena);
	if (rpc_parse(&rpc, body, &arena, NULL) == E_OK && rpc.kind == RPC_REQUEST) {
		const struct method_row *row = method_find(rpc.method_name, SIDE_CLIENT, false);
		enum method m = row ? row->id : M_UNKNOWN;

		if (mirror_check(&in, &rpc, m, &arena) == NULL)
			must(slice_eq(in.method, rpc.method_name));
		mirror_check_params(lines, &rpc, params, 2, &arena);
		mirror_has_params(lines);
		if (stateless_read(&rpc, &arena, &version) == STATELESS_OK)
			must(slice_eq(version, STATELESS_REVISION));
		write_and_check(&rpc, m, &arena);
	}
	arena_finish(&arena);
	return 0;
}
