/*
 * The demo vault's tools: one row each with its schema, and what it does to the store.
 */
#ifndef NARROWGATE_PROXY_DEMO_TOOLS_H
#define NARROWGATE_PROXY_DEMO_TOOLS_H

#include "base/json.h"
#include "proxy/demo_store.h"

struct demo_call {
	struct demo_store *store;
	const struct json *json;
	uint32_t args;           /* the arguments object, or JSON_NONE */
	struct arena *arena;
	struct buf *out;         /* the tool's result object, as JSON text */
	const char *error;       /* set when it failed: the error's text */
	uint64_t now_ms;
};

struct demo_tool {
	const char *name, *description;
	const char *properties;  /* members of inputSchema.properties besides tenant, JSON text */
	const char *required;    /* JSON array */
	bool reads_only;
	void (*run)(struct demo_call *);
};

extern const struct demo_tool demo_tools[];
extern const size_t demo_n_tools;

/* A string argument, or an empty slice. */
struct slice demo_arg(const struct demo_call *, const char *name);
/* Adds `{"path":…,"tenant":…,"type":…,"version":…` without the closing brace. */
void demo_add_metadata(struct buf *out, const struct demo_secret *);

#endif
