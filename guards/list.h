/*
 * The guards, one row each, in the order they run: requests and answers are folded over the same list, first deny wins.
 * Cheap before dear; handles are resolved before paths are judged; answers are cut to tenant and paths before what is
 * left of them is masked. A guard that has no opinion about one side leaves that slot unset.
 */
#ifndef NARROWGATE_GUARDS_LIST_H
#define NARROWGATE_GUARDS_LIST_H

#include "guards/guard.h"
#include "guards/response.h"

#define GUARDS(X)       \
	X(actions)      \
	X(readonly)     \
	X(tenant)       \
	X(handles)      \
	X(paths)        \
	X(masked_input) \
	X(exfiltration) \
	X(lists)        \
	X(pinning)      \
	X(mask)         \
	X(redaction)    \
	X(cache)

extern const struct guard guard_actions;      /* docs/guards/actions.md */
extern const struct guard guard_readonly;     /* docs/guards/readonly.md */
extern const struct guard guard_tenant;       /* docs/guards/tenant.md */
extern const struct guard guard_handles;      /* docs/guards/handles.md */
extern const struct guard guard_paths;        /* docs/guards/paths.md */
extern const struct guard guard_pinning;      /* docs/guards/pinning.md */
extern const struct guard guard_exfiltration; /* docs/guards/exfiltration.md */
extern const struct guard guard_masked_input; /* docs/guards/masked-input.md */

#endif
