/*
 * Rounds of a stateless revision: an answer that asks back (`input_required`), and the same request again with what was asked for.
 * Each round is judged whole; what is asked and what is answered take the same passes as a vault's own requests and their answers
 * in revisions with a handshake. `requestState` is the vault's own and goes on byte for byte.
 * Source: MCP 2026-07-28, "Multi round-trip requests" (SEP-2322).
 */
#include "guards/chain.h"
#include "guards/edit.h"
#include "guards/facts.h"
#include "guards/offer.h"
#include "guards/rounds.h"
#include "guards/scope.h"

static bool has_only(const struct json *j, uint32_t obj, const char *const *names)
{
	for (uint32_t t = json_first(j, obj); t < j->tok[obj].next; t = j->tok[t + 1].next) {
		if (!json_string_among(j, t, names) && !json_string_eq(j, t, SL("_meta")))
			return false;
	}
	return true;
}

/* --- what the agent answers ---------------------------------------------------------------------------------------- */

/* The result of an elicitation, a sampling or a list of roots: which of them was asked for, only the vault knows. */
static bool is_response(const struct json *j, uint32_t tok, bool *elicited)
{
	static const char *const SAMPLING[] = { "role", "content", "model", "stopReason", NULL };
	static const char *const ELICITATION[] = { "action", "content", NULL };
	static const char *const ROOTS[] = { "roots", NULL };

	if (!json_is(j, tok, JSON_OBJECT))
		return false;
	*elicited = json_member(j, tok, SL("action")) != JSON_NONE;
	if (*elicited)
		return has_only(j, tok, ELICITATION);
	return has_only(j, tok, json_member(j, tok, SL("roots")) != JSON_NONE ? ROOTS : SAMPLING);
}

void classify_rounds(struct facts *f)
{
	const struct rpc *rpc = f->call->rpc;
	const struct json *j = &rpc->json;
	uint32_t all = json_member(j, rpc->params, SL("inputResponses")), state = json_member(j, rpc->params, SL("requestState"));

	if (state != JSON_NONE && !json_is(j, state, JSON_STRING))
		facts_fault(f, R_MESSAGE, SL("requestState"));
	if (all == JSON_NONE)
		return;
	if (!json_is(j, all, JSON_OBJECT)) {
		facts_fault(f, R_MESSAGE, SL("inputResponses"));
		return;
	}
	for (uint32_t t = json_first(j, all); t < j->tok[all].next; t = j->tok[t + 1].next) {
		bool elicited = false;

		/* Of a task's the vault looks past those it did not ask for, whatever their form. */
		bool ignored = f->call->method->id == M_TASKS_UPDATE && !policy_narrows(f->view->policy) && json_is(j, t + 1, JSON_OBJECT);

		if (!is_response(j, t + 1, &elicited) && !ignored) {
			facts_fault(f, R_MESSAGE, SL("inputResponses"));
			return;
		}
		/* Of an elicitation every word is for the vault; of the others, what they say of themselves. */
		uint32_t said = elicited ? t + 1 : json_member(j, t + 1, SL("_meta"));
		if (f->locked && said != JSON_NONE)
			classify_tree(f, j, said, SL("inputResponses"), NULL, 0);
	}
}

/* --- what the vault asks ------------------------------------------------------------------------------------------- */

/* One of `inputRequests` as the message it would be in a revision with a handshake. */
static enum err as_message(const struct view *v, const struct json *j, uint32_t method, uint32_t params, struct rpc *out)
{
	struct slice text = arena_fmt(v->arena, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":%.*s,\"params\":%.*s}",
		SL_ARG(json_source(j, method)), SL_ARG(params == JSON_NONE ? SL("{}") : json_source(j, params)));

	return text.p ? rpc_parse(out, text, v->arena, NULL) : E_NOMEM;
}

static void judge_request(const struct view *v, const struct json *j, uint32_t request, struct json_edits *edits, struct judgement *j_out)
{
	static const char *const MEMBERS[] = { "method", "params", NULL };
	uint32_t method = json_member(j, request, SL("method")), params = json_member(j, request, SL("params"));
	struct judgement one = { .kind = VERDICT_PASS };
	struct rpc rpc, again;
	enum err e = E_INVALID;

	if (json_is(j, request, JSON_OBJECT) && has_only(j, request, MEMBERS) && json_is(j, method, JSON_STRING) &&
		!json_string_eq(j, method, SL("ping")))
		e = as_message(v, j, method, params, &rpc);
	if (e != E_OK) {
		chain_deny(j_out, NULL, e == E_NOMEM ? R_INTERNAL : R_RESULT_FORM, SL("inputRequests"));
		return;
	}
	judge_from_vault(v, &rpc, &one);
	if (one.kind == VERDICT_DENY) {
		chain_deny(j_out, one.guard, one.why.reason == R_METHOD ? R_RESULT_FORM : one.why.reason, one.why.what);
		return;
	}
	if (slice_eq(one.bytes, rpc.json.text) || params == JSON_NONE)
		return;
	e = rpc_parse(&again, one.bytes, v->arena, NULL);
	if (e == E_OK)
		e = json_edit_raw(edits, params, json_source(&again.json, again.params));
	if (e != E_OK)
		chain_deny(j_out, NULL, R_INTERNAL, SL(""));
}

void judge_input_requests(
	const struct view *v, const struct call *c, const struct json *j, uint32_t all, struct json_edits *edits, struct judgement *out)
{
	struct scope scope = { .view = v };
	struct call_summary summary;
	struct view here = *v;

	/* They come as the answer to this very call, on no other stream: only what this call bears may be told by them. */
	call_summary(c, &summary);
	here.value_call_open |= summary.bears_values;
	here.value_echoes = false;

	for (uint32_t t = json_first(j, all); t < j->tok[all].next && out->kind != VERDICT_DENY; t = j->tok[t + 1].next) {
		struct slice name = json_string(j, t, v->arena);

		if (!name.p)
			chain_deny(out, NULL, R_INTERNAL, SL(""));
		else if (policy_locks_paths(v->policy) && !scope_sentence_in(&scope, name))
			chain_deny(out, "paths", R_RESULT_PATH, SL(""));
		else
			judge_request(&here, j, t + 1, edits, out);
	}
}

void judge_round(const struct view *v, const struct call *c, const struct rpc *rpc, struct judgement *out)
{
	static const char *const MEMBERS[] = { "resultType", "inputRequests", "requestState", NULL };
	const struct json *j = &rpc->json;
	uint32_t all = json_member(j, rpc->result, SL("inputRequests")), state = json_member(j, rpc->result, SL("requestState"));
	uint32_t meta = json_member(j, rpc->result, SL("_meta"));
	struct json_edits edits;
	enum err e = E_OK;

	json_edits_init(&edits, v->arena);
	if (!c->method->rounds || !has_only(j, rpc->result, MEMBERS) || (all != JSON_NONE && !json_is(j, all, JSON_OBJECT)) ||
		(state != JSON_NONE && !json_is(j, state, JSON_STRING)) || (all == JSON_NONE && state == JSON_NONE)) {
		chain_deny(out, NULL, R_RESULT_FORM, SL("input_required"));
		return;
	}
	if (all != JSON_NONE)
		judge_input_requests(v, c, j, all, &edits, out);
	if (chain_shadow(v, out)) {
		chain_pass(v, rpc, out);
		return;
	}
	if (out->kind == VERDICT_DENY)
		return;
	if (meta != JSON_NONE && policy_narrows(v->policy)) /* free-form, and of no use to anybody here */
		e = json_edit_remove(&edits, meta);
	if (e != E_OK || edits_render(j, &edits, 4096, v->arena, &out->bytes) != E_OK)
		chain_deny(out, NULL, R_INTERNAL, SL(""));
	else if (edits.n)
		out->kind = out->why.kind = VERDICT_REWRITE;
}
