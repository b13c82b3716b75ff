#include "guards/judge.h"

const char *reason_word(enum reason r)
{
	static const char *const words[] = {
#define X(name, word, text) [R_##name] = word,
		REASONS(X)
#undef X
	};
	return (size_t)r < sizeof words / sizeof *words ? words[r] : "internal";
}

const char *reason_text(enum reason r)
{
	static const char *const texts[] = {
#define X(name, word, text) [R_##name] = text,
		REASONS(X)
#undef X
	};
	return (size_t)r < sizeof texts / sizeof *texts ? texts[r] : "the check itself failed";
}
