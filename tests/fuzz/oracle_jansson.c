#include "oracle.h"
#include <jansson.h>

static void dump(struct buf *out, json_t *v)
{
	const char *name;
	json_t *child;
	size_t i, length;

	switch (json_typeof(v)) {
	case JSON_NULL:
		dump_mark(out, 'n');
		break;
	case JSON_FALSE:
		dump_mark(out, 'f');
		break;
	case JSON_TRUE:
		dump_mark(out, 't');
		break;
	case JSON_INTEGER:
		dump_integer(out, json_integer_value(v));
		break;
	case JSON_REAL:
		dump_double(out, json_real_value(v));
		break;
	case JSON_STRING:
		dump_string(out, slice_make(json_string_value(v), json_string_length(v)));
		break;
	case JSON_ARRAY:
		dump_mark(out, '[');
		json_array_foreach (v, i, child)
			dump(out, child);
		dump_mark(out, ']');
		break;
	case JSON_OBJECT:
		dump_mark(out, '{');
		json_object_keylen_foreach (v, name, length, child) {
			dump_string(out, slice_make(name, length));
			dump(out, child);
		}
		dump_mark(out, '}');
		break;
	}
}

static bool read_jansson(struct slice text, struct buf *out)
{
	json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (!root)
		return false;
	dump(out, root);
	json_decref(root);
	return true;
}

const struct oracle oracles[] = {
	{ "jansson", DUMP_TYPED, FAULT_BIG_INTEGER | FAULT_EATS_NUL, true, read_jansson },
	{ NULL, DUMP_TEXT, 0, false, NULL },
};
