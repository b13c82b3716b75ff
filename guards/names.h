/*
 * What the name of a member or an argument says, remembered for a moment: the same few names come with every message, and each is
 * compared with several lists. A memo of pure answers: with or without it every judgement is the same.
 *
 * Names can be secrets themselves, so whoever owns the memo makes it forget within a second (names_forget).
 */
#ifndef NARROWGATE_GUARDS_NAMES_H
#define NARROWGATE_GUARDS_NAMES_H

#include "guards/judge.h"
#include "guards/look.h"
#include "guards/mask_names.h"

struct name_says {
	uint8_t look;     /* enum look, by our own words */
	uint8_t holds;    /* enum look_holds */
	uint8_t class;    /* enum name_class, as it is written */
	uint8_t sentence; /* enum sentence */
};

#define NAMES_ROWS 256
#define NAMES_ROOM 24 /* longer names are not remembered */

struct names {
	struct names_row {
		struct names_text {
			uint64_t first, last, middle;
		} text;
		struct name_says says;
		uint8_t n; /* 0: free */
	} row[NAMES_ROWS];
	bool used;
};

/* `names` may be NULL: then nothing is remembered. */
struct name_says names_say(struct names *, struct slice name);
/* Wipes what is remembered. */
void names_forget(struct names *);

/* What an argument looks like by its name: the catalog's own words first, then ours. */
static inline enum look names_look(const struct view *v, struct slice name)
{
	enum look l = v->catalog ? look_vocabulary(&v->catalog->vocabulary, name) : LOOK_NOTHING;

	return l != LOOK_NOTHING ? l : (enum look)names_say(v->names, name).look;
}
static inline enum look_holds names_hold(const struct view *v, struct slice name)
{
	return (enum look_holds)names_say(v->names, name).holds;
}
static inline enum name_class names_class(const struct view *v, struct slice name)
{
	return (enum name_class)names_say(v->names, name).class;
}
static inline enum sentence names_sentence(const struct view *v, struct slice name)
{
	return (enum sentence)names_say(v->names, name).sentence;
}

#endif
