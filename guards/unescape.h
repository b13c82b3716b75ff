/*
 * Texts as who decodes them would read them: percent, `\x41`, `\u0041`, `\u{41}`, `0x41`, HTML entities. One round undoes one layer.
 */
#ifndef NARROWGATE_GUARDS_UNESCAPE_H
#define NARROWGATE_GUARDS_UNESCAPE_H

#include <stdint.h>
#include "base/arena.h"

/* Whether the text holds a sign that an escape begins with. */
bool unescape_possible(struct slice);
/* Whether there is something to undo. */
bool unescape_wanted(struct slice);
/* The text with every escape undone once, in the arena; bytes of any value. {NULL, 0} when memory is out. */
struct slice unescape(struct slice, struct arena *);

#endif
