/* Credentials that show by themselves, whatever they are called: passwords in addresses, private keys. */
#include "guards/mask_names.h"
#include "guards/mask_text.h"
#include "guards/response.h"

static enum masked hide(struct doc *d, size_t from, size_t to)
{
	return to > from && doc_replace(d, from, to - from, SL(MASK_MARKER)) != E_OK ? MASKED_NOMEM : MASKED_OK;
}

static size_t line_end(struct slice s, size_t at)
{
	const char *nl = at < s.n ? memchr(s.p + at, '\n', s.n - at) : NULL;
	return nl ? (size_t)(nl - s.p) : s.n;
}

size_t mask_pem_end(struct slice s, size_t at)
{
	ptrdiff_t tail = slice_find(slice_from(s, at), SL("-----END "));
	return tail < 0 ? s.n : line_end(s, at + (size_t)tail);
}

/* --- addresses ------------------------------------------------------------------------------------------------------ */

static bool ends_address(char c)
{
	return (unsigned char)c <= ' ' || memchr("\"'`<>", c, 5) != NULL;
}

static bool is_number(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* Where the user's part of an address ends: its last @ before the host, whatever signs a password has. */
static size_t user_end(struct slice s, size_t from, size_t end)
{
	const char *slash = memchr(s.p + from, '/', end - from), *colon = memchr(s.p + from, ':', end - from);
	size_t stop = slash ? (size_t)(slash - s.p) : end, at = 0;

	/* host:8080/path is no user:password. */
	if (slash && colon && colon < slash && !is_number(slice_make(colon + 1, (size_t)(slash - colon) - 1)))
		stop = end;
	for (size_t i = from; i < stop && s.p[i] != '?' && s.p[i] != '#'; i++)
		if (s.p[i] == '@')
			at = i;
	return at;
}

/* `scheme://user:password@host`, `scheme://token@host` */
static enum masked hide_user(struct doc *d, size_t from, size_t end)
{
	struct slice s = d->text;
	size_t at = user_end(s, from, end);
	const char *colon = at ? memchr(s.p + from, ':', at - from) : NULL;

	if (!at)
		return MASKED_OK;
	if (colon)
		return hide(d, (size_t)(colon - s.p) + 1, at);
	struct slice user = slice_make(s.p + from, at - from);
	return user.n >= 16 && mask_is_secretish(user) ? hide(d, from, at) : MASKED_OK;
}

/* `?password=…&token=…` */
static enum masked hide_query(struct doc *d, size_t from, size_t end)
{
	struct slice s = d->text;
	const char *mark = memchr(s.p + from, '?', end - from);
	enum masked m = MASKED_OK;

	for (size_t at = mark ? (size_t)(mark - s.p) + 1 : end; at < end && m == MASKED_OK;) {
		size_t stop = at, eq;
		while (stop < end && s.p[stop] != '&' && s.p[stop] != ';')
			stop++;
		for (eq = at; eq < stop && s.p[eq] != '=';)
			eq++;
		enum name_class c = mask_name_class(slice_make(s.p + at, eq - at));
		if (eq + 1 < stop && eq > at && (c == NAME_VALUE || c == NAME_VALUEISH))
			m = hide(d, eq + 1, stop);
		at = stop + 1;
	}
	return m;
}

static enum masked hide_addresses(struct doc *d)
{
	struct slice s = d->text;
	enum masked m = MASKED_OK;

	for (size_t at = 0; at < s.n && m == MASKED_OK;) {
		ptrdiff_t found = slice_find(slice_from(s, at), SL("://"));
		if (found < 0)
			break;
		size_t from = at + (size_t)found + 3, end = from;
		while (end < s.n && !ends_address(s.p[end]))
			end++;
		m = hide_user(d, from, end);
		if (m == MASKED_OK)
			m = hide_query(d, from, end);
		at = end;
	}
	return m;
}

/* --- private keys --------------------------------------------------------------------------------------------------- */

#define LABEL_MAX 80 /* bytes from the first dash to `PRIVATE KEY` */

/* -----BEGIN … PRIVATE KEY-----, with PGP's ` BLOCK` */
static enum masked hide_keys(struct doc *d)
{
	struct slice s = d->text;
	enum masked m = MASKED_OK;

	for (size_t at = 0; at < s.n && m == MASKED_OK;) {
		ptrdiff_t found = slice_find(slice_from(s, at), SL("PRIVATE KEY"));
		if (found < 0)
			break;
		size_t key = at + (size_t)found, start = key;
		struct slice behind = slice_from(s, key + 11);
		at = key + 11;
		if (!slice_starts(behind, SL("-----")) && !slice_starts(behind, SL(" BLOCK-----")))
			continue;
		while (start > 0 && key - start < LABEL_MAX && s.p[start - 1] != '\n' &&
			!slice_starts(slice_from(s, start), SL("-----BEGIN")))
			start--;
		at = mask_pem_end(s, key);
		m = hide(d, start, at);
	}
	return m;
}

enum masked mask_credentials(struct doc *d)
{
	enum masked m = hide_addresses(d);
	return m == MASKED_OK ? hide_keys(d) : m;
}

bool mask_may_hold_credentials(struct slice s)
{
	if (s.n < 6)
		return false;
	if (memchr(s.p, ':', s.n) && slice_find(s, SL("://")) >= 0 && (memchr(s.p, '@', s.n) || memchr(s.p, '=', s.n)))
		return true;
	return memchr(s.p, '-', s.n) && slice_find(s, SL(" PRIVATE KEY")) >= 0;
}
