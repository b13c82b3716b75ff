#include "proxy/demo_tools.h"

#include "base/digest.h"

#define DEFAULT_TTL_S 900
#define MAX_TTL_S 86400

struct slice demo_arg(const struct demo_call *c, const char *name)
{
	uint32_t tok = c->args == JSON_NONE ? JSON_NONE : json_member(c->json, c->args, slice_of(name));

	return json_is(c->json, tok, JSON_STRING) ? json_string(c->json, tok, c->arena) : SL("");
}

static int64_t number_arg(const struct demo_call *c, const char *name, int64_t deflt)
{
	uint32_t tok = c->args == JSON_NONE ? JSON_NONE : json_member(c->json, c->args, slice_of(name));
	int64_t n;

	return tok != JSON_NONE && json_int(c->json, tok, &n) ? n : deflt;
}

static void add_member(struct buf *out, const char *name, struct slice text)
{
	buf_add_fmt(out, "\"%s\":", name);
	buf_add_json_string(out, text);
}

void demo_add_metadata(struct buf *out, const struct demo_secret *s)
{
	buf_add_char(out, '{');
	add_member(out, "path", s->path);
	buf_add_char(out, ',');
	add_member(out, "tenant", s->tenant);
	buf_add_char(out, ',');
	add_member(out, "type", s->type);
	buf_add_fmt(out, ",\"version\":%u", s->version);
}

/* The secret the call names, or NULL with the error set. */
static struct demo_secret *named(struct demo_call *c)
{
	struct demo_secret *s = demo_find(c->store, demo_arg(c, "tenant"), demo_arg(c, "path"));

	if (!s)
		c->error = "No secret found at that path.";
	return s;
}

static void list_secrets(struct demo_call *c)
{
	struct slice tenant = demo_arg(c, "tenant"), prefix = demo_arg(c, "prefix");
	unsigned total = 0;

	buf_add(c->out, SL("{\"items\":["));
	for (size_t i = 0; i < c->store->n; i++) {
		const struct demo_secret *s = &c->store->secrets[i];

		if (!s->used || !slice_starts(s->path, prefix) || (tenant.n && !slice_eq(s->tenant, tenant)))
			continue;
		if (total++)
			buf_add_char(c->out, ',');
		demo_add_metadata(c->out, s);
		buf_add_char(c->out, '}');
	}
	buf_add_fmt(c->out, "],\"total\":%u}", total);
}

static void add_value(struct demo_call *c, const struct demo_secret *s)
{
	demo_add_metadata(c->out, s);
	buf_add_char(c->out, ',');
	add_member(c->out, "value", s->value);
	buf_add_char(c->out, '}');
}

static void read_secret(struct demo_call *c)
{
	const struct demo_secret *s = named(c);
	int64_t version = s ? number_arg(c, "version", s->version) : 0;

	if (s && version != s->version)
		c->error = "That version is not kept.";
	else if (s)
		add_value(c, s);
}

static void describe_secret(struct demo_call *c)
{
	const struct demo_secret *s = named(c);

	if (!s)
		return;
	demo_add_metadata(c->out, s);
	buf_add_char(c->out, '}');
}

static void write_secret(struct demo_call *c)
{
	struct slice path = demo_arg(c, "path");
	struct demo_secret *s = path.n ? demo_write(c->store, demo_arg(c, "tenant"), path, demo_arg(c, "type"), demo_arg(c, "value")) : NULL;

	if (!s) {
		c->error = path.n ? "The vault is full." : "A path is required.";
		return;
	}
	demo_add_metadata(c->out, s);
	buf_add_char(c->out, '}');
}

static void delete_secret(struct demo_call *c)
{
	struct demo_secret *s = named(c);

	if (!s)
		return;
	demo_add_metadata(c->out, s);
	buf_add(c->out, SL(",\"deleted\":true}"));
	demo_delete(s);
}

static void rotate_secret(struct demo_call *c)
{
	struct demo_secret *s = named(c);
	unsigned char random[12];
	char fresh[32] = "demo-rot-";

	if (!s)
		return;
	digest_random(random, sizeof random);
	digest_hex(random, 11, fresh + 9);
	s = demo_write(c->store, s->tenant, s->path, s->type, slice_of(fresh));
	if (!s) {
		c->error = "Out of memory.";
		return;
	}
	demo_add_metadata(c->out, s);
	buf_add_char(c->out, '}');
}

static void get_env_bundle(struct demo_call *c)
{
	const struct demo_secret *s = named(c);
	struct slice rest = s ? s->value : SL("");
	bool first = true;

	if (!s)
		return;
	buf_add_char(c->out, '{');
	while (rest.n) {
		struct slice line = slice_cut(&rest, '\n');
		struct slice value = line;
		struct slice name = slice_cut(&value, '=');

		if (!value.p)
			continue;
		buf_add(c->out, first ? SL("") : SL(","));
		first = false;
		buf_add_json_string(c->out, name);
		buf_add_char(c->out, ':');
		buf_add_json_string(c->out, value);
	}
	buf_add_char(c->out, '}');
}

static void lease_secret(struct demo_call *c)
{
	const struct demo_secret *s = named(c);
	int64_t ttl = number_arg(c, "ttl_seconds", DEFAULT_TTL_S);

	if (!s)
		return;
	if (ttl < 1 || ttl > MAX_TTL_S) {
		c->error = "ttl_seconds must be 1 to 86400.";
		return;
	}
	const struct demo_lease *l = demo_lease(c->store, s, (uint64_t)ttl * 1000, c->now_ms);
	if (!l) {
		c->error = "Too many leases.";
		return;
	}
	buf_add_char(c->out, '{');
	add_member(c->out, "lease_handle", slice_of(l->handle));
	buf_add_fmt(c->out, ",\"ttl_seconds\":%lld}", (long long)ttl);
}

static void redeem_lease(struct demo_call *c)
{
	const struct demo_secret *s = demo_redeem(c->store, demo_arg(c, "lease_handle"), c->now_ms);

	if (s)
		add_value(c, s);
	else
		c->error = "The lease is unknown, used or expired.";
}

static void list_tenants(struct demo_call *c)
{
	buf_add(c->out, SL("{\"tenants\":[{\"tenant\":\"acme\"},{\"tenant\":\"globex\"}],\"total\":2}"));
}

#define PATH "\"path\":{\"type\":\"string\",\"description\":\"Path of the secret\"}"
const struct demo_tool demo_tools[] = {
	{ "list_secrets", "List secrets below a prefix: paths and metadata, never values.",
		"\"prefix\":{\"type\":\"string\",\"description\":\"Only paths that start with this\"}", "[]", true, list_secrets },
	{ "read_secret", "Read the value of a secret.", PATH ",\"version\":{\"type\":\"integer\"}", "[\"path\"]", true, read_secret },
	{ "describe_secret", "Metadata of one secret.", PATH, "[\"path\"]", true, describe_secret },
	{ "write_secret", "Create a secret or write a new version.",
		PATH ",\"value\":{\"type\":\"string\"},\"type\":{\"type\":\"string\"}", "[\"path\",\"value\"]", false, write_secret },
	{ "delete_secret", "Delete a secret.", PATH, "[\"path\"]", false, delete_secret },
	{ "rotate_secret", "Replace a secret by a fresh random value.", PATH, "[\"path\"]", false, rotate_secret },
	{ "get_env_bundle", "Read a secret that holds KEY=VALUE lines.", PATH, "[\"path\"]", true, get_env_bundle },
	{ "lease_secret", "Ask for a single-use lease on a secret.", PATH ",\"ttl_seconds\":{\"type\":\"integer\"}", "[\"path\"]", true, lease_secret },
	{ "redeem_lease", "Redeem a lease for the secret's value.", "\"lease_handle\":{\"type\":\"string\"}", "[\"lease_handle\"]", true, redeem_lease },
	{ "list_tenants", "List the tenants.", "", "[]", true, list_tenants },
};
const size_t demo_n_tools = sizeof demo_tools / sizeof *demo_tools;
