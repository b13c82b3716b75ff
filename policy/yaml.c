#include "policy/yaml.h"

#include "base/arena.h"
#include <stdlib.h>
#include <yaml.h>

/* Bounds no honest file comes near: they keep a mistaken or hostile one from costing memory, stack or time. */
enum {
	MAX_BYTES = 4 << 20,
	MAX_DEPTH = 32,
	MAX_NODES = 100000,
	MAX_KEYS = 2000, /* of one map: duplicates are looked for by comparing each with each */
};

/* One list or map that is still open. */
struct level {
	struct yaml_node *node;
	struct yaml_node *last; /* its newest child */
	bool keyed; /* a map: `key` was read, its value comes next */
	struct slice key;
	struct origin key_at;
};

struct builder {
	yaml_parser_t parser;
	struct slice file;
	struct arena *arena;
	struct faults *faults;
	struct yaml_node *root;
	struct level level[MAX_DEPTH];
	size_t depth;
	size_t nodes;
	size_t documents;
	bool bad;
};

static struct origin place(const struct builder *b, const yaml_mark_t *mark)
{
	return (struct origin){ b->file, (unsigned)mark->line + 1, (unsigned)mark->column + 1 };
}

static void refuse(struct builder *b, const yaml_mark_t *mark, const char *text)
{
	faults_add(b->faults, place(b, mark), "%s", text);
	b->bad = true;
}

static void out_of_memory(struct builder *b)
{
	faults_add(b->faults, (struct origin){ .file = b->file }, "out of memory");
	b->bad = true;
}

static bool is_null_word(struct slice s)
{
	return s.n == 0 || slice_eq(s, SL("~")) || slice_eq(s, SL("null")) || slice_eq(s, SL("Null")) ||
		slice_eq(s, SL("NULL"));
}

/* Takes a scalar as the key of the next entry of the map on top. */
static void take_key(struct builder *b, struct level *top, const yaml_event_t *ev)
{
	struct slice key = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (plain && is_null_word(key)) {
		refuse(b, &ev->start_mark, "a key is missing before the colon");
		return;
	}
	if (key.n == 0) {
		refuse(b, &ev->start_mark, "an empty key");
		return;
	}
	if (plain && slice_eq(key, SL("<<"))) {
		refuse(b, &ev->start_mark, "merge keys (`<<`) are not read: write the entries out");
		return;
	}
	for (const struct yaml_node *c = top->node->first; c; c = c->next) {
		if (slice_eq(c->key, key)) {
			faults_add(b->faults, place(b, &ev->start_mark), "`%.*s` is given twice: first in line %u",
				SL_ARG(key), c->key_at.line);
			b->bad = true;
			return;
		}
	}
	top->key = arena_dup(b->arena, key);
	if (!top->key.p)
		out_of_memory(b);
	top->key_at = place(b, &ev->start_mark);
	top->keyed = true;
}

/* Hangs a new node into the tree; NULL when it may not stand here. */
static struct yaml_node *attach(struct builder *b, const yaml_event_t *ev)
{
	struct level *top = b->depth ? &b->level[b->depth - 1] : NULL;

	if (top && top->node->kind == YAML_MAP && !top->keyed) {
		refuse(b, &ev->start_mark, "a key must be plain text");
		return NULL;
	}
	if (++b->nodes > MAX_NODES || (top && top->node->kind == YAML_MAP && top->node->n >= MAX_KEYS)) {
		refuse(b, &ev->start_mark, "too many entries");
		return NULL;
	}
	struct yaml_node *node = ARENA_NEW(b->arena, struct yaml_node);
	if (!node) {
		out_of_memory(b);
		return NULL;
	}
	node->at = place(b, &ev->start_mark);
	if (!top) {
		b->root = node;
		return node;
	}
	if (top->keyed) {
		node->key = top->key;
		node->key_at = top->key_at;
		top->keyed = false;
	}
	if (top->last)
		top->last->next = node;
	else
		top->node->first = node;
	top->last = node;
	top->node->n++;
	return node;
}

static void on_scalar(struct builder *b, const yaml_event_t *ev)
{
	struct slice text = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	struct level *top = b->depth ? &b->level[b->depth - 1] : NULL;

	if (ev->data.scalar.anchor || ev->data.scalar.tag) {
		refuse(b, &ev->start_mark, "anchors and tags are not read: write the value out");
		return;
	}
	if (text.n && memchr(text.p, 0, text.n)) {
		refuse(b, &ev->start_mark, "a NUL character");
		return;
	}
	if (top && top->node->kind == YAML_MAP && !top->keyed) {
		take_key(b, top, ev);
		return;
	}
	struct yaml_node *node = attach(b, ev);
	if (!node)
		return;
	node->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->kind = node->plain && is_null_word(text) ? YAML_NULL : YAML_SCALAR;
	if (node->kind == YAML_NULL)
		return;
	node->text = arena_dup(b->arena, text);
	if (!node->text.p)
		out_of_memory(b);
}

static void on_open(struct builder *b, const yaml_event_t *ev, enum yaml_kind kind, bool marked)
{
	if (marked) {
		refuse(b, &ev->start_mark, "anchors and tags are not read: write the value out");
		return;
	}
	if (b->depth == MAX_DEPTH) {
		refuse(b, &ev->start_mark, "nested too deeply");
		return;
	}
	struct yaml_node *node = attach(b, ev);
	if (!node)
		return;
	node->kind = kind;
	b->level[b->depth++] = (struct level){ .node = node };
}

static void on_event(struct builder *b, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return;
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++)
			refuse(b, &ev->start_mark, "a second document: one file holds one");
		return;
	case YAML_ALIAS_EVENT:
		refuse(b, &ev->start_mark, "aliases are not read: write the value out");
		return;
	case YAML_SCALAR_EVENT:
		on_scalar(b, ev);
		return;
	case YAML_SEQUENCE_START_EVENT:
		on_open(b, ev, YAML_LIST, ev->data.sequence_start.anchor || ev->data.sequence_start.tag);
		return;
	case YAML_MAPPING_START_EVENT:
		on_open(b, ev, YAML_MAP, ev->data.mapping_start.anchor || ev->data.mapping_start.tag);
		return;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return;
	}
}

static void parser_fault(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;

	if (p->error == YAML_MEMORY_ERROR) {
		out_of_memory(b);
		return;
	}
	if (p->error == YAML_READER_ERROR) {
		/* The reader knows the byte, not the line. */
		faults_add(b->faults, (struct origin){ .file = b->file }, "not a text file: %s at byte %zu", p->problem,
			p->problem_offset);
		b->bad = true;
		return;
	}
	faults_add(b->faults, place(b, &p->problem_mark), "not valid YAML: %s%s%s", p->context ? p->context : "",
		p->context ? ": " : "", p->problem ? p->problem : "unreadable");
	b->bad = true;
}

/* Runs libyaml to the end of the text or to the first fault. */
static void read_all(struct builder *b)
{
	bool end = false;

	while (!end && !b->bad) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&b->parser, &ev)) {
			parser_fault(b);
			return;
		}
		on_event(b, &ev);
		end = ev.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&ev);
	}
}

const struct yaml_node *yaml_parse(struct slice text, struct slice file, struct arena *arena, struct faults *faults)
{
	if (text.n > MAX_BYTES) {
		faults_add(faults, (struct origin){ .file = file }, "over the size limit of 4 MiB");
		return NULL;
	}
	struct builder *b = calloc(1, sizeof *b);
	const struct yaml_node *root = NULL;

	if (!b || !yaml_parser_initialize(&b->parser)) {
		faults_add(faults, (struct origin){ .file = file }, "out of memory");
		free(b);
		return NULL;
	}
	b->file = file;
	b->arena = arena;
	b->faults = faults;
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
	read_all(b);
	if (!b->bad && !b->root) {
		b->root = ARENA_NEW(arena, struct yaml_node);
		if (b->root)
			b->root->at = (struct origin){ file, 1, 1 };
		else
			out_of_memory(b);
	}
	if (!b->bad)
		root = b->root;
	yaml_parser_delete(&b->parser);
	free(b);
	return root;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, struct slice key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (const struct yaml_node *c = map->first; c; c = c->next)
		if (slice_eq(c->key, key))
			return c;
	return NULL;
}
