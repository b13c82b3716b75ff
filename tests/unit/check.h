/* cmocka with what it wants to be included before it, and a check of slices that shows both. */
#ifndef NARROWGATE_TESTS_UNIT_CHECK_H
#define NARROWGATE_TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/slice.h"

static inline void check_slice(struct slice got, struct slice want, const char *file, int line)
{
	if (slice_eq(got, want))
		return;
	print_error("got  \"%.*s\" (%zu)\nwant \"%.*s\" (%zu)\n", SL_ARG(got), got.n, SL_ARG(want), want.n);
	_fail(file, line);
}

#define assert_slice(got, want) check_slice((got), (want), __FILE__, __LINE__)

#endif
