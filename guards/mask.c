/*
 * Masking: secret values in answers become six bullets (docs/guards/mask.md). Answers of calls that bear values lose
 * everything but known metadata; all others lose what stands under the names of values.
 */
#include "base/base64.h"
#include "guards/facts.h"
#include "guards/mask_names.h"
#include "guards/mask_text.h"
#include "guards/mask_walk.h"
#include "guards/response.h"

static void note(struct mask *m, enum err e)
{
	if (m->err == E_OK)
		m->err = e;
}

/* A call of unknown kind counts as one that bears values. */
bool mask_call_bears(const struct call *call)
{
	if (!call || !call->method)
		return false;
	enum method id = call->method->id;
	if (id != M_TOOLS_CALL && id != M_RESOURCES_READ && id != M_PROMPTS_GET)
		return false;
	if (call->rule && rule_gives_value(call->rule))
		return true;
	if (!call->rule && !action_is_read_only(call->action) && generic_hands_out(call->name))
		return true;
	return action_bears_values(call->action);
}

static void check(struct mask *m, struct doc *d, enum masked done)
{
	if (done == MASKED_NOMEM)
		m->err = E_NOMEM;
	else if (done == MASKED_NOT)
		doc_replace_all(d, SL(MASK_MARKER));
}

void mask_free_text(struct mask *m, struct doc *d, bool doubt)
{
	check(m, d, mask_prose(d, doubt, NULL));
}

static bool selects_all(const struct selector *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i].n == 0)
			return true;
	return false;
}

/* `$.*`: every member is a value, whatever it is called. */
static bool selects_members(const struct selector *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i].n == 1 && s[i].steps[0].kind == STEP_VALUES)
			return true;
	return false;
}

/* Where the catalog's format starts: behind its prose, of which only plain words stay. */
static size_t cut_before(struct mask *m, struct doc *d)
{
	struct slice after = m->out->after;
	ptrdiff_t found = after.n ? slice_find(d->text, after) : -1;
	size_t from = found < 0 ? 0 : (size_t)found + after.n;

	if (from > 0 && !mask_is_plain_words(slice_head(d->text, from)))
		note(m, doc_replace(d, 0, from - after.n, SL("")));
	return from;
}

/* A text of an answer that bears values: taken apart the way the catalog says, or gone. */
static void mask_bearing_text(struct mask *m, struct doc *d)
{
	enum masked done = MASKED_NOT;

	if (m->out && m->out->given) {
		switch (m->out->as) {
		case OUT_ENV:
			done = mask_env(d, cut_before(m, d));
			break;
		case OUT_YAML:
			done = mask_yaml(d, cut_before(m, d));
			break;
		case OUT_LINES:
			done = m->out->line ? mask_lines(d, 0, m->out->line, m->out->count_line) : MASKED_NOT;
			break;
		case OUT_RAW:
			done = selects_all(m->out->keep, m->out->n_keep) ? MASKED_OK : MASKED_NOT;
			break;
		case OUT_JSON:
			/* A bundle of variables comes as `KEY=VALUE` too. */
			if (selects_members(m->out->values, m->out->n_values))
				done = mask_env(d, 0);
			break;
		}
	}
	check(m, d, done);
}

static void mask_other_text(struct mask *m, struct doc *d)
{
	/* What the text before had no more room for. */
	bool begins_with_value = m->open;

	m->open = false;
	if (begins_with_value || (m->out && selects_all(m->out->values, m->out->n_values))) {
		doc_replace_all(d, SL(MASK_MARKER));
		return;
	}
	if (m->out && m->out->as == OUT_LINES && m->out->line)
		check(m, d, mask_line_values(d, m->out->line));
	if (m->err == E_OK && !d->whole.p)
		check(m, d, mask_prose(d, false, &m->open));
}

/* The prose before a JSON document: what may hide something is cut down to the words the catalog knows. */
static void mask_before(struct mask *m, struct doc *d)
{
	struct doc prose = { .kind = DOC_TEXT, .text = d->before, .arena = d->arena };

	if (d->before.n == 0 || mask_is_plain_words(d->before))
		return;
	if (!m->bears && mask_prose(&prose, false, NULL) == MASKED_NOMEM)
		m->err = E_NOMEM;
	if (m->bears || prose.n_spans)
		doc_set_before(d, m->out ? m->out->after : SL(""));
}

/* The whole text is the value, also when it happens to be JSON. */
static bool is_raw_value(const struct mask *m)
{
	return m->out && m->out->given && m->out->as == OUT_RAW && !selects_all(m->out->keep, m->out->n_keep) &&
		(m->bears || selects_all(m->out->values, m->out->n_values));
}

/*
 * A resource inside another answer bears values when it would if it were read itself. What the vault does not list is
 * read by nobody; web pages are no resources of the vault.
 */
static void aim(struct mask *m, struct slice uri)
{
	struct uri_var vars[CATALOG_MAX_VARS];
	size_t n = 0;
	const struct rule *r = catalog_resource(m->view->catalog, uri, vars, &n);

	if (!r && (slice_starts(uri, SL("https://")) || slice_starts(uri, SL("http://"))))
		return;
	m->rule = r;
	m->out = r ? &r->out : NULL;
	m->bears = !r || r->action.by != BY_NOTHING || action_bears_values(r->action.fixed);
}

/* A blob that is no text, or parts nobody describes: judged by names, but for bytes of media. */
static void mask_other(struct mask *m, const struct payload *p)
{
	const struct json *j = &p->doc->json;
	uint32_t type = json_member(j, p->root, SL("type"));
	bool media = json_is(j, type, JSON_STRING) &&
		(json_string_eq(j, type, SL("image")) || json_string_eq(j, type, SL("audio")));

	if (json_is(j, p->root, JSON_STRING)) {
		if (m->bears && p->uri.p)
			note(m, doc_set_string(p->doc, p->root, base64_encode(SL(MASK_MARKER), p->doc->arena)));
	} else if (!m->bears && !media) {
		mask_names(m, p->doc, p->root);
	}
}

/* Completed values of an argument that takes a secret are the secrets others wrote. */
static void mask_completion(struct mask *m, const struct payload *p)
{
	const struct json *j = &m->call->rpc->json;
	uint32_t name = json_walk(j, m->call->rpc->params, "argument.name");
	struct slice text = json_is(j, name, JSON_STRING) ? json_string(j, name, p->doc->arena) : SL("");
	enum name_class c = mask_name_class(text);
	bool secret = c == NAME_VALUE || c == NAME_VALUEISH;

	for (size_t i = 0; m->rule && i < m->rule->n_secret_args && !secret; i++)
		secret = selector_mentions(&m->rule->secret_args[i], text);
	if (secret)
		mask_all(m, p->doc, p->root);
}

static void mask_payload(struct mask *m, const struct payload *p)
{
	struct doc *d = p->doc;

	if (p->kind == PAYLOAD_EXTRA) {
		/* The name of an error's `data` says nothing. */
		if (!m->bears && m->failed)
			mask_names(m, d, p->root);
		else if (!m->bears)
			mask_member(m, d, p->root);
	} else if (p->kind == PAYLOAD_OTHER && m->call && m->call->method->id == M_COMPLETION) {
		mask_completion(m, p);
	} else if (p->kind == PAYLOAD_OTHER) {
		mask_other(m, p);
	} else if (p->kind == PAYLOAD_ERROR_TEXT) {
		/* No selector is meant for an error. */
		if (d->kind == DOC_JSON)
			mask_names(m, d, p->root);
		else
			mask_free_text(m, d, false);
	} else if (d->parent && is_raw_value(m)) {
		doc_replace_all(d, SL(MASK_MARKER));
	} else if (d->kind == DOC_JSON) {
		mask_before(m, d);
		mask_json(m, d, p->root);
	} else if (m->bears) {
		mask_bearing_text(m, d);
	} else {
		mask_other_text(m, d);
	}
}

static void mask_payloads(struct mask *m, const struct result *r)
{
	bool bears = m->bears;

	m->failed = r->rpc->kind == RPC_ERROR;
	for (size_t i = 0; i < r->n_payloads && m->err == E_OK; i++) {
		const struct payload *p = &r->payloads[i];
		bool blob = p->kind == PAYLOAD_OTHER && json_is(&p->doc->json, p->root, JSON_STRING);

		m->rule = m->call ? m->call->rule : NULL;
		m->out = m->rule ? &m->rule->out : NULL;
		m->bears = bears;
		if (!bears && p->uri.p && (blob || p->kind == PAYLOAD_RESOURCE_TEXT || p->kind == PAYLOAD_RESOURCE_BLOB))
			aim(m, p->uri);
		mask_payload(m, p);
	}
	m->bears = bears;
}

enum err mask_find(const struct view *view, const struct call *call, struct result *r)
{
	struct mask m = { .view = view, .call = call, .bears = mask_call_bears(call) };

	mask_payloads(&m, r);
	return m.err;
}

static struct verdict mask_response(const struct view *view, const struct call *call, struct result *r)
{
	struct mask m = { .view = view, .call = call, .bears = mask_call_bears(call) };

	if (!view->policy->mask_values)
		return PASS_VERDICT;
	if (m.bears && r->is_error) {
		mask_error(&m, r);
	} else {
		mask_payloads(&m, r);
		if (m.bears && m.err == E_OK)
			mask_frame(&m, r);
	}
	if (m.err != E_OK)
		return deny(R_INTERNAL, (struct slice){ NULL, 0 }, view->policy->mask_values_at);
	if (!doc_changed(r->root))
		return PASS_VERDICT;
	return (struct verdict){ .kind = VERDICT_REWRITE, .rule = view->policy->mask_values_at };
}

const struct guard guard_mask = { .name = "mask", .response = mask_response };
