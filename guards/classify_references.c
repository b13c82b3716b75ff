/*
 * Handles that stand inside of other arguments as references ("… vault:lease:h1.sig …"): the vault may put the value
 * there, so each is judged as if it were redeemed.
 */
#include "guards/facts.h"

static bool in_handle(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._~+/=-", c));
}

static bool is_there(const struct call *c, struct slice kind, struct slice text)
{
	for (size_t i = 0; i < c->n_handles; i++)
		if (slice_eq(c->handles[i].kind, kind) && slice_eq(c->handles[i].text, text))
			return true;
	return false;
}

static void find_in(struct facts *f, const struct take_rule *take, struct slice text)
{
	ptrdiff_t at;

	while (!f->nomem && (at = slice_find(text, take->strip)) >= 0) {
		size_t n = 0;

		text = slice_from(text, (size_t)at + take->strip.n);
		while (n < text.n && in_handle(text.p[n]))
			n++;
		while (n && text.p[n - 1] == '.') /* the end of a sentence */
			n--;
		struct slice handle = slice_head(text, n);
		if (!is_there(f->call, take->kind, handle))
			classify_handle(f, take, handle);
	}
}

/* Names of members too: whoever replaces references may replace them there. */
static void find_below(struct facts *f, const struct take_rule *take, const struct args *a)
{
	const struct json *j = a->json;

	if (!j || a->args == JSON_NONE)
		return;
	for (uint32_t t = a->args; t < j->tok[a->args].next && !f->nomem; t++)
		if (json_is(j, t, JSON_STRING))
			find_in(f, take, facts_text(f, j, t));
}

void classify_references(struct facts *f, const struct args *a, size_t n)
{
	const struct catalog *c = f->view->catalog;

	for (size_t i = 0; c && i < c->n_tools; i++)
		for (size_t t = 0; t < c->tools[i].n_takes; t++)
			for (size_t k = 0; c->tools[i].takes[t].strip.n && k < n; k++)
				find_below(f, &c->tools[i].takes[t], &a[k]);
}
