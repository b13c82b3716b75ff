#include "proxy/harden.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include "base/wipe.h"

/* Read by libcurl or OpenSSL behind our back; only the configuration may say such things. */
static const char *const hostile[] = {
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
	"SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "CURL_HOME", "CURL_SSL_BACKEND", "NETRC",
	"OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "LOCALDOMAIN", "RES_OPTIONS", "HOSTALIASES",
};

static void *ssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return wipe_malloc(n);
}

static void *ssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return wipe_realloc(p, n);
}

static void ssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wipe_free(p);
}

bool harden_process(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
		unsetenv(hostile[i]);
	return CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free);
}
