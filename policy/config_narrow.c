/*
 * Intersections: a layer on a profile. Nothing here ever makes a profile pass more than it did, but for a profile that
 * has no parent (`orphan`), whose own words are its beginning.
 */
#include "policy/config_inside.h"

struct profile profile_blank(void)
{
	return (struct profile){ .policy = { .actions = ~0u, .redact_secrets = true, .deny_unknown_tools = true, .enforce = true } };
}

/* One switch of a profile: where it is, what it is called, and the value that narrows. */
struct switch_row {
	const char *key;
	const char *wide, *tight; /* its values in words */
	bool narrow;
};

static void widening(
	struct loader *l, const struct profile *p, struct origin at, const struct switch_row *row, struct origin before)
{
	struct slice name = p->policy.profile;

	if (before.file.n == 0)
		faults_add(l->faults, at, "`%s: %s` would widen `%.*s`, where it is `%s` unless said otherwise",
			row->key, row->wide, SL_ARG(name), row->tight);
	else
		faults_add(l->faults, at, "`%s: %s` would widen `%.*s`, which says `%s: %s` (%.*s:%u)", row->key,
			row->wide, SL_ARG(name), row->key, row->tight, SL_ARG(before.file), before.line);
}

static void apply_switch(struct loader *l, const struct profile *p, const struct said_at *said, bool *now,
	struct origin *at, const struct switch_row *row, bool orphan)
{
	if (said->said == SAID_NOTHING)
		return;
	bool value = said->said == SAID_TRUE;

	if (value != *now && value != row->narrow && !orphan) {
		widening(l, p, said->at, row, *at);
		return;
	}
	if (value != *now || orphan)
		*at = said->at;
	*now = value;
}

static void apply_switches(struct loader *l, struct profile *p, const struct layer *layer, bool orphan)
{
	static const struct switch_row read_only = { "read_only", "false", "true", true };
	static const struct switch_row mask_values = { "mask_values", "false", "true", true };
	static const struct switch_row redact = { "redact_secrets", "false", "true", true };
	static const struct switch_row unknown = { "unknown_tools", "allow", "deny", true };
	static const struct switch_row enforce = { "enforce", "false", "true", true };
	struct policy *q = &p->policy;

	apply_switch(l, p, &layer->read_only, &q->read_only, &q->read_only_at, &read_only, orphan);
	apply_switch(l, p, &layer->mask_values, &q->mask_values, &q->mask_values_at, &mask_values, orphan);
	apply_switch(l, p, &layer->redact_secrets, &q->redact_secrets, &q->redact_secrets_at, &redact, orphan);
	apply_switch(l, p, &layer->deny_unknown, &q->deny_unknown_tools, &q->deny_unknown_at, &unknown, orphan);
	apply_switch(l, p, &layer->enforce, &q->enforce, &q->enforce_at, &enforce, orphan);
}

static void apply_exfiltration(struct loader *l, struct profile *p, const struct word_at *said, bool orphan)
{
	const char *const *words = option_row(OPT_EXFILTRATION)->words;
	struct policy *q = &p->policy;

	if (!said->said || (said->narrows && said->word >= (unsigned)q->exfiltration))
		return;
	if (said->word > (unsigned)q->exfiltration && !orphan) {
		struct switch_row row = { "exfiltration", words[said->word], words[q->exfiltration], true };
		widening(l, p, said->at, &row, q->exfiltration_at);
		return;
	}
	if (said->word != (unsigned)q->exfiltration || orphan)
		q->exfiltration_at = said->at;
	q->exfiltration = (enum exfiltration)said->word;
}

static void apply_later(struct loader *l, struct profile *p, const struct layer *layer, bool orphan)
{
	static const struct switch_row later[N_LATER] = {
		[LATER_INSPECTION] = { "inspection", "off", "block", false },
		[LATER_PII] = { "pii", "false", "true", false },
	};

	for (int i = 0; i < N_LATER; i++) {
		struct origin none = { 0 };

		apply_switch(l, p, &layer->off[i], &p->off[i], &none, &later[i], orphan);
	}
}

static bool has_prefix(const struct prefix *v, size_t n, struct slice text)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(v[i].path.text, text))
			return true;
	return false;
}

/* Pairwise the longer one of two prefixes when one covers the other: what both lists allow. */
static void apply_allowed(struct loader *l, struct prefixes *now, const struct prefixes *layer)
{
	if (!layer->set)
		return;
	if (!now->set) {
		*now = *layer;
		return;
	}
	/* At most one result for each prefix of either list: two that meet give the longer of them. */
	struct prefix *v = config_array(l, now->n + layer->n, sizeof *v);
	size_t n = 0;

	for (size_t i = 0; v && i < now->n; i++) {
		for (size_t j = 0; j < layer->n; j++) {
			const struct prefix *a = &now->v[i], *b = &layer->v[j];
			const struct prefix *longer = path_covers(b->path.text, a->path.text) ? a : NULL;

			if (!longer && path_covers(a->path.text, b->path.text))
				longer = b;
			if (longer && !has_prefix(v, n, longer->path.text))
				v[n++] = *longer;
		}
	}
	*now = (struct prefixes){ .set = true, .v = v, .n = n, .at = layer->at };
}

static void apply_denied(struct loader *l, struct prefixes *now, const struct prefixes *layer)
{
	if (!layer->set)
		return;
	struct prefix *v = config_array(l, now->n + layer->n, sizeof *v);
	size_t n = 0;

	if (!v)
		return;
	for (size_t i = 0; i < now->n; i++)
		v[n++] = now->v[i];
	for (size_t i = 0; i < layer->n; i++)
		if (!has_prefix(v, n, layer->v[i].path.text))
			v[n++] = layer->v[i];
	*now = (struct prefixes){ .set = true, .v = v, .n = n, .at = layer->at };
}

static void apply_lock(struct loader *l, const struct profile *p, struct lock *now, const struct lock *layer,
	const char *key, bool orphan)
{
	if (layer->text.n == 0)
		return;
	if (now->text.n && !slice_eq(now->text, layer->text) && !orphan) {
		faults_add(l->faults, layer->at, "`%s: %.*s` would widen `%.*s`, which is locked to `%.*s`", key,
			SL_ARG(layer->text), SL_ARG(p->policy.profile), SL_ARG(now->text));
		return;
	}
	if (!now->text.n)
		*now = *layer;
}

static void apply_tools(struct loader *l, struct policy *q, const struct layer *layer)
{
	if (layer->n_tools == 0)
		return;
	struct glob_layer *v = config_array(l, q->n_tools + layer->n_tools, sizeof *v);

	if (!v)
		return;
	for (size_t i = 0; i < q->n_tools; i++)
		v[i] = q->tools[i];
	for (size_t i = 0; i < layer->n_tools; i++)
		v[q->n_tools + i] = layer->tools[i];
	q->tools = v;
	q->n_tools += layer->n_tools;
}

void profile_apply(struct loader *l, struct profile *p, const struct layer *layer, bool orphan)
{
	struct policy *q = &p->policy;

	apply_switches(l, p, layer, orphan);
	apply_exfiltration(l, p, &layer->exfiltration, orphan);
	apply_later(l, p, layer, orphan);
	apply_allowed(l, &q->allowed, &layer->allowed);
	apply_denied(l, &q->denied, &layer->denied);
	apply_lock(l, p, &q->tenant, &layer->tenant, "tenant", orphan);
	apply_lock(l, p, &q->partner, &layer->partner, "partner", orphan);
	if (layer->actions_set) {
		q->actions &= layer->actions;
		q->actions_at = layer->actions_at;
	}
	apply_tools(l, q, layer);
}

/* A switch only where it narrows: the other value asks for nothing. */
static struct said_at said_if(bool narrow, struct origin at)
{
	return (struct said_at){ narrow ? SAID_TRUE : SAID_NOTHING, at };
}

struct layer profile_as_layer(const struct profile *p)
{
	const struct policy *q = &p->policy;
	struct layer layer = {
		.read_only = said_if(q->read_only, q->read_only_at),
		.mask_values = said_if(q->mask_values, q->mask_values_at),
		.redact_secrets = said_if(q->redact_secrets, q->redact_secrets_at),
		.exfiltration = { true, true, (unsigned)q->exfiltration, q->exfiltration_at },
		.deny_unknown = said_if(q->deny_unknown_tools, q->deny_unknown_at),
		.enforce = said_if(q->enforce, q->enforce_at),
		.allowed = q->allowed,
		.denied = q->denied,
		.tenant = q->tenant,
		.partner = q->partner,
		.actions_set = q->actions != ~0u,
		.actions = q->actions,
		.actions_at = q->actions_at,
		.tools = q->tools,
		.n_tools = q->n_tools,
	};

	for (int i = 0; i < N_LATER; i++)
		layer.off[i] = (struct said_at){ p->off[i] ? SAID_NOTHING : SAID_FALSE, q->read_only_at };
	return layer;
}
