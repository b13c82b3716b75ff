/* Loading with the first, second, third … allocation failing: refused each time, nothing lost, nothing let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "policy/config.h"

/* X(function, return type, what failure gives, (parameters), (arguments)): each counts as an allocation. */
#define ALLOCATORS(X)                                                                                   \
	X(malloc, void *, NULL, (size_t n), (n))                                                        \
	X(calloc, void *, NULL, (size_t n, size_t size), (n, size))                                     \
	X(realloc, void *, NULL, (void *p, size_t n), (p, n))                                           \
	X(arena_alloc, void *, NULL, (struct arena * a, size_t n), (a, n))                              \
	X(arena_alloc_raw, void *, NULL, (struct arena * a, size_t n), (a, n))                          \
	X(arena_array, void *, NULL, (struct arena * a, size_t n, size_t size), (a, n, size))           \
	X(arena_dup, struct slice, ((struct slice){ NULL, 0 }), (struct arena * a, struct slice s), (a, s))

/* Which allocation fails, counted down; 0: it has failed. */
static size_t until_failure = SIZE_MAX;
static bool for_good; /* and all that follow */

static bool fails(void)
{
	if (until_failure == 0)
		return for_good;
	return until_failure != SIZE_MAX && --until_failure == 0;
}

#define X(name, type, nothing, parameters, arguments)             \
	type __real_##name parameters;                            \
	type __wrap_##name parameters;                            \
	type __wrap_##name parameters                             \
	{                                                         \
		return fails() ? nothing : __real_##name arguments; \
	}
ALLOCATORS(X)
#undef X

static const char yaml[] =
	"upstreams: {vault: {url: 'https://x/', catalog: scaivault}, child: {command: [a, b], env: {A: '${B}'}}}\n"
	"profiles: {p: {extends: observer, allowed_paths: [a, b]}, q: {extends: p, denied_paths: [a/b], tools: {deny: [x]}}}\n"
	"agents:\n"
	"- {name: a, profile: q, identify: {local: true}, upstreams: [vault]}\n";

static const char *get(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "B") && strcmp(name, "SCAIVAULT_ALLOWED_PATHS") ? NULL : "a";
}

static struct config *load(struct faults *faults)
{
	static const struct config_flags none;

	return config_load(slice_of(yaml), SL("f.yaml"), &none, get, NULL, faults);
}

/* Loads with the nth allocation failing. True when there were fewer. */
static bool survives(size_t nth)
{
	struct faults faults;

	faults_init(&faults);
	until_failure = nth;
	struct config *c = load(&faults);
	bool reached = until_failure == 0;

	until_failure = SIZE_MAX;
	assert_true(!c == faults_any(&faults));
	if (reached && c)
		fail_msg("allocation %zu failed, and the configuration was loaded", nth);
	config_unref(c);
	faults_finish(&faults);
	return !reached;
}

static void try_all(void)
{
	size_t n = 1;

	while (!survives(n))
		n++;
	assert_true(n > 200); /* else little was tried */
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for_good = false;
	try_all();
}

static void all_allocations_from_one_on_may_fail(void **state)
{
	(void)state;
	for_good = true;
	try_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(all_allocations_from_one_on_may_fail),
	};

	return cmocka_run_group_tests_name("config_nomem", tests, NULL, NULL);
}
