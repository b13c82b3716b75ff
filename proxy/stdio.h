/*
 * MCP on stdin and stdout: one message per line. Each message is a reply object that owns a copy of its body; many may be
 * open at once. A standing `listen` reply carries what the vault says by itself.
 *
 * Descriptors may be pipes, sockets, terminals, files or devices. Reading pauses while too many messages are open or too much
 * waits to be written; a line over the limit is answered with an error and skipped. The loop stays alive until stdio_close.
 */
#ifndef NARROWGATE_PROXY_STDIO_H
#define NARROWGATE_PROXY_STDIO_H

#include <uv.h>
#include "base/buf.h"
#include "proxy/front.h"

struct stdio;

/* A number that is 0 stands for the value in brackets. */
struct stdio_config {
	int in_fd, out_fd;
	size_t max_message_bytes;  /* [4 MiB] of one line */
	size_t max_open;           /* [1024] messages without an answer */
	size_t max_queued_bytes;   /* [64 MiB] for a reader that does not read; over it the output is given up */
};

struct stdio_events {
	/* The input has ended: the agent wants us gone. Once. */
	void (*ended)(void *ctx);
	/* The output is broken: nobody hears us. Once; every open exchange has been told. */
	void (*broken)(void *ctx);
	void *ctx;
};

/* Starts reading and asks the front to listen. NULL with a text in `why`. The front is borrowed until `closed` of stdio_close. */
struct stdio *stdio_start(const struct stdio_config *, uv_loop_t *, struct front *, const struct stdio_events *, struct buf *why);
/* Reads no more, ends the listener, lets answers end and be written; `drained` is called once, later; not after stdio_close. */
void stdio_drain(struct stdio *, void (*drained)(void *ctx), void *ctx);
/* Ends everything (the front hears exchange_gone) and frees; `closed` is called once, later. */
void stdio_close(struct stdio *, void (*closed)(void *ctx), void *ctx);

#endif
