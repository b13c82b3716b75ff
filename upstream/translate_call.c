/* One call of a translated conversation: its life, and what its user is told. */
#include <stddef.h>
#include <stdlib.h>
#include "upstream/translate_inside.h"

void translate_set(struct buf *b, struct slice s)
{
	buf_clear(b);
	buf_add(b, s);
}

static void run(struct task *);

static void init_bufs(struct tcall *c)
{
	struct buf *all[] = { &c->body, &c->id, &c->inner_id, &c->progress, &c->version, &c->traceparent, &c->mirror, &c->say, &c->state,
		&c->token, &c->vault_id };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		buf_init(all[i], SIZE_MAX);
}

struct tcall *tcall_create(struct translated *v, const struct upstream_request *r, const struct upstream_sink *sink, enum part part)
{
	struct tcall *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->base.up = &v->base;
	c->owner = v;
	c->sink = *sink;
	c->part = part;
	c->task.run = run;
	c->limit_ms = r->limit_ms;
	init_bufs(c);
	translate_set(&c->body, r->body);
	translate_set(&c->version, r->version);
	translate_set(&c->traceparent, r->traceparent);
	translate_set(&c->mirror, r->mirror);
	c->prev = v->last;
	*(v->last ? &v->last->next : &v->calls) = c;
	v->last = c;
	return c;
}

void tcall_forget_questions(struct tcall *c)
{
	for (size_t i = 0; i < c->n_questions; i++) {
		buf_finish(&c->questions[i].name);
		buf_finish(&c->questions[i].id);
		buf_finish(&c->questions[i].answer);
	}
	free(c->questions);
	c->questions = NULL;
	c->n_questions = 0;
}

void tcall_leave(struct tcall *c)
{
	struct translated *v = c->owner;

	if (!v)
		return;
	*(c->prev ? &c->prev->next : &v->calls) = c->next;
	*(c->next ? &c->next->prev : &v->last) = c->prev;
	c->owner = NULL;
}

void tcall_free(struct tcall *c)
{
	struct buf *all[] = { &c->body, &c->id, &c->inner_id, &c->progress, &c->version, &c->traceparent, &c->mirror, &c->say, &c->state,
		&c->token, &c->vault_id };

	turn_remove(&c->task);
	upstream_cancel(c->inner);
	tcall_leave(c);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		buf_finish(all[i]);
	for (size_t i = 0; i < c->n_uris; i++)
		buf_finish(&c->uris[i]);
	tcall_forget_questions(c);
	free(c);
}

bool tcall_tell(struct tcall *c, struct slice json)
{
	c->busy = true;
	if (c->sink.message && json.n)
		c->sink.message(c->sink.ctx, json);
	c->busy = false;
	if (c->gone)
		tcall_free(c);
	else
		return true;
	return false;
}

void tcall_over(struct tcall *c, const struct upstream_end *end)
{
	struct upstream_sink sink = c->sink;
	struct upstream_end told = *end;

	tcall_free(c);
	if (sink.end)
		sink.end(sink.ctx, &told);
}

static void run(struct task *task)
{
	struct tcall *c = (struct tcall *)(void *)((char *)task - offsetof(struct tcall, task));
	struct buf say = c->say;

	buf_init(&c->say, SIZE_MAX);
	c->busy = true;
	if (c->streams && c->sink.stream)
		c->sink.stream(c->sink.ctx);
	c->streams = false;
	if (!c->gone && say.n && c->sink.message)
		c->sink.message(c->sink.ctx, buf_slice(&say));
	buf_finish(&say);
	c->busy = false;
	if (c->gone)
		tcall_free(c);
	else if (c->ends)
		tcall_over(c, &c->end);
}

static void end_later(struct tcall *c, enum upstream_outcome outcome, int status)
{
	c->ends = c->answered = true;
	c->end = (struct upstream_end){ outcome, status };
	turn_add(&c->owner->vault->turn, &c->task);
}

void tcall_answer(struct tcall *c, struct slice json)
{
	translate_set(&c->say, json);
	end_later(c, c->say.failed ? UP_BROKEN : UP_DONE, 0);
}

void tcall_fail(struct tcall *c, enum upstream_outcome outcome, int status)
{
	end_later(c, outcome, status);
}

void tcall_refuse(struct tcall *c, int code, const char *text)
{
	buf_clear(&c->say);
	rpc_make_error(&c->say, buf_slice(&c->id), code, slice_of(text), SL(""));
	end_later(c, c->say.n ? UP_DONE : UP_BROKEN, 0);
}
