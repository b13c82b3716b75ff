/*
 * A message as the documents it really holds: the JSON-RPC message itself, JSON written inside its strings, prose in
 * lines. Guards edit the innermost document; rendering writes the changes outward, and every untouched byte stays.
 */
#ifndef NARROWGATE_GUARDS_DOC_H
#define NARROWGATE_GUARDS_DOC_H

#include "base/json.h"

enum doc_kind { DOC_JSON, DOC_TEXT };

struct doc_span {
	size_t off, len;      /* of `text` */
	struct slice with;
};

struct doc {
	enum doc_kind kind;
	struct slice text;    /* decoded text of this document (behind `before` for JSON with a prose prefix) */
	struct slice before;  /* prose in front of the JSON, kept */
	struct json json;     /* DOC_JSON */
	struct json_edits edits;
	struct doc_span *spans; /* DOC_TEXT: sorted by offset, not overlapping */
	size_t n_spans, cap_spans;
	struct doc *parent;   /* NULL: the message */
	uint32_t at;          /* string token of the parent that holds this document */
	struct doc *children, *next;
	bool blob;            /* the parent's string is base64 of this text */
	struct arena *arena;
};

/* The message itself as a document; `json` is borrowed. */
struct doc *doc_root(const struct json *json, struct arena *);
/*
 * The document inside a string token of a JSON document: JSON when the text (behind `after`, when that is not empty and
 * found) is an object or array the strict reader takes, else text. The same token gives the same document again. NULL: no memory.
 */
struct doc *doc_inside(struct doc *parent, uint32_t tok, struct slice after);
/* The same for a base64 string (resource blobs); NULL also when it is not base64 of valid UTF-8. */
struct doc *doc_inside_blob(struct doc *parent, uint32_t tok);

/* Replaces len bytes at off of a DOC_TEXT; overlapping spans are merged into one with the first one's text. E_NOMEM. */
enum err doc_replace(struct doc *, size_t off, size_t len, struct slice with);
bool doc_changed(const struct doc *);
/* Writes the document with its own and its children's edits. E_TOO_BIG, E_NOMEM. */
enum err doc_render(struct doc *, struct buf *out);

enum payload_kind { PAYLOAD_TEXT, PAYLOAD_STRUCTURED, PAYLOAD_RESOURCE_TEXT, PAYLOAD_RESOURCE_BLOB, PAYLOAD_ERROR_TEXT, PAYLOAD_OTHER };

/* One place where the vault's data stands: a text item, structuredContent, a resource's text … */
struct payload {
	enum payload_kind kind;
	struct doc *doc;      /* for PAYLOAD_STRUCTURED the message itself, with root = the token of structuredContent */
	uint32_t root;        /* token in doc->json; 0 for the other JSON documents; JSON_NONE for DOC_TEXT */
	uint32_t block;       /* token in the message of the content block (or contents item) it belongs to; JSON_NONE */
	struct slice uri;     /* of a resource */
};

#endif
