/*
 * What a vault said of its tools, prompts, resources and templates, and was accepted as (docs/guards/pinning.md): what counts of a
 * definition, its one spelling and digest; and the pins file, in which an operator keeps what was accepted.
 *
 * A pins file has a definition a line, as JSON: {"tool":{"description":"…","name":"…",…}}. Empty lines and lines that begin with `#`
 * say nothing.
 */
#ifndef NARROWGATE_POLICY_PINS_H
#define NARROWGATE_POLICY_PINS_H

#include "base/digest.h"
#include "base/json.h"
#include "policy/catalog.h"

enum pin_kind { PIN_TOOL, PIN_PROMPT, PIN_RESOURCE, PIN_TEMPLATE, N_PIN_KINDS };

#define PIN_MEMBERS 6

/* One kind, as lists show it. */
struct pin_row {
	const char *word;                   /* in the pins file and the log: "tool" */
	const char *method;                 /* "tools/list" */
	const char *list;                   /* the member of that result: "tools" */
	const char *key;                    /* the member it is called by: "name", "uri", "uriTemplate" */
	const char *members[PIN_MEMBERS + 1]; /* what counts, in the order of their names; NULL-terminated */
};
const struct pin_row *pin_row(enum pin_kind);

/* One definition as it counts. */
struct definition {
	struct slice name;
	struct slice text;                  /* its one spelling: a JSON object of the members that count */
	unsigned char digest[DIGEST_BYTES]; /* of the text */
	uint32_t marks[PIN_MEMBERS];        /* of each member: tells whether it is another one; 0: absent */
};

/* Reads the item of a list. The texts are in the arena. E_INVALID: it is no object, or has no name that is a text. E_NOMEM. */
enum err definition_read(enum pin_kind, const struct json *, uint32_t item, struct definition *out, struct arena *);

/* --- the pins file ----------------------------------------------------------------------------------------------------- */

struct pins; /* immutable */

struct pin {
	struct definition is;
	enum pin_kind kind;
	uint32_t line;
};

/* NULL with faults that name line and column, `file` before them. Keeps no part of `text`. */
struct pins *pins_parse(struct slice text, struct slice file, struct faults *);
void pins_free(struct pins *);
/* NULL: it is not in the file, or there is none (pins NULL). */
const struct pin *pins_find(const struct pins *, enum pin_kind, struct slice name);
size_t pins_count(const struct pins *);
/* In the order of the file. */
const struct pin *pins_at(const struct pins *, size_t i);
struct slice pins_file(const struct pins *);
/* Of the whole file: another digest, other pins. */
const unsigned char *pins_digest(const struct pins *);
/* Adds one line. */
enum err pins_add_line(struct buf *out, enum pin_kind, struct slice text);

#endif
