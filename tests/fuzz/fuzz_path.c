/*
 * Canonical paths. Of a text that is taken: the form is its own form, has no odd segment, folds to as many segments, and
 * the prefix of a pattern covers what stands before the wildcard. What is refused as a path is refused below a slash, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/utf8.h"
#include "policy/path.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t segments(struct slice s)
{
	size_t n = 1;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '/';
	return n;
}

static void check_form(const struct path *p, struct arena *arena)
{
	struct path again;
	struct slice rest = p->text;

	REQUIRE(utf8_valid(p->text) && utf8_valid(p->folded));
	REQUIRE(segments(p->text) == segments(p->folded));
	REQUIRE(path_covers(p->text, p->text) && path_covers(SL(""), p->text));
	REQUIRE(path_covers(p->folded, p->folded));
	while (rest.p && p->text.n) {
		struct slice segment = slice_cut(&rest, '/');

		REQUIRE(segment.n && !slice_eq(segment, SL(".")) && !slice_eq(segment, SL("..")));
	}
	REQUIRE(path_canonical(&again, p->text, true, arena) == PATH_OK);
	REQUIRE(slice_eq(again.text, p->text) && slice_eq(again.folded, p->folded));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice raw = { (const char *)data, size };
	struct path path, base, below;
	struct arena arena;
	bool wild;

	arena_init(&arena, 1 << 20);
	enum path_fault f = path_canonical(&path, raw, true, &arena);
	enum path_fault g = path_glob_base(&base, raw, &wild, &arena);

	REQUIRE(f != PATH_NOMEM && g != PATH_NOMEM);
	if (f == PATH_OK)
		check_form(&path, &arena);
	if (g == PATH_OK)
		check_form(&base, &arena);
	REQUIRE(f == PATH_OK || g != PATH_OK || wild); /* a pattern without wildcard is a path */
	if (f == PATH_OK && path.text.n) {
		REQUIRE(g == PATH_OK && !wild && slice_eq(base.text, path.text));
		struct slice longer = arena_fmt(&arena, "a/%.*s", SL_ARG(path.text));

		if (path_canonical(&below, longer, false, &arena) == PATH_OK)
			REQUIRE(path_covers(SL("a"), below.text) && !path_covers(SL("b"), below.text));
	}
	arena_finish(&arena);
	return 0;
}
