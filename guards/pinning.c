/*
 * What a vault says of its tools, prompts, resources and templates is pinned at first sight, or by the operator; what is said otherwise
 * later is withheld (RO-11; docs/guards/pinning.md). Both the agent and the operator trusted the first text.
 */
#include "guards/learn.h"
#include "guards/response.h"

#define SCRATCH_BYTES ((size_t)64 << 20)

/* What a list shows; N_PIN_KINDS: it is no list. */
static enum pin_kind listed_by(enum method m)
{
	switch ((int)m) {
	case M_TOOLS_LIST:
		return PIN_TOOL;
	case M_PROMPTS_LIST:
		return PIN_PROMPT;
	case M_RESOURCES_LIST:
		return PIN_RESOURCE;
	case M_RESOURCES_TEMPLATES_LIST:
		return PIN_TEMPLATE;
	default:
		return N_PIN_KINDS;
	}
}

/* What a call names; N_PIN_KINDS: nothing. A nested call names what it is wrapped in. */
static enum pin_kind named_by(const struct call *c, struct slice *name)
{
	*name = c->name;
	switch ((int)(c->method ? c->method->id : M_UNKNOWN)) {
	case M_TOOLS_CALL:
		if (c->outer)
			*name = c->outer_name;
		return PIN_TOOL;
	case M_PROMPTS_GET:
		return PIN_PROMPT;
	case M_RESOURCES_READ:
	case M_RESOURCES_SUBSCRIBE:
		return PIN_RESOURCE;
	default:
		return N_PIN_KINDS;
	}
}

static struct verdict pinning_request(const struct view *v, struct call *c)
{
	struct slice name;
	enum pin_kind kind = named_by(c, &name);

	if (!v->tools || kind == N_PIN_KINDS)
		return PASS_VERDICT;
	switch (pinbook_state(toolbook_pins(v->tools), v->accepted, kind, name)) {
	case PIN_CHANGED:
		return deny(R_CHANGED, SL(""), (struct origin){ 0 });
	case PIN_FULL: /* a resource that no list shows may be of a template */
		return kind == PIN_RESOURCE ? PASS_VERDICT : deny(R_UNPINNED, SL(""), (struct origin){ 0 });
	case PIN_UNSEEN: /* accepted, but is it still that? */
		c->needs_tools |= kind == PIN_TOOL && !toolbook_complete(v->tools) && pins_find(v->accepted, kind, name);
		break;
	case PIN_SAME:
		break;
	}
	return PASS_VERDICT;
}

/* E_NOMEM. */
static enum err leave_out_changed(const struct view *v, enum pin_kind kind, struct doc *doc, uint32_t array)
{
	const struct json *j = &doc->json;
	enum err e = E_OK;
	struct arena a;

	arena_init(&a, SCRATCH_BYTES);
	for (uint32_t t = json_first(j, array); e == E_OK && t < j->tok[array].next; t = j->tok[t].next) {
		struct definition d;

		e = definition_read(kind, j, t, &d, &a);
		if (e != E_NOMEM && (e != E_OK || !pinbook_agrees(toolbook_pins(v->tools), v->accepted, kind, &d)))
			e = doc_remove(doc, t);
		arena_reset(&a);
	}
	arena_finish(&a);
	return e;
}

static struct verdict pinning_response(const struct view *v, const struct call *c, struct result *r)
{
	enum pin_kind kind = c && c->method ? listed_by(c->method->id) : N_PIN_KINDS;
	bool was = doc_changed(r->root);

	if (!v->tools || kind == N_PIN_KINDS || r->rpc->kind != RPC_RESULT)
		return PASS_VERDICT;
	uint32_t array = json_member(&r->root->json, r->rpc->result, slice_of(pin_row(kind)->list));
	if (!json_is(&r->root->json, array, JSON_ARRAY)) /* guard lists looks at that */
		return PASS_VERDICT;
	if (pinbook_knows_page(toolbook_pins(v->tools), v->accepted, kind, json_raw(&r->root->json, array)))
		return PASS_VERDICT;
	if (leave_out_changed(v, kind, r->root, array) != E_OK)
		return deny(R_INTERNAL, SL(""), (struct origin){ 0 });
	return !was && doc_changed(r->root) ? (struct verdict){ .kind = VERDICT_REWRITE } : PASS_VERDICT;
}

static enum err pinning_learn(struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c, const struct result *r)
{
	enum pin_kind kind = listed_by(c->method->id);
	const struct json *j = &r->rpc->json;

	(void)ledger;
	if (!book || kind == N_PIN_KINDS || r->rpc->kind != RPC_RESULT)
		return E_OK;
	uint32_t array = json_member(j, r->rpc->result, slice_of(pin_row(kind)->list));
	if (!json_is(j, array, JSON_ARRAY))
		return E_OK;
	return kind == PIN_TOOL ? tools_learn(book, v, c, r, array) : pinbook_learn(toolbook_pins(book), v->accepted, kind, j, array);
}

const struct guard guard_pinning = { .name = "pinning", .request = pinning_request, .response = pinning_response, .learn = pinning_learn };
