/* The result half of the paths guard: what an answer names lies inside the allowed prefixes, or is cut out. */
#include "guards/error_text.h"
#include "guards/names.h"
#include "guards/paths_parts.h"
#include "guards/response.h"

/* What nobody knows may name anything: it is looked at closely here, while masking takes it for a value. */
static bool call_bears(const struct call *c)
{
	return c && c->action != ACT_UNKNOWN && action_bears_values(c->action);
}

static struct verdict refuse(const struct paths *p)
{
	if (p->err != E_OK || p->scope.nomem)
		return deny(R_INTERNAL, (struct slice){ NULL, 0 }, p->view->policy->allowed.at);
	return deny(R_RESULT_PATH, (struct slice){ NULL, 0 }, p->scope.rule);
}

/* The text says so in a sentence of ours: where an error names something outside, its own words do not go on. */
static bool replace_error(struct paths *p, struct doc *d)
{
	struct slice sentence = error_sentence(p->view, p->call, d->text);

	if (!sentence.p)
		p->err = E_NOMEM;
	else
		doc_replace_all(d, sentence);
	p->removed++;
	return false;
}

static bool judge_error(struct paths *p, struct doc *d)
{
	bool outside;

	if (d->kind == DOC_JSON)
		outside = paths_names(p, d, 0) || !scope_sentence_in(&p->scope, d->before);
	else
		outside = !scope_sentence_in(&p->scope, d->text);
	return outside ? replace_error(p, d) : false;
}

/* True when the payload holds something outside that cannot be cut out of it. */
static bool judge_payload(struct paths *p, const struct payload *load)
{
	struct doc *d = load->doc;

	if (load->kind == PAYLOAD_ERROR_TEXT)
		return judge_error(p, d);
	if (d->kind == DOC_TEXT)
		return paths_lines(p, d);
	enum items_found items = paths_items(p, d, load->root);
	if (items == ITEMS_ALONE)
		return true;
	if (p->bears || (items == ITEMS_FOUND && paths_are_relative(p)))
		return false;
	if (p->call && p->call->action == ACT_LIST && !scope_sentence_in(&p->scope, d->before))
		return true;
	return paths_names(p, d, load->root);
}

/* What a link says of itself. */
static bool words_inside(struct paths *p, const struct json *j, uint32_t block)
{
	static const struct slice NAMES[] = { { "name", 4 }, { "title", 5 }, { "description", 11 } };

	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
		uint32_t text = json_member(j, block, NAMES[i]);
		if (json_is(j, text, JSON_STRING) && !scope_json_in(&p->scope, j, text))
			return false;
	}
	return true;
}

/* Blocks of other kinds. */
static bool judge_other(struct paths *p, const struct payload *load)
{
	struct doc *d = load->doc;
	uint32_t type = json_member(&d->json, load->root, SL("type"));
	bool media = json_is(&d->json, type, JSON_STRING) &&
		(json_string_eq(&d->json, type, SL("image")) || json_string_eq(&d->json, type, SL("audio")));

	return !media && !p->bears && (!words_inside(p, &d->json, load->root) || paths_names(p, d, load->root));
}

/* Several text blocks are the items of a list; a block of another kind always is. */
static bool is_item_block(const struct result *r, const struct payload *load)
{
	size_t texts = 0;

	if (load->block == JSON_NONE)
		return false;
	if (load->kind != PAYLOAD_TEXT)
		return true;
	for (size_t i = 0; i < r->n_payloads; i++)
		texts += r->payloads[i].kind == PAYLOAD_TEXT;
	return texts > 1;
}

/* False: the block cannot be cut out (a prompt's only content). */
static bool cut_block(struct paths *p, struct result *r, const struct payload *load)
{
	const struct json *j = &r->root->json;

	if (load->block == JSON_NONE || doc_is_member(r->root, load->block))
		return false;
	p->err = doc_remove(r->root, load->block);
	p->removed++;
	if (!p->call || !p->call->method || p->call->method->id != M_RESOURCES_READ)
		return p->err == E_OK;
	/* `contents` must not be left empty. */
	uint32_t contents = json_member(j, r->rpc->result, SL("contents"));
	for (uint32_t t = json_first(j, contents); t < j->tok[contents].next; t = j->tok[t].next)
		if (!doc_has(r->root, t, DOC_GONE))
			return p->err == E_OK;
	return false;
}

/* JSON written into a string beside the data. */
static bool string_outside(struct paths *p, struct doc *d, uint32_t tok)
{
	struct doc *inner = doc_looks_json(d, tok) ? doc_inside(d, tok, SL("")) : NULL;

	return inner && inner->kind == DOC_JSON && paths_names(p, inner, 0);
}

/* A member nobody needs: a sentence loses the words that name something outside, all else goes whole. */
static void judge_extra(struct paths *p, const struct payload *load)
{
	struct doc *d = load->doc;

	bool text = json_is(&d->json, load->root, JSON_STRING), inside = scope_json_in(&p->scope, &d->json, load->root);

	if (text && !inside && !doc_looks_json(d, load->root)) {
		paths_sentence(p, d, load->root);
		return;
	}
	p->extra = true;
	if (!inside || (text ? string_outside(p, d, load->root) : paths_names(p, d, load->root))) {
		p->err = doc_remove(d, load->root);
		p->removed++;
	}
	p->extra = false;
}

static bool judge_one(struct paths *p, struct result *r, const struct payload *load)
{
	bool outside;

	if (load->block != JSON_NONE && doc_has(r->root, load->block, DOC_GONE))
		return true;
	if (load->kind == PAYLOAD_EXTRA) {
		judge_extra(p, load);
		return p->err == E_OK;
	}
	outside = load->uri.p && !scope_was_asked(&p->scope, load->uri) && !scope_uri_in(&p->scope, load->uri);
	if (!outside)
		outside = load->kind == PAYLOAD_OTHER ? judge_other(p, load) : judge_payload(p, load);
	if (!outside)
		return true;
	return is_item_block(r, load) && cut_block(p, r, load);
}

/* --- completions -------------------------------------------------------------------------------------------------- */

/* What is completed is a path when the reference is a resource, or the argument is named like one. */
static bool completes_path(const struct paths *p)
{
	const struct call *c = p->call;
	const struct json *j = &c->rpc->json;
	uint32_t ref = json_walk(j, c->rpc->params, "ref.type"), name = json_walk(j, c->rpc->params, "argument.name");

	if (json_is(j, ref, JSON_STRING) && json_string_eq(j, ref, SL("ref/resource")))
		return true;
	struct slice text = json_is(j, name, JSON_STRING) ? json_string(j, name, p->view->arena) : SL("");
	return look_is_path(names_look(p->view, text));
}

static bool value_in(struct paths *p, struct slice text, bool is_path)
{
	return is_path ? scope_in(&p->scope, text, SCOPE_FOLDER) : scope_bare_in(&p->scope, text);
}

static void judge_completion(struct paths *p, struct result *r)
{
	const struct json *j = &r->root->json;
	uint32_t completion = json_member(j, r->rpc->result, SL("completion"));
	uint32_t values = json_member(j, completion, SL("values"));
	bool is_path = completes_path(p), more = json_is(j, json_member(j, completion, SL("hasMore")), JSON_TRUE);
	struct filter f = { .totals_span = more };

	if (!json_is(j, values, JSON_ARRAY))
		return;
	for (uint32_t t = json_first(j, values); t < j->tok[values].next; t = j->tok[t].next) {
		struct slice text = json_is(j, t, JSON_STRING) ? json_string(j, t, r->root->arena) : SL("");
		if (!json_is(j, t, JSON_STRING) || !text.p || !value_in(p, text, is_path))
			filter_cut(&f, r->root, t);
	}
	filter_totals(&f, r->root, completion, j->tok[values].count, f.removed);
	p->removed += f.removed;
	p->err = f.err;
}

struct verdict paths_response(const struct view *view, const struct call *call, struct result *r)
{
	struct paths p = { .scope = { .view = view, .call = call, .rule = view->policy->allowed.at }, .view = view,
		.call = call, .rule = call ? call->rule : NULL, .bears = call_bears(call) };

	if (!policy_locks_paths(view->policy))
		return PASS_VERDICT;
	bool changed = doc_changed(r->root);
	bool completes = call && call->method && call->method->id == M_COMPLETION && !r->is_error;
	if (completes)
		judge_completion(&p, r);
	for (size_t i = 0; i < r->n_payloads && p.err == E_OK; i++)
		if (!(completes && r->payloads[i].kind == PAYLOAD_OTHER) && !judge_one(&p, r, &r->payloads[i]))
			return refuse(&p);
	if (p.err != E_OK || p.scope.nomem)
		return refuse(&p);
	/* Totals that span pages go even when nothing else does. */
	if (p.removed == 0 && doc_changed(r->root) == changed)
		return PASS_VERDICT;
	return (struct verdict){ .kind = VERDICT_REWRITE, .rule = p.scope.rule };
}
