#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "config_try.h"

int try_start(void **state)
{
	struct try *t = calloc(1, sizeof *t);

	faults_init(&t->faults);
	buf_init(&t->text, 1 << 20);
	*state = t;
	return 0;
}

int try_stop(void **state)
{
	struct try *t = *state;

	config_unref(t->config);
	faults_finish(&t->faults);
	buf_finish(&t->text);
	free(t);
	return 0;
}

static const char *get(void *ctx, const char *name)
{
	const char *const *env = ctx;
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

struct config *try_load_as(struct try *t, const char *yaml, const char *file, const struct config_flags *flags,
	const char *const *env)
{
	static const struct config_flags none;
	union {
		const char *const *in;
		void *out;
	} ctx = { .in = env };

	config_unref(t->config);
	faults_finish(&t->faults);
	faults_init(&t->faults);
	t->config = config_load(slice_of(yaml), slice_of(file), flags ? flags : &none, get, ctx.out, &t->faults);
	assert_true(!t->config == faults_any(&t->faults));
	return t->config;
}

struct config *try_load(struct try *t, const char *yaml, const struct config_flags *flags, const char *const *env)
{
	return try_load_as(t, yaml, yaml ? "f.yaml" : NULL, flags, env);
}

const char *try_faults(struct try *t)
{
	buf_clear(&t->text);
	for (size_t i = 0; i < t->faults.n; i++) {
		const struct fault *f = &t->faults.v[i];

		if (f->at.line)
			buf_add_fmt(&t->text, "%.*s:%u:%u: %.*s\n", SL_ARG(f->at.file), f->at.line, f->at.column, SL_ARG(f->text));
		else
			buf_add_fmt(&t->text, "%.*s: %.*s\n", SL_ARG(f->at.file), SL_ARG(f->text));
	}
	buf_add_char(&t->text, 0);
	return t->text.p;
}

const char *try_print(struct try *t)
{
	assert_non_null(t->config);
	buf_clear(&t->text);
	assert_int_equal(policy_print(t->config->agents[0].policy, &t->text), E_OK);
	buf_add_char(&t->text, 0);
	return t->text.p;
}

void try_rows(struct try *t, const struct try_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *got;

		try_load(t, rows[i].yaml, NULL, NULL);
		got = try_faults(t);
		if (strcmp(got, rows[i].faults ? rows[i].faults : ""))
			fail_msg("\n%s\ngave\n%s\nexpected\n%s", rows[i].yaml, got, rows[i].faults ? rows[i].faults : "");
	}
}
