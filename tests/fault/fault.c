#include "tests/fault/fault.h"

#include <malloc.h>
#include <stdio.h>
#include "tests/unit/check.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

/* Allocations until one fails; 0: none will. */
static unsigned countdown;
static unsigned seen;

static bool fails(void)
{
	seen++;
	return countdown && --countdown == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

void __wrap_free(void *p)
{
	if (p && memmem(p, malloc_usable_size(p), FAULT_SECRET, sizeof(FAULT_SECRET) - 1)) {
		fputs("a secret was freed without being wiped\n", stderr);
		abort();
	}
	__real_free(p);
}

void fault_each(enum err (*body)(void))
{
	for (unsigned nth = 1;; nth++) {
		enum err e;
		bool fired;
		seen = 0;
		countdown = nth;
		e = body();
		fired = countdown == 0;
		countdown = 0;
		if (!fired) {
			assert_int_equal(e, E_OK);
			assert_true(nth > 1);
			return;
		}
		if (e != E_NOMEM && e != E_OK) {
			print_error("allocation %u of %u: %s\n", nth, seen, err_text(e));
			fail();
		}
	}
}
