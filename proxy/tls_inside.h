/*
 * What the files of tls*.c share, and the only header of this room that includes OpenSSL.
 */
#ifndef NARROWGATE_PROXY_TLS_INSIDE_H
#define NARROWGATE_PROXY_TLS_INSIDE_H

#include <openssl/ssl.h>
#include "base/digest.h"
#include "proxy/tls.h"

struct tls_context {
	SSL_CTX *ctx;
	char *file;                        /* of the certificate, for messages */
	bool wants_client;                 /* a client certificate is required */
	unsigned char sum[DIGEST_BYTES];   /* of all files */
	unsigned char trust[DIGEST_BYTES]; /* of client_ca alone */
};

/* The names of a peer's certificate, copied out of it. */
struct tls_names {
	struct san *v; /* one block with the texts behind it; NULL: none */
	size_t n;
	time_t until;  /* when the certificate expires, seconds of the wall clock */
};

/*
 * Reads the subjectAltName: URIs, DNS names and e-mail addresses of visible ASCII. None at all when there are more than
 * TLS_MAX_NAMES, or more than one SPIFFE id, which must be alone (SPIFFE X.509-SVID §2). False: no memory.
 */
#define TLS_MAX_NAMES 32
bool tls_names_read(X509 *, struct tls_names *);
void tls_names_free(struct tls_names *);
/* Seconds of the wall clock; false when the certificate's time is none. */
bool tls_time(const ASN1_TIME *, time_t *out);

#endif
