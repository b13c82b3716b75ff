#include "upstream/pool.h"

/* Shorter than the 5 seconds of common servers: a request to a connection that is just ending is lost. */
#define IDLE_DEFAULT_MS 4000
/* Idle for longer than this, a connection is looked at before it is used: the loop may not have seen its end yet. */
#define IDLE_FRESH_MS 50
#define MAX_WAITING 4096

static void unlink_idle(struct pool *p, struct wire *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		p->idle = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		p->oldest = w->prev;
	w->next = w->prev = NULL;
	p->n_idle--;
}

static void dial(struct pool *p);

void pool_drop(struct pool *p, struct wire *w)
{
	wire_close(w);
	p->n_wires--;
	dial(p); /* somebody may have waited for the room */
}

/* Whether an idle connection still stands. TLS may have had something to say for itself, an HTTP server has not. */
static bool alive(struct wire *w)
{
	char byte;
	size_t n;

	return wire_recv(w, &byte, 1, &n) == WIRE_AGAIN;
}

static void on_idle_event(struct wire *w, int events)
{
	struct pool *p = w->ctx;

	(void)events;
	if (alive(w))
		return;
	unlink_idle(p, w);
	pool_drop(p, w);
}

struct wire *pool_take(struct pool *p)
{
	struct wire *w;

	while ((w = p->idle) != NULL) {
		unlink_idle(p, w);
		if (uv_now(p->connector.loop) - w->idle_since_ms <= IDLE_FRESH_MS || alive(w))
			return w;
		pool_drop(p, w);
	}
	return NULL;
}

/* --- the line ----------------------------------------------------------------------------------------------------- */

static void leave_line(struct pool *p, struct pool_want *want)
{
	if (want->prev)
		want->prev->next = want->next;
	else
		p->first = want->next;
	if (want->next)
		want->next->prev = want->prev;
	else
		p->last = want->prev;
	want->next = want->prev = NULL;
	want->queued = false;
	p->n_waiting--;
}

static void serve_first(struct pool *p, struct wire *w, enum upstream_outcome outcome)
{
	struct pool_want *want = p->first;

	leave_line(p, want);
	want->got(want, w, outcome);
}

/* Starts as many connections as are waited for. */
static void dial(struct pool *p)
{
	while (p->n_waiting > p->n_dialing) {
		if (p->n_wires >= p->max && p->oldest) {
			struct wire *w = p->oldest;

			unlink_idle(p, w);
			pool_drop(p, w);
		}
		if (p->n_wires >= p->max)
			return;
		if (!connector_dial(&p->connector)) {
			serve_first(p, NULL, UP_UNREACHABLE);
			continue;
		}
		p->n_dialing++;
		p->n_wires++;
	}
}

static void on_dialed(void *ctx, struct wire *w, enum upstream_outcome outcome)
{
	struct pool *p = ctx;

	p->n_dialing--;
	if (!w) {
		p->n_wires--;
		if (p->first)
			serve_first(p, NULL, outcome);
		dial(p);
		return;
	}
	pool_give_back(p, w, 0);
}

bool pool_wait(struct pool *p, struct pool_want *want)
{
	if (p->n_waiting >= MAX_WAITING)
		return false;
	want->next = NULL;
	want->prev = p->last;
	want->queued = true;
	if (p->last)
		p->last->next = want;
	else
		p->first = want;
	p->last = want;
	p->n_waiting++;
	dial(p);
	return true;
}

void pool_forget(struct pool *p, struct pool_want *want)
{
	if (want->queued)
		leave_line(p, want);
}

void pool_give_back(struct pool *p, struct wire *w, uint64_t limit_ms)
{
	if (p->first) {
		serve_first(p, w, UP_DONE);
		return;
	}
	w->ctx = p;
	w->on_event = on_idle_event;
	w->idle_since_ms = uv_now(p->connector.loop);
	w->idle_limit_ms = limit_ms ? limit_ms : IDLE_DEFAULT_MS;
	w->prev = NULL;
	w->next = p->idle;
	if (p->idle)
		p->idle->prev = w;
	else
		p->oldest = w;
	p->idle = w;
	p->n_idle++;
	wire_watch(w, UV_READABLE);
}

void pool_sweep(struct pool *p)
{
	uint64_t now = uv_now(p->connector.loop);

	for (struct wire *w = p->oldest, *newer; w; w = newer) {
		newer = w->prev;
		if (now - w->idle_since_ms < w->idle_limit_ms)
			continue;
		unlink_idle(p, w);
		pool_drop(p, w);
	}
}

/* --- life --------------------------------------------------------------------------------------------------------- */

bool pool_init(struct pool *p, const struct curl_api *curl, uv_loop_t *loop, const struct vault_config *conf)
{
	*p = (struct pool){ .max = conf->max_connections ? conf->max_connections : 1 };
	bool ok = connector_init(&p->connector, curl, loop, conf);

	p->connector.dialed = on_dialed;
	p->connector.ctx = p;
	return ok;
}

void pool_close(struct pool *p, void (*closed)(void *ctx), void *ctx)
{
	while (p->idle) {
		struct wire *w = p->idle;

		unlink_idle(p, w);
		pool_drop(p, w);
	}
	connector_close(&p->connector, closed, ctx);
}
