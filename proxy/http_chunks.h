/*
 * The chunked transfer coding (RFC 9112 §7.1), read strictly and in place: a size of one to eight hex digits, CRLF, the
 * data, CRLF; the last chunk and one empty line. No chunk extensions, no trailers, no bare CR or LF: whatever two
 * readers might take differently is an error. Pure.
 */
#ifndef NARROWGATE_PROXY_HTTP_CHUNKS_H
#define NARROWGATE_PROXY_HTTP_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

struct http_chunks {
	uint32_t left;   /* bytes of this chunk still to come */
	uint8_t state;
	uint8_t digits;
};

void http_chunks_init(struct http_chunks *);

/*
 * Reads raw[0..n) and moves the data to out + *n_out, which grows; `out + *n_out` must not lie behind `raw`. *used is
 * how many raw bytes were taken: all of them, or fewer when *done says that the body is complete.
 * E_FRAMING; E_TOO_BIG when the data would pass max_bytes, told from the chunk's size and before its data came.
 */
enum err http_chunks_feed(struct http_chunks *, char *out, size_t *n_out, size_t max_bytes, const char *raw, size_t n,
	size_t *used, bool *done);

#endif
