#include "json_peers.h"
#include <cjson/cJSON.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

/* --- jansson ------------------------------------------------------------------------------------------------------ */

#define JANSSON_FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)

static bool jansson_forward(const char *p, size_t n)
{
	json_t *root = json_loadb(p, n, JANSSON_FLAGS, NULL);
	char *text = root ? json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	json_decref(root);
	free(text);
	return text != NULL;
}

static void jansson_walk(json_t *v, struct json_facts *f)
{
	const char *name;
	json_t *child;
	size_t i;

	f->values++;
	if (json_is_string(v))
		f->string_bytes += json_string_length(v);
	json_array_foreach (v, i, child)
		jansson_walk(child, f);
	json_object_foreach (v, name, child) {
		f->members++;
		f->string_bytes += strlen(name);
		jansson_walk(child, f);
	}
}

static bool jansson_facts(const char *p, size_t n, struct json_facts *f)
{
	json_t *root = json_loadb(p, n, JANSSON_FLAGS, NULL);

	if (root)
		jansson_walk(root, f);
	json_decref(root);
	return root != NULL;
}

/* --- cJSON -------------------------------------------------------------------------------------------------------- */

static bool cjson_forward(const char *p, size_t n)
{
	cJSON *root = cJSON_ParseWithLength(p, n);
	char *text = root ? cJSON_PrintUnformatted(root) : NULL;

	cJSON_Delete(root);
	free(text);
	return text != NULL;
}

static void cjson_walk(const cJSON *v, struct json_facts *f)
{
	f->values++;
	if (cJSON_IsString(v))
		f->string_bytes += strlen(v->valuestring);
	for (const cJSON *child = v->child; child; child = child->next) {
		if (child->string) {
			f->members++;
			f->string_bytes += strlen(child->string);
		}
		cjson_walk(child, f);
	}
}

static bool cjson_facts(const char *p, size_t n, struct json_facts *f)
{
	cJSON *root = cJSON_ParseWithLength(p, n);

	if (root)
		cjson_walk(root, f);
	cJSON_Delete(root);
	return root != NULL;
}

/* --- yajl: events straight into a generator ----------------------------------------------------------------------- */

struct yajl_ctx {
	yajl_gen gen; /* NULL when only facts are wanted */
	struct json_facts *facts;
};

static int gen_status(struct yajl_ctx *c, yajl_gen_status s)
{
	return !c->gen || s == yajl_gen_status_ok;
}

#define YAJL_GEN(c, call) ((c)->gen ? (call) : yajl_gen_status_ok)

static int on_null(void *ctx)
{
	struct yajl_ctx *c = ctx;
	c->facts->values++;
	return gen_status(c, YAJL_GEN(c, yajl_gen_null(c->gen)));
}

static int on_boolean(void *ctx, int value)
{
	struct yajl_ctx *c = ctx;
	c->facts->values++;
	return gen_status(c, YAJL_GEN(c, yajl_gen_bool(c->gen, value)));
}

static int on_number(void *ctx, const char *p, size_t n)
{
	struct yajl_ctx *c = ctx;
	c->facts->values++;
	return gen_status(c, YAJL_GEN(c, yajl_gen_number(c->gen, p, n)));
}

static int on_string(void *ctx, const unsigned char *p, size_t n)
{
	struct yajl_ctx *c = ctx;
	c->facts->values++;
	c->facts->string_bytes += n;
	return gen_status(c, YAJL_GEN(c, yajl_gen_string(c->gen, p, n)));
}

static int on_name(void *ctx, const unsigned char *p, size_t n)
{
	struct yajl_ctx *c = ctx;
	c->facts->members++;
	c->facts->string_bytes += n;
	return gen_status(c, YAJL_GEN(c, yajl_gen_string(c->gen, p, n)));
}

static int on_object(void *ctx)
{
	struct yajl_ctx *c = ctx;
	c->facts->values++;
	return gen_status(c, YAJL_GEN(c, yajl_gen_map_open(c->gen)));
}

static int on_object_end(void *ctx)
{
	struct yajl_ctx *c = ctx;
	return gen_status(c, YAJL_GEN(c, yajl_gen_map_close(c->gen)));
}

static int on_array(void *ctx)
{
	struct yajl_ctx *c = ctx;
	c->facts->values++;
	return gen_status(c, YAJL_GEN(c, yajl_gen_array_open(c->gen)));
}

static int on_array_end(void *ctx)
{
	struct yajl_ctx *c = ctx;
	return gen_status(c, YAJL_GEN(c, yajl_gen_array_close(c->gen)));
}

static const yajl_callbacks yajl_events = { on_null, on_boolean, NULL, NULL, on_number, on_string, on_object, on_name,
	on_object_end, on_array, on_array_end };

static bool yajl_read(const char *p, size_t n, struct yajl_ctx *c)
{
	yajl_handle h = yajl_alloc(&yajl_events, NULL, c);
	bool ok = yajl_parse(h, (const unsigned char *)p, n) == yajl_status_ok &&
		  yajl_complete_parse(h) == yajl_status_ok;

	yajl_free(h);
	return ok;
}

static bool yajl_forward(const char *p, size_t n)
{
	struct json_facts unused = { 0 };
	struct yajl_ctx c = { yajl_gen_alloc(NULL), &unused };
	const unsigned char *text = NULL;
	size_t length = 0;
	bool ok = yajl_read(p, n, &c) && yajl_gen_get_buf(c.gen, &text, &length) == yajl_gen_status_ok;

	yajl_gen_free(c.gen);
	return ok && length > 0;
}

static bool yajl_facts(const char *p, size_t n, struct json_facts *f)
{
	struct yajl_ctx c = { NULL, f };
	return yajl_read(p, n, &c);
}

const struct json_peer json_peers[] = {
	{ "jansson", jansson_forward, jansson_facts },
	{ "cJSON", cjson_forward, cjson_facts },
	{ "yajl", yajl_forward, yajl_facts },
	{ NULL, NULL, NULL },
};
