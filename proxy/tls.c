#include "proxy/tls_inside.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <time.h>
#include "base/log.h"

#define MAX_KEPT_BYTES (2 * TCP_RAW_BYTES)
#define RECORD_OVERHEAD 64 /* of 16 KiB, at most */

struct tls {
	struct tcp_filter filter; /* first */
	struct tls_context *now;
	BIO_METHOD *memory;
	struct log_limit refused;
};

struct tls_conn {
	struct tcp_filtered filtered; /* first */
	struct tls *tls;
	SSL *ssl;
	struct slice raw;  /* what OpenSSL may read now */
	struct buf kept;   /* what it had no use for yet */
	struct buf *wire;  /* where it may write now; NULL outside of a call */
	bool ready;        /* the handshake is over */
	bool failed;
	bool wants_client;
	unsigned char trust[DIGEST_BYTES]; /* of the client_ca that vouches for the peer */
	struct tls_names names;
};

static struct tls_conn *conn_of(struct tcp_filtered *f)
{
	return (struct tls_conn *)(void *)f;
}

/* --- OpenSSL's view of the socket: what is in memory, and no more now ------------------------------------------------ */

static int memory_read(BIO *bio, char *to, int max)
{
	struct tls_conn *c = BIO_get_data(bio);
	size_t n = c->raw.n < (size_t)max ? c->raw.n : (size_t)max;

	BIO_clear_retry_flags(bio);
	if (n == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(to, c->raw.p, n);
	c->raw = slice_from(c->raw, n);
	return (int)n;
}

static int memory_write(BIO *bio, const char *from, int n)
{
	struct tls_conn *c = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (!c->wire || n < 0 || buf_add(c->wire, slice_make(from, (size_t)n)) != E_OK)
		return -1;
	return n;
}

static long memory_ctrl(BIO *bio, int what, long n, void *p)
{
	(void)bio;
	(void)n;
	(void)p;
	return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *memory_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "narrowgate");

	if (m && BIO_meth_set_read(m, memory_read) && BIO_meth_set_write(m, memory_write) && BIO_meth_set_ctrl(m, memory_ctrl))
		return m;
	BIO_meth_free(m);
	return NULL;
}

/* --- the peer ----------------------------------------------------------------------------------------------------- */

/* The handshake is over. False: the connection is not to be used. */
static bool begin(struct tls_conn *c)
{
	c->ready = true;
	if (!c->wants_client)
		return true;
	X509 *cert = SSL_get0_peer_certificate(c->ssl);

	return cert && SSL_get_verify_result(c->ssl) == X509_V_OK && tls_names_read(cert, &c->names);
}

static bool is_expired(const struct tls_conn *c)
{
	return c->ready && c->wants_client && time(NULL) > c->names.until;
}

static bool verify_again(const struct tls_conn *c, SSL_CTX *ctx)
{
	X509 *cert = SSL_get0_peer_certificate(c->ssl);
	X509_STORE_CTX *v = cert ? X509_STORE_CTX_new() : NULL;
	bool ok = v && X509_STORE_CTX_init(v, SSL_CTX_get_cert_store(ctx), cert, SSL_get_peer_cert_chain(c->ssl)) == 1 &&
		X509_STORE_CTX_set_default(v, "ssl_client") == 1 && X509_verify_cert(v) == 1;

	X509_STORE_CTX_free(v);
	ERR_clear_error();
	return ok;
}

static bool vouches(struct tcp_filter *filter, struct tcp_filtered *f)
{
	const struct tls_context *now = ((struct tls *)(void *)filter)->now;
	struct tls_conn *c = conn_of(f);

	if (is_expired(c))
		return false;
	if (!now->wants_client || memcmp(c->trust, now->trust, sizeof c->trust) == 0)
		return true;
	if (!c->ready || !verify_again(c, now->ctx))
		return false;
	memcpy(c->trust, now->trust, sizeof c->trust);
	return true;
}

static const struct san *peer_names(struct tcp_filtered *f, size_t *n)
{
	const struct tls_conn *c = conn_of(f);

	if (!c->ready || c->failed || is_expired(c))
		return NULL;
	*n = c->names.n;
	return c->names.v;
}

/* --- what went wrong ---------------------------------------------------------------------------------------------- */

static void log_refusal(struct tls_conn *c, unsigned long error)
{
	const char *reason = ERR_reason_error_string(error);
	long verified = SSL_get_verify_result(c->ssl);
	unsigned long left_out = 0;
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	if (!log_limit_admits(&c->tls->refused, (uint64_t)t.tv_sec * 1000, &left_out))
		return;
	log_warn("tls", "a handshake was refused: %s%s%s", reason ? reason : "the connection broke", verified == X509_V_OK ? "" : ": ",
		verified == X509_V_OK ? "" : X509_verify_cert_error_string(verified));
	if (left_out)
		log_warn("tls", "and %lu more before that were not logged", left_out);
}

/* HTTP where TLS belongs: it is told so in its own words, and no byte of it is looked at. */
static void answer_plain(struct buf *wire)
{
	static const char text[] = "This port speaks HTTPS only\n";

	buf_add_fmt(wire, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		sizeof text - 1, text);
}

static enum tcp_step broken(struct tls_conn *c)
{
	unsigned long error = ERR_peek_last_error();
	bool spoken = c->ready;

	c->failed = true;
	if (spoken)
		return STEP_BROKEN;
	log_refusal(c, error);
	if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST)
		answer_plain(c->wire);
	return STEP_REFUSED;
}

/* --- in and out --------------------------------------------------------------------------------------------------- */

static enum tcp_step read_all(struct tls_conn *c, struct buf *in)
{
	for (;;) {
		size_t n = 0;
		int ok;

		if (in->n == in->cap)
			return c->raw.n || SSL_has_pending(c->ssl) ? STEP_FULL : STEP_MORE;
		ERR_clear_error();
		ok = SSL_read_ex(c->ssl, in->p + in->n, in->cap - in->n, &n);
		if (!c->ready && SSL_is_init_finished(c->ssl) && !begin(c))
			return STEP_BROKEN;
		if (ok) {
			in->n += n;
			continue;
		}
		switch (SSL_get_error(c->ssl, ok)) {
		case SSL_ERROR_WANT_READ:
			return STEP_MORE;
		case SSL_ERROR_ZERO_RETURN:
			return STEP_EOF;
		default:
			return broken(c);
		}
	}
}

/* Puts what OpenSSL has left aside: the bytes at `raw` are not ours. */
static bool keep_rest(struct tls_conn *c)
{
	struct buf *kept = &c->kept;

	if (c->raw.n == 0)
		buf_finish(kept);
	else if (kept->n)
		buf_consume(kept, kept->n - c->raw.n);
	else
		buf_add(kept, c->raw);
	c->raw = SL("");
	return !kept->failed;
}

static enum tcp_step filter_read(struct tcp_filtered *f, struct slice raw, struct buf *in, struct buf *wire)
{
	struct tls_conn *c = conn_of(f);
	enum tcp_step step;

	if (c->failed)
		return STEP_BROKEN;
	if (c->kept.n && raw.n && buf_add(&c->kept, raw) != E_OK)
		return STEP_BROKEN;
	c->raw = c->kept.n ? buf_slice(&c->kept) : raw;
	c->wire = wire;
	step = read_all(c, in);
	c->wire = NULL;
	return keep_rest(c) ? step : STEP_BROKEN;
}

static size_t filter_write(struct tcp_filtered *f, struct slice plain, struct buf *wire)
{
	struct tls_conn *c = conn_of(f);
	size_t n = 0;
	int ok;

	if (!c->ready || c->failed)
		return 0;
	if (buf_reserve(wire, plain.n + (plain.n / SSL3_RT_MAX_PLAIN_LENGTH + 1) * RECORD_OVERHEAD) != E_OK)
		return 0;
	ERR_clear_error();
	c->wire = wire;
	ok = SSL_write_ex(c->ssl, plain.p, plain.n, &n);
	c->wire = NULL;
	if (ok)
		return n;
	c->failed = true;
	wire->failed = E_NOMEM; /* nothing else can go wrong on memory */
	return 0;
}

static void filter_end(struct tcp_filtered *f, struct buf *wire)
{
	struct tls_conn *c = conn_of(f);

	if (!c->ready || c->failed)
		return;
	ERR_clear_error();
	c->wire = wire;
	SSL_shutdown(c->ssl); /* the goodbye goes out once; the peer's is not waited for */
	c->wire = NULL;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void conn_free(struct tcp_filtered *f)
{
	struct tls_conn *c = conn_of(f);

	SSL_free(c->ssl);
	tls_names_free(&c->names);
	buf_finish(&c->kept);
	free(c);
}

static struct tcp_filtered *conn_create(struct tcp_filter *filter)
{
	struct tls *tls = (struct tls *)(void *)filter;
	struct tls_conn *c = calloc(1, sizeof *c);
	BIO *bio;

	if (!c)
		return NULL;
	c->filtered.ops = filter->ops;
	c->tls = tls;
	c->wants_client = tls->now->wants_client;
	memcpy(c->trust, tls->now->trust, sizeof c->trust);
	buf_init(&c->kept, MAX_KEPT_BYTES);
	c->ssl = SSL_new(tls->now->ctx);
	bio = BIO_new(tls->memory);
	if (!c->ssl || !bio) {
		BIO_free(bio);
		conn_free(&c->filtered);
		return NULL;
	}
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	SSL_set_bio(c->ssl, bio, bio);
	SSL_set_accept_state(c->ssl);
	return &c->filtered;
}

static const struct tcp_filter_ops filter_ops = {
	.create = conn_create,
	.free = conn_free,
	.read = filter_read,
	.write = filter_write,
	.end = filter_end,
	.vouches = vouches,
	.names = peer_names,
};

struct tls *tls_create(struct tls_context *context)
{
	struct tls *tls = calloc(1, sizeof *tls);

	if (tls)
		tls->memory = memory_method();
	if (!tls || !tls->memory) {
		free(tls);
		tls_context_free(context);
		return NULL;
	}
	tls->filter.ops = &filter_ops;
	tls->now = context;
	return tls;
}

void tls_use(struct tls *tls, struct tls_context *context)
{
	tls_context_free(tls->now);
	tls->now = context;
}

const struct tls_context *tls_now(const struct tls *tls)
{
	return tls->now;
}

struct tcp_filter *tls_filter(struct tls *tls)
{
	return tls ? &tls->filter : NULL;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	tls_context_free(tls->now);
	BIO_meth_free(tls->memory);
	free(tls);
}
