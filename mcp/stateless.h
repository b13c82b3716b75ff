/*
 * What a request of a stateless revision says of itself: the members of `params._meta` that stand in for a handshake.
 * Source: MCP 2026-07-28, "Base protocol / Per-request metadata".
 */
#ifndef NARROWGATE_MCP_STATELESS_H
#define NARROWGATE_MCP_STATELESS_H

#include "mcp/era.h"
#include "mcp/rpc.h"

#define META_VERSION SL("io.modelcontextprotocol/protocolVersion")
#define META_CAPABILITIES SL("io.modelcontextprotocol/clientCapabilities")
#define META_CLIENT SL("io.modelcontextprotocol/clientInfo")
#define META_LOG_LEVEL SL("io.modelcontextprotocol/logLevel")
#define META_SUBSCRIPTION SL("io.modelcontextprotocol/subscriptionId")
#define META_SERVER SL("io.modelcontextprotocol/serverInfo")

/* What we say when we ask by ourselves. */
#define STATELESS_REVISION SL("2026-07-28")

/* Codes of its own: MCP 2026-07-28, "Errors". */
enum { MCP_HEADER_MISMATCH = -32020, MCP_MISSING_CAPABILITY = -32021, MCP_UNSUPPORTED_VERSION = -32022 };

enum stateless_read {
	STATELESS_NOT,       /* no such member: a message of a revision with a handshake */
	STATELESS_OK,
	STATELESS_MALFORMED, /* a member is missing or of another type: -32602 */
	STATELESS_UNKNOWN,   /* a revision nobody here speaks, or one with a handshake: -32022 */
};

/* Reads the envelope of a request. *version is the revision it names (decoded), empty where none could be read. */
enum stateless_read stateless_read(const struct rpc *, struct arena *, struct slice *version);
/* Whether a member of `_meta` is one of the envelope's, in the form it must have: it says nothing to a vault's tools. */
bool stateless_is_envelope(const struct json *, uint32_t name);

#endif
