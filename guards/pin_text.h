/*
 * How a change of a definition is told: which members, and the first difference, short, with nothing in it that could be a secret.
 */
#ifndef NARROWGATE_GUARDS_PIN_TEXT_H
#define NARROWGATE_GUARDS_PIN_TEXT_H

#include "policy/pins.h"

/* The name, as it may be logged: cut, a URI's query left out. */
void pin_add_name(struct buf *out, enum pin_kind, struct slice name);
/*
 * `description changed: old "…" new "…"`, for each member that did. `old_text` is the pinned definition, empty where it was not kept: then the new one is shown
 * alone. Of resources, which are data, nothing is shown but the member's name.
 */
void pin_add_change(struct buf *out, enum pin_kind, const uint32_t old_marks[PIN_MEMBERS], struct slice old_text, const struct definition *now, struct arena *);

#endif
