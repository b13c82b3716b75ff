/* The formats a catalog can name: environment files, YAML, lines by a pattern. Positions are offsets into d->text. */
#include "guards/mask_text.h"

#include "guards/response.h"

static enum masked hide(struct doc *d, size_t from, size_t to)
{
	return doc_replace(d, from, to - from, SL(MASK_MARKER)) == E_OK ? MASKED_OK : MASKED_NOMEM;
}

static size_t line_end(struct slice s, size_t at)
{
	const char *nl = at < s.n ? memchr(s.p + at, '\n', s.n - at) : NULL;
	return nl ? (size_t)(nl - s.p) : s.n;
}

/* The end of a line without its CR. */
static size_t text_end(struct slice s, size_t at, size_t end)
{
	return end > at && s.p[end - 1] == '\r' ? end - 1 : end;
}

static size_t skip_blanks(struct slice s, size_t at)
{
	while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'))
		at++;
	return at;
}

static bool is_blank(struct slice s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	return true;
}

bool mask_is_plain_words(struct slice s)
{
	size_t word = 0;

	if (s.n > 80)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && c != ' ' && c != ':' && c != '.' && c != ',' && c != '!' && c != '\n')
			return false;
		word = letter ? word + 1 : 0;
		if (word > 14)
			return false;
	}
	return true;
}

/* Offset of the closing quote of the text that starts behind an opening one, or s.n. */
static size_t closing_quote(struct slice s, size_t at, char quote)
{
	for (; at < s.n && s.p[at] != quote; at++)
		if (s.p[at] == '\\' && quote != '\'' && at + 1 < s.n)
			at++;
	return at;
}

/* A quoted value, perhaps over several lines. *at moves to the end of its last line. */
static enum masked hide_quoted(struct doc *d, size_t *at)
{
	struct slice s = d->text;
	size_t close = closing_quote(s, *at + 1, s.p[*at]), end;
	enum masked m;

	if (close >= s.n)
		return MASKED_NOT;
	m = hide(d, *at + 1, close);
	end = line_end(s, close);
	*at = end;
	close = skip_blanks(s, close + 1);
	if (m != MASKED_OK || is_blank(s, close, end))
		return m;
	return s.p[close] == '#' ? hide(d, close + 1, text_end(s, close, end)) : MASKED_NOT;
}

/* An unquoted value: to the end of the line, over continuation lines, over a whole PEM block. */
static enum masked hide_bare(struct doc *d, size_t *at)
{
	struct slice s = d->text;
	size_t from = *at, end = line_end(s, from);

	if (slice_starts(slice_from(s, from), SL("-----BEGIN "))) {
		ptrdiff_t tail = slice_find(slice_from(s, from), SL("-----END "));
		if (tail < 0)
			return MASKED_NOT;
		end = line_end(s, from + (size_t)tail);
	}
	while (end < s.n && text_end(s, from, end) > from && s.p[text_end(s, from, end) - 1] == '\\')
		end = line_end(s, end + 1);
	*at = end;
	return hide(d, from, text_end(s, from, end));
}

static enum masked hide_value(struct doc *d, size_t *at)
{
	char c = *at < d->text.n ? d->text.p[*at] : '\n';
	return c == '"' || c == '\'' || c == '`' ? hide_quoted(d, at) : hide_bare(d, at);
}

/* --- environment files -------------------------------------------------------------------------------------------- */

enum { CASE_LOWER = 1, CASE_UPPER = 2 };

/* Length of the variable name at `at`; *cases gets what letters it has. */
static size_t env_name(struct slice s, size_t at, unsigned *cases)
{
	size_t n = 0;

	for (; at + n < s.n; n++) {
		char c = s.p[at + n];
		if (c >= 'a' && c <= 'z')
			*cases |= CASE_LOWER;
		else if (c >= 'A' && c <= 'Z')
			*cases |= CASE_UPPER;
		else if (c != '_' && (n == 0 || c < '0' || c > '9'))
			break;
	}
	return n;
}

/*
 * A name of mixed case, or names of both cases in one text, may as well be the tail of a base64 value that was cut at
 * a line end: such a text is not believed.
 */
enum masked mask_env(struct doc *d, size_t from)
{
	struct slice s = d->text;
	unsigned cases = 0;
	enum masked m = MASKED_OK;

	for (size_t at = from; at < s.n && m == MASKED_OK; at++) {
		size_t end = line_end(s, at);

		if (is_blank(s, at, end)) {
			at = end;
			continue;
		}
		at = skip_blanks(s, at);
		if (s.p[at] == '#') {
			m = hide(d, at + 1, text_end(s, at + 1, end));
			at = end;
			continue;
		}
		if (slice_starts(slice_from(s, at), SL("export ")))
			at = skip_blanks(s, at + 7);
		size_t n = env_name(s, at, &cases);
		at = skip_blanks(s, at + n);
		if (n == 0 || cases == (CASE_LOWER | CASE_UPPER) || at >= end || (s.p[at] != '=' && s.p[at] != ':'))
			return MASKED_NOT;
		at = skip_blanks(s, at + 1);
		m = hide_value(d, &at);
	}
	return m;
}

/* --- YAML --------------------------------------------------------------------------------------------------------- */

static size_t indent_of(struct slice s, size_t at)
{
	size_t n = 0;
	while (at + n < s.n && s.p[at + n] == ' ')
		n++;
	return n;
}

/* Offset behind `name:` at `at`, or 0 when the line names nothing. Quoted names hold no colon. */
static size_t yaml_name_end(struct slice s, size_t at, size_t end)
{
	for (size_t i = at; i < end; i++) {
		char c = s.p[i];
		if (c == ':' && i > at && (i + 1 >= end || s.p[i + 1] == ' ' || s.p[i + 1] == '\r'))
			return i + 1;
		if (c == ':' || c == '#' || c == '{' || c == '[' || c == '|' || c == '>' || c == '&' || c == '*')
			return 0;
	}
	return 0;
}

/* `|` and `>`: everything indented deeper than `indent` belongs to it. */
static enum masked hide_block(struct doc *d, size_t *at, size_t indent)
{
	struct slice s = d->text;
	size_t end = line_end(s, *at), next = end + 1;

	while (next < s.n && (is_blank(s, next, line_end(s, next)) || indent_of(s, next) > indent)) {
		end = line_end(s, next);
		next = end + 1;
	}
	enum masked m = hide(d, *at, text_end(s, *at, end));
	*at = end;
	return m;
}

/* A plain scalar that runs on in the next, deeper line is not taken apart. */
static bool runs_on(struct slice s, size_t end, size_t indent)
{
	size_t next = end + 1;
	if (next >= s.n || is_blank(s, next, line_end(s, next)))
		return false;
	return indent_of(s, next) > indent;
}

static enum masked yaml_line(struct doc *d, size_t *at)
{
	struct slice s = d->text;
	size_t end = line_end(s, *at), indent = indent_of(s, *at), p = *at + indent;
	bool item = false;

	while (p + 1 < end && s.p[p] == '-' && s.p[p + 1] == ' ') {
		p = skip_blanks(s, p + 1);
		item = true;
	}
	size_t name_end = yaml_name_end(s, p, text_end(s, p, end));
	if (!name_end && !item)
		return MASKED_NOT;
	if (name_end)
		p = skip_blanks(s, name_end);
	if (is_blank(s, p, end)) {
		*at = end;
		return MASKED_OK;
	}
	*at = p;
	if (s.p[p] == '|' || s.p[p] == '>')
		return hide_block(d, at, indent);
	if (s.p[p] == '"' || s.p[p] == '\'')
		return hide_quoted(d, at);
	*at = end;
	return runs_on(s, end, indent) ? MASKED_NOT : hide(d, p, text_end(s, p, end));
}

enum masked mask_yaml(struct doc *d, size_t from)
{
	struct slice s = d->text;
	enum masked m = MASKED_OK;

	for (size_t at = from; at < s.n && m == MASKED_OK; at++) {
		size_t end = line_end(s, at), p = skip_blanks(s, at);
		struct slice line = slice_trim(slice_make(s.p + at, end - at));

		if (line.n == 0 || slice_eq(line, SL("---")) || slice_eq(line, SL("..."))) {
			at = end;
		} else if (s.p[p] == '#') {
			m = hide(d, p + 1, text_end(s, p + 1, end));
			at = end;
		} else {
			m = yaml_line(d, &at);
		}
	}
	return m;
}

/* --- lines by a pattern ------------------------------------------------------------------------------------------ */

/* The line that counts the others, with nothing but plain words before its number. */
static bool is_count(const struct regex *count, struct slice line)
{
	size_t start, end;
	bool overrun = false;

	return count && regex_match(count, line, 0, &start, &end, &overrun) &&
		mask_is_plain_words(slice_head(line, start));
}

/* What stands between two matches: hidden line by line, but for a line that counts. */
static enum masked hide_gap(struct doc *d, size_t from, size_t to, const struct regex *count)
{
	struct slice s = d->text;
	enum masked m = MASKED_OK;

	for (size_t at = from; at < to && m == MASKED_OK;) {
		size_t end = line_end(s, at);

		end = end < to ? end : to;
		struct slice part = slice_trim(slice_make(s.p + at, end - at));
		if (part.n && !is_count(count, part))
			m = hide(d, (size_t)(part.p - s.p), (size_t)(part.p - s.p) + part.n);
		at = end + 1;
	}
	return m;
}

enum masked mask_lines(struct doc *d, size_t from, const struct regex *line, const struct regex *count)
{
	size_t at = from, start, end, a, b, matches = 0;
	bool overrun = false;
	enum masked m = MASKED_OK;

	while (m == MASKED_OK && at <= d->text.n && regex_match(line, d->text, at, &start, &end, &overrun)) {
		matches++;
		if (regex_group(line, "value", &a, &b))
			m = hide(d, a, b);
		if (m == MASKED_OK)
			m = hide_gap(d, at, start, count);
		at = end > at ? end : at + 1;
	}
	if (overrun || matches == 0)
		return MASKED_NOT;
	return m == MASKED_OK ? hide_gap(d, at, d->text.n, count) : m;
}

enum masked mask_line_values(struct doc *d, const struct regex *line)
{
	size_t at = 0, start, end, a, b;
	bool overrun = false;

	while (at <= d->text.n && regex_match(line, d->text, at, &start, &end, &overrun)) {
		if (regex_group(line, "value", &a, &b) && hide(d, a, b) != MASKED_OK)
			return MASKED_NOMEM;
		at = end > at ? end : at + 1;
	}
	return overrun ? MASKED_NOT : MASKED_OK;
}
