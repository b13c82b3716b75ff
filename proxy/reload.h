/*
 * Configuration and credentials that change while we serve: watched by directory (a Kubernetes ConfigMap swaps a link),
 * with a slow poll as a net; read whole, validated whole, swapped in or left alone.
 */
#ifndef NARROWGATE_PROXY_RELOAD_H
#define NARROWGATE_PROXY_RELOAD_H

#include "proxy/app.h"
#include "proxy/load.h"

struct reload;

/*
 * `source` must outlive it. `swapped` (may be NULL) is called after each swap, for what hangs on the listeners: the old
 * configuration is still valid during the call. NULL: no memory.
 */
struct reload *reload_start(struct app *, const struct load_source *source,
	void (*swapped)(void *ctx, const struct config *before), void *ctx);
/* SIGHUP: read again now, changed or not. */
void reload_now(struct reload *);
/* Stops watching; the handles close on the loop. */
void reload_stop(struct reload *);

#endif
