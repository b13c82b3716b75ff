/*
 * One conversation with a vault's MCP server: a child process, or an HTTP endpoint with its session. Knows bytes, framing,
 * credentials; nothing of policy. All calls come from the loop's thread.
 *
 * Rules of every callback: none is made from inside the call that starts something; none is made after a cancel or close;
 * `end` is the last one of its call and comes exactly once. A call whose bytes may have left is never sent again.
 */
#ifndef NARROWGATE_UPSTREAM_UPSTREAM_H
#define NARROWGATE_UPSTREAM_UPSTREAM_H

#include <stdint.h>
#include <uv.h>
#include "base/slice.h"
#include "mcp/sse.h"

struct upstream;
struct upstream_call;

/* How a call came to its end. */
enum upstream_outcome {
	UP_DONE,          /* the vault has said all: an answer came before this, or none was due */
	UP_NO_ANSWER,     /* it ended (stream closed, body empty) without the answer to a request */
	UP_UNREACHABLE,   /* nothing was sent: no connection, no process, queue full */
	UP_BROKEN,        /* the connection or the process died after bytes may have left */
	UP_TLS,           /* nothing was sent: verification of the vault failed */
	UP_STATUS,        /* an HTTP status that is no answer; `status` says which */
	UP_SESSION_LOST,  /* 404 to a call of a session */
	UP_UNAUTHORIZED,  /* 401 or 403: the vault does not accept our credential */
	UP_REDIRECT,      /* never followed */
	UP_GARBAGE,       /* not MCP: content type, framing, encoding */
	UP_TOO_BIG,       /* one message over the limit */
	UP_NOT_OFFERED,   /* 405 to a GET stream or a DELETE */
	UP_NO_CREDENTIAL, /* nothing was sent: the credential is missing or empty */
};
const char *upstream_outcome_text(enum upstream_outcome o); /* for the log and the agent; static, names no secret */

struct upstream_end {
	enum upstream_outcome outcome;
	int status;                /* HTTP status, 0 where there was none */
};

/* Who hears of one call. Unset slots mean "not interested". */
struct upstream_sink {
	void (*session)(void *ctx);                           /* the answer's head names a session (before all else) */
	void (*stream)(void *ctx);                            /* the answer comes as an event stream (before any message) */
	/* What stands on the stream's next event beside its message; `alone`: on an event without one, which is over. */
	void (*mark)(void *ctx, const struct sse_mark *, bool alone);
	void (*message)(void *ctx, struct slice json);        /* one JSON-RPC message, unparsed; the bytes are valid during the call */
	void (*end)(void *ctx, const struct upstream_end *);
	void *ctx;
};

struct upstream_request {
	struct slice body;           /* one JSON-RPC message; copied if it cannot be sent at once */
	struct slice id;             /* its id in one spelling (rpc_id_key); empty: nothing is awaited */
	struct slice version;        /* MCP-Protocol-Version to send; empty: none */
	struct slice traceparent;    /* passed on when not empty */
	struct slice mirror;         /* over HTTP: further fields, each with its CRLF (mcp/mirror.h) */
	struct slice last_event_id;  /* listen: take up the stream of that event behind it; empty: none */
	uint64_t limit_ms;           /* over HTTP: it ends, UP_BROKEN, after so long; 0: never */
	bool opens_session;          /* initialize: a session id in the answer becomes this conversation's */
};

/* Who hears of the conversation itself. */
struct upstream_events {
	/* What the vault says outside of any call: everything a child writes that answers no call; on HTTP it comes by listen. */
	void (*message)(void *ctx, struct slice json);
	/* The conversation is over: child gone, session lost. Calls in flight have got their `end` before. */
	void (*lost)(void *ctx, const struct upstream_end *);
	void *ctx;
};

struct upstream_ops {
	struct upstream_call *(*send)(struct upstream *, const struct upstream_request *, const struct upstream_sink *);
	struct upstream_call *(*listen)(struct upstream *, const struct upstream_request *, const struct upstream_sink *); /* the GET stream; NULL slot: messages come by events */
	void (*pause)(struct upstream_call *);
	void (*resume)(struct upstream_call *);
	void (*cancel)(struct upstream_call *);
	bool (*has_session)(const struct upstream *);
	void (*close)(struct upstream *); /* ends the session (DELETE, stdin closed), frees when done; no callback after it */
};

struct upstream {
	const struct upstream_ops *ops;
};

/* NULL only when memory is out: every other failure comes through `end`. */
static inline struct upstream_call *upstream_send(struct upstream *u, const struct upstream_request *r, const struct upstream_sink *s)
{
	return u->ops->send(u, r, s);
}
static inline struct upstream_call *upstream_listen(struct upstream *u, const struct upstream_request *r, const struct upstream_sink *s)
{
	return u->ops->listen ? u->ops->listen(u, r, s) : NULL;
}
struct upstream_call_base { /* first member of every transport's call */
	struct upstream *up;
};
static inline struct upstream *upstream_of(struct upstream_call *c)
{
	return ((struct upstream_call_base *)(void *)c)->up;
}
static inline void upstream_pause(struct upstream_call *c)
{
	if (upstream_of(c)->ops->pause)
		upstream_of(c)->ops->pause(c);
}
static inline void upstream_resume(struct upstream_call *c)
{
	if (upstream_of(c)->ops->resume)
		upstream_of(c)->ops->resume(c);
}
/* The sink is never called again; on HTTP the request is aborted, on a pipe its answer will be thrown away. */
static inline void upstream_cancel(struct upstream_call *c)
{
	if (c)
		upstream_of(c)->ops->cancel(c);
}
/* Whether the vault gave this conversation a session (a pipe always is one). */
static inline bool upstream_has_session(const struct upstream *u)
{
	return u->ops->has_session(u);
}
static inline void upstream_close(struct upstream *u)
{
	if (u)
		u->ops->close(u);
}

/* --- one vault: what all its conversations share ----------------------------------------------------------------- */

struct vault; /* connection pool, credential, command; one per configured upstream */

struct upstream_header {
	struct slice name, value;
};

/* What a URL speaks. AUTO: found out by the first initialize. */
enum vault_transport { VAULT_AUTO, VAULT_STREAMABLE_HTTP, VAULT_SSE };

enum secret_source { SECRET_SOURCE_NONE, SECRET_SOURCE_FILE, SECRET_SOURCE_ENV, SECRET_SOURCE_GIVEN };

/* A credential by OAuth; the client's secret is the vault_config's credential. See oauth.h. */
struct vault_oauth {
	struct slice client_id;            /* empty: the one beside the refresh token */
	struct slice issuer, resource;     /* empty: as the vault's metadata says */
	struct slice token_file;           /* with the refresh token; empty: client credentials */
	const struct slice *scopes;        /* all that is ever asked for */
	size_t n_scopes;
	bool private_addresses;            /* the authorization server may have one */
};

/* Everything a transport needs; copied by vault_create. */
struct vault_config {
	struct slice name;                 /* for the log */
	struct slice url;                  /* http(s)://…, or empty: */
	enum vault_transport transport;    /* with a URL */
	const struct slice *command;       /* a program and its arguments */
	size_t n_command;
	const struct slice *child_env;     /* "NAME=value"; the child's whole environment */
	size_t n_child_env;
	const struct upstream_header *headers;
	size_t n_headers;
	struct slice credential_header;    /* "Authorization" or the configured name; empty: no credential */
	struct slice credential_prefix;    /* "Bearer " or empty */
	enum secret_source credential_from;
	struct slice credential_name;      /* file path or variable name */
	struct slice token_url, token_agent_id; /* the credential is an API key to be exchanged there (agent_token.h); empty: it is not */
	const struct vault_oauth *oauth;   /* NULL: none; else credential_from and _name are the client's secret */
	struct slice tls_ca, tls_certificate, tls_key, proxy;
	bool translates;                   /* between revisions with a handshake and those without, where the two sides differ */
	size_t max_message_bytes;
	uint64_t connect_timeout_ms;
	size_t max_connections;            /* to this vault */
};

/* NULL with a text in *why (static) when the configuration cannot work (bad URL …). */
struct vault *vault_create(uv_loop_t *, const struct vault_config *, const char **why);
/* Closes what is left; `closed` is called once, later, when every handle is gone. All its upstreams must be closed before. */
void vault_free(struct vault *, void (*closed)(void *ctx), void *ctx);
/* A new conversation. NULL when memory is out. Starts nothing by itself: connections and children start with the first send. */
struct upstream *vault_open(struct vault *, const struct upstream_events *);
/*
 * Reaches the vault once without any MCP message: TCP and TLS with verification, or the command found and executable.
 * `done` is called once with UP_DONE or what failed.
 */
void vault_probe(struct vault *, void (*done)(void *ctx, const struct upstream_end *), void *ctx);
/* Reads the credential again (file changed, SIGHUP). False: missing or empty, and calls are refused until it is back. */
bool vault_refresh_credential(struct vault *);
bool vault_credential_ready(const struct vault *);

#endif
