/* Published vectors: FIPS 180-4 examples, RFC 4231, the SipHash paper and its reference implementation. */
#include "tests/unit/check.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "base/digest.h"

static void assert_hex(const unsigned char digest[DIGEST_BYTES], const char *want)
{
	char hex[DIGEST_HEX + 1];

	digest_hex(digest, DIGEST_BYTES, hex);
	assert_string_equal(hex, want);
}

static void sha256(void **state)
{
	unsigned char out[DIGEST_BYTES];

	(void)state;
	digest_sha256(SL(""), out);
	assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_sha256((struct slice){ NULL, 0 }, out);
	assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_sha256(SL("abc"), out);
	assert_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_sha256(SL("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), out);
	assert_hex(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void hmac(void **state)
{
	unsigned char out[DIGEST_BYTES];
	char key[131];

	(void)state;
	memset(key, 0x0b, 20);
	digest_hmac(slice_make(key, 20), SL("Hi There"), out);
	assert_hex(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	digest_hmac(SL("Jefe"), SL("what do ya want for nothing?"), out);
	assert_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	digest_hmac(slice_make(key, sizeof(key)), SL("Test Using Larger Than Block-Size Key - Hash Key First"), out);
	assert_hex(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* Keys and texts of every length around the block's, against libcrypto's own HMAC. */
static void hmac_lengths(void **state)
{
	unsigned char bytes[200], ours[DIGEST_BYTES], theirs[DIGEST_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 + 1);
	for (size_t key = 0; key < 140; key++) {
		for (size_t text = 0; text < 140; text += 9) {
			struct slice k = { (const char *)bytes, key }, t = { (const char *)bytes + 50, text };
			digest_hmac(k, t, ours);
			HMAC(EVP_sha256(), bytes, (int)key, bytes + 50, text, theirs, NULL);
			assert_memory_equal(ours, theirs, DIGEST_BYTES);
		}
	}
}

/* Key 00 01 .. 0f, text 00 01 .. of length n: row n of the reference vectors (first and last rows, and around a word). */
static void siphash(void **state)
{
	static const struct {
		size_t n;
		uint64_t want;
	} rows[] = {
		{ 0, 0x726fdb47dd0e0e31u }, { 1, 0x74f839c593dc67fdu }, { 7, 0xab0200f58b01d137u }, { 8, 0x93f5f5799a932462u },
		{ 9, 0x9e0082df0ba9e4b0u }, { 15, 0xa129ca6149be45e5u }, { 16, 0x3f2acc7f57c29bdbu }, { 63, 0x958a324ceb064572u },
	};
	const uint64_t key[2] = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(digest_sip(key, slice_make(text, rows[i].n)), rows[i].want);
}

/* All 64 lengths at once, against libcrypto's SipHash. */
static void siphash_lengths(void **state)
{
	const uint64_t key[2] = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };
	unsigned char raw[16], text[64], theirs[8];
	EVP_PKEY *pkey;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)(200 - i);
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (unsigned char)i;
	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_SIPHASH, NULL, raw, sizeof(raw));
	assert_non_null(pkey);
	for (size_t n = 0; n <= sizeof(text); n++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		EVP_PKEY_CTX *pctx;
		size_t size = sizeof(theirs);
		uint64_t ours = digest_sip(key, slice_make((const char *)text, n));
		assert_int_equal(EVP_DigestSignInit(ctx, &pctx, NULL, NULL, pkey), 1);
		assert_int_equal(EVP_PKEY_CTX_ctrl(pctx, EVP_PKEY_SIPHASH, EVP_PKEY_OP_SIGNCTX, EVP_PKEY_CTRL_SET_DIGEST_SIZE, 8, NULL), 1);
		assert_int_equal(EVP_DigestSignUpdate(ctx, text, n), 1);
		assert_int_equal(EVP_DigestSignFinal(ctx, theirs, &size), 1);
		for (int i = 0; i < 8; i++)
			assert_int_equal(theirs[i], (ours >> (8 * i)) & 0xff);
		EVP_MD_CTX_free(ctx);
	}
	EVP_PKEY_free(pkey);
}

static void hex(void **state)
{
	char out[7];

	(void)state;
	digest_hex((const unsigned char *)"\x00\x9f\xff", 3, out);
	assert_string_equal(out, "009fff");
	digest_hex(NULL, 0, out);
	assert_string_equal(out, "");
}

static void random_bytes(void **state)
{
	unsigned char a[64] = { 0 }, b[64] = { 0 };

	(void)state;
	digest_random(a, sizeof(a));
	digest_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	digest_random(a, 0);
}

static void equal(void **state)
{
	(void)state;
	assert_true(digest_equal(SL("abc"), SL("abc")));
	assert_false(digest_equal(SL("abc"), SL("abd")));
	assert_false(digest_equal(SL("abc"), SL("abcd")));
	assert_true(digest_equal(SL(""), (struct slice){ NULL, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256),
		cmocka_unit_test(hmac),
		cmocka_unit_test(hmac_lengths),
		cmocka_unit_test(siphash),
		cmocka_unit_test(siphash_lengths),
		cmocka_unit_test(hex),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
