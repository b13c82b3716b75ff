/*
 * Certificates for tests, made by the openssl command once per program, and what is built from them.
 */
#ifndef NARROWGATE_TESTS_TLS_RIG_H
#define NARROWGATE_TESTS_TLS_RIG_H

#include <openssl/ssl.h>
#include "proxy/tls.h"

/* Group fixtures: a folder of its own with NAME.pem and NAME.key for each of them. */
int tls_rig_make(void **state);
int tls_rig_remove(void **state);
/* The path of a file in the folder; valid for the next seven calls. */
const char *tls_rig_path(const char *file);
/* Writes a file in the folder. */
void tls_rig_write(const char *file, const char *text);
/* Copies one file of the folder over another. */
void tls_rig_copy(const char *from, const char *to);

/* A context of NAME.pem and NAME.key; `client_ca` is a file's name or NULL. Fails the test when it cannot be made. */
struct tls_context *tls_rig_context(const char *name, const char *client_ca);
/* A client that trusts `ca`.pem and shows NAME.pem (NULL: nothing). */
SSL_CTX *tls_rig_client(const char *ca, const char *name);

#endif
