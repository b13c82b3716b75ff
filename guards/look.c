#include "guards/look.h"

#include "base/utf8.h"
#include "guards/word.h"

/* Folded: lower case, letters and digits only. */
static const struct word words[] = {
	{ "alias", LOOK_KEY },
	{ "customerid", LOOK_TENANT },
	{ "dest", LOOK_KEY },
	{ "destination", LOOK_KEY },
	{ "dir", LOOK_FOLDER },
	{ "directory", LOOK_FOLDER },
	{ "dst", LOOK_KEY },
	{ "folder", LOOK_FOLDER },
	{ "folders", LOOK_FOLDER },
	{ "from", LOOK_KEY },
	{ "glob", LOOK_PREFIX },
	{ "globs", LOOK_PREFIX },
	{ "key", LOOK_KEY },
	{ "keys", LOOK_KEY },
	{ "location", LOOK_KEY },
	{ "mount", LOOK_FOLDER },
	{ "namespace", LOOK_FOLDER },
	{ "namespaces", LOOK_FOLDER },
	{ "newname", LOOK_KEY },
	{ "ns", LOOK_FOLDER },
	{ "org", LOOK_TENANT },
	{ "organisation", LOOK_TENANT },
	{ "organization", LOOK_TENANT },
	{ "parent", LOOK_KEY },
	{ "partner", LOOK_PARTNER },
	{ "partners", LOOK_PARTNER },
	{ "path", LOOK_PATH },
	{ "paths", LOOK_PATH },
	{ "pattern", LOOK_PREFIX },
	{ "patterns", LOOK_PREFIX },
	{ "prefix", LOOK_PREFIX },
	{ "prefixes", LOOK_PREFIX },
	{ "ptn", LOOK_PARTNER },
	{ "root", LOOK_KEY },
	{ "scope", LOOK_KEY },
	{ "scopes", LOOK_KEY },
	{ "secretid", LOOK_KEY },
	{ "secretids", LOOK_KEY },
	{ "secretname", LOOK_KEY },
	{ "secretnames", LOOK_KEY },
	{ "secretref", LOOK_KEY },
	{ "source", LOOK_KEY },
	{ "src", LOOK_KEY },
	{ "target", LOOK_KEY },
	{ "tenancy", LOOK_TENANT },
	{ "tenant", LOOK_TENANT },
	{ "tenants", LOOK_TENANT },
	{ "tnt", LOOK_TENANT },
	{ "to", LOOK_KEY },
	{ "uri", LOOK_PATH },
	{ "uris", LOOK_PATH },
	{ "workspace", LOOK_TENANT },
	{ "workspaces", LOOK_TENANT },
};

struct look_part {
	struct slice text;
	enum look look;
};

/* What a compound name ends in: secretPath, path_prefix, x-tenant-id. */
static const struct look_part tails[] = {
	{ { "path", 4 }, LOOK_PATH },
	{ { "paths", 5 }, LOOK_PATH },
	{ { "uri", 3 }, LOOK_PATH },
	{ { "uris", 4 }, LOOK_PATH },
	{ { "pathpattern", 11 }, LOOK_PREFIX },
	{ { "pathpatterns", 12 }, LOOK_PREFIX },
	{ { "prefix", 6 }, LOOK_PREFIX },
	{ { "prefixes", 8 }, LOOK_PREFIX },
	{ { "glob", 4 }, LOOK_PREFIX },
	{ { "folder", 6 }, LOOK_FOLDER },
	{ { "folders", 7 }, LOOK_FOLDER },
	{ { "namespace", 9 }, LOOK_FOLDER },
	{ { "namespaces", 10 }, LOOK_FOLDER },
	{ { "directory", 9 }, LOOK_FOLDER },
};

/* What the names of tenants are made of. */
static const struct look_part owners[] = {
	{ { "tenant", 6 }, LOOK_TENANT },
	{ { "org", 3 }, LOOK_TENANT },
	{ { "organization", 12 }, LOOK_TENANT },
	{ { "organisation", 12 }, LOOK_TENANT },
	{ { "workspace", 9 }, LOOK_TENANT },
	{ { "partner", 7 }, LOOK_PARTNER },
};

struct slice look_fold(struct slice name, char out[LOOK_MAX_NAME])
{
	static const bool kept[256] = { ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true };
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		if (!kept[(unsigned char)name.p[i]])
			continue;
		if (n == LOOK_MAX_NAME)
			memmove(out, out + 1, --n);
		out[n++] = (char)(name.p[i] | 0x20); /* a digit has that bit already */
	}
	return slice_make(out, n);
}

static enum look find_word(struct slice folded)
{
	const struct word *w = word_find(words, sizeof words / sizeof *words, folded);

	return w ? (enum look)w->means : LOOK_NOTHING;
}

/* Whether one of `tails` could be the tail. */
static bool may_have_tail(struct slice folded)
{
	switch (word_last_pair(folded)) {
	case WORD_PAIR('t', 'h'):
	case WORD_PAIR('h', 's'):
	case WORD_PAIR('r', 'i'):
	case WORD_PAIR('i', 's'):
	case WORD_PAIR('r', 'n'):
	case WORD_PAIR('n', 's'):
	case WORD_PAIR('i', 'x'):
	case WORD_PAIR('e', 's'):
	case WORD_PAIR('o', 'b'):
	case WORD_PAIR('e', 'r'):
	case WORD_PAIR('r', 's'):
	case WORD_PAIR('c', 'e'):
	case WORD_PAIR('r', 'y'):
		return true;
	default:
		return false;
	}
}

static enum look find_tail(struct slice folded)
{
	if (!may_have_tail(folded))
		return LOOK_NOTHING;
	for (size_t i = 0; folded.n && i < sizeof tails / sizeof *tails; i++)
		if (word_ends(folded, tails[i].text))
			return tails[i].look;
	return LOOK_NOTHING;
}

/* Whether one of `owners` could stand at the front; for a letter of either case. */
static inline bool may_begin_owner(char c)
{
	c |= 0x20;
	return c == 't' || c == 'o' || c == 'w' || c == 'p';
}

static enum look owner_of(struct slice s)
{
	static const struct slice ends[] = { { "", 0 }, { "id", 2 }, { "ids", 3 }, { "name", 4 }, { "names", 5 },
		{ "slug", 4 },
		{ "uuid", 4 }, { "ref", 3 }, { "code", 4 }, { "override", 8 } };

	if (s.n == 0 || !may_begin_owner(s.p[0]))
		return LOOK_NOTHING;
	for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
		if (!word_starts(s, owners[i].text))
			continue;
		for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
			if (slice_eq(slice_from(s, owners[i].text.n), ends[e]))
				return owners[i].look;
	}
	return LOOK_NOTHING;
}

static enum look find_owner(struct slice folded)
{
	static const struct slice heads[] = { { "x", 1 }, { "target", 6 }, { "scai", 4 }, { "vault", 5 }, { "to", 2 }, { "from", 4 } };
	enum look l = owner_of(folded);

	for (size_t h = 0; folded.n && l == LOOK_NOTHING && h < sizeof heads / sizeof *heads; h++)
		if (word_starts(folded, heads[h]))
			l = owner_of(slice_from(folded, heads[h].n));
	return l;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool begins_word(struct slice s, size_t at)
{
	bool upper = s.p[at] >= 'A' && s.p[at] <= 'Z', after_lower = s.p[at - 1] >= 'a' && s.p[at - 1] <= 'z';

	return is_letter(s.p[at]) && (!is_letter(s.p[at - 1]) || (upper && after_lower));
}

/* com.example/tenant, actingTenant: whatever stands before it, as long as it is a word of its own. */
static enum look find_owner_word(struct slice name)
{
	char room[LOOK_MAX_NAME];
	enum look l = LOOK_NOTHING;

	if (name.n > LOOK_MAX_NAME)
		name = slice_from(name, name.n - LOOK_MAX_NAME);
	for (size_t i = 1; i < name.n && l == LOOK_NOTHING; i++)
		if (may_begin_owner(name.p[i]) && begins_word(name, i))
			l = owner_of(look_fold(slice_from(name, i), room));
	return l;
}

enum look look_vocabulary(const struct vocabulary *v, struct slice name)
{
	const struct {
		const struct words *words;
		enum look look;
	} lists[] = {
		{ &v->tenants, LOOK_TENANT }, { &v->partners, LOOK_PARTNER }, { &v->paths, LOOK_PATH },
		{ &v->prefixes, LOOK_PREFIX }, { &v->folders, LOOK_FOLDER }, { &v->keys, LOOK_KEY },
		{ &v->values, LOOK_VALUE }, { &v->harmless, LOOK_HARMLESS },
	};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (lists[i].words->n && words_have(lists[i].words, name))
			return lists[i].look;
	return LOOK_NOTHING;
}

enum look look_word(struct slice name)
{
	char room[LOOK_MAX_NAME];
	struct slice folded = look_fold(name, room);
	enum look l = find_word(folded);

	if (l == LOOK_NOTHING)
		l = find_tail(folded);
	if (l == LOOK_NOTHING)
		l = find_owner(folded);
	return l != LOOK_NOTHING ? l : find_owner_word(name);
}

/* A bare word is a path where the policy speaks of it. */
static bool starts_prefix(const struct prefixes *list, struct slice text)
{
	for (size_t i = 0; i < list->n; i++) {
		struct slice p = list->v[i].path.folded;

		if (text.n && p.n >= text.n && (p.n == text.n || p.p[text.n] == '/') &&
			slice_eq_nocase(slice_head(p, text.n), text))
			return true;
	}
	return false;
}

bool look_text_is_path(const struct policy *policy, struct slice text)
{
	for (size_t i = 0; i < text.n;) {
		uint32_t c = utf8_next(text, &i);

		if (c == '/' || c == '\\' || c == '*' || c == '%' || (c == '.' && i < text.n && text.p[i] == '.'))
			return true;
		if (c >= 0x80 && (utf8_is_invisible(c) || utf8_is_separator_lookalike(c)))
			return true;
	}
	return slice_find(text, SL("://")) >= 0 || starts_prefix(&policy->allowed, text) ||
		starts_prefix(&policy->denied, text);
}

bool look_text_is_tenant(struct slice text)
{
	static const char *const heads[] = { "tnt", "tenant", "ptn", "partner", "org", "organization", "workspace",
		"wsp" };

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		size_t n = strlen(heads[i]);

		if (text.n > n && memchr("_:-=/", text.p[n], 5) &&
			slice_eq_nocase(slice_head(text, n), slice_of(heads[i])))
			return true;
	}
	return false;
}

/* Behind the opening quote: a bracket, or the escape of another quote. */
static bool is_quoted_json(struct slice s)
{
	size_t i = 1;

	while (i < s.n && s.p[i] == ' ')
		i++;
	return s.p[0] == '"' && s.p[s.n - 1] == '"' && (s.p[i] == '{' || s.p[i] == '[' || s.p[i] == '\\');
}

bool look_text_is_json(struct slice text)
{
	struct slice s = slice_trim(text);

	if (s.n < 2)
		return false;
	return (s.p[0] == '{' && s.p[s.n - 1] == '}') || (s.p[0] == '[' && s.p[s.n - 1] == ']') || is_quoted_json(s);
}
