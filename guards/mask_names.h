/*
 * What a member's name says of its value: the two lists of names that masking goes by (docs/guards/mask.md).
 * Names are compared without case, `_`, `-`, `.` and spaces.
 */
#ifndef NARROWGATE_GUARDS_MASK_NAMES_H
#define NARROWGATE_GUARDS_MASK_NAMES_H

#include "base/arena.h"

enum name_class {
	NAME_PLAIN,    /* says nothing */
	NAME_VALUE,    /* a secret value stands under it */
	NAME_VALUEISH, /* ends like one (`db_password`): a string under it is a value */
	NAME_META,     /* metadata: stays even where everything else is masked */
	NAME_META_MAP, /* `metadata`: its members stay */
	NAME_PROSE,    /* metadata that is a sentence: stays, but sentences can quote */
	NAME_LENGTH,   /* how long the value is */
	NAME_FLAG,     /* whether it worked: true and false stay */
};

enum name_class mask_name_class(struct slice name);
/* The same for a name that is not ASCII: look-alike letters are folded first. */
enum name_class mask_name_class_any(struct slice name, struct arena *);
/* What kind of sentence stands under the name, if any. The empty name stands for a text of its own. */
enum sentence {
	SENTENCE_NONE,
	SENTENCE_REPORT, /* `message`, `details`, `output`: the vault tells what it did, and may quote a value */
	SENTENCE_REMARK, /* `description`, `notes`: a person's words, which name values without quoting them */
};
enum sentence mask_name_sentence(struct slice name);

#endif
