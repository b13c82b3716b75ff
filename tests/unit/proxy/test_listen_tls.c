/* TLS for agents: who gets in, who does not, and what a change of certificates does. (test_endpoint.c runs over it as well.) */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "proxy/endpoint.h"
#include "tls_rig.h"
#include "wire.h"

struct world {
	uv_loop_t loop;
	struct toy toy;
	struct tls *tls;
	struct endpoint *endpoint;
	SSL_CTX *client;
	int port;
	struct wire a, b;
};

#define POST "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" \
	"Accept: application/json, text/event-stream\r\n"
#define BODY "Content-Length: 7\r\n\r\n{\"a\":1}"

/* A server of `server`.pem that wants client certificates of `client_ca` (NULL: none), and a client that shows `client`. */
static void start(struct world *w, const char *server, const char *client_ca, const char *client, struct http_config http)
{
	static const struct slice address = { "127.0.0.1:0", 11 };
	struct endpoint_config config = { .http = http };
	struct buf text;

	assert_int_equal(uv_loop_init(&w->loop), 0);
	toy_init(&w->toy);
	buf_init(&text, 1024);
	w->tls = tls_create(tls_rig_context(server, client_ca));
	w->client = tls_rig_client("trusted", client);
	config.http.listen = &address;
	config.http.n_listen = 1;
	config.http.filter = tls_filter(w->tls);
	w->endpoint = endpoint_create(&config, &w->loop, &w->toy.front, &text);
	if (!w->endpoint)
		fail_msg("%.*s", (int)text.n, text.p);
	endpoint_describe(w->endpoint, &text);
	w->port = wire_port(&text);
	buf_finish(&text);
	wire_connect(&w->a, &w->loop, w->port);
}

static void stop(struct world *w)
{
	endpoint_close(w->endpoint, NULL, NULL);
	wire_finish_loop(&w->loop);
	wire_close(&w->a);
	SSL_CTX_free(w->client);
	tls_free(w->tls);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void expect_echo(struct wire *a)
{
	wire_send(a, POST BODY);
	assert_non_null(strstr(wire_answer(a), "{\"a\":1}"));
}

/* --- handshakes --------------------------------------------------------------------------------------------------- */

static void handshake(struct world *w, int version, const char *ciphers, const char *alpn, bool good)
{
	start(w, "server", NULL, NULL, (struct http_config){ .max_connections = 0 });
	SSL_CTX_set_security_level(w->client, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(w->client, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(w->client, version), 1);
	if (ciphers)
		assert_int_equal(SSL_CTX_set_cipher_list(w->client, ciphers), 1);
	if (alpn)
		assert_int_equal(SSL_CTX_set_alpn_protos(w->client, (const unsigned char *)alpn, (unsigned)strlen(alpn)), 0);
	assert_int_equal(wire_secure(&w->a, w->client), good);
	if (good) {
		const unsigned char *chosen;
		unsigned n;

		assert_int_equal(SSL_version(w->a.ssl), version);
		SSL_get0_alpn_selected(w->a.ssl, &chosen, &n);
		assert_true(alpn ? n == 8 && memcmp(chosen, "http/1.1", 8) == 0 : n == 0);
		assert_null(SSL_get_current_compression(w->a.ssl));
		expect_echo(&w->a);
		assert_int_equal(w->toy.ask.n_names, 0);
	} else {
		wire_expect_end(&w->a);
		assert_int_equal(w->toy.posts, 0);
		shutdown(w->a.fd, SHUT_WR); /* what was said has been read: it is over */
		wire_turn(&w->loop, 5);
		assert_int_equal(endpoint_connections(w->endpoint), 0);
	}
	stop(w);
}

static void http_18_versions(void **state)
{
	handshake(*state, TLS1_3_VERSION, NULL, NULL, true);
	handshake(*state, TLS1_2_VERSION, NULL, NULL, true);
	handshake(*state, TLS1_1_VERSION, NULL, NULL, false);
	handshake(*state, TLS1_VERSION, NULL, NULL, false);
}

static void http_18_ciphers(void **state)
{
	handshake(*state, TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", NULL, true);
	handshake(*state, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", NULL, false); /* no AEAD */
	handshake(*state, TLS1_2_VERSION, "AES128-GCM-SHA256", NULL, false);         /* no forward secrecy */
}

static void protocols(void **state)
{
	handshake(*state, TLS1_3_VERSION, NULL, "\x02h2\x08http/1.1", true);
	handshake(*state, TLS1_2_VERSION, NULL, "\x08http/1.1", true);
	handshake(*state, TLS1_3_VERSION, NULL, "\x02h2", false);
}

static void http_18_no_renegotiation(void **state)
{
	struct world *w = *state;
	unsigned char before[64], after[64];

	start(w, "server", NULL, NULL, (struct http_config){ .max_connections = 0 });
	SSL_CTX_set_max_proto_version(w->client, TLS1_2_VERSION);
	assert_true(wire_secure(&w->a, w->client));
	expect_echo(&w->a);
	size_t n = SSL_get_peer_finished(w->a.ssl, before, sizeof before);
	assert_int_equal(SSL_renegotiate(w->a.ssl), 1);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(w->a.ssl);
		wire_turn(&w->loop, 50);
	}
	assert_true(SSL_get_peer_finished(w->a.ssl, after, sizeof after) == n && memcmp(before, after, n) == 0);
	stop(w);
}

/* TLS 1.3 lets a peer ask for new keys as often as it likes: answered, and no way to fill our memory. */
static void key_updates(void **state)
{
	struct world *w = *state;

	start(w, "server", NULL, NULL, (struct http_config){ .max_connections = 0 });
	assert_true(wire_secure(&w->a, w->client));
	for (int i = 0; i < 500; i++) {
		assert_int_equal(SSL_key_update(w->a.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		SSL_do_handshake(w->a.ssl);
		if (i % 50 == 0)
			expect_echo(&w->a);
	}
	expect_echo(&w->a);
	stop(w);
}

static void http_18_plain_http(void **state)
{
	struct world *w = *state;

	start(w, "server", NULL, NULL, (struct http_config){ .max_connections = 0 });
	wire_send(&w->a, POST BODY);
	assert_non_null(strstr(wire_answer(&w->a), "HTTP/1.1 400 Bad Request"));
	wire_expect_end(&w->a);
	assert_int_equal(w->toy.posts, 0);
	wire_close(&w->a);
	wire_connect(&w->a, &w->loop, w->port);
	wire_send_bytes(&w->a, "\x00\x01garbage\x00\xff", 11);
	while (endpoint_connections(w->endpoint))
		wire_turn(&w->loop, 10); /* an alert, and the end within two seconds */
	stop(w);
}

/* HTTP-15: nothing said, half a ClientHello, and a whole one without what must follow. */
static void http_15_half_open(void **state)
{
	struct world *w = *state;
	char hello[4096];
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	start(w, "server", NULL, NULL, (struct http_config){ .head_ms = 300 });
	SSL *ssl = SSL_new(w->client);
	SSL_set_bio(ssl, in, out);
	assert_true(SSL_connect(ssl) < 0);
	int n = BIO_read(out, hello, sizeof hello);
	assert_true(n > 100);
	SSL_free(ssl);
	wire_expect_end(&w->a);
	for (int part = 1; part <= 2; part++) {
		wire_close(&w->a);
		wire_connect(&w->a, &w->loop, w->port);
		wire_send_bytes(&w->a, hello, (size_t)(n * part / 2));
		uint64_t from = uv_hrtime();
		while (endpoint_connections(w->endpoint))
			wire_turn(&w->loop, 10);
		assert_true(uv_hrtime() - from < 2000000000u);
	}
	stop(w);
}

/* --- the stream --------------------------------------------------------------------------------------------------- */

/* Every byte of it by itself, both ways. */
static void byte_by_byte(void **state)
{
	struct world *w = *state;
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	char bytes[4096], got[4096] = "";
	size_t n_got = 0;
	bool asked = false;

	start(w, "server", NULL, NULL, (struct http_config){ .max_connections = 0 });
	SSL *ssl = SSL_new(w->client);
	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	for (int i = 0; i < 20000 && !strstr(got, "{\"a\":1}"); i++) {
		if (SSL_do_handshake(ssl) == 1 && !asked)
			asked = SSL_write(ssl, POST BODY, sizeof(POST BODY) - 1) > 0;
		int n = BIO_read(out, bytes, sizeof bytes);
		for (int k = 0; k < n; k++)
			wire_send_bytes(&w->a, bytes + k, 1);
		wire_turn(&w->loop, 0);
		if (recv(w->a.fd, bytes, 1, MSG_DONTWAIT) == 1)
			BIO_write(in, bytes, 1);
		n = asked ? SSL_read(ssl, got + n_got, (int)(sizeof got - 1 - n_got)) : 0;
		n_got += n > 0 ? (size_t)n : 0;
	}
	assert_non_null(strstr(got, "HTTP/1.1 200 OK"));
	SSL_free(ssl);
	stop(w);
}

static void goodbye_is_said(void **state)
{
	struct world *w = *state;

	start(w, "server", NULL, NULL, (struct http_config){ .max_connections = 0 });
	assert_true(wire_secure(&w->a, w->client));
	wire_send(&w->a, POST "Connection: close\r\n" BODY);
	wire_answer(&w->a);
	wire_expect_end(&w->a);
	assert_true(w->a.goodbye);
	/* After a refusal that leaves a body unread, too. */
	wire_close(&w->a);
	wire_connect(&w->a, &w->loop, w->port);
	assert_true(wire_secure(&w->a, w->client));
	wire_send(&w->a, "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{");
	assert_non_null(strstr(wire_answer(&w->a), " 404 "));
	wire_expect_end(&w->a);
	assert_true(w->a.goodbye);
	stop(w);
}

/* More than the kernel takes, complete on our side; how many events before the answer. */
static int begin_long_answer(struct world *w)
{
	static char event[10000];
	int n = 0;

	memset(event, 'x', sizeof event);
	w->toy.mode = TOY_STREAM;
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	while (!w->toy.held->ops->full(w->toy.held)) {
		w->toy.held->ops->message(w->toy.held, slice_make(event, sizeof event));
		n++;
		uv_run(&w->loop, UV_RUN_NOWAIT);
	}
	w->toy.held->ops->answer(w->toy.held, SL("{}"));
	wire_turn(&w->loop, 5);
	return n;
}

/* An end without a goodbye may be anybody's: what was asked is given up, and an answer on its way is not taken for delivered. */
static void truncation_is_noticed(void **state)
{
	struct world *w = *state;

	start(w, "server", NULL, NULL, (struct http_config){ .max_connections = 0 });
	assert_true(wire_secure(&w->a, w->client));
	w->toy.mode = TOY_HOLD;
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.posts, 1);
	shutdown(w->a.fd, SHUT_WR);
	wire_turn(&w->loop, 5);
	assert_int_equal(w->toy.gone, 1);
	assert_int_equal(endpoint_connections(w->endpoint), 0);
	stop(w);
	/* With a goodbye the rest of an answer still goes out; without one there is nobody to send it to. */
	for (int goodbye = 0; goodbye < 2; goodbye++) {
		start(w, "server", NULL, NULL, (struct http_config){ .max_connections = 0 });
		assert_true(wire_secure(&w->a, w->client));
		int events = begin_long_answer(w);
		if (goodbye)
			wire_half_close(&w->a);
		else
			shutdown(w->a.fd, SHUT_WR);
		wire_turn(&w->loop, 20);
		assert_int_equal(endpoint_connections(w->endpoint), goodbye);
		while (goodbye && events--)
			wire_expect(&w->a, "xx\n\n\r\n");
		if (goodbye)
			wire_expect(&w->a, "data: {}\n\n\r\n0\r\n\r\n");
		stop(w);
	}
}

static void tampering_ends_it(void **state)
{
	struct world *w = *state;

	start(w, "server", NULL, NULL, (struct http_config){ .max_connections = 0 });
	assert_true(wire_secure(&w->a, w->client));
	w->toy.mode = TOY_HOLD;
	wire_send(&w->a, POST BODY);
	wire_turn(&w->loop, 5);
	assert_int_equal(send(w->a.fd, "\x17\x03\x03\x00\x20" "0123456789abcdef0123456789abcdef", 37, 0), 37);
	wire_turn(&w->loop, 200); /* it may wait for an acknowledgement */
	assert_int_equal(w->toy.gone, 1);
	assert_int_equal(endpoint_connections(w->endpoint), 0);
	stop(w);
}

/* --- client certificates ------------------------------------------------------------------------------------------ */

/* What the front hears of a client with this certificate: "kind:name …", or NULL: it does not get in. */
static void expect_names(struct world *w, const char *client, const char *names)
{
	static const char *const kinds[] = { "URI:", "DNS:", "email:" };
	struct buf text;

	start(w, "server", "clients.pem", client, (struct http_config){ .max_connections = 0 });
	buf_init(&text, 4096);
	wire_secure(&w->a, w->client);
	wire_send(&w->a, POST BODY);
	if (!names) {
		wire_expect_end(&w->a);
		assert_int_equal(w->toy.posts, 0);
	} else {
		wire_answer(&w->a);
		for (size_t i = 0; i < w->toy.ask.n_names; i++)
			buf_add_fmt(&text, "%s%.*s ", kinds[w->toy.ask.names[i].kind], SL_ARG(w->toy.ask.names[i].text));
		if (!slice_eq(buf_slice(&text), slice_of(names)))
			fail_msg("%s: want %s, got %.*s", client, names, (int)text.n, text.p);
	}
	buf_finish(&text);
	stop(w);
}

static void http_18_client_certificates(void **state)
{
	struct world *w = *state;

	expect_names(w, "agent", "URI:spiffe://td/agent DNS:agent.example email:agent@example.org ");
	expect_names(w, "nameless", "");
	expect_names(w, "twofold", "");         /* a SPIFFE id stands alone */
	expect_names(w, "space", "DNS:ok.example ");
	expect_names(w, "many", "");
	expect_names(w, NULL, NULL);
	expect_names(w, "late", NULL);
	expect_names(w, "foreign", NULL);
	expect_names(w, "forserver", NULL);     /* its extendedKeyUsage is not for clients */
	expect_names(w, "server", NULL);        /* of a CA that vouches for servers alone */
}

/* The agent's certificate again, good for so many seconds from now. */
static void make_short_lived(long seconds)
{
	FILE *f = fopen(tls_rig_path("agent.pem"), "r");
	X509 *cert = PEM_read_X509(f, NULL, NULL, NULL);

	fclose(f);
	f = fopen(tls_rig_path("clients.key"), "r");
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	X509_gmtime_adj(X509_getm_notAfter(cert), seconds);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	f = fopen(tls_rig_path("short.pem"), "w");
	assert_int_equal(PEM_write_X509(f, cert), 1);
	fclose(f);
	tls_rig_copy("agent.key", "short.key");
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* It runs out while its connection is open: no name of it counts any more, and the connection ends as soon as nothing is in flight. */
static void certificate_runs_out(void **state)
{
	struct world *w = *state;
	SSL_CTX *client;

	start(w, "server", "clients.pem", NULL, (struct http_config){ .max_connections = 0 });
	make_short_lived(2);
	client = tls_rig_client("trusted", "short");
	assert_true(wire_secure(&w->a, client));
	wire_connect(&w->b, &w->loop, w->port);
	assert_true(wire_secure(&w->b, client));
	expect_echo(&w->a);
	assert_int_equal(w->toy.ask.n_names, 3);
	w->toy.mode = TOY_HOLD;
	wire_send(&w->b, POST BODY);
	wire_turn(&w->loop, 4000);
	assert_int_equal(endpoint_connections(w->endpoint), 1); /* `a` has ended, `b` has a call in flight */
	w->toy.held->ops->answer(w->toy.held, SL("{\"b\":2}"));
	w->toy.mode = TOY_ECHO;
	assert_non_null(strstr(wire_answer(&w->b), "{\"b\":2}"));
	wire_send(&w->b, POST BODY);
	wire_answer(&w->b);
	assert_int_equal(w->toy.ask.n_names, 0);
	wire_expect_end(&w->b);
	wire_expect_end(&w->a);
	wire_close(&w->b);
	SSL_CTX_free(client);
	stop(w);
}

/* A session with a client certificate is never resumed: the certificate is looked at each time. */
static void resumption(void **state)
{
	struct world *w = *state;

	for (int with = 0; with < 2; with++) {
		for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
			start(w, "server", with ? "clients.pem" : NULL, with ? "agent" : NULL, (struct http_config){ .max_connections = 0 });
			SSL_CTX_set_max_proto_version(w->client, version);
			SSL_CTX_set_session_cache_mode(w->client, SSL_SESS_CACHE_CLIENT);
			assert_true(wire_secure(&w->a, w->client));
			expect_echo(&w->a);
			SSL_SESSION *session = SSL_get1_session(w->a.ssl);
			wire_half_close(&w->a);
			wire_close(&w->a);
			wire_connect(&w->a, &w->loop, w->port);
			assert_true(wire_resume(&w->a, w->client, session));
			assert_int_equal(SSL_session_reused(w->a.ssl), !with);
			expect_echo(&w->a);
			assert_int_equal(w->toy.ask.n_names, with ? 3 : 0);
			SSL_SESSION_free(session);
			stop(w);
		}
	}
}

/* --- other certificates while connections are open ---------------------------------------------------------------- */

static const char *subject_of(struct wire *a)
{
	static char text[256];
	X509 *cert = SSL_get1_peer_certificate(a->ssl);

	X509_NAME_oneline(X509_get_subject_name(cert), text, sizeof text);
	X509_free(cert);
	return text;
}

static void use(struct world *w, const char *server, const char *client_ca)
{
	tls_use(w->tls, tls_rig_context(server, client_ca));
	endpoint_set_filter(w->endpoint, tls_filter(w->tls));
}

static void rotation(void **state)
{
	struct world *w = *state;

	start(w, "server", "clients.pem", "agent", (struct http_config){ .max_connections = 0 });
	assert_true(wire_secure(&w->a, w->client));
	expect_echo(&w->a);
	use(w, "server2", "clients.pem");
	expect_echo(&w->a); /* the old connection goes on … */
	assert_string_equal(subject_of(&w->a), "/CN=server");
	wire_connect(&w->b, &w->loop, w->port);
	assert_true(wire_secure(&w->b, w->client));
	expect_echo(&w->b);
	assert_string_equal(subject_of(&w->b), "/CN=server2"); /* … and the new one has the new certificate */
	use(w, "server2", "both.pem"); /* more are trusted: nobody is cut */
	expect_echo(&w->a);
	assert_int_equal(w->toy.ask.n_names, 3);
	use(w, "server2", "trusted.pem"); /* ours no longer: both are */
	wire_expect_end(&w->a);
	wire_expect_end(&w->b);
	wire_close(&w->b);
	stop(w);
}

static void client_ca_comes_and_goes(void **state)
{
	struct world *w = *state;

	start(w, "server", NULL, "agent", (struct http_config){ .max_connections = 0 });
	assert_true(wire_secure(&w->a, w->client));
	expect_echo(&w->a);
	assert_int_equal(w->toy.ask.n_names, 0); /* shown, but nobody asked for it */
	wire_connect(&w->b, &w->loop, w->port); /* in the middle of its handshake */
	wire_turn(&w->loop, 2);
	use(w, "server", "clients.pem");
	wire_expect_end(&w->a);
	wire_expect_end(&w->b);
	wire_close(&w->b);
	endpoint_set_filter(w->endpoint, NULL); /* no TLS any more */
	wire_connect(&w->b, &w->loop, w->port);
	expect_echo(&w->b);
	use(w, "server", NULL); /* and again: what is plain ends */
	wire_expect_end(&w->b);
	wire_close(&w->b);
	stop(w);
}

/* --- the files ---------------------------------------------------------------------------------------------------- */

static void expect_fault(const char *cert, const char *key, const char *ca, unsigned line, const char *text)
{
	struct listen_tls conf = { 0 };
	struct faults faults;

	conf.certificate = (struct file_ref){ slice_of(tls_rig_path(cert)), { .file = SL("f.yaml"), .line = 1 } };
	conf.key = (struct file_ref){ slice_of(tls_rig_path(key)), { .file = SL("f.yaml"), .line = 2 } };
	if (ca)
		conf.client_ca = (struct file_ref){ slice_of(tls_rig_path(ca)), { .file = SL("f.yaml"), .line = 3 } };
	faults_init(&faults);
	assert_null(tls_context_load(&conf, &faults));
	assert_int_equal(faults.n, 1);
	assert_int_equal(faults.v[0].at.line, line);
	if (slice_find(faults.v[0].text, slice_of(text)) < 0)
		fail_msg("want `%s` in `%.*s`", text, SL_ARG(faults.v[0].text));
	if (slice_find(faults.v[0].text, SL("BEGIN")) >= 0 || slice_find(faults.v[0].text, SL("MII")) >= 0)
		fail_msg("the file is in `%.*s`", SL_ARG(faults.v[0].text));
	faults_finish(&faults);
}

static void broken_files(void **state)
{
	(void)state;
	tls_rig_write("empty.pem", "");
	tls_rig_write("garbage.pem", "-----BEGIN CERTIFICATE-----\nMIIBgarbage\n-----END CERTIFICATE-----\n");
	tls_rig_write("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB");
	expect_fault("nowhere.pem", "server.key", NULL, 1, "`tls.certificate`: ");
	expect_fault("nowhere.pem", "server.key", NULL, 1, "cannot be read: No such file or directory");
	expect_fault("empty.pem", "server.key", NULL, 1, "holds no certificate in PEM");
	expect_fault("garbage.pem", "server.key", NULL, 1, "holds a broken certificate: ");
	expect_fault("cut.pem", "server.key", NULL, 1, "holds a broken certificate: ");
	expect_fault("server.key", "server.key", NULL, 1, "holds no certificate in PEM");
	expect_fault("server.pem", "nowhere.key", NULL, 2, "`tls.key`: ");
	expect_fault("server.pem", "empty.pem", NULL, 2, "holds no private key in PEM");
	expect_fault("server.pem", "server.pem", NULL, 2, "holds no private key in PEM");
	expect_fault("server.pem", "locked.key", NULL, 2, "is encrypted");
	expect_fault("server.pem", "agent.key", NULL, 2, "is not the key of that certificate");
	expect_fault("weak.pem", "weak.key", NULL, 1, "ee key too small");
	expect_fault("server.pem", "server.key", "empty.pem", 3, "`tls.client_ca`: ");
	expect_fault("server.pem", "server.key", "garbage.pem", 3, "holds a broken certificate");
	expect_fault("server.pem", "server.key", "nowhere.pem", 3, "cannot be read");
}

static void in_words(void **state)
{
	struct tls_context *good = tls_rig_context("server", "clients.pem"), *same = tls_rig_context("server", "clients.pem");
	struct tls_context *expired = tls_rig_context("expired", NULL), *other = tls_rig_context("server", "both.pem");
	struct buf text;

	(void)state;
	buf_init(&text, 4096);
	assert_true(tls_context_same(good, same));
	assert_false(tls_context_same(good, other));
	assert_false(tls_context_same(good, expired));
	assert_false(tls_context_complain(good, time(NULL), &text));
	assert_true(tls_context_complain(good, time(NULL) - 7200, &text));
	assert_true(slice_find(buf_slice(&text), SL("is not valid before")) > 0);
	buf_clear(&text);
	assert_true(tls_context_complain(expired, time(NULL), &text));
	assert_true(slice_find(buf_slice(&text), SL("expired.pem has expired on 20")) > 0);
	buf_clear(&text);
	tls_context_describe(good, &text);
	assert_true(slice_find(buf_slice(&text), SL(" UTC, client certificates required")) > 0);
	buf_finish(&text);
	tls_context_free(good);
	tls_context_free(same);
	tls_context_free(expired);
	tls_context_free(other);
}

/* --- no memory ---------------------------------------------------------------------------------------------------- */

static long until_fail = -1; /* OpenSSL's allocations until one fails; -1: none does */

static bool fails(void)
{
	return until_fail >= 0 && until_fail-- == 0;
}

static void *fail_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : malloc(n);
}

static void *fail_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : realloc(p, n);
}

static void fail_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* The handshake and one request, with the nth allocation of the server's side failing: served or ended, never more. */
static bool one_failure(struct world *w, long n)
{
	const char *request = POST BODY;
	uint64_t until = uv_hrtime() + 3000000000u;
	bool served = false, hit;

	fcntl(w->a.fd, F_SETFL, O_NONBLOCK);
	w->a.ssl = SSL_new(w->client);
	SSL_set_fd(w->a.ssl, w->a.fd);
	SSL_set_connect_state(w->a.ssl);
	until_fail = n;
	while (!served) {
		char bytes[2048];
		long left = until_fail;

		until_fail = -1; /* the client's own do not fail */
		if (*request && SSL_is_init_finished(w->a.ssl) && SSL_write(w->a.ssl, request, (int)strlen(request)) > 0)
			request = "";
		int got = SSL_read(w->a.ssl, bytes, sizeof bytes);
		served = got > 0;
		if (got <= 0 && SSL_get_error(w->a.ssl, got) != SSL_ERROR_WANT_READ)
			break;
		assert_true(uv_hrtime() < until);
		until_fail = left;
		uv_run(&w->loop, UV_RUN_NOWAIT);
	}
	hit = until_fail < 0 || served == false;
	until_fail = -1;
	return hit;
}

static void no_memory(void **state)
{
	struct world *w = *state;
	long n = 0;

	start(w, "server", "clients.pem", "agent", (struct http_config){ .head_ms = 400 });
	while (one_failure(w, n)) {
		n += n < 100 ? 1 : 17;
		wire_close(&w->a);
		wire_turn(&w->loop, 1);
		wire_connect(&w->a, &w->loop, w->port);
		if (n > 20000)
			fail_msg("no end");
	}
	assert_true(n > 100);
	wire_close(&w->a);
	wire_turn(&w->loop, 1);
	wire_connect(&w->a, &w->loop, w->port);
	assert_true(wire_secure(&w->a, w->client));
	expect_echo(&w->a);
	stop(w);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(http_18_versions),
		TEST(http_18_ciphers),
		TEST(protocols),
		TEST(http_18_no_renegotiation),
		TEST(key_updates),
		TEST(http_18_plain_http),
		TEST(http_15_half_open),
		TEST(byte_by_byte),
		TEST(goodbye_is_said),
		TEST(truncation_is_noticed),
		TEST(tampering_ends_it),
		TEST(http_18_client_certificates),
		TEST(certificate_runs_out),
		TEST(resumption),
		TEST(rotation),
		TEST(client_ca_comes_and_goes),
		TEST(broken_files),
		TEST(in_words),
		TEST(no_memory),
	};

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(CRYPTO_set_mem_functions(fail_malloc, fail_realloc, fail_free), 1);
	return cmocka_run_group_tests(tests, tls_rig_make, tls_rig_remove);
}
