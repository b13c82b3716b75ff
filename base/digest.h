/*
 * Digests and randomness, from OpenSSL's libcrypto. Comparisons of secrets are constant-time.
 */
#ifndef NARROWGATE_BASE_DIGEST_H
#define NARROWGATE_BASE_DIGEST_H

#include <stdint.h>
#include "base/err.h"
#include "base/slice.h"

#define DIGEST_BYTES 32
#define DIGEST_HEX (2 * DIGEST_BYTES)

/* SHA-256 (FIPS 180-4). */
void digest_sha256(struct slice s, unsigned char out[DIGEST_BYTES]);
/* HMAC-SHA256 (RFC 2104). */
void digest_hmac(struct slice key, struct slice s, unsigned char out[DIGEST_BYTES]);
/* SipHash-2-4 under a 128-bit key: for tables that an adversary fills. */
uint64_t digest_sip(const uint64_t key[2], struct slice s);
/* Lower-case hex of n bytes; out holds 2n + 1 bytes and is NUL-terminated. */
void digest_hex(const unsigned char *bytes, size_t n, char *out);
/* Random bytes from the operating system; ends the process when there are none, since nothing safe can follow. */
void digest_random(void *out, size_t n);
/* Constant-time in the bytes (not in the lengths). */
bool digest_equal(struct slice a, struct slice b);

#endif
