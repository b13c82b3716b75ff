#include "base/seal.h"

#include <limits.h>
#include <openssl/evp.h>
#include "base/digest.h"
#include "base/wipe.h"

enum { NONCE_BYTES = 12, TAG_BYTES = 16, FRAME_BYTES = NONCE_BYTES + TAG_BYTES, MAX_BYTES = 64 * 1024 };

void seal_key_random(struct seal_key *key)
{
	digest_random(key->bytes, sizeof key->bytes);
}

static const unsigned char *bytes_of(struct slice s)
{
	return (const unsigned char *)s.p;
}

/* Both directions: the place goes in as associated data, then the text. `sealed` is nonce, text, tag. */
static bool run(EVP_CIPHER_CTX *ctx, bool shut, const struct seal_key *key, struct slice place, unsigned char *sealed,
	unsigned char *plain, int n)
{
	unsigned char *tag = sealed + NONCE_BYTES + n;
	unsigned char *in = shut ? plain : sealed + NONCE_BYTES, *out = shut ? sealed + NONCE_BYTES : plain;
	int done = 0;

	if (EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, sealed, shut) != 1)
		return false;
	if (place.n && EVP_CipherUpdate(ctx, NULL, &done, bytes_of(place), (int)place.n) != 1)
		return false;
	if (EVP_CipherUpdate(ctx, out, &done, in, n) != 1)
		return false;
	if (!shut && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) != 1)
		return false;
	if (EVP_CipherFinal_ex(ctx, out + done, &done) != 1)
		return false;
	return !shut || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1;
}

static bool crypt(bool shut, const struct seal_key *key, struct slice place, unsigned char *sealed, unsigned char *plain, size_t n)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx && run(ctx, shut, key, place, sealed, plain, (int)n);

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

enum err seal_shut(struct buf *out, const struct seal_key *key, struct slice place, struct slice plain)
{
	size_t n = FRAME_BYTES + plain.n;
	unsigned char *sealed, *copy;
	char *hex;
	enum err e = E_NOMEM;

	if (plain.n > MAX_BYTES || place.n > MAX_BYTES)
		return E_TOO_BIG;
	sealed = wipe_malloc(n);
	copy = wipe_malloc(plain.n + 1);
	hex = wipe_malloc(2 * n + 1);
	if (sealed && copy && hex) {
		if (plain.n)
			memcpy(copy, plain.p, plain.n);
		digest_random(sealed, NONCE_BYTES);
		if (crypt(true, key, place, sealed, copy, plain.n)) {
			digest_hex(sealed, n, hex);
			e = buf_add(out, slice_make(hex, 2 * n));
		}
	}
	wipe_free(sealed);
	wipe_free(copy);
	wipe_free(hex);
	return e;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool unhex(struct slice text, unsigned char *out)
{
	for (size_t i = 0; i < text.n; i += 2) {
		int high = digit(text.p[i]), low = digit(text.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (unsigned char)(high * 16 + low);
	}
	return true;
}

enum err seal_open(struct buf *out, const struct seal_key *key, struct slice place, struct slice text)
{
	size_t n = text.n / 2;
	unsigned char *sealed, *plain;
	enum err e = E_NOMEM;

	if (text.n % 2 || n < FRAME_BYTES || n > MAX_BYTES + FRAME_BYTES || place.n > MAX_BYTES)
		return E_INVALID;
	sealed = wipe_malloc(n);
	plain = wipe_malloc(n);
	if (sealed && plain) {
		bool ok = unhex(text, sealed) && crypt(false, key, place, sealed, plain, n - FRAME_BYTES);

		e = ok ? buf_add(out, slice_make((const char *)plain, n - FRAME_BYTES)) : E_INVALID;
	}
	wipe_free(sealed);
	wipe_free(plain);
	return e;
}
