/*
 * Zeroing memory, and an allocator that wipes what it frees; given to OpenSSL and libcurl before they start.
 */
#ifndef NARROWGATE_BASE_WIPE_H
#define NARROWGATE_BASE_WIPE_H

#include <stddef.h>

/* Overwrites n bytes in a way the compiler does not drop. */
void wipe(void *p, size_t n);

/* malloc's family; every block remembers its size and is wiped before it is freed or moved. */
void *wipe_malloc(size_t n);
void *wipe_calloc(size_t n, size_t size);
void *wipe_realloc(void *p, size_t n);
char *wipe_strdup(const char *z);
void wipe_free(void *p);

#endif
