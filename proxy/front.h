/*
 * What a transport hands on: one MCP message and how to answer it. The sidecar (proxy/exchange.c) is one front, the
 * demo vault (proxy/demo_vault.c) another; HTTP and stdio serve both the same way.
 */
#ifndef NARROWGATE_PROXY_FRONT_H
#define NARROWGATE_PROXY_FRONT_H

#include <stdbool.h>
#include "policy/san.h"
#include "proxy/reply.h"

/* What came in. Slices are valid until the reply is done (answer, accepted, fail) or exchange_gone was called. */
struct ask {
	struct slice body;          /* one message; empty for listen and end_session */
	struct slice upstream;      /* the NAME of /NAME/mcp; empty: /mcp */
	struct slice session;       /* Mcp-Session-Id; empty: none */
	struct slice version;       /* MCP-Protocol-Version; empty: none. With a message it may be one that nobody knows. */
	struct slice mcp_method;    /* Mcp-Method, Mcp-Name; p == NULL: none */
	struct slice mcp_name;
	struct slice fields;        /* all fields of the head, each with its CRLF; empty where there is no HTTP */
	struct slice authorization; /* to tell who calls; never passed on */
	struct slice traceparent;
	struct slice last_event_id;
	const struct san *names;    /* of the verified client certificate; never passed on */
	size_t n_names;
	bool local;                 /* the peer is this machine: loopback, unix socket, stdio */
	bool stdio;
};

struct front;

struct front_ops {
	void (*post)(struct front *, const struct ask *, struct reply *);        /* one message */
	void (*listen)(struct front *, const struct ask *, struct reply *);      /* GET: a stream for what the vault says by itself */
	void (*end_session)(struct front *, const struct ask *, struct reply *); /* DELETE: accepted() = 200, or fail() */
	/* Whether /NAME/mcp exists (empty: /mcp). */
	bool (*has_upstream)(const struct front *, struct slice name);
	/* Whether who asks is known and may use that upstream; if not, the reply has failed. Unset: everybody may. */
	bool (*admit)(struct front *, const struct ask *, struct reply *);
};

struct front {
	const struct front_ops *ops;
};

/*
 * What transports tell an exchange. `reply->exchange` is set by the front while the answer is out, and NULL afterwards;
 * both calls do nothing when it is NULL. The front that set it provides the struct's first member:
 */
struct exchange_ops {
	void (*gone)(struct exchange *);    /* the peer closed: nobody waits for the answer; the reply is dead after this */
	void (*drained)(struct exchange *); /* `full` was true and is false again */
};
struct exchange_base {
	const struct exchange_ops *ops;
};
static inline void exchange_gone(struct reply *r)
{
	struct exchange *x = r->exchange;

	r->exchange = NULL;
	if (x)
		((struct exchange_base *)(void *)x)->ops->gone(x);
}
static inline void exchange_drained(struct reply *r)
{
	if (r->exchange)
		((struct exchange_base *)(void *)r->exchange)->ops->drained(r->exchange);
}

#endif
