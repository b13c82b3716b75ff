/*
 * Looking into a tape: members, paths, decoded strings.
 */
#include "base/json_parts.h"
#include "base/json_scan.h"

uint32_t json_member(const struct json *j, uint32_t obj, struct slice name)
{
	if (!json_is(j, obj, JSON_OBJECT))
		return JSON_NONE;
	const struct json_token *tok = j->tok;
	const char *text = j->text.p;

	for (uint32_t t = obj + 1, end = tok[obj].next; t < end; t = tok[t + 1].next) {
		if (__builtin_expect(tok[t].flags & JSON_ESCAPED, 0) ? json_escaped_eq(j, t, name) :
				tok[t].len == name.n && slice_same(text + tok[t].off, name.p, name.n))
			return t + 1;
	}
	return JSON_NONE;
}

uint32_t json_walk(const struct json *j, uint32_t from, const char *dotted)
{
	struct slice rest = slice_of(dotted);

	while (rest.p && from != JSON_NONE)
		from = json_member(j, from, slice_cut(&rest, '.'));
	return from;
}

struct slice json_source(const struct json *j, uint32_t t)
{
	struct slice s = json_raw(j, t);
	return json_type(j, t) == JSON_STRING ? slice_make(s.p - 1, s.n + 2) : s;
}

static uint32_t hex_unit(const char *p)
{
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t c = (unsigned char)p[i];
		unit = unit << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return unit;
}

static size_t utf8_write(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

static size_t unescape_unicode(const char **p, char *out)
{
	uint32_t c = hex_unit(*p + 2);

	*p += 6;
	if (c >= 0xD800 && c <= 0xDFFF) { /* the reader has seen to the other half */
		c = 0x10000 + ((c - 0xD800) << 10) + (hex_unit(*p + 2) - 0xDC00);
		*p += 6;
	}
	return utf8_write(c, out);
}

/* Decodes the escape at *p, a backslash of a checked string, into the room it took; steps *p over it. Returns the bytes written. */
static inline size_t unescape(const char **p, char *out)
{
	static const char meaning[128] = {
		['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
	};

	if ((*p)[1] == 'u')
		return unescape_unicode(p, out);
	*out = meaning[(*p)[1] & 0x7F];
	*p += 2;
	return 1;
}

/* The bytes at p up to the next backslash or `end`. */
static size_t plain_run(const char *p, const char *end)
{
	const char *slash = memchr(p, '\\', (size_t)(end - p));
	return (size_t)((slash ? slash : end) - p);
}

/* Copies n bytes and up to a block more. */
static inline void copy_run(char *out, const char *p, size_t n)
{
	size_t i = 0;

	do
		scan_copy(out + i, p + i);
	while ((i += JSON_SCAN_BYTES) < n);
}

/*
 * Decodes n bytes at *p, at most 64, and what of the last escape lies behind them; bit i of `slashes` says that byte i is a
 * backslash. Returns where the next byte goes. Reads and writes up to a block more.
 */
static inline char *unescape_part(const char **p, char *at, size_t n, uint64_t slashes)
{
	const char *part = *p, *from = *p, *end = *p + n;

	while (slashes) {
		const char *slash = part + __builtin_ctzll(slashes);

		copy_run(at, from, (size_t)(slash - from));
		at += slash - from;
		from = slash;
		at += unescape(&from, at);
		if (from >= end)
			break;
		slashes &= ~(uint64_t)0 << (from - part);
	}
	*p = from;
	if (from >= end)
		return at;
	copy_run(at, from, (size_t)(end - from));
	*p = end;
	return at + (end - from);
}

enum { PART = 64, AHEAD = PART + JSON_SCAN_BYTES }; /* bytes decoded in one go, and what is read for it */

struct slice json_unescaped(const struct json *j, uint32_t t, struct arena *a)
{
	struct slice raw = json_raw(j, t);
	const char *p = raw.p, *end = raw.p + raw.n;
	char *out, *at;

	out = at = arena_alloc_raw(a, raw.n); /* an escape is never shorter than what it stands for */
	if (!out)
		return (struct slice){ NULL, 0 };
	while (end - p >= AHEAD) { /* what is left of the room is never less than what is left to read */
		const char *from = p, *last = end - AHEAD + 1;
		const char *stop = last - p > ARENA_STEP_BYTES ? p + ARENA_STEP_BYTES : last;

		while (p < stop)
			at = unescape_part(&p, at, PART, scan_byte_mask_64(p, '\\'));
		arena_worked(a, (size_t)(p - from));
	}
	while (end - p >= 2 * JSON_SCAN_BYTES)
		at = unescape_part(&p, at, JSON_SCAN_BYTES, scan_byte_mask(p, '\\'));
	while (p < end) {
		if (*p == '\\')
			at += unescape(&p, at);
		else
			*at++ = *p++;
	}
	return slice_make(out, (size_t)(at - out));
}

bool json_escaped_eq(const struct json *j, uint32_t t, struct slice s)
{
	struct slice raw = json_raw(j, t);
	const char *p = raw.p, *end = raw.p + raw.n;

	while (p < end) {
		size_t run = plain_run(p, end), n;
		char bytes[4];

		if (!slice_starts(s, slice_make(p, run)))
			return false;
		s = slice_from(s, run);
		p += run;
		if (p == end)
			break;
		n = unescape(&p, bytes);
		if (!slice_starts(s, slice_make(bytes, n)))
			return false;
		s = slice_from(s, n);
	}
	return s.n == 0;
}

bool json_string_among(const struct json *j, uint32_t t, const char *const *words)
{
	if (!json_is(j, t, JSON_STRING))
		return false;
	struct slice raw = json_raw(j, t);
	char first = raw.n ? raw.p[0] : '\0';
	bool escaped = j->tok[t].flags & JSON_ESCAPED;

	for (; *words; words++)
		if ((**words == first || escaped) && json_string_eq(j, t, slice_of(*words)))
			return true;
	return false;
}
