#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/asan.h"
#include "base/wipe.h"

/* Under AddressSanitizer what was not given out is poisoned, and allocations stand apart: overruns are seen at once. */
#if NARROWGATE_ASAN
#include <sanitizer/asan_interface.h>
#define ARENA_GAP 16
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ARENA_GAP 0
#endif

enum {
	FIRST_BYTES = 16 * 1024,
	MOST_BYTES = 1024 * 1024, /* blocks double up to here; what needs more than half of one gets its own */
	ALIGN = 16,
};

struct arena_block {
	struct arena_block *next;
	size_t size; /* of data */
	size_t used;
	_Alignas(ALIGN) char data[];
};

void arena_init(struct arena *a, size_t max_bytes)
{
	*a = (struct arena){ .max_bytes = max_bytes };
}

static void block_wipe(struct arena_block *b)
{
	ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
	wipe(b->data, b->used);
	b->used = 0;
}

/* Wipes and frees a block and all behind it. */
static void blocks_free(struct arena_block *b)
{
	while (b) {
		struct arena_block *next = b->next;
		block_wipe(b);
		free(b);
		b = next;
	}
}

void arena_reset(struct arena *a)
{
	if (!a->first)
		return;
	blocks_free(a->first->next);
	block_wipe(a->first);
	ASAN_POISON_MEMORY_REGION(a->first->data, a->first->size);
	a->first->next = NULL;
	a->current = a->first;
	a->used_bytes = 0;
}

void arena_finish(struct arena *a)
{
	blocks_free(a->first);
	arena_init(a, a->max_bytes);
}

static struct arena_block *block_create(size_t size)
{
	struct arena_block *b = malloc(sizeof(*b) + size);

	if (!b)
		return NULL;
	*b = (struct arena_block){ .size = size };
	ASAN_POISON_MEMORY_REGION(b->data, size);
	return b;
}

/* A block with room for `need` more bytes. It stands behind the first, whose place never changes. */
static struct arena_block *arena_grow(struct arena *a, size_t need)
{
	struct arena_block *b;
	size_t size;

	if (!a->first) {
		a->first = a->current = block_create(FIRST_BYTES);
		if (!a->first || need <= FIRST_BYTES)
			return a->first;
	}
	size = a->current->size < MOST_BYTES ? 2 * a->current->size : MOST_BYTES;
	b = block_create(need > size / 2 ? need : size);
	if (!b)
		return NULL;
	b->next = a->first->next;
	a->first->next = b;
	if (need <= size / 2)
		a->current = b;
	return b;
}

static size_t rounded(size_t n)
{
	return (n + ARENA_GAP + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void *arena_alloc_raw(struct arena *a, size_t n)
{
	struct arena_block *b = a->current;
	size_t need;
	char *p;

	if (n > a->max_bytes || n > SIZE_MAX / 2)
		return NULL;
	need = rounded(n);
	if (need > a->max_bytes - a->used_bytes)
		return NULL;
	if (!b || need > b->size - b->used)
		b = arena_grow(a, need);
	if (!b)
		return NULL;
	p = b->data + b->used;
	b->used += need;
	a->used_bytes += need;
	ASAN_UNPOISON_MEMORY_REGION(p, n);
	return p;
}

void arena_shrink(struct arena *a, void *p, size_t n, size_t keep)
{
	struct arena_block *b = a->current, *newest = a->first ? a->first->next : NULL;
	size_t less = rounded(n) - rounded(keep);

	if (newest && (char *)p == newest->data)
		b = newest; /* it has a block of its own */
	if (!b || (char *)p + rounded(n) != b->data + b->used)
		return;
	ASAN_POISON_MEMORY_REGION((char *)p + keep, n - keep);
	b->used -= less;
	a->used_bytes -= less;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p = arena_alloc_raw(a, n);

	return p ? memset(p, 0, n) : NULL;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : arena_alloc(a, bytes);
}

struct slice arena_dup(struct arena *a, struct slice s)
{
	char *p = s.n == SIZE_MAX ? NULL : arena_alloc_raw(a, s.n + 1);

	if (!p)
		return (struct slice){ NULL, 0 };
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct slice){ p, s.n };
}

struct slice arena_join(struct arena *a, struct slice x, struct slice y, struct slice z)
{
	size_t n;
	char *p = NULL;

	if (!__builtin_add_overflow(x.n, y.n, &n) && !__builtin_add_overflow(n, z.n, &n) && n < SIZE_MAX)
		p = arena_alloc_raw(a, n + 1);
	if (!p)
		return (struct slice){ NULL, 0 };
	if (x.n)
		memcpy(p, x.p, x.n);
	if (y.n)
		memcpy(p + x.n, y.p, y.n);
	if (z.n)
		memcpy(p + x.n + y.n, z.p, z.n);
	p[n] = '\0';
	return (struct slice){ p, n };
}

struct slice arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *p = NULL;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n >= 0)
		p = arena_alloc_raw(a, (size_t)n + 1);
	if (!p)
		return (struct slice){ NULL, 0 };
	va_start(args, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, args);
	va_end(args);
	return (struct slice){ p, (size_t)n };
}
