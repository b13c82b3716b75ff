/*
 * A vault's answer put through the result side of the guards, for tests: a policy, a catalog, a request and an answer go
 * in; what the agent would see comes out.
 */
#ifndef NARROWGATE_TESTS_ANSWERS_H
#define NARROWGATE_TESTS_ANSWERS_H

#include "guards/guard.h"

struct world {
	struct policy policy;
	struct prefix allowed[4], denied[4];
	struct catalog *catalog;
	struct ledger *ledger;
	struct arena arena;
};

/* A policy that narrows nothing. `yaml` is a catalog's text, or the name of a built-in one. */
void world_open(struct world *, const char *yaml);
void world_close(struct world *);
void world_allow(struct world *, const char *prefix);
void world_deny(struct world *, const char *prefix);

/* `call` is a whole request; `answer` a whole response. The text the agent gets, or "DENY word". Lives until world_close. */
const char *world_answer(struct world *, const char *call, const char *answer);
/* The same for a tools/call of `tool` with `args`, and for the answer's `result`; gives the `result` the agent gets, or "DENY word". */
const char *world_tool(struct world *, const char *tool, const char *args, const char *result);
/* A tool's answer of one text item; gives the text the agent gets. */
const char *world_text(struct world *, const char *tool, const char *args, const char *text);
/* What the vault sends by itself. */
const char *world_notice(struct world *, const char *notice);

#endif
