#include "proxy/reload.h"

#include <stdlib.h>
#include "base/digest.h"
#include "base/log.h"
#include "proxy/audit.h"

#define POLL_MS 5000
#define SETTLE_MS 50      /* a swap is a burst of events: read once it is over */
#define MAX_WATCHES 16

struct watch {
	uv_fs_event_t event;
	char *directory;
};

struct reload {
	struct app *app;
	const struct load_source *source;
	uv_timer_t poll, settle;
	struct watch watches[MAX_WATCHES];
	size_t n_watches, n_open;
	unsigned char seen[DIGEST_BYTES]; /* of the file last tried */
	void (*swapped)(void *ctx, const struct config *before);
	void *ctx;
};

static bool sum_file(const struct reload *r, unsigned char out[DIGEST_BYTES])
{
	struct arena arena;
	struct slice text;

	if (!r->source->file)
		return false;
	arena_init(&arena, 16u << 20);
	bool ok = config_read_file(r->source->file, &arena, &text) == E_OK;
	if (ok)
		digest_sha256(text, out);
	arena_finish(&arena);
	return ok;
}

static void log_faults(const struct faults *faults)
{
	for (size_t i = 0; i < faults->n; i++)
		log_error("reload", "%.*s:%u:%u: %.*s", SL_ARG(faults->v[i].at.file), faults->v[i].at.line, faults->v[i].at.column,
			SL_ARG(faults->v[i].text));
	log_error("reload", "nothing was changed: the last good configuration stays in force");
}

static void watch_all(struct reload *r);

static void load(struct reload *r)
{
	struct faults faults;
	struct config *before = config_ref(r->app->config);
	struct slice why;

	faults_init(&faults);
	struct config *config = load_config(r->source, &faults);
	if (!config)
		log_faults(&faults);
	else if (slice_eq(slice_of(config->hash), slice_of(r->app->config->hash)))
		config_unref(config);
	else if (!app_swap(r->app, config, &why))
		log_error("reload", "%.*s; nothing was changed", SL_ARG(why));
	else {
		log_info("reload", "configuration %.16s is in force", r->app->config->hash);
		if (r->swapped)
			r->swapped(r->ctx, before);
	}
	config_unref(before);
	faults_finish(&faults);
	watch_all(r);
}

static void look(struct reload *r)
{
	unsigned char now[DIGEST_BYTES];

	app_refresh_credentials(r->app);
	if (!sum_file(r, now) || memcmp(now, r->seen, sizeof now) == 0)
		return;
	memcpy(r->seen, now, sizeof now);
	load(r);
}

static void on_poll(uv_timer_t *t)
{
	look(t->data);
}

static void on_event(uv_fs_event_t *e, const char *name, int events, int status)
{
	struct reload *r = e->data;

	(void)name;
	(void)events;
	(void)status;
	uv_timer_start(&r->settle, on_poll, SETTLE_MS, 0);
}

static void watch_directory(struct reload *r, struct slice file)
{
	struct slice dir = file;
	struct watch *w = &r->watches[r->n_watches];

	while (dir.n && dir.p[dir.n - 1] != '/')
		dir.n--;
	if (!dir.n)
		dir = SL("./");
	for (size_t i = 0; i < r->n_watches; i++)
		if (slice_eq(slice_of(r->watches[i].directory), dir))
			return;
	if (r->n_watches == MAX_WATCHES || !(w->directory = strndup(dir.p, dir.n)))
		return; /* the poll still sees it */
	r->n_watches++;
	r->n_open++;
	uv_fs_event_init(r->app->loop, &w->event);
	w->event.data = r;
	uv_unref((uv_handle_t *)&w->event);
	if (uv_fs_event_start(&w->event, on_event, w->directory, 0) != 0)
		log_warn("reload", "cannot watch %s: changes are seen within %d s", w->directory, POLL_MS / 1000);
}

static void watch_all(struct reload *r)
{
	const struct config *c = r->app->config;

	if (r->source->file)
		watch_directory(r, slice_of(r->source->file));
	for (size_t i = 0; i < c->n_upstreams; i++)
		if (c->upstreams[i].credential.secret.from == SECRET_FILE)
			watch_directory(r, c->upstreams[i].credential.secret.name);
}

struct reload *reload_start(struct app *app, const struct load_source *source,
	void (*swapped)(void *ctx, const struct config *before), void *ctx)
{
	struct reload *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->app = app;
	r->source = source;
	r->swapped = swapped;
	r->ctx = ctx;
	sum_file(r, r->seen);
	uv_timer_init(app->loop, &r->poll);
	uv_timer_init(app->loop, &r->settle);
	r->poll.data = r->settle.data = r;
	r->n_open = 2;
	uv_unref((uv_handle_t *)&r->poll);
	uv_unref((uv_handle_t *)&r->settle);
	uv_timer_start(&r->poll, on_poll, POLL_MS, POLL_MS);
	watch_all(r);
	return r;
}

void reload_now(struct reload *r)
{
	app_refresh_credentials(r->app);
	audit_reopen(r->app->audit);
	sum_file(r, r->seen);
	load(r);
}

static void on_closed(uv_handle_t *h)
{
	struct reload *r = h->data;

	if (--r->n_open)
		return;
	for (size_t i = 0; i < r->n_watches; i++)
		free(r->watches[i].directory);
	free(r);
}

void reload_stop(struct reload *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_watches; i++)
		uv_close((uv_handle_t *)&r->watches[i].event, on_closed);
	uv_close((uv_handle_t *)&r->poll, on_closed);
	uv_close((uv_handle_t *)&r->settle, on_closed);
}
