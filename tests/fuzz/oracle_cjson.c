#include "oracle.h"
#include <cjson/cJSON.h>
#include <yajl/yajl_parse.h>

/* --- cJSON: checks neither UTF-8 nor duplicates, and reads all numbers as doubles --------------------------------- */

static void dump_children(struct buf *out, const cJSON *v)
{
	for (const cJSON *child = v->child; child; child = child->next) {
		if (child->string)
			dump_string(out, slice_of(child->string));
		/* The depth is bounded by our own reader, which has taken the text before. */
		if (cJSON_IsNull(child) || cJSON_IsBool(child)) {
			dump_mark(out, cJSON_IsNull(child) ? 'n' : cJSON_IsTrue(child) ? 't' : 'f');
		} else if (cJSON_IsNumber(child)) {
			dump_double(out, child->valuedouble);
		} else if (cJSON_IsString(child)) {
			dump_string(out, slice_of(child->valuestring));
		} else {
			dump_mark(out, cJSON_IsObject(child) ? '{' : '[');
			dump_children(out, child);
			dump_mark(out, cJSON_IsObject(child) ? '}' : ']');
		}
	}
}

static bool read_cjson(struct slice text, struct buf *out)
{
	char *z = strndup(text.p, text.n);
	cJSON *value = z ? cJSON_ParseWithOpts(z, NULL, 1) : NULL;
	cJSON root = { .child = value };

	if (value)
		dump_children(out, &root);
	cJSON_Delete(value);
	free(z);
	return value != NULL;
}

/* --- yajl: gives numbers as text, so they are compared byte for byte ---------------------------------------------- */

static int on_null(void *out)
{
	dump_mark(out, 'n');
	return 1;
}

static int on_boolean(void *out, int value)
{
	dump_mark(out, value ? 't' : 'f');
	return 1;
}

static int on_number(void *out, const char *p, size_t n)
{
	dump_text_number(out, slice_make(p, n));
	return 1;
}

static int on_string(void *out, const unsigned char *p, size_t n)
{
	dump_string(out, slice_make((const char *)p, n));
	return 1;
}

static int on_object(void *out)
{
	dump_mark(out, '{');
	return 1;
}

static int on_object_end(void *out)
{
	dump_mark(out, '}');
	return 1;
}

static int on_array(void *out)
{
	dump_mark(out, '[');
	return 1;
}

static int on_array_end(void *out)
{
	dump_mark(out, ']');
	return 1;
}

static bool read_yajl(struct slice text, struct buf *out)
{
	static const yajl_callbacks events = { on_null, on_boolean, NULL, NULL, on_number, on_string, on_object,
		on_string, on_object_end, on_array, on_array_end };
	yajl_handle h = yajl_alloc(&events, NULL, out);
	bool ok = yajl_parse(h, (const unsigned char *)text.p, text.n) == yajl_status_ok &&
		  yajl_complete_parse(h) == yajl_status_ok;

	yajl_free(h);
	return ok;
}

const struct oracle oracles[] = {
	{ "cJSON", DUMP_DOUBLE, FAULT_LONG_NUMBER | FAULT_CUT_AT_NUL, false, read_cjson },
	{ "yajl", DUMP_TEXT, 0, false, read_yajl },
	{ NULL, DUMP_TEXT, 0, false, NULL },
};
