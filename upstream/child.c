#include "upstream/child.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/wipe.h"
#include "mcp/rpc.h"
#include "upstream/child_path.h"
#include "upstream/child_process.h"

#define MAX_SPARE 64
#define MAX_ID_BYTES (8 * RPC_MAX_ID)
#define MAX_MUTED 1024          /* cancelled calls whose answers are waited for */
#define KEEP_BYTES (16 * 1024)

/* WAITING: the child is not started yet. OPEN: the line is on its way. */
enum child_call_state { CALL_WAITING, CALL_OPEN, CALL_ENDED };

struct child_conversation {
	struct upstream base;
	struct child_vault *shared;
	struct upstream_events events;
	struct child_process *process;  /* NULL: none runs */
	struct child_call *calls, *last; /* in the order they were sent */
	size_t n_muted;
	uv_timer_t timer;               /* to the next start */
	struct task tell_lost;
	struct upstream_end lost_how;
};

struct child_call {
	struct upstream_call_base base;
	struct child_conversation *conversation;
	struct child_call *next, *prev; /* next: spare ones too */
	struct upstream_sink sink;
	struct task task;               /* tells the end */
	struct upstream_end end;
	enum child_call_state state;
	bool muted;                     /* cancelled: its answer is still to be thrown away */
	struct buf id;                  /* in one spelling; empty: no answer is due */
	struct buf line;                /* until it was handed over */
};

static struct child_conversation *conversation_of(struct upstream *u)
{
	return (struct child_conversation *)(void *)u;
}

static struct turn *turn_of(const struct child_conversation *v)
{
	return &v->shared->vault->turn;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

static void run_end(struct task *);

static struct child_call *call_create(struct child_conversation *v, const struct upstream_sink *sink)
{
	struct child_vault *s = v->shared;
	struct child_call *c = s->spare;
	size_t max = s->vault->max_message_bytes;

	if (c) {
		s->spare = c->next;
		s->n_spare--;
	} else {
		c = calloc(1, sizeof *c);
		if (!c)
			return NULL;
		c->task.run = run_end;
		buf_init(&c->id, MAX_ID_BYTES);
		buf_init(&c->line, max < SIZE_MAX / 4 ? 2 * max : SIZE_MAX / 2);
	}
	c->base.up = &v->base;
	c->conversation = v;
	c->sink = *sink;
	c->state = CALL_WAITING;
	c->muted = false;
	c->next = NULL;
	c->prev = v->last;
	if (v->last)
		v->last->next = c;
	else
		v->calls = c;
	v->last = c;
	return c;
}

static void call_free(struct child_call *c)
{
	buf_finish(&c->id);
	buf_finish(&c->line);
	free(c);
}

static void clean_line(struct child_call *c)
{
	if (c->line.cap > KEEP_BYTES) {
		buf_finish(&c->line);
		return;
	}
	if (c->line.n)
		wipe(c->line.p, c->line.n);
	buf_clear(&c->line);
}

static void call_recycle(struct child_call *c)
{
	struct child_conversation *v = c->conversation;
	struct child_vault *s = v->shared;

	turn_remove(&c->task);
	if (c->prev)
		c->prev->next = c->next;
	else
		v->calls = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		v->last = c->prev;
	if (c->muted)
		v->n_muted--;
	clean_line(c);
	buf_clear(&c->id);
	if (s->n_spare == MAX_SPARE || s->closing) {
		call_free(c);
		return;
	}
	c->next = s->spare;
	s->spare = c;
	s->n_spare++;
}

/* Its owner hears of it at the end of this round. */
static void call_end(struct child_call *c, enum upstream_outcome outcome)
{
	c->state = CALL_ENDED;
	c->end = (struct upstream_end){ outcome, 0 };
	turn_add(turn_of(c->conversation), &c->task);
}

static void run_end(struct task *task)
{
	struct child_call *c = (struct child_call *)(void *)((char *)task - offsetof(struct child_call, task));
	struct upstream_sink sink = c->sink;
	struct upstream_end end = c->end;

	call_recycle(c);
	if (sink.end)
		sink.end(sink.ctx, &end);
}

/* --- what the child says ------------------------------------------------------------------------------------------ */

/* The call that awaits an answer with this id. */
static struct child_call *find(struct child_conversation *v, struct slice id)
{
	for (struct child_call *c = v->calls; c; c = c->next)
		if (c->state != CALL_ENDED && c->id.n && slice_eq(buf_slice(&c->id), id))
			return c;
	return NULL;
}

static void answer(struct child_call *c, struct slice line)
{
	struct upstream_sink sink = c->sink;

	if (c->muted) {
		call_recycle(c);
		return;
	}
	/* First, since the callback may cancel it. */
	call_end(c, UP_DONE);
	if (sink.message)
		sink.message(sink.ctx, line);
}

static void say_skipped(struct child_vault *s, struct slice line, enum err e)
{
	unsigned long left_out;

	if (!log_limit_admits(&s->skips, uv_now(s->vault->loop), &left_out))
		return;
	if (left_out)
		log_info(s->area, "skipped %lu more lines on its stdout", left_out);
	log_info(s->area, "skipped a line of %zu bytes on its stdout: %s", line.n, err_text(e));
}

static void on_line(void *ctx, struct slice line)
{
	struct child_conversation *v = ctx;
	struct vault *vault = v->shared->vault;
	struct child_call *c = NULL;
	struct rpc rpc;
	enum err e = rpc_parse(&rpc, line, &vault->scratch, NULL);

	if (e == E_OK && (rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR) && rpc.id != JSON_NONE)
		c = find(v, rpc_id_key(&rpc, &vault->scratch));
	arena_reset(&vault->scratch);
	if (e != E_OK) {
		say_skipped(v->shared, line, e);
		return;
	}
	backoff_works(&v->shared->backoff);
	if (c)
		answer(c, line);
	else if (v->events.message)
		v->events.message(v->events.ctx, line);
}

static void on_gone(void *ctx, enum upstream_outcome why)
{
	struct child_conversation *v = ctx;

	v->process = NULL;
	backoff_failed(&v->shared->backoff, uv_now(v->shared->vault->loop));
	for (struct child_call *c = v->calls, *next; c; c = next) {
		next = c->next;
		if (c->muted)
			call_recycle(c);
		else if (c->state == CALL_OPEN)
			call_end(c, why);
	}
	v->lost_how.outcome = why;
	turn_add(turn_of(v), &v->tell_lost);
}

static void run_tell_lost(struct task *task)
{
	struct child_conversation *v =
		(struct child_conversation *)(void *)((char *)task - offsetof(struct child_conversation, tell_lost));

	if (v->events.lost)
		v->events.lost(v->events.ctx, &v->lost_how);
}

static const struct child_listener listener = { .line = on_line, .gone = on_gone };

/* --- what it is told ---------------------------------------------------------------------------------------------- */

static void hand_over(struct child_conversation *v, struct child_call *c)
{
	enum upstream_outcome o = v->process ? child_process_write(v->process, buf_slice(&c->line)) : UP_UNREACHABLE;

	clean_line(c);
	c->state = CALL_OPEN;
	if (o != UP_DONE || !c->id.n)
		call_end(c, o);
	if (o == UP_BROKEN)
		on_gone(v, UP_BROKEN);
}

static void start_child(struct child_conversation *v)
{
	v->process = child_process_start(v->shared, &listener, v);
	if (!v->process)
		backoff_failed(&v->shared->backoff, uv_now(v->shared->vault->loop));
	/* In order, and without those that the first ones' failing has ended. */
	for (struct child_call *c = v->calls; c; c = c->next)
		if (c->state == CALL_WAITING)
			hand_over(v, c);
}

static void on_timer(uv_timer_t *t)
{
	struct child_conversation *v = t->data;

	if (v->calls) /* else all that waited for it were cancelled */
		start_child(v);
}

/* The start waits for its time; calls wait with it. */
static void start_in_time(struct child_conversation *v)
{
	uint64_t left_ms = backoff_left_ms(&v->shared->backoff, uv_now(v->shared->vault->loop));

	if (uv_is_active((uv_handle_t *)&v->timer))
		return;
	if (left_ms)
		uv_timer_start(&v->timer, on_timer, left_ms, 0);
	else
		start_child(v);
}

static enum err prepare(struct child_call *c, const struct upstream_request *r)
{
	enum err e = buf_add(&c->id, r->id);

	return e == E_OK ? ndjson_write(&c->line, r->body) : e;
}

static struct upstream_call *op_send(
	struct upstream *u, const struct upstream_request *r, const struct upstream_sink *sink)
{
	struct child_conversation *v = conversation_of(u);
	bool doubled = r->id.n && find(v, r->id); /* two answers could not be told apart */
	struct child_call *c = call_create(v, sink);

	if (!c)
		return NULL;
	if (doubled)
		call_end(c, UP_UNREACHABLE);
	else if (prepare(c, r) != E_OK)
		call_end(c, UP_TOO_BIG);
	else if (v->process)
		hand_over(v, c);
	else
		start_in_time(v);
	return (struct upstream_call *)c;
}

static void op_cancel(struct upstream_call *call)
{
	struct child_call *c = (struct child_call *)(void *)call;

	if (c->state != CALL_OPEN || !c->id.n || c->conversation->n_muted == MAX_MUTED) {
		call_recycle(c);
		return;
	}
	c->muted = true;
	c->conversation->n_muted++;
}

static bool op_has_session(const struct upstream *u)
{
	(void)u;
	return true;
}

static void on_timer_closed(uv_handle_t *h)
{
	struct child_conversation *v = h->data;
	struct child_vault *s = v->shared;

	free(v);
	child_vault_less(s);
}

static void op_close(struct upstream *u)
{
	struct child_conversation *v = conversation_of(u);

	turn_remove(&v->tell_lost);
	while (v->calls)
		call_recycle(v->calls);
	if (v->process)
		child_process_stop(v->process);
	uv_close((uv_handle_t *)&v->timer, on_timer_closed);
}

static const struct upstream_ops ops = {
	.send = op_send,
	.cancel = op_cancel,
	.has_session = op_has_session,
	.close = op_close,
};

struct upstream *child_open(struct child_vault *s, const struct upstream_events *events)
{
	struct child_conversation *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->base.ops = &ops;
	v->shared = s;
	v->events = *events;
	v->tell_lost.run = run_tell_lost;
	uv_timer_init(s->vault->loop, &v->timer);
	v->timer.data = v;
	s->n_live++;
	return &v->base;
}

/* --- what all share ----------------------------------------------------------------------------------------------- */

static void vault_release(struct child_vault *s)
{
	while (s->spare) {
		struct child_call *c = s->spare;

		s->spare = c->next;
		call_free(c);
	}
	for (char **a = s->args; a && *a; a++)
		free(*a);
	for (char **e = s->env; e && *e; e++) {
		wipe(*e, strlen(*e)); /* a child's environment holds secrets */
		free(*e);
	}
	free(s->args);
	free(s->env);
	free(s->area);
	free(s);
}

static char **copy_all(const struct slice *v, size_t n)
{
	char **all = calloc(n + 1, sizeof *all);

	for (size_t i = 0; all && i < n; i++) {
		all[i] = strndup(v[i].n ? v[i].p : "", v[i].n);
		if (all[i])
			continue;
		while (i)
			free(all[--i]);
		free(all);
		return NULL;
	}
	return all;
}

struct child_vault *child_vault_create(struct vault *vault, const struct vault_config *conf, const char **why)
{
	struct child_vault *s = calloc(1, sizeof *s);

	*why = "out of memory";
	if (!s)
		return NULL;
	s->vault = vault;
	if (!conf->n_command || !conf->command[0].n) {
		*why = "neither a URL nor a command is given";
		free(s);
		return NULL;
	}
	s->args = copy_all(conf->command, conf->n_command);
	s->env = copy_all(conf->child_env, conf->n_child_env);
	if (asprintf(&s->area, "child %s", vault->name) < 0)
		s->area = NULL;
	if (!s->args || !s->env || !s->area) {
		vault_release(s);
		return NULL;
	}
	return s;
}

static void close_if_quiet(struct child_vault *s)
{
	void (*closed)(void *ctx) = s->closed;
	void *ctx = s->ctx;

	if (!s->closing || s->n_live)
		return;
	vault_release(s);
	closed(ctx);
}

void child_vault_less(struct child_vault *s)
{
	s->n_live--;
	close_if_quiet(s);
}

void child_vault_close(struct child_vault *s, void (*closed)(void *ctx), void *ctx)
{
	s->closing = true;
	s->closed = closed;
	s->ctx = ctx;
	close_if_quiet(s);
}

bool child_found(const struct child_vault *s)
{
	char *file = child_path_find(s->args[0], s->env);

	free(file);
	return file;
}
