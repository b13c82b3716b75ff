#include "upstream/http_call_inside.h"

#include <stddef.h>
#include <stdlib.h>
#include "base/wipe.h"

#define MAX_SPARE 64
#define KEEP_BYTES (16 * 1024)     /* a request buffer up to this size stays with a spare call */
#define TLS_RECORD_BYTES (16 * 1024)
#define KEEP_ALIVE_MAX_MS 60000

static void run(struct task *);
static void got_wire(struct pool_want *, struct wire *, enum upstream_outcome);

static struct turn *turn_of(const struct http_call *c)
{
	return &c->http->vault->turn;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static struct http_call *take_spare(struct http_vault *h)
{
	struct http_call *c = h->spare;
	size_t max = h->vault->max_message_bytes;

	if (c) {
		h->spare = c->next;
		h->n_spare--;
		return c;
	}
	c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->http = h;
	c->task.run = run;
	c->want.got = got_wire;
	buf_init(&c->out, max < SIZE_MAX / 4 ? 2 * max + (1 << 20) : SIZE_MAX / 2);
	http_answer_init(&c->answer, max);
	return c;
}

struct http_call *http_call_create(struct http_vault *h, struct http_conversation *owner, enum http_verb verb)
{
	struct http_call *c = take_spare(h);

	if (!c)
		return NULL;
	c->base.up = owner ? &owner->base : NULL;
	c->owner = owner;
	c->sink = (struct upstream_sink){ 0 };
	c->named = NULL;
	c->state = CALL_WAITING;
	c->verb = verb;
	c->sent = c->lingered = 0;
	c->opens_session = c->paused = c->tried = c->sent_all = c->head_seen = c->replaced = c->reading = false;
	c->prev = NULL;
	c->next = owner ? owner->calls : NULL;
	if (c->next)
		c->next->prev = c;
	if (owner)
		owner->calls = c;
	h->n_live++;
	if (verb == HTTP_VERB_GET)
		h->n_listens++;
	return c;
}

void http_call_free(struct http_call *c)
{
	http_answer_finish(&c->answer);
	buf_finish(&c->out);
	free(c);
}

static void disown(struct http_call *c)
{
	if (!c->owner)
		return;
	if (c->prev)
		c->prev->next = c->next;
	else
		c->owner->calls = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->next = c->prev = NULL;
	c->owner = NULL;
	c->base.up = NULL;
}

static void leave_time(struct http_call *c)
{
	if (!c->timed)
		return;
	c->timed = false;
	if (c->prev_timed)
		c->prev_timed->next_timed = c->next_timed;
	else
		c->http->timed = c->next_timed;
	if (c->next_timed)
		c->next_timed->prev_timed = c->prev_timed;
	c->next_timed = c->prev_timed = NULL;
}

void http_call_limit(struct http_call *c, uint64_t ms)
{
	struct http_vault *h = c->http;
	uint64_t deadline_ms = uv_now(h->vault->loop) + ms;

	if (!c->timed || deadline_ms < c->deadline_ms)
		c->deadline_ms = deadline_ms;
	if (c->timed)
		return;
	c->timed = true;
	c->next_timed = h->timed;
	if (h->timed)
		h->timed->prev_timed = c;
	h->timed = c;
	http_watch_time(h);
}

/* The request held the credential and what the agent said. */
static void clean_out(struct http_call *c)
{
	if (c->out.cap > KEEP_BYTES) {
		buf_finish(&c->out);
		return;
	}
	if (c->out.n)
		wipe(c->out.p, c->out.n);
	buf_clear(&c->out);
}

/* Recycles a call that is of no more use to anybody. */
static void reap(struct http_call *c)
{
	struct http_vault *h = c->http;

	if (c->state != CALL_ENDED || c->owner || c->wire || c->reading)
		return;
	turn_remove(&c->task);
	leave_time(c);
	clean_out(c);
	if (c->verb == HTTP_VERB_GET)
		h->n_listens--;
	if (h->n_spare < MAX_SPARE && !h->closing) {
		http_answer_begin(&c->answer, (struct http_asked){ 0 }); /* wipes what the last one left */
		c->next = h->spare;
		h->spare = c;
		h->n_spare++;
	} else {
		http_call_free(c);
	}
	if (--h->n_live == 0)
		http_on_quiet(h);
}

/* --- its connection ----------------------------------------------------------------------------------------------- */

void http_call_drop_wire(struct http_call *c)
{
	struct wire *w = c->wire;

	if (!w)
		return;
	c->wire = NULL;
	pool_drop(&c->http->pool, w);
}

static uint64_t idle_limit(const struct http_answer *a)
{
	if (!a->keep_alive_ms)
		return 0;
	if (a->keep_alive_ms > KEEP_ALIVE_MAX_MS)
		return KEEP_ALIVE_MAX_MS;
	/* A second early: a request must not meet the closing on its way. */
	return a->keep_alive_ms > 1500 ? a->keep_alive_ms - 1000 : 500;
}

void http_call_return_wire(struct http_call *c)
{
	struct wire *w = c->wire;
	struct http_vault *h = c->http;

	c->wire = NULL;
	if (c->head_seen)
		w->used = true;
	pool_give_back(&h->pool, w, idle_limit(&c->answer));
	http_watch_time(h);
}

void http_call_watch(struct http_call *c)
{
	int events = c->paused ? 0 : UV_READABLE;

	if (c->state == CALL_SENDING && c->tried)
		events |= UV_WRITABLE;
	wire_watch(c->wire, events);
}

/* --- ends --------------------------------------------------------------------------------------------------------- */

void http_call_mark_ended(struct http_call *c, enum upstream_outcome outcome, int status)
{
	c->state = CALL_ENDED;
	c->end = (struct upstream_end){ outcome, status };
	if (c->owner)
		turn_add(turn_of(c), &c->task);
	else
		turn_remove(&c->task);
}

void http_call_finish(struct http_call *c, enum upstream_outcome outcome, int status)
{
	if (c->state == CALL_ENDED)
		return;
	pool_forget(&c->http->pool, &c->want);
	http_call_drop_wire(c);
	http_call_mark_ended(c, outcome, status);
	reap(c);
}

static void tell_end(struct http_call *c)
{
	struct upstream_sink sink = c->sink;
	struct upstream_end end = c->end;

	disown(c);
	reap(c);
	if (sink.end)
		sink.end(sink.ctx, &end);
}

/* --- the request -------------------------------------------------------------------------------------------------- */

static void wait(struct http_call *c)
{
	c->state = CALL_WAITING;
	http_watch_time(c->http);
	if (!pool_wait(&c->http->pool, &c->want))
		http_call_finish(c, UP_UNREACHABLE, 0);
}

/* Not one byte of the request has left, and the connection is dead: another one, once. */
static void replace(struct http_call *c)
{
	http_call_drop_wire(c);
	if (c->replaced) {
		http_call_finish(c, UP_UNREACHABLE, 0);
		return;
	}
	c->replaced = true;
	c->tried = false;
	wait(c);
}

static void flush(struct http_call *c)
{
	bool first = !c->tried;
	size_t n;
	enum wire_io io = wire_send(c->wire, slice_from(buf_slice(&c->out), c->sent), &n);

	c->tried = true;
	c->sent += n;
	if (io == WIRE_FAILED || io == WIRE_EOF) {
		/* TLS may have sent whole records before it failed; a part of one is nothing: nobody can read it. */
		if (first && (!c->http->pool.connector.tls || c->out.n < TLS_RECORD_BYTES))
			replace(c);
		else
			http_call_finish(c, UP_BROKEN, 0);
		return;
	}
	if (c->sent == c->out.n) {
		c->state = CALL_ANSWERING;
		c->sent_all = true;
		clean_out(c);
	}
	http_call_watch(c);
}

static void on_event(struct wire *w, int events)
{
	struct http_call *c = w->ctx;
	char byte;
	size_t n;

	c->reading = true;
	if (c->state == CALL_SENDING && !c->tried) { /* it waits for the end of the round: nothing was asked yet */
		if (wire_recv(w, &byte, 1, &n) != WIRE_AGAIN)
			replace(c);
	} else {
		if ((events & UV_WRITABLE) && c->state == CALL_SENDING)
			flush(c);
		if ((events & UV_READABLE) && c->wire == w)
			http_call_receive(c);
	}
	c->reading = false;
	reap(c);
}

static void attach(struct http_call *c, struct wire *w)
{
	c->wire = w;
	w->ctx = c;
	w->on_event = on_event;
	c->state = CALL_SENDING;
	turn_add(turn_of(c), &c->task);
}

static void got_wire(struct pool_want *want, struct wire *w, enum upstream_outcome outcome)
{
	struct http_call *c = (struct http_call *)(void *)((char *)want - offsetof(struct http_call, want));

	if (w)
		attach(c, w);
	else
		http_call_finish(c, outcome, 0);
}

void http_call_start(struct http_call *c)
{
	struct wire *w = pool_take(&c->http->pool);

	if (w)
		attach(c, w);
	else
		wait(c);
}

static void run(struct task *task)
{
	struct http_call *c = (struct http_call *)(void *)((char *)task - offsetof(struct http_call, task));

	if (c->state == CALL_ENDED && c->owner) {
		tell_end(c);
		return;
	}
	c->reading = true;
	if (c->state == CALL_SENDING && !c->tried)
		flush(c);
	else if (c->state == CALL_ANSWERING || c->state == CALL_ENDED)
		http_call_go_on(c);
	c->reading = false;
	reap(c);
}

/* --- what its owner may do ---------------------------------------------------------------------------------------- */

void http_call_pause(struct http_call *c)
{
	c->paused = true;
	if (c->wire && c->state != CALL_ENDED)
		http_call_watch(c);
}

void http_call_resume(struct http_call *c)
{
	if (!c->paused)
		return;
	c->paused = false;
	if (c->wire && c->state == CALL_SENDING)
		http_call_watch(c);
	if (c->state == CALL_ANSWERING)
		turn_add(turn_of(c), &c->task);
}

void http_call_cancel(struct http_call *c)
{
	enum http_call_state was = c->state;

	disown(c);
	turn_remove(&c->task);
	pool_forget(&c->http->pool, &c->want);
	c->paused = false;
	c->state = CALL_ENDED;
	if (was == CALL_SENDING && !c->tried)
		http_call_return_wire(c);
	else if (was == CALL_SENDING || (was == CALL_ANSWERING && !c->reading))
		http_call_drop_wire(c); /* from inside its own callback, the answer may be about to end: see linger() */
	reap(c);
}

void http_call_expire(struct http_call *c)
{
	leave_time(c);
	if (c->state != CALL_ENDED) {
		http_call_finish(c, UP_BROKEN, 0);
		return;
	}
	http_call_drop_wire(c);
	reap(c);
}
