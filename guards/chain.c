#include "guards/chain.h"

#include "guards/edit.h"
#include "guards/list.h"

static const struct guard *const rows[] = {
#define X(name) &guard_##name,
	GUARDS(X)
#undef X
};

#define ROWS (sizeof rows / sizeof *rows)

void chain_begin(struct judgement *j)
{
	struct judgement fresh = { .kind = VERDICT_PASS };

	memcpy(fresh.id, j->id, sizeof fresh.id);
	*j = fresh;
}

void chain_deny(struct judgement *j, const char *guard, enum reason reason, struct slice what)
{
	j->kind = VERDICT_DENY;
	j->guard = guard;
	j->why = deny(reason, what, (struct origin){ 0 });
}

/* First deny wins, and ends the fold; of rewrites the first one is remembered. */
static bool fold(struct judgement *j, struct verdict one, const char *name)
{
	if (one.found && !j->found)
		j->found = one.found;
	if (one.kind == VERDICT_PASS || (one.kind == VERDICT_REWRITE && j->why.kind == VERDICT_REWRITE))
		return true;
	j->why = one;
	j->kind = one.kind;
	j->guard = name;
	return one.kind != VERDICT_DENY;
}

void chain_request(const struct view *v, struct call *c, struct judgement *j)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i]->request && !fold(j, rows[i]->request(v, c), rows[i]->name))
			return;
}

static void respond(const struct view *v, const struct call *c, struct result *r, struct judgement *j)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i]->response && !fold(j, rows[i]->response(v, c, r), rows[i]->name))
			return;
}

/*
 * What is no matter of the profile but of understanding the message at all, or of our own failure, is refused in shadow
 * mode too.
 */
static bool is_binding(enum reason r)
{
	return r == R_METHOD || r == R_MESSAGE || r == R_INTERNAL || r == R_LEDGER_FULL || r == R_CAPABILITY;
}

bool chain_shadow(const struct view *v, struct judgement *j)
{
	if (v->policy->enforce || j->why.kind == VERDICT_PASS ||
		(j->why.kind == VERDICT_DENY && is_binding(j->why.reason)))
		return false;
	j->shadow = true;
	j->kind = VERDICT_PASS;
	return true;
}

void chain_pass(const struct view *v, const struct rpc *rpc, struct judgement *j)
{
	struct json_edits none;

	json_edits_init(&none, v->arena);
	if (edits_render(&rpc->json, &none, rpc->json.text.n, v->arena, &j->bytes) != E_OK)
		chain_deny(j, NULL, R_INTERNAL, SL(""));
}

void chain_response(const struct view *v, const struct call *c, const struct rpc *rpc, struct judgement *j)
{
	struct result r;

	if (result_open(v, c, rpc, &r) != E_OK) {
		chain_deny(j, NULL, R_INTERNAL, SL(""));
		return;
	}
	respond(v, c, &r, j);
	if (chain_shadow(v, j) || (j->kind != VERDICT_DENY && !doc_changed(r.root)))
		chain_pass(v, rpc, j);
	else if (j->kind != VERDICT_DENY && doc_render_text(r.root, &j->bytes) != E_OK)
		chain_deny(j, NULL, R_INTERNAL, SL(""));
}

enum err chain_learn(struct ledger *ledger, struct toolbook *book, const struct view *v, const struct call *c,
	const struct result *r)
{
	enum err e = E_OK;

	for (size_t i = 0; e == E_OK && i < ROWS; i++)
		if (rows[i]->learn)
			e = rows[i]->learn(ledger, book, v, c, r);
	return e;
}
