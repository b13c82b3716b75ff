#include "tests/unit/check.h"
#include <ctype.h>
#include <unistd.h>
#include "base/log.h"

static char seen[16384];

/* Runs log_line with stderr on a pipe; what was written is in `seen`. Returns the bytes of the first read: one write. */
#define CAPTURE(...)                                              \
	do {                                                      \
		int fd[2], saved = dup(STDERR_FILENO);            \
		ssize_t got;                                      \
		assert_int_equal(pipe(fd), 0);                    \
		dup2(fd[1], STDERR_FILENO);                       \
		log_line(__VA_ARGS__);                            \
		dup2(saved, STDERR_FILENO);                       \
		close(saved);                                     \
		close(fd[1]);                                     \
		got = read(fd[0], seen, sizeof(seen) - 1);        \
		seen[got < 0 ? 0 : got] = '\0';                   \
		close(fd[0]);                                     \
	} while (0)

/* What is behind `2026-11-20T11:12:13.123Z `. */
static const char *behind_time(void)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ ";

	for (size_t i = 0; shape[i]; i++)
		assert_true(shape[i] == 'd' ? isdigit((unsigned char)seen[i]) : seen[i] == shape[i]);
	return seen + sizeof(shape) - 1;
}

static void a_line(void **state)
{
	(void)state;
	CAPTURE(LOG_WARN, "upstream", "vault %s answered %d", "main", 503);
	assert_string_equal(behind_time(), "warn upstream: vault main answered 503\n");
}

static void levels(void **state)
{
	(void)state;
	CAPTURE(LOG_DEBUG, "a", "x");
	assert_string_equal(seen, "");
	log_set_level(LOG_DEBUG);
	CAPTURE(LOG_DEBUG, "a", "x");
	assert_string_equal(behind_time(), "debug a: x\n");
	log_set_level(LOG_ERROR);
	CAPTURE(LOG_WARN, "a", "x");
	assert_string_equal(seen, "");
	CAPTURE(LOG_ERROR, "a", "x");
	assert_string_equal(behind_time(), "error a: x\n");
	log_set_level(LOG_INFO);
}

/* OPS-05: a text from outside can neither start a line of its own nor move or colour what stands there. */
static void no_forged_lines(void **state)
{
	(void)state;
	CAPTURE(LOG_INFO, "a", "%s", "x\n2026-11-20T00:00:00.000Z info a: ok\r\x1b[2J\x7f\t");
	assert_string_equal(behind_time(), "info a: x\\x0a2026-11-20T00:00:00.000Z info a: ok\\x0d\\x1b[2J\\x7f\\x09\n");
	CAPTURE(LOG_INFO, "a", "%s", "r\u202el\u2066i\u200bz\u2028n\xc2\x85" "c");
	assert_string_equal(behind_time(),
		"info a: r\\xe2\\x80\\xael\\xe2\\x81\\xa6i\\xe2\\x80\\x8bz\\xe2\\x80\\xa8n\\xc2\\x85c\n");
	CAPTURE(LOG_INFO, "a", "%s", "caf\u00e9 \xff\xc3 \xe2\x82");
	assert_string_equal(behind_time(), "info a: caf\u00e9 \\xff\\xc3 \\xe2\\x82\n");
}

static void long_lines_are_cut(void **state)
{
	char text[10000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CAPTURE(LOG_INFO, "a", "%s", text);
	assert_true(strlen(seen) > 2000 && strlen(seen) < 4096);
	assert_string_equal(seen + strlen(seen) - 5, "x...\n");
	memset(text, '\n', sizeof(text) - 1);
	CAPTURE(LOG_INFO, "a", "%s", text);
	assert_true(strlen(seen) > 2000 && strlen(seen) <= 4096);
	assert_string_equal(seen + strlen(seen) - 4, "...\n");
	for (size_t i = 0; i + 1 < strlen(seen); i++)
		assert_int_not_equal(seen[i], '\n');
}

/* OPS-08 */
static void a_flood_is_counted(void **state)
{
	struct log_limit l = { 0 };
	unsigned long out = 7;

	(void)state;
	for (unsigned i = 0; i < LOG_LIMIT_LINES; i++) {
		assert_true(log_limit_admits(&l, 5, &out));
		assert_int_equal(out, 0);
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_false(log_limit_admits(&l, 4 + LOG_LIMIT_WINDOW_MS, &out));
	assert_true(log_limit_admits(&l, 5 + LOG_LIMIT_WINDOW_MS, &out));
	assert_int_equal(out, 1000);
	assert_true(log_limit_admits(&l, 6 + LOG_LIMIT_WINDOW_MS, &out));
	assert_int_equal(out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line),
		cmocka_unit_test(levels),
		cmocka_unit_test(no_forged_lines),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(a_flood_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
