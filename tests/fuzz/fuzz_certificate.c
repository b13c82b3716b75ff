/*
 * The names of a client certificate (DER). Of those that are taken: each is of visible ASCII and not empty, and no second SPIFFE
 * id stands beside one. Reading twice gives the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include "proxy/tls_inside.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tls_names *names)
{
	size_t spiffe = 0;

	REQUIRE(names->n <= TLS_MAX_NAMES && (names->v || names->n == 0));
	for (size_t i = 0; i < names->n; i++) {
		struct san s = names->v[i];

		REQUIRE(s.text.n > 0);
		for (size_t k = 0; k < s.text.n; k++)
			REQUIRE(s.text.p[k] > 0x20 && s.text.p[k] < 0x7F);
		spiffe += s.kind == SAN_URI && slice_starts(s.text, SL("spiffe://"));
	}
	REQUIRE(spiffe <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *p = data;
	X509 *cert = d2i_X509(NULL, &p, (long)size);
	struct tls_names first = { 0 }, again = { 0 };

	if (!cert)
		return 0;
	bool ok = tls_names_read(cert, &first);

	check(&first);
	REQUIRE(tls_names_read(cert, &again) == ok && again.n == first.n && again.until == first.until);
	for (size_t i = 0; i < first.n; i++)
		REQUIRE(san_eq(first.v[i], again.v[i]));
	tls_names_free(&first);
	tls_names_free(&again);
	X509_free(cert);
	return 0;
}
