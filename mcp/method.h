/*
 * The methods of MCP: who may send them, whether they are requests, which members their params may have.
 * Source: the MCP schemas 2024-11-05 to 2026-07-28. A method that has no row is refused.
 */
#ifndef NARROWGATE_MCP_METHOD_H
#define NARROWGATE_MCP_METHOD_H

#include "base/slice.h"

enum method {
	M_UNKNOWN,
	/* client to server, requests */
	M_INITIALIZE, M_PING, M_TOOLS_LIST, M_TOOLS_CALL, M_RESOURCES_LIST, M_RESOURCES_TEMPLATES_LIST, M_RESOURCES_READ,
	M_RESOURCES_SUBSCRIBE, M_RESOURCES_UNSUBSCRIBE, M_PROMPTS_LIST, M_PROMPTS_GET, M_COMPLETION, M_SET_LEVEL,
	M_DISCOVER, M_LISTEN, M_TASKS_GET, M_TASKS_UPDATE, M_TASKS_CANCEL, M_TASKS_RESULT, M_TASKS_LIST,
	/* server to client, requests (ping is both ways) */
	M_SAMPLING, M_ELICITATION, M_ROOTS_LIST,
	/* notifications, client to server */
	M_N_INITIALIZED, M_N_ROOTS_CHANGED,
	/* notifications, both ways */
	M_N_CANCELLED, M_N_PROGRESS,
	/* notifications, server to client */
	M_N_MESSAGE, M_N_RESOURCE_UPDATED, M_N_TOOLS_CHANGED, M_N_PROMPTS_CHANGED, M_N_RESOURCES_CHANGED,
	M_N_ELICITATION_COMPLETE, M_N_ACKNOWLEDGED, M_N_TASKS_STATUS, M_N_TASKS,
};

enum side { SIDE_CLIENT = 1, SIDE_SERVER = 2 };

struct method_row {
	struct slice name;
	enum method id;
	unsigned from;              /* SIDE_CLIENT | SIDE_SERVER */
	bool notification;
	const char *const *members; /* names that params may hold besides _meta; NULL-terminated */
	const char *const *rounds;  /* further ones of stateless revisions, where the vault may ask back; NULL: none */
	enum { IN_ALL, WITH_HANDSHAKE, STATELESS } in; /* the revisions that have it */
};

/* About one task, by its id: of 2025-11-25, and of the tasks extension (io.modelcontextprotocol/tasks) of 2026-07-28. */
static inline bool method_is_task(enum method m)
{
	return m == M_TASKS_GET || m == M_TASKS_UPDATE || m == M_TASKS_CANCEL || m == M_TASKS_RESULT;
}

/* The row of `name` (exact, ASCII) as sent by `from`, or NULL. */
const struct method_row *method_find(struct slice name, enum side from, bool notification);
const struct method_row *method_by_id(enum method id);
/* Whether a stateless revision (2026-07-28), or one with a handshake, has it. */
static inline bool method_in(const struct method_row *row, bool stateless)
{
	return row->in == IN_ALL || (row->in == STATELESS) == stateless;
}

#endif
