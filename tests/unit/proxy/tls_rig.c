#include "tls_rig.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

static char dir[] = "/tmp/narrowgate-tls-XXXXXX";

static const char make_all[] =
	"set -e; cd '%s'; exec 2>openssl.log; unset OPENSSL_CONF\n"
	"new=\"-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes\"\n"
	"ca() { openssl req -x509 $new -days 2 -subj \"/CN=$1\" -keyout $1.key -out $1.pem; }\n"
	"leaf() {\n" /* NAME CA EXTENSIONS DAYS */
	"  openssl req ${5:-$new} -subj \"/CN=$1\" -keyout $1.key -out $1.csr\n"
	"  printf \"$3\" >$1.ext\n"
	"  openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days \"${4:-2}\" -extfile $1.ext "
	"-out $1.pem\n"
	"}\n"
	"ca trusted; ca clients; ca stranger\n"
	"leaf server trusted subjectAltName=IP:127.0.0.1,DNS:localhost\n"
	"leaf server2 trusted subjectAltName=IP:127.0.0.1\n"
	"leaf expired trusted subjectAltName=IP:127.0.0.1 -1\n"
	"leaf weak trusted subjectAltName=IP:127.0.0.1 2 '-newkey rsa:1024 -nodes'\n"
	"leaf agent clients subjectAltName=URI:spiffe://td/agent,DNS:agent.example,email:agent@example.org,IP:10.0.0.1\n"
	"leaf nameless clients basicConstraints=CA:FALSE\n"
	"leaf twofold clients subjectAltName=URI:spiffe://td/a,URI:spiffe://td/b,DNS:agent.example\n"
	"leaf late clients subjectAltName=URI:spiffe://td/agent -1\n"
	"leaf foreign stranger subjectAltName=URI:spiffe://td/agent\n"
	"leaf forserver clients 'extendedKeyUsage=serverAuth\\nsubjectAltName=URI:spiffe://td/agent'\n"
	"leaf space clients 'subjectAltName=@n\\n[n]\\nURI=spiffe://td/a b\\nDNS=ok.example'\n"
	"many=URI:x:0; for i in $(seq 1 40); do many=$many,DNS:n$i; done; leaf many clients subjectAltName=$many\n"
	"openssl pkey -in server.key -aes128 -passout pass:x -out locked.key\n"
	"cat trusted.pem clients.pem >both.pem\n";

const char *tls_rig_path(const char *file)
{
	static char paths[8][256];
	static int next;
	char *p = paths[next++ % 8];

	snprintf(p, sizeof paths[0], "%s/%s", dir, file);
	return p;
}

int tls_rig_make(void **state)
{
	char script[4096];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(script, sizeof script, make_all, dir);
	return system(script);
}

int tls_rig_remove(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

void tls_rig_write(const char *file, const char *text)
{
	FILE *f = fopen(tls_rig_path(file), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

void tls_rig_copy(const char *from, const char *to)
{
	char command[600];

	snprintf(command, sizeof command, "cat '%s' >'%s'", tls_rig_path(from), tls_rig_path(to));
	assert_int_equal(system(command), 0);
}

struct tls_context *tls_rig_context(const char *name, const char *client_ca)
{
	char cert[64], key[64];
	struct listen_tls conf = { 0 };
	struct tls_context *t;
	struct faults faults;

	snprintf(cert, sizeof cert, "%s.pem", name);
	snprintf(key, sizeof key, "%s.key", name);
	conf.certificate.path = slice_of(tls_rig_path(cert));
	conf.key.path = slice_of(tls_rig_path(key));
	if (client_ca)
		conf.client_ca.path = slice_of(tls_rig_path(client_ca));
	faults_init(&faults);
	t = tls_context_load(&conf, &faults);
	if (!t)
		fail_msg("%.*s", SL_ARG(faults.v[0].text));
	faults_finish(&faults);
	return t;
}

SSL_CTX *tls_rig_client(const char *ca, const char *name)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	char file[64];

	snprintf(file, sizeof file, "%s.pem", ca);
	assert_int_equal(SSL_CTX_load_verify_locations(c, tls_rig_path(file), NULL), 1);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	if (!name)
		return c;
	snprintf(file, sizeof file, "%s.pem", name);
	assert_int_equal(SSL_CTX_use_certificate_file(c, tls_rig_path(file), SSL_FILETYPE_PEM), 1);
	snprintf(file, sizeof file, "%s.key", name);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(c, tls_rig_path(file), SSL_FILETYPE_PEM), 1);
	return c;
}
