/*
 * Allocations that fail on demand, and a look at what is freed: linked with --wrap (see meson.build), so that malloc, calloc,
 * realloc and free of our own objects come here first. Libraries are not touched.
 */
#ifndef NARROWGATE_TESTS_FAULT_FAULT_H
#define NARROWGATE_TESTS_FAULT_FAULT_H

#include "base/err.h"

/*
 * Runs `body` with the 1st, 2nd, 3rd … allocation failing, until one run needs fewer: that one must return E_OK. Every other
 * must return E_NOMEM, or E_OK where it could do without. Fails the cmocka test otherwise, and when no allocation was seen.
 */
void fault_each(enum err (*body)(void));

/* While this text stands in a block that is freed, free fails the test: freed secrets must have been wiped. */
#define FAULT_SECRET "S3cr3t-Canary-9041"

#endif
