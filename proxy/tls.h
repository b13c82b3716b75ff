/*
 * TLS for agents (OpenSSL): a filter between tcp.c and the protocol. TLS 1.2 and 1.3, AEAD ciphers with forward secrecy, ALPN
 * http/1.1 alone; no renegotiation, no compression, no early data. Nothing blocks: bytes go through memory.
 *
 * The certificate files are read whole into a context, which is checked and then swapped in whole. A handshake ends under
 * the context it began with; connections stay, unless their client certificate is no longer good.
 */
#ifndef NARROWGATE_PROXY_TLS_H
#define NARROWGATE_PROXY_TLS_H

#include <time.h>
#include "policy/config.h"
#include "proxy/tcp_filter.h"

struct tls;
struct tls_context;

/*
 * Reads and checks the files. NULL with a fault at the key that names the bad file: missing, no PEM, encrypted, a key that does
 * not belong to the certificate, too weak.
 */
struct tls_context *tls_context_load(const struct listen_tls *, struct faults *);
void tls_context_free(struct tls_context *);
/* Made of the same bytes: certificate, key and client CA. */
bool tls_context_same(const struct tls_context *, const struct tls_context *);
/* Adds a sentence when the certificate has expired or is not valid yet at `now` (seconds of the wall clock); false: neither. */
bool tls_context_complain(const struct tls_context *, time_t now, struct buf *text);
/* Adds "certificate FILE, good until DATE, client certificates required". */
void tls_context_describe(const struct tls_context *, struct buf *text);
/* Reads the files that an upstream's `tls` names, and drops them: a fault for each that libcurl could not use. */
void tls_check_upstream(const struct upstream_config *, struct faults *);

/* A filter that works with this context, which it takes over. NULL: no memory, and the context is freed. */
struct tls *tls_create(struct tls_context *);
/* Takes over a new context, for handshakes that begin from now on. tcp_server_set_filter then closes what it must. */
void tls_use(struct tls *, struct tls_context *);
const struct tls_context *tls_now(const struct tls *);
struct tcp_filter *tls_filter(struct tls *);
/* When no connection is left. */
void tls_free(struct tls *);

#endif
