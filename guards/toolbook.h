/*
 * What one vault said its tools take: the argument names each input schema declares, and which of them headers repeat. A claim of the vault, used only to refuse less where a name and value look harmless. Owned by the upstream.
 */
#ifndef NARROWGATE_GUARDS_TOOLBOOK_H
#define NARROWGATE_GUARDS_TOOLBOOK_H

#include "base/err.h"
#include "base/json.h"
#include "guards/pinbook.h"
#include "mcp/mirror.h"

struct toolbook;

struct toolbook *toolbook_create(size_t max_tools);
void toolbook_free(struct toolbook *);

/*
 * Learns one tool object of a tools/list result (`name`, `inputSchema`). A name seen before with another schema keeps
 * the first. E_FULL, E_NOMEM.
 */
enum err toolbook_learn(struct toolbook *, const struct json *, uint32_t tool);
/* The whole list was seen at least once. */
void toolbook_set_complete(struct toolbook *, bool complete);
bool toolbook_complete(const struct toolbook *);
bool toolbook_knows(const struct toolbook *, struct slice tool);
/* Forgets all, to be read anew; the pins stay. */
void toolbook_clear(struct toolbook *);
/* The arguments of a tool that headers repeat (`x-mcp-header` in its input schema); *n is 0 where there are none. */
const struct mirror_param *toolbook_mirrors(const struct toolbook *, struct slice tool, size_t *n);
/*
 * Work of the vault's that bears values, and goes on after its call was answered (guards/tasks.h): known here from its beginning to
 * its end, or until it runs out. E_FULL, E_NOMEM.
 */
enum err toolbook_begin(struct toolbook *, struct slice work, uint64_t until_ms, uint64_t now_ms);
void toolbook_end(struct toolbook *, struct slice work);
bool toolbook_busy(const struct toolbook *, uint64_t now_ms);
/* Whether the tool's input schema declares the top-level argument. */
bool toolbook_declares(const struct toolbook *, struct slice tool, struct slice arg);
/* What the vault's lists showed first. */
struct pinbook *toolbook_pins(const struct toolbook *);
/* The pins of one go over to the other, of the same vault, and what that had is dropped. */
void toolbook_hand_pins(struct toolbook *from, struct toolbook *to);

#endif
