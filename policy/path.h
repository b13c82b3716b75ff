/*
 * Paths of secrets: one canonical form, matched by whole segments (threats.md PATH). Never decodes to be helpful.
 */
#ifndef NARROWGATE_POLICY_PATH_H
#define NARROWGATE_POLICY_PATH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* Why a path was refused; `path_fault_text` says it in words an agent can act on. */
#define PATH_FAULTS(X)                                                  \
	X(OK, "ok")                                                     \
	X(EMPTY, "the path is empty")                                   \
	X(SLASHES, "an empty segment (double slash)")                   \
	X(DOTS, "a `.` or `..` segment")                                \
	X(PERCENT, "percent or unicode escapes")                        \
	X(BACKSLASH, "a backslash")                                     \
	X(CONTROL, "a control character")                               \
	X(INVISIBLE, "an invisible character")                          \
	X(LOOKALIKE, "a look-alike of a slash or a dot")                \
	X(SCHEME, "a URI scheme")                                       \
	X(SPACE, "leading or trailing space")                           \
	X(SUFFIX, "a query, fragment or parameter")                     \
	X(WILDCARD, "a wildcard")                                       \
	X(LIST, "a comma or bar, which some vaults read as several paths")     \
	X(ENCODING, "not valid UTF-8")                                  \
	X(TYPE, "not a string")                                         \
	X(SPELLING, "an outer slash, or letters that are not composed (NFC)") \
	X(TOO_LONG, "too long")                                         \
	X(NOMEM, "out of memory")

enum path_fault {
#define X(name, text) PATH_##name,
	PATH_FAULTS(X)
#undef X
};
const char *path_fault_text(enum path_fault f);

/* What an argument that names a path may reach. */
enum path_covers {
	COVERS_ONE,    /* exactly one secret */
	COVERS_PREFIX, /* everything below */
	COVERS_GLOB,   /* a pattern: `*` and `**` */
};

struct path {
	struct slice text;   /* canonical: NFC, no outer slash */
	struct slice folded; /* case, confusables and width folded: what denied prefixes match on */
};

#define PATH_MAX_BYTES 2048

/*
 * Brings `raw` to canonical form. One leading and one trailing slash are dropped. `allow_empty` accepts "" and "/" (the
 * root, for lists and prefixes), which become the empty path. Results live in the arena (or are the raw bytes).
 */
enum path_fault path_canonical(struct path *out, struct slice raw, bool allow_empty, struct arena *);

/*
 * The fixed part of a glob: `prod/db/star` -> `prod/db`, rest true when a wildcard followed. Wildcards are `*` and `**`;
 * `?`, `[`, `{` are refused as PATH_WILDCARD.
 */
enum path_fault path_glob_base(struct path *out, struct slice raw, bool *wild, struct arena *);

/*
 * Whether `prefix` covers `path` by whole segments: `prod` covers `prod` and `prod/x`, never `prod-evil`. The empty prefix
 * covers all. Both canonical (or both folded).
 */
bool path_covers(struct slice prefix, struct slice path);

#endif
