#include "tests/unit/upstream/rig.h"

#include <signal.h>
#include <stdio.h>

#define PATIENCE_MS 10000

static void on_patience(uv_timer_t *t)
{
	((struct rig *)t->data)->out_of_patience = true;
}

static void on_told(void *ctx, struct slice json)
{
	struct rig *r = ctx;

	assert_false(r->inside);
	assert_non_null(r->up);
	buf_add_fmt(&r->told, "[%.*s]", SL_ARG(json));
}

static void on_lost(void *ctx, const struct upstream_end *how)
{
	struct rig *r = ctx;

	assert_false(r->inside);
	assert_non_null(r->up);
	r->lost++;
	r->lost_how = *how;
	r->live_at_loss = r->live;
}

struct vault_config rig_config(int port, char url[64])
{
	snprintf(url, 64, "http://127.0.0.1:%d/mcp", port);
	return (struct vault_config){ .name = SL("vault"), .url = slice_of(url), .max_message_bytes = 1 << 16,
		.connect_timeout_ms = 3000, .max_connections = 8 };
}

void rig_open(struct rig *r, const struct vault_config *conf)
{
	struct upstream_events events = { .message = on_told, .lost = on_lost, .ctx = r };
	const char *why = NULL;

	signal(SIGPIPE, SIG_IGN); /* as the program does */
	*r = (struct rig){ 0 };
	buf_init(&r->told, 1u << 24);
	assert_int_equal(uv_loop_init(&r->loop), 0);
	uv_timer_init(&r->loop, &r->patience);
	r->patience.data = r;
	r->vault = vault_create(&r->loop, conf, &why);
	if (!r->vault)
		print_error("%s\n", why);
	assert_non_null(r->vault);
	r->up = vault_open(r->vault, &events);
	assert_non_null(r->up);
}

static void begin_waiting(struct rig *r)
{
	r->out_of_patience = false;
	uv_timer_start(&r->patience, on_patience, PATIENCE_MS, 0);
}

static void step(struct rig *r, const char *what)
{
	uv_run(&r->loop, UV_RUN_ONCE);
	if (r->out_of_patience)
		print_error("waited in vain for %s\n", what);
	assert_false(r->out_of_patience);
}

static void on_closed(void *ctx)
{
	struct rig *r = ctx;

	assert_false(r->inside);
	assert_false(r->closed);
	r->closed = true;
}

void rig_close(struct rig *r)
{
	struct upstream *up = r->up;

	r->up = NULL;
	upstream_close(up);
	r->inside = true;
	vault_free(r->vault, on_closed, r);
	r->inside = false;
	begin_waiting(r);
	while (!r->closed)
		step(r, "the vault to close");
	uv_close((uv_handle_t *)&r->patience, NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	buf_finish(&r->told);
}

/* --- ears --------------------------------------------------------------------------------------------------------- */

static struct upstream_sink sink_of(struct ear *);

static void close_up(struct rig *r)
{
	struct upstream *up = r->up;

	r->up = NULL;
	upstream_close(up);
}

static void react(struct ear *e)
{
	switch (e->habit) {
	case EAR_LISTENS:
		break;
	case EAR_PAUSES:
		upstream_pause(e->call);
		break;
	case EAR_CANCELS:
		rig_cancel(e);
		break;
	case EAR_CLOSES:
		e->over = true;
		e->rig->live--;
		close_up(e->rig);
		break;
	case EAR_SENDS_AGAIN:
		if (!e->again)
			e->again = rig_send(e->rig, "{\"again\":true}", "9");
		break;
	}
}

static void on_stream(void *ctx)
{
	struct ear *e = ctx;

	assert_false(e->rig->inside);
	assert_false(e->over);
	assert_int_equal(e->messages, 0);
	buf_add(&e->seen, SL("stream;"));
}

static void on_message(void *ctx, struct slice json)
{
	struct ear *e = ctx;

	assert_false(e->rig->inside);
	assert_false(e->over);
	e->messages++;
	e->bytes += json.n;
	if (!e->keeps_bytes_only)
		buf_add_fmt(&e->seen, "[%.*s]", SL_ARG(json));
	react(e);
}

static void on_end(void *ctx, const struct upstream_end *end)
{
	struct ear *e = ctx;

	assert_false(e->rig->inside);
	assert_false(e->over);
	e->over = true;
	e->ends++;
	e->end = *end;
	e->rig->live--;
}

static struct upstream_sink sink_of(struct ear *e)
{
	return (struct upstream_sink){ .stream = on_stream, .message = on_message, .end = on_end, .ctx = e };
}

static struct ear *ear_create(struct rig *r)
{
	struct ear *e = calloc(1, sizeof *e);

	assert_non_null(e);
	e->rig = r;
	r->live++;
	buf_init(&e->seen, 1u << 24);
	return e;
}

struct ear *rig_send_request(struct rig *r, const struct upstream_request *q)
{
	struct ear *e = ear_create(r);
	struct upstream_sink sink = sink_of(e);
	bool was = r->inside;

	r->inside = true;
	e->call = upstream_send(r->up, q, &sink);
	r->inside = was;
	assert_non_null(e->call);
	return e;
}

struct ear *rig_send(struct rig *r, const char *body, const char *id)
{
	struct upstream_request q = { .body = slice_of(body), .id = slice_of(id) };

	return rig_send_request(r, &q);
}

struct ear *rig_listen(struct rig *r)
{
	struct ear *e = ear_create(r);
	struct upstream_sink sink = sink_of(e);
	struct upstream_request q = { .version = SL("2025-06-18") };

	r->inside = true;
	e->call = upstream_listen(r->up, &q, &sink);
	r->inside = false;
	assert_non_null(e->call);
	return e;
}

void rig_wait_end(struct ear *e)
{
	begin_waiting(e->rig);
	while (!e->ends)
		step(e->rig, "the end of a call");
}

void rig_wait_messages(struct ear *e, int n)
{
	begin_waiting(e->rig);
	while (e->messages < n)
		step(e->rig, "messages");
}

void rig_wait_lost(struct rig *r)
{
	begin_waiting(r);
	while (!r->lost)
		step(r, "the loss of the conversation");
}

void rig_turn(struct rig *r, uint64_t ms)
{
	uv_update_time(&r->loop);
	r->out_of_patience = false;
	uv_timer_start(&r->patience, on_patience, ms, 0);
	while (!r->out_of_patience)
		uv_run(&r->loop, UV_RUN_ONCE);
}

void rig_cancel(struct ear *e)
{
	assert_false(e->over);
	e->over = true;
	e->rig->live--;
	upstream_cancel(e->call);
}

static void on_probed(void *ctx, const struct upstream_end *end)
{
	struct rig *r = ctx;

	assert_false(r->inside);
	assert_false(r->probed);
	r->probed = true;
	r->probe_end = *end;
}

enum upstream_outcome rig_probe(struct rig *r)
{
	r->probed = false;
	r->inside = true;
	vault_probe(r->vault, on_probed, r);
	r->inside = false;
	begin_waiting(r);
	while (!r->probed)
		step(r, "the probe");
	return r->probe_end.outcome;
}

void rig_close_probing(struct rig *r)
{
	r->probed = false;
	vault_probe(r->vault, on_probed, r);
	vault_probe(r->vault, on_probed, r);
	rig_close(r);
	assert_false(r->probed);
}

void ear_free(struct ear *e)
{
	assert_true(e->ends <= 1);
	buf_finish(&e->seen);
	free(e);
}

void ear_expect(struct ear *e, enum upstream_outcome outcome, int status, const char *seen)
{
	rig_wait_end(e);
	if (e->end.outcome != outcome)
		print_error("outcome: %s\n", upstream_outcome_text(e->end.outcome));
	assert_int_equal(e->end.outcome, outcome);
	assert_int_equal(e->end.status, status);
	assert_slice(buf_slice(&e->seen), slice_of(seen));
	ear_free(e);
}
