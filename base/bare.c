#include "base/bare.h"

#include <utf8proc.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include "base/confusables.h"
#include "base/utf8.h"

#define MOST_PARTS 32 /* the longest compatibility decomposition is U+FDFA's, 18 code points */
#define SLACK (4 * MOST_PARTS)
#define BLOCK 16      /* written at a time, past the end too */

/* What an ASCII byte becomes; 0: it goes. */
static const char letters[128] = {
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
#define LETTER(up, low) [up] = low, [low] = low
	LETTER('A', 'a'), LETTER('B', 'b'), LETTER('C', 'c'), LETTER('D', 'd'), LETTER('E', 'e'), LETTER('F', 'f'), LETTER('G', 'g'),
	LETTER('H', 'h'), LETTER('I', 'i'), LETTER('J', 'j'), LETTER('K', 'k'), LETTER('L', 'l'), LETTER('M', 'm'), LETTER('N', 'n'),
	LETTER('O', 'o'), LETTER('P', 'p'), LETTER('Q', 'q'), LETTER('R', 'r'), LETTER('S', 's'), LETTER('T', 't'), LETTER('U', 'u'),
	LETTER('V', 'v'), LETTER('W', 'w'), LETTER('X', 'x'), LETTER('Y', 'y'), LETTER('Z', 'z'),
#undef LETTER
};

static char fold_byte(const struct bare *b, unsigned char c)
{
	return letters[c] ? letters[c] : b->signs && c > ' ' && c < 0x7F ? (char)c : 0;
}

/* Room for `more` bytes. */
static enum err make_room(struct bare *b, size_t more)
{
	size_t cap = 2 * b->cap + more + SLACK;
	char *p;
	uint32_t *at = NULL;

	if (b->n + more <= b->cap)
		return E_OK;
	p = arena_alloc_raw(b->arena, cap);
	if (b->places)
		at = arena_alloc_raw(b->arena, cap * sizeof *at);
	if (!p || (b->places && !at))
		return E_NOMEM;
	if (b->n) {
		memcpy(p, b->p, b->n);
		if (at)
			memcpy(at, b->at, b->n * sizeof *at);
	}
	b->p = p;
	b->at = at;
	b->cap = cap;
	return E_OK;
}

enum err bare_init(struct bare *b, size_t n, bool signs, bool places, struct arena *a)
{
	*b = (struct bare){ .signs = signs, .places = places, .arena = a };
	return make_room(b, n);
}

static void put(struct bare *b, char c, size_t from)
{
	b->p[b->n] = c;
	if (b->at)
		b->at[b->n] = (uint32_t)from;
	b->n++;
}

static bool is_letter(int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);

	return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT || k == UTF8PROC_CATEGORY_LM ||
		k == UTF8PROC_CATEGORY_LO || k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO;
}

static void put_point(struct bare *b, int32_t c, size_t from)
{
	utf8proc_uint8_t bytes[4];

	if (c < 0x80) {
		char low = fold_byte(b, (unsigned char)c);
		if (low)
			put(b, low, from);
	} else if (is_letter(c)) {
		utf8proc_ssize_t n = utf8proc_encode_char(c, bytes);
		for (utf8proc_ssize_t i = 0; i < n; i++)
			put(b, (char)bytes[i], from);
	}
}

/* Tag characters spell ASCII (Unicode 23.9) for who can read them. */
static uint32_t untag(uint32_t c)
{
	return c > 0xE0000 && c < 0xE007F ? c - 0xE0000 : c;
}

/* One character that is not ASCII: its parts, without marks. */
static void put_other(struct bare *b, uint32_t c, size_t from)
{
	const utf8proc_option_t how = (utf8proc_option_t)(UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
	utf8proc_int32_t parts[MOST_PARTS];

	c = untag(c);
	if (utf8_is_invisible(c))
		return;
	utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)c, parts, MOST_PARTS, how, &(int){ 0 });
	for (utf8proc_ssize_t i = 0; i < n && i < MOST_PARTS; i++)
		put_point(b, (int32_t)confusable_letter((uint32_t)parts[i]), from);
}

#ifdef __SSE2__
/* The first n of sixteen bytes, of which 31 may be read: each run of letters and digits is copied whole. NULL when some are not ASCII. */
static char *add_block(const char *p, size_t n, char *out)
{
	const __m128i bit = _mm_set1_epi8(0x20); /* makes letters lower, and leaves digits */
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p), low = _mm_or_si128(v, bit);
	__m128i letter = _mm_and_si128(_mm_cmpgt_epi8(low, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(low, _mm_set1_epi8('z' + 1)));
	__m128i digit = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(v, _mm_set1_epi8('9' + 1)));
	unsigned keep = (unsigned)_mm_movemask_epi8(_mm_or_si128(letter, digit)), at = 0;
	unsigned ours = n < BLOCK ? (1u << n) - 1 : 0xFFFF;

	if ((unsigned)_mm_movemask_epi8(v) & ours)
		return NULL;
	keep &= ours;
	while (keep) {
		unsigned gap = (unsigned)__builtin_ctz(keep), run = (unsigned)__builtin_ctz(~(keep >> gap));

		at += gap;
		v = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		_mm_storeu_si128((__m128i *)(void *)out, _mm_or_si128(v, bit));
		out += run;
		at += run;
		keep = keep >> gap >> run;
	}
	return out;
}
#endif

/* As many blocks as are ASCII; where nothing may be read behind the text the last ones are a copy. Returns where it ended. */
static size_t add_blocks(struct bare *b, struct slice s, size_t i, const char *end)
{
#ifdef __SSE2__
	char *out = b->p + b->n, *next = out, tail[3 * BLOCK] = { 0 };

	for (; i < s.n && end - (s.p + i) >= 2 * BLOCK && (next = add_block(s.p + i, s.n - i, out)) != NULL; i += BLOCK)
		out = next;
	if (next && i < s.n) {
		memcpy(tail, s.p + i, s.n - i);
		for (const char *p = tail; i < s.n && (next = add_block(p, BLOCK, out)) != NULL; p += BLOCK) {
			out = next;
			i += BLOCK;
		}
	}
	b->n = (size_t)(out - b->p);
#else
	(void)b;
	(void)end;
#endif
	return i < s.n ? i : s.n;
}

static size_t add_ascii(struct bare *b, struct slice s, size_t i, const char *end)
{
	size_t n;

	if (b->at || b->signs) {
		for (; i < s.n && (unsigned char)s.p[i] < 0x80; i++) {
			char c = fold_byte(b, (unsigned char)s.p[i]);
			if (c)
				put(b, c, b->read + i);
		}
		return i;
	}
	i = add_blocks(b, s, i, end);
	for (n = b->n; i < s.n && (unsigned char)s.p[i] < 0x80; i++) {
		char c = letters[(unsigned char)s.p[i]];
		b->p[n] = c;
		n += c != 0;
	}
	b->n = n;
	return i;
}

enum err bare_add_in(struct bare *b, struct slice s, const char *end)
{
	enum err e = make_room(b, s.n + BLOCK);

	for (size_t i = 0; i < s.n && e == E_OK;) {
		size_t from = i;

		i = add_ascii(b, s, i, end);
		if (i == s.n)
			break;
		if (i - from >= ARENA_STEP_BYTES)
			arena_worked(b->arena, i - from);
		from = i;
		e = make_room(b, s.n - i + SLACK);
		if (e != E_OK)
			break;
		if (utf8_length(slice_from(s, i)))
			put_other(b, utf8_next(s, &i), b->read + from);
		else
			put(b, s.p[i++], b->read + from);
	}
	b->read += s.n;
	return e;
}

enum err bare_break(struct bare *b)
{
	enum err e = make_room(b, 1);

	if (e == E_OK)
		put(b, 1, b->read);
	return e;
}
