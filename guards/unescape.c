#include "guards/unescape.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads up to `most` hex digits at the start of s; returns how many. */
static size_t read_hex(struct slice s, size_t most, uint32_t *v)
{
	size_t n = 0;

	for (*v = 0; n < most && n < s.n && hex_digit(s.p[n]) >= 0; n++)
		*v = *v << 4 | (uint32_t)hex_digit(s.p[n]);
	return n;
}

/* What an escape at the start of a text stands for. */
struct escape {
	size_t n;      /* bytes it takes; 0: there is none */
	uint32_t v;
	bool byte;     /* a byte, else a code point */
};

static const struct escape none = { 0 };

/* Exactly n hex digits behind `skip` bytes. */
static struct escape fixed(struct slice s, size_t skip, size_t n, bool byte)
{
	struct escape e = { skip + n, 0, byte };

	return read_hex(slice_from(s, skip), n, &e.v) == n ? e : none;
}

static struct escape percent(struct slice s)
{
	return s.n > 1 && (s.p[1] | 0x20) == 'u' ? fixed(s, 2, 4, false) : fixed(s, 1, 2, true);
}

static struct escape backslash(struct slice s)
{
	struct escape e = none;

	if (s.n < 2)
		return none;
	switch (s.p[1]) {
	case 'n':
	case 'r':
	case 't':
		return (struct escape){ 2, ' ', true };
	case '"':
	case '\\':
	case '/':
		return (struct escape){ 2, (unsigned char)s.p[1], true };
	default:
		break;
	}
	if (s.n < 3)
		return none;
	if (s.p[1] == 'x')
		return fixed(s, 2, 2, true);
	if (s.p[1] == 'U')
		return fixed(s, 2, 8, false);
	if (s.p[1] != 'u')
		return none;
	if (s.p[2] != '{')
		return fixed(s, 2, 4, false);
	size_t n = read_hex(slice_from(s, 3), 6, &e.v);
	if (n && 3 + n < s.n && s.p[3 + n] == '}')
		e.n = n + 4;
	return e;
}

/* 0x41, where no third digit makes it a number of its own. */
static struct escape zero_x(struct slice s)
{
	struct escape e = s.n > 3 && (s.p[1] | 0x20) == 'x' ? fixed(s, 2, 2, true) : none;

	size_t next = e.n;

	if (e.n && e.n < s.n && hex_digit(s.p[e.n]) >= 0)
		return none;
	while (next < s.n && memchr(" ,;\n\t", s.p[next], 5)) /* 0x41, 0x42: what separates them goes too */
		next++;
	if (e.n && next + 1 < s.n && s.p[next] == '0' && (s.p[next + 1] | 0x20) == 'x')
		e.n = next;
	return e;
}

static struct escape numeric_entity(struct slice s)
{
	struct escape e = none;
	size_t n = 0;

	if (s.n > 3 && (s.p[2] | 0x20) == 'x') {
		n = read_hex(slice_from(s, 3), 6, &e.v);
		n = n ? n + 3 : 0;
	} else {
		for (n = 2; n < s.n && n < 10 && s.p[n] >= '0' && s.p[n] <= '9'; n++)
			e.v = e.v * 10 + (uint32_t)(s.p[n] - '0');
		n = n > 2 ? n : 0;
	}
	e.n = n && n < s.n && s.p[n] == ';' ? n + 1 : n;
	return e;
}

static struct escape entity(struct slice s)
{
	static const struct {
		struct slice name;
		char c;
	} names[] = { { { "&amp;", 5 }, '&' }, { { "&lt;", 4 }, '<' }, { { "&gt;", 4 }, '>' }, { { "&quot;", 6 }, '"' }, { { "&apos;", 6 }, '\'' },
		{ { "&nbsp;", 6 }, ' ' }, { { "&sol;", 5 }, '/' }, { { "&equals;", 8 }, '=' }, { { "&plus;", 6 }, '+' }, { { "&lowbar;", 8 }, '_' },
		{ { "&num;", 5 }, '#' }, { { "&dollar;", 8 }, '$' }, { { "&percnt;", 8 }, '%' }, { { "&commat;", 8 }, '@' }, { { "&excl;", 6 }, '!' } };

	if (s.n > 2 && s.p[1] == '#')
		return numeric_entity(s);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_starts(s, names[i].name))
			return (struct escape){ names[i].name.n, (uint32_t)names[i].c, true };
	return none;
}

static struct escape escape_at(struct slice s)
{
	switch (s.p[0]) {
	case '%':
		return percent(s);
	case '\\':
		return backslash(s);
	case '&':
		return entity(s);
	case '0':
		return zero_x(s);
	default:
		return none;
	}
}

static size_t put_point(char *out, uint32_t c)
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
	out[0] = (char)(0xF0 | (c >> 18 & 7));
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

static bool has_zero_x(struct slice s, char x)
{
	const char *end = s.p + s.n;

	for (const char *p = s.p; p < end && (p = memchr(p, x, (size_t)(end - p))) != NULL; p++)
		if (p > s.p && p[-1] == '0')
			return true;
	return false;
}

bool unescape_possible(struct slice s)
{
	return s.n > 1 && (memchr(s.p, '%', s.n) || memchr(s.p, '\\', s.n) || memchr(s.p, '&', s.n) || has_zero_x(s, 'x') || has_zero_x(s, 'X'));
}

bool unescape_wanted(struct slice s)
{
	if (!unescape_possible(s))
		return false;
	for (size_t i = 0; i + 1 < s.n; i++) {
		char c = s.p[i];

		if ((c == '%' || c == '\\' || c == '&' || (c == '0' && (s.p[i + 1] | 0x20) == 'x')) && escape_at(slice_from(s, i)).n)
			return true;
	}
	return false;
}

struct slice unescape(struct slice s, struct arena *a)
{
	char *out = arena_alloc_raw(a, s.n + 1);
	size_t n = 0;

	if (!out)
		return (struct slice){ NULL, 0 };
	for (size_t i = 0; i < s.n;) {
		struct escape e = escape_at(slice_from(s, i));

		if (!e.n) {
			out[n++] = s.p[i++];
			continue;
		}
		if (e.byte)
			out[n++] = (char)e.v;
		else
			n += put_point(out + n, e.v); /* never longer than what it was written with */
		i += e.n;
	}
	return slice_make(out, n);
}
