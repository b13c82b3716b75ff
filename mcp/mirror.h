/*
 * Headers of a stateless POST that repeat what its body says: Mcp-Method, Mcp-Name, Mcp-Param-*. Compared with the body when they
 * come in, and made anew from the judged body when it goes out; nothing else of the agent's headers passes.
 * Source: MCP 2026-07-28, "Transports / Streamable HTTP / Standard request headers" (SEP-2243).
 */
#ifndef NARROWGATE_MCP_MIRROR_H
#define NARROWGATE_MCP_MIRROR_H

#include "mcp/rpc.h"

/* An argument that its tool's schema wants repeated as `Mcp-Param-HEADER`. */
struct mirror_param {
	struct slice header;       /* the name behind `Mcp-Param-` */
	const struct slice *path;  /* member names from the arguments down to the value */
	size_t n_path;
};

/* What came in. p == NULL: the field was not there. */
struct mirror_fields {
	struct slice method, name;
};

/*
 * Compares Mcp-Method and Mcp-Name. NULL: they are as they must be; else a static text that says which is not. Memory that is out
 * counts as a mismatch.
 */
const char *mirror_check(const struct mirror_fields *, const struct rpc *, enum method, struct arena *);
/* The same for the arguments of a tools/call that headers repeat. `lines`: all fields of the head. */
const char *mirror_check_params(struct slice lines, const struct rpc *, const struct mirror_param *, size_t n, struct arena *);
/* Whether some field is an Mcp-Param-*. */
bool mirror_has_params(struct slice lines);
/*
 * Adds the fields for a request that goes out, each with its CRLF. E_INVALID: what is to be repeated is not there, or of a
 * type that cannot be. E_TOO_BIG, E_NOMEM.
 */
enum err mirror_write(struct buf *out, const struct rpc *, enum method, const struct mirror_param *, size_t n, struct arena *);

/* A text as a field's value: as it is where it can be, else `=?base64?…?=`. {NULL,0}: no memory. */
struct slice mirror_encode(struct slice text, struct arena *);
/* The reverse. False: a value that should be encoded, or is so badly, or memory is out. */
bool mirror_decode(struct slice value, struct slice *text, struct arena *);

#endif
