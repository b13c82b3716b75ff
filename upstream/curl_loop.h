/*
 * One curl multi handle on the loop: its sockets are watched by libuv, its timer is one of libuv's. Whoever owns it puts easy
 * handles in and is told of each that has come to its end.
 */
#ifndef NARROWGATE_UPSTREAM_CURL_LOOP_H
#define NARROWGATE_UPSTREAM_CURL_LOOP_H

#include <uv.h>
#include "upstream/curl_api.h"

struct curl_loop {
	const struct curl_api *curl;   /* borrowed; open until all is closed */
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;              /* the one libcurl asks for */
	size_t n_open;                 /* handles, and what the owner counts: see curl_loop_hold */
	bool closing;
	/* The transfer has ended; it is still in the multi handle. Never inside multi_add_handle. */
	void (*done)(void *owner, CURL *, CURLcode);
	void *owner;
	void (*closed)(void *ctx);
	void *ctx;
};

/* False when memory is out: then nothing is left to close. */
bool curl_loop_init(struct curl_loop *, const struct curl_api *, uv_loop_t *, void (*done)(void *owner, CURL *, CURLcode), void *owner);
/* It is not closed before the matching release. */
void curl_loop_hold(struct curl_loop *);
void curl_loop_release(struct curl_loop *);
/* No easy handle may be left in it. `closed` is called once, later. */
void curl_loop_close(struct curl_loop *, void (*closed)(void *ctx), void *ctx);

#endif
