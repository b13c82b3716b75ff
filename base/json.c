/*
 * The reader: one pass over the bytes, a stack of open containers in place of recursion.
 * Functions take the place to read from and return the place behind what they read, or NULL after fault().
 */
#include "base/json.h"
#include "base/json_parts.h"
#include "base/json_scan.h"

enum {
	SMALL_OBJECT = 16,    /* members whose names are compared pair by pair; above it the object gets a hash set */
	FIRST_TOKENS = 8192,  /* the tape starts at one token for 8 bytes, at most this */
	PLAIN_DIGITS = 300,   /* a number no longer than this, without exponent, cannot overflow */
};

/* An open container. `seen` has a mark of each of its first names: a mark that is not there proves a name to be new. */
struct frame {
	uint32_t tok;
	uint32_t count; /* members or items that are complete */
	char closer;
	bool escaped;   /* some name holds escapes: the names are compared at the end, decoded */
	uint16_t seen[SMALL_OBJECT];
};

struct reader {
	const char *start, *end;
	struct json_token *tok;
	unsigned flags;   /* of the string that read_long_string has just read */
	bool escaped_names;
	enum err err;
	const char *at;
	const char *said; /* up to here the arena knows what is done */
	struct arena *arena;
	struct json_names names;
	struct frame stack[JSON_MAX_DEPTH + 1]; /* the first stands for the text itself */
};

/*
 * What every token needs. Lives in registers: all that takes it by its address is inlined, and nothing else may.
 */
struct pen {
	const char *start, *end;
	struct json_token *at; /* the next token */
	uint32_t n, room;      /* tokens written; how many more there is room for */
	struct frame *f;
};
#define INLINE static inline __attribute__((always_inline))

static const char *fault(struct reader *r, enum err e, const char *at)
{
	r->err = e;
	r->at = at;
	return NULL;
}

/* Steps over spaces. The byte at *p then, or NUL, which nothing outside of strings may be, at the end. */
INLINE char next_byte(const char *end, const char **p)
{
	const char *at = *p;

	if (at == end)
		return '\0';
	if ((unsigned char)*at > ' ')
		return *at;
	*p = at = scan_spaces(at, end);
	return at < end ? *at : '\0';
}

/* --- the tape ----------------------------------------------------------------------------------------------------- */

/*
 * Makes room behind n tokens: for how many more; 0 after fault(). Guesses from what was read so far how many the whole text
 * has: a wrong guess costs memory to wipe.
 */
static uint32_t tape_grow(struct reader *r, uint32_t n, const char *p)
{
	uint64_t want = (uint64_t)n * (uint64_t)(r->end - r->start) / (uint64_t)(p - r->start + 1) * 9 / 8 + 16;
	struct json_token *tok;

	if (n >= JSON_MAX_TOKENS)
		return fault(r, E_TOO_MANY, p), 0;
	if (want < (uint64_t)n * 3 / 2)
		want = (uint64_t)n * 3 / 2;
	if (want > (uint64_t)n * 4)
		want = (uint64_t)n * 4;
	if (want > JSON_MAX_TOKENS)
		want = JSON_MAX_TOKENS;
	tok = arena_alloc_raw(r->arena, want * sizeof(*tok));
	if (!tok)
		return fault(r, E_NOMEM, p), 0;
	if (n)
		memcpy(tok, r->tok, n * sizeof(*tok));
	r->tok = tok;
	return (uint32_t)want - n;
}

/* Adds a token without children that spans the bytes from p to `behind`. */
INLINE bool tape_add(struct reader *r, struct pen *pen, enum json_type type, unsigned flags, const char *p, const char *behind)
{
	if (!pen->room) {
		pen->room = tape_grow(r, pen->n, p);
		if (!pen->room)
			return false;
		pen->at = r->tok + pen->n;
	}
	struct json_token *t = pen->at++;

	pen->room--;
	pen->n++;
	t->off = (uint32_t)(p - pen->start);
	t->len = (uint32_t)(behind - p);
	t->next = pen->n;
	t->count = 0;
	t->type = (uint8_t)type;
	t->flags = (uint8_t)flags;
	return true;
}

/* --- strings ------------------------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The four hex digits behind `\u`; -1 when they are not there. */
static int hex_unit(const char *p, const char *end)
{
	int unit = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p[i]);
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* p is the backslash of `\uXXXX`. A surrogate must come with its other half. */
static const char *read_unicode_escape(struct reader *r, const char *p, unsigned *flags)
{
	int unit = hex_unit(p + 2, r->end), low;

	if (unit < 0)
		return fault(r, E_SYNTAX, p);
	if (unit == 0 && (*flags & JSON_NAME))
		return fault(r, E_NUL, p);
	if (unit > 0x7F)
		*flags |= JSON_NOT_ASCII;
	if (unit < 0xD800 || unit > 0xDFFF)
		return p + 6;
	if (unit > 0xDBFF || r->end - p < 8 || p[6] != '\\' || p[7] != 'u')
		return fault(r, E_UTF8, p);
	low = hex_unit(p + 8, r->end);
	if (low < 0)
		return fault(r, E_SYNTAX, p + 6);
	return low >= 0xDC00 && low <= 0xDFFF ? p + 12 : fault(r, E_UTF8, p);
}

static const char *read_escape(struct reader *r, const char *p, unsigned *flags)
{
	*flags |= JSON_ESCAPED;
	if (r->end - p < 2)
		return fault(r, E_SYNTAX, r->end);
	switch (p[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return p + 2;
	case 'u':
		return read_unicode_escape(r, p, flags);
	default:
		return fault(r, E_SYNTAX, p);
	}
}

/* p is a byte at which a plain run ended, no quote: an escape, UTF-8, or something that may not be here. */
static const char *read_special(struct reader *r, const char *p, unsigned *flags)
{
	unsigned n;

	if (*p == '\\')
		return read_escape(r, p, flags);
	if ((unsigned char)*p < 0x20)
		return fault(r, *p == '\0' && (*flags & JSON_NAME) ? E_NUL : E_SYNTAX, p);
	*flags |= JSON_NOT_ASCII;
	while (p < r->end && (unsigned char)*p > 0x7F) {
		n = scan_utf8(p, r->end);
		if (!n)
			return fault(r, E_UTF8, p);
		p += n;
	}
	return p;
}

static void say_work(struct reader *r, const char *p)
{
	arena_worked(r->arena, (size_t)(p - r->said));
	r->said = p;
}

/* p is behind the opening quote. Returns the closing one; r->flags: `flags` and what was found. */
static const char *read_long_string(struct reader *r, const char *p, unsigned flags)
{
	bool escaped = false;

	for (;;) {
		const char *stop = r->end - p > ARENA_STEP_BYTES ? p + ARENA_STEP_BYTES : r->end;

		p = scan_string(p, stop, &escaped);
		if (p == r->end)
			return fault(r, E_SYNTAX, p);
		if (p == stop) {
			say_work(r, p);
			continue;
		}
		if (*p == '"')
			break;
		p = read_special(r, p, &flags);
		if (!p)
			return NULL;
	}
	r->flags = escaped ? flags | JSON_ESCAPED : flags;
	return p;
}

/* Most strings end within one block and hold nothing special. Returns what is behind the closing quote. */
INLINE const char *read_string(struct reader *r, struct pen *pen, const char *p, unsigned flags)
{
	unsigned marks = pen->end - p >= JSON_SCAN_BYTES ? scan_mask(p) : 0;
	const char *behind = marks ? p + __builtin_ctz(marks) : NULL;

	if (!behind || *behind != '"') {
		behind = read_long_string(r, p, flags);
		if (!behind)
			return NULL;
		flags = r->flags;
	}
	return tape_add(r, pen, JSON_STRING, flags, p, behind) ? behind + 1 : NULL;
}

/* --- numbers and literals ----------------------------------------------------------------------------------------- */

static inline const char *skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* At least one digit at p. */
static inline const char *read_digits(struct reader *r, const char *p)
{
	const char *behind = skip_digits(p, r->end);
	return behind > p ? behind : fault(r, E_SYNTAX, p);
}

static const char *read_number(struct reader *r, const char *p)
{
	const char *from = p;
	bool exponent = false;

	if (*p == '-')
		p++;
	if (p < r->end && *p == '0')
		p++;
	else if (!(p = read_digits(r, p)))
		return NULL;
	if (p < r->end && *p == '.' && !(p = read_digits(r, p + 1)))
		return NULL;
	if (p < r->end && (*p == 'e' || *p == 'E')) {
		exponent = true;
		p++;
		if (p < r->end && (*p == '+' || *p == '-'))
			p++;
		if (!(p = read_digits(r, p)))
			return NULL;
	}
	if ((exponent || p - from > PLAIN_DIGITS) && !json_number_finite(slice_make(from, (size_t)(p - from))))
		return fault(r, E_NUMBER, from);
	return p;
}

static const char *read_literal(struct reader *r, const char *p, struct slice word)
{
	return slice_starts(slice_make(p, (size_t)(r->end - p)), word) ? p + word.n : fault(r, E_SYNTAX, p);
}

/* --- containers --------------------------------------------------------------------------------------------------- */

/* p is the opening bracket. */
INLINE const char *open_container(struct reader *r, struct pen *pen, const char *p, enum json_type type, char closer)
{
	struct frame *f = pen->f + 1;

	if (f > r->stack + JSON_MAX_DEPTH)
		return fault(r, E_TOO_DEEP, p);
	if (!tape_add(r, pen, type, 0, p, p))
		return NULL;
	f->tok = pen->n - 1;
	f->count = 0;
	f->closer = closer;
	f->escaped = false;
	memset(f->seen, 0, sizeof(f->seen));
	pen->f = f;
	return p + 1;
}

static bool names_differ(struct reader *r, const struct frame *f, uint32_t n)
{
	struct json view = { .text = { r->start, (size_t)(r->end - r->start) }, .tok = r->tok, .n = n };
	uint32_t twin = f->tok;
	enum err e = json_names_differ(&r->names, &view, f->tok, r->arena, &twin);

	return e == E_OK || fault(r, e, r->start + r->tok[twin].off);
}

/* p is the closing bracket. */
INLINE const char *close_container(struct reader *r, struct pen *pen, const char *p)
{
	struct frame *f = pen->f--;
	struct json_token *t = &r->tok[f->tok];

	t->len = (uint32_t)(p + 1 - r->start) - t->off;
	t->next = pen->n;
	t->count = f->count;
	if (f->closer == '}' && (f->count > SMALL_OBJECT || f->escaped) && !names_differ(r, f, pen->n))
		return NULL;
	return p + 1;
}

/* Its mark could not tell: compares the newest name with those before it. */
static bool is_twin(const struct reader *r, const struct frame *f, const struct json_token *name)
{
	for (uint32_t i = f->tok + 1; &r->tok[i] != name; i = r->tok[i + 1].next) {
		const struct json_token *t = &r->tok[i];
		if (t->len == name->len && memcmp(r->start + t->off, r->start + name->off, name->len) == 0)
			return true;
	}
	return false;
}

/* The name's token is the newest, its bytes begin at p. Escaped names and those of big objects are left to close_container. */
INLINE bool note_name(struct reader *r, struct pen *pen, const char *p)
{
	const struct json_token *name = pen->at - 1;
	struct frame *f = pen->f;
	uint32_t count = f->count;
	uint16_t mark;

	if (name->flags & JSON_ESCAPED) {
		f->escaped = r->escaped_names = true;
		return true;
	}
	if (count >= SMALL_OBJECT)
		return true;
	mark = scan_name_mark(p, name->len);
	if (scan_has_mark(f->seen, mark) && is_twin(r, f, name))
		return fault(r, E_DUPLICATE, p);
	f->seen[count] = mark;
	return true;
}

/* A member's name and its colon. */
INLINE const char *read_name(struct reader *r, struct pen *pen, const char *p)
{
	if (next_byte(pen->end, &p) != '"')
		return fault(r, E_SYNTAX, p);
	const char *from = ++p;
	p = read_string(r, pen, p, JSON_NAME);
	if (!p || !note_name(r, pen, from))
		return NULL;
	return next_byte(pen->end, &p) == ':' ? p + 1 : fault(r, E_SYNTAX, p);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

/* A number, true, false or null: c is the byte at p, or NUL at the end. */
static const char *read_bare(struct reader *r, const char *p, char c, enum json_type *type)
{
	switch (c) {
	case 't':
		*type = JSON_TRUE;
		return read_literal(r, p, SL("true"));
	case 'f':
		*type = JSON_FALSE;
		return read_literal(r, p, SL("false"));
	case 'n':
		*type = JSON_NULL;
		return read_literal(r, p, SL("null"));
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		*type = JSON_NUMBER;
		return read_number(r, p);
	default:
		return fault(r, E_SYNTAX, p);
	}
}

INLINE const char *read_scalar(struct reader *r, struct pen *pen, const char *p, char c)
{
	enum json_type type = JSON_NULL;

	if (c == '"')
		return read_string(r, pen, p + 1, 0);
	const char *behind = read_bare(r, p, c, &type);
	return behind && tape_add(r, pen, type, 0, p, behind) ? behind : NULL;
}

/* Opens containers until it has read a value that is complete: a scalar, or an empty container. */
INLINE const char *read_value(struct reader *r, struct pen *pen, const char *p)
{
	for (;;) {
		char c = next_byte(pen->end, &p);
		bool object = c == '{';

		if (!object && c != '[')
			return read_scalar(r, pen, p, c);
		p = open_container(r, pen, p, object ? JSON_OBJECT : JSON_ARRAY, object ? '}' : ']');
		if (!p)
			return NULL;
		if (next_byte(pen->end, &p) == pen->f->closer)
			return close_container(r, pen, p);
		if (object && !(p = read_name(r, pen, p)))
			return NULL;
	}
}

/* Behind a complete value: closes what ends here, up to the comma (and name) of the next value, or the root's end. */
INLINE const char *read_on(struct reader *r, struct pen *pen, const char *p)
{
	while (pen->f != r->stack) {
		struct frame *f = pen->f;
		char c = next_byte(pen->end, &p);

		f->count++;
		if (c == ',')
			return f->closer == '}' ? read_name(r, pen, p + 1) : p + 1;
		if (c != f->closer)
			return fault(r, E_SYNTAX, p);
		p = close_container(r, pen, p);
		if (!p)
			return NULL;
	}
	return p;
}

/* *n: the tokens. */
static const char *read_root(struct reader *r, const char *p, uint32_t room, uint32_t *n)
{
	struct pen pen = { .start = r->start, .end = r->end, .at = r->tok, .room = room, .f = r->stack };

	do {
		p = read_value(r, &pen, p);
		if (p)
			p = read_on(r, &pen, p);
		if (p && p - r->said > ARENA_STEP_BYTES)
			say_work(r, p);
	} while (p && pen.f != r->stack);
	if (!p)
		return NULL;
	next_byte(pen.end, &p);
	if (p != pen.end)
		return fault(r, E_TRAILING, p);
	*n = pen.n;
	arena_shrink(r->arena, r->tok, (pen.n + pen.room) * sizeof(*r->tok), pen.n * sizeof(*r->tok));
	return p;
}

enum err json_parse(struct json *out, struct slice text, struct arena *arena, size_t *at)
{
	struct reader r; /* not zeroed as a whole: the stack is 4 KB, and frames are filled when opened */
	uint32_t room = text.n / 8 + 8 < FIRST_TOKENS ? (uint32_t)text.n / 8 + 8 : FIRST_TOKENS, n = 0;

	*out = (struct json){ 0 };
	if (at)
		*at = 0;
	if (text.n >= UINT32_MAX)
		return E_TOO_BIG;
	if (text.n == 0)
		return E_SYNTAX;
	r.start = r.said = text.p;
	r.end = text.p + text.n;
	r.escaped_names = false;
	r.err = E_OK;
	r.arena = arena;
	r.names = (struct json_names){ 0 };
	r.tok = arena_alloc_raw(arena, room * sizeof(*r.tok));
	if (!r.tok)
		return E_NOMEM;
	if (!read_root(&r, text.p, room, &n)) {
		if (at)
			*at = (size_t)(r.at - r.start);
		return r.err;
	}
	*out = (struct json){ .text = text, .tok = r.tok, .n = n, .escaped_names = r.escaped_names };
	return E_OK;
}
