/*
 * Configuration, credentials and certificates that change while we serve: watched by directory (a Kubernetes ConfigMap swaps a link),
 * with a slow poll as a net; read whole, validated whole, swapped in or left alone.
 */
#ifndef NARROWGATE_PROXY_RELOAD_H
#define NARROWGATE_PROXY_RELOAD_H

#include "proxy/app.h"
#include "proxy/load.h"

struct reload;
struct tls_context;

/* For what hangs on the listeners. */
struct reload_events {
	/* A configuration was swapped in; the old one is still valid during the call. */
	void (*swapped)(void *ctx, const struct config *before);
	/* The certificates of `listen.tls` were read again, changed or not: taken over. NULL: there is no TLS. */
	void (*certified)(void *ctx, struct tls_context *);
	void *ctx;
};

/* `source` must outlive it. `events` NULL: nobody listens. NULL: no memory. */
struct reload *reload_start(struct app *, const struct load_source *source, const struct reload_events *events);
/* SIGHUP: read again now, changed or not. */
void reload_now(struct reload *);
/* Stops watching; the handles close on the loop. */
void reload_stop(struct reload *);

#endif
