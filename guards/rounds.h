/* Rounds of a stateless revision (rounds.c). */
#ifndef NARROWGATE_GUARDS_ROUNDS_H
#define NARROWGATE_GUARDS_ROUNDS_H

#include "guards/guard.h"

/* A result whose resultType is `input_required`. */
void judge_round(const struct view *, const struct call *, const struct rpc *, struct judgement *);
/* Every one of `inputRequests`, asked for the sake of the call: a refusal goes to *out, changes to the edits. */
void judge_input_requests(const struct view *, const struct call *, const struct json *, uint32_t all, struct json_edits *,
	struct judgement *out);
/*
 * subscriptions/listen: takes out of a judged call what the agent may not hear of (listen.c). Its acknowledgement then shows the
 * subset.
 */
void judge_listen(const struct view *, struct call *, struct judgement *);
/* notifications/subscriptions/acknowledged: the same of what the vault agrees to. */
void judge_acknowledged(const struct view *, const struct rpc *, struct judgement *);
/* Whether the string at `tok` is a URI that could be subscribed to (listen.c). */
bool listen_uri_passes(const struct view *, const struct rpc *, uint32_t tok);

#endif
