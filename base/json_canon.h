/*
 * One spelling for every JSON text that means the same: members in the order of their decoded names (bytes), strings with no escape that
 * need not be, no white space. Numbers keep their text: 1 and 1.0 stay two things.
 */
#ifndef NARROWGATE_BASE_JSON_CANON_H
#define NARROWGATE_BASE_JSON_CANON_H

#include "base/json.h"

/* Adds the value at `tok` in that spelling to `out`. E_NOMEM, E_TOO_BIG: part of it may be there. */
enum err json_canon(const struct json *, uint32_t tok, struct buf *out, struct arena *);

#endif
