/*
 * Health on a listener of its own: GET and HEAD of /healthz, /readyz and /readyz?verbose, with any Host; 405 for other methods,
 * 404 for other paths. Nothing here stops, reloads or shows anything but readiness: whoever reaches the port may read it.
 */
#ifndef NARROWGATE_PROXY_ADMIN_H
#define NARROWGATE_PROXY_ADMIN_H

#include "proxy/http.h"

struct admin;
struct admin_source;

/* What is asked at each request; the bytes go out as they are, so: no paths, no names of secrets. */
struct admin_source_ops {
	/*
	 * Whether agents may be sent here. `text` gets one line for it, or with `verbose` one line for each condition.
	 */
	bool (*ready)(struct admin_source *, bool verbose, struct buf *text);
};

struct admin_source {
	const struct admin_source_ops *ops;
};

/* Starts listening. NULL with a text in `why`. The source is borrowed until `closed` of admin_close. */
struct admin *admin_create(const struct http_config *, uv_loop_t *, struct admin_source *, struct buf *why);
void admin_drain(struct admin *, void (*drained)(void *ctx), void *ctx);
void admin_close(struct admin *, void (*closed)(void *ctx), void *ctx);
void admin_describe(const struct admin *, struct buf *out);

#endif
