/*
 * The bytes of a JSON string, many at a time: private to the reader and the writer. SSE2 where there is, eight bytes in a word
 * elsewhere (or with NARROWGATE_PLAIN_SCAN, so that the tests reach that one too).
 */
#ifndef NARROWGATE_BASE_JSON_SCAN_H
#define NARROWGATE_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(NARROWGATE_PLAIN_SCAN)
#include <emmintrin.h>
#define JSON_SCAN_BYTES 16

static inline __m128i scan_load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Bytes that end a plain run become 0xFF: quote, backslash, and below 0x20 as signed, that is controls and not ASCII. */
static inline __m128i scan_marks(__m128i v)
{
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
	__m128i other = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
	return _mm_or_si128(_mm_or_si128(quote, slash), other);
}

/* Long texts, 64 bytes a step: stops at the first 64 that hold a mark, or when fewer are left. */
static inline const char *scan_wide(const char *p, const char *end)
{
	for (; end - p >= 64; p += 64) {
		__m128i a = _mm_or_si128(scan_marks(scan_load(p)), scan_marks(scan_load(p + 16)));
		__m128i b = _mm_or_si128(scan_marks(scan_load(p + 32)), scan_marks(scan_load(p + 48)));
		if (_mm_movemask_epi8(_mm_or_si128(a, b)))
			break;
	}
	return p;
}

/* Steps over spaces, sixteen a step: indented texts have as many as that between two names. */
static inline const char *scan_spaces(const char *p, const char *end)
{
	while (end - p >= 16) {
		__m128i v = scan_load(p);
		__m128i blank = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
		__m128i other = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\r')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\t')));
		unsigned rest = ~(unsigned)_mm_movemask_epi8(_mm_or_si128(blank, other)) & 0xFFFF;

		if (rest)
			return p + __builtin_ctz(rest);
		p += 16;
	}
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* Bit i is set when byte i of the 16 at p is a mark. */
static inline unsigned scan_mask(const char *p)
{
	return (unsigned)_mm_movemask_epi8(scan_marks(scan_load(p)));
}

static inline void scan_copy(char *out, const char *p)
{
	_mm_storeu_si128((__m128i *)(void *)out, scan_load(p));
}

/* Bit i is set when byte i of the block at p is `c`. */
static inline unsigned scan_byte_mask(const char *p, char c)
{
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(scan_load(p), _mm_set1_epi8(c)));
}

/* The same for bytes that a string may not hold as they are: quote, backslash, control. */
static inline unsigned scan_escape_mask(const char *p)
{
	__m128i v = scan_load(p);
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"')), slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
}
/*
 * The marks of a block (as of scan_mask) without its escapes `\"` and `\n`, all at once; a backslash that is the last byte is
 * left out too, and *half set. Returns `marks` as they were when there is any other backslash: those are taken one by one.
 */
static inline unsigned scan_without_escapes(const char *p, unsigned marks, bool *half)
{
	__m128i v = scan_load(p);
	__m128i plain = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('n')));
	unsigned slashes = scan_byte_mask(p, '\\'), escaped = slashes << 1 & 0xFFFF;

	*half = false;
	if (escaped & ~(unsigned)_mm_movemask_epi8(plain))
		return marks;
	*half = slashes >> 15;
	return marks & ~(slashes | escaped);
}
#else
#define JSON_SCAN_BYTES 8

static inline unsigned scan_without_escapes(const char *p, unsigned marks, bool *half)
{
	(void)p;
	*half = false;
	return marks;
}

#define SCAN_ONES 0x0101010101010101u
#define SCAN_HIGHS 0x8080808080808080u

/*
 * As above, in a word of eight bytes. Words are exact as a yes or no, for a borrow only ever reaches bytes behind a true
 * mark; where there is one, bytes decide.
 */
static inline uint64_t scan_word(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Has its high bits set in bytes that are `c`. */
static inline uint64_t scan_find(uint64_t v, char c)
{
	uint64_t x = v ^ (SCAN_ONES * (unsigned char)c);

	return (x - SCAN_ONES) & ~x;
}

static inline unsigned scan_mask(const char *p)
{
	uint64_t v = scan_word(p), low = (v - SCAN_ONES * 0x20) | scan_find(v, '"') | scan_find(v, '\\') | v;
	unsigned mask = 0;

	for (unsigned i = 0; (low & SCAN_HIGHS) && i < JSON_SCAN_BYTES; i++)
		mask |= (unsigned)(p[i] == '"' || p[i] == '\\' || (signed char)p[i] < 0x20) << i;
	return mask;
}

static inline const char *scan_spaces(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

static inline void scan_copy(char *out, const char *p)
{
	memcpy(out, p, JSON_SCAN_BYTES);
}

static inline unsigned scan_byte_mask(const char *p, char c)
{
	unsigned mask = 0;

	for (unsigned i = 0; (scan_find(scan_word(p), c) & SCAN_HIGHS) && i < JSON_SCAN_BYTES; i++)
		mask |= (unsigned)(p[i] == c) << i;
	return mask;
}

static inline unsigned scan_escape_mask(const char *p)
{
	uint64_t v = scan_word(p), hit = ((v - SCAN_ONES * 0x20) & ~v) | scan_find(v, '"') | scan_find(v, '\\');
	unsigned mask = 0;

	for (unsigned i = 0; (hit & SCAN_HIGHS) && i < JSON_SCAN_BYTES; i++)
		mask |= (unsigned)(p[i] == '"' || p[i] == '\\' || (unsigned char)p[i] < 0x20) << i;
	return mask;
}

static inline const char *scan_wide(const char *p, const char *end)
{
	(void)end;
	return p;
}
#endif

/* The same for 64 bytes. */
static inline uint64_t scan_byte_mask_64(const char *p, char c)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < 64; i += JSON_SCAN_BYTES)
		mask |= (uint64_t)scan_byte_mask(p + i, c) << i;
	return mask;
}

/* What may stand behind a backslash, but for `u`. */
static inline bool scan_is_simple_escape(char c)
{
	static const bool simple[256] = {
		['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true, ['f'] = true, ['n'] = true, ['r'] = true, ['t'] = true,
	};
	return simple[(unsigned char)c];
}

/*
 * Steps over plain bytes and simple escapes, of which there was one when *escaped is set. Returns the first place that
 * needs a look: a quote, another escape (or one at the text's very end), a control or not-ASCII byte; or `end`.
 */
static inline const char *scan_string(const char *p, const char *end, bool *escaped)
{
	bool wide = false;

	while (end - p > JSON_SCAN_BYTES) { /* so the byte behind the block can be read too */
		unsigned marks = scan_mask(p);

		if (!marks) {
			p += JSON_SCAN_BYTES;
			if (!wide)
				p = scan_wide(p, end);
			wide = true;
			continue;
		}
		bool half;
		unsigned rest = scan_without_escapes(p, marks, &half);

		if (!rest) {
			*escaped = true;
			p += JSON_SCAN_BYTES - half;
			continue;
		}
		do {
			unsigned i = (unsigned)__builtin_ctz(marks);
			if (p[i] != '\\' || !scan_is_simple_escape(p[i + 1]))
				return p + i;
			*escaped = true;
			marks &= ~(3u << i);
			if (i == JSON_SCAN_BYTES - 1)
				p++;
		} while (marks);
		p += JSON_SCAN_BYTES;
	}
	while (p < end && *p != '"' && *p != '\\' && (signed char)*p >= 0x20)
		p++;
	return p;
}

static inline bool scan_is_tail(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* Length of the UTF-8 sequence at p, whose first byte is over 0x7F (RFC 3629 §4); 0 when it is not valid. */
static inline unsigned scan_utf8(const char *p, const char *end)
{
	unsigned char a = (unsigned char)p[0], b = end - p > 1 ? (unsigned char)p[1] : 0;

	if (a < 0xC2 || a > 0xF4 || (b & 0xC0) != 0x80)
		return 0;
	if (a < 0xE0)
		return 2;
	if (end - p < 3 || !scan_is_tail(p[2]))
		return 0;
	if (a < 0xF0)
		return (a == 0xE0 && b < 0xA0) || (a == 0xED && b > 0x9F) ? 0 : 3;
	if (end - p < 4 || !scan_is_tail(p[3]))
		return 0;
	return (a == 0xF0 && b < 0x90) || (a == 0xF4 && b > 0x8F) ? 0 : 4;
}

/* Never zero; names of different length, first or last byte mostly have different ones. p is behind the opening quote. */
static inline uint16_t scan_name_mark(const char *p, uint32_t n)
{
	return (uint16_t)(n * 0x9E37u ^ (unsigned char)p[0] * 0x6F4Fu ^ (unsigned char)(p + n)[-1] * 0x3D4Du) | 1;
}

/* Whether the mark is among the sixteen. */
static inline bool scan_has_mark(const uint16_t marks[16], uint16_t mark)
{
#if JSON_SCAN_BYTES == 16
	__m128i want = _mm_set1_epi16((short)mark);
	__m128i first = _mm_cmpeq_epi16(scan_load((const char *)marks), want);
	__m128i second = _mm_cmpeq_epi16(scan_load((const char *)(marks + 8)), want);

	return _mm_movemask_epi8(_mm_or_si128(first, second)) != 0;
#else
	bool has = false;

	for (int i = 0; i < 16; i++)
		has |= marks[i] == mark;
	return has;
#endif
}

#endif
