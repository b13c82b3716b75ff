#include "upstream/sse_inside.h"

#include <stddef.h>
#include <stdlib.h>
#include "mcp/rpc.h"

#define MAX_ID_BYTES (8 * RPC_MAX_ID)
#define MAX_FIELD_BYTES 1024
#define POST_LIMIT_MS (5 * 60 * 1000) /* for the 202; answers come on the stream, in their own time */
#define MAX_MUTED 1024          /* cancelled calls whose answers are waited for */

static struct turn *turn_of(const struct sse_call *c)
{
	return &c->conversation->http->vault->turn;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void run_end(struct task *);

struct sse_call *sse_call_create(struct sse_conversation *v, const struct upstream_sink *sink)
{
	struct sse_call *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->base.up = &v->base;
	c->conversation = v;
	c->sink = *sink;
	c->task.run = run_end;
	buf_init(&c->id, MAX_ID_BYTES);
	buf_init(&c->body, SIZE_MAX);
	buf_init(&c->version, MAX_FIELD_BYTES);
	buf_init(&c->traceparent, MAX_FIELD_BYTES);
	c->prev = v->last;
	if (v->last)
		v->last->next = c;
	else
		v->calls = c;
	v->last = c;
	return c;
}

void sse_call_free(struct sse_call *c)
{
	struct sse_conversation *v = c->conversation;

	turn_remove(&c->task);
	if (c->prev)
		c->prev->next = c->next;
	else
		v->calls = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		v->last = c->prev;
	if (c->muted && c->awaits)
		v->n_muted--;
	buf_finish(&c->id);
	buf_finish(&c->body);
	buf_finish(&c->version);
	buf_finish(&c->traceparent);
	free(c);
}

static void free_if_over(struct sse_call *c)
{
	if (c->muted && !c->awaits && !c->post)
		sse_call_free(c);
}

void sse_settle_stream(struct sse_conversation *v)
{
	size_t open = 0, paused = 0;

	for (const struct sse_call *c = v->calls; c; c = c->next) {
		open += c->awaits && !c->muted;
		paused += c->awaits && !c->muted && c->paused;
	}
	bool rest = open && open == paused;
	if (!v->stream || rest == v->resting)
		return;
	v->resting = rest;
	(rest ? upstream_pause : upstream_resume)(v->stream);
}

void sse_call_end(struct sse_call *c, enum upstream_outcome outcome, int status)
{
	if (c->state == SSE_ENDED)
		return;
	c->state = SSE_ENDED;
	c->awaits = false;
	c->end = (struct upstream_end){ outcome, status };
	turn_add(turn_of(c), &c->task);
	sse_settle_stream(c->conversation);
}

static void run_end(struct task *task)
{
	struct sse_call *c = (struct sse_call *)(void *)((char *)task - offsetof(struct sse_call, task));
	struct upstream_sink sink = c->sink;
	struct upstream_end end = c->end;

	c->muted = true;
	free_if_over(c);
	if (sink.end)
		sink.end(sink.ctx, &end);
}

enum err sse_call_keep(struct sse_call *c, const struct upstream_request *r)
{
	enum err e = buf_add(&c->id, r->id);

	c->awaits = r->id.n > 0;
	c->limit_ms = r->limit_ms;
	if (e == E_OK)
		e = buf_add(&c->body, r->body);
	if (e == E_OK)
		e = buf_add(&c->version, r->version);
	return e == E_OK ? buf_add(&c->traceparent, r->traceparent) : e;
}

/* --- on its way ----------------------------------------------------------------------------------------------------- */

struct sse_call *sse_call_find(const struct sse_conversation *v, struct slice id)
{
	for (struct sse_call *c = v->calls; c; c = c->next)
		if (c->awaits && slice_eq(buf_slice(&c->id), id))
			return c;
	return NULL;
}

void sse_call_forget_answer(struct sse_call *c)
{
	if (!c->muted || !c->awaits)
		return;
	c->conversation->n_muted--;
	c->awaits = false;
	free_if_over(c);
}

void sse_call_answer(struct sse_call *c, struct slice json)
{
	struct upstream_sink sink = c->sink;

	if (c->muted) {
		sse_call_forget_answer(c);
		return;
	}
	sse_call_end(c, UP_DONE, 0); /* first, since the callback may cancel it */
	if (sink.message)
		sink.message(sink.ctx, json);
}

static void on_posted(void *ctx, const struct upstream_end *end)
{
	struct sse_call *c = ctx;
	struct sse_conversation *v = c->conversation;
	uint64_t of = c->stream;

	c->post = NULL;
	if (c->state == SSE_OPEN && end->outcome != UP_DONE)
		sse_call_end(c, end->status == 404 ? UP_SESSION_LOST : end->outcome, end->status);
	else if (c->state == SSE_OPEN && !c->awaits)
		sse_call_end(c, UP_DONE, end->status);
	else
		free_if_over(c);
	if (end->status == 404 && of == v->n_streams)
		sse_key_unknown(v);
}

void sse_call_post(struct sse_call *c)
{
	struct upstream_request r = { .body = buf_slice(&c->body), .version = buf_slice(&c->version),
		.traceparent = buf_slice(&c->traceparent), .limit_ms = c->limit_ms ? c->limit_ms : POST_LIMIT_MS };
	struct upstream_sink sink = { .end = on_posted, .ctx = c };

	c->state = SSE_OPEN;
	c->stream = c->conversation->n_streams;
	c->post = upstream_send(c->conversation->inner, &r, &sink);
	buf_finish(&c->body);
	if (!c->post)
		sse_call_end(c, UP_UNREACHABLE, 0);
}

void sse_call_cancel(struct sse_call *c)
{
	struct sse_conversation *v = c->conversation;

	turn_remove(&c->task);
	if (c->state != SSE_OPEN || v->n_muted == MAX_MUTED)
		c->awaits = false;
	c->state = SSE_ENDED;
	c->muted = true;
	v->n_muted += c->awaits;
	free_if_over(c);
	sse_settle_stream(v);
}
