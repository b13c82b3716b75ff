/* Where agents and the kubelet reach us. */
#include "policy/config_inside.h"

#include <arpa/inet.h>

#define DEFAULT_MCP_PORT 8808
#define DEFAULT_DRAIN_MS 25000
#define MAX_ADDRESSES    16
#define MAX_UNIX_PATH    107 /* of struct sockaddr_un, without its NUL */

static const char *const listen_keys[] = { "mcp", "admin", "drain", "tls", "allowed_origins", "allowed_hosts", NULL };
static const char *const tls_keys[] = { "certificate", "key", "client_ca", NULL };

bool config_is_loopback(struct slice host)
{
	char text[64];
	unsigned char v4[4], v6[16];
	static const unsigned char one[16] = { [15] = 1 };

	if (slice_eq_nocase(host, SL("localhost")))
		return true;
	if (host.n >= sizeof text || host.n == 0)
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = 0;
	if (inet_pton(AF_INET, text, v4) == 1)
		return v4[0] == 127;
	return inet_pton(AF_INET6, text, v6) == 1 && !memcmp(v6, one, sizeof one);
}

static bool is_address(struct slice host)
{
	char text[64];
	unsigned char bytes[16];

	if (host.n >= sizeof text || host.n == 0)
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = 0;
	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool read_port(struct slice text, uint16_t *port)
{
	unsigned n = 0;

	if (text.n == 0 || text.n > 5)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = 10 * n + (unsigned)(text.p[i] - '0');
	}
	*port = (uint16_t)n;
	return n <= UINT16_MAX;
}

/* Cuts `host:port` or `[v6]:port`. */
static bool cut_address(struct slice text, struct slice *host, uint16_t *port)
{
	const char *end;

	if (text.n && text.p[0] == '[') {
		end = memchr(text.p, ']', text.n);
		if (!end)
			return false;
		*host = slice_make(text.p + 1, (size_t)(end - text.p) - 1);
		struct slice rest = slice_from(text, (size_t)(end - text.p) + 1);

		return slice_starts(rest, SL(":")) && read_port(slice_from(rest, 1), port) &&
			memchr(host->p, ':', host->n) && is_address(*host);
	}
	end = text.n ? memchr(text.p, ':', text.n) : NULL;
	if (!end)
		return false;
	*host = slice_make(text.p, (size_t)(end - text.p));
	return read_port(slice_from(text, host->n + 1), port) &&
		(is_address(*host) || slice_eq(*host, SL("localhost")));
}

static bool read_unix(struct loader *l, const struct yaml_node *node, struct slice path, struct listen_address *out)
{
	out->path = path;
	if (path.n > 1 && path.n <= MAX_UNIX_PATH && path.p[0] == '/' && path.p[path.n - 1] != '/')
		return true;
	faults_add(l->faults, node->at, "a unix socket is unix:/PATH, an absolute name of at most %d bytes", MAX_UNIX_PATH);
	return false;
}

static bool read_address(struct loader *l, const struct yaml_node *node, struct listen_address *out)
{
	struct slice text = config_text(l, node);

	if (!text.p)
		return false;
	*out = (struct listen_address){ .at = node->at };
	if (slice_starts(text, SL("unix:")))
		return read_unix(l, node, slice_from(text, 5), out);
	if (cut_address(text, &out->host, &out->port))
		return true;
	faults_add(l->faults, node->at,
		"`%.*s` is no address to listen on: write localhost:8808, 127.0.0.1:8808 or [::1]:8808",
		SL_ARG(slice_head(text, 80)));
	return false;
}

/* Adds an address, `localhost` as both loopbacks. */
static void add_address(struct listen_address *v, size_t *n, const struct listen_address *a)
{
	v[*n] = *a;
	if (!slice_eq(a->host, SL("localhost"))) {
		++*n;
		return;
	}
	v[*n].host = SL("127.0.0.1");
	v[*n + 1] = *a;
	v[*n + 1].host = SL("::1");
	*n += 2;
}

static void read_mcp(struct loader *l, const struct yaml_node *node)
{
	struct listen_address *v = config_array(l, (size_t)2 * MAX_ADDRESSES, sizeof *v);
	struct listen_address one = { .host = SL("localhost"), .port = DEFAULT_MCP_PORT };
	size_t n = 0;

	if (!v)
		return;
	l->config->mcp = v;
	if (!node || l->flags->stdio) {
		add_address(v, &n, &one);
	} else if (node->kind == YAML_SCALAR) {
		if (read_address(l, node, &one))
			add_address(v, &n, &one);
	} else if (yaml_is(node, YAML_LIST, l->faults)) {
		if (node->n == 0 || node->n > MAX_ADDRESSES)
			faults_add(l->faults, node->at, "`mcp` holds 1 to %d addresses", MAX_ADDRESSES);
		else
			for (const struct yaml_node *c = node->first; c; c = c->next)
				if (read_address(l, c, &one))
					add_address(v, &n, &one);
	}
	l->config->n_mcp = n;
}

static void read_admin(struct loader *l, const struct yaml_node *node)
{
	struct listen_address *admin = config_array(l, 1, sizeof *admin);

	if (!admin || !read_address(l, node, admin))
		return;
	if (admin->path.n) {
		faults_add(l->faults, node->at, "`admin` is host:port: probes do not come over a unix socket");
		return;
	}
	if (slice_eq(admin->host, SL("localhost")))
		admin->host = SL("127.0.0.1");
	l->config->admin = admin;
}

/* `scheme://host[:port]`, as browsers send it. */
static bool is_origin(struct slice s)
{
	ptrdiff_t at = slice_find(s, SL("://"));

	if (at <= 0)
		return false;
	struct slice host = slice_from(s, (size_t)at + 3);

	return host.n && !memchr(host.p, '/', host.n) && !memchr(s.p, '*', s.n) && !memchr(s.p, ' ', s.n);
}

static bool is_host(struct slice s)
{
	static const char bad[] = "/*:@ ,";

	for (const char *c = bad; *c; c++)
		if (memchr(s.p, *c, s.n))
			return false;
	return true;
}

static void read_origins(struct loader *l, const struct yaml_node *node)
{
	struct config *c = l->config;

	c->allowed_origins = config_texts(l, node, &c->n_allowed_origins, true);
	for (size_t i = 0; i < c->n_allowed_origins; i++)
		if (!is_origin(c->allowed_origins[i]))
			faults_add(l->faults, node->at,
				"`%.*s` is no origin: write https://app.example, without path or wildcard",
				SL_ARG(slice_head(c->allowed_origins[i], 80)));
}

static void read_hosts(struct loader *l, const struct yaml_node *node)
{
	struct config *c = l->config;

	c->allowed_hosts = config_texts(l, node, &c->n_allowed_hosts, true);
	for (size_t i = 0; i < c->n_allowed_hosts; i++)
		if (!is_host(c->allowed_hosts[i]))
			faults_add(l->faults, node->at,
				"`%.*s` is no host name: write gateway.example, without port or wildcard",
				SL_ARG(slice_head(c->allowed_hosts[i], 80)));
}

/* The name of a file. A key or certificate written out is an error, and is not repeated. */
static void read_tls_file(struct loader *l, const struct yaml_node *map, const char *name, struct file_ref *out)
{
	const struct yaml_node *node = yaml_get(map, slice_of(name));

	if (!node)
		return;
	out->at = node->at;
	if (node->kind == YAML_SCALAR && slice_find(node->text, SL("-----BEGIN")) >= 0)
		faults_add(l->faults, node->at, "`tls.%s` is the name of a file: what it holds never stands in the configuration", name);
	else
		out->path = config_path(l, node);
}

static bool has_tcp(const struct config *c)
{
	for (size_t i = 0; i < c->n_mcp; i++)
		if (!c->mcp[i].path.n)
			return true;
	return false;
}

static void read_tls(struct loader *l, const struct yaml_node *map)
{
	struct listen_tls *tls = config_array(l, 1, sizeof *tls);

	if (!tls || !yaml_is(map, YAML_MAP, l->faults))
		return;
	yaml_only(map, tls_keys, l->faults);
	read_tls_file(l, map, "certificate", &tls->certificate);
	read_tls_file(l, map, "key", &tls->key);
	read_tls_file(l, map, "client_ca", &tls->client_ca);
	if (!yaml_get(map, SL("certificate")) || !yaml_get(map, SL("key")))
		faults_add(l->faults, map->key_at, "`listen.tls` needs `certificate` and `key`, each the name of a PEM file");
	if (l->flags->stdio)
		return;
	l->config->tls = tls;
	if (l->config->n_mcp && !has_tcp(l->config))
		faults_add(l->faults, map->key_at, "`listen.tls` has no meaning where every `mcp` address is a unix socket");
}

void config_read_listen(struct loader *l, const struct yaml_node *map)
{
	l->config->drain_ms = DEFAULT_DRAIN_MS;
	if (map && !yaml_is(map, YAML_MAP, l->faults))
		return;
	yaml_only(map, listen_keys, l->faults);
	const struct yaml_node *admin = yaml_get(map, SL("admin")), *drain = yaml_get(map, SL("drain"));
	const struct yaml_node *tls = yaml_get(map, SL("tls"));
	const struct yaml_node *origins = yaml_get(map, SL("allowed_origins")),
				*hosts = yaml_get(map, SL("allowed_hosts"));

	read_mcp(l, yaml_get(map, SL("mcp")));
	if (admin)
		read_admin(l, admin);
	if (drain)
		l->config->drain_ms = config_duration(l, drain, DEFAULT_DRAIN_MS);
	if (tls)
		read_tls(l, tls);
	if (origins)
		read_origins(l, origins);
	if (hosts)
		read_hosts(l, hosts);
}
