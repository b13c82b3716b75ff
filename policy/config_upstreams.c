/* The vaults' servers: where they are, what they are, how we prove ourselves to them. */
#include <errno.h>
#include "policy/config_inside.h"

#define DEFAULT_TIMEOUT_MS  30000
#define DEFAULT_MAX_MESSAGE ((size_t)4 << 20)
#define MIN_MAX_MESSAGE     ((size_t)1 << 10)
#define MOST_MAX_MESSAGE    ((size_t)64 << 20)
#define MAX_UPSTREAMS       64

static const char *const upstream_keys[] = { "catalog", "url", "command", "transport", "era", "headers", "env",
	"credential", "tls", "proxy", "pins", "timeout", "max_message", NULL };
static const char *const tls_keys[] = { "ca", "certificate", "key", NULL };

/* A name stands in URLs (`/NAME/mcp`), logs and metric labels. */
static bool is_upstream_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				(i && (c == '-' || c == '_'))))
			return false;
	}
	return s.n > 0 && s.n <= 63;
}

static bool is_catalog_file(struct slice s)
{
	return memchr(s.p, '/', s.n) || slice_ends(s, SL(".yaml")) || slice_ends(s, SL(".yml")) ||
		slice_ends(s, SL(".json"));
}

static struct catalog *load_catalog_file(struct loader *l, struct slice path, struct origin at)
{
	struct slice z = arena_dup(l->arena, path), text;
	enum err e = z.p ? config_read_file(z.p, l->arena, &text) : E_NOMEM;

	if (e != E_OK) {
		faults_add(l->faults, at, "catalog file `%.*s`: %s", SL_ARG(path), e == E_IO ? strerror(errno) : err_text(e));
		return NULL;
	}
	config_hash_add(l, path, text);
	return catalog_parse(text, z, l->faults);
}

/* A built-in name or a file; `dir` is where relative files start. */
static void load_catalog(
	struct loader *l, struct slice text, struct slice dir, struct origin at, struct upstream_config *u)
{
	size_t before = l->faults->n;

	u->catalog_name = text;
	if (!is_catalog_file(text)) {
		u->catalog = catalog_builtin(text, l->faults);
		if (!u->catalog && l->faults->n == before)
			faults_add(l->faults, at,
				"no catalog is called `%.*s`: built in are %.*s; a file's name holds a `/` or ends in "
				".yaml",
				SL_ARG(slice_head(text, 60)), SL_ARG(catalog_builtin_names()));
		return;
	}
	struct slice path = text.p[0] == '/' ? text : arena_fmt(l->arena, "%.*s%.*s", SL_ARG(dir), SL_ARG(text));

	u->catalog = load_catalog_file(l, path, at);
}

static void read_catalog(struct loader *l, const struct yaml_node *node, struct upstream_config *u)
{
	struct slice text = config_text(l, node);

	if (text.p)
		load_catalog(l, text, l->dir, node->at, u);
}

static void read_transport(struct loader *l, const struct yaml_node *node, struct upstream_config *u)
{
	static const char *const words[] = { "auto", "streamable-http", "stdio", "sse", NULL };
	static const enum transport meaning[] = { TRANSPORT_AUTO, TRANSPORT_STREAMABLE_HTTP, TRANSPORT_STDIO, TRANSPORT_SSE };
	int word = config_word(l, node, words);

	if (word >= 0)
		u->transport = meaning[word];
	if (u->transport == TRANSPORT_STDIO && u->url.n)
		faults_add(l->faults, node->at, "`transport: stdio` needs `command`, not `url`");
	if ((u->transport == TRANSPORT_STREAMABLE_HTTP || u->transport == TRANSPORT_SSE) && u->n_command)
		faults_add(l->faults, node->at, "`transport: %s` needs `url`, not `command`", words[word]);
}

static void read_era(struct loader *l, const struct yaml_node *node, struct upstream_config *u)
{
	static const char *const words[] = { "mirror", "translate", NULL };

	u->translates = config_word(l, node, words) == 1;
	if (u->translates && u->catalog && u->catalog->connections == 1)
		faults_add(l->faults, node->at, "`era: translate` does not work with a vault that stands one connection only (its catalog says `connections: 1`)");
}

static void read_tls(struct loader *l, const struct yaml_node *node, struct upstream_config *u)
{
	if (!yaml_is(node, YAML_MAP, l->faults))
		return;
	yaml_only(node, tls_keys, l->faults);
	const struct yaml_node *ca = yaml_get(node, SL("ca")), *key = yaml_get(node, SL("key"));
	const struct yaml_node *certificate = yaml_get(node, SL("certificate"));

	if (ca)
		u->tls_ca = config_path(l, ca);
	if (certificate)
		u->tls_certificate = config_path(l, certificate);
	if (key)
		u->tls_key = config_path(l, key);
	if (!certificate != !key)
		faults_add(l->faults, node->at, "`tls.certificate` and `tls.key` go together");
}

static void read_proxy(struct loader *l, const struct yaml_node *node, struct upstream_config *u)
{
	u->proxy = config_text(l, node);
	if (u->proxy.p && !slice_starts(u->proxy, SL("http://")) && !slice_starts(u->proxy, SL("https://")))
		faults_add(l->faults, node->at, "`proxy` is http://host:port or https://host:port");
	else if (u->proxy.p && memchr(u->proxy.p, '@', u->proxy.n))
		faults_add(l->faults, node->at, "a user or password in a URL is not read: use a proxy that needs none");
}

static bool is_pins_of_another(const struct loader *l, const struct upstream_config *u)
{
	for (const struct upstream_config *o = l->config->upstreams; o < u; o++)
		if (slice_eq(o->pins_path, u->pins_path))
			return true;
	return false;
}

/* The file is read with the configuration: what it says is in force from the start, and with each reload. */
static void read_pins(struct loader *l, const struct yaml_node *node, struct upstream_config *u)
{
	struct slice text;

	u->pins_at = node->at;
	u->pins_path = config_path(l, node);
	if (!u->pins_path.n)
		return;
	if (is_pins_of_another(l, u)) {
		faults_add(l->faults, node->at, "another upstream has this pins file: each vault has its own");
		return;
	}
	u->pins_path = arena_dup(l->arena, u->pins_path);
	enum err e = u->pins_path.p ? config_read_file(u->pins_path.p, l->arena, &text) : E_NOMEM;

	if (e == E_IO && errno == ENOENT && l->flags->accepts)
		return;
	if (e == E_IO && errno == ENOENT)
		faults_add(l->faults, node->at, "there is no pins file `%.*s`: `narrowgate check --accept %.*s` writes it", SL_ARG(u->pins_path),
			SL_ARG(l->file));
	else if (e != E_OK)
		faults_add(l->faults, node->at, "pins file `%.*s`: %s", SL_ARG(u->pins_path), e == E_IO ? strerror(errno) : err_text(e));
	else
		u->pins = pins_parse(text, u->pins_path, l->faults);
	if (u->pins)
		config_hash_add(l, u->pins_path, text);
}

/* Keys that mean nothing for this kind of upstream: ignored, they would mislead. */
static void refuse_keys(struct loader *l, const struct yaml_node *map, const char *const *keys, const char *kind)
{
	for (; *keys; keys++) {
		const struct yaml_node *node = yaml_get(map, slice_of(*keys));

		if (node)
			faults_add(l->faults, node->key_at, "`%s` has no meaning beside %s", *keys, kind);
	}
}

static void read_target(struct loader *l, const struct yaml_node *map, struct upstream_config *u)
{
	static const char *const of_urls[] = { "headers", "credential", "tls", "proxy", NULL };
	static const char *const of_commands[] = { "env", NULL };
	static const char *const of_https[] = { "tls", NULL };
	const struct yaml_node *url = yaml_get(map, SL("url")), *command = yaml_get(map, SL("command"));

	if (!url == !command) {
		faults_add(l->faults, map->key_at, "upstream `%.*s` needs one of `url` and `command`", SL_ARG(u->name));
		return;
	}
	if (command) {
		u->command = config_texts(l, command, &u->n_command, false);
		refuse_keys(l, map, of_urls, "`command`");
		return;
	}
	u->url = config_text(l, url);
	if (u->url.p)
		config_check_url(l, u->url, url->at);
	refuse_keys(l, map, of_commands, "`url`");
	if (u->url.p && slice_starts(u->url, SL("http://")))
		refuse_keys(l, map, of_https, "an `http` url");
}

static void read_rest(struct loader *l, const struct yaml_node *map, struct upstream_config *u)
{
	const struct yaml_node *node;

	if ((node = yaml_get(map, SL("catalog"))))
		read_catalog(l, node, u);
	if ((node = yaml_get(map, SL("transport"))))
		read_transport(l, node, u);
	if ((node = yaml_get(map, SL("era"))))
		read_era(l, node, u);
	if ((node = yaml_get(map, SL("headers"))))
		u->headers = config_pairs(l, node, true, &u->n_headers);
	if ((node = yaml_get(map, SL("env"))))
		u->env = config_pairs(l, node, false, &u->n_env);
	if ((node = yaml_get(map, SL("credential"))))
		config_read_credential(l, node, u);
	if ((node = yaml_get(map, SL("tls"))))
		read_tls(l, node, u);
	if ((node = yaml_get(map, SL("proxy"))))
		read_proxy(l, node, u);
	if ((node = yaml_get(map, SL("pins"))))
		read_pins(l, node, u);
	if ((node = yaml_get(map, SL("timeout"))))
		u->timeout_ms = config_duration(l, node, DEFAULT_TIMEOUT_MS);
	if ((node = yaml_get(map, SL("max_message"))))
		u->max_message_bytes = config_size(l, node, DEFAULT_MAX_MESSAGE, MIN_MAX_MESSAGE, MOST_MAX_MESSAGE);
}

static void begin_upstream(struct upstream_config *u, struct slice name, struct origin at)
{
	*u = (struct upstream_config){
		.name = name, .at = at, .timeout_ms = DEFAULT_TIMEOUT_MS, .max_message_bytes = DEFAULT_MAX_MESSAGE
	};
}

static void read_upstream(struct loader *l, const struct yaml_node *map, struct upstream_config *u)
{
	begin_upstream(u, map->key, map->key_at);
	if (!is_upstream_name(map->key))
		faults_add(l->faults, map->key_at, "an upstream's name is letters, digits, `-` and `_`, at most 63");
	if (!yaml_is(map, YAML_MAP, l->faults))
		return;
	yaml_only(map, upstream_keys, l->faults);
	read_target(l, map, u);
	read_rest(l, map, u);
}

/* `-- CMD ARG…`: the one upstream, which gets our environment. */
static void add_command(struct loader *l, struct upstream_config *u)
{
	const struct config_flags *f = l->flags;
	struct slice *command = config_array(l, f->n_command, sizeof *command);

	begin_upstream(u, SL("vault"), (struct origin){ .file = SL("command line") });
	if (!command)
		return;
	for (size_t i = 0; i < f->n_command; i++)
		command[i] = arena_dup(l->arena, f->command[i]);
	u->command = command;
	u->n_command = f->n_command;
	u->inherit_env = true;
}

/* `--catalog` for the one upstream there is; it may not contradict the file. */
static void apply_catalog_flag(struct loader *l, struct upstream_config *v, size_t n)
{
	struct slice name = l->flags->catalog;
	struct origin at = { .file = SL("flag --catalog") };

	if (!name.p)
		return;
	if (name.n == 0 || n != 1)
		faults_add(l->faults, at, n == 1 ? "an empty name" : "there must be one upstream for it, not %zu", n);
	else if (!v->catalog_name.n)
		load_catalog(l, arena_dup(l->arena, name), SL(""), at, v);
	else if (!slice_eq(v->catalog_name, name))
		faults_add(l->faults, at, "the file gives `%.*s` the catalog `%.*s`", SL_ARG(v->name),
			SL_ARG(v->catalog_name));
}

void config_read_upstreams(struct loader *l, const struct yaml_node *map)
{
	bool command = l->flags->n_command > 0;

	if (map && !yaml_is(map, YAML_MAP, l->faults))
		return;
	size_t n = map ? map->n : 0;

	if (n > MAX_UPSTREAMS)
		faults_add(l->faults, map->at, "more than %d upstreams", MAX_UPSTREAMS);
	if (n && command)
		faults_add(l->faults, map->key_at, "the command line gives a server after `--`: leave `upstreams` out");
	if (n > MAX_UPSTREAMS || (n && command))
		return;
	struct upstream_config *v = config_array(l, n + 1, sizeof *v);

	if (!v)
		return;
	l->config->upstreams = v;
	for (const struct yaml_node *c = map ? map->first : NULL; c; c = c->next)
		read_upstream(l, c, &v[l->config->n_upstreams++]);
	if (command)
		add_command(l, &v[l->config->n_upstreams++]);
	apply_catalog_flag(l, v, l->config->n_upstreams);
}
