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
/* `password: …`, `"token": "…"`, `api_key=…`, PEM private keys, passwords in URLs: the value goes. Never MASKED_NOT. */
enum masked mask_prose(struct doc *);

/* Few, short, plain words: a prose prefix that can hide nothing. */
bool mask_is_plain_words(struct slice);

#endif
