/*
 * Sealed texts that come back from outside: nothing opens that was not shut here, whatever it looks like. The first byte picks one
 * of our own to be changed in one place.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/seal.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err opened(const struct seal_key *key, struct slice text)
{
	struct buf out;
	enum err e;

	buf_init(&out, 1u << 20);
	e = seal_open(&out, key, SL("here"), text);
	REQUIRE(e == E_OK || out.n == 0);
	buf_finish(&out);
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seal_key key = { { 7 } };
	struct slice text = slice_make((const char *)data, size);
	struct buf sealed;

	REQUIRE(opened(&key, text) == E_INVALID);
	if (!size)
		return 0;
	buf_init(&sealed, 1u << 20);
	REQUIRE(seal_shut(&sealed, &key, SL("here"), slice_from(text, 1)) == E_OK);
	REQUIRE(opened(&key, buf_slice(&sealed)) == E_OK);
	sealed.p[data[0] % sealed.n] ^= 1;
	REQUIRE(opened(&key, buf_slice(&sealed)) == E_INVALID);
	buf_finish(&sealed);
	return 0;
}
