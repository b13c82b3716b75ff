#include "policy/path.h"

#include "base/utf8.h"

const char *path_fault_text(enum path_fault f)
{
	static const char *const texts[] = {
#define X(name, text) [PATH_##name] = text,
		PATH_FAULTS(X)
#undef X
	};
	return (size_t)f < sizeof texts / sizeof *texts ? texts[f] : "unknown fault";
}

static bool is_space(uint32_t c)
{
	return c == ' ' || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F ||
		c == 0x3000;
}

/* What one character, wherever it stands, says about a path. */
static enum path_fault judge_char(uint32_t c, bool glob)
{
	if (c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029)
		return PATH_CONTROL;
	switch (c) {
	case '%':
		return PATH_PERCENT;
	case '\\':
		return PATH_BACKSLASH;
	case '?':
		return glob ? PATH_WILDCARD : PATH_SUFFIX;
	case '#':
	case ';':
		return PATH_SUFFIX;
	case '*':
		return glob ? PATH_OK : PATH_WILDCARD;
	case '[':
	case ']':
	case '{':
	case '}':
		return PATH_WILDCARD;
	case ',':
	case '|':
		return PATH_LIST;
	default:
		break;
	}
	if (c < 0x80)
		return PATH_OK;
	if (utf8_is_invisible(c))
		return PATH_INVISIBLE;
	return utf8_is_separator_lookalike(c) ? PATH_LOOKALIKE : PATH_OK;
}

/* ASCII that judge_char takes in a path and in a glob. */
static bool is_plain(char c)
{
	static const bool plain[256] = {
		[' ' ... '"'] = true, ['$'] = true, ['&' ... ')'] = true, ['+'] = true, ['-' ... ':'] = true, ['<' ... '>'] = true,
		['@' ... 'Z'] = true, ['^' ... 'z'] = true, ['~'] = true,
	};
	return plain[(unsigned char)c];
}

/* Characters first: their faults explain more than what they do to the segments. */
static enum path_fault judge_chars(struct slice s, bool glob)
{
	for (size_t i = 0; i < s.n;) {
		if (is_plain(s.p[i])) {
			i++;
			continue;
		}
		enum path_fault f = judge_char(utf8_next(s, &i), glob);

		if (f != PATH_OK)
			return f;
	}
	return PATH_OK;
}

static bool is_scheme_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '.' ||
		c == '-';
}

/* `scheme:` at the start (RFC 3986 §3.1; also `arn:` and `C:`), or `://` anywhere. */
static bool has_scheme(struct slice s)
{
	size_t i = 0;

	if (!memchr(s.p, ':', s.n))
		return false;
	while (i < s.n && is_scheme_char(s.p[i]))
		i++;
	return (i > 0 && i < s.n && s.p[i] == ':') || slice_find(s, SL("://")) >= 0;
}

static bool is_spaced(struct slice segment)
{
	size_t first = 0, last = segment.n - 1;

	while (last > 0 && ((unsigned char)segment.p[last] & 0xC0) == 0x80)
		last--;
	return is_space(utf8_next(segment, &first)) || is_space(utf8_next(segment, &last));
}

static bool is_dots(struct slice segment)
{
	for (size_t i = 0; i < segment.n; i++)
		if (segment.p[i] != '.')
			return false;
	return true;
}

/* Segments of a path without outer slashes. Longer runs of dots are refused like `..`: some stores trim them. */
static enum path_fault judge_segments(struct slice s)
{
	while (s.p) {
		struct slice segment = slice_cut(&s, '/');

		if (segment.n == 0)
			return PATH_SLASHES;
		if (is_dots(segment))
			return PATH_DOTS;
		if (is_spaced(segment))
			return PATH_SPACE;
	}
	return PATH_OK;
}

static size_t count(struct slice s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}

/* A character that turns into a separator, a dot or an escape when a vault normalises it, as U+2100 (`a/c`) does. */
static bool fold_reveals(struct slice text, struct slice folded)
{
	static const char marks[] = "/.\\%?#;*,:[]{}";

	if (utf8_is_ascii(text))
		return false; /* folding ASCII changes letters only */
	for (const char *m = marks; *m; m++)
		if (count(folded, *m) != count(text, *m))
			return true;
	return false;
}

static enum path_fault fold(struct path *out, struct arena *arena)
{
	out->folded = utf8_fold(out->text, arena);
	if (!out->folded.p)
		return PATH_NOMEM;
	return fold_reveals(out->text, out->folded) ? PATH_LOOKALIKE : PATH_OK;
}

/* Drops one slash at each end. `/` alone becomes empty; `//` keeps one, which is an empty segment. */
static struct slice drop_outer_slashes(struct slice s)
{
	if (s.p[0] == '/')
		s = slice_from(s, 1);
	if (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

/* Everything but the folded copy. */
static enum path_fault bring_to_form(struct slice *out, struct slice raw, bool glob, struct arena *arena)
{
	enum path_fault f;

	if (raw.n > PATH_MAX_BYTES)
		return PATH_TOO_LONG;
	if (!utf8_valid(raw))
		return PATH_ENCODING;
	f = judge_chars(raw, glob);
	if (f != PATH_OK)
		return f;
	*out = utf8_nfc(raw, arena);
	if (!out->p)
		return PATH_NOMEM;
	/* Composing makes `;` of U+037E: the form that goes on is judged too, where it is another. */
	f = out->p == raw.p ? PATH_OK : judge_chars(*out, glob);
	if (f != PATH_OK)
		return f;
	*out = drop_outer_slashes(*out);
	if (has_scheme(*out))
		return PATH_SCHEME;
	return out->n ? judge_segments(*out) : PATH_OK;
}

/* Letters, digits, `-` and `_` between single slashes, as most paths are: nothing of the above would change or refuse it. */
static bool is_canonical(struct slice s)
{
	static const bool word[256] = {
		['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['_'] = true,
	};
	bool begun = false; /* the segment has a character */

	for (size_t i = 0; i < s.n; i++) {
		bool slash = s.p[i] == '/';

		if (slash ? !begun : !word[(unsigned char)s.p[i]])
			return false;
		begun = !slash;
	}
	return begun && s.n <= PATH_MAX_BYTES;
}

enum path_fault path_canonical(struct path *out, struct slice raw, bool allow_empty, struct arena *arena)
{
	*out = (struct path){ { "", 0 }, { "", 0 } };
	if (raw.n == 0)
		return allow_empty ? PATH_OK : PATH_EMPTY;

	struct slice text = raw;
	enum path_fault f = is_canonical(raw) ? PATH_OK : bring_to_form(&text, raw, false, arena);

	if (f != PATH_OK)
		return f;
	if (text.n == 0)
		return allow_empty ? PATH_OK : PATH_EMPTY;
	out->text = text;
	return fold(out, arena);
}

/* The whole segments before the one that holds the first wildcard. */
static struct slice fixed_part(struct slice pattern)
{
	size_t end = 0;

	for (size_t i = 0; i < pattern.n && pattern.p[i] != '*'; i++)
		if (pattern.p[i] == '/')
			end = i;
	return slice_head(pattern, end);
}

enum path_fault path_glob_base(struct path *out, struct slice raw, bool *wild, struct arena *arena)
{
	*out = (struct path){ { "", 0 }, { "", 0 } };
	*wild = false;
	if (raw.n == 0)
		return PATH_EMPTY;

	struct slice text;
	enum path_fault f = bring_to_form(&text, raw, true, arena);

	if (f != PATH_OK)
		return f;
	if (text.n == 0)
		return PATH_EMPTY;
	/* Folded whole first: what stands behind the wildcard must hide nothing either. */
	out->text = text;
	f = fold(out, arena);
	*wild = memchr(text.p, '*', text.n) != NULL;
	if (f != PATH_OK || !*wild)
		return f;
	out->text = fixed_part(text);
	return fold(out, arena);
}

bool path_covers(struct slice prefix, struct slice path)
{
	if (prefix.n == 0)
		return true;
	return slice_starts(path, prefix) && (path.n == prefix.n || path.p[prefix.n] == '/');
}
