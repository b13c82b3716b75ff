/*
 * The configuration file. Whatever it says: it is read or refused with a fault, never both; under NARROWGATE_READ_ONLY and
 * a prefix from the command line, every agent's profile is that narrow.
 */
#include <stdio.h>
#include <stdlib.h>
#include "policy/config.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get(void *ctx, const char *name)
{
	(void)ctx;
	if (!strcmp(name, "NARROWGATE_READ_ONLY"))
		return "true";
	return strcmp(name, "A") ? NULL : "b";
}

static void check_policy(const struct policy *p)
{
	struct buf out;

	REQUIRE(p && p->profile.n);
	REQUIRE(p->read_only && p->allowed.set);
	for (size_t i = 0; i < p->allowed.n; i++)
		REQUIRE(path_covers(SL("a"), p->allowed.v[i].path.text));
	buf_init(&out, 16 << 20);
	REQUIRE(policy_print(p, &out) == E_OK);
	buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct slice allow = { "a", 1 };
	const struct config_flags flags = { .allow = &allow, .n_allow = 1 };
	struct faults faults;

	faults_init(&faults);
	struct config *c = config_load(slice_make((const char *)data, size), SL("f.yaml"), &flags, get, NULL, &faults);

	REQUIRE(!c == faults_any(&faults));
	REQUIRE(!c || c->n_agents > 0);
	for (size_t i = 0; c && i < c->n_agents; i++)
		check_policy(c->agents[i].policy);
	for (size_t i = 0; c && i < c->n_upstreams; i++)
		REQUIRE(!c->upstreams[i].url.n == !!c->upstreams[i].n_command);
	config_unref(c);
	faults_finish(&faults);
	return 0;
}
