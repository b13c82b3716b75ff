/*
 * A message as the documents it really holds: the JSON-RPC message itself, JSON written inside its strings, prose in
 * lines. Guards edit the innermost document; rendering writes the changes outward, and every untouched byte stays.
 *
 * Guards run one after the other over the same documents, so an edit never undoes an earlier one: what was removed or
 * replaced stays so.
 */
#ifndef NARROWGATE_GUARDS_DOC_H
#define NARROWGATE_GUARDS_DOC_H

#include "base/json.h"

enum doc_kind { DOC_JSON, DOC_TEXT };

struct doc_span {
	size_t off, len;      /* of `text` */
	struct slice with;
};

struct doc_count {            /* a total that follows removed items */
	uint32_t tok;
	uint64_t removed;
};

/* Marks on tokens of a DOC_JSON. */
enum doc_mark {
	DOC_GONE = 1,  /* removed, with all below */
	DOC_SET = 2,   /* replaced, with all below */
	DOC_KEEP = 4,  /* the catalog says it is metadata */
	DOC_ITEM = 8,  /* a list item already judged by the catalog's path */
	DOC_WALK = 16, /* a container on the way to list items */
	DOC_VALUE = 32, /* the catalog says it is a secret value: what it spells is nobody's path */
};

struct doc {
	enum doc_kind kind;
	struct slice text;    /* decoded text of this document (behind `before` for JSON with a prose prefix) */
	struct slice before;  /* prose in front of the JSON, kept */
	bool before_set;      /* it was replaced */
	struct json json;     /* DOC_JSON */
	struct json_edits edits;
	struct doc_span *spans; /* DOC_TEXT: sorted by offset, not overlapping */
	size_t n_spans, cap_spans;
	struct doc *parent;   /* NULL: the message */
	uint32_t at;          /* string token of the parent that holds this document */
	struct doc **children; /* sorted by `at` */
	uint32_t n_children, cap_children;
	struct doc_count *counts;
	uint32_t n_counts, cap_counts;
	uint8_t *marks;       /* DOC_JSON: enum doc_mark by token; NULL: none yet */
	struct slice whole;   /* the whole document became this text; p == NULL: it did not */
	bool blob;            /* the parent's string is base64 of this text */
	unsigned depth;       /* 0: the message */
	struct arena *arena;
};

/* Documents deeper than this inside one another are not opened; a string that deep counts as unreadable. */
#define DOC_MAX_DEPTH 8
/* Documents one document may hold; more are not opened. */
#define DOC_MAX_CHILDREN 65536

/* The message itself as a document; `json` is borrowed. */
struct doc *doc_root(const struct json *json, struct arena *);
/*
 * The document inside a string token of a JSON document: JSON when the text (behind `after`, when that is not empty and
 * found) is an object or array the strict reader takes, else text. The same token gives the same document again. NULL: no
 * memory, or one of the limits above.
 */
struct doc *doc_inside(struct doc *parent, uint32_t tok, struct slice after);
/* The same for a base64 string (resource blobs); NULL also when it is not base64 of valid UTF-8. */
struct doc *doc_inside_blob(struct doc *parent, uint32_t tok);
/* The document opened in that token before, or NULL. */
struct doc *doc_opened(const struct doc *parent, uint32_t tok);
/* Whether the string starts like a JSON object or array, so that doc_inside is worth its price. */
bool doc_looks_json(const struct doc *, uint32_t tok);

/* Whether a text that is no JSON holds some all the same: `log: {"a": 1}`, or JSON written into a string twice. */
static inline bool doc_text_holds_json(struct slice text)
{
	if (text.n < 5 || !memchr(text.p, '"', text.n))
		return false;
	if (text.p[0] == '"' && (text.p[1] == '{' || text.p[1] == '[' || text.p[1] == '\\'))
		return true;
	return slice_find(text, SL("\":")) >= 0 || slice_find(text, SL("\" :")) >= 0;
}

/* Whether a text is written like an object or array from its first sign to its last. */
static inline bool doc_text_is_json(struct slice text)
{
	text = slice_trim(text);
	return text.n > 1 && ((text.p[0] == '{' && text.p[text.n - 1] == '}') || (text.p[0] == '[' && text.p[text.n - 1] == ']'));
}

/* Replaces len bytes at off of a DOC_TEXT; overlapping spans are merged into one with the first one's text. E_NOMEM. */
enum err doc_replace(struct doc *, size_t off, size_t len, struct slice with);
/* The whole document (its prose prefix too) becomes `text`. Not for the message itself. */
void doc_replace_all(struct doc *, struct slice text);
/* Replaces the prose in front of the JSON. */
void doc_set_before(struct doc *, struct slice prose);

/*
 * Replaces a value (or a member's name) by a string, or by JSON text. Nothing happens to what was removed or replaced
 * before. E_NOMEM.
 */
enum err doc_set_string(struct doc *, uint32_t tok, struct slice text);
enum err doc_set_raw(struct doc *, uint32_t tok, struct slice raw);
/* Removes an array's item or a member (given its name or its value). The root cannot be removed: E_INVALID. E_NOMEM. */
enum err doc_remove(struct doc *, uint32_t tok);
/* Takes `removed` off a number; several calls add up. Nothing happens to what is no integer. E_NOMEM. */
enum err doc_count_less(struct doc *, uint32_t tok, uint64_t removed);

/* Sets marks on the token and everything below. E_NOMEM. */
enum err doc_mark(struct doc *, uint32_t tok, unsigned marks);
enum err doc_mark_one(struct doc *, uint32_t tok, unsigned marks);
static inline bool doc_has(const struct doc *d, uint32_t tok, unsigned marks)
{
	return d->marks && (d->marks[tok] & marks) != 0;
}
/* Whether the token is the value of a member; its name is then the token before it. */
static inline bool doc_is_member(const struct doc *d, uint32_t tok)
{
	return tok > 0 && (d->json.tok[tok - 1].flags & JSON_NAME) != 0;
}

bool doc_changed(const struct doc *);
/* Writes the document with its own and its children's edits. E_TOO_BIG, E_NOMEM. */
enum err doc_render(struct doc *, struct buf *out);
/* The same as a text of the document's arena. */
enum err doc_render_text(struct doc *, struct slice *text);

enum payload_kind {
	PAYLOAD_TEXT,
	PAYLOAD_STRUCTURED,
	PAYLOAD_RESOURCE_TEXT,
	PAYLOAD_RESOURCE_BLOB,
	PAYLOAD_ERROR_TEXT,
	PAYLOAD_OTHER, /* nobody reads it: an image, a link */
	PAYLOAD_EXTRA, /* a member beside the data that nobody needs: `_meta`, annotations, an error's data */
};

/* One place where the vault's data stands: a text item, structuredContent, a resource's text … */
struct payload {
	enum payload_kind kind;
	struct doc *doc;      /* the message itself for PAYLOAD_STRUCTURED, PAYLOAD_OTHER and PAYLOAD_EXTRA */
	uint32_t root;        /* token in doc->json; 0 for documents in strings; JSON_NONE for DOC_TEXT */
	uint32_t block;       /* the content block (or contents item) it belongs to, in the message; JSON_NONE */
	struct slice uri;     /* of a resource; p == NULL: none */
};

#endif
