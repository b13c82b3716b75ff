/*
 * Memory for keys: pages of their own that are neither swapped nor written into a core dump, where the system allows it.
 */
#ifndef NARROWGATE_BASE_LOCKED_H
#define NARROWGATE_BASE_LOCKED_H

#include <stddef.h>

/* n bytes, zeroed; NULL when memory is out. That the pages may not be locked (RLIMIT_MEMLOCK) is no failure. */
void *locked_alloc(size_t n);
/* Wipes and gives back; `n` as it was asked for. NULL is fine. */
void locked_free(void *, size_t n);

#endif
