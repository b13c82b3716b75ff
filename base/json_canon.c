#include "base/json_canon.h"

#include <stdlib.h>

struct canon {
	const struct json *json;
	struct buf *out;
	struct arena *arena;
};

struct member {
	struct slice name;
	uint32_t value;
};

static int by_name(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int order = n ? memcmp(x->name.p, y->name.p, n) : 0;

	return order ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static enum err add_value(const struct canon *c, uint32_t tok);

/* The members in order. NULL: no memory. */
static struct member *sorted(const struct canon *c, uint32_t obj)
{
	const struct json *j = c->json;
	struct member *v = arena_array(c->arena, j->tok[obj].count + 1u, sizeof *v);
	size_t n = 0;

	for (uint32_t t = json_first(j, obj); v && t < j->tok[obj].next; t = j->tok[t + 1].next) {
		v[n] = (struct member){ json_string(j, t, c->arena), t + 1 };
		if (!v[n++].name.p)
			return NULL;
	}
	if (v)
		qsort(v, n, sizeof *v, by_name);
	return v;
}

static enum err add_object(const struct canon *c, uint32_t obj)
{
	struct member *v = sorted(c, obj);
	enum err e = v ? buf_add_char(c->out, '{') : E_NOMEM;

	for (uint32_t i = 0; e == E_OK && i < c->json->tok[obj].count; i++) {
		if (i)
			buf_add_char(c->out, ',');
		buf_add_json_string(c->out, v[i].name);
		buf_add_char(c->out, ':');
		e = add_value(c, v[i].value);
	}
	return e == E_OK ? buf_add_char(c->out, '}') : e;
}

static enum err add_array(const struct canon *c, uint32_t array)
{
	const struct json *j = c->json;
	enum err e = buf_add_char(c->out, '[');

	for (uint32_t t = json_first(j, array); e == E_OK && t < j->tok[array].next; t = j->tok[t].next) {
		if (t != json_first(j, array))
			buf_add_char(c->out, ',');
		e = add_value(c, t);
	}
	return e == E_OK ? buf_add_char(c->out, ']') : e;
}

/* No deeper than the reader goes: JSON_MAX_DEPTH. */
static enum err add_value(const struct canon *c, uint32_t tok)
{
	switch (json_type(c->json, tok)) {
	case JSON_OBJECT:
		return add_object(c, tok);
	case JSON_ARRAY:
		return add_array(c, tok);
	case JSON_STRING: {
		struct slice text = json_string(c->json, tok, c->arena);
		return text.p ? buf_add_json_string(c->out, text) : E_NOMEM;
	}
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
	case JSON_NUMBER:
		break;
	}
	return buf_add(c->out, json_raw(c->json, tok));
}

enum err json_canon(const struct json *j, uint32_t tok, struct buf *out, struct arena *arena)
{
	struct canon c = { j, out, arena };
	enum err e = add_value(&c, tok);

	return e != E_OK ? e : out->failed;
}
