/* The keys of one profile, one reader an option. */
#include "policy/config_inside.h"

#define MAX_PREFIXES 500 /* of one list; intersections compare each with each */

static void read_said(struct loader *l, const struct yaml_node *node, struct said_at *out)
{
	size_t before = l->faults->n;
	bool value = yaml_bool(node, false, l->faults);

	if (l->faults->n == before)
		*out = (struct said_at){ value ? SAID_TRUE : SAID_FALSE, node->at };
}

bool config_prefix(struct loader *l, struct slice raw, struct origin at, struct prefix *out)
{
	/* An empty text is more likely a variable that was empty than the wish to allow everything. */
	enum path_fault f = raw.n ? path_canonical(&out->path, raw, true, l->arena) : PATH_EMPTY;

	out->at = at;
	if (f == PATH_OK)
		return true;
	if (f == PATH_EMPTY)
		faults_add(l->faults, at, "an empty path prefix: write `/` for everything");
	else if (f == PATH_WILDCARD)
		faults_add(l->faults, at,
			"`%.*s`: wildcards do not stand in prefixes; `a/b` already covers all below it",
			SL_ARG(slice_head(raw, 100)));
	else
		faults_add(l->faults, at, "`%.*s` is no path prefix: %s", SL_ARG(slice_head(raw, 100)),
			path_fault_text(f));
	return false;
}

static void read_prefixes(struct loader *l, const struct yaml_node *node, struct prefixes *out)
{
	if (!yaml_is(node, YAML_LIST, l->faults))
		return;
	if (node->n > MAX_PREFIXES) {
		faults_add(l->faults, node->at, "`%.*s` holds more than %d prefixes", SL_ARG(node->key), MAX_PREFIXES);
		return;
	}
	struct prefix *v = config_array(l, node->n, sizeof *v);
	size_t n = 0;

	for (const struct yaml_node *c = node->first; v && c; c = c->next) {
		struct slice text = config_text(l, c);

		if (text.p && config_prefix(l, text, c->at, &v[n]))
			n++;
	}
	*out = (struct prefixes){ .set = true, .v = v, .n = n, .at = node->at };
}

static void read_lock(struct loader *l, const struct yaml_node *node, struct lock *out)
{
	struct slice text = config_text(l, node);

	if (!text.p)
		return;
	if (!slice_eq(slice_trim(text), text)) {
		faults_add(l->faults, node->at, "`%.*s` begins or ends with a space", SL_ARG(node->key));
		return;
	}
	*out = (struct lock){ text, node->at };
}

static void read_actions(struct loader *l, const struct yaml_node *node, struct layer *layer)
{
	static const char *const words[] = {
#define X(name, word, ...) word,
		ACTIONS(X)
#undef X
			NULL,
	};

	if (!yaml_is(node, YAML_LIST, l->faults))
		return;
	layer->actions_set = true;
	layer->actions_at = node->at;
	for (const struct yaml_node *c = node->first; c; c = c->next) {
		struct slice word = config_text(l, c);
		enum action a = action_find(word);

		if (!word.p)
			continue;
		if (a != ACT_UNKNOWN)
			layer->actions |= 1u << a;
		else
			yaml_word(c, word, words, l->faults);
	}
}

static void read_tools(struct loader *l, const struct yaml_node *node, struct layer *layer)
{
	static const char *const keys[] = { "allow", "deny", NULL };
	struct glob_layer *tools = config_array(l, 1, sizeof *tools);

	if (!tools || !yaml_is(node, YAML_MAP, l->faults))
		return;
	yaml_only(node, keys, l->faults);
	const struct yaml_node *allow = yaml_get(node, SL("allow")), *deny = yaml_get(node, SL("deny"));

	tools->at = node->at;
	if (allow) {
		tools->allow_set = true;
		tools->allow = config_texts(l, allow, &tools->n_allow, true);
	}
	if (deny)
		tools->deny = config_texts(l, deny, &tools->n_deny, true);
	layer->tools = tools;
	layer->n_tools = 1;
}

/* Index of the word among the option's, -1 after a fault. */
static int read_word(struct loader *l, const struct yaml_node *node, enum option o)
{
	return config_word(l, node, option_row(o)->words);
}

static void ask_later(struct loader *l, const struct yaml_node *node)
{
	faults_add(l->faults, node->at, "`%.*s: %.*s` is not in this version: leave the key out, or switch it off",
		SL_ARG(node->key), SL_ARG(slice_head(node->text, 40)));
}

/* A guard of a later version: `off` is heard, anything else asks for what is not there. */
static void read_later_word(struct loader *l, const struct yaml_node *node, enum option o, struct said_at *off)
{
	int word = read_word(l, node, o);

	if (word < 0)
		return;
	if (slice_eq(node->text, SL("off")))
		*off = (struct said_at){ SAID_TRUE, node->at };
	else
		ask_later(l, node);
}

static void read_later_bool(struct loader *l, const struct yaml_node *node, struct said_at *off)
{
	struct said_at on = { 0 };

	read_said(l, node, &on);
	if (on.said == SAID_TRUE)
		ask_later(l, node);
	else if (on.said == SAID_FALSE)
		*off = (struct said_at){ SAID_TRUE, node->at };
}

static void read_exfiltration(struct loader *l, const struct yaml_node *node, struct word_at *out)
{
	int word = read_word(l, node, OPT_EXFILTRATION);

	if (word >= 0)
		*out = (struct word_at){ true, false, (unsigned)word, node->at };
}

static void read_mask_style(struct loader *l, const struct yaml_node *node)
{
	if (read_word(l, node, OPT_MASK_STYLE) > 0)
		ask_later(l, node);
}

static void read_unknown_tools(struct loader *l, const struct yaml_node *node, struct layer *layer)
{
	int word = read_word(l, node, OPT_UNKNOWN_TOOLS);

	if (word >= 0)
		layer->deny_unknown = (struct said_at){ word == 0 ? SAID_TRUE : SAID_FALSE, node->at };
}

static void read_limits(struct loader *l, const struct yaml_node *node)
{
	static const char *const keys[] = { "calls_per_minute", "reads_per_hour", "distinct_secrets_per_hour", NULL };

	if (!yaml_is(node, YAML_MAP, l->faults))
		return;
	yaml_only(node, keys, l->faults);
	if (node->n)
		config_not_here(l, node->at, "`limits`");
}

static void read_option(struct loader *l, enum option o, const struct yaml_node *node, struct layer *layer)
{
	switch (o) {
	case OPT_READ_ONLY:
		read_said(l, node, &layer->read_only);
		return;
	case OPT_MASK_VALUES:
		read_said(l, node, &layer->mask_values);
		return;
	case OPT_MASK_STYLE:
		read_mask_style(l, node);
		return;
	case OPT_ALLOWED_PATHS:
		read_prefixes(l, node, &layer->allowed);
		return;
	case OPT_DENIED_PATHS:
		read_prefixes(l, node, &layer->denied);
		return;
	case OPT_TENANT:
		read_lock(l, node, &layer->tenant);
		return;
	case OPT_PARTNER:
		read_lock(l, node, &layer->partner);
		return;
	case OPT_EXFILTRATION:
		read_exfiltration(l, node, &layer->exfiltration);
		return;
	case OPT_INSPECTION:
		read_later_word(l, node, o, &layer->off[LATER_INSPECTION]);
		return;
	case OPT_PII:
		read_later_bool(l, node, &layer->off[LATER_PII]);
		return;
	case OPT_REDACT_SECRETS:
		read_said(l, node, &layer->redact_secrets);
		return;
	case OPT_ACTIONS:
		read_actions(l, node, layer);
		return;
	case OPT_TOOLS:
		read_tools(l, node, layer);
		return;
	case OPT_UNKNOWN_TOOLS:
		read_unknown_tools(l, node, layer);
		return;
	case OPT_LIMITS:
		read_limits(l, node);
		return;
	case OPT_ENFORCE:
		read_said(l, node, &layer->enforce);
		return;
	case OPT_SECURITY_ENABLED:
	case OPT_LOCAL_ONLY:
	case N_OPTIONS:
		return; /* no keys of a profile */
	}
}

void config_read_layer(struct loader *l, const struct yaml_node *map, struct layer *layer)
{
	*layer = (struct layer){ 0 };
	if (map->kind == YAML_NULL)
		return; /* a profile that says nothing */
	if (!yaml_is(map, YAML_MAP, l->faults))
		return;
	yaml_only(map, option_keys(), l->faults);
	for (const struct yaml_node *c = map->first; c; c = c->next)
		read_option(l, option_find(c->key), c, layer);
}
