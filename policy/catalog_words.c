/* `words:`: the vocabulary `generic` reads tools and arguments by. */
#include <stdlib.h>
#include "policy/catalog_read.h"

#define WORD_MAX_BYTES 64

/* Lower case, without `_` and `-`, into out[WORD_MAX_BYTES]; {NULL, 0} when it is too long. */
static struct slice fold_word(struct slice word, char *out)
{
	size_t n = 0;
	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];
		if (c == '_' || c == '-')
			continue;
		if (n == WORD_MAX_BYTES)
			return (struct slice){ NULL, 0 };
		out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	return (struct slice){ out, n };
}

static int by_text(const void *a, const void *b)
{
	return catalog_order(*(const struct slice *)a, *(const struct slice *)b);
}

bool words_have(const struct words *words, struct slice name)
{
	char folded[WORD_MAX_BYTES];
	struct slice key = fold_word(name, folded);
	return key.n && words->n && bsearch(&key, words->v, words->n, sizeof key, by_text);
}

static void read_words(struct catalog_reader *r, const struct yaml_node *node, struct words *out)
{
	const struct slice *given = NULL;
	size_t n = 0;
	char folded[WORD_MAX_BYTES];
	catalog_texts(r, node, &given, &n);
	struct slice *words = n ? catalog_array(r, node, n, sizeof *words) : NULL;
	for (size_t i = 0; words && i < n; i++) {
		words[i] = arena_dup(r->arena, fold_word(given[i], folded));
		if (words[i].n == 0)
			faults_add(r->faults, node->at, "`%.*s` is no word", SL_ARG(slice_head(given[i], 80)));
	}
	if (!words)
		return;
	qsort(words, n, sizeof *words, by_text);
	*out = (struct words){ words, n };
}

void catalog_read_vocabulary(struct catalog_reader *r, const struct yaml_node *node, struct vocabulary *out)
{
	static const char *const keys[] = { "reads", "writes", "runs", "mints", "paths", "prefixes", "folders",
		"keys", "tenants", "partners", "values", "harmless", NULL };
	/* In the order of the keys. */
	struct words *const lists[] = { &out->reads, &out->writes, &out->runs, &out->mints, &out->paths,
		&out->prefixes, &out->folders, &out->keys, &out->tenants, &out->partners, &out->values, &out->harmless };
	if (!catalog_map(r, node, keys))
		return;
	for (size_t i = 0; keys[i]; i++)
		read_words(r, yaml_get(node, slice_of(keys[i])), lists[i]);
}
