#include "proxy/resume.h"

#include "base/log.h"
#include "base/seal.h"
#include "proxy/exchange_inside.h"
#include "proxy/reading.h"

enum {
	MAX_SEALED_BYTES = 4096,
	PARKED_MS = 5 * 60 * 1000,    /* for an agent to come back for its answer */
	MAX_PARKED = 16,              /* per channel; the oldest goes */
	KEEP_ANSWERED_BYTES = 256 * 1024, /* an answered call that holds more is not kept */
	DEFAULT_RETRY_MS = 1000,
	MAX_RETRY_MS = 60 * 1000,
	MAX_TRIES = 5,
};

void resume_init(struct resume *r)
{
	*r = (struct resume){ .stream = 0 };
	buf_init(&r->last_id, RESUME_MAX_ID_BYTES);
	buf_init(&r->mark_id, MAX_SEALED_BYTES);
}

void resume_finish(struct resume *r)
{
	buf_finish(&r->last_id);
	buf_finish(&r->mark_id);
}

/* Whether the agent can come back for a stream: it has a session, and the vault's conversation is its own. */
static bool agent_resumes(const struct channel *c)
{
	return c->session[0] && !c->stateless && !c->stdio && !c->trunk->shared;
}

/* And so it may come back for this one: it was given an id (a batch gets none). */
static bool agent_may_come(const struct exchange *x)
{
	return agent_resumes(x->channel) && x->resume.stream;
}

/* Where an id is good: this session, this conversation with the vault. */
static struct slice place_of(const struct channel *c, struct arena *arena)
{
	return arena_fmt(arena, "%s %llu", c->session, (unsigned long long)c->trunk->serial);
}

/* --- marks ---------------------------------------------------------------------------------------------------------- */

static bool seal_id(struct exchange *x, struct slice id)
{
	struct resume *r = &x->resume;
	struct arena *arena = &x->app->scratch;

	if (x->kind == XK_REQUEST && !r->stream)
		r->stream = ++x->app->n_streams;
	struct slice plain = arena_fmt(arena, "%llu %.*s", (unsigned long long)r->stream, SL_ARG(id));
	struct slice place = place_of(x->channel, arena);
	return plain.p && place.p && seal_shut(&r->mark_id, &x->app->event_key, place, plain) == E_OK;
}

/* What a header of ours may hold when it goes up again. */
static bool can_go_up(struct slice id)
{
	for (size_t i = 0; i < id.n; i++)
		if ((unsigned char)id.p[i] < 0x20 || id.p[i] == 0x7F)
			return false;
	return id.n > 0 && id.n <= RESUME_MAX_ID_BYTES && id.p[0] != ' ' && id.p[id.n - 1] != ' ';
}

bool resume_keep_id(struct buf *last, struct slice id)
{
	if (!can_go_up(id))
		return false;
	buf_clear(last);
	return buf_add(last, id) == E_OK;
}

void resume_mark(struct exchange *x, const struct sse_mark *mark, bool alone)
{
	struct resume *r = &x->resume;
	bool good = resume_keep_id(&r->last_id, mark->id);

	if (x->state == X_SENT)
		exchange_touch(x);
	if (mark->has_retry)
		r->retry_ms = mark->retry_ms;
	buf_clear(&r->mark_id);
	r->marked = false;
	if (!x->reply || !x->reply->ops->mark || !agent_resumes(x->channel) || (x->kind != XK_REQUEST && x->kind != XK_LISTEN))
		return;
	r->mark = *mark;
	r->mark.id = good && seal_id(x, mark->id) ? buf_slice(&r->mark_id) : SL("");
	r->marked = !alone;
	if (alone)
		x->reply->ops->mark(x->reply, &r->mark, true);
}

void resume_put_mark(struct exchange *x)
{
	struct resume *r = &x->resume;

	r->tries = 0;
	if (!r->marked && !r->put)
		return;
	r->put = r->marked;
	r->marked = false;
	if (x->reply && x->reply->ops->mark)
		x->reply->ops->mark(x->reply, r->put ? &r->mark : NULL, false);
}

/* --- parking -------------------------------------------------------------------------------------------------------- */

static bool can_resume(const struct exchange *x)
{
	return x->kind == XK_REQUEST && x->method != M_INITIALIZE && x->resume.last_id.n && !x->channel->closing;
}

static void give_up(struct exchange *x)
{
	exchange_audit(x, "failed", "its stream was not taken up again");
	exchange_end(x, x->resume.answered ? X_DONE : X_FAILED);
}

/* Where too many are parked, the oldest goes; not the one just parked, which may have begun before all others. */
static void drop_oldest(const struct exchange *parked)
{
	struct channel *c = parked->channel;
	struct exchange *oldest = NULL;

	if (c->n_parked <= MAX_PARKED)
		return;
	for (struct exchange *x = c->trunk->exchanges; x; x = x->next)
		if (x->channel == c && x != parked && x->resume.parked)
			oldest = x;
	if (oldest)
		give_up(oldest);
}

static void park(struct exchange *x, uint64_t for_ms)
{
	if (x->ucall) {
		upstream_cancel(x->ucall);
		x->ucall = NULL;
	}
	exchange_move(x, X_PARKED);
	x->resume.parked = true;
	x->paused = false;
	x->deadline_ms = uv_now(x->app->loop) + for_ms;
	x->channel->n_exchanges--;
	x->channel->n_parked++;
	drop_oldest(x);
}

static void unpark(struct exchange *x)
{
	x->resume.parked = x->resume.answered = false;
	x->channel->n_exchanges++;
	x->channel->n_parked--;
}

static uint64_t retry_ms(const struct resume *r)
{
	uint64_t ms = r->retry_ms ? r->retry_ms : DEFAULT_RETRY_MS;

	return ms < MAX_RETRY_MS ? ms : MAX_RETRY_MS;
}

bool resume_suspend(struct exchange *x)
{
	struct reply *r;

	if (!can_resume(x) || x->state != X_SENT)
		return false;
	if (!agent_may_come(x)) {
		if (x->resume.tries >= MAX_TRIES || !x->reply)
			return false;
		park(x, retry_ms(&x->resume));
		return true;
	}
	r = exchange_take_reply(x);
	if (r)
		r->ops->accepted(r); /* our stream ends where the vault's did */
	park(x, PARKED_MS);
	return true;
}

bool resume_gone(struct exchange *x)
{
	if (!can_resume(x) || x->state != X_SENT || !agent_may_come(x) || reading_waits(x))
		return false; /* what is being read is perhaps the answer, which is kept then */
	park(x, PARKED_MS); /* the vault sees the connection end, as it would without us */
	return true;
}

void resume_end(struct exchange *x)
{
	bool keep = can_resume(x) && x->state == X_ANSWERING && agent_may_come(x) && !x->channel->trunk->lost &&
		x->arena.used_bytes <= KEEP_ANSWERED_BYTES;

	if (!keep) {
		exchange_end(x, X_DONE);
		return;
	}
	x->resume.answered = true;
	park(x, PARKED_MS);
}

/* --- taking up ------------------------------------------------------------------------------------------------------- */

static void take_up(struct exchange *x, struct slice after)
{
	struct channel *c = x->channel;
	struct upstream_sink sink = exchange_sink(x);
	struct upstream_request r = {
		.version = c->version[0] ? slice_of(c->version) : x->version, .last_event_id = after, .traceparent = x->traceparent };

	unpark(x);
	x->streaming = false;
	exchange_move(x, X_SENT);
	x->ucall = upstream_listen(c->trunk->up, &r, &sink);
	if (!x->ucall)
		exchange_fail(x, 502, RPC_INTERNAL_ERROR, "the vault's stream cannot be taken up again");
}

bool resume_due(struct exchange *x)
{
	if (!x->resume.parked)
		return false;
	if (x->resume.answered || !x->reply) {
		give_up(x);
		return true;
	}
	x->resume.tries++;
	take_up(x, buf_slice(&x->resume.last_id));
	return true;
}

/* Not one that began under another configuration: its answer would be judged by rules that hold no more. */
static struct exchange *find_stream(const struct channel *c, uint64_t number)
{
	for (struct exchange *x = c->trunk->exchanges; x; x = x->next)
		if (x->channel == c && x->resume.stream == number && x->config == c->app->config &&
			(x->resume.parked || x->state == X_SENT))
			return x;
	return NULL;
}

/* What the id holds: the stream's number and the vault's id, in the arena. */
static bool open_id(const struct channel *c, struct slice text, struct arena *arena, uint64_t *number, struct slice *id)
{
	struct slice place = place_of(c, arena), rest;
	struct buf plain;
	bool ok;

	buf_init(&plain, MAX_SEALED_BYTES);
	ok = place.p && text.n <= MAX_SEALED_BYTES && seal_open(&plain, &c->app->event_key, place, text) == E_OK;
	rest = buf_slice(&plain);
	*number = 0;
	while (ok && rest.n && rest.p[0] >= '0' && rest.p[0] <= '9') {
		*number = *number * 10 + (uint64_t)(rest.p[0] - '0');
		rest = slice_from(rest, 1);
	}
	ok = ok && rest.n > 1;
	*id = ok ? arena_dup(arena, slice_from(rest, 1)) : SL("");
	buf_finish(&plain);
	return ok && id->n > 0;
}

bool resume_listen(struct exchange *get, struct channel *c, struct slice last_event_id, struct slice *after)
{
	uint64_t number;
	struct slice id;
	struct exchange *x;
	struct reply *r;

	*after = SL("");
	if (!agent_resumes(c) || !open_id(c, last_event_id, &get->arena, &number, &id))
		return false;
	if (!number) {
		*after = id;
		return false;
	}
	x = find_stream(c, number);
	if (x && reading_waits(x)) {
		reading_finish(x);
		x = find_stream(c, number);
	}
	if (!x)
		return false;
	if (!x->resume.parked) { /* it came back before we saw it go */
		r = exchange_take_reply(x);
		if (r)
			r->ops->accepted(r);
		park(x, PARKED_MS);
	}
	id = arena_dup(&x->arena, id);
	r = exchange_take_reply(get);
	exchange_discard(get);
	x->reply = r;
	r->exchange = x;
	c->used_ms = uv_now(c->app->loop);
	take_up(x, id);
	return true;
}
