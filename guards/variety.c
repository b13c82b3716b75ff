#include "guards/variety.h"

/* Letters that often follow each letter in English, German and Romance words. */
static const char *const followers[26] = {
	"bcdgiklmnprstuvy", "aeiloruy", "aehiklortuy", "adeiorsuy", "acdefgilmnoprstvwxy", "aefiloru", "aehilnoru", "aeiorutmn",
	"acdefgklmnoprstvz", "aeou", "aeinys", "adefiklmostuvy", "abeimopuy", "acdefgiklnostuvyz", "abcdfgiklmnoprstuvw", "aehiloprstu", "u",
	"acdegiklmnoprstuvy", "acehiklmnopqrstuwy", "aehiloprstuwyz", "abcdegilmnprst", "aeio", "aehinors", "aceipt", "aeilmnopst", "aeioz",
};

enum kind { KIND_NONE, KIND_LOW, KIND_UP, KIND_DIGIT, KIND_SIGN, KIND_OTHER };

static enum kind kind_of(unsigned char c)
{
	if (c >= 'a' && c <= 'z')
		return KIND_LOW;
	if (c >= 'A' && c <= 'Z')
		return KIND_UP;
	if (c >= '0' && c <= '9')
		return KIND_DIGIT;
	return c < 0x80 ? KIND_SIGN : KIND_OTHER;
}

static bool often_follows(unsigned char before, unsigned char c)
{
	return strchr(followers[(before | 0x20) - 'a'], c | 0x20) != NULL;
}

/* Signs by which words are joined: one between two of them says nothing. */
static bool is_joint(unsigned char c)
{
	return c <= ' ' || memchr("-_./:,;=&?@", c, 11) != NULL;
}

static unsigned letter_cost(unsigned char before, enum kind was, unsigned char c, enum kind is)
{
	if (was == is || (was == KIND_UP && is == KIND_LOW))
		return often_follows(before, c) ? 12 : 32;
	if (was == KIND_NONE || was == KIND_SIGN)
		return 24;
	return was == KIND_LOW ? 40 : 36; /* wordS, 3x */
}

static unsigned digit_cost(unsigned char before, enum kind was, unsigned char c)
{
	int step = (int)c - (int)before;

	return was == KIND_DIGIT && step >= -1 && step <= 1 ? 8 : 27;
}

uint32_t variety_costs(struct slice s, uint16_t *cost)
{
	unsigned char before = 0;
	enum kind was = KIND_NONE;
	uint32_t sum = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		enum kind is = kind_of(c);
		unsigned n = 0;

		if (is == KIND_LOW || is == KIND_UP)
			n = letter_cost(before, was, c, is);
		else if (is == KIND_DIGIT)
			n = digit_cost(before, was, c);
		else if (is == KIND_OTHER)
			n = 16;
		else if (!is_joint(c) || was == KIND_SIGN || i + 1 == s.n || kind_of((unsigned char)s.p[i + 1]) == KIND_SIGN)
			n = c == before ? 4 : 24;
		cost[i] = (uint16_t)n;
		sum += n;
		before = c;
		was = is;
	}
	return sum;
}

/* --- what reads like something plain ------------------------------------------------------------------------------ */

static size_t count_different(struct slice s)
{
	bool seen[256] = { false };
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		n += !seen[(unsigned char)s.p[i]];
		seen[(unsigned char)s.p[i]] = true;
	}
	return n;
}

/* Digits and what stands between those of numbers, dates, addresses and telephones. */
static bool is_number(struct slice s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9')
			digits++;
		else if (!memchr(" +-./:,()TZ_", s.p[i], 12))
			return false;
	}
	return digits < 12 || digits + 4 < s.n;
}

/* db-1.prod.example.com:5432 */
static bool is_host(struct slice s)
{
	size_t dots = 0, label = 0, i = 0;
	bool letters_only = true;

	for (; i < s.n && s.p[i] != ':' && s.p[i] != '/'; i++) {
		char c = s.p[i];
		enum kind k = kind_of((unsigned char)c);

		if (c == '.') {
			if (label == 0)
				return false;
			dots++;
			label = 0;
			letters_only = true;
		} else if (k == KIND_LOW || k == KIND_DIGIT || (c == '-' && label)) {
			label++;
			letters_only &= k == KIND_LOW;
		} else {
			return false;
		}
	}
	return dots > 0 && letters_only && label >= 2 && label <= 12;
}

/* An address without a user's password and without a query: both are taken out and judged alone (fingerprints_parts.c). */
static bool is_address(struct slice s)
{
	ptrdiff_t at = slice_find(s, SL("://"));

	if (at <= 0 || at > 24)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '?' || s.p[i] == '@')
			return false;
	return true;
}

static bool is_mail(struct slice s)
{
	const char *at = memchr(s.p, '@', s.n);

	if (!at || at == s.p)
		return false;
	for (const char *p = s.p; p < at; p++)
		if (kind_of((unsigned char)*p) == KIND_SIGN && !memchr("._-+", *p, 4))
			return false;
	return is_host(slice_from(s, (size_t)(at - s.p) + 1));
}

/* word, Word, WORD */
static bool keeps_case(struct slice s, size_t i)
{
	enum kind now = kind_of((unsigned char)s.p[i]), was = i ? kind_of((unsigned char)s.p[i - 1]) : KIND_NONE;

	return !(now == KIND_UP && was == KIND_LOW) && !(now == KIND_LOW && was == KIND_UP && i > 1);
}

/* One part of a name: a word, a number, `4o`, `v2`, `mp4`. */
static bool is_name_part(struct slice s, const uint16_t *cost, bool *word)
{
	size_t letters = 0, digits = 0, turns = 0;
	uint32_t sum = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool digit = kind_of((unsigned char)s.p[i]) == KIND_DIGIT;

		digits += digit;
		letters += !digit;
		sum += digit ? 0 : cost[i];
		turns += i > 0 && digit != (kind_of((unsigned char)s.p[i - 1]) == KIND_DIGIT);
		if (!keeps_case(s, i))
			return false;
	}
	*word = digits == 0 && letters > 1;
	if (digits && letters)
		return turns == 1 && (digits <= 2 || letters <= 2) && digits <= 4 && letters <= 12 && sum <= letters * 18 + 24;
	return digits ? digits <= 8 : letters <= 3 || sum <= letters * 18 + 16;
}

/* us-east-1, gpt-4o-mini, llama/Llama-3.1-70B: up to three words joined, or any with numbers between. */
static bool is_name(struct slice s, const uint16_t *cost)
{
	size_t words = 0, parts = 0, start = 0;

	for (size_t i = 0; i <= s.n; i++) {
		bool word;

		if (i < s.n && kind_of((unsigned char)s.p[i]) != KIND_SIGN && kind_of((unsigned char)s.p[i]) != KIND_OTHER)
			continue;
		if (i < s.n && !memchr("-_./:, ", s.p[i], 7))
			return false;
		if (i == start && i < s.n && s.p[i] != ' ')
			return false;
		if (i > start) {
			if (!is_name_part(slice_make(s.p + start, i - start), cost + start, &word))
				return false;
			words += word;
			parts++;
		}
		start = i + 1;
	}
	return parts > 0 && (words < 4 || words < parts);
}

/* 8-4-4-4-12 */
static bool is_uuid(struct slice s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		unsigned char c = (unsigned char)s.p[i] | 0x20;

		if (dash ? s.p[i] != '-' : !((s.p[i] >= '0' && s.p[i] <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

/* What names a thing of the vault rather than being one: a digest, an ARN, a path. */
static bool is_reference(struct slice s)
{
	return is_uuid(s) || slice_starts(s, SL("sha256:")) || slice_starts(s, SL("arn:")) || slice_starts(s, SL("projects/")) ||
		slice_starts(s, SL("/")) || slice_starts(s, SL("W/"));
}

bool variety_is_worth(struct slice s, enum variety_of of, uint16_t *cost)
{
	static const uint32_t bits[] = { [VARIETY_OTHER] = 64, [VARIETY_VALUE] = 20, [VARIETY_NAMED] = 18 };
	uint32_t sum;

	if (s.n < VARIETY_MIN_BYTES || count_different(s) < 4 || is_number(s) || is_address(s) || is_mail(s))
		return false;
	sum = variety_costs(s, cost);
	if (sum < bits[of] * VARIETY_BIT || is_host(s))
		return false;
	if (of == VARIETY_OTHER && is_reference(s))
		return false;
	return of == VARIETY_NAMED || !is_name(s, cost);
}
