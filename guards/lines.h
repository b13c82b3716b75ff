/*
 * A list in prose, taken apart by a catalog's pattern (`out: {as: lines, line: …}`): lines go whole, and the number that
 * counts them follows.
 */
#ifndef NARROWGATE_GUARDS_LINES_H
#define NARROWGATE_GUARDS_LINES_H

#include "guards/doc.h"
#include "policy/catalog.h"

struct lines {
	struct doc *doc;
	const struct out_rule *out;
	const char *group;                                   /* "path", "tenant": what is judged */
	bool (*outside)(void *ctx, struct slice text);       /* a match's group */
	bool (*gap_outside)(void *ctx, struct slice line);   /* a line no match covers */
	void *ctx;
	uint64_t cut;
};

/* The first word of a line that is written as an item of a list, `- word …`, `2. word …`; empty when it is none. */
struct slice lines_item(struct slice line);
/* E_INVALID: the pattern ran away, and nothing is known of the text. E_NOMEM. */
enum err lines_filter(struct lines *);

#endif
