/* What base and mcp do when memory runs out: an error each time, no crash, no leak (AddressSanitizer), no secret left. */
#include "tests/unit/check.h"
#include <stdio.h>
#include "base/table.h"
#include "base/utf8.h"
#include "base/wipe.h"
#include "mcp/ndjson.h"
#include "mcp/rpc.h"
#include "mcp/sse.h"
#include "tests/fault/fault.h"

static enum err arena_body(void)
{
	struct arena a;
	enum err e = E_OK;

	arena_init(&a, 64u << 20);
	for (size_t n = 1; n < (1u << 20); n *= 3) {
		if (!arena_dup(&a, SL(FAULT_SECRET)).p || !arena_alloc(&a, n) ||
		    !arena_fmt(&a, "%s %zu", FAULT_SECRET, n).p)
			e = E_NOMEM;
	}
	arena_reset(&a);
	if (!arena_dup(&a, SL(FAULT_SECRET)).p)
		e = E_NOMEM;
	arena_finish(&a);
	return e;
}

static void arena_faults(void **state)
{
	(void)state;
	fault_each(arena_body);
}

/* Adds n times; after an error the buffer holds what it held before. */
static enum err fill(struct buf *b, int n)
{
	for (int i = 0; i < n; i++) {
		size_t before = b->n;
		enum err e = i % 3 == 0 ? buf_add(b, SL(FAULT_SECRET)) :
			     i % 3 == 1 ? buf_add_fmt(b, "%s %d", FAULT_SECRET, i) :
					  buf_add_json_string(b, SL("\n\x01\"" FAULT_SECRET));
		if (e != E_OK) {
			assert_int_equal(b->n, before);
			assert_int_equal(b->failed, e);
			return e;
		}
	}
	return E_OK;
}

static enum err buf_body(void)
{
	struct buf b;
	enum err e;

	buf_init(&b, 1u << 20);
	e = fill(&b, 1000);
	buf_trim(&b, 10);
	buf_finish(&b);
	if (e != E_OK)
		return e;
	buf_init(&b, 3); /* a full buffer formats by way of a copy */
	e = buf_add_fmt(&b, "%d", 123);
	assert_int_equal(b.n, e == E_OK ? 3 : 0);
	buf_finish(&b);
	return e;
}

static void buf_faults(void **state)
{
	(void)state;
	fault_each(buf_body);
}

static enum err wipe_body(void)
{
	char *a = wipe_strdup(FAULT_SECRET), *b = wipe_calloc(10, 10), *c = NULL;
	enum err e = a && b ? E_OK : E_NOMEM;

	if (a) {
		c = wipe_realloc(a, 1000);
		if (c)
			a = c;
		else
			e = E_NOMEM;
		assert_string_equal(a, FAULT_SECRET);
	}
	wipe_free(a);
	wipe_free(b);
	return e;
}

static void wipe_faults(void **state)
{
	(void)state;
	fault_each(wipe_body);
}

static enum err table_body(void)
{
	struct table *t = table_create(1000, wipe_free);
	enum err e = t ? E_OK : E_NOMEM;

	for (int i = 0; t && i < 200; i++) {
		char key[64];
		char *value = wipe_strdup(FAULT_SECRET);
		int n = snprintf(key, sizeof(key), FAULT_SECRET " %d", i / 2);
		enum err put = value ? table_put(t, slice_make(key, (size_t)n), value, 0, 0) : E_NOMEM;
		if (put != E_OK) {
			wipe_free(value);
			e = put;
		} else {
			assert_ptr_equal(table_get(t, slice_make(key, (size_t)n), 0), value);
		}
	}
	table_free(t);
	return e;
}

static void table_faults(void **state)
{
	(void)state;
	fault_each(table_body);
}

/* For what allocates from an arena, the arena's limit and its blocks are the faults. */
static enum err in_arena(enum err (*work)(struct arena *))
{
	struct arena a;
	enum err e;

	for (size_t max = 0; max < 4000; max += 16) {
		arena_init(&a, max);
		e = work(&a);
		assert_true(e == E_OK || e == E_NOMEM);
		arena_finish(&a);
	}
	arena_init(&a, 1u << 20);
	e = work(&a);
	arena_finish(&a);
	return e;
}

static enum err utf8_work(struct arena *a)
{
	bool ok = utf8_nfc(SL("cafe\u0301"), a).p && utf8_fold(SL("PROD"), a).p &&
		  utf8_fold(SL("\uff30r\u043ed cafe\u0301"), a).p;

	return ok ? E_OK : E_NOMEM;
}

static enum err utf8_body(void)
{
	return in_arena(utf8_work);
}

static void utf8_faults(void **state)
{
	(void)state;
	fault_each(utf8_body);
}

#define CALL                                                                                                             \
	"{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0062\",\"method\":\"tools\\/call\",\"params\":{\"name\":\"put\",\"arguments\":" \
	"{\"p\\u0061th\":\"kv/a\",\"value\":\"" FAULT_SECRET "\",\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,"   \
	"\"h\":8,\"i\":9,\"j\":10,\"k\":11,\"l\":12,\"m\":13,\"n\":14,\"o\":15,\"p\":[[[[1,2,3]]]]}}}"

static enum err json_work(struct arena *a)
{
	struct json j;
	struct json_edits edits;
	struct buf out;
	uint32_t arguments;
	enum err e = json_parse(&j, SL(CALL), a, NULL);

	if (e != E_OK) {
		assert_int_equal(j.n, 0);
		return e;
	}
	arguments = json_walk(&j, 0, "params.arguments");
	json_edits_init(&edits, a);
	buf_init(&out, 1u << 20);
	buf_add(&out, SL("before"));
	for (uint32_t c = json_first(&j, arguments); e == E_OK && c < j.tok[arguments].next; c = j.tok[c + 1].next)
		e = c % 3 == 0 ? json_edit_remove(&edits, c) : json_edit_string(&edits, c + 1, SL(FAULT_SECRET));
	if (e == E_OK)
		e = json_edit_insert(&edits, arguments, SL("new"), SL("\"" FAULT_SECRET "\""));
	if (e == E_OK)
		e = json_splice(&j, &edits, &out);
	if (e != E_OK)
		assert_true(out.n == 6 || out.n == 0);
	buf_finish(&out);
	return e;
}

static enum err json_body(void)
{
	return in_arena(json_work);
}

static void json_faults(void **state)
{
	(void)state;
	fault_each(json_body);
}

static enum err rpc_work(struct arena *a)
{
	struct rpc r;
	struct buf out;
	struct slice key;
	enum err e = rpc_parse(&r, SL(CALL), a, NULL);

	if (e != E_OK) {
		assert_true(r.json.n == 0 && r.id == JSON_NONE && r.method == JSON_NONE);
		return e;
	}
	assert_true(slice_eq(r.method_name, SL("tools/call")));
	key = rpc_id_key(&r, a);
	if (!key.p)
		return E_NOMEM;
	buf_init(&out, 1000);
	e = rpc_make_error(&out, rpc_id(&r), RPC_INTERNAL_ERROR, SL("no"), SL("{}"));
	assert_true(e == E_OK || out.n == 0);
	if (e == E_OK)
		e = rpc_make_result(&out, rpc_id(&r), SL("{}"));
	buf_finish(&out);
	return e;
}

static enum err rpc_body(void)
{
	return in_arena(rpc_work);
}

static void rpc_faults(void **state)
{
	(void)state;
	fault_each(rpc_body);
}

static bool count_event(void *ctx, const struct sse_event *e)
{
	assert_true(slice_eq(e->data, SL("a\n" FAULT_SECRET)) && slice_eq(e->id, SL("7")) && slice_eq(e->type, SL("x")));
	++*(int *)ctx;
	return true;
}

static enum err sse_body(void)
{
	const struct slice stream = SL("event: x\nid: 7\ndata: a\ndata: " FAULT_SECRET "\n\n");
	struct sse_reader r;
	struct buf out;
	enum err e = E_OK;
	size_t used;
	int events = 0;

	sse_reader_init(&r, 1000);
	for (size_t i = 0; e == E_OK && i < stream.n; i += 3)
		e = sse_feed(&r, slice_head(slice_from(stream, i), 3), &used, count_event, &events);
	assert_int_equal(events, e == E_OK);
	sse_reader_finish(&r);
	buf_init(&out, 100);
	if (e == E_OK)
		e = sse_write_message(&out, SL("{}"));
	assert_int_equal(out.n > 0, e == E_OK);
	buf_finish(&out);
	return e;
}

static void sse_faults(void **state)
{
	(void)state;
	fault_each(sse_body);
}

static bool count_line(void *ctx, struct slice line)
{
	assert_true(slice_eq(line, SL(FAULT_SECRET)));
	++*(int *)ctx;
	return true;
}

static enum err ndjson_body(void)
{
	const struct slice input = SL(FAULT_SECRET "\r\n" FAULT_SECRET "\n" FAULT_SECRET);
	struct ndjson_reader r;
	struct buf out;
	enum err e = E_OK;
	size_t used;
	int lines = 0;

	ndjson_reader_init(&r, 1000);
	for (size_t i = 0; e == E_OK && i < input.n; i += 3)
		e = ndjson_feed(&r, slice_head(slice_from(input, i), 3), &used, count_line, &lines);
	if (e == E_OK)
		e = ndjson_end(&r, count_line, &lines);
	assert_true(e == E_OK ? lines == 3 : lines < 3);
	ndjson_reader_finish(&r);
	buf_init(&out, 100);
	if (e == E_OK)
		e = ndjson_write(&out, SL("{}"));
	assert_int_equal(out.n > 0, e == E_OK);
	buf_finish(&out);
	return e;
}

static void ndjson_faults(void **state)
{
	(void)state;
	fault_each(ndjson_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_faults),
		cmocka_unit_test(buf_faults),
		cmocka_unit_test(wipe_faults),
		cmocka_unit_test(table_faults),
		cmocka_unit_test(utf8_faults),
		cmocka_unit_test(json_faults),
		cmocka_unit_test(rpc_faults),
		cmocka_unit_test(sse_faults),
		cmocka_unit_test(ndjson_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
