#include "mcp/method.h"

#define NAME(literal) { literal, sizeof(literal) - 1 }
#define MEMBERS(...) .members = (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL }

/* 2026-07-28: an answer that asks back (`input_required`) is answered by the same request again, with these. */
#define ROUNDS .rounds = (const char *const[]){ "inputResponses", "requestState", NULL }

/* The names are the schemas' own. Members are those of all revisions together: none of them changes its meaning. */
static const struct method_row rows[] = {
	/* client to server, requests; first what comes most */
	{ NAME("tools/call"), M_TOOLS_CALL, SIDE_CLIENT, false, MEMBERS("name", "arguments", "task"), ROUNDS },
	{ NAME("tools/list"), M_TOOLS_LIST, SIDE_CLIENT, false, MEMBERS("cursor") },
	{ NAME("initialize"), M_INITIALIZE, SIDE_CLIENT, false,
		MEMBERS("protocolVersion", "capabilities", "clientInfo"), .in = WITH_HANDSHAKE },
	{ NAME("resources/list"), M_RESOURCES_LIST, SIDE_CLIENT, false, MEMBERS("cursor") },
	{ NAME("resources/templates/list"), M_RESOURCES_TEMPLATES_LIST, SIDE_CLIENT, false, MEMBERS("cursor") },
	{ NAME("resources/read"), M_RESOURCES_READ, SIDE_CLIENT, false, MEMBERS("uri"), ROUNDS },
	{ NAME("resources/subscribe"), M_RESOURCES_SUBSCRIBE, SIDE_CLIENT, false, MEMBERS("uri"),
		.in = WITH_HANDSHAKE },
	{ NAME("resources/unsubscribe"), M_RESOURCES_UNSUBSCRIBE, SIDE_CLIENT, false, MEMBERS("uri"),
		.in = WITH_HANDSHAKE },
	{ NAME("prompts/list"), M_PROMPTS_LIST, SIDE_CLIENT, false, MEMBERS("cursor") },
	{ NAME("prompts/get"), M_PROMPTS_GET, SIDE_CLIENT, false, MEMBERS("name", "arguments"), ROUNDS },
	{ NAME("completion/complete"), M_COMPLETION, SIDE_CLIENT, false, MEMBERS("ref", "argument", "context") },
	{ NAME("logging/setLevel"), M_SET_LEVEL, SIDE_CLIENT, false, MEMBERS("level"), .in = WITH_HANDSHAKE },
	{ NAME("server/discover"), M_DISCOVER, SIDE_CLIENT, false, MEMBERS(), .in = STATELESS },
	{ NAME("subscriptions/listen"), M_LISTEN, SIDE_CLIENT, false, MEMBERS("notifications"), .in = STATELESS },
	{ NAME("tasks/get"), M_TASKS_GET, SIDE_CLIENT | SIDE_SERVER, false, MEMBERS("taskId", "task") }, /* SDK 1.x says again how the task was asked for */
	{ NAME("tasks/update"), M_TASKS_UPDATE, SIDE_CLIENT, false, MEMBERS("taskId", "inputResponses"), .in = STATELESS },
	{ NAME("tasks/cancel"), M_TASKS_CANCEL, SIDE_CLIENT | SIDE_SERVER, false, MEMBERS("taskId") },
	{ NAME("tasks/result"), M_TASKS_RESULT, SIDE_CLIENT | SIDE_SERVER, false, MEMBERS("taskId", "task"), .in = WITH_HANDSHAKE },
	{ NAME("tasks/list"), M_TASKS_LIST, SIDE_CLIENT, false, MEMBERS("cursor"), .in = WITH_HANDSHAKE },
	/* both ways */
	{ NAME("ping"), M_PING, SIDE_CLIENT | SIDE_SERVER, false, MEMBERS(), .in = WITH_HANDSHAKE },
	{ NAME("notifications/progress"), M_N_PROGRESS, SIDE_CLIENT | SIDE_SERVER, true,
		MEMBERS("progressToken", "progress", "total", "message") },
	{ NAME("notifications/cancelled"), M_N_CANCELLED, SIDE_CLIENT | SIDE_SERVER, true,
		MEMBERS("requestId", "reason") },
	/* client to server, notifications */
	{ NAME("notifications/initialized"), M_N_INITIALIZED, SIDE_CLIENT, true, MEMBERS(), .in = WITH_HANDSHAKE },
	{ NAME("notifications/roots/list_changed"), M_N_ROOTS_CHANGED, SIDE_CLIENT, true, MEMBERS(),
		.in = WITH_HANDSHAKE },
	/* server to client, requests */
	{ NAME("sampling/createMessage"), M_SAMPLING, SIDE_SERVER, false,
		MEMBERS("messages", "modelPreferences", "systemPrompt", "includeContext", "temperature", "maxTokens",
			"stopSequences", "metadata", "tools", "toolChoice", "task") },
	{ NAME("elicitation/create"), M_ELICITATION, SIDE_SERVER, false,
		MEMBERS("message", "requestedSchema", "mode", "url", "elicitationId", "task") },
	{ NAME("roots/list"), M_ROOTS_LIST, SIDE_SERVER, false, MEMBERS() },
	/* server to client, notifications */
	{ NAME("notifications/message"), M_N_MESSAGE, SIDE_SERVER, true, MEMBERS("level", "logger", "data") },
	{ NAME("notifications/resources/updated"), M_N_RESOURCE_UPDATED, SIDE_SERVER, true, MEMBERS("uri", "title") },
	{ NAME("notifications/tools/list_changed"), M_N_TOOLS_CHANGED, SIDE_SERVER, true, MEMBERS() },
	{ NAME("notifications/prompts/list_changed"), M_N_PROMPTS_CHANGED, SIDE_SERVER, true, MEMBERS() },
	{ NAME("notifications/resources/list_changed"), M_N_RESOURCES_CHANGED, SIDE_SERVER, true, MEMBERS() },
	{ NAME("notifications/elicitation/complete"), M_N_ELICITATION_COMPLETE, SIDE_SERVER, true,
		MEMBERS("elicitationId"), .in = WITH_HANDSHAKE },
	{ NAME("notifications/subscriptions/acknowledged"), M_N_ACKNOWLEDGED, SIDE_SERVER, true, MEMBERS("notifications"),
		.in = STATELESS },
	{ NAME("notifications/tasks/status"), M_N_TASKS_STATUS, SIDE_CLIENT | SIDE_SERVER, true, MEMBERS("taskId", "status", "statusMessage",
		"createdAt", "lastUpdatedAt", "ttl", "pollInterval"), .in = WITH_HANDSHAKE },
	{ NAME("notifications/tasks"), M_N_TASKS, SIDE_SERVER, true, MEMBERS("taskId", "status", "statusMessage", "createdAt",
		"lastUpdatedAt", "ttlMs", "pollIntervalMs", "result", "error", "inputRequests"), .in = STATELESS },
};

enum { N_ROWS = sizeof(rows) / sizeof(*rows) };

const struct method_row *method_find(struct slice name, enum side from, bool notification)
{
	for (int i = 0; i < N_ROWS; i++)
		if (slice_eq(rows[i].name, name))
			return (rows[i].from & from) && rows[i].notification == notification ? &rows[i] : NULL;
	return NULL;
}

const struct method_row *method_by_id(enum method id)
{
	for (int i = 0; i < N_ROWS; i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}
