/*
 * For tests of the transports: a front that answers as a test tells it, and a raw client on loopback, in one thread: each
 * wait for the client turns the loop.
 */
#ifndef NARROWGATE_TESTS_WIRE_H
#define NARROWGATE_TESTS_WIRE_H

#include <openssl/ssl.h>
#include <uv.h>
#include "base/buf.h"
#include "proxy/front.h"

/* What the toy front does with a message. */
enum toy_mode { TOY_ECHO, TOY_HOLD, TOY_ACCEPT, TOY_FAIL, TOY_STREAM };

struct toy_exchange {
	struct exchange_base base; /* first */
	struct toy *toy;
	struct reply **reply; /* forgotten when it is gone */
};

struct toy {
	struct front front; /* first */
	struct toy_exchange exchange, ear;
	enum toy_mode mode;
	struct slice session;      /* to hand out */
	struct reply *held;        /* the last one that was not answered at once */
	struct reply *listener;
	struct ask ask;            /* the last one; slices as the transport gave them */
	char body[4096];           /* the last body */
	int posts, listens, ends;  /* calls so far */
	int gone, drained;
};

void toy_init(struct toy *);

struct wire {
	char bytes[1 << 20]; /* received and not yet taken by wire_expect */
	size_t n;
	int fd;
	SSL *ssl;     /* NULL: plain */
	bool goodbye; /* the server has ended its side of TLS as it should */
	uv_loop_t *loop;
};

/* Every wire_connect from now on speaks TLS like this; NULL: none does. Borrowed. */
void wire_secure_all(SSL_CTX *);
/* TLS on a connected wire. False: the handshake failed. */
bool wire_secure(struct wire *, SSL_CTX *);
/* The same, going on with a session where the server lets it. */
bool wire_resume(struct wire *, SSL_CTX *, SSL_SESSION *);
/* Sends at once, without turning the loop. */
void wire_push(struct wire *, const char *text);
/* Nothing more will be sent; under TLS with a goodbye. */
void wire_half_close(struct wire *);

/* The port in a description like "127.0.0.1:8808". */
int wire_port(const struct buf *description);
void wire_connect(struct wire *, uv_loop_t *, int port);
void wire_close(struct wire *);
void wire_send(struct wire *, const char *text);
void wire_send_bytes(struct wire *, const char *bytes, size_t n);
/* Turns the loop without blocking for so long. */
void wire_turn(uv_loop_t *, uint64_t ms);
/* Turns the loop until `text` has come; what came up to its end is taken and returned, NUL-terminated, until the next call. */
const char *wire_expect(struct wire *, const char *text);
/* Turns the loop until a whole answer with Content-Length has come; returns head and body. */
const char *wire_answer(struct wire *);
/* Turns the loop until the server has closed; nothing may have come. */
void wire_expect_end(struct wire *);
/* The connection is open and silent for 50 ms. */
void wire_expect_nothing(struct wire *);
/* Runs the loop to its end and closes it: every handle must be gone. */
void wire_finish_loop(uv_loop_t *);

#endif
