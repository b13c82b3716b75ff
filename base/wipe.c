#include "base/wipe.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Stands before every block, and keeps what follows aligned for any type. */
union head {
	size_t n;
	max_align_t align;
};

void wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

void *wipe_malloc(size_t n)
{
	union head *h = n > SIZE_MAX - sizeof(*h) ? NULL : malloc(sizeof(*h) + n);

	if (!h)
		return NULL;
	h->n = n;
	return h + 1;
}

void *wipe_calloc(size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	p = wipe_malloc(bytes);
	if (p)
		memset(p, 0, bytes);
	return p;
}

void *wipe_realloc(void *p, size_t n)
{
	size_t old = p ? ((union head *)p - 1)->n : 0;
	void *moved;

	if (p && n == 0) {
		wipe_free(p);
		return NULL;
	}
	moved = wipe_malloc(n);
	if (moved && p) {
		memcpy(moved, p, old < n ? old : n);
		wipe_free(p);
	}
	return moved;
}

char *wipe_strdup(const char *z)
{
	size_t n = strlen(z) + 1;
	char *copy = wipe_malloc(n);

	return copy ? memcpy(copy, z, n) : NULL;
}

void wipe_free(void *p)
{
	union head *h = p;

	if (!p)
		return;
	h--;
	wipe(p, h->n);
	free(h);
}
