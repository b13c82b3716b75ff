/*
 * Arguments of a tool no catalog describes. Whatever is named like a path is one, at any depth; a folder and a key
 * beside each other are one path; the rest must be named harmless, or be vouched for by the vault's schema and look
 * like nothing.
 */
#include "guards/facts.h"
#include "guards/names.h"

#define GENERIC_MAX_NESTING 4
#define MAX_FOLDERS         8 /* folder-like members of one object; nobody means more */

struct generic {
	struct facts *f;
	const struct json *json;
	struct slice top;      /* the argument of the call we are below; empty at the top */
	unsigned nesting;
	struct slice *id;      /* an argument that names the item by an id of the vault's; empty: none */
};

static void read_object(struct generic *g, uint32_t obj);

static enum look look_of(struct generic *g, struct slice name)
{
	return names_look(g->f->view, name);
}

/* A write carries values inward; a read that takes one is odd, and its argument is judged like any other. */
static bool may_carry_value(const struct generic *g)
{
	return !action_is_read_only(g->f->call->action);
}

static bool is_scalar_text(const struct json *j, uint32_t t)
{
	return json_is(j, t, JSON_STRING) || json_is(j, t, JSON_NUMBER);
}

/* `eq`, not a map's key that is a path itself. */
static bool is_plain_name(struct generic *g, uint32_t tok)
{
	return (g->json->tok[tok].flags & JSON_NAME) &&
		!look_text_is_path(g->f->view->policy, facts_text(g->f, g->json, tok));
}

/* Every text below `tok` as a path; what is no text makes it unreadable. */
static void read_paths(struct generic *g, uint32_t tok, struct slice name)
{
	const struct json *j = g->json;
	size_t before = g->f->call->n_paths;

	for (uint32_t t = tok; t < j->tok[tok].next; t++) {
		if (j->tok[t].type >= JSON_ARRAY || is_plain_name(g, t))
			continue;
		if (is_scalar_text(j, t)) {
			fact_path_wide(g->f, facts_text(g->f, j, t), name);
			fact_path_at(g->f, j, t);
		} else {
			fact_path_fault(g->f, PATH_TYPE, name);
		}
	}
	if (g->f->call->n_paths == before)
		fact_path_fault(g->f, PATH_TYPE, name);
}

/* FOLDER/KEY for one folder-like member and every text of one key-like member. */
static void join(struct generic *g, uint32_t folder, uint32_t key, struct slice name)
{
	const struct json *j = g->json;

	if (!is_scalar_text(j, folder)) {
		fact_path_fault(g->f, PATH_TYPE, name);
		return;
	}
	struct slice head = facts_text(g->f, j, folder);
	for (uint32_t t = key; t < j->tok[key].next; t++) {
		if (j->tok[t].type >= JSON_ARRAY)
			continue;
		struct slice tail = facts_text(g->f, j, t);
		bool rooted = tail.n && memchr(tail.p, '/', tail.n);
		bool apart = head.n && head.p[head.n - 1] != '/';
		struct slice path = arena_fmt(g->f->arena, "%.*s%s%.*s", SL_ARG(head), apart ? "/" : "", SL_ARG(tail));
		if (!path.p)
			g->f->nomem = true;
		else if (rooted || !is_scalar_text(j, t))
			fact_path_fault(g->f, PATH_SLASHES, name);
		else
			fact_path_wide(g->f, path, name);
	}
}

/* What stands beside each other in one object. */
struct beside {
	uint32_t folders[MAX_FOLDERS]; /* tokens of their names */
	size_t n_folders;
	bool keys;
};

/* One look at each member, whatever their number. */
static struct beside look_beside(struct generic *g, uint32_t obj)
{
	const struct json *j = g->json;
	struct beside b = { .n_folders = 0 };

	for (uint32_t c = json_first(j, obj); c < j->tok[obj].next; c = j->tok[c + 1].next) {
		struct slice name = facts_text(g->f, j, c);
		enum look l = look_of(g, name);

		b.keys |= l == LOOK_KEY;
		if (l == LOOK_FOLDER && b.n_folders == MAX_FOLDERS)
			fact_unknown(g->f, name);
		else if (l == LOOK_FOLDER)
			b.folders[b.n_folders++] = c;
	}
	return b;
}

/* A key is joined with every folder beside it; alone it is a path itself. */
static void read_key(struct generic *g, const struct beside *b, uint32_t name_tok)
{
	struct slice name = facts_text(g->f, g->json, name_tok);

	if (b->n_folders == 0)
		read_paths(g, name_tok + 1, name);
	for (size_t i = 0; i < b->n_folders; i++)
		join(g, b->folders[i] + 1, name_tok + 1, name);
}

/* A folder alone is all below it; with a key beside it the key's path says more. */
static void read_folder(struct generic *g, const struct beside *b, uint32_t name_tok)
{
	if (!b->keys)
		read_paths(g, name_tok + 1, facts_text(g->f, g->json, name_tok));
}

static void read_json_text(struct generic *g, struct slice text, struct slice name)
{
	struct json inner;
	enum err e = g->nesting < GENERIC_MAX_NESTING ? json_parse(&inner, text, g->f->arena, NULL) : E_TOO_DEEP;

	if (e == E_NOMEM)
		g->f->nomem = true;
	else if (e != E_OK)
		fact_unknown(g->f, name);
	else {
		struct generic below = { g->f, &inner, g->top, g->nesting + 1, g->id };
		for (uint32_t t = 0; t < inner.n; t = json_is(&inner, t, JSON_ARRAY) ? t + 1 : inner.tok[t].next)
			if (json_is(&inner, t, JSON_OBJECT))
				read_object(&below, t);
			else if (json_is(&inner, t, JSON_STRING) && tree_looks_judged(g->f, &inner, t))
				fact_unknown(g->f, name);
	}
}

static bool is_declared(struct generic *g)
{
	const struct toolbook *tools = g->f->view->tools;

	if (tools && toolbook_declares(tools, g->f->call->name, g->top))
		return true;
	if (!tools || !toolbook_complete(tools)) {
		g->f->call->needs_tools = true;
		return true; /* until the schema is here, nobody says no */
	}
	return false;
}

/* A text under a name that is neither path nor tenant. */
static void read_text(struct generic *g, uint32_t tok, struct slice name, enum look l)
{
	struct slice text = facts_text(g->f, g->json, tok);

	if (l == LOOK_VALUE && may_carry_value(g))
		return;
	if (look_text_is_json(text))
		read_json_text(g, text, name);
	else if (l == LOOK_HARMLESS && look_holds(name) == HOLDS_PROSE && !look_text_is_tenant(text))
		return;
	else if (look_text_is_path(g->f->view->policy, text) || look_text_is_tenant(text))
		fact_unknown(g->f, name);
	else if (l != LOOK_HARMLESS && !is_declared(g))
		fact_unknown(g->f, name);
}

static void read_value(struct generic *g, uint32_t tok, struct slice name, enum look l)
{
	const struct json *j = g->json;

	if (l == LOOK_VALUE && may_carry_value(g))
		return;
	if (json_is(j, tok, JSON_OBJECT))
		read_object(g, tok);
	else if (json_is(j, tok, JSON_ARRAY))
		for (uint32_t c = json_first(j, tok); c < j->tok[tok].next; c = j->tok[c].next)
			read_value(g, c, name, l);
	else if (json_is(j, tok, JSON_STRING))
		read_text(g, tok, name, l);
	else if (!json_is(j, tok, JSON_NULL) && l != LOOK_HARMLESS && !is_declared(g))
		fact_unknown(g->f, name);
}

static void read_member(struct generic *g, const struct beside *b, uint32_t name_tok)
{
	struct slice name = facts_text(g->f, g->json, name_tok);
	enum look l = look_of(g, name);
	uint32_t value = name_tok + 1;

	if (l == LOOK_NOTHING && look_is_item_id(name) && !json_is(g->json, value, JSON_NULL))
		*g->id = name;
	if (l == LOOK_NOTHING && look_text_is_path(g->f->view->policy, name))
		fact_path_wide(g->f, name, g->top);
	switch (l) {
	case LOOK_PATH:
	case LOOK_PREFIX:
		read_paths(g, value, name);
		break;
	case LOOK_FOLDER:
		read_folder(g, b, name_tok);
		break;
	case LOOK_KEY:
		read_key(g, b, name_tok);
		break;
	case LOOK_TENANT:
	case LOOK_PARTNER:
		if (!json_is(g->json, value, JSON_NULL))
			classify_tenant_tree(g->f, g->json, value, l == LOOK_PARTNER, name);
		break;
	case LOOK_NOTHING:
	case LOOK_VALUE:
	case LOOK_HARMLESS:
		read_value(g, value, name, l);
		break;
	}
}

static void read_object(struct generic *g, uint32_t obj)
{
	const struct json *j = g->json;
	bool top = g->top.p == NULL;
	struct beside b = look_beside(g, obj);

	for (uint32_t c = json_first(j, obj); c < j->tok[obj].next && !g->f->nomem; c = j->tok[c + 1].next) {
		if (top)
			g->top = facts_text(g->f, j, c);
		read_member(g, &b, c);
	}
	if (top)
		g->top = (struct slice){ NULL, 0 };
}

/* A text that is run as it stands. */
static bool takes_script(struct generic *g, uint32_t obj)
{
	const struct json *j = g->json;

	for (uint32_t c = json_first(j, obj); c < j->tok[obj].next; c = j->tok[c + 1].next)
		if (json_type(j, c + 1) >= JSON_STRING && look_is_script(facts_text(g->f, j, c)))
			return true;
	return false;
}

void classify_generic(struct facts *f, const struct args *a)
{
	struct slice id = SL("");
	struct generic g = { .f = f, .json = a->json, .id = &id };
	struct call *c = f->call;

	c->action = generic_action(&f->view->catalog->vocabulary, c->name, &c->executor);
	c->known = c->action != ACT_UNKNOWN;
	if (a->json && a->args != JSON_NONE) {
		if (takes_script(&g, a->args)) {
			c->executor = true;
			c->action = ACT_ADMIN;
		}
		classify_verbs(f, NULL, a);
		if (f->locked)
			read_object(&g, a->args);
	}
	/* Beside a path nobody knows which of them the vault goes by. */
	if (id.n && c->n_paths && c->action != ACT_LIST && policy_locks_paths(f->view->policy))
		fact_unknown(f, id);
	if (f->locked && c->n_paths == 0 && c->action == ACT_LIST)
		fact_path_absent(f, COVERS_PREFIX, SL(""));
}
