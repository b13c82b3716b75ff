#include "base/err.h"

const char *err_text(enum err e)
{
	static const char *const texts[] = {
#define X(name, text) [E_##name] = text,
		ERRS(X)
#undef X
	};
	return (unsigned)e < sizeof texts / sizeof *texts ? texts[e] : "unknown error";
}
