/*
 * What an agent has been given, as keyed fingerprints: enough to know a value again in a text, and nothing to read it from. Part of
 * the agent's ledger; bounded, expiring.
 *
 * Texts are compared bare (base/bare.h). Of each form of a value (itself, reversed, rot13, hex, base64 at its three alignments …) some
 * pieces are kept. A piece is found by eight of its bytes, its anchor: one multiplication and a bit in a map a byte of scanned text.
 * Where the bit is set, the piece as a whole is compared by SipHash-2-4. Keys are random for each agent, in locked memory.
 *
 * Memory: see fingerprints_bytes and docs/guards/exfiltration.md.
 */
#ifndef NARROWGATE_GUARDS_FINGERPRINTS_H
#define NARROWGATE_GUARDS_FINGERPRINTS_H

#include "base/arena.h"
#include "base/err.h"
#include "guards/variety.h"

struct fingerprints;

#define FINGERPRINTS_VALUES 16384u
#define FINGERPRINTS_PIECES (1u << 20)
/* A part of a value this long is known again, wherever it is cut: itself, reversed, rot13, hex, base64 (of values up to 512 bytes). */
#define FINGERPRINTS_FRAGMENT 16

struct fingerprints *fingerprints_create(size_t max_values, size_t max_pieces);
void fingerprints_free(struct fingerprints *);

enum value_form { FORM_PLAIN, FORM_REVERSED, FORM_ROT13, FORM_HEX, FORM_BASE64, FORM_BASE32, FORM_TWICE, FORM_UTF16, N_VALUE_FORMS };
/* "plain", "base64" …: for the audit. */
const char *value_form_word(enum value_form);

/*
 * Remembers a value that came from `path`, and the secrets in it (the password of an address, the fields of a JSON text or of lines
 * KEY=VALUE, the body of a PEM). What is not worth it (guards/variety.h) is left out. Known values only live longer. E_FULL: what was
 * given would have to be forgotten; nothing that may hold a secret must go on then. E_NOMEM.
 */
enum err fingerprints_learn(struct fingerprints *, struct slice value, struct slice path, enum variety_of, uint64_t expires_ms,
	uint64_t now_ms, struct arena *);

/* What the name a value stands under, or the last segment of its path, says of it. */
enum variety_of variety_by_name(struct slice name);

struct value_found {
	struct slice path;     /* where it was read; borrowed from the fingerprints */
	enum value_form form;
	bool part;             /* a fragment of it */
	size_t from, to;       /* of the scanned text */
};

/* Nothing is remembered: nothing need be scanned. */
bool fingerprints_empty(const struct fingerprints *);
/* Some value is known by its signs alone: a text with signs is to be scanned too. */
bool fingerprints_want_signs(const struct fingerprints *);
/*
 * Calls `each` for what is found in a bare text, in order of anchors, until it returns false. E_TOO_BIG when the text asks for more
 * work than its length allows: it is then as good as found. Linear. Of a long text it rests now and then: values that come or go meanwhile
 * may be missed or found, and `path` is good inside of `each` alone.
 */
enum err fingerprints_scan(const struct fingerprints *, struct slice bare, uint64_t now_ms, bool (*each)(void *ctx, const struct value_found *),
	void *ctx, struct arena *);

size_t fingerprints_values(const struct fingerprints *);
size_t fingerprints_pieces(const struct fingerprints *);
/* Bytes in use, all told. */
size_t fingerprints_bytes(const struct fingerprints *);

#endif
