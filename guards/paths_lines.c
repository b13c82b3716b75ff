/* Lists in prose: by the catalog's pattern, or word by word. */
#include "guards/lines.h"
#include "guards/paths_parts.h"

static bool path_outside(void *ctx, struct slice text)
{
	struct paths *p = ctx;
	return !scope_in(&p->scope, slice_trim(text), SCOPE_ONE);
}

/* An item that is written otherwise than the catalog says begins with its path all the same. */
static bool sentence_outside(void *ctx, struct slice line)
{
	struct paths *p = ctx;
	struct slice word = lines_item(line);

	return (word.n && !scope_in(&p->scope, word, SCOPE_ONE)) || !scope_sentence_in(&p->scope, line);
}

bool paths_hide(struct paths *p, struct doc *d)
{
	size_t from = 0, to;

	while (p->err == E_OK && scope_word_outside(&p->scope, d->text, &from, &to)) {
		p->err = doc_replace(d, from, to - from, SL(OUTSIDE_MARKER));
		p->removed++;
		from = to;
	}
	return false;
}

void paths_sentence(struct paths *p, struct doc *d, uint32_t tok)
{
	struct doc *inner = doc_inside(d, tok, SL(""));

	if (!inner) {
		p->err = doc_set_string(d, tok, SL(OUTSIDE_MARKER));
		p->removed++;
	} else if (inner->kind == DOC_TEXT) {
		paths_hide(p, inner);
	}
}

bool paths_lines(struct paths *p, struct doc *d)
{
	const struct out_rule *out = p->rule ? &p->rule->out : NULL;

	if (out && out->as == OUT_LINES && out->line && regex_has(out->line, "path")) {
		struct lines l = { .doc = d, .out = out, .group = "path", .outside = path_outside,
			.gap_outside = sentence_outside, .ctx = p };
		enum err e = lines_filter(&l);

		p->removed += l.cut;
		if (e == E_NOMEM)
			p->err = e;
		return e != E_OK;
	}
	if (p->bears)
		return false;
	/* A list that cannot be cut is refused, and so is what the vault says by itself; other prose loses words. */
	if (p->call && p->call->action != ACT_LIST)
		return paths_hide(p, d);
	return !scope_sentence_in(&p->scope, d->text);
}
