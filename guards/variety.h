/*
 * How much there is to guess in a text, and whether it is worth remembering: the line between a secret and a word like any other
 * (docs/guards/exfiltration.md, "What is remembered"). An estimate for deciding what would cause false alarms; no proof of strength.
 */
#ifndef NARROWGATE_GUARDS_VARIETY_H
#define NARROWGATE_GUARDS_VARIETY_H

#include <stdint.h>
#include "base/slice.h"

/* Costs are in eighths of a bit. */
#define VARIETY_BIT 8

/*
 * What each byte adds, given the ones before it: a letter that often follows its neighbour 1.5 bits, a rare pair 4, a digit 3.3, a
 * change of case or kind more. `cost` has text.n entries; returns their sum.
 */
uint32_t variety_costs(struct slice text, uint16_t *cost);

/* What is known of where the text stood. */
enum variety_of {
	VARIETY_OTHER, /* an answer that bears values held it, under a name that says nothing */
	VARIETY_VALUE, /* the catalog, or the name it stood under, calls it a value */
	VARIETY_NAMED, /* its name, or the last segment of its path, says password, token, key … */
};

#define VARIETY_MIN_BYTES 8

/*
 * Whether it is remembered. Never: fewer than eight bytes or four different ones, numbers of fewer than twelve digits, what reads like
 * a host, address, e-mail, date, version, plain name. Bits asked for: 18 where named, 20 for a value, 64 else. `cost` as above, filled.
 */
bool variety_is_worth(struct slice text, enum variety_of, uint16_t *cost);

#endif
