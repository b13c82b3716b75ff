/*
 * Values named in a sentence: `password: …`, `"token": "…"`, `api_key=…`, `the value is …`, `<value>…</value>`.
 * Credentials that show by themselves are mask_credentials.c's, tables mask_tables.c's.
 */
#include "guards/mask_names.h"
#include "guards/mask_text.h"
#include "guards/response.h"

struct prose {
	struct doc *d;
	bool doubt;   /* what stands behind a name goes only when it looks like a secret */
	bool open;    /* the text ended where a value should begin */
};

struct value_name {
	struct slice text;  /* n == 0: there is none */
	bool in_path;       /* the last segment of a path: a secret called so, more often than a value */
};

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
	size_t dashes = 0;

	while (dashes < name.n && (name.p[dashes] == '-' || name.p[dashes] == '_'))
		dashes++;
	enum name_class c = dashes < name.n ? mask_name_class(name) : NAME_PLAIN;
	return c == NAME_VALUE || (c == NAME_VALUEISH && one_word);
}

/* The name of a value that the text before `sep` ends in: `password`, `"client_secret"`, `API key`. */
static struct value_name name_before(struct slice s, size_t sep)
{
	struct value_name none = { .text = { NULL, 0 } };
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
		bool in_path = from > 0 && s.p[from - 1] == '/';
		if (from == stop || end - from > 60 || (in_path && words > 1))
			return none;
		if (is_value_name(slice_make(s.p + from, end - from), words == 1))
			return (struct value_name){ slice_make(s.p + from, end - from), in_path };
		if (from == 0 || s.p[from - 1] != ' ')
			return none;
		from--;
	}
	return none;
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

static bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

/* --- what may be a secret, where the name alone does not say so ------------------------------------------------- */

/* End of the word that starts at `at`, without the sentence's own signs. */
static size_t word_end(struct slice s, size_t at)
{
	size_t end = at;

	while (end < s.n && (unsigned char)s.p[end] > ' ' && s.p[end] != ',' && s.p[end] != ';')
		end++;
	while (end > at && memchr(".!?)]", s.p[end - 1], 5))
		end--;
	return end;
}

/* Letters mixed with digits or odd signs: no word of a language, no version, no date, no path. */
bool mask_is_secretish(struct slice w)
{
	size_t letters = 0, digits = 0, odd = 0, slashes = 0;

	for (size_t i = 0; i < w.n; i++) {
		char c = w.p[i], l = (char)(c | 0x20);
		letters += l >= 'a' && l <= 'z';
		digits += c >= '0' && c <= '9';
		odd += memchr("!@#$%^&*+=~", c, 11) != NULL;
		slashes += c == '/';
	}
	bool dated = w.n >= 10 && w.p[4] == '-' && w.p[7] == '-' && digits >= 8;
	return w.n >= 6 && letters && (digits || odd) && !dated && (!slashes || (w.n >= 24 && digits >= 4));
}

/* The word at `at`, when it looks like a secret; a quoted one is taken at its word unless there is doubt. */
static enum masked hide_word(struct prose *p, size_t at, bool doubt, size_t *next)
{
	struct slice s = p->d->text;
	bool quoted = at < s.n && is_quote(s.p[at]);
	size_t from = quoted ? at + 1 : at, end = quoted ? quote_end(s, from, s.p[at]) : word_end(s, from);
	struct slice word = slice_make(s.p + from, end - from);

	*next = end;
	if (!mask_is_secretish(word) && (!quoted || doubt || word.n < 4 || memchr(word.p, '/', word.n)))
		return MASKED_OK;
	return hide(p->d, from, end);
}

/* --- behind a sign ------------------------------------------------------------------------------------------------ */

static size_t indent_of(struct slice s, size_t line)
{
	size_t n = line;

	while (n < s.n && s.p[n] == ' ')
		n++;
	return n - line;
}

/* Lines below `at` that are indented deeper than its own belong to the name; *end is where they end. False: none. */
static bool block_below(struct slice s, size_t at, size_t *from, size_t *end)
{
	size_t line = at;

	while (line > 0 && s.p[line - 1] != '\n')
		line--;
	size_t indent = indent_of(s, line), next = line_end(s, at) + 1;
	*from = next;
	*end = next;
	while (next < s.n) {
		struct slice text = slice_trim(slice_make(s.p + next, line_end(s, next) - next));
		if (text.n && indent_of(s, next) <= indent)
			break;
		if (text.n)
			*end = (size_t)(text.p - s.p) + text.n;
		next = line_end(s, next) + 1;
	}
	if (*end <= *from)
		return false;
	*from += indent_of(s, *from);
	return true;
}

/* Nothing stands behind the name in its own line: a block, a PEM, or one word may stand below. */
static enum masked hide_below(struct prose *p, size_t at, size_t *next)
{
	struct slice s = p->d->text;
	size_t from, end, below = line_end(s, at);

	while (below < s.n && (unsigned char)s.p[below] <= ' ')
		below++;
	*next = below;
	if (below == s.n) {
		p->open = true;
		return MASKED_OK;
	}
	if (slice_starts(slice_from(s, below), SL("-----BEGIN "))) {
		from = below;
		end = mask_pem_end(s, from);
	} else if (!block_below(s, at, &from, &end)) {
		from = below;
		return line_end(s, from) == word_end(s, from) ? hide_word(p, from, true, next) : MASKED_OK;
	}
	*next = end;
	return hide(p->d, from, end);
}

/* Hides the value behind the separator at `sep`; *next is where to read on. */
static enum masked hide_named(struct prose *p, const struct value_name *name, size_t sep, size_t *next)
{
	struct slice s = p->d->text;
	size_t at = sep + 1, end;

	while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t' || s.p[at] == '*' || (s.p[at] == '>' && at == sep + 1)))
		at++;
	end = line_end(s, at);
	*next = at;
	if (p->doubt || name->in_path)
		return hide_word(p, at, true, next);
	/* Nothing, or the sign of a block in YAML: `|`, `>-`. */
	bool block = end - at <= 4 && end > at && (s.p[at] == '|' || s.p[at] == '>');
	if (end == at || (end == at + 1 && s.p[at] == '\r') || block)
		return hide_below(p, at, next);
	if (slice_starts(slice_from(s, at), SL("-----BEGIN "))) {
		end = mask_pem_end(s, at);
	} else if (is_quote(s.p[at])) {
		end = quote_end(s, at + 1, s.p[at]);
		at++;
	} else if (s.p[at] == '{' || s.p[at] == '[') {
		end = bracket_end(s, at);
	} else if (s.p[end - 1] == '\r') {
		end--;
	}
	*next = end;
	return end > at ? hide(p->d, at, end) : MASKED_OK;
}

/* --- behind a word ------------------------------------------------------------------------------------------------ */

/* Bytes of ` is `, ` -> ` and their like at `at`; 0: none. */
static size_t link_word(struct slice s)
{
	static const struct slice LINKS[] = { { " is now ", 8 }, { " is ", 4 }, { " is: ", 5 }, { " was ", 5 }, { " to ", 4 },
		{ " -> ", 4 }, { " => ", 4 }, { " \xe2\x86\x92 ", 5 }, { " - ", 3 } };

	if (s.n < 3 || !memchr("iwt-=\xe2", s.p[1], 6))
		return 0;
	for (size_t i = 0; i < sizeof LINKS / sizeof *LINKS; i++)
		if (slice_starts(s, LINKS[i]))
			return LINKS[i].n;
	return 0;
}

/* What a sentence calls so may be the name of the thing as well. */
static bool is_vague(struct slice name)
{
	static const char *const NAMES[] = { "secret", "credential", "credentials", "data", "bundle", "values", "preview",
		"previews" };

	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		if (slice_eq_nocase(name, slice_of(NAMES[i])))
			return true;
	return false;
}

static enum masked hide_linked(struct prose *p, size_t at, size_t *next)
{
	size_t n = link_word(slice_from(p->d->text, at));
	struct value_name name = n ? name_before(p->d->text, at) : (struct value_name){ .text = { NULL, 0 } };

	if (!name.text.n)
		return MASKED_OK;
	return hide_word(p, at + n, p->doubt || name.in_path || is_vague(name.text), next);
}

/* --- tags --------------------------------------------------------------------------------------------------------- */

#define TAG_MAX 200

/* Behind `<value>` or `<secret path="…">`, whose `>` stands at `at`: the text up to the next tag. */
static enum masked hide_tagged(struct prose *p, size_t at, size_t *next)
{
	struct slice s = p->d->text, cdata = SL("<![CDATA[");
	size_t open = at, end;

	while (open > 0 && at - open < TAG_MAX && s.p[open - 1] != '<' && s.p[open - 1] != '>')
		open--;
	if (open == 0 || s.p[open - 1] != '<')
		return MASKED_OK;
	for (end = open; end < at && (is_word(s.p[end]) || s.p[end] == ':'); end++)
		if (s.p[end] == ':')
			open = end + 1;
	if (end == open || !is_value_name(slice_make(s.p + open, end - open), true))
		return MASKED_OK;
	size_t from = at + 1;
	ptrdiff_t stop = -1;
	if (slice_starts(slice_from(s, from), cdata)) {
		from += cdata.n;
		stop = slice_find(slice_from(s, from), SL("]]>"));
	} else {
		stop = slice_find(slice_from(s, from), SL("<"));
	}
	end = stop < 0 ? s.n : from + (size_t)stop;
	if (slice_trim(slice_make(s.p + from, end - from)).n == 0)
		return MASKED_OK;
	*next = end;
	return hide(p->d, from, end);
}

enum masked mask_prose(struct doc *d, bool doubt, bool *open)
{
	struct prose p = { .d = d, .doubt = doubt };
	struct slice s = d->text;
	enum masked m = MASKED_OK;

	for (size_t i = 0, said = 0; i < s.n && m == MASKED_OK; i++) {
		struct value_name name;
		size_t next = i;

		if (i - said > ARENA_STEP_BYTES) {
			arena_worked(d->arena, i - said);
			said = i;
		}
		if (s.p[i] == ' ') {
			m = hide_linked(&p, i, &next);
		} else if (s.p[i] == '>') {
			m = hide_tagged(&p, i, &next);
		} else if ((s.p[i] == ':' && !slice_starts(slice_from(s, i), SL("://"))) || s.p[i] == '=') {
			name = name_before(s, i);
			if (name.text.n)
				m = hide_named(&p, &name, i, &next);
		}
		i = next > i ? next - 1 : i;
	}
	if (open)
		*open = p.open;
	if (m == MASKED_OK)
		m = mask_credentials(d);
	return m == MASKED_OK ? mask_tables(d) : m;
}
