#include "guards/toolbook.h"

#include "base/table.h"
#include "base/wipe.h"

struct toolbook {
	struct table *tools; /* by name */
	struct table *works; /* until when, by name */
	struct pinbook *pins;
	struct arena arena;  /* holds what is known of them */
	size_t max_tools;
	bool complete;
};

/* What one schema says; in the book's arena. */
struct tool_args {
	struct arena *arena;
	struct slice *names;           /* declared at the top */
	size_t n;
	struct mirror_param *mirrors;
	size_t n_mirrors;
};

#define MAX_WORKS 4096
#define BOOK_MAX_BYTES (16 * 1024 * 1024)
#define MIRROR_MAX_DEPTH 8
#define MIRRORS_MAX 32 /* as many headers, and more, as one request can have */

struct toolbook *toolbook_create(size_t max_tools)
{
	struct toolbook *b = wipe_calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->max_tools = max_tools;
	b->tools = table_create(max_tools, NULL);
	b->works = table_create(MAX_WORKS, wipe_free);
	b->pins = pinbook_create(max_tools);
	arena_init(&b->arena, BOOK_MAX_BYTES);
	if (!b->tools || !b->works || !b->pins) {
		table_free(b->tools);
		table_free(b->works);
		pinbook_free(b->pins);
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
	table_free(b->works);
	pinbook_free(b->pins);
	arena_finish(&b->arena);
	wipe_free(b);
}

/* --- one schema --------------------------------------------------------------------------------------------------- */

/* Where a walk over `properties` stands. */
struct place {
	const struct json *json;
	struct slice path[MIRROR_MAX_DEPTH];
	size_t depth;
};

static struct slice keep_text(struct tool_args *args, const struct json *j, uint32_t tok)
{
	struct slice text = json_string(j, tok, args->arena);

	return text.p ? arena_dup(args->arena, text) : text;
}

/* RFC 9110 §5.6.2: what a field may be called. */
static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!plain && !memchr("!#$%&'*+-.^_`|~", c, 15))
			return false;
	}
	return s.n > 0;
}

static bool add_mirror(struct tool_args *args, const struct place *p, uint32_t header)
{
	struct mirror_param *m = &args->mirrors[args->n_mirrors];
	struct slice *path = arena_array(args->arena, p->depth, sizeof *path);

	if (!path || args->n_mirrors == MIRRORS_MAX)
		return false;
	memcpy(path, p->path, p->depth * sizeof *path);
	*m = (struct mirror_param){ keep_text(args, p->json, header), path, p->depth };
	if (!m->header.p)
		return false;
	args->n_mirrors += is_token(m->header); /* any other name is no header: whoever lists the tool drops it */
	return true;
}

/* Arguments that headers repeat are reached through `properties` alone. False: no memory, or too many. */
static bool read_properties(struct tool_args *args, struct place *p, uint32_t props)
{
	const struct json *j = p->json;

	if (!json_is(j, props, JSON_OBJECT) || p->depth == MIRROR_MAX_DEPTH)
		return true;
	for (uint32_t c = json_first(j, props); c < j->tok[props].next; c = j->tok[c + 1].next) {
		uint32_t header = json_member(j, c + 1, SL("x-mcp-header")), below = json_member(j, c + 1, SL("properties"));

		if (header == JSON_NONE && below == JSON_NONE)
			continue;
		p->path[p->depth] = keep_text(args, j, c);
		if (!p->path[p->depth].p)
			return false;
		p->depth++;
		bool ok = (!json_is(j, header, JSON_STRING) || add_mirror(args, p, header)) && read_properties(args, p, below);
		p->depth--;
		if (!ok)
			return false;
	}
	return true;
}

static bool read_names(struct tool_args *args, const struct json *j, uint32_t props)
{
	if (!json_is(j, props, JSON_OBJECT))
		return true;
	args->names = arena_array(args->arena, j->tok[props].count, sizeof *args->names);
	for (uint32_t c = json_first(j, props); args->names && c < j->tok[props].next; c = j->tok[c + 1].next) {
		struct slice name = keep_text(args, j, c);

		if (!name.p)
			return false;
		args->names[args->n++] = name;
	}
	return args->names != NULL;
}

static bool has_mirrors(const struct json *j, uint32_t props)
{
	for (uint32_t t = props; props != JSON_NONE && t < j->tok[props].next; t++)
		if ((j->tok[t].flags & JSON_NAME) && json_string_eq(j, t, SL("x-mcp-header")))
			return true;
	return false;
}

static struct tool_args *read_args(const struct json *j, uint32_t props, struct arena *arena)
{
	struct tool_args *args = ARENA_NEW(arena, struct tool_args);
	struct place place = { .json = j };

	if (!args)
		return NULL;
	args->arena = arena;
	if (!read_names(args, j, props))
		return NULL;
	if (!has_mirrors(j, props))
		return args;
	args->mirrors = arena_array(arena, MIRRORS_MAX + 1, sizeof *args->mirrors);
	return args->mirrors && read_properties(args, &place, props) ? args : NULL;
}

/* --- the book ----------------------------------------------------------------------------------------------------- */

static enum err learn(struct toolbook *b, const struct json *j, uint32_t tool, struct arena *a)
{
	uint32_t name = json_member(j, tool, SL("name"));

	if (!json_is(j, name, JSON_STRING))
		return E_OK; /* nothing can be called by it */
	struct slice key = json_string(j, name, a);
	if (!key.p)
		return E_NOMEM;
	if (table_get(b->tools, key, 0))
		return E_OK;
	struct tool_args *args = read_args(j, json_walk(j, tool, "inputSchema.properties"), &b->arena);
	return args ? table_put(b->tools, key, args, 0, 0) : E_NOMEM;
}

enum err toolbook_learn(struct toolbook *b, const struct json *j, uint32_t tool)
{
	struct arena a;

	arena_init(&a, 1024 * 1024);
	enum err e = learn(b, j, tool, &a);
	arena_finish(&a);
	return e;
}

void toolbook_clear(struct toolbook *b)
{
	struct table *fresh = table_create(b->max_tools, NULL);

	b->complete = false;
	if (!fresh)
		return; /* what is known stays, and is not taken for all */
	table_free(b->tools);
	arena_finish(&b->arena);
	b->tools = fresh;
}

const struct mirror_param *toolbook_mirrors(const struct toolbook *b, struct slice tool, size_t *n)
{
	const struct tool_args *args = b ? table_get(b->tools, tool, 0) : NULL;

	*n = args ? args->n_mirrors : 0;
	return args ? args->mirrors : NULL;
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

struct pinbook *toolbook_pins(const struct toolbook *b)
{
	return b->pins;
}

void toolbook_hand_pins(struct toolbook *from, struct toolbook *to)
{
	struct pinbook *kept = from->pins;

	from->pins = to->pins;
	to->pins = kept;
}

/* --- work that goes on ------------------------------------------------------------------------------------------------ */

enum err toolbook_begin(struct toolbook *b, struct slice work, uint64_t until_ms, uint64_t now_ms)
{
	uint64_t *until = wipe_malloc(sizeof *until);
	enum err e = E_NOMEM;

	if (until) {
		*until = until_ms;
		e = table_put(b->works, work, until, until_ms, now_ms);
	}
	if (e != E_OK)
		wipe_free(until);
	return e;
}

void toolbook_end(struct toolbook *b, struct slice work)
{
	table_remove(b->works, work);
}

struct busy {
	uint64_t now_ms;
	bool yes;
};

static bool on_work(void *ctx, struct slice key, void *until)
{
	struct busy *b = ctx;

	(void)key;
	b->yes = *(uint64_t *)until > b->now_ms;
	return !b->yes;
}

bool toolbook_busy(const struct toolbook *b, uint64_t now_ms)
{
	struct busy busy = { .now_ms = now_ms };

	if (table_count(b->works))
		table_each(b->works, on_work, &busy);
	return busy.yes;
}
