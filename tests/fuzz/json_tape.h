/*
 * Our own reader's side of json_dump.h.
 */
#ifndef NARROWGATE_FUZZ_JSON_TAPE_H
#define NARROWGATE_FUZZ_JSON_TAPE_H

#include "base/json.h"
#include "json_dump.h"

struct tape_dump {
	const struct json *json;
	struct arena *arena;
	enum dump_numbers numbers;
	bool cut_at_nul; /* strings end at a U+0000, as they do for some */
	struct buf *out;
};

/* Adds the value at t. */
void tape_dump(const struct tape_dump *, uint32_t t);
/* The decoded string; ends the process when memory is out. */
struct slice tape_string(const struct tape_dump *, uint32_t t);

#endif
