/*
 * One JSON-RPC message per line (MCP "stdio" transport), incrementally, no I/O. CRLF and blank lines are tolerated,
 * a last line without newline counts at the end of the input.
 */
#ifndef NARROWGATE_MCP_NDJSON_H
#define NARROWGATE_MCP_NDJSON_H

#include "base/buf.h"

struct ndjson_reader {
	struct buf line;
};

void ndjson_reader_init(struct ndjson_reader *, size_t max_line_bytes);
void ndjson_reader_finish(struct ndjson_reader *);
/*
 * Calls `line` for each complete, non-blank line (without its end); it returns false to stop, see sse_feed. E_NOMEM.
 * E_TOO_BIG: a line over the limit, its CR counted; what was read of it is kept until the reader is finished.
 */
enum err ndjson_feed(struct ndjson_reader *, struct slice bytes, size_t *used,
	bool (*line)(void *ctx, struct slice), void *ctx);
/* End of input: delivers a last unfinished line. */
enum err ndjson_end(struct ndjson_reader *, bool (*line)(void *ctx, struct slice), void *ctx);
/* Adds `json` and a newline; CR and LF inside (whitespace of the JSON) become spaces. */
enum err ndjson_write(struct buf *out, struct slice json);

#endif
