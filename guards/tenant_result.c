/* The result half of the tenant guard: what an answer says belongs to another tenant or partner is cut out (TEN-07). */
#include "guards/error_text.h"
#include "guards/facts.h"
#include "guards/filter.h"
#include "guards/lines.h"
#include "guards/names.h"
#include "guards/response.h"
#include "guards/scope.h"

struct tenancy {
	struct scope scope;
	const struct view *view;
	const struct call *call;
	const struct tenant_rule *names; /* NULL: the catalog has none */
	bool bears;                      /* what stands under a value's name is the secret's own */
	bool rows_are_tenants;           /* the call lists tenants: `id` of a row is one */
	const struct lock *hit;          /* of the last thing that belonged to somebody else */
};

static bool fold_eq(struct slice name, struct slice word)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (c == '_' || c == '-')
			continue;
		if (n >= word.n || (c >= 'A' && c <= 'Z' ? (c | 0x20) : c) != word.p[n])
			return false;
		n++;
	}
	return n == word.n;
}

/* The lock a member's name stands for; NULL: none. `tenant_name` is what people read, not what is locked. */
static const struct lock *lock_of(const struct tenancy *t, struct slice name)
{
	static const char *const TENANT[] = { "tenant", "tenantid", "tenants", "tenantids", "xtenantid" };
	static const char *const PARTNER[] = { "partner", "partnerid", "partners", "partnerids", "xpartnerid" };
	const struct policy *p = t->view->policy;
	bool partner = false;

	if (t->names && tenant_rule_names(t->names, name, &partner))
		return partner ? &p->partner : &p->tenant;
	for (size_t i = 0; i < sizeof TENANT / sizeof *TENANT; i++)
		if (fold_eq(name, slice_of(TENANT[i])))
			return &p->tenant;
	for (size_t i = 0; i < sizeof PARTNER / sizeof *PARTNER; i++)
		if (fold_eq(name, slice_of(PARTNER[i])))
			return &p->partner;
	/* The catalog's own words; those that are there for any vault only where they name an id. */
	const struct catalog *c = t->view->catalog;
	if (c->generic && (name.n < 3 || !slice_eq_nocase(slice_from(name, name.n - 2), SL("id"))))
		return NULL;
	if (words_have(&c->vocabulary.tenants, name))
		return &p->tenant;
	return words_have(&c->vocabulary.partners, name) ? &p->partner : NULL;
}

/* `by_tenant: {…}`, `tenants: {…}`: a map whose names are tenants. */
static const struct lock *lock_of_map(const struct tenancy *t, struct slice name, const struct json *j, uint32_t value)
{
	static const char *const LISTS[] = { "items", "data", "results", "total", "count", "list", NULL };
	const struct policy *p = t->view->policy;

	if (!json_is(j, value, JSON_OBJECT))
		return NULL;
	for (const char *const *l = LISTS; *l; l++)
		if (json_member(j, value, slice_of(*l)) != JSON_NONE)
			return NULL;
	if (fold_eq(name, SL("bytenant")) || fold_eq(name, SL("tenants")) || fold_eq(name, SL("pertenant")))
		return &p->tenant;
	return fold_eq(name, SL("bypartner")) || fold_eq(name, SL("partners")) ? &p->partner : NULL;
}

static bool text_is_other(struct tenancy *t, const struct lock *lock, struct slice text)
{
	if (lock->text.n == 0 || text.n == 0 || slice_eq(lock->text, text))
		return false;
	t->hit = lock;
	return true;
}

/* `tenant: "x"`, `tenant: {id: "x"}`. A list of tenants is filtered, not judged. */
static bool value_is_other(struct tenancy *t, const struct lock *lock, struct doc *d, uint32_t tok)
{
	const struct json *j = &d->json;

	if (json_is(j, tok, JSON_OBJECT))
		tok = json_member(j, tok, SL("id"));
	if (tok == JSON_NONE)
		return false;
	if (json_is(j, tok, JSON_STRING))
		return text_is_other(t, lock, json_string(j, tok, d->arena));
	return json_is(j, tok, JSON_NUMBER) && text_is_other(t, lock, json_raw(j, tok));
}

static void cut_map(struct filter *f, const struct lock *lock, struct doc *d, uint32_t map)
{
	const struct json *j = &d->json;

	for (uint32_t m = json_first(j, map); m < j->tok[map].next; m = j->tok[m + 1].next)
		if (text_is_other(f->ctx, lock, json_string(j, m, d->arena)))
			filter_cut(f, d, m + 1);
}

/* A row of a list of tenants. */
static bool element_is_other(struct filter *f, struct doc *d, uint32_t obj, struct slice name)
{
	struct tenancy *t = f->ctx;
	const struct json *j = &d->json;
	uint32_t id = json_member(j, obj, SL("id"));
	const struct lock *lock = name.n ? lock_of(t, name) : NULL;

	if (!lock && t->rows_are_tenants && (name.n == 0 || fold_eq(name, SL("vaults")) || fold_eq(name, SL("items"))))
		lock = &t->view->policy->tenant;
	return lock && json_is(j, id, JSON_STRING) && text_is_other(t, lock, json_string(j, id, d->arena));
}

/* --- prose --------------------------------------------------------------------------------------------------------- */

static bool ends_word(char c)
{
	return (unsigned char)c <= ' ' || memchr("\"'`(),;<>[]{}\\", c, 14) != NULL;
}

/* The next word of the text; empty at its end. */
static struct slice cut_word(struct slice *rest)
{
	size_t from = 0, to;

	while (from < rest->n && ends_word(rest->p[from]))
		from++;
	for (to = from; to < rest->n && !ends_word(rest->p[to]);)
		to++;
	struct slice word = slice_make(rest->p + from, to - from);
	*rest = slice_from(*rest, to);
	while (word.n && memchr(".!?", word.p[word.n - 1], 3))
		word.n--;
	return word;
}

/*
 * `tenant_id=x`, `tenant_id: x`, `"tenant": "x"`, and URIs. The word `tenant` right before a colon is a heading more
 * often than not.
 */
static bool prose_is_other(struct tenancy *t, struct slice text)
{
	const struct lock *lock = NULL;
	struct slice before = SL("");

	for (struct slice rest = text, word = cut_word(&rest); word.n || rest.n; before = word, word = cut_word(&rest)) {
		struct slice value = word, name;

		if (slice_eq(word, SL(":"))) {
			lock = lock_of(t, before);
			continue;
		}
		if (slice_find(word, SL("://")) >= 0) {
			if (!scope_uri_tenant_in(&t->scope, word))
				return true;
			lock = NULL;
			continue;
		}
		if (lock && text_is_other(t, lock, word))
			return true;
		lock = NULL;
		bool equals = word.n && memchr(word.p, '=', word.n);
		name = slice_cut(&value, equals ? '=' : ':');
		if (!name.n || !value.p || (!equals && !memchr(name.p, '_', name.n)))
			continue;
		lock = lock_of(t, name);
		if (lock && value.n && text_is_other(t, lock, value))
			return true;
		lock = value.n ? NULL : lock;
	}
	return false;
}

/* A sentence of the vault's, or a text that quotes JSON. */
static bool report_is_other(struct tenancy *t, struct slice name, struct doc *d, uint32_t tok)
{
	struct slice text = json_string(&d->json, tok, d->arena);

	if (!text.p || (names_sentence(t->scope.view, name) != SENTENCE_REPORT && !doc_text_holds_json(text)))
		return !text.p;
	/* What is JSON is looked at as such. */
	struct doc *inner = doc_inside(d, tok, SL(""));
	return inner && inner->kind == DOC_TEXT && prose_is_other(t, text);
}

/* --- JSON ---------------------------------------------------------------------------------------------------------- */

static bool object_is_other(struct filter *f, struct doc *d, uint32_t obj)
{
	struct tenancy *t = f->ctx;
	const struct json *j = &d->json;

	for (uint32_t m = json_first(j, obj); m < j->tok[obj].next; m = j->tok[m + 1].next) {
		struct slice name = json_string(j, m, d->arena);
		const struct lock *lock;

		if (!name.p) {
			f->err = E_NOMEM;
			return true;
		}
		if (doc_has(d, m, DOC_GONE))
			continue;
		lock = lock_of_map(t, name, j, m + 1);
		if (lock)
			cut_map(f, lock, d, m + 1);
		lock = lock ? NULL : lock_of(t, name);
		if (lock && value_is_other(t, lock, d, m + 1))
			return true;
		if (json_is(j, m + 1, JSON_STRING) && report_is_other(t, name, d, m + 1))
			return true;
		if (slice_eq(name, SL("uri")) && json_is(j, m + 1, JSON_STRING) &&
			!scope_uri_tenant_in(&t->scope, json_string(j, m + 1, d->arena)))
			return true;
	}
	return false;
}

static bool item_is_other(struct filter *f, struct slice text, struct slice name)
{
	struct tenancy *t = f->ctx;
	const struct lock *lock = name.n ? lock_of(t, name) : NULL;

	return (lock && text_is_other(t, lock, text)) ||
		(doc_text_holds_json(text) && !doc_text_is_json(text) && prose_is_other(t, text)) ||
		(slice_find(text, SL("://")) >= 0 && !scope_uri_tenant_in(&t->scope, text));
}

/* The fields of a secret are nobody's metadata: a `tenant` among them is data. */
static bool is_secret_part(struct filter *f, struct slice name)
{
	struct tenancy *t = f->ctx;
	return t->bears && names_class(t->scope.view, name) == NAME_VALUE && !slice_eq_nocase(name, SL("secret"));
}

static struct verdict refuse(const struct tenancy *t, enum err e)
{
	const struct policy *p = t->view->policy;
	const struct lock *lock = t->hit ? t->hit : p->tenant.text.n ? &p->tenant : &p->partner;

	return deny(e == E_OK && !t->scope.nomem ? R_RESULT_TENANT : R_INTERNAL, (struct slice){ NULL, 0 }, lock->at);
}

static bool line_is_other(void *ctx, struct slice text)
{
	struct tenancy *t = ctx;
	return text_is_other(t, &t->view->policy->tenant, text);
}

/* An item that does not say whose it is as the catalog knows it: nobody can tell. */
static bool item_is_unclear(void *ctx, struct slice line)
{
	(void)ctx;
	return lines_item(line).n > 0;
}

/* A list in prose whose lines name tenants. True when it cannot be taken apart. */
static bool judge_lines(struct tenancy *t, struct doc *d, struct filter *f)
{
	const struct out_rule *out = t->call && t->call->rule ? &t->call->rule->out : NULL;

	if (!out || out->as != OUT_LINES || !out->line || !regex_has(out->line, "tenant"))
		return false;
	struct lines l = { .doc = d, .out = out, .group = "tenant", .outside = line_is_other,
		.gap_outside = item_is_unclear, .ctx = t };
	enum err e = lines_filter(&l);
	f->removed += l.cut;
	if (e == E_NOMEM)
		f->err = e;
	return e != E_OK;
}

/* A text that is of another tenant; of an error its meaning stays. */
static bool judge_prose(struct tenancy *t, const struct payload *load, struct filter *f)
{
	if (!prose_is_other(t, load->doc->text))
		return false;
	if (load->kind != PAYLOAD_ERROR_TEXT)
		return true;
	struct slice sentence = error_sentence(t->view, t->call, load->doc->text);
	if (!sentence.p)
		f->err = E_NOMEM;
	else
		doc_replace_all(load->doc, sentence);
	f->removed++;
	return false;
}

/* A member beside the data: its own name counts too. */
static bool extra_is_other(struct tenancy *t, struct doc *d, uint32_t value, struct filter *f)
{
	struct slice name = json_string(&d->json, value - 1, d->arena);
	const struct lock *lock = name.p ? lock_of(t, name) : NULL;

	if (lock && value_is_other(t, lock, d, value))
		return true;
	if (!json_is(&d->json, value, JSON_STRING))
		return filter_walk(f, d, value, name);
	struct slice text = json_string(&d->json, value, d->arena);
	return !text.p || prose_is_other(t, text);
}

/* False: something of another tenant stands alone. */
static bool judge_payload(struct tenancy *t, struct result *r, const struct payload *load, struct filter *f)
{
	bool outside = load->uri.p && !scope_uri_tenant_in(&t->scope, load->uri);

	if (load->block != JSON_NONE && doc_has(r->root, load->block, DOC_GONE))
		return true;
	if (load->kind == PAYLOAD_EXTRA) {
		if (extra_is_other(t, load->doc, load->root, f))
			filter_cut(f, r->root, load->root);
		return true;
	}
	if (!outside && load->doc->kind == DOC_JSON)
		outside = filter_walk(f, load->doc, load->root, (struct slice){ NULL, 0 });
	else if (!outside)
		outside = judge_lines(t, load->doc, f) ||
			((!t->bears || load->kind == PAYLOAD_ERROR_TEXT) && judge_prose(t, load, f));
	return !outside;
}

/* The values completed for a tenant's own argument. */
static void judge_completion(struct tenancy *t, struct result *r, struct filter *f)
{
	const struct json *asked = &t->call->rpc->json, *j = &r->root->json;
	uint32_t name = json_walk(asked, t->call->rpc->params, "argument.name");
	uint32_t values = json_walk(j, r->rpc->result, "completion.values");
	struct slice text = json_is(asked, name, JSON_STRING) ? json_string(asked, name, r->root->arena) : SL("");
	const struct lock *lock = lock_of(t, text);

	if (!lock || !json_is(j, values, JSON_ARRAY))
		return;
	for (uint32_t v = json_first(j, values); v < j->tok[values].next; v = j->tok[v].next)
		if (!json_is(j, v, JSON_STRING) || text_is_other(t, lock, json_string(j, v, r->root->arena)))
			filter_cut(f, r->root, v);
	filter_totals(f, r->root, json_member(j, r->rpc->result, SL("completion")), j->tok[values].count, f->removed);
}

struct verdict tenant_response(const struct view *view, const struct call *call, struct result *r)
{
	struct tenancy t = { .scope = { .view = view, .call = call }, .view = view, .call = call };
	struct filter f = { .object = object_is_other, .element = element_is_other, .item = item_is_other,
		.skip = is_secret_part, .ctx = &t };

	if (!policy_locks_tenant(view->policy))
		return PASS_VERDICT;
	t.names = tenant_rule_of(view, call ? call->rule : NULL);
	const struct out_rule *out = call && call->rule ? &call->rule->out : NULL;
	t.rows_are_tenants = out && (out->tenant_rows || (out->line && regex_has(out->line, "tenant")));
	t.bears = call && call->action != ACT_UNKNOWN && action_bears_values(call->action);
	bool completes = call && call->method && call->method->id == M_COMPLETION && !r->is_error;
	if (completes)
		judge_completion(&t, r, &f);
	for (size_t i = 0; i < r->n_payloads && f.err == E_OK; i++)
		if (!(completes && r->payloads[i].kind == PAYLOAD_OTHER) && !judge_payload(&t, r, &r->payloads[i], &f))
			return refuse(&t, f.err);
	if (f.err != E_OK || t.scope.nomem)
		return refuse(&t, E_NOMEM);
	if (f.removed == 0)
		return PASS_VERDICT;
	return (struct verdict){ .kind = VERDICT_REWRITE, .rule = t.hit ? t.hit->at : view->policy->tenant.at };
}
