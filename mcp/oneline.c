#include "mcp/oneline.h"

#include <stdint.h>

static void blank(char *p, size_t n, char c)
{
	for (char *end = p + n; (p = memchr(p, c, (size_t)(end - p))) != NULL; p++)
		*p = ' ';
}

enum err oneline_add(struct buf *out, struct slice before, struct slice json, struct slice after)
{
	size_t around = before.n + after.n;
	enum err e = buf_reserve(out, json.n > SIZE_MAX - around ? SIZE_MAX : json.n + around);
	size_t at;

	if (e != E_OK)
		return e;
	buf_add(out, before);
	at = out->n;
	buf_add(out, json);
	if (json.n) {
		blank(out->p + at, json.n, '\n');
		blank(out->p + at, json.n, '\r');
	}
	return buf_add(out, after);
}
