#include "tests/unit/check.h"
#include "base/seal.h"

static struct seal_key key, other;

static void opens(const struct seal_key *k, struct slice place, struct slice text, enum err want_err, struct slice want)
{
	struct buf out;

	buf_init(&out, 200);
	assert_int_equal(seal_open(&out, k, place, text), want_err);
	assert_slice(buf_slice(&out), want);
	buf_finish(&out);
}

static void round_trip(void **state)
{
	static const struct slice texts[] = { { "", 0 }, { "a", 1 }, { "12 event-7", 10 }, { "\0\xff", 2 } };
	struct buf sealed;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		buf_init(&sealed, 1000);
		assert_int_equal(seal_shut(&sealed, &key, SL("session 1"), texts[i]), E_OK);
		assert_int_equal(sealed.n, 56 + 2 * texts[i].n);
		opens(&key, SL("session 1"), buf_slice(&sealed), E_OK, texts[i]);
		opens(&key, SL("session 2"), buf_slice(&sealed), E_INVALID, SL(""));
		opens(&key, SL(""), buf_slice(&sealed), E_INVALID, SL(""));
		opens(&other, SL("session 1"), buf_slice(&sealed), E_INVALID, SL(""));
		buf_finish(&sealed);
	}
}

/* Every character counts, and so does the length. */
static void changed(void **state)
{
	struct buf sealed;

	(void)state;
	buf_init(&sealed, 1000);
	assert_int_equal(seal_shut(&sealed, &key, SL("here"), SL("event")), E_OK);
	for (size_t i = 0; i < sealed.n; i++) {
		char was = sealed.p[i];
		sealed.p[i] = was == '0' ? '1' : '0';
		opens(&key, SL("here"), buf_slice(&sealed), E_INVALID, SL(""));
		sealed.p[i] = 'G';
		opens(&key, SL("here"), buf_slice(&sealed), E_INVALID, SL(""));
		sealed.p[i] = was;
	}
	for (size_t n = 0; n < sealed.n; n++)
		opens(&key, SL("here"), slice_head(buf_slice(&sealed), n), E_INVALID, SL(""));
	opens(&key, SL("here"), buf_slice(&sealed), E_OK, SL("event"));
	buf_finish(&sealed);
}

static void limits(void **state)
{
	static char big[64 * 1024 + 1];
	struct buf out;

	(void)state;
	buf_init(&out, 60);
	assert_int_equal(seal_shut(&out, &key, SL(""), slice_make(big, sizeof big)), E_TOO_BIG);
	assert_int_equal(seal_shut(&out, &key, SL(""), SL("abc")), E_TOO_BIG);
	assert_int_equal(out.n, 0);
	buf_finish(&out);
}

/* Two of the same text are not alike. */
static void fresh(void **state)
{
	struct buf a, b;

	(void)state;
	buf_init(&a, 200);
	buf_init(&b, 200);
	assert_int_equal(seal_shut(&a, &key, SL("x"), SL("same")), E_OK);
	assert_int_equal(seal_shut(&b, &key, SL("x"), SL("same")), E_OK);
	assert_false(slice_eq(buf_slice(&a), buf_slice(&b)));
	buf_finish(&a);
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(changed), cmocka_unit_test(limits),
		cmocka_unit_test(fresh) };

	seal_key_random(&key);
	seal_key_random(&other);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
