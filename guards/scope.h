/*
 * Whether something an answer names lies inside the policy's paths: a path, a folder, a pattern, a URI, a sentence.
 * What cannot be brought to canonical form is outside.
 */
#ifndef NARROWGATE_GUARDS_SCOPE_H
#define NARROWGATE_GUARDS_SCOPE_H

#include "guards/guard.h"

struct scope {
	const struct view *view;
	const struct call *call;  /* NULL: the vault speaks by itself */
	struct origin rule;       /* of the last thing that was outside */
	bool nomem;
};

enum scope_as {
	SCOPE_ONE,     /* one secret; a folder when it ends in a slash */
	SCOPE_FOLDER,  /* inside when something allowed may lie below */
	SCOPE_PATTERN, /* `*` and `**` are wildcards */
};

bool scope_in(struct scope *, struct slice raw, enum scope_as);
/* The same for a text a catalog's template made: slashes that meet where its parts join count once. */
bool scope_joined_in(struct scope *, struct slice raw, enum scope_as);
/* By the catalog's resource templates; else by what stands behind `scheme://`. Web addresses are no paths. */
bool scope_uri_in(struct scope *, struct slice uri);
/* The tenants a URI names are the locked ones (or it names none). */
bool scope_uri_tenant_in(struct scope *, struct slice uri);
/* Whether a bare text looks like a path at all: a slash in it, in whatever spelling, and no line, address or number. */
bool scope_looks_like_path(struct slice text);
/* A bare text that looks like a path, a pattern, or a scope like secrets:read:ns/star. True when it is none of them. */
bool scope_bare_in(struct scope *, struct slice text);
/* The first word at or behind *from that looks like a path outside: text[*from .. *to). False when there is none. */
bool scope_word_outside(struct scope *, struct slice text, size_t *from, size_t *to);
/* No word of the sentence looks like a path outside. */
bool scope_sentence_in(struct scope *, struct slice text);
/*
 * No string at or below `tok` has a word outside, members' names included, but for those that `_meta` reserves
 * (`io.modelcontextprotocol/…`).
 */
bool scope_json_in(struct scope *, const struct json *, uint32_t tok);
/* The agent itself gave this text as (part of) its path. */
bool scope_was_asked(const struct scope *, struct slice text);

#endif
