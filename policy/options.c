#include "policy/options.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct option_row rows[N_OPTIONS] = {
#define X(name, key, type, words, ours, theirs, deflt, doc) \
	[OPT_##name] = { key, OPTION_##type, words, { ours, theirs }, deflt, doc },
	OPTIONS(X)
#undef X
};

const struct option_row *option_row(enum option o)
{
	return &rows[o];
}

enum option option_find(struct slice key)
{
	for (enum option o = 0; o < N_OPTIONS; o++)
		if (rows[o].key && slice_eq(key, slice_of(rows[o].key)))
			return o;
	return N_OPTIONS;
}

const char *const *option_keys(void)
{
	/* Written out: a table of keys alone cannot leave out the rows that have none. */
	static const char *const keys[] = {
		"extends", "read_only", "mask_values", "mask_style", "allowed_paths", "denied_paths", "tenant",
		"partner", "exfiltration", "inspection", "pii", "redact_secrets", "actions", "tools", "unknown_tools", "limits",
		"enforce", NULL,
	};

	return keys;
}
