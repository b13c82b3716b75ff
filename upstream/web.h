/*
 * The rare calls: a token, a document about where tokens come from. libcurl does all of one exchange, bounded in size and time;
 * redirects are not followed, cookies not kept, and no address is called that was not asked for: see web_request.
 */
#ifndef NARROWGATE_UPSTREAM_WEB_H
#define NARROWGATE_UPSTREAM_WEB_H

#include "base/buf.h"
#include "upstream/curl_loop.h"
#include "upstream/upstream.h"

#define WEB_MAX_BYTES (64 * 1024)
#define WEB_LIMIT_MS 10000

/* How near the address may lie that a name leads to. */
enum web_reach { WEB_PUBLIC, WEB_LOOPBACK_TOO, WEB_ANYWHERE };

struct web_request {
	struct slice url;             /* https, or http where the address turns out to be loopback */
	struct slice body;            /* with content_type; empty: a GET */
	const char *content_type;     /* NULL: a GET */
	const char *accept;           /* NULL: application/json */
	struct slice authorization;   /* the value of that header, a secret; empty: none */
	enum web_reach reach;
};

struct web_answer {
	const char *failure;          /* static: why there is no answer; NULL: there is one */
	int status;
	struct slice body;
	struct slice challenge;       /* of WWW-Authenticate, several joined by commas; empty: none */
};

struct web;
struct web_call;

/* `conf`: ca and proxy are used, the client certificate is not: it is for the vault alone. NULL with a static text in *why. */
struct web *web_create(uv_loop_t *, const struct vault_config *conf, const char **why);
/* Ends what is under way without a word; `closed` is called once, later. */
void web_close(struct web *, void (*closed)(void *ctx), void *ctx);
/* For the parser of URLs. */
const struct curl_api *web_curl(const struct web *);

/* `done` is called once, never inside; what the answer holds is wiped behind it. The request is copied. NULL: memory is out. */
struct web_call *web_start(struct web *, const struct web_request *, void (*done)(void *ctx, const struct web_answer *), void *ctx);
/* `done` is not called any more. NULL: nothing. */
void web_cancel(struct web_call *);

#endif
