#include "upstream/vault.h"

#include <stddef.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/wipe.h"
#include "upstream/agent_token.h"
#include "upstream/auto.h"
#include "upstream/child.h"
#include "upstream/http.h"
#include "upstream/http_call.h"
#include "upstream/oauth.h"
#include "upstream/sse_legacy.h"
#include "upstream/translate.h"

#define SCRATCH_FACTOR 16 /* a parsed message beside its text: tokens are larger than what they stand for */

/* --- probes ------------------------------------------------------------------------------------------------------- */

static void unlink_probe(struct probe *p)
{
	if (p->prev)
		p->prev->next = p->next;
	else
		p->vault->probes = p->next;
	if (p->next)
		p->next->prev = p->prev;
}

static void run_probe(struct task *task)
{
	struct probe *p = (struct probe *)(void *)((char *)task - offsetof(struct probe, task));
	struct probe told = *p;

	unlink_probe(p);
	free(p);
	told.done(told.ctx, &told.end);
}

void probe_finish(struct probe *p, enum upstream_outcome outcome)
{
	p->end.outcome = outcome;
	turn_add(&p->vault->turn, &p->task);
}

void vault_probe(struct vault *v, void (*done)(void *ctx, const struct upstream_end *), void *ctx)
{
	struct probe *p = calloc(1, sizeof *p);

	if (!p) { /* it was not reached; the prober will ask again */
		done(ctx, &(struct upstream_end){ UP_UNREACHABLE, 0 });
		return;
	}
	p->vault = v;
	p->done = done;
	p->ctx = ctx;
	p->task.run = run_probe;
	p->next = v->probes;
	if (p->next)
		p->next->prev = p;
	v->probes = p;
	if (v->child)
		probe_finish(p, child_found(v->child) ? UP_DONE : UP_UNREACHABLE);
	else if (!http_probe(v->http, p))
		probe_finish(p, UP_UNREACHABLE);
}

static void cancel_probes(struct vault *v)
{
	while (v->probes) {
		struct probe *p = v->probes;

		turn_remove(&p->task);
		if (v->http)
			http_probe_cancel(v->http, p);
		unlink_probe(p);
		free(p);
	}
}

/* --- credential --------------------------------------------------------------------------------------------------- */

bool vault_refresh_credential(struct vault *v)
{
	const char *before = v->credential.fault;
	bool ok = v->token ? token_refresh(v->token) : credential_read(&v->credential);

	if (v->token)
		return ok; /* it says by itself what is wrong */

	if (!ok && v->credential.fault != before)
		log_warn("credential", "%s: %s; calls are refused until it is there", v->name, v->credential.fault);
	else if (ok && before)
		log_info("credential", "%s: read", v->name);
	return ok;
}

bool vault_credential_ready(const struct vault *v)
{
	return credential_ready(&v->credential);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void release(struct vault *v)
{
	credential_finish(&v->credential);
	arena_finish(&v->scratch);
	free(v->read_buffer);
	free(v->name);
	free(v);
}

static bool init(struct vault *v, const struct vault_config *conf, const char **why)
{
	size_t max = conf->max_message_bytes;

	struct vault_config own = *conf;

	*why = "out of memory";
	if (conf->token_url.n || conf->oauth)
		own.credential_from = SECRET_SOURCE_GIVEN;
	v->max_message_bytes = max;
	v->translates = conf->translates;
	arena_init(&v->scratch, max < SIZE_MAX / SCRATCH_FACTOR ? max * SCRATCH_FACTOR : SIZE_MAX);
	v->name = strndup(conf->name.n ? conf->name.p : "", conf->name.n);
	v->read_buffer = malloc(VAULT_READ_BYTES);
	if (!v->name || !v->read_buffer || !credential_init(&v->credential, &own))
		return false;
	if (conf->url.n)
		v->http = http_vault_create(v, conf, why);
	else
		v->child = child_vault_create(v, conf, why);
	return v->http || v->child;
}

static void nobody_waits(void *ctx)
{
	(void)ctx;
}

/* What gives the credential, where it is not simply read. */
static bool make_token(struct vault *v, const struct vault_config *conf, const char **why)
{
	if (conf->oauth)
		v->token = oauth_create(v, conf, why);
	else if (conf->token_url.n)
		v->token = agent_token_create(v, conf, why);
	else
		return true;
	return v->token;
}

struct vault *vault_create(uv_loop_t *loop, const struct vault_config *conf, const char **why)
{
	struct vault *v = calloc(1, sizeof *v);

	*why = "out of memory";
	if (!v)
		return NULL;
	v->loop = loop;
	if (!init(v, conf, why)) {
		release(v);
		return NULL;
	}
	turn_init(&v->turn, loop);
	if (!make_token(v, conf, why)) {
		vault_free(v, nobody_waits, NULL);
		return NULL;
	}
	vault_refresh_credential(v);
	return v;
}

static void on_turn_closed(void *ctx)
{
	struct vault *v = ctx;
	void (*closed)(void *ctx) = v->closed;
	void *closed_ctx = v->closed_ctx;

	release(v);
	closed(closed_ctx);
}

static void on_transport_closed(void *ctx)
{
	struct vault *v = ctx;

	turn_close(&v->turn, on_turn_closed, v);
}

static void on_token_closed(void *ctx)
{
	struct vault *v = ctx;

	if (v->http)
		http_vault_close(v->http, on_transport_closed, v);
	else
		child_vault_close(v->child, on_transport_closed, v);
}

void vault_free(struct vault *v, void (*closed)(void *ctx), void *ctx)
{
	v->closed = closed;
	v->closed_ctx = ctx;
	cancel_probes(v);
	if (v->token)
		v->token->ops->close(v->token, on_token_closed, v);
	else
		on_token_closed(v);
}

struct upstream *vault_open(struct vault *v, const struct upstream_events *events)
{
	return v->translates ? translate_open(v, events) : vault_open_transport(v, events);
}

struct upstream *vault_open_transport(struct vault *v, const struct upstream_events *events)
{
	if (v->child)
		return child_open(v->child, events);
	switch (v->http->transport) {
	case VAULT_AUTO:
		return auto_open(v->http, events);
	case VAULT_SSE:
		return sse_legacy_open(v->http, events);
	case VAULT_STREAMABLE_HTTP:
		break;
	}
	return http_open(v->http, events);
}
