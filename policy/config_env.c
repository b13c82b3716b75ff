/*
 * The environment, for drop-in use. Beside a file (or a profile that the command line names) variables only narrow;
 * alone they are the whole profile.
 */
#include "policy/config_inside.h"

/* One option as the environment gives it. */
struct given {
	const char *variable;
	struct slice text; /* trimmed */
	struct origin at; /* "environment NAME" */
};

/* What the environment says of an option; false when nothing, or after a fault. */
static bool find_given(struct loader *l, enum option o, struct given *out)
{
	const struct option_row *row = option_row(o);
	bool found = false;

	for (size_t i = 0; i < OPTION_VARIABLES && row->variables[i]; i++) {
		const char *value = l->env_get ? l->env_get(l->env_ctx, row->variables[i]) : NULL;

		if (!value)
			continue;
		struct slice text = slice_trim(slice_of(value));
		struct slice file = arena_fmt(l->arena, "environment %s", row->variables[i]);

		if (found && !slice_eq(text, out->text)) {
			faults_add(l->faults, (struct origin){ .file = file },
				"says something else than %s: set only one of them", out->variable);
			return false;
		}
		if (!found)
			*out = (struct given){ row->variables[i], arena_dup(l->arena, text), { .file = file } };
		found = true;
		l->env_given = true;
		config_hash_add(l, slice_of(row->variables[i]), text);
	}
	if (found && out->text.n == 0) {
		faults_add(
			l->faults, out->at, "%s is set but empty: unset it, or say what it should be", out->variable);
		return false;
	}
	return found;
}

static enum said read_bool(struct loader *l, const struct given *g)
{
	static const char *const yes[] = { "true", "1", "yes", "on", NULL };
	static const char *const no[] = { "false", "0", "no", "off", NULL };

	for (size_t i = 0; yes[i]; i++) {
		if (slice_eq_nocase(g->text, slice_of(yes[i])))
			return SAID_TRUE;
		if (slice_eq_nocase(g->text, slice_of(no[i])))
			return SAID_FALSE;
	}
	faults_add(l->faults, g->at, "%s must be true or false, 1 or 0, yes or no, on or off", g->variable);
	return SAID_NOTHING;
}

static void take_bool(struct loader *l, enum option o, struct said_at *out)
{
	struct given g;

	if (find_given(l, o, &g))
		*out = (struct said_at){ read_bool(l, &g), g.at };
}

static void take_paths(struct loader *l, enum option o, struct prefixes *out)
{
	struct given g;

	if (!find_given(l, o, &g))
		return;
	size_t most = 1;

	for (size_t i = 0; i < g.text.n; i++)
		most += g.text.p[i] == ',';
	struct prefix *v = config_array(l, most, sizeof *v);
	size_t n = 0;

	for (struct slice rest = g.text; v && rest.p;) {
		struct slice item = slice_trim(slice_cut(&rest, ','));

		if (item.n == 0)
			faults_add(l->faults, g.at, "%s has an empty item between its commas", g.variable);
		else if (config_prefix(l, item, g.at, &v[n]))
			n++;
	}
	*out = (struct prefixes){ .set = true, .v = v, .n = n, .at = g.at };
}

static void take_lock(struct loader *l, enum option o, struct lock *out)
{
	struct given g;

	if (!find_given(l, o, &g))
		return;
	for (size_t i = 0; i < g.text.n; i++) {
		if ((unsigned char)g.text.p[i] < 0x20 || g.text.p[i] == 0x7F) {
			faults_add(l->faults, g.at, "%s holds a control character", g.variable);
			return;
		}
	}
	*out = (struct lock){ g.text, g.at };
}

static void ask_later(struct loader *l, const struct given *g)
{
	faults_add(l->faults, g->at, "%s=%.*s asks for a guard that is not in this version: unset it, or switch it off",
		g->variable, SL_ARG(slice_head(g->text, 40)));
}

/* Whether the variable holds one of the option's words, in any case; a fault that lists them otherwise. */
static bool check_word(struct loader *l, enum option o, const struct given *g)
{
	const char *const *words = option_row(o)->words;
	struct buf list;

	for (size_t i = 0; words[i]; i++)
		if (slice_eq_nocase(g->text, slice_of(words[i])))
			return true;
	buf_init(&list, 256);
	for (size_t i = 0; words[i]; i++)
		buf_add_fmt(&list, "%s%s", i ? ", " : "", words[i]);
	faults_add(l->faults, g->at, "%s is one of %.*s", g->variable, SL_ARG(buf_slice(&list)));
	buf_finish(&list);
	return false;
}

static void take_exfiltration(struct loader *l)
{
	const char *const *words = option_row(OPT_EXFILTRATION)->words;
	struct given g;

	if (!find_given(l, OPT_EXFILTRATION, &g) || !check_word(l, OPT_EXFILTRATION, &g))
		return;
	for (unsigned i = 0; words[i]; i++)
		if (slice_eq_nocase(g.text, slice_of(words[i])))
			l->env.exfiltration = (struct word_at){ true, false, i, g.at };
}

/* Words of a guard of a later version: those that only record, or nothing, are heard. */
static void take_later_word(struct loader *l, enum option o, const char *recording, enum later_guard guard)
{
	struct given g;

	if (!find_given(l, o, &g))
		return;
	if (!check_word(l, o, &g))
		return;
	bool records = slice_eq_nocase(g.text, slice_of(recording));

	if (!records && !slice_eq_nocase(g.text, SL("off"))) {
		ask_later(l, &g);
		return;
	}
	l->env.off[guard] = (struct said_at){ SAID_TRUE, g.at };
	l->env.records[guard] = records;
}

/* A switch that is on by default and whose guard comes later. */
static void take_later_bool(struct loader *l, enum option o, struct said_at *off)
{
	struct given g;

	if (!find_given(l, o, &g))
		return;
	enum said said = read_bool(l, &g);

	if (said == SAID_TRUE)
		ask_later(l, &g);
	else if (said == SAID_FALSE)
		*off = (struct said_at){ SAID_TRUE, g.at };
}

static void take_local_only(struct loader *l)
{
	struct given g;

	if (find_given(l, OPT_LOCAL_ONLY, &g) && read_bool(l, &g) == SAID_TRUE)
		ask_later(l, &g);
}

void config_read_env(struct loader *l)
{
	struct layer *env = &l->env;
	struct said_at all = { 0 };

	take_bool(l, OPT_READ_ONLY, &env->read_only);
	take_bool(l, OPT_MASK_VALUES, &env->mask_values);
	take_paths(l, OPT_ALLOWED_PATHS, &env->allowed);
	take_paths(l, OPT_DENIED_PATHS, &env->denied);
	take_lock(l, OPT_TENANT, &env->tenant);
	take_lock(l, OPT_PARTNER, &env->partner);
	take_exfiltration(l);
	take_later_word(l, OPT_INSPECTION, "log_only", LATER_INSPECTION);
	take_later_bool(l, OPT_PII, &env->off[LATER_PII]);
	take_bool(l, OPT_REDACT_SECRETS, &env->redact_secrets);
	take_later_bool(l, OPT_SECURITY_ENABLED, &all);
	if (all.said == SAID_TRUE) {
		env->off[LATER_INSPECTION] = all;
		env->records[LATER_INSPECTION] = false;
		env->off[LATER_PII] = all;
	}
	take_local_only(l);
}
