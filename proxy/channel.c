#include "proxy/channel.h"

#include <stdlib.h>
#include "base/digest.h"
#include "base/log.h"
#include "base/wipe.h"
#include "proxy/exchange_inside.h"
#include "proxy/revive.h"

struct channel *channel_create(struct app *app, struct agent *agent, struct backend *b)
{
	struct channel *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->app = app;
	c->agent = agent;
	c->used_ms = uv_now(app->loop);
	c->asked = table_create(MAX_ASKED, free);
	struct trunk *t = c->asked ? trunk_get(b) : NULL;
	if (!t) {
		table_free(c->asked);
		free(c);
		return NULL;
	}
	trunk_join(t, c);
	return c;
}

struct channel *channel_stateless(struct app *app, struct agent *agent, struct backend *b)
{
	for (struct channel *c = b->stateless; c; c = c->next_stateless)
		if (c->agent == agent && !c->closing)
			return c;
	struct channel *c = channel_create(app, agent, b);
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

	if (table_count(c->app->sessions) >= MAX_SESSIONS || c->agent->n_sessions >= MAX_SESSIONS_PER_AGENT)
		return false;
	digest_random(random, sizeof random);
	digest_hex(random, sizeof random, c->session);
	if (table_put(c->app->sessions, slice_of(c->session), c, 0, 0) != E_OK) {
		c->session[0] = 0;
		return false;
	}
	c->agent->n_sessions++;
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
	c->agent->n_sessions--;
}

static void drop_waiting(struct channel *c)
{
	for (size_t i = 0; i < c->n_waiting; i++)
		wipe_free((void *)(uintptr_t)c->waiting[i].p);
	c->n_waiting = 0;
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

bool channel_move(struct channel *c, bool revive)
{
	struct trunk *t = trunk_get(c->trunk->backend);
	struct exchange *ear = c->listener;

	if (!t)
		return false;
	if (ear)
		exchange_unlink(ear);
	trunk_leave(c->trunk, c);
	trunk_join(t, c);
	if (ear)
		exchange_link(ear, c);
	if (revive && c->hello.n && !t->hello.n && !t->revival)
		return revive_start(c);
	return true;
}

void channel_judge_vault(struct channel *c, const struct rpc *rpc, struct arena *arena, struct judgement *j)
{
	const struct agent_config *conf = agent_config_of(c->app->config, c->agent);
	struct view view;

	*j = (struct judgement){ .kind = VERDICT_DENY, .drop = true };
	if (!conf)
		return;
	exchange_view(c, conf->policy, arena, &view);
	judge_from_vault(&view, rpc, j);
}

static void keep(struct channel *c, struct slice json)
{
	char *copy;

	if (c->n_waiting == MAX_WAITING_MESSAGES) {
		log_warn("session", "too many messages wait for a stream: one of %zu bytes is dropped", json.n);
		return;
	}
	copy = wipe_malloc(json.n);
	if (!copy)
		return;
	memcpy(copy, json.p, json.n);
	c->waiting[c->n_waiting++] = slice_make(copy, json.n);
}

/* A stream that is open: the listener's, or that of a request in flight. */
static struct reply *any_stream(const struct channel *c)
{
	if (c->listener && c->listener->reply)
		return c->listener->reply;
	for (struct exchange *x = c->trunk->exchanges; x; x = x->next)
		if (x->channel == c && x->kind == XK_REQUEST && x->reply && x->state == X_SENT)
			return x->reply;
	return NULL;
}

void channel_deliver(struct channel *c, struct slice json)
{
	struct reply *r = any_stream(c);

	if (r)
		r->ops->message(r, json);
	else
		keep(c, json);
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

bool channel_asked(struct channel *c, struct slice id_key, enum method method)
{
	enum method *m = malloc(sizeof *m);

	if (!m)
		return false;
	*m = method;
	if (table_put(c->asked, id_key, m, 0, 0) == E_OK)
		return true;
	free(m);
	return false;
}

enum method channel_answered(struct channel *c, struct slice id_key)
{
	enum method *m = table_take(c->asked, id_key);
	enum method method = m ? *m : M_UNKNOWN;

	free(m);
	return method;
}
