#include "base/utf8.h"

#include <utf8proc.h>
#include "base/confusables.h"

static inline bool is_tail(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

size_t utf8_length(struct slice s)
{
	const char *p = s.p;
	unsigned char a = s.n ? (unsigned char)p[0] : 0xFF, b = s.n > 1 ? (unsigned char)p[1] : 0;

	if (a < 0x80)
		return 1;
	if (a < 0xC2 || a > 0xF4 || (b & 0xC0) != 0x80)
		return 0;
	if (a < 0xE0)
		return 2;
	if (s.n < 3 || !is_tail(p[2]) || (a == 0xE0 && b < 0xA0) || (a == 0xED && b > 0x9F))
		return 0;
	if (a < 0xF0)
		return 3;
	return s.n < 4 || !is_tail(p[3]) || (a == 0xF0 && b < 0x90) || (a == 0xF4 && b > 0x8F) ? 0 : 4;
}

/* Bytes of s before the first that is not ASCII. */
static size_t ascii_run(struct slice s)
{
	uint64_t word;
	size_t i = 0;

	for (; s.n - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		if (word & 0x8080808080808080u)
			break;
	}
	while (i < s.n && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

bool utf8_is_ascii(struct slice s)
{
	return ascii_run(s) == s.n;
}

bool utf8_valid(struct slice s)
{
	for (s = slice_from(s, ascii_run(s)); s.n; s = slice_from(s, ascii_run(s))) {
		size_t n = utf8_length(s);
		if (!n)
			return false;
		s = slice_from(s, n);
	}
	return true;
}

uint32_t utf8_next(struct slice s, size_t *i)
{
	const unsigned char *p = (const unsigned char *)s.p + *i;

	if (p[0] < 0x80) {
		*i += 1;
		return p[0];
	}
	if (p[0] < 0xE0) {
		*i += 2;
		return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
	}
	if (p[0] < 0xF0) {
		*i += 3;
		return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
	}
	*i += 4;
	return (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n && r[i].first <= c; i++)
		if (c <= r[i].last)
			return true;
	return false;
}

/* Unicode's Default_Ignorable_Code_Point, and fillers that are drawn as nothing. */
bool utf8_is_invisible(uint32_t c)
{
	static const struct range ranges[] = {
		{ 0x00AD, 0x00AD }, /* soft hyphen */
		{ 0x034F, 0x034F }, /* combining grapheme joiner */
		{ 0x061C, 0x061C }, /* Arabic letter mark */
		{ 0x115F, 0x1160 }, /* Hangul fillers */
		{ 0x17B4, 0x17B5 }, /* Khmer inherent vowels */
		{ 0x180B, 0x180F }, /* Mongolian variation selectors */
		{ 0x200B, 0x200F }, /* zero width, direction marks */
		{ 0x202A, 0x202E }, /* bidi embedding and override */
		{ 0x2060, 0x206F }, /* word joiner, invisible operators, bidi isolates */
		{ 0x2800, 0x2800 }, /* Braille blank */
		{ 0x3164, 0x3164 }, /* Hangul filler */
		{ 0xFE00, 0xFE0F }, /* variation selectors */
		{ 0xFEFF, 0xFEFF }, /* byte order mark */
		{ 0xFFA0, 0xFFA0 }, /* half-width Hangul filler */
		{ 0xFFF0, 0xFFFB }, /* unassigned ignorables, interlinear annotation */
		{ 0x1BCA0, 0x1BCA3 }, /* shorthand format controls */
		{ 0x1D159, 0x1D159 }, /* musical null note head */
		{ 0x1D173, 0x1D17A }, /* musical format controls */
		{ 0xE0000, 0xE0FFF }, /* tags, more variation selectors */
	};
	return c >= 0xAD && in_ranges(c, ranges, sizeof(ranges) / sizeof(*ranges));
}

static bool looks_like_separator(uint32_t c)
{
	static const struct range ranges[] = {
		{ 0x0660, 0x0660 }, { 0x06D4, 0x06D4 }, { 0x06F0, 0x06F0 }, { 0x0701, 0x0702 }, { 0x1735, 0x1735 },
		{ 0x2024, 0x2026 }, { 0x2041, 0x2041 }, { 0x2044, 0x2044 }, { 0x20E5, 0x20E5 }, { 0x2215, 0x2216 },
		{ 0x244A, 0x244A }, { 0x2571, 0x2572 }, { 0x27CB, 0x27CB }, { 0x27CD, 0x27CD }, { 0x29F5, 0x29F5 },
		{ 0x29F6, 0x29F9 }, { 0x2AFB, 0x2AFB }, { 0x2AFD, 0x2AFD }, { 0x2CC6, 0x2CC6 }, { 0x2CF9, 0x2CF9 },
		{ 0x2E3C, 0x2E3C }, { 0x2F02, 0x2F03 }, { 0x3002, 0x3002 }, { 0x3033, 0x3033 }, { 0x31D3, 0x31D4 },
		{ 0xA4F8, 0xA4F8 }, { 0xA4FA, 0xA4FB }, { 0xA60E, 0xA60E }, { 0xFE19, 0xFE19 }, { 0xFE30, 0xFE30 },
		{ 0xFE52, 0xFE52 }, { 0xFE68, 0xFE68 }, { 0xFF0E, 0xFF0F }, { 0xFF3C, 0xFF3C }, { 0xFF61, 0xFF61 },
		{ 0x10A50, 0x10A50 }, { 0x1D16D, 0x1D16D }, { 0x1D20F, 0x1D20F }, { 0x1D23A, 0x1D23B },
	};
	return in_ranges(c, ranges, sizeof(ranges) / sizeof(*ranges));
}

/* The longest compatibility decomposition is U+FDFA's, 18 code points. */
enum { MOST_PARTS = 32 };

bool utf8_is_separator_lookalike(uint32_t c)
{
	const utf8proc_option_t how = (utf8proc_option_t)(UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE);
	utf8proc_int32_t parts[MOST_PARTS];
	utf8proc_ssize_t n;

	if (c < 0x80)
		return false;
	if (looks_like_separator(c))
		return true;
	n = utf8proc_decompose_char((utf8proc_int32_t)c, parts, MOST_PARTS, how, &(int){ 0 });
	for (utf8proc_ssize_t i = 0; i < n && i < MOST_PARTS; i++)
		if (parts[i] == '/' || parts[i] == '\\' || parts[i] == '.' || looks_like_separator((uint32_t)parts[i]))
			return true;
	return false;
}

/* --- normal forms: utf8proc on memory of the arena ------------------------------------------------------------------ */

static const struct slice nothing = { NULL, 0 };

/*
 * The code points of s, decomposed with `more` options and in canonical order; *n is how many. The array has the room that
 * utf8proc_reencode wants for writing bytes over it. NULL when memory is out or s is not UTF-8.
 */
static utf8proc_int32_t *decompose(struct slice s, unsigned more, struct arena *arena, utf8proc_ssize_t *n)
{
	const utf8proc_option_t how = (utf8proc_option_t)(more | UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
	const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)s.p;
	utf8proc_ssize_t size = (utf8proc_ssize_t)s.n, room;
	utf8proc_int32_t *points;

	room = utf8proc_decompose(bytes, size, NULL, 0, how);
	if (room < 0)
		return NULL;
	points = arena_array(arena, (size_t)room + 1, sizeof(*points));
	*n = points ? utf8proc_decompose(bytes, size, points, room, how) : 0;
	return points && *n >= 0 && *n <= room ? points : NULL;
}

/* Decomposes s as `how` says, composes it again, and writes it as bytes. */
static struct slice normalise(struct slice s, unsigned how, struct arena *arena)
{
	utf8proc_ssize_t n;
	utf8proc_int32_t *points = decompose(s, how, arena, &n);

	if (!points)
		return nothing;
	n = utf8proc_reencode(points, n, (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
	return n < 0 ? nothing : slice_make((const char *)points, (size_t)n);
}

struct slice utf8_nfc(struct slice s, struct arena *arena)
{
	return utf8_is_ascii(s) ? s : normalise(s, 0, arena);
}

static struct slice fold_ascii(struct slice s, struct arena *arena)
{
	char *out = arena_alloc_raw(arena, s.n);

	if (!out)
		return nothing;
	for (size_t i = 0; i < s.n; i++)
		out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + ('a' - 'A')) : s.p[i];
	return slice_make(out, s.n);
}

struct slice utf8_fold(struct slice s, struct arena *arena)
{
	const unsigned how = UTF8PROC_COMPAT | UTF8PROC_CASEFOLD;
	utf8proc_ssize_t n, kept = 0;
	utf8proc_int32_t *points;

	if (utf8_is_ascii(s))
		return fold_ascii(s, arena);
	points = decompose(s, how, arena, &n);
	if (!points)
		return nothing;
	for (utf8proc_ssize_t i = 0; i < n; i++)
		if (!utf8_is_invisible((uint32_t)points[i]))
			points[kept++] = (utf8proc_int32_t)confusable_letter((uint32_t)points[i]);
	n = utf8proc_reencode(points, kept, (utf8proc_option_t)0);
	if (n < 0)
		return nothing;
	/* Once more from the start: marks that a dropped or mapped character held apart can now order and compose. */
	return normalise(slice_make((const char *)points, (size_t)n), how, arena);
}
