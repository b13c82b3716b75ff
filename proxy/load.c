#include "proxy/load.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "policy/options.h"
#include "policy/yaml.h"

#define CONFIG_VARIABLE "NARROWGATE_CONFIG"
#define MAX_OURS 64

extern char **environ;

/* What the environment holds under our name, and which of it the configuration has asked for. */
struct ours {
	struct slice names[MAX_OURS];
	bool asked[MAX_OURS];
	size_t n;
};

const char *load_default_file(const char *given, const char *fallback)
{
	const char *named = given ? given : getenv(CONFIG_VARIABLE);

	if (named && *named)
		return named;
	return access(fallback, F_OK) == 0 ? fallback : NULL;
}

static const char *from_environment(void *ctx, const char *name)
{
	struct ours *ours = ctx;

	for (size_t i = 0; i < ours->n; i++)
		if (slice_eq(ours->names[i], slice_of(name)))
			ours->asked[i] = true;
	return getenv(name);
}

/* --- variables that nobody reads -------------------------------------------------------------------------------------- */

static struct slice prefix_of(struct slice name)
{
	static const struct slice prefixes[] = { { "NARROWGATE_", 11 }, { "SCAIVAULT_", 10 }, { "ONECLAW_", 8 } };

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (slice_starts(name, prefixes[i]))
			return prefixes[i];
	return SL("");
}

/* The variables with this prefix that mean something, without it; NULL-terminated. */
static void known_variables(struct slice prefix, const char **out)
{
	for (enum option o = 0; o < N_OPTIONS; o++)
		for (size_t i = 0; i < OPTION_VARIABLES; i++) {
			const char *name = option_row(o)->variables[i];

			if (name && slice_starts(slice_of(name), prefix))
				*out++ = name + prefix.n;
		}
	*out = NULL;
}

/* Kubernetes sets variables for each service, and one may bear our name. */
static bool is_service_link(struct slice rest)
{
	static const struct slice marks[] = { { "SERVICE_HOST", 12 }, { "SERVICE_PORT", 12 }, { "PORT", 4 } };

	for (size_t from = 0; from < rest.n; from++)
		for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
			if ((from == 0 || rest.p[from - 1] == '_') && slice_starts(slice_from(rest, from), marks[i]))
				return true;
	return false;
}

static bool is_credential(const struct config *c, struct slice name)
{
	for (size_t i = 0; c && i < c->n_upstreams; i++)
		if (c->upstreams[i].credential.secret.from == SECRET_ENV && slice_eq(c->upstreams[i].credential.secret.name, name))
			return true;
	return false;
}

/* A switch that is misspelt would silently not narrow. The vaults' own names may be for the vault's server: only slips are faults. */
static void check_variable(struct slice name, bool asked, const struct config *c, struct faults *faults)
{
	const char *known[OPTION_VARIABLES * N_OPTIONS + 1];
	struct slice prefix = prefix_of(name), rest = slice_from(name, prefix.n);
	bool is_ours = slice_eq(prefix, SL("NARROWGATE_"));

	if (!prefix.n || asked || slice_eq(name, SL(CONFIG_VARIABLE)) || is_service_link(rest) || is_credential(c, name))
		return;
	known_variables(prefix, known);
	for (size_t i = 0; known[i]; i++)
		if (slice_eq(rest, slice_of(known[i])))
			return;
	const char *near = yaml_nearest(rest, known);
	struct origin at = { .file = SL("environment") };

	if (near)
		faults_add(faults, at, "%.*s is no variable of narrowgate: is %.*s%s meant?", SL_ARG(name), SL_ARG(prefix), near);
	else if (is_ours)
		faults_add(faults, at, "%.*s is no variable of narrowgate, and the configuration does not use it", SL_ARG(name));
}

static struct slice name_of(const char *line)
{
	struct slice rest = slice_of(line);

	return slice_cut(&rest, '=');
}

static void find_ours(struct ours *ours)
{
	for (char **e = environ; *e && ours->n < MAX_OURS; e++)
		if (prefix_of(name_of(*e)).n)
			ours->names[ours->n++] = name_of(*e);
}

/* --- loading ---------------------------------------------------------------------------------------------------------- */

static struct config *load_text(struct slice text, const struct load_source *source, struct faults *faults)
{
	struct ours ours = { .n = 0 };

	find_ours(&ours);
	struct config *config = config_load(text, slice_of(source->file), &source->flags, from_environment, &ours, faults);
	for (size_t i = 0; i < ours.n; i++)
		check_variable(ours.names[i], ours.asked[i], config, faults);
	if (!faults_any(faults))
		return config;
	config_unref(config);
	return NULL;
}

struct config *load_config(const struct load_source *source, struct faults *faults)
{
	struct arena arena;
	struct slice text = SL("");
	struct config *config = NULL;

	arena_init(&arena, 16u << 20);
	enum err e = source->file ? config_read_file(source->file, &arena, &text) : E_OK;
	if (e != E_OK)
		faults_add(faults, (struct origin){ .file = slice_of(source->file) }, "cannot be read: %s",
			e == E_IO ? strerror(errno) : err_text(e));
	else
		config = load_text(text, source, faults);
	arena_finish(&arena);
	return config;
}

void load_print_faults(FILE *to, const struct faults *faults)
{
	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *f = &faults->v[i];

		fprintf(to, "narrowgate: ");
		if (f->at.file.n)
			fprintf(to, "%.*s:", SL_ARG(f->at.file));
		if (f->at.line)
			fprintf(to, "%u:%u:", f->at.line, f->at.column);
		fprintf(to, "%s%.*s\n", f->at.file.n ? " " : "", SL_ARG(f->text));
	}
}
