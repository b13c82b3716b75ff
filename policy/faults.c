#include "policy/catalog.h"
#include <stdio.h>
#include <stdlib.h>

/* A broken file may hold thousands of mistakes; nobody reads past these. */
#define MAX_FAULTS      100
#define MAX_FAULT_BYTES ((size_t)1 << 20)

void faults_init(struct faults *f)
{
	*f = (struct faults){ 0 };
	arena_init(&f->arena, MAX_FAULT_BYTES);
}

void faults_finish(struct faults *f)
{
	free(f->v);
	arena_finish(&f->arena);
	*f = (struct faults){ 0 };
}

/* A place for one more fault, or NULL. */
static struct fault *grow(struct faults *f)
{
	if (f->n == MAX_FAULTS)
		return NULL;
	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 8;
		struct fault *v = realloc(f->v, cap * sizeof *v);

		if (!v)
			return NULL;
		f->v = v;
		f->cap = cap;
	}
	return &f->v[f->n++];
}

void faults_add(struct faults *f, struct origin at, const char *fmt, ...)
{
	struct fault *fault = grow(f);
	char text[1024];
	va_list args;

	if (!fault) {
		f->lost = true;
		return;
	}
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	size_t used = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;

	/* A fault may repeat what stood in the file: it must stay one line. */
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			text[i] = '?';

	fault->at = at;
	/* The place's name may live in memory that dies with the half-read configuration. */
	fault->at.file = arena_dup(&f->arena, at.file);
	fault->text = arena_dup(&f->arena, slice_make(text, used));
	if (!fault->text.p)
		fault->text = SL("out of memory");
}

bool faults_any(const struct faults *f)
{
	return f->n > 0 || f->lost;
}
