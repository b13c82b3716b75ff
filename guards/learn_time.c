#include "guards/learn.h"

#define DAY_S 86400

/* Reads exactly `n` digits at `at`. */
static bool digits(struct slice s, size_t at, size_t n, int64_t *out)
{
	*out = 0;
	if (s.n < at + n)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*out = *out * 10 + (s.p[i] - '0');
	}
	return true;
}

/* Days since 1970-01-01 in the Gregorian calendar; the year begins in March, so that leap days come last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = year / 400, y = year - era * 400;
	int64_t d = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + y * 365 + y / 4 - y / 100 + d - 719468;
}

/* `Z`, `+02:00`, `-0530`, with a fraction before it that nobody needs. */
static bool read_zone(struct slice s, int64_t *offset_s)
{
	size_t i = 0;
	int64_t h, m;

	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
	*offset_s = 0;
	if (i == s.n || s.p[i] == 'Z' || s.p[i] == 'z')
		return true;
	bool colon = s.n == i + 6 && s.p[i + 3] == ':';
	if ((s.p[i] != '+' && s.p[i] != '-') || !digits(s, i + 1, 2, &h) || !digits(s, i + (colon ? 4 : 3), 2, &m))
		return false;
	*offset_s = (h * 60 + m) * 60 * (s.p[i] == '-' ? -1 : 1);
	return true;
}

static uint64_t read_date(struct slice s)
{
	int64_t y, mo, d, h, mi, sec, zone;

	if (!digits(s, 0, 4, &y) || !digits(s, 5, 2, &mo) || !digits(s, 8, 2, &d) || !digits(s, 11, 2, &h) ||
		!digits(s, 14, 2, &mi) || !digits(s, 17, 2, &sec) || !read_zone(slice_from(s, 19), &zone))
		return 0;
	int64_t t = days_of(y, mo, d) * DAY_S + h * 3600 + mi * 60 + sec - zone;
	return t > 0 ? (uint64_t)t * 1000 : 1;
}

uint64_t expiry_ms(struct slice text, uint64_t now_ms)
{
	uint64_t seconds = 0;
	size_t i = 0;

	for (; i < text.n && i < 12 && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		seconds = seconds * 10 + (uint64_t)(text.p[i] - '0');
	if (i == 0)
		return 0;
	if (i == text.n || text.p[i] == '.')
		return now_ms + seconds * 1000;
	return read_date(text);
}
