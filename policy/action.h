/*
 * What a call does to the vault, in the words of the catalogs. One list; everything else derives from it.
 */
#ifndef NARROWGATE_POLICY_ACTION_H
#define NARROWGATE_POLICY_ACTION_H

#include "base/slice.h"

/* X(NAME, "word", passes read-only, answers carry values) */
#define ACTIONS(X)                       \
	X(LIST, "list", 1, 0)            \
	X(META, "meta", 1, 0)            \
	X(READ, "read", 1, 1)            \
	X(WRITE, "write", 0, 0)          \
	X(DELETE, "delete", 0, 0)        \
	X(ROTATE, "rotate", 0, 0)        \
	X(GRANT, "grant", 0, 0)          \
	X(SHARE, "share", 0, 0)          \
	X(LEASE, "lease", 1, 0)          \
	X(REDEEM, "redeem", 1, 1)        \
	X(APPROVE, "approve", 0, 0)      \
	X(TOKEN, "token", 0, 1)          \
	X(ISSUE, "issue", 0, 1)          \
	X(ADMIN, "admin", 0, 0)          \
	X(SCAN, "scan", 1, 0)

enum action {
	ACT_UNKNOWN, /* never passes where anything is narrowed */
#define X(name, word, ro, values) ACT_##name,
	ACTIONS(X)
#undef X
};

/* ACT_UNKNOWN when the word is none. */
enum action action_find(struct slice word);
const char *action_name(enum action a);
/* Passes under read_only. `token` also passes when every scope asked for is a read scope: that is the guard's to see. */
bool action_is_read_only(enum action a);
/* Its answers carry secret values: the whole answer is masked but for known metadata. */
bool action_bears_values(enum action a);

#endif
