/*
 * The configuration file, read whole or not at all (product.md §3; docs/configuration.md). One immutable, refcounted
 * object: default + per-agent policies, upstreams, listeners. A reload makes a new one and swaps the pointer.
 */
#ifndef NARROWGATE_POLICY_CONFIG_H
#define NARROWGATE_POLICY_CONFIG_H

#include <stdint.h>
#include "policy/catalog.h"
#include "policy/pins.h"
#include "policy/policy.h"
#include "policy/san.h"

/* A value that is a secret: never inline, always a reference; read by proxy/, re-read when it changes. */
enum secret_from { SECRET_NONE, SECRET_FILE, SECRET_ENV };
struct secret_ref {
	enum secret_from from;
	struct slice name; /* file path or variable name */
	struct origin at;
};

#define OAUTH_MAX_SCOPES 32

/* OAuth 2.1 as MCP uses it: the vault says where its authorization server is. */
struct oauth_config {
	struct slice client_id;    /* empty: the one beside the refresh token */
	struct slice issuer;       /* the only authorization server that is believed; empty: the one found first */
	struct slice resource;     /* RFC 8707; empty: what the vault's metadata says, else its URL */
	struct slice token_file;   /* with the refresh token; empty: client credentials */
	const struct slice *scopes; /* all that is ever asked for */
	size_t n_scopes;
	bool private_addresses;    /* the authorization server may have one */
};

enum credential_kind { CREDENTIAL_NONE, CREDENTIAL_BEARER, CREDENTIAL_HEADER, CREDENTIAL_AGENT_TOKEN, CREDENTIAL_OAUTH };
struct credential_config {
	enum credential_kind kind;
	struct slice header;       /* CREDENTIAL_HEADER: the header's name */
	struct slice url, agent_id; /* CREDENTIAL_AGENT_TOKEN: where `secret`, an API key, is exchanged, and whose it is */
	const struct oauth_config *oauth; /* CREDENTIAL_OAUTH; `secret` is the client's, or SECRET_NONE */
	struct secret_ref secret;
};

enum transport { TRANSPORT_AUTO, TRANSPORT_STREAMABLE_HTTP, TRANSPORT_STDIO, TRANSPORT_SSE };

struct pair {
	struct slice name, value;
};

struct upstream_config {
	struct slice name;
	struct origin at;
	struct slice catalog_name;       /* empty: chosen by serverInfo.name */
	struct catalog *catalog;         /* loaded when named; NULL when it is chosen later. Owned. */
	struct slice url;                /* one of url and command */
	const struct slice *command;
	size_t n_command;
	bool inherit_env;                /* `stdio -- CMD`: the child inherits the environment but NARROWGATE_* */
	enum transport transport;
	bool translates;            /* era: translate */
	const struct pair *headers;
	size_t n_headers;
	const struct pair *env;
	size_t n_env;
	struct credential_config credential;
	struct slice tls_ca, tls_certificate, tls_key; /* file paths; empty: system CA, no client certificate */
	struct slice proxy;
	struct slice pins_path;     /* the file of what the operator has accepted (policy/pins.h); empty: none is named */
	struct origin pins_at;
	struct pins *pins;          /* NULL: none, or, where it may be missing, there is none yet. Owned. */
	uint64_t timeout_ms;
	size_t max_message_bytes;
};

enum identify_by { IDENTIFY_LOCAL, IDENTIFY_API_KEY, IDENTIFY_MTLS };
struct agent_config {
	struct slice name;
	struct origin at;
	const struct policy *policy;
	const struct slice *upstreams;   /* names; n == 0: all */
	size_t n_upstreams;
	enum identify_by identify;
	unsigned char api_key_sha256[32]; /* IDENTIFY_API_KEY */
	struct san san;                  /* IDENTIFY_MTLS: of the verified client certificate */
};

struct listen_address {
	struct slice host;   /* "127.0.0.1", "::1", "localhost", "0.0.0.0"; empty: a unix socket */
	uint16_t port;       /* 0: any free one (tests) */
	struct slice path;   /* of a unix socket, absolute */
	struct origin at;
};

/* A file named in the configuration, and where. */
struct file_ref {
	struct slice path;   /* empty: not given */
	struct origin at;
};

/* TLS for agents who come over TCP; unix sockets stay plain. */
struct listen_tls {
	struct file_ref certificate, key;
	struct file_ref client_ca; /* given: a client certificate from it is required */
};

struct config {
	struct slice file;
	char hash[65];                   /* SHA-256 of the effective text, hex */
	const struct listen_address *mcp;
	size_t n_mcp;
	const struct listen_address *admin; /* NULL: off */
	const struct listen_tls *tls;    /* NULL: off */
	uint64_t drain_ms;
	const struct slice *allowed_origins;
	size_t n_allowed_origins;
	const struct slice *allowed_hosts;
	size_t n_allowed_hosts;
	const struct upstream_config *upstreams;
	size_t n_upstreams;
	const struct agent_config *agents; /* at least one; without `agents:` it is `default`, local */
	size_t n_agents;
	struct slice audit_file;
	bool audit_stdout;
	const struct slice *absent_guards; /* guards whose default is on but which this version does not have: named at start */
	size_t n_absent_guards;
	struct arena arena;
	unsigned refs;
};

/* What the command line adds; narrows only. */
struct config_flags {
	struct slice profile, tenant, catalog;
	const struct slice *allow, *deny;
	size_t n_allow, n_deny;
	const struct slice *command;     /* `-- CMD ARG…` */
	size_t n_command;
	bool accepts;                    /* `check --accept`: a pins file that is not there will be written */
	bool stdio;                      /* the stdio front: `listen` is ignored, audit.stdout is an error */
};

/*
 * Reads the environment through `env_get` (NULL: unset), the file text (empty slice: no file) and the flags.
 * NULL when `faults` got something. A variable or flag that would widen is a fault. The result has one reference.
 */
typedef const char *env_get_fn(void *ctx, const char *name);
struct config *config_load(struct slice yaml, struct slice file, const struct config_flags *, env_get_fn *, void *env_ctx, struct faults *);
/* Reads a file of at most 4 MiB for config_load and catalogs; bytes in the arena. E_IO, E_TOO_BIG. */
enum err config_read_file(const char *path, struct arena *, struct slice *out);

struct config *config_ref(struct config *);
void config_unref(struct config *);

/* The effective profile, one `key: value  (origin)` line each; for `check` and the start log. */
enum err policy_print(const struct policy *, struct buf *out);

#endif
