/*
 * Base64 (RFC 4648 §4) as MCP uses it for blobs; the URL alphabet and missing padding are read too.
 */
#ifndef NARROWGATE_BASE_BASE64_H
#define NARROWGATE_BASE_BASE64_H

#include "base/arena.h"

/* False when it is no base64 (line ends inside are allowed), or memory is out. The bytes live in the arena. */
bool base64_decode(struct slice *out, struct slice coded, struct arena *);
/* With padding; {NULL,0} when memory is out. */
struct slice base64_encode(struct slice bytes, struct arena *);

#endif
