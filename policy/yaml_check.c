/* What callers ask of a tree that was read: known keys, kinds, booleans, texts. */
#include "policy/yaml.h"
#include <stdint.h>

#define MAX_WORD 64 /* bytes compared; longer names are no typing mistake of ours */

/* Letters compared without case, and `-` like `_`: the most common slips cost nothing. */
static char plain_letter(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + ('a' - 'A'));
	return c == '-' ? '_' : c;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance in which two swapped neighbours count as one mistake. Both at most MAX_WORD bytes. */
static size_t distance(struct slice a, struct slice b)
{
	size_t rows[3][MAX_WORD + 1];

	for (size_t j = 0; j <= b.n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *now = rows[i % 3];
		const size_t *before = rows[(i + 2) % 3];
		const size_t *two_before = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			char x = plain_letter(a.p[i - 1]), y = plain_letter(b.p[j - 1]);

			now[j] = least(least(before[j] + 1, now[j - 1] + 1), before[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == plain_letter(b.p[j - 2]) && y == plain_letter(a.p[i - 2]))
				now[j] = least(now[j], two_before[j - 2] + 1);
		}
	}
	return rows[a.n % 3][b.n];
}

/* How many mistakes a word of this length may hold and still be meant. */
static size_t tolerance(size_t n)
{
	return n < 3 ? 1 : n < 6 ? 2 : n / 3 + 1;
}

const char *yaml_nearest(struct slice word, const char *const *names)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	if (word.n == 0 || word.n > MAX_WORD)
		return NULL;
	for (; *names; names++) {
		struct slice name = slice_head(slice_of(*names), MAX_WORD);
		size_t d = distance(word, name);

		if (d > tolerance(word.n)) {
			/* `allowed` for `allowed_paths`: a beginning is meant too, but less surely than a slip. */
			if (word.n < 4 || name.n <= word.n || !slice_eq_nocase(slice_head(name, word.n), word))
				continue;
			d = MAX_WORD + name.n - word.n;
		}
		if (d < best_distance) {
			best = *names;
			best_distance = d;
		}
	}
	return best;
}

static const char *kind_name(enum yaml_kind kind)
{
	switch (kind) {
	case YAML_NULL:
		return "empty";
	case YAML_SCALAR:
		return "a single value";
	case YAML_LIST:
		return "a list";
	case YAML_MAP:
		return "a map of `key: value`";
	}
	return "?";
}

bool yaml_is(const struct yaml_node *node, enum yaml_kind kind, struct faults *faults)
{
	if (node->kind == kind)
		return true;
	if (node->key.n)
		faults_add(faults, node->at, "`%.*s` must be %s, not %s", SL_ARG(node->key), kind_name(kind),
			kind_name(node->kind));
	else
		faults_add(faults, node->at, "this must be %s, not %s", kind_name(kind), kind_name(node->kind));
	return false;
}

static bool is_one_of(struct slice word, const char *const *names)
{
	for (; *names; names++)
		if (slice_eq(word, slice_of(*names)))
			return true;
	return false;
}

/* "a, b, c" of a name list into text[size], cut where it does not fit. */
static void join(const char *const *names, char *text, size_t size)
{
	size_t used = 0;

	text[0] = 0;
	for (size_t i = 0; names[i]; i++) {
		struct slice name = slice_of(names[i]);

		if (used + name.n + 3 > size)
			return;
		if (i) {
			memcpy(text + used, ", ", 2);
			used += 2;
		}
		memcpy(text + used, name.p, name.n);
		used += name.n;
		text[used] = 0;
	}
}

/* "unknown key `x`: …" with the nearest name, or with all of them. */
static void not_one_of(
	struct faults *faults, struct origin at, const char *what, struct slice word, const char *const *names)
{
	char all[512];
	const char *near = yaml_nearest(word, names);

	word = slice_head(word, 80);
	if (near) {
		faults_add(faults, at, "unknown %s `%.*s`: did you mean `%s`?", what, SL_ARG(word), near);
		return;
	}
	join(names, all, sizeof all);
	faults_add(faults, at, "unknown %s `%.*s`: known here are %s", what, SL_ARG(word), all);
}

void yaml_only(const struct yaml_node *map, const char *const *keys, struct faults *faults)
{
	if (!map || map->kind != YAML_MAP)
		return;
	for (const struct yaml_node *c = map->first; c; c = c->next)
		if (!is_one_of(c->key, keys))
			not_one_of(faults, c->key_at, "key", c->key, keys);
}

int yaml_word(const struct yaml_node *node, struct slice word, const char *const *words, struct faults *faults)
{
	for (int i = 0; words[i]; i++)
		if (slice_eq(word, slice_of(words[i])))
			return i;
	not_one_of(faults, node->at, "word", word, words);
	return -1;
}

bool yaml_bool(const struct yaml_node *node, bool deflt, struct faults *faults)
{
	if (node->kind == YAML_SCALAR && node->plain) {
		if (slice_eq(node->text, SL("true")))
			return true;
		if (slice_eq(node->text, SL("false")))
			return false;
	}
	if (node->key.n)
		faults_add(faults, node->at, "`%.*s` must be true or false (without quotes)", SL_ARG(node->key));
	else
		faults_add(faults, node->at, "this must be true or false (without quotes)");
	return deflt;
}

struct slice yaml_text(const struct yaml_node *node, struct faults *faults)
{
	if (!yaml_is(node, YAML_SCALAR, faults))
		return (struct slice){ NULL, 0 };
	return node->text;
}
