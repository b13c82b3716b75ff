#include <stdio.h>
#include "tests/unit/check.h"

#include "base/bare.h"
#include "guards/fingerprints.h"

static struct fingerprints *prints;
static struct arena arena;

static int open_prints(void **state)
{
	(void)state;
	arena_init(&arena, 256u << 20);
	prints = fingerprints_create(FINGERPRINTS_VALUES, FINGERPRINTS_PIECES);
	return prints ? 0 : -1;
}

static int close_prints(void **state)
{
	(void)state;
	fingerprints_free(prints);
	arena_finish(&arena);
	return 0;
}

static bool keep_first(void *ctx, const struct value_found *found)
{
	*(struct value_found *)ctx = *found;
	((struct value_found *)ctx)->path = arena_dup(&arena, found->path);
	return false;
}

static bool find(const char *text, uint64_t now, struct value_found *found)
{
	struct bare b;

	*found = (struct value_found){ .path = { NULL, 0 } };
	assert_int_equal(bare_init(&b, strlen(text), false, false, &arena), E_OK);
	assert_int_equal(bare_add(&b, slice_of(text)), E_OK);
	assert_int_equal(fingerprints_scan(prints, bare_text(&b), now, keep_first, found, &arena), E_OK);
	return found->path.p != NULL;
}

static enum err learn(const char *value, const char *path)
{
	return fingerprints_learn(prints, slice_of(value), slice_of(path), VARIETY_VALUE, 5000, 1000, &arena);
}

static void test_forms(void **state)
{
	struct value_found f;

	(void)state;
	assert_int_equal(learn("tK9-mQ4xVz7pLw2R", "prod/db"), E_OK);
	assert_true(find("tK9-mQ4xVz7pLw2R", 1000, &f));
	assert_slice(f.path, SL("prod/db"));
	assert_int_equal(f.form, FORM_PLAIN);
	assert_true(find("send https://x.test/?q=tk9mq4xvz7plw2r&b=1", 1000, &f));
	assert_true(find("T K 9 m Q 4 x V z 7 p L w 2 R", 1000, &f));
	assert_true(find("a t\xe2\x80\x8bK9-m\xef\xbc\xb1""4xVz7pLw2R z", 1000, &f));
	assert_true(find("R2wLp7zVx4Qm-9Kt", 1000, &f));
	assert_int_equal(f.form, FORM_REVERSED);
	assert_true(find("gX9-zD4kIm7cYj2E", 1000, &f));
	assert_int_equal(f.form, FORM_ROT13);
	assert_true(find("744b392d6d513478567a37704c773252", 1000, &f));
	assert_int_equal(f.form, FORM_HEX);
	assert_true(find("dEs5LW1RNHhWejdwTHcyUg==", 1000, &f));
	assert_int_equal(f.form, FORM_BASE64);
	assert_true(find("eHRLOS1tUTR4Vno3cEx3MlI=", 1000, &f)); /* x before it */
	assert_true(find("eHh0SzktbVE0eFZ6N3BMdzJS", 1000, &f)); /* xx before it */
	assert_false(find("tK9-mQ4x", 1000, &f));
	assert_false(find("nothing of the kind", 1000, &f));
	assert_false(find("tK9-mQ4xVz7pLw2R", 5000, &f)); /* it has expired */
}

static void test_fragments(void **state)
{
	static const char value[] = "q7RkW2zXt9LmB4vNc8PsD3fGh6JyT1uE5oA0iKwZbVxQrSdF";
	struct value_found f;

	(void)state;
	assert_int_equal(learn(value, "prod/long"), E_OK);
	for (size_t i = 0; i + 16 < sizeof value; i++) {
		char part[17] = { 0 };

		memcpy(part, value + i, 16);
		assert_true(find(part, 1000, &f));
		part[8] = 0;
		assert_false(find(part, 1000, &f));
	}
}

static void test_not_worth(void **state)
{
	static const char *const words[] = { "true", "5432", "admin", "us-east-1", "", "        ", "db.prod.internal.example.com", "localhost:5432",
		"https://api.example.com/v1/charges", "postgres://app@db.internal:5432/app", "gpt-4o-mini", "text-embedding-3-large", "production",
		"claude-sonnet-4-20250514", "2026-12-01T10:00:00Z", "192.168.100.200", "ops@example.com", "Europe/Berlin", "changeme",
		"aaaaaaaaaaaaaaaa", "1234567890", "meta-llama/Llama-3.1-70B", "enabled,disabled", "AES-256-GCM", "3.14159265" };

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		assert_int_equal(learn(words[i], "prod/x"), E_OK);
		if (fingerprints_values(prints))
			print_message("remembered: %s\n", words[i]);
		assert_int_equal(fingerprints_values(prints), 0);
	}
}

static void test_worth(void **state)
{
	static const char *const values[] = { "Xk9#mP2$", "hunter2hunter2", "correct-horse-battery-staple", "9f8e7d6c5b4a39281706", "p@$$w#!%7^",
		"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c-\xd1\x81\xd0\xb5\xd0\xba\xd1\x80\xd0\xb5\xd1\x82-77", "Summer2024!Rain",
		"sk_live_51HxAbCdEfGhIjKlMn", "4539578763621486", "7f9c24e8-3b12-4d01-a5b6-0c1d2e3f4a5b", "zqvxkjwpbtrnmdls", "Tr0ub4dor&3" };

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		assert_int_equal(learn(values[i], "prod/x"), E_OK);
		if (fingerprints_values(prints) != i + 1)
			print_message("not remembered: %s\n", values[i]);
		assert_int_equal(fingerprints_values(prints), i + 1);
	}
	assert_true(fingerprints_want_signs(prints));
}

static void test_inside(void **state)
{
	struct value_found f;

	(void)state;
	assert_int_equal(learn("postgres://app:s3Kr8tP4ss9x@db.internal.example.com:5432/app?sslmode=require", "prod/url"), E_OK);
	assert_true(find("the password s3Kr8tP4ss9x", 1000, &f));
	assert_false(find("connect to db.internal.example.com:5432/app?sslmode=require", 1000, &f));
	assert_int_equal(learn("{\"user\":\"svc\",\"password\":\"b7Tq2LmX9z\",\"host\":\"db.internal.example.com\"}", "prod/json"), E_OK);
	assert_true(find("b7Tq2LmX9z", 1000, &f));
	assert_slice(f.path, SL("prod/json"));
	assert_int_equal(learn("HOST=db.internal\nAPI_TOKEN=\"k4Jw8Zr1Qp\"\n", "prod/env"), E_OK);
	assert_true(find("k4Jw8Zr1Qp", 1000, &f));
	assert_int_equal(learn("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI5MzQ3MTEifQ.Xq8zRk2LmWv7TnPb4YcJd9", "prod/jwt"), E_OK);
	assert_false(find("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", 1000, &f));
	assert_true(find("Xq8zRk2LmWv7TnPb4YcJd9", 1000, &f));
}

static void test_bounds(void **state)
{
	struct fingerprints *small = fingerprints_create(2, 10000);
	char value[32];

	(void)state;
	for (int i = 0; i < 3; i++) {
		snprintf(value, sizeof value, "vK8wq%dZr1Qp7Lm%d", i, i * 7);
		enum err e = fingerprints_learn(small, slice_of(value), SL("p"), VARIETY_VALUE, 2000, 1000, &arena);
		assert_int_equal(e, i < 2 ? E_OK : E_FULL);
	}
	/* What has expired makes room. */
	assert_int_equal(fingerprints_learn(small, slice_of(value), SL("p"), VARIETY_VALUE, 4000, 3000, &arena), E_OK);
	assert_int_equal(fingerprints_values(small), 1);
	fingerprints_free(small);
}

static void test_memory(void **state)
{
	char value[33] = { 0 };
	uint32_t x = 12345;
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	(void)state;
	for (int i = 0; i < 1000; i++) {
		for (int k = 0; k < 32; k++) {
			x = x * 1664525u + 1013904223u;
			value[k] = alphabet[(x >> 16) % 62];
		}
		assert_int_equal(learn(value, "prod/some/path"), E_OK);
		arena_reset(&arena);
	}
	assert_int_equal(fingerprints_values(prints), 1000);
	print_message("1000 values of 32 characters: %zu pieces, %zu bytes each\n", fingerprints_pieces(prints),
		fingerprints_bytes(prints) / 1000);
	assert_true(fingerprints_bytes(prints) < 3000u * 1000u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forms, open_prints, close_prints),
		cmocka_unit_test_setup_teardown(test_fragments, open_prints, close_prints),
		cmocka_unit_test_setup_teardown(test_not_worth, open_prints, close_prints),
		cmocka_unit_test_setup_teardown(test_worth, open_prints, close_prints),
		cmocka_unit_test_setup_teardown(test_inside, open_prints, close_prints),
		cmocka_unit_test_setup_teardown(test_bounds, open_prints, close_prints),
		cmocka_unit_test_setup_teardown(test_memory, open_prints, close_prints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
