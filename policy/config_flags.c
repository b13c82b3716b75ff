/* What the command line adds: a narrower profile, prefixes, a tenant. */
#include "policy/config_inside.h"

static struct origin flag_origin(const char *flag)
{
	return (struct origin){ .file = slice_of(flag) };
}

static void read_list(struct loader *l, const struct slice *list, size_t n, const char *flag, struct prefixes *out)
{
	if (n == 0)
		return;
	struct prefix *v = config_array(l, n, sizeof *v);
	size_t kept = 0;

	for (size_t i = 0; v && i < n; i++) {
		struct slice text = arena_dup(l->arena, list[i]);

		config_hash_add(l, slice_of(flag), list[i]);
		if (config_prefix(l, text, flag_origin(flag), &v[kept]))
			kept++;
	}
	*out = (struct prefixes){ .set = true, .v = v, .n = kept, .at = flag_origin(flag) };
}

void config_read_flags(struct loader *l)
{
	const struct config_flags *f = l->flags;
	struct layer *layer = &l->command_line;

	read_list(l, f->allow, f->n_allow, "flag --allow", &layer->allowed);
	read_list(l, f->deny, f->n_deny, "flag --deny", &layer->denied);
	if (f->tenant.p) {
		config_hash_add(l, SL("flag --tenant"), f->tenant);
		if (f->tenant.n == 0)
			faults_add(l->faults, flag_origin("flag --tenant"), "an empty tenant");
		layer->tenant = (struct lock){ arena_dup(l->arena, f->tenant), flag_origin("flag --tenant") };
	}
	if (f->profile.p)
		config_hash_add(l, SL("flag --profile"), f->profile);
	if (f->catalog.p)
		config_hash_add(l, SL("flag --catalog"), f->catalog);
	for (size_t i = 0; i < f->n_command; i++)
		config_hash_add(l, SL("command"), f->command[i]);
}
