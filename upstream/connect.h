/*
 * Connections to one vault, made by libcurl: names, proxy, TLS with verification, client certificates. libcurl only
 * connects (CURLOPT_CONNECT_ONLY); what is said on the connection is ours. Each connection keeps its easy handle
 * inside the one curl multi handle for as long as it lives, because taking it out closes the connection.
 *
 * libcurl looks through its connection cache whenever it makes a new connection, and closes what it believes dead or
 * too old, which ours only seem to be. So every connection has a cache of its own (a CURLSH); the multi handle is
 * shared, for its resolved names and the trusted certificates it has read.
 */
#ifndef NARROWGATE_UPSTREAM_CONNECT_H
#define NARROWGATE_UPSTREAM_CONNECT_H

#include "upstream/curl_loop.h"
#include "upstream/upstream.h"

struct connector {
	const struct curl_api *curl;  /* borrowed; open until all is closed */
	uv_loop_t *loop;
	struct curl_loop curls;       /* who dials; open as long as a wire is */
	char *name, *url, *ca, *certificate, *key, *proxy; /* owned; NULL where not configured */
	uint64_t timeout_ms;
	bool tls;
	CURLcode failure;             /* of the last dial: a vault that stays away is logged once */
	struct wire *dialing;         /* list: not connected yet */
	/* A dial has ended: a connection, or NULL and why not (UP_UNREACHABLE, UP_TLS). Never inside connector_dial. */
	void (*dialed)(void *ctx, struct wire *, enum upstream_outcome);
	void *ctx;
};

/* Copies what it needs of the configuration. False when memory is out: then nothing is left to close. */
bool connector_init(struct connector *c, const struct curl_api *, uv_loop_t *, const struct vault_config *);
/* Starts one connection. False when memory is out. */
bool connector_dial(struct connector *);
/* Gives up the dials; `closed` is called once, later, when every handle is gone. All other wires must be closed. */
void connector_close(struct connector *, void (*closed)(void *ctx), void *ctx);

/* --- an established connection ------------------------------------------------------------------------------------ */

struct wire {
	struct connector *connector;
	CURL *easy;
	CURLSH *share;
	curl_socket_t plain;          /* the socket itself, where no TLS stands between; else CURL_SOCKET_BAD */
	uv_poll_t poll;
	bool polled;                  /* `poll` was initialised: it is connected */
	bool used;                    /* an answer has come over it: it may have grown stale since */
	int watched;                  /* events `poll` waits for */
	uint64_t idle_since_ms;
	uint64_t idle_limit_ms;       /* how long it may lie idle */
	struct wire *next, *prev;     /* dialing list, or the pool's idle list */
	void (*on_event)(struct wire *, int events); /* UV_READABLE | UV_WRITABLE */
	void *ctx;                    /* whoever uses it now */
	char error[CURL_ERROR_SIZE];  /* libcurl's words for what went wrong while dialing */
};

enum wire_io { WIRE_OK, WIRE_AGAIN, WIRE_EOF, WIRE_FAILED };

/* Waits for these events from now on (0: none). */
void wire_watch(struct wire *, int events);
/* *n: the bytes taken. WIRE_AGAIN, or fewer than all: wait for UV_WRITABLE. */
enum wire_io wire_send(struct wire *, struct slice bytes, size_t *n);
enum wire_io wire_recv(struct wire *, char *to, size_t max, size_t *n);
/* Closes it; the memory stays valid until libuv has closed the handle. */
void wire_close(struct wire *);

#endif
