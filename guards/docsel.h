/*
 * Catalog selectors over documents: like selector_each, but what stands behind json(…) is opened as a document, so that
 * it can be edited.
 */
#ifndef NARROWGATE_GUARDS_DOCSEL_H
#define NARROWGATE_GUARDS_DOCSEL_H

#include "guards/doc.h"
#include "policy/selector.h"

/*
 * Calls `each` for everything the selector finds below `root`, until it returns false; tokens are of the document given
 * with them. A string that had to be JSON and is
 * not is given to `broken` (which may be NULL). E_OK, E_NOMEM.
 */
enum err docsel_each(struct doc *, uint32_t root, const struct selector *,
	bool (*each)(void *ctx, struct doc *, const struct found *),
	bool (*broken)(void *ctx, struct doc *, uint32_t tok), void *ctx);

/* Marks the selected tokens and all below. */
enum err docsel_mark(struct doc *, uint32_t root, const struct selector *, unsigned marks);
/* Marks every container the selector passes through on its way, and nothing it finds. */
enum err docsel_mark_way(struct doc *, uint32_t root, const struct selector *, unsigned marks);

#endif
