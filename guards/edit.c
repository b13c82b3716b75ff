#include "guards/edit.h"

/* The object that takes a new argument, and in which text it stands. */
struct place {
	const struct json *json;
	uint32_t args;
	struct json_edits *edits;
};

static bool find_place(struct call *c, struct place *out)
{
	*out = (struct place){ &c->rpc->json, c->args, &c->edits };
	if (c->args_json && c->args_json != &c->rpc->json && c->args != JSON_NONE) {
		*out = (struct place){ c->args_json, c->args, &c->inner_edits };
		return c->inner_at != JSON_NONE;
	}
	/* A wrapper without inner arguments: nobody can say where they would go. */
	return !c->outer || c->args != JSON_NONE;
}

/* There is no arguments object: it is made, and made again with every further argument. */
static enum err make_args(struct call *c, struct slice name, struct slice raw, struct arena *a)
{
	struct slice had = c->made_args.n > 2 ? slice_make(c->made_args.p + 1, c->made_args.n - 2) : SL("");
	struct buf out;
	enum err e;

	buf_init(&out, had.n + name.n * 6 + raw.n + 16);
	buf_add_char(&out, '{');
	buf_add(&out, had);
	if (had.n)
		buf_add_char(&out, ',');
	buf_add_json_string(&out, name);
	buf_add_char(&out, ':');
	buf_add(&out, raw);
	buf_add_char(&out, '}');
	e = out.failed;
	c->made_args = e == E_OK ? arena_dup(a, buf_slice(&out)) : c->made_args;
	buf_finish(&out);
	if (e != E_OK || !c->made_args.p)
		return E_NOMEM;
	return json_edit_insert(&c->edits, c->rpc->params, SL("arguments"), c->made_args);
}

enum err call_set_arg(struct call *c, struct slice name, struct slice raw, struct arena *a)
{
	struct place at;

	if (!find_place(c, &at) || c->rpc->params == JSON_NONE)
		return E_INVALID;
	if (at.args == JSON_NONE)
		return make_args(c, name, raw, a);
	uint32_t value = json_member(at.json, at.args, name);
	return value == JSON_NONE ? json_edit_insert(at.edits, at.args, name, raw)
				: json_edit_raw(at.edits, value, raw);
}

static struct slice quote(struct slice text, struct arena *a)
{
	struct buf quoted;
	struct slice raw = { NULL, 0 };

	buf_init(&quoted, text.n * 6 + 2);
	if (buf_add_json_string(&quoted, text) == E_OK)
		raw = arena_dup(a, buf_slice(&quoted));
	buf_finish(&quoted);
	return raw;
}

enum err call_set_text(struct call *c, struct slice name, struct slice text, struct arena *a)
{
	struct slice raw = quote(text, a);

	return raw.p ? call_set_arg(c, name, raw, a) : E_NOMEM;
}

enum err call_set_context(struct call *c, struct slice name, struct slice text, struct arena *a)
{
	const struct json *j = &c->rpc->json;
	uint32_t context = json_walk(j, c->rpc->params, "context"), filled = json_walk(j, context, "arguments");
	struct slice key = quote(name, a), raw = quote(text, a), object;

	if (!key.p || !raw.p)
		return E_NOMEM;
	if (filled != JSON_NONE)
		return json_edit_insert(&c->edits, filled, name, raw);
	object = arena_fmt(a, "{%.*s:%.*s}", SL_ARG(key), SL_ARG(raw));
	if (object.p && context == JSON_NONE) {
		object = arena_fmt(a, "{\"arguments\":%.*s}", SL_ARG(object));
		return object.p ? json_edit_insert(&c->edits, c->rpc->params, SL("context"), object) : E_NOMEM;
	}
	return object.p ? json_edit_insert(&c->edits, context, SL("arguments"), object) : E_NOMEM;
}

struct slice call_arg_source(const struct call *c, struct slice name)
{
	uint32_t value = c->args_json ? json_member(c->args_json, c->args, name) : JSON_NONE;

	return value == JSON_NONE ? (struct slice){ NULL, 0 } : json_source(c->args_json, value);
}

enum err edits_render(
	const struct json *json, const struct json_edits *edits, size_t room, struct arena *a, struct slice *out)
{
	struct buf text;
	enum err e;

	if (edits->n == 0 && !json->escaped_names) {
		*out = json->text;
		return E_OK;
	}
	buf_init(&text, json->text.n + room);
	e = json_splice(json, edits, &text);
	if (e == E_OK) {
		*out = arena_dup(a, buf_slice(&text));
		e = out->p ? E_OK : E_NOMEM;
	}
	buf_finish(&text);
	return e;
}

/* What edits may add: a few arguments, and quoting an inner text once more at most doubles it. */
static size_t room_for(const struct json *json)
{
	return json->text.n + 64 * 1024;
}

enum err call_render(struct call *c, struct arena *a, struct slice *out)
{
	struct slice inner;

	if (c->inner_edits.n) {
		enum err e = edits_render(c->args_json, &c->inner_edits, room_for(c->args_json), a, &inner);
		if (e == E_OK)
			e = json_edit_string(&c->edits, c->inner_at, inner);
		if (e != E_OK)
			return e;
	}
	return edits_render(&c->rpc->json, &c->edits, room_for(&c->rpc->json), a, out);
}
