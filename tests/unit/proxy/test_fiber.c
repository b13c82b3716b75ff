#include "tests/unit/check.h"

#include "base/json.h"
#include "proxy/fiber.h"

struct work {
	struct arena arena;
	struct fiber *inner; /* run to its end from inside, after the first rest */
	int steps, done;
};

static void count(void *ctx)
{
	struct work *w = ctx;

	for (; w->done < w->steps; w->done++)
		arena_worked(&w->arena, FIBER_SLICE_BYTES / 2);
	while (w->inner && !fiber_run(w->inner))
		;
}

static struct fiber *begin(struct work *w)
{
	struct fiber *f = fiber_create(count, w);

	assert_non_null(f);
	arena_init(&w->arena, 1 << 20);
	w->arena.pace = fiber_pace(f);
	assert_false(fiber_is_running(f));
	return f;
}

static void rests_between_slices(void **state)
{
	struct work w = { .steps = 6 };
	struct fiber *f = begin(&w);

	(void)state;
	assert_int_equal(w.done, 0);
	for (int slices = 1; !fiber_run(f); slices++) {
		assert_int_equal(w.done, 2 * slices - 1); /* the step that filled the slice is not counted yet */
		assert_false(fiber_is_running(f));
	}
	assert_int_equal(w.done, 6);
	fiber_free(f);
}

static void two_take_turns(void **state)
{
	struct work a = { .steps = 10 }, b = { .steps = 4 };
	struct fiber *one = begin(&a), *other = begin(&b);
	bool a_over = false, b_over = false;

	(void)state;
	while (!a_over || !b_over) {
		a_over = a_over || fiber_run(one);
		b_over = b_over || fiber_run(other);
	}
	assert_int_equal(a.done, 10);
	assert_int_equal(b.done, 4);
	fiber_free(one);
	fiber_free(other);
}

/* An exchange that ends another brings that one's reading to its end from within its own. */
static void one_runs_another(void **state)
{
	struct work b = { .steps = 8 }, a = { .steps = 3 };
	struct fiber *inner = begin(&b), *outer = begin(&a);

	(void)state;
	assert_false(fiber_run(inner));
	a.inner = inner;
	while (!fiber_run(outer))
		;
	assert_int_equal(b.done, 8);
	fiber_free(inner);
	fiber_free(outer);
}

static void never_begun(void **state)
{
	struct work w = { .steps = 1 };

	(void)state;
	fiber_free(begin(&w));
	fiber_free(NULL);
}

/* The reader says what it does, and what it makes is the same. */
struct parse {
	struct arena arena;
	struct slice text;
	struct json json;
	enum err err;
};

static void parse(void *ctx)
{
	struct parse *p = ctx;

	p->err = json_parse(&p->json, p->text, &p->arena, NULL);
}

static void a_long_text_is_read_in_slices(void **state)
{
	struct parse p = { .err = E_INVALID };
	struct buf text;
	int slices = 1;

	(void)state;
	buf_init(&text, 1 << 21);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(buf_add(&text, i ? SL(",{\"name\":\"va\\nlue\",\"n\":1.5}") : SL("[{\"name\":\"va\\nlue\",\"n\":1.5}")), E_OK);
	assert_int_equal(buf_add(&text, SL("]")), E_OK);
	p.text = buf_slice(&text);
	struct fiber *f = fiber_create(parse, &p);
	assert_non_null(f);
	arena_init(&p.arena, 1 << 24);
	p.arena.pace = fiber_pace(f);
	while (!fiber_run(f))
		slices++;
	assert_int_equal(p.err, E_OK);
	assert_int_equal(p.json.tok[0].count, 20000);
	assert_true(slices > (int)(text.n / FIBER_SLICE_BYTES) / 2);
	fiber_free(f);
	arena_finish(&p.arena);
	buf_finish(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rests_between_slices),
		cmocka_unit_test(two_take_turns),
		cmocka_unit_test(one_runs_another),
		cmocka_unit_test(never_begun),
		cmocka_unit_test(a_long_text_is_read_in_slices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
