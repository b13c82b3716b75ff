/*
 * A JSON text on one line, as both SSE and newline framing want it: shared by their writers.
 */
#ifndef NARROWGATE_MCP_ONELINE_H
#define NARROWGATE_MCP_ONELINE_H

#include "base/buf.h"

/* Adds `before`, `json` with each CR and LF (they can only be whitespace) made a space, and `after`: all or nothing. */
enum err oneline_add(struct buf *out, struct slice before, struct slice json, struct slice after);

#endif
