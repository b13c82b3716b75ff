/*
 * Whether an answer that was masked or filtered still satisfies the output schema its tool declares.
 */
#ifndef NARROWGATE_GUARDS_SCHEMA_H
#define NARROWGATE_GUARDS_SCHEMA_H

#include "guards/guard.h"

/*
 * True when the schema asks for something a marker, a zero or a missing item may not give (enum, pattern, minItems …), or
 * is written in a way that cannot be told: the schema is then better not shown. `rule` may be NULL.
 */
bool schema_breaks(const struct view *, const struct rule *, struct slice tool, const struct json *, uint32_t schema);

#endif
