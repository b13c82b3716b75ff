#include "guards/look.h"

#include "base/utf8.h"

struct look_word {
	const char *word;
	enum look look;
};

/* Folded: lower case, letters and digits only. */
static const struct look_word words[] = {
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

/* What a compound name ends in: secretPath, path_prefix, x-tenant-id. */
static const struct look_word tails[] = {
	{ "path", LOOK_PATH },
	{ "paths", LOOK_PATH },
	{ "uri", LOOK_PATH },
	{ "uris", LOOK_PATH },
	{ "pathpattern", LOOK_PREFIX },
	{ "pathpatterns", LOOK_PREFIX },
	{ "prefix", LOOK_PREFIX },
	{ "prefixes", LOOK_PREFIX },
	{ "glob", LOOK_PREFIX },
	{ "folder", LOOK_FOLDER },
	{ "folders", LOOK_FOLDER },
	{ "namespace", LOOK_FOLDER },
	{ "namespaces", LOOK_FOLDER },
	{ "directory", LOOK_FOLDER },
};

/* What the names of tenants are made of. */
static const struct look_word owners[] = {
	{ "tenant", LOOK_TENANT },
	{ "org", LOOK_TENANT },
	{ "organization", LOOK_TENANT },
	{ "organisation", LOOK_TENANT },
	{ "workspace", LOOK_TENANT },
	{ "partner", LOOK_PARTNER },
};

/* Folds into `out`, which holds LOOK_MAX_NAME bytes: of a longer name the end, which tells most. */
static struct slice fold_name(struct slice name, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			continue;
		if (n == LOOK_MAX_NAME)
			memmove(out, out + 1, --n);
		out[n++] = c;
	}
	return slice_make(out, n);
}

static enum look find_word(struct slice folded)
{
	size_t lo = 0, hi = sizeof words / sizeof *words;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct slice w = slice_of(words[mid].word);
		size_t n = w.n < folded.n ? w.n : folded.n;
		int order = memcmp(folded.p, w.p, n);

		if (order == 0 && w.n == folded.n)
			return words[mid].look;
		if (order < 0 || (order == 0 && folded.n < w.n))
			hi = mid;
		else
			lo = mid + 1;
	}
	return LOOK_NOTHING;
}

static enum look find_tail(struct slice folded)
{
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
		if (slice_ends(folded, slice_of(tails[i].word)))
			return tails[i].look;
	return LOOK_NOTHING;
}

static enum look owner_of(struct slice s)
{
	static const char *const ends[] = { "", "id", "ids", "name", "names", "slug" };

	for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
		struct slice word = slice_of(owners[i].word), end = slice_from(s, word.n);

		for (size_t e = 0; slice_starts(s, word) && e < sizeof ends / sizeof *ends; e++)
			if (slice_eq(end, slice_of(ends[e])))
				return owners[i].look;
	}
	return LOOK_NOTHING;
}

static enum look find_owner(struct slice folded)
{
	static const char *const heads[] = { "", "x", "target", "scai", "vault", "to", "from" };
	enum look l = LOOK_NOTHING;

	for (size_t h = 0; l == LOOK_NOTHING && h < sizeof heads / sizeof *heads; h++)
		if (slice_starts(folded, slice_of(heads[h])))
			l = owner_of(slice_from(folded, strlen(heads[h])));
	return l;
}

static enum look look_vocabulary(const struct vocabulary *v, struct slice name)
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

enum look look_name(const struct vocabulary *v, struct slice name)
{
	enum look l = v ? look_vocabulary(v, name) : LOOK_NOTHING;
	char room[LOOK_MAX_NAME];

	if (l != LOOK_NOTHING)
		return l;
	struct slice folded = fold_name(name, room);
	l = find_word(folded);
	if (l == LOOK_NOTHING)
		l = find_tail(folded);
	return l != LOOK_NOTHING ? l : find_owner(folded);
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

bool look_text_is_json(struct slice text)
{
	struct slice s = slice_trim(text);

	return s.n >= 2 && ((s.p[0] == '{' && s.p[s.n - 1] == '}') || (s.p[0] == '[' && s.p[s.n - 1] == ']'));
}
