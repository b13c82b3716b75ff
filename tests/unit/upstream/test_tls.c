/* Verification of the vault: certificates are made here, by the openssl command, for each run. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/upstream/fake.h"
#include "tests/unit/upstream/rig.h"

static char dir[] = "/tmp/narrowgate-tls-XXXXXX";

static const char make_all[] =
	"set -e; cd '%s'; exec 2>openssl.log; unset OPENSSL_CONF\n"
	"ca() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj \"/CN=$1\" -keyout $1.key -out $1.pem; }\n"
	"leaf() {\n"
	"  openssl req -newkey rsa:2048 -nodes -subj \"/CN=$1\" -keyout $1.key -out $1.csr\n"
	"  printf '%%s' \"$3\" >$1.ext\n"
	"  openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days \"${4:-2}\" -extfile $1.ext "
	"-out $1.pem\n"
	"}\n"
	"ca trusted; ca stranger\n"
	"leaf good trusted subjectAltName=IP:127.0.0.1,DNS:localhost\n"
	"leaf other trusted subjectAltName=DNS:elsewhere.example\n"
	"leaf foreign stranger subjectAltName=IP:127.0.0.1\n"
	"leaf client trusted extendedKeyUsage=clientAuth\n";

static const char *path(const char *name)
{
	static char paths[8][256];
	static int next;
	char *p = paths[next++ % 8];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

/* An environment that would allow any version and cipher. Read when OpenSSL starts, which is later. */
static void weaken_openssl(void)
{
	FILE *f = fopen(path("weak.cnf"), "w");

	assert_non_null(f);
	fputs("openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = weak\n[weak]\nMinProtocol = None\n"
		"CipherString = DEFAULT:@SECLEVEL=0\n", f);
	fclose(f);
	setenv("OPENSSL_CONF", path("weak.cnf"), 1);
}

static int make_certificates(void **state)
{
	char script[2048];

	(void)state;
	assert_non_null(mkdtemp(dir));
	weaken_openssl();
	snprintf(script, sizeof script, make_all, dir);
	return system(script);
}

static int remove_certificates(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static SSL_CTX *server(const char *name, int version)
{
	char file[64];
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	snprintf(file, sizeof file, "%s.pem", name);
	assert_int_equal(SSL_CTX_use_certificate_file(c, path(file), SSL_FILETYPE_PEM), 1);
	snprintf(file, sizeof file, "%s.key", name);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(c, path(file), SSL_FILETYPE_PEM), 1);
	if (version) {
		SSL_CTX_set_security_level(c, 0);
		SSL_CTX_set_min_proto_version(c, 0);
		SSL_CTX_set_max_proto_version(c, version);
	}
	return c;
}

static void script_answers(struct fake *f)
{
	static char big[40001];

	memset(big, 'b', 40000);
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_request(f);
	fake_json(f, big);
	fake_request(f);
	fake_drip(f, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
	fake_await_close(f);
}

static void script_handshake(struct fake *f)
{
	fake_accept(f);
	if (f->ssl)
		fake_await_close(f);
}

struct scene {
	struct fake fake;
	struct rig rig;
	char url[64];
};

static void open_scene(struct scene *s, void (*script)(struct fake *), SSL_CTX *tls, const char *host, const char *ca)
{
	fake_start(&s->fake, script, tls);
	struct vault_config conf = rig_config(s->fake.port, s->url);
	snprintf(s->url, sizeof s->url, "https://%s:%d/mcp", host, s->fake.port);
	conf.url = slice_of(s->url);
	conf.tls_ca = slice_of(ca);
	rig_open(&s->rig, &conf);
}

static void close_scene(struct scene *s, SSL_CTX *tls)
{
	rig_close(&s->rig);
	fake_stop(&s->fake);
	fake_free(&s->fake);
	SSL_CTX_free(tls);
}

static void test_good(void **state)
{
	SSL_CTX *tls = server("good", 0);
	char big[40100];
	struct scene s;

	(void)state;
	memset(big, 'b', sizeof big);
	open_scene(&s, script_answers, tls, "127.0.0.1", path("trusted.pem"));
	assert_int_equal(rig_probe(&s.rig), UP_DONE);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	big[0] = '[';
	big[40001] = ']';
	big[40002] = 0;
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, big);
	memset(big, 'r', 40000);
	ear_expect(rig_send(&s.rig, big, "1"), UP_DONE, 200, "[{}]");
	close_scene(&s, tls);
	assert_int_equal(s.fake.accepted, 1);
}

static void test_localhost(void **state)
{
	SSL_CTX *tls = server("good", TLS1_2_VERSION);
	struct scene s;

	(void)state;
	open_scene(&s, script_handshake, tls, "localhost", path("trusted.pem"));
	assert_int_equal(rig_probe(&s.rig), UP_DONE);
	close_scene(&s, tls);
}

static void refused(const char *name, int version, const char *ca)
{
	SSL_CTX *tls = server(name, version);
	struct scene s;

	open_scene(&s, script_handshake, tls, "127.0.0.1", ca);
	ear_expect(rig_send(&s.rig, "{\"secret\":1}", "1"), UP_TLS, 0, "");
	close_scene(&s, tls);
}

static void test_refused(void **state)
{
	(void)state;
	refused("other", 0, path("trusted.pem"));           /* another host's */
	refused("foreign", 0, path("trusted.pem"));         /* from a stranger */
	refused("good", 0, "");                             /* not known to the system */
	refused("good", 0, path("no-such-file.pem"));
	refused("stranger", 0, path("trusted.pem"));        /* signed by itself */
	refused("good", TLS1_1_VERSION, path("trusted.pem"));
}

/* SSL_CERT_FILE and its like must not make a stranger trusted. */
static void test_environment(void **state)
{
	(void)state;
	setenv("SSL_CERT_FILE", path("stranger.pem"), 1);
	setenv("SSL_CERT_DIR", dir, 1);
	setenv("CURL_CA_BUNDLE", path("stranger.pem"), 1);
	setenv("SSLKEYLOGFILE", path("keys.log"), 1);
	refused("foreign", 0, path("trusted.pem"));
	refused("foreign", 0, "");
	test_good(state);
	assert_int_not_equal(access(path("keys.log"), F_OK), 0);
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
	unsetenv("CURL_CA_BUNDLE");
}

static void script_client(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

static void test_client_certificate(void **state)
{
	SSL_CTX *tls = server("good", TLS1_2_VERSION);
	struct scene s;

	(void)state;
	assert_int_equal(SSL_CTX_load_verify_locations(tls, path("trusted.pem"), NULL), 1);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	fake_start(&s.fake, script_client, tls);
	struct vault_config conf = rig_config(s.fake.port, s.url);
	snprintf(s.url, sizeof s.url, "https://127.0.0.1:%d/mcp", s.fake.port);
	conf.url = slice_of(s.url);
	conf.tls_ca = slice_of(path("trusted.pem"));
	conf.tls_certificate = slice_of(path("client.pem"));
	conf.tls_key = slice_of(path("client.key"));
	rig_open(&s.rig, &conf);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	fake_free(&s.fake);
	/* And without one. */
	open_scene(&s, script_handshake, tls, "127.0.0.1", path("trusted.pem"));
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_TLS, 0, "");
	close_scene(&s, tls);
}

static void copy_file(const char *from, const char *to)
{
	char command[600];

	snprintf(command, sizeof command, "cat '%s' >'%s'", path(from), path(to));
	assert_int_equal(system(command), 0);
}

static void script_second_time(struct fake *f)
{
	fake_accept(f);
	if (f->ssl)
		fake_await_close(f);
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

/* The files that `tls` names are read for each connection: what was mounted anew holds from the next one on. */
static void test_rotation(void **state)
{
	SSL_CTX *tls = server("good", TLS1_2_VERSION); /* with 1.3 the client is done before it is refused */
	struct scene s;

	(void)state;
	copy_file("stranger.pem", "mounted-ca.pem");
	open_scene(&s, script_second_time, tls, "127.0.0.1", path("mounted-ca.pem"));
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_TLS, 0, "");
	copy_file("trusted.pem", "mounted-ca.pem");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	close_scene(&s, NULL);
	/* The client's certificate, too. */
	assert_int_equal(SSL_CTX_load_verify_locations(tls, path("trusted.pem"), NULL), 1);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	copy_file("foreign.pem", "mounted.pem");
	copy_file("foreign.key", "mounted.key");
	fake_start(&s.fake, script_second_time, tls);
	struct vault_config conf = rig_config(s.fake.port, s.url);
	snprintf(s.url, sizeof s.url, "https://127.0.0.1:%d/mcp", s.fake.port);
	conf.url = slice_of(s.url);
	conf.tls_ca = slice_of(path("trusted.pem"));
	conf.tls_certificate = slice_of(path("mounted.pem"));
	conf.tls_key = slice_of(path("mounted.key"));
	rig_open(&s.rig, &conf);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_TLS, 0, "");
	copy_file("client.pem", "mounted.pem");
	copy_file("client.key", "mounted.key");
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	close_scene(&s, tls);
}

static void script_plain(struct fake *f)
{
	fake_accept(f);
	usleep(20000);
	fake_say(f, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	fake_await_close(f);
}

static void test_plain_server(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, script_plain, NULL, "127.0.0.1", path("trusted.pem"));
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_TLS, 0, "");
	close_scene(&s, NULL);
}

static void script_silent(struct fake *f)
{
	f->tls = NULL; /* takes the connection and says nothing */
	fake_accept(f);
	fake_await_close(f);
}

static void test_connect_timeout(void **state)
{
	struct scene s;

	(void)state;
	fake_start(&s.fake, script_silent, NULL);
	struct vault_config conf = rig_config(s.fake.port, s.url);
	snprintf(s.url, sizeof s.url, "https://127.0.0.1:%d/mcp", s.fake.port);
	conf.url = slice_of(s.url);
	conf.connect_timeout_ms = 300;
	rig_open(&s.rig, &conf);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_UNREACHABLE, 0, "");
	close_scene(&s, NULL);
}

/* The stream is cut without a goodbye: what came may not be all. */
static void script_truncated(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_say(f, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":1}");
	usleep(50000);
	fake_reset(f);
}

static void script_closed_idle(struct fake *f)
{
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_close(f);
	fake_step(f, 1);
	fake_accept(f);
	fake_request(f);
	fake_json(f, "{}");
	fake_await_close(f);
}

static void test_ends(void **state)
{
	SSL_CTX *tls = server("good", 0);
	struct scene s;

	(void)state;
	open_scene(&s, script_truncated, tls, "127.0.0.1", path("trusted.pem"));
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_BROKEN, 200, "");
	rig_close(&s.rig);
	fake_stop(&s.fake);
	fake_free(&s.fake);
	open_scene(&s, script_closed_idle, tls, "127.0.0.1", path("trusted.pem"));
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	fake_await_step(&s.fake, 1);
	usleep(100000);
	uv_update_time(&s.rig.loop);
	ear_expect(rig_send(&s.rig, "{}", "1"), UP_DONE, 200, "[{}]");
	close_scene(&s, tls);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_localhost),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_plain_server),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
