/*
 * Masking in texts that are no JSON: the formats a catalog can name, and sentences that carry a named value.
 *
 * Each adds spans to a DOC_TEXT. MASKED_NOT: the text is not written as it should be, and the caller replaces all of it.
 */
#ifndef NARROWGATE_GUARDS_MASK_TEXT_H
#define NARROWGATE_GUARDS_MASK_TEXT_H

#include "guards/doc.h"
#include "policy/selector.h"

enum masked { MASKED_OK, MASKED_NOT, MASKED_NOMEM };

/* `KEY=VALUE`, `export KEY=VALUE`, `KEY: VALUE`, with quotes, several lines, comments: names stay, every value goes. */
enum masked mask_env(struct doc *, size_t from);
/* Block style YAML: names stay, every scalar goes. */
enum masked mask_yaml(struct doc *, size_t from);
/* What `line` matches stays but for its group `value`; what neither `line` nor `count` matches goes. */
enum masked mask_lines(struct doc *, size_t from, const struct regex *line, const struct regex *count);
/* The groups `value` of `line` go, nothing else. */
enum masked mask_line_values(struct doc *, const struct regex *line);
/*
 * `password: …`, `"token": "…"`, `api_key=…`, `<value>…</value>`, columns of tables, PEM private keys, passwords in URLs:
 * the value goes. With `doubt`, what stands behind a name goes only when it looks like a secret. *open is set when the
 * text ends where a value should begin. Never MASKED_NOT.
 */
enum masked mask_prose(struct doc *, bool doubt, bool *open);
/* The same for PEM private keys and passwords in URLs alone. */
enum masked mask_credentials(struct doc *);
/* Whether mask_credentials might find something. */
bool mask_may_hold_credentials(struct slice);
/* The end of a PEM block that begins at or before `at`: of its last line, or of the text. */
size_t mask_pem_end(struct slice, size_t at);
/* A word that no language has: letters mixed with digits or odd signs, and neither version, date nor path. */
bool mask_is_secretish(struct slice);
/* Cells of tables in Markdown whose column is named like a value. Never MASKED_NOT. */
enum masked mask_tables(struct doc *);

/* Few, short, plain words: a prose prefix that can hide nothing. */
bool mask_is_plain_words(struct slice);

#endif
