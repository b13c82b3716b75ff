/*
 * Results of a stateless revision may be cached by whoever passes them on (docs/guards/cache.md). What was cut to one agent's
 * profile is nobody else's, and must not outlive the profile for long.
 */
#include "guards/offer.h"
#include "guards/response.h"

#define MAX_TTL_MS 60000 /* a reload is heard of within a minute */

static bool is_cacheable(enum method m)
{
	return m == M_TOOLS_LIST || m == M_RESOURCES_LIST || m == M_RESOURCES_TEMPLATES_LIST || m == M_PROMPTS_LIST ||
		m == M_RESOURCES_READ || m == M_DISCOVER;
}

static struct verdict cache_response(const struct view *view, const struct call *call, struct result *r)
{
	const struct json *j = &r->root->json;
	int64_t ttl_ms = 0;
	enum err e = E_OK;

	if (!call || !call->rpc->stateless || !is_cacheable(call->method->id) || r->rpc->kind != RPC_RESULT ||
		!policy_narrows(view->policy))
		return PASS_VERDICT;
	uint32_t scope = json_member(j, r->rpc->result, SL("cacheScope")), ttl = json_member(j, r->rpc->result, SL("ttlMs"));
	bool was = doc_changed(r->root), private = json_is(j, scope, JSON_STRING) && json_string_eq(j, scope, SL("private"));

	if (scope != JSON_NONE && !private)
		e = doc_set_string(r->root, scope, SL("private"));
	if (e == E_OK && ttl != JSON_NONE && (!json_int(j, ttl, &ttl_ms) || ttl_ms > MAX_TTL_MS))
		e = doc_set_raw(r->root, ttl, SL("60000"));
	if (e != E_OK)
		return deny(R_INTERNAL, (struct slice){ NULL, 0 }, (struct origin){ 0 });
	return !was && doc_changed(r->root) ? (struct verdict){ .kind = VERDICT_REWRITE } : PASS_VERDICT;
}

const struct guard guard_cache = { .name = "cache", .response = cache_response };
