/*
 * What our reader takes, other readers must take and read the same. Where a library is as strict as we are, what it
 * takes we must take too: a guard that breaks clients gets switched off.
 */
#include <stdio.h>
#include "base/json.h"
#include "json_tape.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_written_whole(struct slice number)
{
	return !memchr(number.p, '.', number.n) && !memchr(number.p, 'e', number.n) && !memchr(number.p, 'E', number.n);
}

/* Whether a known fault of the library explains that it refused the text. */
static bool is_excused(const struct json *j, unsigned faults)
{
	int64_t value;

	for (uint32_t t = 0; t < j->n; t++) {
		struct slice s = json_raw(j, t);

		if (!json_is(j, t, JSON_NUMBER))
			continue;
		if ((faults & FAULT_LONG_NUMBER) && s.n >= 64)
			return true;
		if ((faults & FAULT_BIG_INTEGER) && !json_int(j, t, &value) && is_written_whole(s))
			return true;
	}
	return false;
}

/* Whether we may refuse what a strict library takes: our limits, and the last digit before infinity. */
static bool may_refuse(enum err e, struct slice text, unsigned faults)
{
	if (e == E_TOO_DEEP || e == E_NUMBER)
		return true;
	return (faults & FAULT_EATS_NUL) && text.n && memchr(text.p, 0, text.n);
}

static void complain(const struct oracle *o, const char *what)
{
	fprintf(stderr, "%s %s\n", o->name, what);
	abort();
}

static void compare(const struct oracle *o, const struct json *j, struct arena *arena)
{
	struct buf ours, theirs;
	struct tape_dump d = { j, arena, o->numbers, o->faults & FAULT_CUT_AT_NUL, &ours };

	buf_init(&ours, 1u << 24);
	buf_init(&theirs, 1u << 24);
	if (!o->read(j->text, &theirs)) {
		if (!is_excused(j, o->faults))
			complain(o, "refuses what we take");
	} else {
		tape_dump(&d, 0);
		if (!slice_eq(buf_slice(&ours), buf_slice(&theirs)))
			complain(o, "reads something else");
	}
	buf_finish(&ours);
	buf_finish(&theirs);
}

static void compare_refused(const struct oracle *o, enum err e, struct slice text)
{
	struct buf theirs;

	if (!o->strict || may_refuse(e, text, o->faults))
		return;
	buf_init(&theirs, 1u << 24);
	if (o->read(text, &theirs)) {
		fprintf(stderr, "we say: %s\n", err_text(e));
		complain(o, "takes what we refuse");
	}
	buf_finish(&theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct arena arena;
	struct json j;
	enum err e;

	arena_init(&arena, 1u << 24);
	e = json_parse(&j, text, &arena, NULL);
	for (const struct oracle *o = oracles; o->name; o++) {
		if (e == E_OK)
			compare(o, &j, &arena);
		else
			compare_refused(o, e, text);
	}
	arena_finish(&arena);
	return 0;
}
