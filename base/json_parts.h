/*
 * What the files of the JSON reader share with each other, and with nobody else.
 */
#ifndef NARROWGATE_BASE_JSON_PARTS_H
#define NARROWGATE_BASE_JSON_PARTS_H

#include "base/json.h"

/* Whether a number (of valid grammar) is finite as a double, with a margin of the last digit. Underflow is no fault. */
bool json_number_finite(struct slice number);

/* A set of names, kept between the objects of one text; zero is empty. The memory is the arena's. */
struct json_names {
	uint32_t *slot; /* indices of name tokens; 0 is free, since token 0 is never a name */
	uint32_t room;  /* slots there are */
	uint32_t mask;  /* slots in use for this object, a power of two, less one */
	bool keyed;
	uint64_t key[2];
};

/* Whether the names of a finished object all differ, decoded. E_DUPLICATE: *twin is the second name. E_NOMEM. */
enum err json_names_differ(struct json_names *, const struct json *, uint32_t obj, struct arena *, uint32_t *twin);

#endif
