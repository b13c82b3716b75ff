/*
 * A name in a certificate's subjectAltName (RFC 5280 §4.2.1.6), as far as agents are told apart by one. Names are compared byte by
 * byte within their kind: a DNS name never stands in for a URI of the same text.
 */
#ifndef NARROWGATE_POLICY_SAN_H
#define NARROWGATE_POLICY_SAN_H

#include "base/slice.h"

enum san_kind { SAN_URI, SAN_DNS, SAN_EMAIL };

struct san {
	enum san_kind kind;
	struct slice text;
};

static inline bool san_eq(struct san a, struct san b)
{
	return a.kind == b.kind && slice_eq(a.text, b.text);
}

#endif
