/*
 * What the name of an unknown tool says it does. The words are the catalog's vocabulary; a word that is in no list is a
 * noun, and a name without any verb says nothing at all.
 */
#include "guards/facts.h"

#define MAX_WORD 64

struct word_counts {
	size_t reads, lists, writes, runs, mints;
	bool joined;           /* the word before was `and`, `or`, `then` */
	bool doubtful;         /* … and the one behind it is no word we know */
};

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || is_upper(c) || (c >= '0' && c <= '9');
}

/* Where a capital follows a small letter, or stands before one behind capitals: get|Secret, SQL|Query. */
static bool begins_word(struct slice s, size_t at)
{
	bool small_next = at + 1 < s.n && s.p[at + 1] >= 'a' && s.p[at + 1] <= 'z';

	return is_upper(s.p[at]) && (!is_upper(s.p[at - 1]) || small_next);
}

/* Cuts the next word off *rest: at everything that is no letter, and between capitals and small letters. */
static struct slice cut_word(struct slice *rest)
{
	size_t from = 0;

	while (from < rest->n && !is_letter(rest->p[from]))
		from++;
	size_t to = from;
	while (to < rest->n && is_letter(rest->p[to]) && (to == from || !begins_word(*rest, to)))
		to++;
	struct slice word = slice_make(rest->p + from, to - from);
	*rest = slice_from(*rest, to);
	return word;
}

static bool is_one_of(struct slice word, const char *const *list)
{
	for (; *list; list++)
		if (slice_eq_nocase(word, slice_of(*list)))
			return true;
	return false;
}

/* Reading words that give names, not values. */
static bool is_list_word(struct slice word)
{
	static const char *const words[] = { "list", "ls", "search", "find", "enumerate", "browse", "count", "query",
		NULL };

	return is_one_of(word, words);
}

static bool is_plain_noun(struct slice word)
{
	static const char *const words[] = { "secret", "secrets", "value", "values", "metadata", "version", "versions",
		"key", "keys", "policy", "policies", "credential", "credentials", "status", "info", "details", NULL };

	return is_one_of(word, words);
}

static bool is_join(struct slice word)
{
	static const char *const words[] = { "and", "or", "then", "else", NULL };

	return is_one_of(word, words);
}

static void count_word(struct word_counts *c, const struct vocabulary *v, struct slice word)
{
	bool reads = words_have(&v->reads, word), writes = words_have(&v->writes, word),
		runs = words_have(&v->runs, word);

	if (c->joined && !reads && !writes && !runs && !is_plain_noun(word))
		c->doubtful = true;
	c->joined = is_join(word);
	c->runs += runs;
	c->mints += words_have(&v->mints, word);
	c->writes += writes && !runs;
	c->reads += reads && !writes && !runs;
	c->lists += reads && !writes && !runs && is_list_word(word);
}

/* `run_query`, `check_out`, `look_up`, `session_token` stand in the lists as one word. */
static void count_pair(struct word_counts *c, const struct vocabulary *v, struct slice first, struct slice second)
{
	char room[2 * MAX_WORD];

	if (first.n == 0 || first.n > MAX_WORD || second.n > MAX_WORD)
		return;
	memcpy(room, first.p, first.n);
	memcpy(room + first.n, second.p, second.n);
	struct slice both = slice_make(room, first.n + second.n);
	c->runs += words_have(&v->runs, both);
	c->writes += words_have(&v->writes, both);
	c->reads += words_have(&v->reads, both);
	c->mints += words_have(&v->mints, both);
}

enum action generic_action(const struct vocabulary *v, struct slice name, bool *executor)
{
	struct word_counts c = { 0 };
	struct slice rest = name, before = { NULL, 0 };

	for (struct slice word = cut_word(&rest); word.n; word = cut_word(&rest)) {
		count_word(&c, v, word);
		count_pair(&c, v, before, word);
		before = word;
	}
	*executor = c.runs > 0;
	if (c.runs)
		return ACT_ADMIN;
	if (c.writes || (c.doubtful && c.reads))
		return ACT_WRITE;
	if (!c.reads)
		return ACT_UNKNOWN;
	if (c.lists == c.reads)
		return ACT_LIST;
	return c.mints ? ACT_ISSUE : ACT_READ;
}

/*
 * A tool no catalog describes may write and yet answer with a value: one that makes it, or hands it out on the way. Its
 * name tells; asked only where the words of the name are all that is known.
 */
bool generic_hands_out(struct slice name)
{
	static const char *const WORDS[] = { "generate", "create", "issue", "mint", "rotate", "refresh", "renew", "unwrap", "decrypt",
		"export", "login", "provision", "request", "redeem", "lease", "unseal", "init", "new", "make", "get", "read", "fetch",
		"copy", "clone", "reveal", "reset", "check", NULL };

	for (const char *const *w = WORDS; *w; w++)
		for (size_t i = 0; i + strlen(*w) <= name.n; i++)
			if (slice_eq_nocase(slice_head(slice_from(name, i), strlen(*w)), slice_of(*w)))
				return true;
	return false;
}
