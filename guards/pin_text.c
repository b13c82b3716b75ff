#include "guards/pin_text.h"

#include "base/utf8.h"

#define MAX_NAME    128
#define SHOWN_BYTES 120 /* of either side */
#define LEAD_BYTES  24  /* of what is the same before the difference */
#define KEY_BYTES   16  /* letters and digits in one piece, both among them: it might be a key */

/* --- what may be shown ------------------------------------------------------------------------------------------------- */

static bool is_key_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '_' || c == '-' || c == '=';
}

/* How many bytes from here are one piece that might be a key; 0: it is none. */
static size_t key_length(struct slice s)
{
	bool digit = false, letter = false;
	size_t n = 0;

	for (; n < s.n && is_key_char(s.p[n]); n++) {
		digit |= s.p[n] >= '0' && s.p[n] <= '9';
		letter |= (s.p[n] | 0x20) >= 'a' && (s.p[n] | 0x20) <= 'z';
	}
	return n >= KEY_BYTES && digit && letter ? n : 0;
}

static bool is_seen(uint32_t c)
{
	return c >= 0x20 && !(c >= 0x7F && c < 0xA0) && c != 0x2028 && c != 0x2029 && !utf8_is_invisible(c);
}

static void add_char(struct buf *out, struct slice s, size_t *i)
{
	size_t from = *i;
	uint32_t c = utf8_next(s, i);

	if (is_seen(c))
		buf_add(out, slice_make(s.p + from, *i - from));
	else
		buf_add_fmt(out, "\\u{%x}", c);
}

/* The piece of s from `from` on, with dots for what is left out. */
static void add_shown(struct buf *out, struct slice s, size_t from)
{
	size_t end = from + SHOWN_BYTES, i = from;

	buf_add_fmt(out, "%s", from ? "…" : "");
	while (i < s.n && i < end) {
		size_t key = i == from || !is_key_char(s.p[i - 1]) ? key_length(slice_from(s, i)) : 0;

		if (key)
			buf_add(out, SL("••••••"));
		else
			add_char(out, s, &i);
		i += key;
	}
	buf_add_fmt(out, "%s", i < s.n ? "…" : "");
}

void pin_add_name(struct buf *out, enum pin_kind kind, struct slice name)
{
	struct slice rest = name;

	if (kind == PIN_RESOURCE)
		name = slice_cut(&rest, '?');
	for (size_t i = 0; i < name.n && i < MAX_NAME;)
		add_char(out, name, &i);
	buf_add_fmt(out, "%s", name.n > MAX_NAME ? "…" : "");
}

/* --- the difference ---------------------------------------------------------------------------------------------------- */

/* A member of a definition in its one spelling; empty: there is none. */
static struct slice member_of(struct slice definition, const char *name, struct arena *a)
{
	struct json j;
	uint32_t tok = definition.n && json_parse(&j, definition, a, NULL) == E_OK ? json_member(&j, 0, slice_of(name)) : JSON_NONE;

	if (tok == JSON_NONE)
		return SL("");
	return json_is(&j, tok, JSON_STRING) ? json_string(&j, tok, a) : json_source(&j, tok);
}

/* Where to begin, so that the difference is seen: at the beginning of a word. */
static size_t where_to_begin(struct slice old, struct slice new)
{
	size_t same = 0;

	while (same < old.n && same < new.n && old.p[same] == new.p[same])
		same++;
	if (same <= LEAD_BYTES)
		return 0;
	size_t from = same - LEAD_BYTES;

	/* A key must be seen from its beginning to be known for one. */
	while (from && (is_key_char(old.p[from - 1]) || ((unsigned char)old.p[from] & 0xC0) == 0x80))
		from--;
	return from;
}

static void add_side(struct buf *out, const char *word, struct slice text, bool there, size_t from)
{
	if (!there) {
		buf_add_fmt(out, " %s none", word);
		return;
	}
	buf_add_fmt(out, " %s \"", word);
	add_shown(out, text, from);
	buf_add_char(out, '"');
}

static void add_difference(struct buf *out, const char *member, bool was, bool is, struct slice old_text, struct slice new_text, struct arena *a)
{
	struct slice old = member_of(old_text, member, a), new = member_of(new_text, member, a);
	size_t from = old_text.n && was && is ? where_to_begin(old, new) : 0;

	buf_add_char(out, ':');
	if (was && !old_text.n)
		buf_add(out, SL(" old not kept;"));
	else
		add_side(out, "old", old, was, from);
	add_side(out, "new", new, is, from);
}

void pin_add_change(struct buf *out, enum pin_kind kind, const uint32_t old_marks[PIN_MEMBERS], struct slice old_text, const struct definition *now,
	struct arena *a)
{
	const struct pin_row *row = pin_row(kind);
	bool first = true;

	for (size_t i = 0; row->members[i]; i++) {
		if (old_marks[i] == now->marks[i])
			continue;
		buf_add_fmt(out, "%s%s changed", first ? "" : ", ", row->members[i]);
		if (kind != PIN_RESOURCE)
			add_difference(out, row->members[i], old_marks[i] != 0, now->marks[i] != 0, old_text, now->text, a);
		first = false;
	}
}
