/* The result half of the tenant guard: what an answer says belongs to another tenant or partner is cut out (TEN-07). */
#include "guards/facts.h"
#include "guards/filter.h"
#include "guards/lines.h"
#include "guards/look.h"
#include "guards/mask_names.h"
#include "guards/response.h"
#include "guards/scope.h"

struct tenancy {
	struct scope scope;
	const struct view *view;
	const struct call *call;
	const struct tenant_rule *names; /* NULL: the catalog has none */
	bool bears;                      /* what stands under a value's name is the secret's own */
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
	return NULL;
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
		lock = lock_of(t, name);
		if (lock && value_is_other(t, lock, d, m + 1))
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
		(slice_find(text, SL("://")) >= 0 && !scope_uri_tenant_in(&t->scope, text));
}

/* The fields of a secret are nobody's metadata: a `tenant` among them is data. */
static bool is_secret_part(struct filter *f, struct slice name)
{
	struct tenancy *t = f->ctx;
	return t->bears && mask_name_class(name) == NAME_VALUE && !slice_eq_nocase(name, SL("secret"));
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

/* A list in prose whose lines name tenants. True when it cannot be taken apart. */
static bool judge_lines(struct tenancy *t, struct doc *d, struct filter *f)
{
	const struct out_rule *out = t->call && t->call->rule ? &t->call->rule->out : NULL;

	if (!out || out->as != OUT_LINES || !out->line || !regex_has(out->line, "tenant"))
		return false;
	struct lines l = { .doc = d, .out = out, .group = "tenant", .outside = line_is_other, .ctx = t };
	enum err e = lines_filter(&l);
	f->removed += l.cut;
	if (e == E_NOMEM)
		f->err = e;
	return e != E_OK;
}

/* False: something of another tenant stands alone. */
static bool judge_payload(struct tenancy *t, struct result *r, const struct payload *load, struct filter *f)
{
	bool outside = load->uri.p && !scope_uri_tenant_in(&t->scope, load->uri);

	if (load->block != JSON_NONE && doc_has(r->root, load->block, DOC_GONE))
		return true;
	if (!outside && load->doc->kind == DOC_JSON)
		outside = filter_walk(f, load->doc, load->root, (struct slice){ NULL, 0 });
	else if (!outside)
		outside = judge_lines(t, load->doc, f);
	if (!outside)
		return true;
	if (load->kind == PAYLOAD_OTHER && load->block == JSON_NONE && r->rpc->kind == RPC_ERROR) {
		filter_cut(f, r->root, load->root);
		return true;
	}
	return false;
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
	struct filter f = { .object = object_is_other, .item = item_is_other, .skip = is_secret_part, .ctx = &t };

	if (!policy_locks_tenant(view->policy))
		return PASS_VERDICT;
	t.names = tenant_rule_of(view, call ? call->rule : NULL);
	t.bears = call && call->action != ACT_UNKNOWN && action_bears_values(call->action);
	if (call && call->method && call->method->id == M_COMPLETION && !r->is_error)
		judge_completion(&t, r, &f);
	else
		for (size_t i = 0; i < r->n_payloads && f.err == E_OK; i++)
			if (!judge_payload(&t, r, &r->payloads[i], &f))
				return refuse(&t, f.err);
	if (f.err != E_OK || t.scope.nomem)
		return refuse(&t, E_NOMEM);
	if (f.removed == 0)
		return PASS_VERDICT;
	return (struct verdict){ .kind = VERDICT_REWRITE, .rule = t.hit ? t.hit->at : view->policy->tenant.at };
}
