/*
 * One message said anew in the words of another kind of revision: of those with a handshake (2024-11-05 to 2025-11-25), or of the
 * stateless one (2026-07-28). Pure: who is asked what, and when, is upstream/translate*.c's matter. Nothing is lost but what the other
 * kind has no place for. Source: the MCP specification, "Key changes" of 2026-07-28.
 *
 * Every function gives a JSON text in the arena, or {NULL,0} when memory is out or the message has not the shape it must have.
 */
#ifndef NARROWGATE_MCP_TRANSLATE_H
#define NARROWGATE_MCP_TRANSLATE_H

#include "mcp/rpc.h"

/* What an agent with a handshake said of itself once, and every stateless request must say. JSON texts; log_level may be empty. */
struct translate_client {
	struct slice info, capabilities, log_level;
};

/* --- for vaults of the stateless revision --------------------------------------------------------------------------- */

/* The capabilities of an initialize, as far as they exist there. */
struct slice translate_client_capabilities(const struct json *, uint32_t capabilities, struct arena *);
/* What a further round of a request holds (JSON texts). */
struct translate_round {
	struct slice responses, state; /* the second may be empty */
};
/* A request with its envelope and an id of ours; `round` may be NULL. */
struct slice translate_to_stateless(
	const struct rpc *, struct slice id, const struct translate_client *, const struct translate_round *round, struct arena *);
/* A request of our own. `params`: members without braces, or empty. */
struct slice translate_own_stateless(
	struct slice id, const char *method, const struct translate_client *, struct slice params, struct arena *);
/* The answer home: without what belongs to that revision alone. */
struct slice translate_answer_from_stateless(const struct rpc *, struct slice id, enum method asked, struct arena *);
struct slice translate_notification_from_stateless(const struct rpc *, struct arena *);
/* The answer to initialize, from that to server/discover. `version`: the one the agent asked for. */
struct slice translate_hello(const struct rpc *discovered, struct slice id, struct slice version, struct arena *);

/* --- for vaults with a handshake ------------------------------------------------------------------------------------- */

/* A request without its envelope, with an id and (JSON text, or empty) a progress token of ours. */
struct slice translate_from_stateless(const struct rpc *, struct slice id, struct slice token, struct arena *);
/* The initialize for the agent of a stateless request. */
struct slice translate_initialize(const struct rpc *, struct slice id, struct arena *);
/* The answer home. `server`: serverInfo as JSON text. */
struct slice translate_answer_to_stateless(
	const struct rpc *, struct slice id, enum method asked, struct slice server, struct arena *);
/* Progress for the agent's own token; other notifications as they are. */
struct slice translate_progress(const struct rpc *, struct slice token, struct arena *);
/* A notification for a subscription. */
struct slice translate_heard(const struct rpc *, struct slice subscription, struct arena *);
/* The answer to server/discover, from that to initialize. */
struct slice translate_discovered(const struct rpc *hello, struct slice id, struct arena *);

#endif
