/*
 * Member names of big objects, and of those whose names hold escapes: a keyed hash set over the decoded names, so that
 * no choice of names makes it slow.
 */
#include "base/digest.h"
#include "base/json_parts.h"

/* An empty set with room for `count` names, at most half full. */
static enum err names_clear(struct json_names *s, uint32_t count, struct arena *a)
{
	uint32_t cap = 16;

	while (cap < 2 * count)
		cap *= 2;
	if (!s->keyed) {
		digest_random(s->key, sizeof(s->key));
		s->keyed = true;
	}
	s->mask = cap - 1;
	if (cap <= s->room) {
		memset(s->slot, 0, cap * sizeof(*s->slot));
		return E_OK;
	}
	s->slot = arena_array(a, cap, sizeof(*s->slot));
	s->room = s->slot ? cap : 0;
	return s->slot ? E_OK : E_NOMEM;
}

static enum err names_add(struct json_names *s, const struct json *j, uint32_t tok, struct arena *a)
{
	struct slice name = json_string(j, tok, a);
	uint32_t at;

	if (!name.p)
		return E_NOMEM;
	at = (uint32_t)digest_sip(s->key, name) & s->mask;
	for (; s->slot[at]; at = (at + 1) & s->mask)
		if (json_string_eq(j, s->slot[at], name))
			return E_DUPLICATE;
	s->slot[at] = tok;
	return E_OK;
}

enum err json_names_differ(struct json_names *s, const struct json *j, uint32_t obj, struct arena *a, uint32_t *twin)
{
	enum err e = names_clear(s, j->tok[obj].count, a);

	for (uint32_t t = json_first(j, obj); e == E_OK && t < j->tok[obj].next; t = j->tok[t + 1].next) {
		*twin = t;
		e = names_add(s, j, t, a);
	}
	return e;
}
