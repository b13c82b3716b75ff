#include "proxy/tls_inside.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <time.h>

#define MAX_FILES_BYTES ((size_t)16 << 20) /* of certificate, key and client_ca together */
#define CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

/* One file, as far as it is read. */
struct pem {
	const char *key;            /* in the configuration */
	const struct file_ref *ref;
	struct slice text;
};

/* OpenSSL's words for what just failed: static text, never of the file. */
static const char *reason(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *text = ERR_reason_error_string(e);

	ERR_clear_error();
	return text ? text : "OpenSSL gives no reason";
}

static bool fail(const struct pem *f, struct faults *faults, const char *text)
{
	faults_add(faults, f->ref->at, "`%s`: %.*s %s", f->key, SL_ARG(f->ref->path), text);
	return false;
}

static bool fail_because(const struct pem *f, struct faults *faults, const char *text)
{
	faults_add(faults, f->ref->at, "`%s`: %.*s %s: %s", f->key, SL_ARG(f->ref->path), text, reason());
	return false;
}

static bool read_file(struct pem *f, struct arena *arena, struct faults *faults)
{
	struct slice path = arena_dup(arena, f->ref->path);
	enum err e = path.p ? config_read_file(path.p, arena, &f->text) : E_NOMEM;

	if (e == E_OK)
		return true;
	faults_add(faults, f->ref->at, "`%s`: %.*s cannot be read: %s", f->key, SL_ARG(f->ref->path),
		e == E_IO ? strerror(errno) : err_text(e));
	return false;
}

/* --- certificates ------------------------------------------------------------------------------------------------- */

static bool add_to_chain(SSL_CTX *ctx, X509 *cert, bool first)
{
	return (first ? SSL_CTX_use_certificate(ctx, cert) : SSL_CTX_add1_chain_cert(ctx, cert)) == 1;
}

static bool add_to_trust(SSL_CTX *ctx, X509 *cert, bool first)
{
	(void)first;
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert) == 1 && SSL_CTX_add_client_CA(ctx, cert) == 1;
}

/* Gives each certificate of the file to `add`. */
static bool each_certificate(
	const struct pem *f, SSL_CTX *ctx, bool (*add)(SSL_CTX *, X509 *, bool first), struct faults *faults)
{
	BIO *in = BIO_new_mem_buf(f->text.p, (int)f->text.n);
	bool ok = in != NULL, first = true;
	X509 *cert;

	ERR_clear_error();
	while (ok && (cert = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
		ok = add(ctx, cert, first);
		first = false;
		X509_free(cert);
	}
	BIO_free(in);
	if (!ok)
		return fail_because(f, faults, "holds a certificate that cannot be used");
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return fail_because(f, faults, "holds a broken certificate");
	ERR_clear_error();
	return first ? fail(f, faults, "holds no certificate in PEM") : true;
}

/* --- the key ------------------------------------------------------------------------------------------------------ */

static int no_passphrase(char *to, int n, int writing, void *asked)
{
	(void)to;
	(void)n;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *read_key(const struct pem *f, struct faults *faults)
{
	BIO *in = BIO_new_mem_buf(f->text.p, (int)f->text.n);
	bool asked = false;
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, &asked) : NULL;

	BIO_free(in);
	if (key)
		return key;
	if (asked)
		fail(f, faults, "is encrypted, and nobody is there to give the passphrase: write it out with `openssl pkey`, mode 0600");
	else
		fail(f, faults, "holds no private key in PEM");
	ERR_clear_error();
	return NULL;
}

static bool use_key(const struct pem *f, SSL_CTX *ctx, struct faults *faults)
{
	EVP_PKEY *key = read_key(f, faults);
	bool ok;

	if (!key)
		return false;
	ok = X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) == 1;
	if (!ok)
		fail(f, faults, "is not the key of that certificate");
	else if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
		ok = fail_because(f, faults, "cannot be used");
	ERR_clear_error();
	EVP_PKEY_free(key);
	return ok;
}

/* --- the context -------------------------------------------------------------------------------------------------- */

/* http/1.1 or nothing (RFC 7301 §3.2): a client that only speaks something else is told so. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *in, unsigned in_n, void *ctx)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)ctx;
	if (SSL_select_next_proto(&chosen, n, ours, sizeof ours - 1, in, in_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool set_rules(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets alone: no memory of ours */
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) && SSL_CTX_set_max_proto_version(ctx, 0) &&
		SSL_CTX_set_cipher_list(ctx, CIPHERS_1_2);
}

/* A resumed session would bring back an identity without looking at the certificate again: with client certificates, none is. */
static void require_client(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 0);
}

static bool fill(struct tls_context *t, struct pem *cert, struct pem *key, struct pem *ca, struct arena *arena, struct faults *faults)
{
	if (!read_file(cert, arena, faults) || !read_file(key, arena, faults))
		return false;
	if (!each_certificate(cert, t->ctx, add_to_chain, faults) || !use_key(key, t->ctx, faults))
		return false;
	if (!ca->ref->path.n)
		return true;
	if (!read_file(ca, arena, faults) || !each_certificate(ca, t->ctx, add_to_trust, faults))
		return false;
	require_client(t->ctx);
	t->wants_client = true;
	return true;
}

static void add_sum(struct slice text, unsigned char sum[DIGEST_BYTES])
{
	unsigned char both[2 * DIGEST_BYTES];

	memcpy(both, sum, DIGEST_BYTES);
	digest_sha256(text, both + DIGEST_BYTES);
	digest_sha256(slice_make((const char *)both, sizeof both), sum);
}

static bool load(struct tls_context *t, const struct listen_tls *conf, struct arena *arena, struct faults *faults)
{
	struct pem cert = { "tls.certificate", &conf->certificate, SL("") };
	struct pem key = { "tls.key", &conf->key, SL("") };
	struct pem ca = { "tls.client_ca", &conf->client_ca, SL("") };

	t->ctx = SSL_CTX_new(TLS_server_method());
	t->file = strndup(conf->certificate.path.p, conf->certificate.path.n);
	if (!t->ctx || !t->file || !set_rules(t->ctx))
		return fail_because(&cert, faults, "cannot be used");
	if (!fill(t, &cert, &key, &ca, arena, faults))
		return false;
	add_sum(cert.text, t->sum);
	add_sum(key.text, t->sum);
	add_sum(ca.text, t->sum);
	add_sum(ca.text, t->trust);
	return true;
}

struct tls_context *tls_context_load(const struct listen_tls *conf, struct faults *faults)
{
	struct tls_context *t = calloc(1, sizeof *t);
	struct arena arena;

	if (!t) {
		faults_add(faults, conf->certificate.at, "out of memory");
		return NULL;
	}
	arena_init(&arena, MAX_FILES_BYTES);
	bool ok = load(t, conf, &arena, faults);
	arena_finish(&arena);
	if (ok)
		return t;
	tls_context_free(t);
	return NULL;
}

void tls_context_free(struct tls_context *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	free(t->file);
	free(t);
}

bool tls_context_same(const struct tls_context *a, const struct tls_context *b)
{
	return memcmp(a->sum, b->sum, sizeof a->sum) == 0;
}

/* --- in words ----------------------------------------------------------------------------------------------------- */

static void add_day(const ASN1_TIME *t, struct buf *text)
{
	struct tm tm = { 0 };
	char day[32];

	if (ASN1_TIME_to_tm(t, &tm) && strftime(day, sizeof day, "%Y-%m-%d %H:%M UTC", &tm))
		buf_add(text, slice_of(day));
}

bool tls_context_complain(const struct tls_context *t, time_t now, struct buf *text)
{
	const X509 *cert = SSL_CTX_get0_certificate(t->ctx);
	time_t from, until;

	if (!tls_time(X509_get0_notBefore(cert), &from) || !tls_time(X509_get0_notAfter(cert), &until))
		return false;
	if (from <= now && now <= until)
		return false;
	buf_add_fmt(text, "the certificate in %s %s ", t->file, now < from ? "is not valid before" : "has expired on");
	add_day(now < from ? X509_get0_notBefore(cert) : X509_get0_notAfter(cert), text);
	buf_add(text, SL(": agents will refuse it"));
	return true;
}

void tls_context_describe(const struct tls_context *t, struct buf *text)
{
	buf_add_fmt(text, "certificate %s, good until ", t->file);
	add_day(X509_get0_notAfter(SSL_CTX_get0_certificate(t->ctx)), text);
	if (t->wants_client)
		buf_add(text, SL(", client certificates required"));
}

/* --- upstreams ---------------------------------------------------------------------------------------------------- */

void tls_check_upstream(const struct upstream_config *u, struct faults *faults)
{
	struct file_ref refs[] = { { u->tls_ca, u->at }, { u->tls_certificate, u->at }, { u->tls_key, u->at } };
	struct pem ca = { "tls.ca", &refs[0], SL("") }, cert = { "tls.certificate", &refs[1], SL("") };
	struct pem key = { "tls.key", &refs[2], SL("") };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct arena arena;

	arena_init(&arena, MAX_FILES_BYTES);
	if (ctx && ca.ref->path.n && read_file(&ca, &arena, faults))
		each_certificate(&ca, ctx, add_to_trust, faults);
	if (ctx && cert.ref->path.n && read_file(&cert, &arena, faults) && read_file(&key, &arena, faults) &&
		each_certificate(&cert, ctx, add_to_chain, faults))
		use_key(&key, ctx, faults);
	SSL_CTX_free(ctx);
	arena_finish(&arena);
}
