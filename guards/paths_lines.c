/* Lists in prose: by the catalog's pattern, or word by word. */
#include "guards/lines.h"
#include "guards/paths_parts.h"

static bool path_outside(void *ctx, struct slice text)
{
	struct paths *p = ctx;
	return !scope_in(&p->scope, slice_trim(text), SCOPE_ONE);
}

static bool sentence_outside(void *ctx, struct slice line)
{
	struct paths *p = ctx;
	return !scope_sentence_in(&p->scope, line);
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
	/* Other prose about one path names that path; what the vault says by itself may name any. */
	if (p->bears || (p->call && p->call->action != ACT_LIST))
		return false;
	return !scope_sentence_in(&p->scope, d->text);
}
