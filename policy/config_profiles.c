/* Profiles: of the file, built in, and what `extends` makes of them. */
#include "policy/config_inside.h"

#include "policy/embed.h"

#define MAX_CHAIN 16 /* profiles that extend one another */

static const struct embedded *find_builtin(struct slice name)
{
	for (size_t i = 0; i < policy_profiles_count; i++)
		if (slice_eq(name, slice_of(policy_profiles[i].name)))
			return &policy_profiles[i];
	return NULL;
}

static struct profile_row *find_row(struct loader *l, struct slice name)
{
	for (size_t i = 0; i < l->n_rows; i++)
		if (slice_eq(l->rows[i].name, name))
			return &l->rows[i];
	return NULL;
}

static void unknown_profile(struct loader *l, struct slice name, struct origin at)
{
	const char **names = config_array(l, l->n_rows + 1, sizeof *names);
	size_t n = 0;

	for (size_t i = 0; names && i < l->n_rows; i++)
		names[n++] = l->rows[i].name.p; /* copies of the arena: NUL-terminated */
	const char *near = names ? yaml_nearest(name, names) : NULL;

	if (near)
		faults_add(l->faults, at, "no profile is called `%.*s`: did you mean `%s`?",
			SL_ARG(slice_head(name, 60)), near);
	else
		faults_add(l->faults, at,
			"no profile is called `%.*s`: built in are auditor, observer, open, reader, rotator, writer",
			SL_ARG(slice_head(name, 60)));
}

static struct profile *read_row(struct loader *l, struct profile_row *row, unsigned chain);

/* The parent as the beginning of a child; false after a fault. */
static bool begin_with_parent(struct loader *l, struct profile *p, const struct yaml_node *extends, unsigned chain)
{
	struct slice name = config_text(l, extends);
	struct profile_row *parent = name.p ? find_row(l, name) : NULL;

	if (!name.p)
		return false;
	if (!parent) {
		unknown_profile(l, name, extends->at);
		return false;
	}
	if (parent->open || chain == MAX_CHAIN) {
		faults_add(l->faults, extends->at,
			parent->open ? "`extends: %.*s` goes round in a circle"
					: "`extends: %.*s`: too many profiles extend one another",
			SL_ARG(name));
		return false;
	}
	const struct profile *from = read_row(l, parent, chain + 1);
	if (!from)
		return false; /* its own fault says why */
	*p = *from;
	p->effective = NULL;
	return true;
}

static struct profile *read_node(struct loader *l, struct profile_row *row, unsigned chain)
{
	const struct yaml_node *extends = yaml_get(row->node, SL("extends"));
	struct profile *p = config_array(l, 1, sizeof *p);
	struct layer layer;
	size_t before = l->faults->n;

	if (!p)
		return NULL;
	*p = profile_blank();
	config_read_layer(l, row->node, &layer);
	if (extends && !begin_with_parent(l, p, extends, chain))
		return NULL;
	/* Widening is told of the parent by the parent's name. */
	profile_apply(l, p, &layer, !extends);
	p->policy.profile = row->name;
	return l->faults->n == before && !l->faults->lost ? p : NULL;
}

static const struct yaml_node *parse_builtin(struct loader *l, struct slice name)
{
	const struct embedded *e = find_builtin(name);
	struct slice file = arena_fmt(l->arena, "built-in %.*s", SL_ARG(name));

	return yaml_parse(slice_make(e->text, e->length), file, l->arena, l->faults);
}

static struct profile *read_row(struct loader *l, struct profile_row *row, unsigned chain)
{
	if (row->profile || row->broken)
		return row->profile;
	if (!row->node)
		row->node = parse_builtin(l, row->name);
	row->open = true;
	row->profile = row->node ? read_node(l, row, chain) : NULL;
	row->open = false;
	row->broken = !row->profile;
	return row->profile;
}

struct profile *config_profile(struct loader *l, struct slice name, struct origin at)
{
	struct profile_row *row = find_row(l, name);

	if (row)
		return read_row(l, row, 0);
	unknown_profile(l, name, at);
	return NULL;
}

static void add_row(struct loader *l, struct slice name, const struct yaml_node *node)
{
	struct profile_row *row = &l->rows[l->n_rows];

	*row = (struct profile_row){ .name = arena_dup(l->arena, name), .node = node };
	if (row->name.p)
		l->n_rows++;
	else
		l->faults->lost = true;
}

void config_read_profiles(struct loader *l, const struct yaml_node *map)
{
	size_t n = map && map->kind == YAML_MAP ? map->n : 0;

	l->rows = config_array(l, policy_profiles_count + n, sizeof *l->rows);
	if (!l->rows)
		return;
	for (size_t i = 0; i < policy_profiles_count; i++)
		add_row(l, slice_of(policy_profiles[i].name), NULL);
	if (map && map->kind != YAML_NULL && !yaml_is(map, YAML_MAP, l->faults))
		return;
	for (const struct yaml_node *c = map ? map->first : NULL; c; c = c->next) {
		if (find_builtin(c->key))
			faults_add(l->faults, c->key_at,
				"`%.*s` is a built-in profile: give yours another name and `extends: %.*s`",
				SL_ARG(c->key), SL_ARG(c->key));
		else
			add_row(l, c->key, c);
	}
	for (size_t i = policy_profiles_count; i < l->n_rows; i++)
		read_row(l, &l->rows[i], 0);
}
