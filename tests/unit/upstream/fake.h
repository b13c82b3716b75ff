/*
 * A vault's HTTP server that does what a script says, in a thread of its own: it can be as slow, rude and broken as the
 * script wants. What it was sent is looked at after fake_stop, when the thread is gone.
 */
#ifndef NARROWGATE_TESTS_UPSTREAM_FAKE_H
#define NARROWGATE_TESTS_UPSTREAM_FAKE_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct fake {
	void (*script)(struct fake *);
	SSL_CTX *tls;           /* NULL: plain */
	int listener, port, fd;
	SSL *ssl;
	pthread_t thread;
	int accepted;           /* connections */
	int requests;
	char *seen;             /* all requests, one after the other, NUL-terminated */
	size_t n_seen;
	const char *last;       /* the last one */
	int step;               /* how far test and script have come together */
	const char *broken;     /* what the script waited for in vain */
};

/* Listens on a port of 127.0.0.1 and runs the script. */
void fake_start(struct fake *, void (*script)(struct fake *), SSL_CTX *tls);
/* Waits for the end of the script; fails the test when it waited in vain. */
void fake_stop(struct fake *);
/* Frees what was seen. */
void fake_free(struct fake *);

/* --- for scripts; waits end after a few seconds ------------------------------------------------------------------- */

/* The next connection; the one before stays open until the end of the program unless it was closed. */
void fake_accept(struct fake *);
/* Reads one request, head and body. */
void fake_request(struct fake *);
void fake_say(struct fake *, const char *text);
void fake_say_bytes(struct fake *, const char *bytes, size_t n);
/* One byte per packet. */
void fake_drip(struct fake *, const char *text);
/* A complete answer with Content-Length. */
void fake_answer(struct fake *, const char *status, const char *fields, const char *body);
void fake_json(struct fake *, const char *body);
void fake_close(struct fake *);
/* Closes with a reset. */
void fake_reset(struct fake *);
/* Waits until the other side has closed. */
void fake_await_close(struct fake *);

/* For either side: says that it has come so far, or waits until the other has. */
void fake_step(struct fake *, int step);
void fake_await_step(struct fake *, int step);

#endif
