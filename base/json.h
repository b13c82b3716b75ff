/*
 * The strict JSON reader (RFC 8259, narrowed): one pass, no recursion, a flat tape of tokens with offsets into the text.
 *
 * It accepts only texts that every conforming parser reads the same way. Refused: duplicate member names (compared
 * decoded), invalid or overlong UTF-8, lone surrogates, U+0000 in a name, a BOM, numbers outside the range of a double,
 * bytes behind the value, nesting, members or tokens over the limit. Numbers keep their text.
 *
 * The tape borrows the text; both must outlive every use of it.
 */
#ifndef NARROWGATE_BASE_JSON_H
#define NARROWGATE_BASE_JSON_H

#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum {
	JSON_ESCAPED = 1,  /* string: holds a backslash escape, so its text must be decoded */
	JSON_NOT_ASCII = 2, /* string: the decoded text holds bytes over 0x7F */
	JSON_NAME = 4,     /* string: it is a member's name; the value is the next token */
};

#define JSON_NONE UINT32_MAX /* "no such token" */
#define JSON_MAX_DEPTH 64
#define JSON_MAX_TOKENS 1000000u

struct json_token {
	uint32_t off;  /* offset of the first byte: a string's is behind its quote, a container's is its bracket */
	uint32_t len;  /* bytes: a string's without quotes, a container's with both brackets */
	uint32_t next; /* index of the token behind this one and all its children */
	uint32_t count; /* members of an object, items of an array, else 0 */
	uint8_t type;  /* enum json_type */
	uint8_t flags;
};

struct json {
	struct slice text;
	struct json_token *tok; /* tok[0] is the root; an object's children are name, value, name, value … */
	uint32_t n;
	bool escaped_names;     /* some member name is written with escapes */
};

/*
 * Reads `text` into *out; the tape comes from the arena. On error *at (when not NULL) is the byte offset of the fault.
 * A text of 4 GiB or more is E_TOO_BIG. A lone surrogate is E_UTF8; a number that underflows is zero to all, and passes.
 * E_SYNTAX, E_UTF8, E_NUL, E_DUPLICATE, E_NUMBER, E_TRAILING, E_TOO_DEEP, E_TOO_MANY, E_TOO_BIG, E_NOMEM: *out is empty.
 */
enum err json_parse(struct json *out, struct slice text, struct arena *, size_t *at);

/* The value of the member `name` of the object at `obj`, or JSON_NONE (also when `obj` is JSON_NONE or no object). */
uint32_t json_member(const struct json *, uint32_t obj, struct slice name);
/* Walks a path of member names, "params.arguments"; JSON_NONE when a step is missing. */
uint32_t json_walk(const struct json *, uint32_t from, const char *dotted);

static inline enum json_type json_type(const struct json *j, uint32_t t)
{
	return (enum json_type)j->tok[t].type;
}
static inline bool json_is(const struct json *j, uint32_t t, enum json_type type)
{
	return t != JSON_NONE && j->tok[t].type == type;
}
/* Index of the first child, or of `tok[t].next` when there is none: for (c = json_first(j,t); c < j->tok[t].next; c = j->tok[c].next). */
static inline uint32_t json_first(const struct json *j, uint32_t t)
{
	(void)j;
	return t + 1;
}
/* The bytes of a token as they stand in the text: strings without quotes and still escaped, containers with brackets. */
static inline struct slice json_raw(const struct json *j, uint32_t t)
{
	return (struct slice){ j->text.p + j->tok[t].off, j->tok[t].len };
}
/* The same, strings with their quotes: a complete JSON text. */
struct slice json_source(const struct json *, uint32_t t);

/* json_string for a string that holds escapes (JSON_ESCAPED). */
struct slice json_unescaped(const struct json *, uint32_t t, struct arena *);
/* The decoded text of a string token: the text itself where nothing is escaped, else a copy in the arena. {NULL,0} when memory is out. */
static inline struct slice json_string(const struct json *j, uint32_t t, struct arena *a)
{
	return j->tok[t].flags & JSON_ESCAPED ? json_unescaped(j, t, a) : json_raw(j, t);
}
/* json_string_eq for a string that holds escapes (JSON_ESCAPED). */
bool json_escaped_eq(const struct json *, uint32_t t, struct slice s);
/* Whether the string token, decoded, equals s. Allocates nothing. False for every other token. */
static inline bool json_string_eq(const struct json *j, uint32_t t, struct slice s)
{
	if (!json_is(j, t, JSON_STRING))
		return false;
	return j->tok[t].flags & JSON_ESCAPED ? json_escaped_eq(j, t, s) : slice_eq(json_raw(j, t), s);
}
/* Whether the string token, decoded, is one of a NULL-terminated list of words. False for every other token. */
bool json_string_among(const struct json *, uint32_t t, const char *const *words);
/* The token as an integer; false when it is no number, not integral as written (no fraction, no exponent), or outside int64. */
bool json_int(const struct json *, uint32_t t, int64_t *out);

/* --- splice: the original bytes with some tokens replaced or removed ---------------------------------------------- */

enum json_edit_kind { JSON_EDIT_STRING, JSON_EDIT_RAW, JSON_EDIT_REMOVE, JSON_EDIT_INSERT };

struct json_edit {
	uint32_t tok;              /* the token; for REMOVE of a member: its name token; for INSERT: the object */
	enum json_edit_kind kind;
	struct slice with;         /* STRING: text to be quoted; RAW, INSERT: JSON text */
	struct slice name;         /* INSERT: the member's name, decoded */
};

struct json_edits {
	struct json_edit *v;
	uint32_t n, cap;
	struct arena *arena;
};

void json_edits_init(struct json_edits *, struct arena *);
/*
 * Edits may be added in any order. The last edit of a token wins; an edit inside a replaced or removed value is void,
 * an insert into it too. Texts given to string and raw are borrowed until the splice; those given to insert are copied.
 * E_NOMEM.
 */
/* Replaces a value (or a member's name) by the string `text`, which is quoted and escaped. */
enum err json_edit_string(struct json_edits *, uint32_t tok, struct slice text);
/* Replaces a value by the JSON text `raw`. */
enum err json_edit_raw(struct json_edits *, uint32_t tok, struct slice raw);
/* Removes an array's item, or, given its name or its value, a member; one comma goes with it, every other byte stays. */
enum err json_edit_remove(struct json_edits *, uint32_t tok);
/*
 * Adds the member `name`: `raw` at the end of the object `obj`. The name must not be there, or be removed; inserted
 * twice, the last wins.
 */
enum err json_edit_insert(struct json_edits *, uint32_t obj, struct slice name, struct slice raw);

/*
 * Writes the text with the edits into `out` (behind what it holds). Without edits the bytes are the original's. Names
 * written with escapes are written anew, decoded, when the json has any (`escaped_names`).
 * E_TOO_BIG, E_NOMEM; E_DUPLICATE: an inserted name is there already; E_INVALID: an edit that makes no sense (the root
 * removed, an insert into what is no object). On error `out` holds what it held.
 */
enum err json_splice(const struct json *, const struct json_edits *, struct buf *out);

#endif
