#include "proxy/reload.h"

#include <stdlib.h>
#include "base/digest.h"
#include "base/log.h"
#include "proxy/audit.h"
#include "proxy/changed.h"
#include "proxy/tls.h"

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
	struct config *tried;             /* the last one that could be read: its certificate files are looked at */
	unsigned char seen[DIGEST_BYTES]; /* of the files last tried */
	struct reload_events events;
};

/* Adds a file's content to a sum; one that cannot be read counts as empty. False: it could not. */
static bool add_file(const char *path, unsigned char sum[DIGEST_BYTES])
{
	unsigned char both[2 * DIGEST_BYTES];
	struct slice text = SL("");
	struct arena arena;

	arena_init(&arena, 16u << 20);
	bool ok = config_read_file(path, &arena, &text) == E_OK;
	memcpy(both, sum, DIGEST_BYTES);
	digest_sha256(ok ? text : SL(""), both + DIGEST_BYTES);
	digest_sha256(slice_make((const char *)both, sizeof both), sum);
	arena_finish(&arena);
	return ok;
}

static void add_certificates(const struct listen_tls *tls, unsigned char sum[DIGEST_BYTES])
{
	const struct slice paths[] = { tls->certificate.path, tls->key.path, tls->client_ca.path };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		char *path = paths[i].n ? strndup(paths[i].p, paths[i].n) : NULL;

		if (path)
			add_file(path, sum);
		free(path);
	}
}

static void add_pins(const struct config *c, unsigned char sum[DIGEST_BYTES])
{
	for (size_t i = 0; i < c->n_upstreams; i++)
		if (c->upstreams[i].pins_path.n)
			add_file(c->upstreams[i].pins_path.p, sum);
}

/* False: the configuration cannot be read now. */
static bool sum_files(const struct reload *r, unsigned char out[DIGEST_BYTES])
{
	memset(out, 0, DIGEST_BYTES);
	if (!r->source->file || !add_file(r->source->file, out))
		return false;
	if (r->tried->tls)
		add_certificates(r->tried->tls, out);
	add_pins(r->tried, out);
	return true;
}

static void log_faults(const struct faults *faults)
{
	for (size_t i = 0; i < faults->n; i++)
		log_error("reload", "%.*s:%u:%u: %.*s", SL_ARG(faults->v[i].at.file), faults->v[i].at.line, faults->v[i].at.column,
			SL_ARG(faults->v[i].text));
	log_error("reload", "nothing was changed: the last good configuration stays in force");
}

static void watch_all(struct reload *r);

/* Remembers what was tried last. With other certificate files, what was seen of the old ones means nothing. */
static void note_tried(struct reload *r, struct config *config)
{
	bool same = slice_eq(slice_of(config->hash), slice_of(r->tried->hash));

	config_unref(r->tried);
	r->tried = config_ref(config);
	if (!same)
		sum_files(r, r->seen);
}

/* The certificates of a configuration, checked. False, said in one line, when they are no good. */
static bool read_certificates(const struct config *config, struct tls_context **out)
{
	struct faults faults;

	*out = NULL;
	if (!config->tls)
		return true;
	faults_init(&faults);
	*out = tls_context_load(config->tls, &faults);
	if (!*out && faults.n)
		log_error("reload", "%.*s:%u:%u: %.*s; nothing was changed: the last good certificate stays in force",
			SL_ARG(faults.v[0].at.file), faults.v[0].at.line, faults.v[0].at.column, SL_ARG(faults.v[0].text));
	faults_finish(&faults);
	return *out != NULL;
}

/* Takes both over. False: nothing was changed. */
static bool swap(struct reload *r, struct config *config, struct config *before)
{
	struct slice why;

	if (slice_eq(slice_of(config->hash), slice_of(r->app->config->hash))) {
		config_unref(config);
		return true;
	}
	if (!app_swap(r->app, config, &why)) {
		log_error("reload", "%.*s; nothing was changed", SL_ARG(why));
		return false;
	}
	log_info("reload", "configuration %.16s is in force", r->app->config->hash);
	changed_tell(r->app);
	if (r->events.swapped)
		r->events.swapped(r->events.ctx, before);
	return true;
}

static void put_in_force(struct reload *r, struct config *config)
{
	struct config *before = config_ref(r->app->config);
	struct tls_context *tls;

	note_tried(r, config);
	if (!read_certificates(config, &tls))
		config_unref(config);
	else if (swap(r, config, before) && r->events.certified)
		r->events.certified(r->events.ctx, tls);
	else
		tls_context_free(tls);
	config_unref(before);
}

static void load(struct reload *r)
{
	struct faults faults;

	faults_init(&faults);
	struct config *config = load_config(r->source, &faults);
	if (config)
		put_in_force(r, config);
	else
		log_faults(&faults);
	faults_finish(&faults);
	watch_all(r);
}

static void look(struct reload *r)
{
	unsigned char now[DIGEST_BYTES];

	app_refresh_credentials(r->app);
	if (!sum_files(r, now) || memcmp(now, r->seen, sizeof now) == 0)
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
	const struct listen_tls *tls = r->tried->tls;

	if (r->source->file)
		watch_directory(r, slice_of(r->source->file));
	for (size_t i = 0; i < c->n_upstreams; i++) {
		const struct credential_config *credential = &c->upstreams[i].credential;

		if (credential->secret.from == SECRET_FILE)
			watch_directory(r, credential->secret.name);
		if (credential->oauth && credential->oauth->token_file.n)
			watch_directory(r, credential->oauth->token_file);
	}
	for (size_t i = 0; i < r->tried->n_upstreams; i++)
		if (r->tried->upstreams[i].pins_path.n)
			watch_directory(r, r->tried->upstreams[i].pins_path);
	if (tls) {
		watch_directory(r, tls->certificate.path);
		watch_directory(r, tls->key.path);
		if (tls->client_ca.path.n)
			watch_directory(r, tls->client_ca.path);
	}
}

struct reload *reload_start(struct app *app, const struct load_source *source, const struct reload_events *events)
{
	struct reload *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->app = app;
	r->source = source;
	r->events = events ? *events : (struct reload_events){ NULL };
	r->tried = config_ref(app->config);
	sum_files(r, r->seen);
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
	sum_files(r, r->seen);
	load(r);
}

static void on_closed(uv_handle_t *h)
{
	struct reload *r = h->data;

	if (--r->n_open)
		return;
	for (size_t i = 0; i < r->n_watches; i++)
		free(r->watches[i].directory);
	config_unref(r->tried);
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
