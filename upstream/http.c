#include "upstream/http.h"

#include <stddef.h>
#include <stdlib.h>
#include "base/log.h"
#include "upstream/token.h"
#include "upstream/http_call.h"

#define SWEEP_MS 250
#define DELETE_MS 1000
#define MAX_VERSION_BYTES 64

static struct http_conversation *conversation_of(struct upstream *u)
{
	return (struct http_conversation *)(void *)u;
}

static struct http_call *call_of(struct upstream_call *c)
{
	return (struct http_call *)(void *)c;
}

/* --- one conversation --------------------------------------------------------------------------------------------- */

static void forget_session(struct http_conversation *v)
{
	buf_finish(&v->session);
}

static void run_tell_lost(struct task *task)
{
	struct http_conversation *v =
		(struct http_conversation *)(void *)((char *)task - offsetof(struct http_conversation, tell_lost));

	if (v->events.lost)
		v->events.lost(v->events.ctx, &v->lost_how);
}

/* The session is gone, for every call of it. */
static void lose(struct http_conversation *v, const struct upstream_end *how)
{
	v->lost = true;
	v->lost_how = *how;
	forget_session(v);
	for (struct http_call *c = v->calls; c; c = c->next)
		http_call_finish(c, UP_SESSION_LOST, how->status); /* it stays in the list until it is told */
	turn_add(&v->http->vault->turn, &v->tell_lost);
}

void http_on_head(struct http_call *c)
{
	const struct buf *id = &c->answer.session;
	struct http_conversation *v = c->owner;

	if (!v || !c->opens_session || !id->n || c->answer.status >= 300)
		return;
	forget_session(v);
	if (buf_add(&v->session, buf_slice(id)) != E_OK)
		lose(v, &(struct upstream_end){ UP_BROKEN, c->answer.status });
}

void http_on_outcome(struct http_conversation *v, const struct upstream_end *end, struct slice challenge)
{
	struct vault *vault = v->http->vault;

	if (end->outcome == UP_SESSION_LOST && !v->lost)
		lose(v, end);
	if (vault->token && (end->status == 401 || end->status == 403))
		token_rejected(vault->token, end->status, challenge);
	else if (end->status == 401)
		credential_rejected(&vault->credential, uv_now(vault->loop));
}

static void refuse(struct http_call *c, enum err e)
{
	http_call_finish(c, e == E_INVALID ? UP_GARBAGE : e == E_TOO_BIG ? UP_TOO_BIG : UP_UNREACHABLE, 0);
}

/* A vault's connections are not all to be held by streams that never end. */
static bool may_listen(const struct http_vault *h)
{
	return h->n_listens <= h->pool.max - h->pool.max / 4;
}

static void begin(struct http_conversation *v, struct http_call *c, const struct upstream_request *r)
{
	struct vault *vault = v->http->vault;
	struct http_asked asked = { c->verb, v->session.n > 0, c->verb == HTTP_VERB_POST && r->id.n > 0 };

	if (v->lost) {
		http_call_finish(c, UP_SESSION_LOST, v->lost_how.status);
		return;
	}
	if (!credential_ready(&vault->credential)) {
		http_call_finish(c, UP_NO_CREDENTIAL, 0);
		return;
	}
	if (c->verb == HTTP_VERB_GET && !may_listen(v->http)) {
		http_call_finish(c, UP_UNREACHABLE, 0);
		return;
	}
	http_answer_begin(&c->answer, asked);
	enum err e = http_write(&c->out, v->heads, c->verb, buf_slice(&vault->credential.line),
		buf_slice(&v->session), r);
	if (e != E_OK)
		refuse(c, e);
	else
		http_call_start(c);
}

static struct upstream_call *start(struct http_conversation *v, enum http_verb verb, const struct upstream_request *r,
	const struct upstream_sink *sink)
{
	struct http_call *c = http_call_create(v->http, v, verb);

	if (!c)
		return NULL;
	c->sink = *sink;
	c->opens_session = r->opens_session;
	if (r->opens_session) {
		forget_session(v);
		v->lost = false;
		turn_remove(&v->tell_lost);
	}
	if (r->version.n && !slice_eq(r->version, buf_slice(&v->version))) {
		buf_clear(&v->version);
		buf_add(&v->version, r->version);
	}
	if (r->limit_ms)
		http_call_limit(c, r->limit_ms);
	begin(v, c, r);
	return (struct upstream_call *)c;
}

static struct upstream_call *op_send(
	struct upstream *u, const struct upstream_request *r, const struct upstream_sink *sink)
{
	return start(conversation_of(u), HTTP_VERB_POST, r, sink);
}

static struct upstream_call *op_listen(
	struct upstream *u, const struct upstream_request *r, const struct upstream_sink *sink)
{
	return start(conversation_of(u), HTTP_VERB_GET, r, sink);
}

static void op_pause(struct upstream_call *c)
{
	http_call_pause(call_of(c));
}

static void op_resume(struct upstream_call *c)
{
	http_call_resume(call_of(c));
}

static void op_cancel(struct upstream_call *c)
{
	http_call_cancel(call_of(c));
}

static bool op_has_session(const struct upstream *u)
{
	return ((const struct http_conversation *)(const void *)u)->session.n > 0;
}

/* Nobody waits for its answer, so it is a call without an owner, and with little time. */
static void end_session(struct http_conversation *v)
{
	struct credential *credential = &v->http->vault->credential;
	struct upstream_request r = { .version = buf_slice(&v->version) };
	struct http_call *c;

	if (!v->session.n || !credential_ready(credential))
		return;
	c = http_call_create(v->http, NULL, HTTP_VERB_DELETE);
	if (!c)
		return;
	http_answer_begin(&c->answer, (struct http_asked){ HTTP_VERB_DELETE, true, false });
	enum err e = http_write(&c->out, &v->http->heads, c->verb, buf_slice(&credential->line),
		buf_slice(&v->session), &r);
	if (e != E_OK) {
		refuse(c, e);
		return;
	}
	http_call_limit(c, DELETE_MS);
	http_call_start(c);
}

static void op_close(struct upstream *u)
{
	struct http_conversation *v = conversation_of(u);

	turn_remove(&v->tell_lost);
	while (v->calls)
		http_call_cancel(v->calls);
	end_session(v);
	buf_finish(&v->session);
	buf_finish(&v->version);
	free(v);
}

static const struct upstream_ops ops = {
	.send = op_send,
	.listen = op_listen,
	.pause = op_pause,
	.resume = op_resume,
	.cancel = op_cancel,
	.has_session = op_has_session,
	.close = op_close,
};

struct upstream *http_open(struct http_vault *h, const struct upstream_events *events)
{
	struct http_conversation *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->base.ops = &ops;
	v->http = h;
	v->heads = &h->heads;
	v->events = *events;
	v->tell_lost.run = run_tell_lost;
	buf_init(&v->session, HTTP_VALUE_MAX);
	buf_init(&v->version, MAX_VERSION_BYTES);
	return &v->base;
}

void http_use_heads(struct upstream *u, const struct http_heads *heads)
{
	conversation_of(u)->heads = heads;
}

void http_hear_named(struct upstream_call *c, void (*named)(void *ctx, struct slice type, struct slice data))
{
	call_of(c)->named = named;
}

/* --- what all share ----------------------------------------------------------------------------------------------- */

static void got_probe(struct pool_want *want, struct wire *w, enum upstream_outcome outcome)
{
	struct probe *p = (struct probe *)(void *)((char *)want - offsetof(struct probe, want));
	struct http_vault *h = p->vault->http;

	if (w) {
		pool_give_back(&h->pool, w, 0);
		http_watch_time(h);
	}
	probe_finish(p, outcome);
}

bool http_probe(struct http_vault *h, struct probe *p)
{
	p->want.got = got_probe;
	return pool_wait(&h->pool, &p->want);
}

void http_probe_cancel(struct http_vault *h, struct probe *p)
{
	pool_forget(&h->pool, &p->want);
}

static void on_sweep(uv_timer_t *t)
{
	struct http_vault *h = t->data;
	uint64_t now = uv_now(h->vault->loop);

	pool_sweep(&h->pool);
	for (struct http_call *c = h->timed, *next; c; c = next) {
		next = c->next_timed;
		if (now >= c->deadline_ms)
			http_call_expire(c);
	}
	if (!h->timed && !h->pool.n_idle && !h->pool.n_dialing)
		uv_timer_stop(&h->sweep);
}

void http_watch_time(struct http_vault *h)
{
	if (!uv_is_active((uv_handle_t *)&h->sweep) && !h->gone)
		uv_timer_start(&h->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

static void one_closed(struct http_vault *h)
{
	if (--h->n_open)
		return;
	void (*closed)(void *ctx) = h->closed;
	void *ctx = h->ctx;

	http_heads_finish(&h->heads);
	curl_api_close(&h->curl);
	free(h);
	closed(ctx);
}

void http_hold(struct http_vault *h)
{
	h->n_open++;
}

void http_release(struct http_vault *h)
{
	one_closed(h);
}

static void on_pool_closed(void *ctx)
{
	one_closed(ctx);
}

static void on_sweep_closed(uv_handle_t *t)
{
	one_closed(t->data);
}

void http_on_quiet(struct http_vault *h)
{
	if (!h->closing || h->gone)
		return;
	h->gone = true;
	while (h->spare) {
		struct http_call *c = h->spare;

		h->spare = c->next;
		http_call_free(c);
	}
	uv_close((uv_handle_t *)&h->sweep, on_sweep_closed);
	pool_close(&h->pool, on_pool_closed, h);
}

void http_vault_close(struct http_vault *h, void (*closed)(void *ctx), void *ctx)
{
	h->closing = true;
	h->closed = closed;
	h->ctx = ctx;
	if (!h->n_live)
		http_on_quiet(h);
}

struct http_vault *http_vault_create(struct vault *vault, const struct vault_config *conf, const char **why)
{
	struct http_vault *h = calloc(1, sizeof *h);

	*why = "out of memory";
	if (!h)
		return NULL;
	if (!curl_api_open(&h->curl, why))
		goto fail_api;
	if (!http_heads_init(&h->heads, &h->curl, conf, why))
		goto fail_heads;
	*why = "out of memory";
	if (!pool_init(&h->pool, &h->curl, vault->loop, conf))
		goto fail_heads;
	h->vault = vault;
	h->transport = h->speaks = conf->transport;
	h->address_timeout_ms = conf->connect_timeout_ms;
	h->n_open = 2; /* the sweep and the pool */
	uv_timer_init(vault->loop, &h->sweep);
	h->sweep.data = h;
	return h;
fail_heads:
	http_heads_finish(&h->heads);
	curl_api_close(&h->curl);
fail_api:
	free(h);
	return NULL;
}
