/*
 * UTF-8 and the few Unicode facts the guards need. Works on valid UTF-8 (what the JSON reader lets through).
 */
#ifndef NARROWGATE_BASE_UTF8_H
#define NARROWGATE_BASE_UTF8_H

#include <stdint.h>
#include "base/arena.h"
#include "base/slice.h"

/* Whether s is valid UTF-8: no overlong form, no surrogate, nothing over U+10FFFF. */
bool utf8_valid(struct slice s);
bool utf8_is_ascii(struct slice s);
/* Bytes of the character that s begins with; 0 when s is empty or does not begin with a valid one. */
size_t utf8_length(struct slice s);
/* Decodes the code point at s.p[*i] of valid UTF-8 and steps *i over it. */
uint32_t utf8_next(struct slice s, size_t *i);

/* Characters nobody sees: zero width, soft hyphen, bidi controls, tags, variation selectors, fillers. */
bool utf8_is_invisible(uint32_t c);
/* Characters that look like, or normalise to, `/`, `\` or `.`: U+FF0F U+2044 U+2215 U+29F8 U+FF3C U+FF0E U+2024 U+2025 U+2026 … */
bool utf8_is_separator_lookalike(uint32_t c);

/* Canonical composition (NFC). ASCII comes back as it is; else a copy in the arena. {NULL,0} when memory is out or s is not UTF-8. */
struct slice utf8_nfc(struct slice s, struct arena *);
/*
 * The folded copy that denied names are compared on: NFKC, case folded, invisible characters dropped, look-alike letters
 * (Cyrillic, Greek … after Unicode TS #39, a small table of ours) mapped to the ASCII letter they imitate.
 * It only ever makes more texts equal. {NULL,0} when memory is out or s is not UTF-8.
 */
struct slice utf8_fold(struct slice s, struct arena *);

#endif
