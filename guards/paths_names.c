/*
 * Paths nobody described: members named like one, namespace and key beside each other, and bare strings with a slash as
 * array items or map keys.
 */
#include "guards/docsel.h"
#include "guards/names.h"
#include "guards/paths_parts.h"

static enum look look_at(const struct paths *p, struct slice name)
{
	return names_look(p->view, name);
}

static bool is_uri_name(struct slice name)
{
	struct slice tail = name.n > 3 ? slice_from(name, name.n - 3) : name;
	return slice_eq_nocase(tail, SL("uri")) || slice_eq_nocase(name, SL("uris"));
}

static bool is_key(struct slice name)
{
	return slice_eq_nocase(name, SL("key"));
}

/* Under these names tags are kept: a `key` there is a label. */
static bool is_label_map(struct slice name)
{
	return slice_eq_nocase(name, SL("metadata")) || slice_eq_nocase(name, SL("tags")) ||
		slice_eq_nocase(name, SL("labels"));
}

/* What names a secret in rows and reports without saying so; of an unknown vault, whatever may be a secret's name. */
static bool may_be_path(const struct paths *p, struct slice name)
{
	static const char *const NAMES[] = { "resource", "object", "secret", NULL };
	static const char *const UNKNOWN[] = { "name", "id", "title", "item", "ref", NULL };

	for (const char *const *n = NAMES; *n; n++)
		if (slice_eq_nocase(name, slice_of(*n)))
			return true;
	for (const char *const *n = UNKNOWN; *n && p->view->catalog->generic; n++)
		if (slice_eq_nocase(name, slice_of(*n)))
			return true;
	return false;
}

static bool text_in(struct paths *p, struct slice name, enum look look, struct slice text)
{
	bool folder;

	if (is_uri_name(name))
		return scope_uri_in(&p->scope, text);
	switch (look) {
	case LOOK_PATH:
	case LOOK_PREFIX:
		/* `path` of a listing may be a pattern or a folder; web addresses come under such names too. */
		if (slice_find(text, SL("://")) >= 0)
			return scope_uri_in(&p->scope, text);
		folder = look == LOOK_PREFIX && !memchr(text.p, '*', text.n);
		return scope_in(&p->scope, text, folder ? SCOPE_FOLDER : SCOPE_PATTERN);
	case LOOK_FOLDER:
		return scope_in(&p->scope, text, SCOPE_FOLDER);
	case LOOK_KEY:
		return is_key(name) ? scope_in(&p->scope, text, SCOPE_ONE) : scope_bare_in(&p->scope, text);
	case LOOK_NOTHING:
	case LOOK_VALUE:
		return !may_be_path(p, name) || scope_bare_in(&p->scope, text);
	case LOOK_TENANT:
	case LOOK_PARTNER:
	case LOOK_HARMLESS:
		return true;
	}
	return true;
}

static struct slice string_at(const struct json *j, uint32_t tok, struct arena *a)
{
	return json_is(j, tok, JSON_STRING) ? json_string(j, tok, a) : (struct slice){ NULL, 0 };
}

/* `namespace` and `key`, `folderPath` and `key`: one path in two members. *folder gets the first. */
static bool joined_outside(struct paths *p, struct doc *d, uint32_t obj, bool *joined)
{
	const struct json *j = &d->json;
	uint32_t at = json_member(j, obj, SL("key"));
	struct slice key = string_at(j, at, d->arena), folder = { NULL, 0 };

	*joined = false;
	if (!key.p || doc_has(d, at, DOC_ITEM))
		return false;
	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next && !folder.p; t = j->tok[t + 1].next) {
		struct slice name = json_string(j, t, d->arena);
		enum look look = name.p ? look_at(p, name) : LOOK_NOTHING;
		if (look == LOOK_FOLDER || (look == LOOK_PATH && slice_eq_nocase(name, SL("folderPath"))))
			folder = string_at(j, t + 1, d->arena);
	}
	if (!folder.p)
		return false;
	*joined = true;
	/* A key with a slash may be a path by itself (docs of GhostStack): it must pass both ways. */
	struct slice path = arena_fmt(d->arena, "%.*s/%.*s", SL_ARG(folder), SL_ARG(key));
	if (!path.p) {
		p->err = E_NOMEM;
		return true;
	}
	return !scope_joined_in(&p->scope, path, SCOPE_ONE);
}

static bool is_folder_part(struct paths *p, struct slice name)
{
	return is_key(name) || slice_eq_nocase(name, SL("folderPath")) || look_at(p, name) == LOOK_FOLDER;
}

/* `key` of the one secret that was asked for, which its folder is left out of. */
static bool names_asked(const struct paths *p, struct slice name, struct slice text)
{
	const struct call *c = p->call;

	if (!c || !is_key(name) || c->n_paths != 1 || c->paths[0].fault != PATH_OK || c->paths[0].covers != COVERS_ONE)
		return false;
	struct slice path = c->paths[0].path.text;
	return slice_ends(path, text) && path.n > text.n && path.p[path.n - text.n - 1] == '/';
}

/* What the agent itself gave is no news, and breaks no rule. */
static bool is_echo(struct paths *p, bool at_root, struct slice name, struct slice text)
{
	bool echo = (at_root && scope_was_asked(&p->scope, text)) || names_asked(p, name, text);

	if (echo)
		p->scope.rule = p->view->policy->allowed.at;
	return echo;
}

static bool is_report(const struct paths *p, struct slice name, struct slice text)
{
	return names_sentence(p->view, name) == SENTENCE_REPORT || doc_text_holds_json(text);
}

static bool object_outside(struct filter *f, struct doc *d, uint32_t obj)
{
	struct paths *p = f->ctx;
	const struct json *j = &d->json;
	bool joined, outside = joined_outside(p, d, obj, &joined);
	uint32_t meta = p->call ? JSON_NONE : json_member(j, obj, SL("_meta"));

	outside = outside || (meta != JSON_NONE && !scope_json_in(&p->scope, j, meta));
	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next && !outside; t = j->tok[t + 1].next) {
		struct slice name, text;

		if (doc_has(d, t, DOC_GONE) || doc_has(d, t + 1, DOC_VALUE | DOC_ITEM) || !json_is(j, t + 1, JSON_STRING))
			continue;
		name = json_string(j, t, d->arena);
		text = json_string(j, t + 1, d->arena);
		if (!name.p || !text.p) {
			f->err = E_NOMEM;
			return true;
		}
		if (joined && is_folder_part(p, name))
			continue;
		/* Keys that vaults hand out begin alike: that is no folder. */
		if (obj != p->root && slice_eq_nocase(name, SL("prefix")) && !scope_looks_like_path(text))
			continue;
		outside = !text_in(p, name, look_at(p, name), text) && !is_echo(p, obj == p->root, name, text);
		/* What the vault says by itself is mostly sentences. */
		if (!outside && !p->call)
			outside = !scope_sentence_in(&p->scope, text);
		else if (!outside && is_report(p, name, text) && !scope_sentence_in(&p->scope, text))
			paths_sentence(p, d, t + 1);
	}
	return outside;
}

static bool has_word(struct slice name, const char *const *words)
{
	for (; *words; words++)
		for (size_t i = 0; i + strlen(*words) <= name.n; i++)
			if (slice_eq_nocase(slice_make(name.p + i, strlen(*words)), slice_of(*words)))
				return true;
	return false;
}

/* The call lists secrets from the root: one word names what stands at the top, and is no part of a folder asked for. */
static bool lists_root(const struct paths *p)
{
	static const char *const WORDS[] = { "secret", "key", "credential", "password", "path", NULL };
	const struct call *c = p->call;

	if (!c || c->action != ACT_LIST || !(p->rule ? p->rule->n_paths > 0 : has_word(c->name, WORDS)))
		return false;
	for (size_t i = 0; i < c->n_paths; i++)
		if (!c->paths[i].absent && c->paths[i].path.text.n)
			return false;
	return true;
}

static bool is_list_name(struct slice name)
{
	static const char *const NAMES[] = { "", "secrets", "keys", "credentials", "names", "items", "results", "entries",
		"paths", "data", "list" };

	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		if (slice_eq_nocase(name, slice_of(NAMES[i])))
			return true;
	return false;
}

/* Arrays that hold nothing but paths, whether or not a slash shows. */
static bool item_outside(struct filter *f, struct slice text, struct slice name)
{
	struct paths *p = f->ctx;
	enum look look = name.n ? look_at(p, name) : LOOK_NOTHING;

	if (look == LOOK_PATH || look == LOOK_PREFIX || look == LOOK_FOLDER)
		return !text_in(p, name, look, text);
	if (p->lists_root && is_list_name(name) && !memchr(text.p, '/', text.n))
		return !scope_in(&p->scope, text, SCOPE_FOLDER);
	if (doc_text_holds_json(text) && !doc_text_is_json(text))
		return !scope_sentence_in(&p->scope, text);
	return !scope_bare_in(&p->scope, text);
}

/* Names beside the data were judged before, those that the protocol reserves apart. */
static bool name_outside(struct filter *f, struct slice name)
{
	struct paths *p = f->ctx;
	return !p->extra && !scope_bare_in(&p->scope, name);
}

/* `_meta` of what the vault says by itself has names of its own kind, and is judged with the object that holds it. */
static bool skip_member(struct filter *f, struct slice name)
{
	struct paths *p = f->ctx;
	return is_label_map(name) || (!p->call && slice_eq(name, SL("_meta")));
}

bool paths_names(struct paths *p, struct doc *d, uint32_t root)
{
	struct filter f = { .object = object_outside, .item = item_outside, .name = name_outside, .skip = skip_member,
		.ctx = p };

	/* What the catalog calls a value may hold slashes. */
	for (size_t i = 0; p->rule && !p->extra && i < p->rule->out.n_values && p->err == E_OK; i++)
		p->err = docsel_mark(d, root, &p->rule->out.values[i], DOC_VALUE);
	p->root = root;
	p->lists_root = lists_root(p);
	f.totals_span = p->call && p->call->action == ACT_LIST && filter_has_cursor(d, root);
	bool outside = filter_walk(&f, d, root, (struct slice){ NULL, 0 });
	p->removed += f.removed;
	if (f.err != E_OK)
		p->err = f.err;
	return outside;
}
