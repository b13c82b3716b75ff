/*
 * What one vault showed of its tools, prompts, resources and templates: each one's first definition, which is its pin for as long as
 * the process runs, and the one it showed last. Owned by the toolbook; bounded, since a vault may make up names without end.
 */
#ifndef NARROWGATE_GUARDS_PINBOOK_H
#define NARROWGATE_GUARDS_PINBOOK_H

#include "policy/pins.h"

struct pinbook;

#define PINBOOK_LINE_BYTES 1024

/* `max_tools`: how many names of a kind are remembered; of resources, which are as many as secrets, several times that. NULL: no memory. */
struct pinbook *pinbook_create(size_t max_tools);
void pinbook_free(struct pinbook *);

enum pin_state {
	PIN_UNSEEN,  /* never shown here, so that nothing can be said of it */
	PIN_SAME,    /* last shown as it is pinned */
	PIN_CHANGED, /* last shown as something else */
	PIN_FULL,    /* neither shown nor accepted, or shown when there was no room for another */
};

/*
 * Takes note of one page of a list, an array of definitions. Of several of one name the first counts. `accepted` (NULL: none) is what
 * the operator has accepted: there it is the pin, whatever was shown first. E_NOMEM.
 */
enum err pinbook_learn(struct pinbook *, const struct pins *accepted, enum pin_kind, const struct json *, uint32_t array);
enum pin_state pinbook_state(const struct pinbook *, const struct pins *accepted, enum pin_kind, struct slice name);
/* Whether an item of a list is what it is pinned as. */
bool pinbook_agrees(const struct pinbook *, const struct pins *accepted, enum pin_kind, const struct definition *);
/* Whether all of this page is known to be as it is pinned, without reading it: its bytes were seen before. */
bool pinbook_knows_page(const struct pinbook *, const struct pins *accepted, enum pin_kind, struct slice bytes);

/*
 * What is to be told the operator, oldest first: a line without its end, of at most PINBOOK_LINE_BYTES, safe to be logged: one for
 * each change, not for each list. Empty: nothing more. Valid until the next call.
 */
struct slice pinbook_tell(struct pinbook *);

#endif
