/*
 * SHA-256 by libcrypto's plain functions: unlike EVP they allocate nothing, so a digest cannot fail, and they cost
 * no look-up of a provider per call. HMAC is built on them for the same reason.
 */
#define OPENSSL_API_COMPAT 0x10100000L
#include "base/digest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>
#include "base/wipe.h"

enum { SHA256_BLOCK = 64 };

void digest_sha256(struct slice s, unsigned char out[DIGEST_BYTES])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, s.p, s.n);
	SHA256_Final(out, &ctx);
	wipe(&ctx, sizeof(ctx));
}

/* One half of HMAC: the hash of the padded key, then s. */
static void hmac_half(const unsigned char key[SHA256_BLOCK], unsigned char pad, struct slice s,
	unsigned char out[DIGEST_BYTES])
{
	unsigned char padded[SHA256_BLOCK];
	SHA256_CTX ctx;

	for (size_t i = 0; i < SHA256_BLOCK; i++)
		padded[i] = key[i] ^ pad;
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, padded, sizeof(padded));
	SHA256_Update(&ctx, s.p, s.n);
	SHA256_Final(out, &ctx);
	wipe(&ctx, sizeof(ctx));
	wipe(padded, sizeof(padded));
}

void digest_hmac(struct slice key, struct slice s, unsigned char out[DIGEST_BYTES])
{
	unsigned char block[SHA256_BLOCK] = { 0 }, inner[DIGEST_BYTES];

	if (key.n > SHA256_BLOCK)
		digest_sha256(key, block);
	else if (key.n)
		memcpy(block, key.p, key.n);
	hmac_half(block, 0x36, s, inner);
	hmac_half(block, 0x5c, slice_make((const char *)inner, sizeof(inner)), out);
	wipe(block, sizeof(block));
	wipe(inner, sizeof(inner));
}

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	sip_round(v);
	sip_round(v);
	v[0] ^= m;
}

/* Little-endian, whatever the machine is. */
static inline uint64_t sip_load(const char *p, size_t n)
{
	uint64_t m = 0;

	for (size_t i = 0; i < n; i++)
		m |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return m;
}

uint64_t digest_sip(const uint64_t key[2], struct slice s)
{
	uint64_t v[4] = {
		key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
		key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u,
	};
	size_t i = 0;

	for (; s.n - i >= 8; i += 8)
		sip_word(v, sip_load(s.p + i, 8));
	sip_word(v, sip_load(s.p + i, s.n - i) | (uint64_t)s.n << 56);
	v[2] ^= 0xff;
	for (int k = 0; k < 4; k++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void digest_hex(const unsigned char *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

void digest_random(void *out, size_t n)
{
	char *p = out;

	while (n) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			fputs("no random bytes from the operating system\n", stderr);
			abort();
		}
		p += got;
		n -= (size_t)got;
	}
}

bool digest_equal(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}
