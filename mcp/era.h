/*
 * Protocol revisions as rows: what each has on the wire. Source: the MCP specification, one revision a row.
 */
#ifndef NARROWGATE_MCP_ERA_H
#define NARROWGATE_MCP_ERA_H

#include "base/buf.h"

struct era {
	struct slice version;      /* "2025-06-18" */
	bool handshake;            /* initialize, session state, server requests; else: stateless, each request says all of itself */
	bool streamable_http;      /* POST and GET on one endpoint (2024-11-05 has HTTP+SSE instead) */
	bool version_header;       /* MCP-Protocol-Version on all but initialize */
	bool batches;
	bool structured_content;
	bool mirrors;              /* headers repeat what the body says (mcp/mirror.h) */
};

/* The row of a revision, or NULL when this build does not speak it. */
const struct era *era_find(struct slice version);
/* What a request without any version is taken for: 2025-03-26 (MCP 2025-06-18, "Protocol Version Header"). */
const struct era *era_assumed(void);
/* The newest with a handshake. */
const struct era *era_newest(void);
/* "2024-11-05, 2025-03-26, …" for error texts. */
struct slice era_list(void);

/*
 * Adds the data of an UnsupportedProtocolVersion error: what is supported, of all revisions or of a kind, and what was asked for, cut
 * to a sane length. E_TOO_BIG, E_NOMEM.
 */
enum era_kind { ERA_ANY, ERA_HANDSHAKE, ERA_STATELESS };
enum err era_unsupported(struct buf *out, struct slice requested, enum era_kind);

#endif
