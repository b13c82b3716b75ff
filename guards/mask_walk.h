/*
 * Inside of masking: mask.c decides what kind of answer it is, mask_json.c hides leaves of JSON, mask_frame.c bares the
 * message around it.
 */
#ifndef NARROWGATE_GUARDS_MASK_WALK_H
#define NARROWGATE_GUARDS_MASK_WALK_H

#include "guards/guard.h"

struct mask {
	const struct view *view;
	const struct call *call;      /* NULL: sent by the vault itself */
	const struct rule *rule;      /* NULL: the catalog knows nothing */
	const struct out_rule *out;   /* NULL: likewise */
	bool bears;                   /* everything but known metadata goes */
	bool failed;                  /* a JSON-RPC error */
	bool open;                    /* the text before ended where a value should begin */
	enum err err;                 /* first failure; nothing may go on then */
};

/* Hides every leaf at and below the token. */
void mask_all(struct mask *, struct doc *, uint32_t tok);
/* Hides what the rule's selectors and the names of members say, in a JSON payload. */
void mask_json(struct mask *, struct doc *, uint32_t root);
/* The same by names alone. */
void mask_names(struct mask *, struct doc *, uint32_t root);
/* The same for a member's value, whose own name counts too. */
void mask_member(struct mask *, struct doc *, uint32_t value);
/* A text the catalog does not describe and that bears no value by itself; with `doubt` a remark of a person's. */
void mask_free_text(struct mask *, struct doc *, bool doubt);
/* Drops what is no payload from an answer that bears values: `_meta`, annotations, images, unknown members. */
void mask_frame(struct mask *, struct result *);
/* An error of a call that bears values: a sentence of ours, nothing else. */
void mask_error(struct mask *, struct result *);

#endif
