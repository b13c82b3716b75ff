/*
 * One JSON-RPC 2.0 message, read strictly: parsed once, every later decision is made on this parse.
 * Source: JSON-RPC 2.0; MCP "Base protocol / Messages" (ids are strings or integers, never null).
 */
#ifndef NARROWGATE_MCP_RPC_H
#define NARROWGATE_MCP_RPC_H

#include "base/json.h"
#include "mcp/method.h"

enum rpc_kind { RPC_REQUEST, RPC_NOTIFICATION, RPC_RESULT, RPC_ERROR };

struct rpc {
	struct json json;
	enum rpc_kind kind;
	uint32_t id;     /* tokens; JSON_NONE where the kind has none (an error may lack its id) */
	uint32_t method;
	uint32_t params;
	uint32_t result;
	uint32_t error;
	struct slice method_name; /* decoded; in the arena or the text */
	bool stateless;           /* a request of 2026-07-28 or later; set by whoever has read its envelope (mcp/stateless.h) */
};

/*
 * Reads one message. Besides what json_parse refuses: E_ENVELOPE (no `"jsonrpc":"2.0"`, shapes mixed, params or result no
 * object, an error without integer code and string message), E_BATCH (an array), E_ID (null, fraction, -0, boolean,
 * container, an integer outside int64, a string written in over RPC_MAX_ID bytes; a result without id; a request without
 * one is a notification), E_MEMBER (any other envelope member, case twins included; any in an error but code, message, data).
 * An error response may have `"id": null` or none: id is then JSON_NONE. On error *out is empty.
 */
enum err rpc_parse(struct rpc *out, struct slice text, struct arena *, size_t *at);
#define RPC_MAX_ID 256

/* The id as it stands in the message (`7`, `"abc"`); empty when there is none. Equal ids have equal text after rpc_id_key. */
struct slice rpc_id(const struct rpc *);
/* The id in one spelling, for tables: `7`, `"abc"` with escapes decoded. In the arena. */
struct slice rpc_id_key(const struct rpc *, struct arena *);

/* Standard codes: JSON-RPC 2.0 §5.1 and MCP. */
enum { RPC_PARSE_ERROR = -32700, RPC_INVALID_REQUEST = -32600, RPC_METHOD_NOT_FOUND = -32601, RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL_ERROR = -32603, RPC_RESOURCE_NOT_FOUND = -32002 };

/*
 * Adds `{"jsonrpc":"2.0","id":ID,"error":{"code":…,"message":…[,"data":DATA]}}`, or nothing on error. Empty id: the
 * member is null. data is JSON text or empty.
 */
enum err rpc_make_error(struct buf *out, struct slice id, int code, struct slice message, struct slice data);
/* Adds `{"jsonrpc":"2.0","id":ID,"result":RESULT}`, or nothing on error; result is JSON text. */
enum err rpc_make_result(struct buf *out, struct slice id, struct slice result);

#endif
