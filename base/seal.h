/*
 * Texts that are given out to come back: unreadable, unforgeable, and good only where they were given out. AES-256-GCM
 * (NIST SP 800-38D) with a random nonce, in hex.
 */
#ifndef NARROWGATE_BASE_SEAL_H
#define NARROWGATE_BASE_SEAL_H

#include "base/buf.h"

struct seal_key {
	unsigned char bytes[32];
};

/* A key of its own for this process. */
void seal_key_random(struct seal_key *);
/* Adds `plain`, sealed, to `out`: 56 characters and two for each byte. It opens only with the same `place`. */
enum err seal_shut(struct buf *out, const struct seal_key *, struct slice place, struct slice plain);
/* Adds what `text` holds to `out`. E_INVALID, nothing added: it was not sealed by this key for this place. */
enum err seal_open(struct buf *out, const struct seal_key *, struct slice place, struct slice text);

#endif
