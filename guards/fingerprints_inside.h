/*
 * Inside of the fingerprints: fingerprints.c keeps and finds pieces, fingerprints_forms.c makes them of one value,
 * fingerprints_parts.c takes a value apart into the secrets in it.
 */
#ifndef NARROWGATE_GUARDS_FINGERPRINTS_INSIDE_H
#define NARROWGATE_GUARDS_FINGERPRINTS_INSIDE_H

#include "guards/fingerprints.h"

#define ANCHOR 8        /* bytes by which a piece is found */
#define SPAN 12         /* bytes of a fragment */
#define SPAN_ANCHOR 2   /* where its anchor stands */
#define WHOLE_MAX 4096  /* bytes of a value that are compared as one piece */

/* The value of that bare text, if it is remembered: it then lives until `expires_ms` at least. */
bool fingerprints_renew(struct fingerprints *, struct slice bare, uint64_t expires_ms);
/* A new value, none of whose pieces are there yet; *id is its number. E_FULL, E_NOMEM. */
enum err fingerprints_begin(struct fingerprints *, struct slice bare, struct slice path, uint64_t expires_ms, uint64_t now_ms, uint32_t *id);
/* Room for n pieces more. E_FULL, E_NOMEM. */
enum err fingerprints_reserve(struct fingerprints *, size_t n, uint64_t now_ms);
/* The first SPAN bytes of `bare`. There must be room. */
void fingerprints_add_part(struct fingerprints *, uint32_t id, enum value_form, const char *bare);
/* The whole text, found by the eight bytes at `anchor`. There must be room. */
enum err fingerprints_add_whole(struct fingerprints *, uint32_t id, enum value_form, struct slice bare, size_t anchor);
/* What was begun could not be ended: it is no value. */
void fingerprints_undo(struct fingerprints *, uint32_t id);
void fingerprints_mark_signs(struct fingerprints *);

/* One text that is one secret, trimmed; `cost` as of variety_costs, 0 where it is public (fingerprints_forms.c). */
enum err fingerprints_add_forms(struct fingerprints *, struct slice text, const uint16_t *cost, struct slice path, uint64_t expires_ms,
	uint64_t now_ms, struct arena *);

#endif
