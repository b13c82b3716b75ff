/*
 * The scanner of known values. Input: a byte of options, then a value and a text, one a line. Learnt and scanned must end well whatever they
 * are; where the value is remembered it must be found in itself, and in itself with blanks between its characters; a text that was
 * unescaped is never longer.
 */
#include <stdint.h>
#include <stdlib.h>
#include "base/bare.h"
#include "base/utf8.h"
#include "guards/fingerprints.h"
#include "guards/unescape.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool count(void *ctx, const struct value_found *f)
{
	must(f->from < f->to && f->path.n == 1);
	++*(size_t *)ctx;
	return true;
}

static size_t find(const struct fingerprints *prints, struct slice text, bool signs, struct arena *a)
{
	struct bare b;
	size_t n = 0;

	must(bare_init(&b, 0, signs, true, a) == E_OK && bare_add(&b, text) == E_OK);
	for (size_t i = 0; i < b.n; i++)
		must(b.at[i] < text.n && (i == 0 || b.at[i] >= b.at[i - 1]));
	enum err e = fingerprints_scan(prints, bare_text(&b), 5, count, &n, a);
	must(e == E_OK || e == E_TOO_BIG);
	return e == E_OK ? n : 1;
}

static void check_spaced(const struct fingerprints *prints, struct slice value, bool signs, struct arena *a)
{
	char *spaced = arena_alloc_raw(a, 2 * value.n + 1);
	size_t n = 0;

	must(spaced != NULL);
	for (size_t i = 0; i < value.n;) {
		size_t len = utf8_length(slice_from(value, i));
		len = len ? len : 1;
		memcpy(spaced + n, value.p + i, len);
		n += len;
		i += len;
		spaced[n++] = ' ';
	}
	must(find(prints, slice_make(spaced, n), signs, a) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data + 1, size ? size - 1 : 0), value;
	struct fingerprints *prints;
	struct arena arena;

	if (size < 2)
		return 0;
	value = slice_cut(&text, '\n');
	arena_init(&arena, 256u << 20);
	prints = fingerprints_create(8, 1u << 16);
	must(prints != NULL);
	enum err e = fingerprints_learn(prints, value, SL("p"), (enum variety_of)(data[0] % 3), 10, 1, &arena);
	must(e == E_OK || e == E_FULL);
	bool signs = fingerprints_want_signs(prints);
	/* With several values in one (an address, a JSON text) only its parts may be known. */
	if (fingerprints_values(prints) == 1 && slice_find(value, SL("://")) < 0 && !memchr(value.p, '{', value.n) && !memchr(value.p, '[', value.n) &&
		!memchr(value.p, ';', value.n) && slice_find(value, SL("-----")) < 0 && slice_find(value, SL("eyJ")) < 0) {
		must(find(prints, value, signs, &arena) > 0);
		check_spaced(prints, slice_trim(value), signs, &arena);
	}
	if (text.p) {
		find(prints, text, signs, &arena);
		for (int i = 0; i < 3 && unescape_wanted(text); i++) {
			struct slice out = unescape(text, &arena);
			must(out.p && out.n < text.n);
			text = out;
		}
	}
	fingerprints_free(prints);
	arena_finish(&arena);
	return 0;
}
