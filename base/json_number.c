/*
 * Numbers by their text: nothing here rounds, and no locale matters.
 */
#include "base/json_parts.h"

/* DBL_MAX is 1.7976931348623157e308; digits behind these seventeen do not lift a number out of the range. */
#define MOST_DIGITS   "17976931348623157"
#define MOST_EXPONENT 308

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The exponent behind 'e', held within bounds that no sum with a text's length can bring back. */
static int64_t exponent_value(struct slice s)
{
	const int64_t most = (int64_t)1 << 40;
	bool negative = s.n && s.p[0] == '-';
	int64_t value = 0;

	for (size_t i = 0; i < s.n; i++)
		if (is_digit(s.p[i]) && value < most)
			value = value * 10 + (s.p[i] - '0');
	return negative ? -value : value;
}

/* Whether the digits, read as d.ddd…, are at most those of DBL_MAX. */
static bool digits_fit(struct slice digits)
{
	size_t at = 0;

	for (const char *most = MOST_DIGITS; *most; most++) {
		if (at < digits.n && digits.p[at] == '.')
			at++;
		char c = at < digits.n ? digits.p[at++] : '0';
		if (c != *most)
			return c < *most;
	}
	return true;
}

bool json_number_finite(struct slice number)
{
	struct slice mantissa = number.p[0] == '-' ? slice_from(number, 1) : number;
	int64_t whole = 0, lead = 0, exponent = 0; /* digits before the point; digits before the first that is not 0 */
	size_t i, point = 0, first = 0;
	bool zero = true;

	for (i = 0; i < mantissa.n && (is_digit(mantissa.p[i]) || mantissa.p[i] == '.'); i++) {
		if (mantissa.p[i] == '.') {
			point = 1;
			continue;
		}
		whole += !point;
		if (zero && mantissa.p[i] == '0') {
			lead++;
		} else if (zero) {
			zero = false;
			first = i;
		}
	}
	if (zero)
		return true;
	if (i < mantissa.n)
		exponent = exponent_value(slice_from(mantissa, i + 1));
	exponent += whole - lead - 1;
	if (exponent != MOST_EXPONENT)
		return exponent < MOST_EXPONENT;
	return digits_fit(slice_make(mantissa.p + first, i - first));
}

bool json_int(const struct json *j, uint32_t t, int64_t *out)
{
	int64_t value = 0;
	struct slice s;
	bool negative;

	if (!json_is(j, t, JSON_NUMBER))
		return false;
	s = json_raw(j, t);
	negative = s.p[0] == '-';
	for (size_t i = negative; i < s.n; i++) {
		int digit = s.p[i] - '0';
		if (!is_digit(s.p[i]) || __builtin_mul_overflow(value, 10, &value))
			return false;
		if (__builtin_add_overflow(value, negative ? -digit : digit, &value))
			return false;
	}
	*out = value;
	return true;
}
