/*
 * Arguments written by guards: a tenant filled in, a flag forced. Knows where the arguments of a nested call stand.
 */
#ifndef NARROWGATE_GUARDS_EDIT_H
#define NARROWGATE_GUARDS_EDIT_H

#include "guards/guard.h"

/*
 * Sets the argument `name` to the JSON text `raw`, whether it was there or not. E_NOMEM; E_INVALID where it cannot be
 * written back.
 */
enum err call_set_arg(struct call *, struct slice name, struct slice raw, struct arena *);
/* The same with a text, which is quoted. */
enum err call_set_text(struct call *, struct slice name, struct slice text, struct arena *);
/* The same in the arguments a completion/complete calls filled in already. E_NOMEM. */
enum err call_set_context(struct call *, struct slice name, struct slice text, struct arena *);
/* The argument's value as JSON text; empty when it is absent. */
struct slice call_arg_source(const struct call *, struct slice name);
/*
 * Writes the message with all edits: the original bytes where there are none. The result lives in the arena. E_NOMEM,
 * E_TOO_BIG.
 */
enum err call_render(struct call *, struct arena *, struct slice *out);
/* The same for any message. `room` is how much it may grow. */
enum err edits_render(const struct json *, const struct json_edits *, size_t room, struct arena *, struct slice *out);

#endif
