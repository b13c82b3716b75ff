#include "json_tape.h"

struct slice tape_string(const struct tape_dump *d, uint32_t t)
{
	struct slice s = json_string(d->json, t, d->arena);
	const char *nul = d->cut_at_nul && s.n ? memchr(s.p, 0, s.n) : NULL;

	if (!s.p)
		abort();
	return nul ? slice_make(s.p, (size_t)(nul - s.p)) : s;
}

static double finite_double(const char *z)
{
	double value = strtod(z, NULL);

	if (value - value != 0) /* infinite: the reader should have refused it */
		abort();
	return value;
}

static void tape_number(const struct tape_dump *d, uint32_t t)
{
	struct slice text = json_raw(d->json, t);
	int64_t integer;

	if (d->numbers == DUMP_TEXT)
		dump_text_number(d->out, text);
	else if (d->numbers == DUMP_TYPED && json_int(d->json, t, &integer))
		dump_integer(d->out, integer);
	else
		dump_double(d->out, finite_double(arena_dup(d->arena, text).p));
}

void tape_dump(const struct tape_dump *d, uint32_t t)
{
	const struct json *j = d->json;

	switch (json_type(j, t)) {
	case JSON_NULL:
		dump_mark(d->out, 'n');
		break;
	case JSON_FALSE:
		dump_mark(d->out, 'f');
		break;
	case JSON_TRUE:
		dump_mark(d->out, 't');
		break;
	case JSON_NUMBER:
		tape_number(d, t);
		break;
	case JSON_STRING:
		dump_string(d->out, tape_string(d, t));
		break;
	case JSON_ARRAY:
	case JSON_OBJECT: /* names are strings among the children */
		dump_mark(d->out, j->text.p[j->tok[t].off]);
		for (uint32_t c = json_first(j, t); c < j->tok[t].next; c = j->tok[c].next)
			tape_dump(d, c);
		dump_mark(d->out, json_is(j, t, JSON_OBJECT) ? '}' : ']');
		break;
	}
}
