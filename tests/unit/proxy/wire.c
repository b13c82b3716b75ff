#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <setjmp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/err.h>

#define PATIENCE_MS 5000

/* --- the toy front ------------------------------------------------------------------------------------------------ */

static void toy_gone(struct exchange *x)
{
	struct toy_exchange *te = (struct toy_exchange *)(void *)x;

	te->toy->gone++;
	*te->reply = NULL;
}

static void toy_drained(struct exchange *x)
{
	((struct toy_exchange *)(void *)x)->toy->drained++;
}

static const struct exchange_ops exchange_ops = { .gone = toy_gone, .drained = toy_drained };

static void hold(struct toy *toy, struct reply *r)
{
	r->exchange = (struct exchange *)(void *)&toy->exchange;
	toy->held = r;
}

static void toy_post(struct front *f, const struct ask *ask, struct reply *r)
{
	struct toy *toy = (struct toy *)(void *)f;
	size_t n = ask->body.n < sizeof(toy->body) - 1 ? ask->body.n : sizeof(toy->body) - 1;

	toy->posts++;
	toy->ask = *ask;
	if (n)
		memcpy(toy->body, ask->body.p, n);
	toy->body[n] = '\0';
	if (toy->session.n)
		r->ops->session(r, toy->session);
	switch (toy->mode) {
	case TOY_ECHO:
		r->ops->answer(r, ask->body);
		break;
	case TOY_ACCEPT:
		r->ops->accepted(r);
		break;
	case TOY_FAIL:
		(r->ops->fail)(r, 502, SL("{\"failed\":true}"));
		break;
	case TOY_STREAM:
		r->ops->stream(r);
		hold(toy, r);
		break;
	case TOY_HOLD:
		hold(toy, r);
		break;
	}
}

static void toy_listen(struct front *f, const struct ask *ask, struct reply *r)
{
	struct toy *toy = (struct toy *)(void *)f;

	toy->listens++;
	toy->ask = *ask;
	if (toy->mode == TOY_FAIL) {
		(r->ops->fail)(r, 405, SL("{}"));
		return;
	}
	r->exchange = (struct exchange *)(void *)&toy->ear;
	toy->listener = r;
	r->ops->stream(r);
}

static void toy_end_session(struct front *f, const struct ask *ask, struct reply *r)
{
	struct toy *toy = (struct toy *)(void *)f;

	toy->ends++;
	toy->ask = *ask;
	r->ops->accepted(r);
}

static bool toy_has_upstream(const struct front *f, struct slice name)
{
	(void)f;
	return name.n == 0 || slice_eq(name, SL("vault-1"));
}

static const struct front_ops front_ops = {
	.post = toy_post,
	.listen = toy_listen,
	.end_session = toy_end_session,
	.has_upstream = toy_has_upstream,
};

void toy_init(struct toy *toy)
{
	*toy = (struct toy){ .front.ops = &front_ops };
	toy->exchange = (struct toy_exchange){ { &exchange_ops }, toy, &toy->held };
	toy->ear = (struct toy_exchange){ { &exchange_ops }, toy, &toy->listener };
}

/* --- plain or TLS ------------------------------------------------------------------------------------------------- */

static SSL_CTX *secure_all;

void wire_secure_all(SSL_CTX *ctx)
{
	secure_all = ctx;
}

/* What SSL_* said, as send and recv say it: -1 with EAGAIN, 0 at the end. */
static ssize_t as_socket(struct wire *w, int result)
{
	switch (SSL_get_error(w->ssl, result)) {
	case SSL_ERROR_NONE:
		return result;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		w->goodbye = true;
		return 0;
	default:
		return 0;
	}
}

static ssize_t wire_write(struct wire *w, const char *bytes, size_t n)
{
	ssize_t sent;

	if (!w->ssl)
		return send(w->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	ERR_clear_error();
	sent = as_socket(w, SSL_write(w->ssl, bytes, (int)n));
	errno = sent ? errno : EPIPE;
	return sent ? sent : -1;
}

static ssize_t wire_read(struct wire *w, char *to, size_t max)
{
	if (!w->ssl)
		return recv(w->fd, to, max, MSG_DONTWAIT);
	ERR_clear_error();
	return as_socket(w, SSL_read(w->ssl, to, (int)max));
}

bool wire_secure(struct wire *w, SSL_CTX *ctx)
{
	return wire_resume(w, ctx, NULL);
}

bool wire_resume(struct wire *w, SSL_CTX *ctx, SSL_SESSION *session)
{
	uint64_t until = uv_hrtime() / 1000000 + PATIENCE_MS;
	ssize_t done;

	fcntl(w->fd, F_SETFL, O_NONBLOCK);
	w->ssl = SSL_new(ctx);
	SSL_set_fd(w->ssl, w->fd);
	SSL_set_session(w->ssl, session);
	SSL_set_mode(w->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	w->goodbye = false;
	do {
		ERR_clear_error();
		done = as_socket(w, SSL_connect(w->ssl));
		uv_run(w->loop, UV_RUN_NOWAIT);
		assert_true(uv_hrtime() / 1000000 < until);
	} while (done < 0);
	return done > 0;
}

void wire_push(struct wire *w, const char *text)
{
	assert_int_equal(wire_write(w, text, strlen(text)), strlen(text));
}

void wire_half_close(struct wire *w)
{
	if (w->ssl)
		SSL_shutdown(w->ssl);
	shutdown(w->fd, SHUT_WR);
}

/* --- the client --------------------------------------------------------------------------------------------------- */

int wire_port(const struct buf *description)
{
	const char *colon = memchr(description->p, ':', description->n);

	assert_non_null(colon);
	return atoi(colon + 1);
}

void wire_connect(struct wire *w, uv_loop_t *loop, int port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	w->n = 0;
	w->ssl = NULL;
	w->loop = loop;
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(w->fd >= 0);
	assert_int_equal(connect(w->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	if (secure_all)
		wire_secure(w, secure_all);
}

void wire_close(struct wire *w)
{
	SSL_free(w->ssl);
	w->ssl = NULL;
	close(w->fd);
	w->fd = -1;
}

void wire_send_bytes(struct wire *w, const char *bytes, size_t n)
{
	uint64_t until = uv_hrtime() / 1000000 + PATIENCE_MS;

	while (n) {
		ssize_t sent = wire_write(w, bytes, n);

		if (sent < 0 && errno != EAGAIN)
			return; /* the server has closed: the test looks at what it said */
		if (sent > 0) {
			bytes += sent;
			n -= (size_t)sent;
		}
		uv_run(w->loop, UV_RUN_NOWAIT);
		assert_true(uv_hrtime() / 1000000 < until);
	}
}

void wire_send(struct wire *w, const char *text)
{
	wire_send_bytes(w, text, strlen(text));
}

void wire_turn(uv_loop_t *loop, uint64_t ms)
{
	uint64_t until = uv_hrtime() / 1000000 + ms;

	do {
		uv_run(loop, UV_RUN_NOWAIT);
		usleep(500);
	} while (uv_hrtime() / 1000000 < until);
}

/* One turn, and what came with it. False: the server has closed. */
static bool receive(struct wire *w)
{
	ssize_t n;

	uv_run(w->loop, UV_RUN_NOWAIT);
	assert_true(w->n < sizeof(w->bytes) - 1);
	n = wire_read(w, w->bytes + w->n, sizeof(w->bytes) - 1 - w->n);
	if (n > 0)
		w->n += (size_t)n;
	else if (n < 0)
		usleep(200);
	w->bytes[w->n] = '\0';
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/* Moves the first n bytes into memory that lives until the next call. */
static const char *take(struct wire *w, size_t n)
{
	static char *taken;

	taken = realloc(taken, n + 1);
	assert_non_null(taken);
	memcpy(taken, w->bytes, n);
	taken[n] = '\0';
	w->n -= n;
	memmove(w->bytes, w->bytes + n, w->n + 1);
	return taken;
}

const char *wire_expect(struct wire *w, const char *text)
{
	uint64_t until = uv_hrtime() / 1000000 + PATIENCE_MS;
	bool open = true;
	ptrdiff_t at;

	w->bytes[w->n] = '\0';
	while ((at = slice_find(slice_make(w->bytes, w->n), slice_of(text))) < 0) {
		if (!open || uv_hrtime() / 1000000 > until)
			fail_msg("%s, no `%s` in:\n%s", open ? "too late" : "closed", text, w->bytes);
		open = receive(w);
	}
	return take(w, (size_t)at + strlen(text));
}

const char *wire_answer(struct wire *w)
{
	uint64_t until = uv_hrtime() / 1000000 + PATIENCE_MS;
	const char *end, *length;
	bool open = true;
	size_t whole;

	w->bytes[w->n] = '\0';
	while (!(end = strstr(w->bytes, "\r\n\r\n"))) {
		if (!open || uv_hrtime() / 1000000 > until)
			fail_msg("%s, no head in:\n%s", open ? "too late" : "closed", w->bytes);
		open = receive(w);
	}
	whole = (size_t)(end - w->bytes) + 4;
	length = strstr(w->bytes, "Content-Length: ");
	if (length && length < end)
		whole += (size_t)atol(length + 16);
	while (w->n < whole) {
		if (!open || uv_hrtime() / 1000000 > until)
			fail_msg("body incomplete: %zu of %zu", w->n, whole);
		open = receive(w);
	}
	return take(w, whole);
}

void wire_expect_end(struct wire *w)
{
	uint64_t until = uv_hrtime() / 1000000 + PATIENCE_MS;

	while (receive(w))
		if (uv_hrtime() / 1000000 > until)
			fail_msg("the connection is still open");
	if (w->n)
		fail_msg("more than was expected:\n%s", w->bytes);
}

void wire_expect_nothing(struct wire *w)
{
	uint64_t until = uv_hrtime() / 1000000 + 50;

	while (uv_hrtime() / 1000000 < until)
		if (!receive(w))
			fail_msg("closed");
	if (w->n)
		fail_msg("not silent:\n%s", w->bytes);
}

void wire_finish_loop(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}
