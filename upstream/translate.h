/*
 * `era: translate`: a conversation that speaks to its user as the vault does not. It stands between the proxy and the transport, so
 * that everything is judged in the words of the agent: a call before it is said anew for the vault, an answer after it was said
 * anew for the agent. What the translation adds or takes away is the protocol's own (envelopes, handshakes, rounds), never
 * arguments or contents.
 *
 * Which kind of revision the vault speaks is found out: an agent's initialize goes to it first; server/discover, asked by ourselves,
 * says the rest; a program that is silent or exits on it has a handshake. Where both speak the same, nothing is
 * translated. No call is sent before that is known, and none twice.
 */
#ifndef NARROWGATE_UPSTREAM_TRANSLATE_H
#define NARROWGATE_UPSTREAM_TRANSLATE_H

#include "upstream/vault.h"

/* NULL when memory is out. */
struct upstream *translate_open(struct vault *, const struct upstream_events *);

#endif
