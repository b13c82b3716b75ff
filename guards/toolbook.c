#include "guards/toolbook.h"

#include "base/table.h"
#include "base/wipe.h"

struct toolbook {
	struct table *tools; /* by name */
	bool complete;
};

/* The argument names of one tool, in one block. */
struct tool_args {
	size_t n;
	struct slice names[];
};

struct toolbook *toolbook_create(size_t max_tools)
{
	struct toolbook *b = wipe_calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->tools = table_create(max_tools, wipe_free);
	if (!b->tools) {
		wipe_free(b);
		return NULL;
	}
	return b;
}

void toolbook_free(struct toolbook *b)
{
	if (!b)
		return;
	table_free(b->tools);
	wipe_free(b);
}

static size_t names_bytes(const struct json *j, uint32_t props)
{
	size_t n = 0;

	for (uint32_t c = json_first(j, props); c < j->tok[props].next; c = j->tok[c + 1].next)
		n += j->tok[c].len;
	return n;
}

/* Names decode to no more bytes than they are written with. */
static struct tool_args *read_args(const struct json *j, uint32_t props, struct arena *a)
{
	size_t n = props == JSON_NONE ? 0 : j->tok[props].count, bytes = n ? names_bytes(j, props) : 0;
	struct tool_args *args = wipe_malloc(sizeof *args + n * sizeof *args->names + bytes);

	if (!args)
		return NULL;
	char *at = (char *)(args->names + n);
	args->n = 0;
	for (uint32_t c = n ? json_first(j, props) : 0; args->n < n; c = j->tok[c + 1].next) {
		struct slice name = json_string(j, c, a);
		if (!name.p) {
			wipe_free(args);
			return NULL;
		}
		if (name.n)
			memcpy(at, name.p, name.n);
		args->names[args->n++] = slice_make(at, name.n);
		at += name.n;
	}
	return args;
}

static enum err learn(struct toolbook *b, const struct json *j, uint32_t tool, struct arena *a)
{
	uint32_t name = json_member(j, tool, SL("name")), props = json_walk(j, tool, "inputSchema.properties");

	if (!json_is(j, name, JSON_STRING))
		return E_OK; /* nothing can be called by it */
	struct slice key = json_string(j, name, a);
	if (!key.p)
		return E_NOMEM;
	if (table_get(b->tools, key, 0))
		return E_OK;
	struct tool_args *args = read_args(j, json_is(j, props, JSON_OBJECT) ? props : JSON_NONE, a);
	enum err e = args ? table_put(b->tools, key, args, 0, 0) : E_NOMEM;
	if (e != E_OK)
		wipe_free(args);
	return e;
}

enum err toolbook_learn(struct toolbook *b, const struct json *j, uint32_t tool)
{
	struct arena a;

	arena_init(&a, 1024 * 1024);
	enum err e = learn(b, j, tool, &a);
	arena_finish(&a);
	return e;
}

void toolbook_set_complete(struct toolbook *b, bool complete)
{
	b->complete = complete;
}

bool toolbook_complete(const struct toolbook *b)
{
	return b->complete;
}

bool toolbook_knows(const struct toolbook *b, struct slice tool)
{
	return table_get(b->tools, tool, 0) != NULL;
}

bool toolbook_declares(const struct toolbook *b, struct slice tool, struct slice arg)
{
	const struct tool_args *args = table_get(b->tools, tool, 0);

	for (size_t i = 0; args && i < args->n; i++)
		if (slice_eq(args->names[i], arg))
			return true;
	return false;
}
