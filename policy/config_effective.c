/* The last step from a profile to what an agent gets: `--profile`, the environment, the flags, each narrowing. */
#include "policy/config_inside.h"

/* Without a file and without `--profile`, variables are the whole profile: what they leave out is off. */
static bool env_is_profile(const struct loader *l)
{
	return !l->root && !l->flags->profile.p && l->env_given;
}

static struct profile *profile_of_env(struct loader *l)
{
	struct profile *p = config_array(l, 1, sizeof *p);
	struct layer layer = l->env;

	if (!p)
		return NULL;
	/* A guard that should at least record is not switched off: it is missing, and said to be. */
	for (int i = 0; i < N_LATER; i++)
		if (layer.records[i])
			layer.off[i] = (struct said_at){ 0 };
	*p = profile_blank();
	profile_apply(l, p, &layer, true);
	p->policy.profile = SL("environment");
	return p;
}

struct profile *config_default_profile(struct loader *l)
{
	if (l->default_profile.n)
		return config_profile(l, l->default_profile, l->default_profile_at);
	if (!l->root && l->flags->profile.p)
		return config_profile(l, l->flags->profile, (struct origin){ .file = SL("flag --profile") });
	if (env_is_profile(l))
		return profile_of_env(l);
	return config_profile(l, SL("observer"), (struct origin){ .file = l->file });
}

/* Beside a file, `--profile` is one more thing every agent's profile is cut down to. */
static void apply_flag_profile(struct loader *l, struct profile *p)
{
	struct slice name = l->flags->profile;

	if (!l->root || !name.p || slice_eq(name, p->policy.profile))
		return;
	const struct profile *other = config_profile(l, name, (struct origin){ .file = SL("flag --profile") });

	if (!other)
		return;
	struct layer layer = profile_as_layer(other);

	profile_apply(l, p, &layer, false);
	p->policy.profile = arena_fmt(l->arena, "%.*s+%.*s", SL_ARG(p->policy.profile), SL_ARG(name));
	if (!p->policy.profile.p)
		l->faults->lost = true;
}

static bool allows(const struct prefixes *allowed, struct slice path)
{
	if (!allowed->set)
		return true;
	for (size_t i = 0; i < allowed->n; i++)
		if (path_covers(allowed->v[i].path.text, path))
			return true;
	return false;
}

/* A prefix that no agent's profile allows asks for more than there is: obeying would widen, ignoring would mislead. */
static void check_inside(struct loader *l, const struct layer *layer, struct profile **v, size_t n)
{
	for (size_t i = 0; i < layer->allowed.n; i++) {
		const struct prefix *prefix = &layer->allowed.v[i];
		bool inside = false;

		for (size_t k = 0; k < n && !inside; k++)
			inside = allows(&v[k]->effective->policy.allowed, prefix->path.text);
		if (!inside)
			faults_add(l->faults, prefix->at,
				"`%.*s` would widen: it reaches outside what the profile allows",
				SL_ARG(prefix->path.text));
	}
}

static void apply_all(struct loader *l, const struct layer *layer, struct profile **v, size_t n)
{
	check_inside(l, layer, v, n);
	for (size_t k = 0; k < n; k++)
		profile_apply(l, v[k]->effective, layer, false);
}

/* Names the guards that some agent should have by default and this version does not have. */
static void name_absent_guards(struct loader *l, struct profile **v, size_t n)
{
	static const char *const names[N_LATER] = {
		[LATER_INSPECTION] = "inspection",
		[LATER_PII] = "pii",
	};
	struct slice *absent = config_array(l, N_LATER, sizeof *absent);
	size_t count = 0;

	if (!absent)
		return;
	for (int i = 0; i < N_LATER; i++) {
		bool wanted = false;

		for (size_t k = 0; k < n; k++)
			wanted = wanted || !v[k]->effective->off[i];
		if (wanted)
			absent[count++] = slice_of(names[i]);
	}
	l->config->absent_guards = absent;
	l->config->n_absent_guards = count;
}

void config_make_effective(struct loader *l, struct profile **v, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		v[k]->effective = config_array(l, 1, sizeof *v[k]->effective);
		if (!v[k]->effective)
			return;
		*v[k]->effective = *v[k];
		v[k]->effective->effective = NULL;
		apply_flag_profile(l, v[k]->effective);
	}
	if (!env_is_profile(l))
		apply_all(l, &l->env, v, n);
	apply_all(l, &l->command_line, v, n);
	name_absent_guards(l, v, n);
}
