#include "proxy/tls_inside.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#define MAX_NAME_BYTES 2048 /* of a SPIFFE id (SPIFFE-ID §2.3) */

bool tls_time(const ASN1_TIME *t, time_t *out)
{
	struct tm tm = { 0 };

	if (!t || !ASN1_TIME_to_tm(t, &tm))
		return false;
	*out = timegm(&tm);
	return true;
}

static bool is_visible(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7E)
			return false;
	return s.n > 0 && s.n <= MAX_NAME_BYTES;
}

/* False: of a kind that nobody is told apart by, or with bytes that no such name has. The text is borrowed. */
static bool read_name(const GENERAL_NAME *g, struct san *out)
{
	const ASN1_IA5STRING *text;

	switch (g->type) {
	case GEN_URI:
		out->kind = SAN_URI;
		text = g->d.uniformResourceIdentifier;
		break;
	case GEN_DNS:
		out->kind = SAN_DNS;
		text = g->d.dNSName;
		break;
	case GEN_EMAIL:
		out->kind = SAN_EMAIL;
		text = g->d.rfc822Name;
		break;
	default:
		return false;
	}
	out->text = slice_make((const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
	return is_visible(out->text);
}

/* Collects into v[TLS_MAX_NAMES]; how many, or 0 when they cannot be trusted to mean one peer. */
static size_t collect(const GENERAL_NAMES *all, struct san *v)
{
	size_t n = 0, n_spiffe = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		struct san one;

		if (!read_name(sk_GENERAL_NAME_value(all, i), &one))
			continue;
		if (one.kind == SAN_URI && slice_starts(one.text, SL("spiffe://")))
			n_spiffe++;
		if (n == TLS_MAX_NAMES || n_spiffe > 1)
			return 0;
		v[n++] = one;
	}
	return n;
}

/* A copy that owns its texts, in one block. */
static bool copy(struct tls_names *names, const struct san *v, size_t n)
{
	size_t bytes = n * sizeof *v;
	char *text;

	for (size_t i = 0; i < n; i++)
		bytes += v[i].text.n;
	names->v = malloc(bytes);
	if (!names->v)
		return false;
	text = (char *)(names->v + n);
	for (size_t i = 0; i < n; i++) {
		memcpy(text, v[i].text.p, v[i].text.n);
		names->v[i] = (struct san){ v[i].kind, slice_make(text, v[i].text.n) };
		text += v[i].text.n;
	}
	names->n = n;
	return true;
}

bool tls_names_read(X509 *cert, struct tls_names *names)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	struct san v[TLS_MAX_NAMES];
	size_t n = all ? collect(all, v) : 0;
	bool ok = n == 0 || copy(names, v, n);

	GENERAL_NAMES_free(all);
	return ok && tls_time(X509_get0_notAfter(cert), &names->until);
}

void tls_names_free(struct tls_names *names)
{
	free(names->v);
	*names = (struct tls_names){ 0 };
}
