#include "proxy/load.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

const char *load_default_file(const char *given, const char *fallback)
{
	const char *named = given ? given : getenv("NARROWGATE_CONFIG");

	if (named && *named)
		return named;
	return access(fallback, F_OK) == 0 ? fallback : NULL;
}

static const char *from_environment(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
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
		config = config_load(text, slice_of(source->file), &source->flags, from_environment, NULL, faults);
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
