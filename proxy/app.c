#include "proxy/app.h"

#include <stdlib.h>
#include <time.h>
#include "base/digest.h"
#include "base/log.h"
#include "guards/judge.h"
#include "proxy/agent.h"
#include "proxy/audit.h"
#include "proxy/backend.h"
#include "proxy/channel.h"
#include "proxy/exchange.h"
#include "proxy/fetch.h"
#include "proxy/reading.h"
#include "proxy/revive.h"
#include "proxy/sidecar.h"

#define SCRATCH_BYTES (64u * 1024 * 1024)

uint64_t app_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME_COARSE, &t); /* good to some milliseconds, and a fifth of the price */
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t app_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void app_decision_id(struct app *app, char out[33])
{
	unsigned char bytes[16];
	uint64_t count = ++app->id_count;

	memcpy(bytes, &app->id_prefix, 8);
	for (int i = 0; i < 8; i++)
		bytes[8 + i] = (unsigned char)(count >> (56 - 8 * i));
	digest_hex(bytes, sizeof bytes, out);
}

/* --- the sweep: deadlines, idle sessions, probes ----------------------------------------------------------------------- */

static struct exchange *overdue(const struct trunk *t, uint64_t now_ms)
{
	for (struct exchange *x = t->exchanges; x; x = x->next)
		if (exchange_due_ms(x) <= now_ms)
			return x;
	return NULL;
}

/* What the trunk does of its own accord. True when that is over, and all may be other than before. */
static bool tick_trunk(struct trunk *t, uint64_t now_ms)
{
	if (t->listen_again_ms && t->listen_again_ms <= now_ms)
		trunk_listen_again(t);
	return fetch_expire(t, now_ms) || revive_expire(t, now_ms);
}

static struct channel *idle_channel(const struct trunk *t, uint64_t now_ms)
{
	for (struct channel *c = t->channels; c; c = c->next)
		if (c->session[0] && c->n_exchanges == 0 && now_ms - c->used_ms > SESSION_IDLE_MS)
			return c;
	return NULL;
}

/* Does one thing that is due; true when there may be more. Each may free what the lists held, so they are read anew. */
static bool sweep_one(struct backend *b, uint64_t now_ms)
{
	for (struct trunk *t = b->trunks; t; t = t->next) {
		if (tick_trunk(t, now_ms))
			return true;
		struct exchange *x = overdue(t, now_ms);
		struct channel *c = x ? NULL : idle_channel(t, now_ms);

		if (x)
			exchange_timeout(x);
		else if (c)
			channel_close(c);
		if (x || c)
			return true;
	}
	return false;
}

static void on_sweep(uv_timer_t *timer)
{
	struct app *app = timer->data;
	uint64_t now_ms = uv_now(app->loop);

	for (size_t i = 0; i < app->n_backends; i++) {
		while (sweep_one(app->backends[i], now_ms))
			;
		backend_tick(app->backends[i], now_ms);
	}
	names_forget(&app->names);
	memory_tick(&app->memory, app->id_count, now_ms);
}

/* --- beginning ---------------------------------------------------------------------------------------------------------- */

static bool self_test(const struct config *config, struct arena *arena, struct slice *why)
{
	for (size_t i = 0; i < config->n_agents; i++) {
		struct slice missed;

		if (selftest_policy(config->agents[i].policy, arena, &missed))
			continue;
		*why = arena_fmt(arena, "self-test of agent %.*s, profile %.*s: %.*s", SL_ARG(config->agents[i].name),
			SL_ARG(config->agents[i].policy->profile), SL_ARG(missed));
		return false;
	}
	return true;
}

static void count_closed(void *ctx)
{
	struct app *app = ctx;

	app->n_closing--;
	if (app->closed && app->n_closing == 0)
		app->closed(app->closed_ctx);
}

static void drop_backend(struct app *app, struct backend *b)
{
	app->n_closing++;
	backend_free(b, count_closed, app);
}

static struct backend *reuse(struct app *app, struct config *config, const struct upstream_config *conf, bool *taken)
{
	for (size_t i = 0; i < app->n_backends; i++)
		if (!taken[i] && backend_rebind(app->backends[i], config, conf)) {
			taken[i] = true;
			return app->backends[i];
		}
	return NULL;
}

/* Makes every backend the new configuration needs anew; those it can keep stay NULL in `made`. */
static bool make_new(struct app *app, struct config *config, struct backend **made, struct slice *why)
{
	for (size_t i = 0; i < config->n_upstreams; i++) {
		const struct upstream_config *conf = &config->upstreams[i];
		const char *text = NULL;

		made[i] = backend_create(app, config, conf, &text);
		if (made[i])
			continue;
		*why = arena_fmt(&app->scratch, "upstream %.*s: %s", SL_ARG(conf->name), text);
		while (i--)
			drop_backend(app, made[i]);
		return false;
	}
	return true;
}

/* A backend that is not in the new configuration as it was. */
static void retire(struct app *app, struct backend *b, struct backend **made, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(made[i]->conf->name, b->conf->name))
			backend_hand_over(b, made[i]);
	drop_backend(app, b);
}

static bool swap_backends(struct app *app, struct config *config, struct slice *why)
{
	struct backend **made = calloc(config->n_upstreams + 1, sizeof *made);
	bool *taken = calloc(app->n_backends + 1, sizeof *taken);

	if (!made || !taken || !make_new(app, config, made, why)) {
		if (!why->n)
			*why = SL("out of memory");
		free(made);
		free(taken);
		return false;
	}
	for (size_t i = 0; i < config->n_upstreams; i++) {
		struct backend *old = reuse(app, config, &config->upstreams[i], taken);

		if (!old)
			continue;
		drop_backend(app, made[i]);
		made[i] = old;
	}
	for (size_t i = 0; i < app->n_backends; i++)
		if (!taken[i])
			retire(app, app->backends[i], made, config->n_upstreams);
	free(app->backends);
	free(taken);
	app->backends = made;
	app->n_backends = config->n_upstreams;
	return true;
}

static struct slice audit_fault(struct app *app, const struct config *config, const char *text)
{
	return arena_fmt(&app->scratch, "audit: %.*s%s%s", SL_ARG(config->audit_file), config->audit_file.n ? ": " : "",
		text ? text : "out of memory");
}

/* *next: the audit of the new configuration where it is another one, else NULL. */
static bool open_other_audit(struct app *app, const struct config *config, struct audit **next, struct slice *why)
{
	const struct config *old = app->config;
	const char *text = NULL;

	*next = NULL;
	if (!old || (slice_eq(old->audit_file, config->audit_file) && old->audit_stdout == config->audit_stdout))
		return true;
	*next = audit_open(app->loop, config->audit_file, config->audit_stdout, &text);
	if (!*next)
		*why = audit_fault(app, config, text);
	return *next;
}

bool app_swap(struct app *app, struct config *config, struct slice *why)
{
	arena_reset(&app->scratch);
	*why = SL("");
	if (config->n_upstreams == 0)
		*why = SL("no upstream is configured, and inspect_content alone is not in this version: name a vault under `upstreams`");
	struct audit *audit = NULL;
	if (why->n || !self_test(config, &app->scratch, why) || !open_other_audit(app, config, &audit, why) ||
		!swap_backends(app, config, why)) {
		audit_close(audit);
		config_unref(config);
		return false;
	}
	if (audit) {
		audit_close(app->audit);
		app->audit = audit;
	}
	config_unref(app->config);
	app->config = config;
	return true;
}

bool app_init(struct app *app, uv_loop_t *loop, const struct config *config, struct slice *why)
{
	const char *text = NULL;

	*app = (struct app){ .front = { &sidecar_ops }, .loop = loop };
	arena_init(&app->scratch, SCRATCH_BYTES);
	digest_random(&app->id_prefix, sizeof app->id_prefix);
	uv_timer_init(loop, &app->sweep);
	app->sweep.data = app;
	seal_key_random(&app->event_key);
	uv_idle_init(loop, &app->readings.idle);
	app->readings.idle.data = app;
	app->sessions = table_create(MAX_SESSIONS, NULL);
	app->audit = audit_open(loop, config->audit_file, config->audit_stdout, &text);
	if (!app->sessions || !app->audit) {
		*why = audit_fault(app, config, text);
		return false;
	}
	return true;
}

bool app_start(struct app *app, struct config *config, struct slice *why)
{
	if (!app_swap(app, config, why))
		return false;
	uv_timer_start(&app->sweep, on_sweep, 0, SWEEP_MS);
	return true;
}

/* --- the end -------------------------------------------------------------------------------------------------------------- */

static void free_exchanges(struct app *app)
{
	while (app->free_exchanges) {
		struct exchange *x = app->free_exchanges;

		app->free_exchanges = x->next;
		arena_finish(&x->arena);
		free(x);
	}
}

/* Each end takes its exchange off the list. */
static struct exchange *next_subscription(const struct trunk *t)
{
	for (struct exchange *x = t->exchanges; x; x = x->next)
		if (x->method == M_LISTEN && x->kind == XK_REQUEST)
			return x;
	return NULL;
}

/* One of them; each end may end others, so the lists are read anew. */
static struct exchange *any_subscription(const struct app *app)
{
	struct exchange *x = NULL;

	for (size_t i = 0; i < app->n_backends && !x; i++)
		for (const struct trunk *t = app->backends[i]->trunks; t && !x; t = t->next)
			x = next_subscription(t);
	return x;
}

void app_drain(struct app *app)
{
	struct exchange *x;

	app->draining = true;
	while ((x = any_subscription(app)))
		exchange_end_subscription(x);
}

static struct exchange *next_to_cut(const struct trunk *t)
{
	for (struct exchange *x = t->exchanges; x; x = x->next)
		if (x->kind != XK_LISTEN && x->reply)
			return x;
	return NULL;
}

void app_cut(struct app *app)
{
	struct exchange *x;

	for (size_t i = 0; i < app->n_backends; i++)
		for (struct trunk *t = app->backends[i]->trunks, *next; t; t = next) {
			trunk_hold(t);
			while ((x = next_to_cut(t)))
				exchange_fail(x, 503, RPC_INTERNAL_ERROR, "narrowgate is shutting down; call again later");
			next = t->next;
			trunk_release(t);
		}
}

void app_finish(struct app *app, void (*closed)(void *ctx), void *ctx)
{
	app->closed = closed;
	app->closed_ctx = ctx;
	app->n_closing++; /* ours: so that `closed` comes once, at the end */
	readings_finish(app);
	for (size_t i = 0; i < app->n_backends; i++)
		drop_backend(app, app->backends[i]);
	free(app->backends);
	app->backends = NULL;
	app->n_backends = 0;
	agents_free(app);
	free_exchanges(app);
	table_free(app->sessions);
	config_unref(app->config);
	audit_close(app->audit);
	uv_close((uv_handle_t *)&app->sweep, NULL);
	uv_close((uv_handle_t *)&app->readings.idle, NULL);
	names_forget(&app->names);
	arena_finish(&app->scratch);
	count_closed(app);
}

/* --- looking ---------------------------------------------------------------------------------------------------------------- */

static bool say(struct app *app, const struct backend *b, const char *what, void (*line)(void *, struct slice), void *ctx)
{
	if (line)
		line(ctx, arena_fmt(&app->scratch, "upstream %.*s: %s", SL_ARG(b->conf->name), what));
	arena_reset(&app->scratch);
	return false;
}

bool app_ready(const struct app *const_app, void (*line)(void *ctx, struct slice text), void *ctx)
{
	struct app *app = (struct app *)(uintptr_t)const_app;
	bool ready = !app->draining;

	if (app->draining && line)
		line(ctx, SL("shutting down"));
	for (size_t i = 0; i < app->n_backends; i++) {
		const struct backend *b = app->backends[i];

		if (!vault_credential_ready(b->vault))
			ready = say(app, b, "its credential is missing or empty", line, ctx);
		if (!b->reached)
			ready = say(app, b, "not reached yet", line, ctx);
	}
	return ready;
}

void app_refresh_credentials(struct app *app)
{
	for (size_t i = 0; i < app->n_backends; i++)
		if (!vault_refresh_credential(app->backends[i]->vault))
			log_error("upstream", "%.*s: its credential is missing or empty: calls are refused until it is back",
				SL_ARG(app->backends[i]->conf->name));
}

size_t app_in_flight(const struct app *app)
{
	size_t n = 0;

	for (size_t i = 0; i < app->n_backends; i++)
		for (const struct trunk *t = app->backends[i]->trunks; t; t = t->next)
			for (const struct exchange *x = t->exchanges; x; x = x->next)
				n += x->kind != XK_LISTEN && x->reply;
	return n;
}
