#include "upstream/child_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/slice.h"

static bool runs(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0;
}

static struct slice path_of(char *const *env)
{
	struct slice path = SL("/usr/local/bin:/usr/bin:/bin");

	for (; *env; env++)
		if (slice_starts(slice_of(*env), SL("PATH=")))
			path = slice_of(*env + 5); /* the last one wins, as for the child */
	return path;
}

char *child_path_find(const char *name, char *const *env)
{
	struct slice rest = path_of(env);

	if (!*name)
		return NULL;
	if (strchr(name, '/'))
		return runs(name) ? strdup(name) : NULL;
	while (rest.p) {
		struct slice dir = slice_cut(&rest, ':');
		char *file = NULL;

		if (!slice_starts(dir, SL("/")))
			continue;
		if (asprintf(&file, "%.*s/%s", SL_ARG(dir), name) < 0)
			return NULL;
		if (runs(file))
			return file;
		free(file);
	}
	return NULL;
}
