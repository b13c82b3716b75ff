/*
 * What an agent may read of an error whose text must not go on: the vault's meaning in a sentence of ours (MASK-10), the
 * path it asked for, and what the catalog needs from error texts (approval ids).
 */
#ifndef NARROWGATE_GUARDS_ERROR_TEXT_H
#define NARROWGATE_GUARDS_ERROR_TEXT_H

#include "guards/guard.h"

/* The sentence, in the arena or static; {NULL,0} when memory is out. */
struct slice error_sentence(const struct view *, const struct call *, struct slice text);

#endif
