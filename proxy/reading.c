#include "proxy/reading.h"

#include <stdlib.h>
#include "proxy/exchange_inside.h"
#include "proxy/fiber.h"

struct reading {
	struct reading *next, *prev; /* in turn */
	struct exchange *x;          /* NULL: it has ended */
	struct app *app;
	struct fiber *fiber;
	struct arena *arena;
	struct arena own;
	struct slice text;
	reading_work *work;
};

#define OWN_ARENA_BYTES (64u * 1024 * 1024)

static void run(void *ctx)
{
	struct reading *r = ctx;

	r->work(r->x, r->text, r->arena);
}

/* --- whose turn it is ---------------------------------------------------------------------------------------------- */

static void on_idle(uv_idle_t *);

static void enqueue(struct reading *r)
{
	struct readings *all = &r->app->readings;

	r->next = NULL;
	r->prev = all->last;
	if (all->last)
		all->last->next = r;
	else
		all->first = r;
	all->last = r;
	uv_idle_start(&all->idle, on_idle);
}

static void dequeue(struct reading *r)
{
	struct readings *all = &r->app->readings;

	if (r->prev)
		r->prev->next = r->next;
	else
		all->first = r->next;
	if (r->next)
		r->next->prev = r->prev;
	else
		all->last = r->prev;
	if (!all->first)
		uv_idle_stop(&all->idle);
}

/* --- the end ------------------------------------------------------------------------------------------------------- */

/* The exchange if it is still there. */
static struct exchange *conclude(struct reading *r)
{
	struct exchange *x = r->x;

	dequeue(r);
	fiber_free(r->fiber);
	if (x) {
		r->arena->pace = NULL;
		x->reading = NULL;
	}
	if (r->arena == &r->own)
		arena_finish(&r->own);
	free(r);
	return x;
}

/* One slice each time, of one after the other. */
static void on_idle(uv_idle_t *idle)
{
	struct app *app = idle->data;
	struct reading *r = app->readings.first;

	if (!r)
		return;
	if (!fiber_run(r->fiber)) {
		dequeue(r);
		enqueue(r);
		return;
	}
	struct exchange *x = conclude(r);
	if (x)
		exchange_was_read(x);
}

bool reading_waits(const struct exchange *x)
{
	return x->reading && !fiber_is_running(x->reading->fiber);
}

static bool finish(struct reading *r)
{
	while (!fiber_run(r->fiber))
		;
	struct exchange *x = conclude(r);
	return x && exchange_was_read(x);
}

bool reading_finish(struct exchange *x)
{
	return finish(x->reading);
}

void readings_finish(struct app *app)
{
	while (app->readings.first)
		finish(app->readings.first);
}

void reading_forget(struct exchange *x)
{
	if (!x->reading)
		return;
	x->reading->x = NULL;
	x->arena.pace = NULL;
}

/* --- the beginning ------------------------------------------------------------------------------------------------- */

static struct reading *create(struct exchange *x, struct slice text, struct arena *arena, bool copy, reading_work *work)
{
	struct reading *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	*r = (struct reading){ .x = x, .app = x->app, .arena = arena, .text = text, .work = work };
	arena_init(&r->own, OWN_ARENA_BYTES);
	if (copy) {
		r->arena = &r->own;
		r->text = arena_dup(&r->own, text);
	}
	r->fiber = r->text.p ? fiber_create(run, r) : NULL;
	if (r->fiber)
		return r;
	arena_finish(&r->own);
	free(r);
	return NULL;
}

void reading_begin(struct exchange *x, struct slice text, struct arena *arena, bool copy, reading_work *work)
{
	struct reading *r = text.n >= READING_LONG_BYTES ? create(x, text, arena, copy, work) : NULL;

	if (!r) { /* without memory for the comfort of others: at once */
		work(x, text, arena);
		return;
	}
	r->arena->pace = fiber_pace(r->fiber);
	x->reading = r;
	enqueue(r);
}
