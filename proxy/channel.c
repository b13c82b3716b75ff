#include "proxy/channel.h"

#include <stdlib.h>
#include "base/digest.h"
#include "base/log.h"
#include "base/wipe.h"
#include "proxy/exchange_inside.h"
#include "proxy/revive.h"

static struct channel *create(struct app *app, struct agent *agent, struct backend *b, bool no_handshake)
{
	struct channel *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->app = app;
	c->agent = agent;
	c->used_ms = uv_now(app->loop);
	c->asked = table_create(MAX_ASKED, free);
	struct trunk *t = c->asked ? trunk_get(b, no_handshake) : NULL;
	if (!t) {
		table_free(c->asked);
		free(c);
		return NULL;
	}
	c->no_handshake = no_handshake;
	trunk_join(t, c);
	agent->n_channels++;
	return c;
}

struct channel *channel_create(struct app *app, struct agent *agent, struct backend *b)
{
	return create(app, agent, b, false);
}

static void pick_older(struct channel **oldest, struct channel *c, const struct agent *agent)
{
	if (c->agent == agent && c->session[0] && c->n_exchanges == 0 && (!*oldest || c->used_ms < (*oldest)->used_ms))
		*oldest = c;
}

bool channel_make_room(struct app *app, const struct agent *agent)
{
	struct channel *oldest = NULL;

	if (agent->n_channels < MAX_SESSIONS_PER_AGENT && table_count(app->sessions) < MAX_SESSIONS)
		return true;
	for (size_t i = 0; i < app->n_backends; i++)
		for (struct trunk *t = app->backends[i]->trunks; t; t = t->next)
			for (struct channel *c = t->channels; c; c = c->next)
				pick_older(&oldest, c, agent);
	if (oldest)
		channel_close(oldest);
	return oldest;
}

struct channel *channel_stateless(struct app *app, struct agent *agent, struct backend *b, bool handshake)
{
	for (struct channel *c = b->stateless; c; c = c->next_stateless)
		if (c->agent == agent && !c->closing && c->no_handshake == !handshake)
			return c;
	struct channel *c = create(app, agent, b, !handshake);
	if (!c)
		return NULL;
	c->stateless = true;
	c->next_stateless = b->stateless;
	b->stateless = c;
	return c;
}

bool channel_open_session(struct channel *c)
{
	unsigned char random[SESSION_ID_CHARS / 2];

	digest_random(random, sizeof random);
	digest_hex(random, sizeof random, c->session);
	if (table_put(c->app->sessions, slice_of(c->session), c, 0, 0) != E_OK) {
		c->session[0] = 0;
		return false;
	}
	return true;
}

struct channel *channel_find(struct app *app, const struct agent *agent, const struct backend *b, struct slice session)
{
	struct channel *c = session.n == SESSION_ID_CHARS ? table_get(app->sessions, session, 0) : NULL;

	return c && c->agent == agent && c->trunk->backend == b ? c : NULL;
}

static void end_session(struct channel *c)
{
	if (!c->session[0])
		return;
	table_take(c->app->sessions, slice_of(c->session));
	wipe(c->session, sizeof c->session);
}

static void drop_waiting(struct channel *c)
{
	for (size_t i = 0; i < c->n_waiting; i++)
		wipe_free((void *)(uintptr_t)c->waiting[i].p);
	c->n_waiting = c->waiting_bytes = 0;
	c->overflowed = false;
}

static void unlink_stateless(struct channel *c)
{
	struct channel **at = &c->trunk->backend->stateless;

	while (*at && *at != c)
		at = &(*at)->next_stateless;
	if (*at)
		*at = c->next_stateless;
}

/* Fails what is in flight. Each end may unlink others, so the list is read anew each time. */
static void fail_all(struct channel *c, int status, const char *text)
{
	for (;;) {
		struct exchange *x = c->trunk->exchanges;

		while (x && (x->channel != c || (x == c->listener && c->stdio && !c->closing)))
			x = x->next;
		if (!x)
			return;
		exchange_fail(x, status, RPC_INTERNAL_ERROR, text);
	}
}

static void drop_hello(struct channel *c)
{
	wipe_free((void *)(uintptr_t)c->hello.p);
	c->hello = SL("");
	c->hello.p = NULL;
}

bool channel_keep_hello(struct channel *c, struct slice bytes)
{
	char *copy = wipe_malloc(bytes.n);

	drop_hello(c);
	if (!copy)
		return false;
	memcpy(copy, bytes.p, bytes.n);
	c->hello = slice_make(copy, bytes.n);
	return true;
}

void channel_give_up(struct channel *c)
{
	if (!c->stdio)
		drop_hello(c);
}

static void end(struct channel *c, int status, const char *text)
{
	if (c->closing)
		return;
	c->closing = true;
	end_session(c);
	if (c->stateless)
		unlink_stateless(c);
	fail_all(c, status, text);
	drop_waiting(c);
	drop_hello(c);
	table_free(c->asked);
	trunk_leave(c->trunk, c);
	c->agent->n_channels--;
	free(c);
}

void channel_close(struct channel *c)
{
	end(c, 503, "the session was closed");
}

void channel_lost(struct channel *c)
{
	static const char text[] = "the vault has ended the conversation; call again";

	if (c->closing)
		return;
	c->trunk->lost = true;
	if (c->stdio || (c->session[0] && c->hello.n))
		fail_all(c, 502, text);
	else
		end(c, 502, text);
}

/* What the vault has asked, and what it said that nobody heard, meant a conversation that is over. */
static bool forget_vault(struct channel *c)
{
	struct table *asked = table_create(MAX_ASKED, free);

	if (!asked)
		return false;
	table_free(c->asked);
	c->asked = asked;
	c->asked_until_ms = 0;
	drop_waiting(c);
	return true;
}

static void change_trunk(struct channel *c, struct trunk *t)
{
	struct exchange *ear = c->listener;

	if (ear) {
		upstream_cancel(ear->ucall);
		ear->ucall = NULL;
		buf_clear(&ear->resume.last_id); /* it means nothing in another conversation */
		exchange_unlink(ear);
	}
	trunk_leave(c->trunk, c);
	trunk_join(t, c);
	if (ear)
		exchange_link(ear, c);
	c->listener = ear;
}

bool channel_move(struct channel *c, bool revive)
{
	struct trunk *t = forget_vault(c) ? trunk_get(c->trunk->backend, c->no_handshake) : NULL;

	if (!t)
		return false;
	change_trunk(c, t);
	if (!revive || !c->hello.n || !c->version[0] || t->hello.n || trunk_introducing(t) || revive_start(c))
		return true;
	t->lost = true; /* the next message tries anew */
	return false;
}

void channel_rehome(struct channel *c, struct backend *b)
{
	fail_all(c, 503, "the upstream was configured anew; call again");
	struct trunk *t = forget_vault(c) ? trunk_get(b, c->no_handshake) : NULL;

	if (!t)
		return;
	change_trunk(c, t);
	t->lost = !t->shared; /* never begun: see channel_move */
}

void channel_judge_vault(struct channel *c, const struct rpc *rpc, struct arena *arena, struct judgement *j)
{
	const struct agent_config *conf = agent_config_of(c->app->config, c->agent);
	struct view view;

	*j = (struct judgement){ .kind = VERDICT_DENY, .drop = true };
	if (!conf)
		return;
	exchange_view(c, conf->policy, arena, &view);
	if (judge_learn(c->agent->ledger, c->trunk->backend->tools, &view, NULL, rpc) != E_OK)
		return;
	judge_from_vault(&view, rpc, j);
}

static bool keep(struct channel *c, struct slice json)
{
	bool room = c->n_waiting < MAX_WAITING_MESSAGES && json.n <= MAX_WAITING_BYTES - c->waiting_bytes;
	char *copy = room ? wipe_malloc(json.n) : NULL;

	if (!room && !c->overflowed)
		log_warn("session", "no stream is open, and too much waits for one: messages of the vault are dropped");
	c->overflowed = c->overflowed || !room;
	if (!copy)
		return false;
	memcpy(copy, json.p, json.n);
	c->waiting[c->n_waiting++] = slice_make(copy, json.n);
	c->waiting_bytes += json.n;
	return true;
}

/* A stream that is open: the listener's, or that of a request in flight. */
static struct reply *any_stream(const struct channel *c)
{
	if (c->listener && c->listener->reply)
		return c->listener->reply;
	for (struct exchange *x = c->trunk->exchanges; x; x = x->next)
		if (x->channel == c && x->kind == XK_REQUEST && x->reply && x->state == X_SENT && x->method != M_INITIALIZE)
			return x->reply;
	return NULL;
}

bool channel_deliver(struct channel *c, struct slice json)
{
	struct reply *r = any_stream(c);

	if (!r)
		return keep(c, json);
	r->ops->message(r, json);
	return true;
}

void channel_tell_open(struct channel *c, struct slice json)
{
	struct reply *r = any_stream(c);

	if (r && json.n)
		r->ops->message(r, json);
}

void channel_flush(struct channel *c)
{
	struct reply *r = any_stream(c);

	if (!r)
		return;
	for (size_t i = 0; i < c->n_waiting; i++)
		r->ops->message(r, c->waiting[i]);
	drop_waiting(c);
}

static bool note_asked(struct channel *c, struct slice id_key, enum method method)
{
	enum method *m = malloc(sizeof *m);
	uint64_t now_ms = uv_now(c->app->loop);

	if (!m)
		return false;
	*m = method;
	if (!id_key.n || table_put(c->asked, id_key, m, now_ms + ASKED_MS, now_ms) != E_OK) {
		free(m);
		return false;
	}
	c->asked_until_ms = now_ms + ASKED_MS;
	return true;
}

static bool pass_question(struct channel *c, struct reply *to, struct slice bytes)
{
	if (!to)
		return channel_deliver(c, bytes);
	to->ops->message(to, bytes);
	return true;
}

static enum method what_is_asked(struct channel *c, const struct rpc *rpc, struct arena *arena)
{
	const struct agent_config *conf = agent_config_of(c->app->config, c->agent);
	struct view view;

	if (!conf)
		return M_UNKNOWN;
	exchange_view(c, conf->policy, arena, &view);
	return judge_asks(&view, rpc);
}

void channel_ask(struct channel *c, struct reply *to, const struct rpc *rpc, struct arena *arena)
{
	struct slice key = rpc_id_key(rpc, arena);
	struct judgement j;

	channel_judge_vault(c, rpc, arena, &j);
	enum method asks = j.kind == VERDICT_DENY ? M_UNKNOWN : what_is_asked(c, rpc, arena);
	if (asks != M_UNKNOWN && note_asked(c, key, asks)) {
		if (pass_question(c, to, j.bytes))
			return;
		channel_answered(c, key);
	}
	if (!j.refusal.n)
		j.refusal = judge_failure(rpc_id(rpc), RPC_INTERNAL_ERROR, "the agent cannot be asked", arena);
	trunk_tell(c->trunk, j.refusal, slice_of(c->version));
}

/* The vault has the word again: its time begins anew. */
static void touch_all(struct channel *c)
{
	c->asked_until_ms = 0;
	for (struct exchange *x = c->trunk->exchanges; x; x = x->next)
		if (x->channel == c && x->state == X_SENT)
			exchange_touch(x);
}

enum method channel_answered(struct channel *c, struct slice id_key)
{
	enum method *m = table_take(c->asked, id_key);
	enum method method = m ? *m : M_UNKNOWN;

	free(m);
	if (m && table_count(c->asked) == 0)
		touch_all(c);
	return method;
}
