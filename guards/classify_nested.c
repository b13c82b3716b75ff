#include "guards/facts.h"

struct inner_name {
	struct slice text;
	size_t n;
};

static bool on_name(void *ctx, struct slice text)
{
	struct inner_name *name = ctx;

	name->text = text;
	name->n++;
	return name->n < 2;
}

static bool on_args(void *ctx, const struct found *found)
{
	*(struct found *)ctx = *found;
	return true;
}

/* The string in the message that the inner arguments were read from, so that they can be written back. */
static uint32_t string_of(struct facts *f, const struct selector *sel, const struct args *outer)
{
	struct found at = { .tok = JSON_NONE };
	size_t n = sel->n;

	if (n == 0 || sel->steps[n - 1].kind != STEP_JSON)
		return JSON_NONE;
	struct selector before = { .source = sel->source, .steps = sel->steps, .n = n - 1 };
	if (selector_each(&before, outer->json, outer->args, f->arena, on_args, &at) != E_OK ||
		at.json != &f->call->rpc->json)
		return JSON_NONE;
	return at.tok;
}

/* The arguments the wrapper hands on; false when they are no object that could be read. */
static bool find_args(struct facts *f, const struct rule *wrapper, const struct args *outer, struct args *inner)
{
	struct found at = { .tok = JSON_NONE };

	*inner = (struct args){ .args = JSON_NONE, .inner = true };
	if (wrapper->call_args.n == 0 || !outer->json)
		return true;
	enum err e = selector_each(&wrapper->call_args, outer->json, outer->args, f->arena, on_args, &at);
	if (e == E_NOMEM)
		f->nomem = true;
	if (e != E_OK || (at.tok != JSON_NONE && !json_is(at.json, at.tok, JSON_OBJECT)))
		return false;
	if (at.tok == JSON_NONE)
		return true;
	inner->json = at.json;
	inner->args = at.tok;
	if (at.json != &f->call->rpc->json)
		f->call->inner_at = string_of(f, &wrapper->call_args, outer);
	return true;
}

static bool find_name(struct facts *f, const struct rule *wrapper, const struct args *outer)
{
	struct inner_name name = { .n = 0 };
	struct template_scope scope = { outer->json, outer->args, outer->json, outer->args };
	bool missing = false, bad = false;
	enum err e = template_each(&wrapper->call_tool, &scope, f->arena, on_name, &name, &missing, &bad);

	if (e == E_NOMEM)
		f->nomem = true;
	f->call->name = name.text;
	return e == E_OK && !missing && !bad && name.n == 1;
}

/* How many of the template's references are among the arguments, and of how many. */
static size_t parts_in(const struct template *t, const struct args *a, size_t *of)
{
	size_t n = 0;

	*of = 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct selector *ref = &t->parts[i].ref;

		if (t->parts[i].kind != PART_REF)
			continue;
		++*of;
		n += ref->n && ref->steps[0].kind == STEP_MEMBER &&
			json_member(a->json, a->args, ref->steps[0].name) != JSON_NONE;
	}
	return n;
}

/* Parts of one path in both places: which the vault joins is its own affair. */
static bool is_split(const struct rule *rule, const struct args a[2])
{
	size_t of = 0;

	for (size_t i = 0; rule && i < rule->n_paths; i++)
		if (parts_in(&rule->paths[i], &a[0], &of) && parts_in(&rule->paths[i], &a[1], &of) && of > 1)
			return true;
	return false;
}

size_t classify_nested(struct facts *f, const struct args *outer, struct args out[2])
{
	struct call *c = f->call;
	const struct rule *wrapper = c->rule;

	c->outer = wrapper;
	c->outer_name = c->name;
	c->outer_action = classify_action(&wrapper->action, outer->json, outer->args, f->arena);
	if (!find_name(f, wrapper, outer) || !find_args(f, wrapper, outer, &out[0])) {
		facts_fault(f, R_ARGUMENT, wrapper->call_tool.source);
		return 0;
	}
	c->rule = catalog_tool(f->view->catalog, c->name);
	c->known = c->rule != NULL;
	if (c->rule && c->rule->nested) {
		facts_fault(f, R_ARGUMENT, wrapper->call_tool.source);
		return 0;
	}
	if (!wrapper->call_args_rest)
		return 1;
	out[1] = *outer;
	if (out[0].args != JSON_NONE) {
		if (is_split(c->rule, out))
			facts_fault(f, R_ARGUMENT, wrapper->call_tool.source);
		return 2;
	}
	out[0] = *outer;
	return 1;
}
