/* What an argument may hold by its name, and whether two names are one to a vault that reads them loosely. */
#include "guards/look.h"

#include "base/utf8.h"
#include "guards/word.h"

bool look_is_verb(struct slice name)
{
	static const char *const verbs[] = { "action", "actions", "actionname", "actiontype", "cmd", "command",
		"httpmethod", "httpverb", "method", "op", "operation", "operations", "operationname", "operationtype",
		"requestmethod", "subcommand", "verb", NULL };
	char room[LOOK_MAX_NAME];

	return word_among(look_fold(name, room), verbs);
}

bool look_is_script(struct slice name)
{
	static const char *const scripts[] = { "bash", "clicommand", "cmdline", "commandline", "cypher", "graphql",
		"script", "shell", "sql", "sqlquery", NULL };
	char room[LOOK_MAX_NAME];

	return word_among(look_fold(name, room), scripts);
}

bool look_is_deed(struct slice name)
{
	static const char *const deeds[] = { "create", "delete", "destroy", "overwrite", "purge", "remove", "revoke",
		"rotate", "update", "wipe", "write", NULL };
	size_t n = 0;

	while (n < name.n &&
	        ((name.p[n] >= 'a' && name.p[n] <= 'z') || (name.p[n] >= 'A' && name.p[n] <= 'Z' && n == 0)))
		n++;
	/* All capitals: the word ends where the letters do. */
	if (n == 1)
		while (n < name.n && name.p[n] >= 'A' && name.p[n] <= 'Z')
			n++;
	char room[LOOK_MAX_NAME];
	return word_among(look_fold(slice_head(name, n), room), deeds);
}

/* policy_id, policyId, id: the letters before must end there, or `paid` were one. */
static bool is_id(struct slice name, struct slice folded)
{
	static const char *const ends[] = { "_id", "-id", "Id", "ID", "_ids", "-ids", "Ids", "IDs" };
	static const char *const whole[] = { "id", "ids", "uuid", "uuids", NULL };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (slice_ends(name, slice_of(ends[i])))
			return true;
	return word_among(folded, whole);
}

bool look_is_item_id(struct slice name)
{
	static const char *const ids[] = { "arn", "credentialid", "entryid", "guid", "handle", "id", "ids", "itemid", "objectid",
		"recordid", "ref", "reference", "secretuuid", "uuid", "uuids", NULL };
	char room[LOOK_MAX_NAME];

	return word_among(look_fold(name, room), ids);
}

enum look_holds look_holds(struct slice name)
{
	static const char *const numbers[] = { "rev", "revision", "revisions", "secretversion", "version", "versionid",
		"versionnumber", "versions", NULL };
	static const char *const words[] = { "backend", "binding", "count", "engine", "environment", "limit", "role",
		"ttl", NULL };
	static const char *const prose[] = { "comment", "cursor", "description", "nextcursor", "note", "notes",
		"pagetoken", "purpose", "reason", NULL };
	static const char *const objects[] = { "config", "delivery", "options", "parameters", "params", "settings",
		NULL };
	char room[LOOK_MAX_NAME];
	struct slice folded = look_fold(name, room);

	if (word_among(folded, numbers))
		return HOLDS_NUMBER;
	if (is_id(name, folded) || word_among(folded, words))
		return HOLDS_WORD;
	if (word_among(folded, prose))
		return HOLDS_PROSE;
	return word_among(folded, objects) ? HOLDS_OBJECT : HOLDS_ANYTHING;
}

bool look_text_is_number(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return text.n > 0;
}

bool look_text_is_word(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < ' ' || c == 0x7F || strchr("/\\%?#", c) || (c == '.' && i + 1 < text.n && text.p[i + 1] == '.'))
			return false;
	}
	for (size_t i = 0; i < text.n;)
		if (utf8_is_separator_lookalike(utf8_next(text, &i)))
			return false;
	return true;
}

bool look_same_name(struct slice a, struct slice b, struct arena *arena)
{
	char one[LOOK_MAX_NAME], other[LOOK_MAX_NAME];

	if (!utf8_is_ascii(a)) {
		a = utf8_fold(a, arena);
		if (!a.p)
			return true; /* without memory nobody can say that they differ */
	}
	return slice_eq(look_fold(a, one), look_fold(b, other));
}
