#include "policy/action.h"

struct action_row {
	const char *word;
	bool read_only, values;
};

static const struct action_row rows[] = {
	[ACT_UNKNOWN] = { "unknown", false, true }, /* what is not known is taken for the worst */
#define X(name, word, read_only, values) [ACT_##name] = { word, read_only, values },
	ACTIONS(X)
#undef X
};

#define N_ROWS (sizeof rows / sizeof *rows)

static const struct action_row *row_of(enum action a)
{
	return (size_t)a < N_ROWS ? &rows[a] : &rows[ACT_UNKNOWN];
}

enum action action_find(struct slice word)
{
	for (size_t i = ACT_UNKNOWN + 1; i < N_ROWS; i++)
		if (slice_eq(word, slice_of(rows[i].word)))
			return (enum action)i;
	return ACT_UNKNOWN;
}

const char *action_name(enum action a)
{
	return row_of(a)->word;
}

bool action_is_read_only(enum action a)
{
	return row_of(a)->read_only;
}

bool action_bears_values(enum action a)
{
	return row_of(a)->values;
}
