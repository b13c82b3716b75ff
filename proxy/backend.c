#include "proxy/backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "proxy/channel.h"

#define PROBE_AGAIN_MS 1000

static struct slice env_line(struct arena *arena, struct slice name, struct slice value)
{
	return arena_fmt(arena, "%.*s=%.*s", SL_ARG(name), SL_ARG(value));
}

extern char **environ;

/* What a child is started with: PATH, HOME and LANG of ours, or (a wrapped command) everything but NARROWGATE_*; then the configured ones. */
static bool is_configured(const struct upstream_config *c, struct slice line)
{
	struct slice name = slice_cut(&line, '=');

	for (size_t i = 0; i < c->n_env; i++)
		if (slice_eq(c->env[i].name, name))
			return true;
	return false;
}

static struct slice *child_env(const struct upstream_config *c, struct arena *arena, size_t *n)
{
	size_t max = c->n_env;

	for (char **e = environ; *e; e++)
		max++;
	struct slice *v = arena_array(arena, max + 1, sizeof *v);
	*n = 0;
	if (!v)
		return NULL;
	for (char **e = environ; *e; e++) {
		struct slice line = slice_of(*e);
		bool basic = slice_starts(line, SL("PATH=")) || slice_starts(line, SL("HOME=")) || slice_starts(line, SL("LANG="));

		if (!is_configured(c, line) && (basic || (c->inherit_env && !slice_starts(line, SL("NARROWGATE_")))))
			v[(*n)++] = line;
	}
	for (size_t i = 0; i < c->n_env; i++)
		v[(*n)++] = env_line(arena, c->env[i].name, c->env[i].value);
	return v;
}

static void fill_oauth(struct vault_oauth *to, const struct oauth_config *from)
{
	*to = (struct vault_oauth){ .client_id = from->client_id, .issuer = from->issuer, .resource = from->resource, .token_file = from->token_file,
		.scopes = from->scopes, .n_scopes = from->n_scopes, .private_addresses = from->private_addresses };
}

static void fill_credential(struct vault_config *v, const struct credential_config *c)
{
	static const enum secret_source from[] = {
		[SECRET_NONE] = SECRET_SOURCE_NONE, [SECRET_FILE] = SECRET_SOURCE_FILE, [SECRET_ENV] = SECRET_SOURCE_ENV };

	if (c->kind == CREDENTIAL_NONE)
		return;
	v->credential_header = c->kind == CREDENTIAL_HEADER ? c->header : SL("Authorization");
	v->credential_prefix = c->kind == CREDENTIAL_HEADER ? SL("") : SL("Bearer ");
	v->token_url = c->url;
	v->token_agent_id = c->agent_id;
	v->credential_from = from[c->secret.from];
	v->credential_name = c->secret.name;
}

static struct vault *make_vault(struct backend *b, struct arena *arena, const char **why)
{
	const struct upstream_config *c = b->conf;
	static const enum vault_transport transports[] = { [TRANSPORT_AUTO] = VAULT_AUTO,
		[TRANSPORT_STREAMABLE_HTTP] = VAULT_STREAMABLE_HTTP, [TRANSPORT_SSE] = VAULT_SSE, [TRANSPORT_STDIO] = VAULT_AUTO };
	struct vault_config v = {
		.name = c->name, .url = c->url, .transport = transports[c->transport], .translates = c->translates, .command = c->command, .n_command = c->n_command,
		.tls_ca = c->tls_ca, .tls_certificate = c->tls_certificate, .tls_key = c->tls_key, .proxy = c->proxy,
		.max_message_bytes = c->max_message_bytes, .connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.max_connections = MAX_UPSTREAM_CONNECTIONS,
	};
	struct upstream_header *headers = arena_array(arena, c->n_headers + 1, sizeof *headers);
	struct vault_oauth oauth;

	*why = "out of memory";
	if (!headers)
		return NULL;
	for (size_t i = 0; i < c->n_headers; i++)
		headers[i] = (struct upstream_header){ c->headers[i].name, c->headers[i].value };
	v.headers = headers;
	v.n_headers = c->n_headers;
	v.child_env = child_env(c, arena, &v.n_child_env);
	fill_credential(&v, &c->credential);
	if (c->credential.oauth) {
		fill_oauth(&oauth, c->credential.oauth);
		v.oauth = &oauth;
	}
	return v.child_env ? vault_create(b->app->loop, &v, why) : NULL;
}

static struct catalog *load_generic(void)
{
	struct faults faults;

	faults_init(&faults);
	struct catalog *c = catalog_builtin(SL("generic"), &faults);
	faults_finish(&faults);
	return c;
}

struct backend *backend_create(struct app *app, struct config *config, const struct upstream_config *conf, const char **why)
{
	struct backend *b = calloc(1, sizeof *b);
	struct arena arena;

	*why = "out of memory";
	if (!b)
		return NULL;
	*b = (struct backend){ .app = app, .conf = conf, .config = config_ref(config) };
	arena_init(&arena, 1 << 20);
	b->vault = make_vault(b, &arena, why);
	arena_finish(&arena);
	if (b->vault) {
		*why = "out of memory";
		b->tools = toolbook_create(MAX_TOOLS);
		b->fallback = conf->catalog ? NULL : load_generic();
		vault_refresh_credential(b->vault);
	}
	/* A command is a pipe, and a pipe is a session: one is required from the start. */
	b->gives_sessions = conf->n_command > 0;
	if (b->vault && b->tools && (b->fallback || conf->catalog))
		return b;
	backend_free(b, NULL, NULL);
	return NULL;
}

static bool same_slices(const struct slice *a, size_t n_a, const struct slice *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (!slice_eq(a[i], b[i]))
			return false;
	return n_a == n_b;
}

static bool same_pairs(const struct pair *a, size_t n_a, const struct pair *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (!slice_eq(a[i].name, b[i].name) || !slice_eq(a[i].value, b[i].value))
			return false;
	return n_a == n_b;
}

static bool same_oauth(const struct oauth_config *a, const struct oauth_config *b)
{
	if (!a || !b)
		return !a && !b;
	return slice_eq(a->client_id, b->client_id) && slice_eq(a->issuer, b->issuer) && slice_eq(a->resource, b->resource) &&
		slice_eq(a->token_file, b->token_file) && same_slices(a->scopes, a->n_scopes, b->scopes, b->n_scopes) &&
		a->private_addresses == b->private_addresses;
}

static bool same_credential(const struct credential_config *a, const struct credential_config *b)
{
	return a->kind == b->kind && slice_eq(a->header, b->header) && slice_eq(a->url, b->url) && slice_eq(a->agent_id, b->agent_id) && a->secret.from == b->secret.from &&
		slice_eq(a->secret.name, b->secret.name) && same_oauth(a->oauth, b->oauth);
}

static bool same_wire(const struct upstream_config *a, const struct upstream_config *b)
{
	return slice_eq(a->url, b->url) && a->transport == b->transport && a->translates == b->translates &&
		same_slices(a->command, a->n_command, b->command, b->n_command) &&
		a->inherit_env == b->inherit_env && same_pairs(a->headers, a->n_headers, b->headers, b->n_headers) &&
		same_pairs(a->env, a->n_env, b->env, b->n_env) && same_credential(&a->credential, &b->credential) &&
		slice_eq(a->tls_ca, b->tls_ca) && slice_eq(a->tls_certificate, b->tls_certificate) &&
		slice_eq(a->tls_key, b->tls_key) && slice_eq(a->proxy, b->proxy) && a->max_message_bytes == b->max_message_bytes &&
		slice_eq(a->catalog_name, b->catalog_name);
}

static bool same_pins(const struct pins *a, const struct pins *b)
{
	return a && b ? memcmp(pins_digest(a), pins_digest(b), DIGEST_BYTES) == 0 : a == b;
}

bool backend_rebind(struct backend *b, struct config *config, const struct upstream_config *conf)
{
	if (!slice_eq(b->conf->name, conf->name) || !same_wire(b->conf, conf))
		return false;
	if (!same_pins(b->conf->pins, conf->pins))
		toolbook_clear(b->tools); /* what was withheld was not read, and may be accepted now */
	config_ref(config);
	config_unref(b->config);
	b->config = config;
	b->conf = conf;
	return true;
}

/* The same vault, whatever else of it changed. */
static bool same_place(const struct upstream_config *a, const struct upstream_config *b)
{
	return slice_eq(a->url, b->url) && same_slices(a->command, a->n_command, b->command, b->n_command);
}

void backend_hand_over(struct backend *b, struct backend *heir)
{
	if (same_place(b->conf, heir->conf))
		toolbook_hand_pins(b->tools, heir->tools);
	for (struct trunk *t = b->trunks; t; t = t->next)
		for (struct channel *c = t->channels; c; c = c->next)
			if (c->stdio) { /* there is one */
				channel_rehome(c, heir);
				return;
			}
}

struct ending {
	struct backend *backend;
	void (*closed)(void *ctx);
	void *ctx;
};

static void on_vault_closed(void *arg)
{
	struct ending *e = arg;

	toolbook_free(e->backend->tools);
	catalog_free(e->backend->chosen);
	catalog_free(e->backend->fallback);
	config_unref(e->backend->config);
	free(e->backend);
	if (e->closed)
		e->closed(e->ctx);
	free(e);
}

void backend_free(struct backend *b, void (*closed)(void *ctx), void *ctx)
{
	struct ending *e = malloc(sizeof *e);

	if (!e)
		abort();
	*e = (struct ending){ b, closed, ctx };
	for (struct trunk *t = b->trunks; t; t = t->next)
		t->lost = true; /* nothing more is sent, whatever is woken by what ends */
	while (b->trunks)
		channel_close(b->trunks->channels);
	if (b->vault)
		vault_free(b->vault, on_vault_closed, e);
	else
		on_vault_closed(e);
}

const struct catalog *backend_catalog(const struct backend *b)
{
	if (b->conf->catalog)
		return b->conf->catalog;
	return b->chosen ? b->chosen : b->fallback;
}

bool backend_is_pipe(const struct backend *b)
{
	return b->conf->n_command > 0;
}

bool backend_is_met(const struct backend *b)
{
	return b->conf->catalog || b->chosen;
}

bool backend_holds_tenant(const struct backend *b, const struct policy *p)
{
	const struct catalog *c = b->conf->catalog ? NULL : b->chosen; /* a named one was seen to with the configuration */

	if (!c || c->tenant.by != TENANT_HEADER || !p->tenant.text.n)
		return true;
	for (size_t i = 0; i < b->conf->n_headers; i++)
		if (slice_eq_nocase(b->conf->headers[i].name, c->tenant.names[0]))
			return b->conf->n_command == 0 && slice_eq(b->conf->headers[i].value, p->tenant.text);
	return false;
}

void backend_met(struct backend *b, struct slice server_name)
{
	struct faults faults;

	if (b->conf->catalog || b->chosen)
		return;
	struct slice name = catalog_match(server_name);
	faults_init(&faults);
	b->chosen = catalog_builtin(name, &faults);
	faults_finish(&faults);
	log_info("upstream", "%.*s: the server calls itself \"%.*s\": catalog %.*s", SL_ARG(b->conf->name),
		SL_ARG(slice_head(server_name, 64)), SL_ARG(b->chosen ? name : SL("generic")));
}

static void on_probed(void *ctx, const struct upstream_end *end)
{
	struct backend *b = ctx;

	b->probing = false;
	b->next_probe_ms = uv_now(b->app->loop) + PROBE_AGAIN_MS;
	if (end->outcome == UP_DONE)
		b->reached = true;
	if (!b->reached && end->outcome == b->probed)
		return;
	b->probed = end->outcome;
	log_line(b->reached ? LOG_INFO : LOG_WARN, "upstream", "%.*s: %s", SL_ARG(b->conf->name),
		b->reached ? "reached" : upstream_outcome_text(end->outcome));
}

void backend_tick(struct backend *b, uint64_t now_ms)
{
	if (b->reached || b->probing || now_ms < b->next_probe_ms)
		return;
	b->probing = true;
	vault_probe(b->vault, on_probed, b);
}

void backend_warn(struct backend *b, const char *fmt, ...)
{
	unsigned long left_out;
	char text[256];
	va_list args;

	if (!log_limit_admits(&b->warnings, uv_now(b->app->loop), &left_out))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (left_out)
		log_warn("upstream", "%.*s: %lu more warnings were left out", SL_ARG(b->conf->name), left_out);
	log_warn("upstream", "%.*s: %s", SL_ARG(b->conf->name), text);
}

void backend_tell_pins(struct backend *b)
{
	struct pinbook *pins = toolbook_pins(b->tools);

	for (struct slice line = pinbook_tell(pins); line.n; line = pinbook_tell(pins)) {
		unsigned long left_out;

		if (!log_limit_admits(&b->changes, uv_now(b->app->loop), &left_out))
			continue;
		if (left_out)
			log_warn("pinning", "%.*s: %lu more lines were left out", SL_ARG(b->conf->name), left_out);
		log_warn("pinning", "%.*s: %.*s", SL_ARG(b->conf->name), SL_ARG(line));
	}
}

struct backend *backend_find(struct app *app, struct slice name)
{
	if (!name.n)
		return app->n_backends == 1 ? app->backends[0] : NULL;
	for (size_t i = 0; i < app->n_backends; i++)
		if (slice_eq(app->backends[i]->conf->name, name))
			return app->backends[i];
	return NULL;
}
