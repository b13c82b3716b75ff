/*
 * Writes HTTP requests: the parts that never change are made once per vault, the rest is added per request. Nothing
 * of an agent's own headers gets here but what struct upstream_request holds, and that is checked.
 */
#ifndef NARROWGATE_UPSTREAM_HTTP_WRITE_H
#define NARROWGATE_UPSTREAM_HTTP_WRITE_H

#include "base/buf.h"
#include "upstream/curl_api.h"
#include "upstream/http_answer.h"

struct http_heads {
	struct buf post, get, delete; /* request line and constant fields, without the empty line */
};

/*
 * `url` is http(s) and complete. False, with a static text in *why: the URL or a configured header cannot be used.
 * http_heads_finish may be called in either case.
 */
bool http_heads_init(struct http_heads *, const struct curl_api *, const struct vault_config *, const char **why);
void http_heads_finish(struct http_heads *);

/*
 * Heads like `from`, but that POST goes to `target`, an origin-form (RFC 9112 §3.2.1). Only `post` is made anew and must be finished.
 * False: no memory.
 */
bool http_heads_post_to(struct http_heads *, const struct http_heads *from, struct slice target);

/*
 * Adds a whole request to `out`: head, credential line, session (each may be empty) and body. E_INVALID: the version or
 * the trace context holds what must not stand in a header.
 */
enum err http_write(struct buf *out, const struct http_heads *, enum http_verb, struct slice credential,
	struct slice session, const struct upstream_request *);

#endif
