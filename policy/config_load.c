/* The configuration as a whole: read all of it, tell every fault, hand out all or nothing. */
#include "policy/config_inside.h"

#include "base/digest.h"
#include <stdlib.h>

#define MAX_CONFIG_BYTES ((size_t)64 << 20)
#define MAX_HASHED_BYTES ((size_t)256 << 20)

static const char *const root_keys[] = { "version", "listen", "upstreams", "profiles", "agents", "default_profile",
	"audit", "state", NULL };
static const char *const audit_keys[] = { "file", "stdout", NULL };
static const char *const state_keys[] = { "key", NULL };

static struct config *config_new(void)
{
	struct config *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	arena_init(&c->arena, MAX_CONFIG_BYTES);
	c->refs = 1;
	return c;
}

struct config *config_ref(struct config *c)
{
	c->refs++;
	return c;
}

void config_unref(struct config *c)
{
	if (!c || --c->refs)
		return;
	for (size_t i = 0; i < c->n_upstreams; i++) {
		pins_free(c->upstreams[i].pins);
		catalog_free(c->upstreams[i].catalog);
	}
	arena_finish(&c->arena);
	free(c);
}

static void read_version(struct loader *l, const struct yaml_node *node)
{
	struct slice text = node ? yaml_text(node, l->faults) : SL("1");

	if (text.p && !slice_eq(text, SL("1")))
		faults_add(l->faults, node->at, "`version: %.*s`: this program reads version 1",
			SL_ARG(slice_head(text, 20)));
}

static void read_audit(struct loader *l, const struct yaml_node *map)
{
	const struct yaml_node *file = yaml_get(map, SL("file")), *out = yaml_get(map, SL("stdout"));

	if (!map || !yaml_is(map, YAML_MAP, l->faults))
		return;
	yaml_only(map, audit_keys, l->faults);
	if (file)
		l->config->audit_file = config_path(l, file);
	if (out)
		l->config->audit_stdout = yaml_bool(out, false, l->faults);
	if (l->config->audit_stdout && l->flags->stdio)
		faults_add(
			l->faults, out->at, "`audit.stdout` cannot be where the agent is on stdio: use `audit.file`");
}

static void read_state(struct loader *l, const struct yaml_node *map)
{
	if (!map || !yaml_is(map, YAML_MAP, l->faults))
		return;
	yaml_only(map, state_keys, l->faults);
	if (map->n)
		config_not_here(l, map->key_at, "`state`");
}

static void read_default_profile(struct loader *l, const struct yaml_node *node)
{
	if (!node)
		return;
	l->default_profile = config_text(l, node);
	l->default_profile_at = node->at;
	/* Looked up even when every agent has a profile of its own: a name that means nothing is a mistake. */
	if (l->default_profile.n && !config_profile(l, l->default_profile, node->at))
		l->default_profile = SL(""); /* told once is enough */
}

/* The tree of the file; false after a fault. Without a file the root stays NULL. */
static bool read_root(struct loader *l, struct slice yaml)
{
	if (!l->file.p) {
		faults_add(l->faults, (struct origin){ 0 }, "out of memory");
		return false;
	}
	if (l->file.n == 0 && yaml.n == 0)
		return true;
	l->root = yaml_parse(yaml, l->file, l->arena, l->faults);
	if (!l->root)
		return false;
	if (l->root->kind == YAML_NULL) {
		faults_add(l->faults, l->root->at, "the file says nothing: write at least `version: 1`");
		return false;
	}
	return yaml_is(l->root, YAML_MAP, l->faults);
}

static void read_all(struct loader *l)
{
	const struct yaml_node *root = l->root;

	yaml_only(root, root_keys, l->faults);
	read_version(l, yaml_get(root, SL("version")));
	config_read_env(l);
	config_read_flags(l);
	config_read_listen(l, yaml_get(root, SL("listen")));
	config_read_upstreams(l, yaml_get(root, SL("upstreams")));
	config_read_profiles(l, yaml_get(root, SL("profiles")));
	read_default_profile(l, yaml_get(root, SL("default_profile")));
	read_audit(l, yaml_get(root, SL("audit")));
	read_state(l, yaml_get(root, SL("state")));
	config_read_agents(l, yaml_get(root, SL("agents")));
	config_lock_tenants(l);
}

static void make_hash(struct loader *l)
{
	unsigned char digest[DIGEST_BYTES];

	if (l->hashed.failed) {
		l->faults->lost = true;
		return;
	}
	digest_sha256(buf_slice(&l->hashed), digest);
	digest_hex(digest, sizeof digest, l->config->hash);
}

/* The directory of the file, with its slash. */
static struct slice directory(struct slice file)
{
	const char *slash = file.n ? memrchr(file.p, '/', file.n) : NULL;

	return slash ? slice_head(file, (size_t)(slash - file.p) + 1) : SL("");
}

struct config *config_load(struct slice yaml, struct slice file, const struct config_flags *flags, env_get_fn *env_get,
	void *env_ctx, struct faults *faults)
{
	struct config *c = config_new();
	struct loader l = { .config = c, .faults = faults, .flags = flags, .env_get = env_get, .env_ctx = env_ctx };

	if (!c) {
		faults_add(faults, (struct origin){ .file = file }, "out of memory");
		return NULL;
	}
	l.arena = &c->arena;
	c->file = arena_dup(&c->arena, file);
	l.file = c->file;
	l.dir = directory(c->file);
	buf_init(&l.hashed, MAX_HASHED_BYTES);
	config_hash_add(&l, SL("file"), yaml);
	if (read_root(&l, yaml))
		read_all(&l);
	make_hash(&l);
	buf_finish(&l.hashed);
	if (faults_any(faults)) {
		config_unref(c);
		return NULL;
	}
	return c;
}
