/*
 * What a fuzz target holds to be so: where it is not, the run ends there.
 */
#ifndef NARROWGATE_TESTS_FUZZ_REQUIRE_H
#define NARROWGATE_TESTS_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition)                                                                \
	do {                                                                              \
		if (!(condition)) {                                                       \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                          \
		}                                                                         \
	} while (0)

#endif
