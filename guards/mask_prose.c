/* Values named in a sentence: `password: …`, `"token": "…"`, `api_key=…`, PEM private keys, passwords in URLs. */
#include "guards/mask_names.h"
#include "guards/mask_text.h"
#include "guards/response.h"

static enum masked hide(struct doc *d, size_t from, size_t to)
{
	return doc_replace(d, from, to - from, SL(MASK_MARKER)) == E_OK ? MASKED_OK : MASKED_NOMEM;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool is_value_name(struct slice name, bool one_word)
{
	enum name_class c = mask_name_class(name);
	return c == NAME_VALUE || (c == NAME_VALUEISH && one_word);
}

/*
 * Whether the text before `sep` ends in the name of a value: `password`, `"client_secret"`, `API key`. The last segment
 * of a path is no name.
 */
static bool named_value(struct slice s, size_t sep)
{
	size_t end = sep, from;

	while (end > 0 && (s.p[end - 1] == ' ' || s.p[end - 1] == '\t'))
		end--;
	while (end > 0 && memchr("\"'`\\*", s.p[end - 1], 5))
		end--;
	from = end;
	for (int words = 1; words <= 3; words++) {
		size_t stop = from;
		while (from > 0 && is_word(s.p[from - 1]))
			from--;
		if (from == stop || end - from > 60 || (from > 0 && s.p[from - 1] == '/'))
			return false;
		if (is_value_name(slice_make(s.p + from, end - from), words == 1))
			return true;
		if (from == 0 || s.p[from - 1] != ' ')
			return false;
		from--;
	}
	return false;
}

static size_t line_end(struct slice s, size_t at)
{
	const char *nl = at < s.n ? memchr(s.p + at, '\n', s.n - at) : NULL;
	return nl ? (size_t)(nl - s.p) : s.n;
}

/* End of a bracketed value: behind its closing bracket, or the end of the text when it has none. */
static size_t bracket_end(struct slice s, size_t at)
{
	size_t depth = 0;
	bool quoted = false;

	for (; at < s.n; at++) {
		char c = s.p[at];
		if (quoted && c == '\\')
			at++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']') && --depth == 0)
			return at + 1;
	}
	return s.n;
}

/* End of the quoted text that starts at `at`: the closing quote, or the end of the line. */
static size_t quote_end(struct slice s, size_t at, char quote)
{
	for (; at < s.n && s.p[at] != quote && s.p[at] != '\n'; at++)
		if (s.p[at] == '\\' && at + 1 < s.n)
			at++;
	return at;
}

static size_t pem_end(struct slice s, size_t at)
{
	ptrdiff_t tail = slice_find(slice_from(s, at), SL("-----END "));
	return tail < 0 ? s.n : line_end(s, at + (size_t)tail);
}

/* Hides the value behind the separator at `sep`; *next is where to read on. */
static enum masked hide_named(struct doc *d, size_t sep, size_t *next)
{
	struct slice s = d->text;
	size_t at = sep + 1, end;

	while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t' || s.p[at] == '*'))
		at++;
	end = line_end(s, at);
	*next = at;
	if (end == at || (end == at + 1 && s.p[at] == '\r')) {
		struct slice below = slice_trim(slice_from(s, end));
		if (!slice_starts(below, SL("-----BEGIN ")))
			return MASKED_OK;
		at = (size_t)(below.p - s.p);
		end = pem_end(s, at);
	} else if (slice_starts(slice_from(s, at), SL("-----BEGIN "))) {
		end = pem_end(s, at);
	} else if (s.p[at] == '"' || s.p[at] == '\'' || s.p[at] == '`') {
		end = quote_end(s, at + 1, s.p[at]);
		at++;
	} else if (s.p[at] == '{' || s.p[at] == '[') {
		end = bracket_end(s, at);
	} else if (end > at && s.p[end - 1] == '\r') {
		end--;
	}
	*next = end;
	return end > at ? hide(d, at, end) : MASKED_OK;
}

/* `scheme://user:password@host`: hides the password. */
static enum masked hide_userinfo(struct doc *d, size_t colon, size_t *next)
{
	struct slice s = d->text;
	size_t at = colon + 3, pass = 0;

	for (; at < s.n && s.p[at] != '/' && s.p[at] != '"' && (unsigned char)s.p[at] > ' '; at++) {
		if (s.p[at] == ':' && !pass)
			pass = at + 1;
		if (s.p[at] == '@' && pass) {
			*next = at;
			return at > pass ? hide(d, pass, at) : MASKED_OK;
		}
	}
	return MASKED_OK;
}

static enum masked hide_private_keys(struct doc *d)
{
	struct slice s = d->text;
	enum masked m = MASKED_OK;

	for (size_t at = 0; at < s.n && m == MASKED_OK;) {
		ptrdiff_t found = slice_find(slice_from(s, at), SL("PRIVATE KEY-----"));
		if (found < 0)
			break;
		size_t key = at + (size_t)found, start = key;
		while (start > 0 && s.p[start - 1] != '\n' && !slice_starts(slice_from(s, start), SL("-----BEGIN")))
			start--;
		at = pem_end(s, key);
		m = hide(d, start, at);
	}
	return m;
}

enum masked mask_prose(struct doc *d)
{
	struct slice s = d->text;
	enum masked m = MASKED_OK;

	for (size_t i = 0; i < s.n && m == MASKED_OK; i++) {
		size_t next = i;

		if (s.p[i] != ':' && s.p[i] != '=')
			continue;
		if (slice_starts(slice_from(s, i), SL("://")))
			m = hide_userinfo(d, i, &next);
		else if (named_value(s, i))
			m = hide_named(d, i, &next);
		i = next > i ? next - 1 : i;
	}
	return m == MASKED_OK ? hide_private_keys(d) : m;
}
