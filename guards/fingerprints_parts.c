/* A value taken apart: the secrets in it are known by themselves, and what everybody may know of it is no part of it. */
#include "guards/fingerprints_inside.h"

#include "base/json.h"
#include "guards/mask_names.h"
#include "guards/mask_text.h"
#include "guards/word.h"

#define MAX_DEPTH 3
#define MAX_VALUE (1u << 16) /* what is behind is not looked at: such values are files, known by their beginning */

struct parts {
	struct fingerprints *prints;
	struct slice path;
	uint64_t expires_ms, now_ms;
	struct arena *arena;
	enum err err;
};

static void learn(struct parts *, struct slice text, enum variety_of, unsigned depth);

/* Names that a value is called by whatever it is say nothing of it. */
static bool is_vague(struct slice name)
{
	static const char *const words[] = { "value", "values", "data", "secret", "bundle", "previews", "preview", "plaintext", NULL };

	return word_among_nocase(name, words);
}

enum variety_of variety_by_name(struct slice name)
{
	enum name_class c = mask_name_class(name);

	return (c == NAME_VALUE || c == NAME_VALUEISH) && !is_vague(name) ? VARIETY_NAMED : VARIETY_VALUE;
}

static enum variety_of more(enum variety_of a, enum variety_of b)
{
	return a > b ? a : b;
}

/* --- what everybody knows ------------------------------------------------------------------------------------------- */

static void clear_range(uint16_t *cost, size_t from, size_t to)
{
	if (to > from)
		memset(cost + from, 0, (to - from) * sizeof *cost);
}

/* The first part of a JWT says how it is signed, for all of one issuer in the same words. */
static void clear_jwt_header(struct slice s, uint16_t *cost)
{
	const char *dot = slice_starts(s, SL("eyJ")) ? memchr(s.p, '.', s.n) : NULL;

	if (dot)
		clear_range(cost, 0, (size_t)(dot - s.p) + 1);
}

/* The lines around a PEM, and the structure its body begins with; of certificates all. */
static void clear_pem(struct slice s, uint16_t *cost)
{
	for (size_t at = 0; at < s.n;) {
		ptrdiff_t found = slice_find(slice_from(s, at), SL("-----BEGIN "));
		if (found < 0)
			return;
		size_t begin = at + (size_t)found, body = begin + 11, end, tail;
		bool key = slice_find(slice_head(slice_from(s, begin), 60), SL("PRIVATE KEY")) >= 0;

		while (body < s.n && !slice_starts(slice_from(s, body), SL("-----")))
			body++;
		body = body + 5 < s.n ? body + 5 : s.n;
		found = slice_find(slice_from(s, body), SL("-----END "));
		end = found < 0 ? s.n : body + (size_t)found;
		for (tail = end; tail < s.n && s.p[tail] != '\n' && s.p[tail] != '\\'; tail++)
			;
		size_t head = (end - body) / 3 < 84 ? (end - body) / 3 : 84;
		clear_range(cost, begin, key ? body + head : end);
		clear_range(cost, end, tail);
		at = tail > at ? tail : at + 1;
	}
}

/* --- secrets inside -------------------------------------------------------------------------------------------------- */

/* Passwords and tokens of addresses; all else of a text that is one address is plain. False: there are none. */
static bool learn_credentials(struct parts *p, struct slice s, uint16_t *cost)
{
	struct doc d = { .kind = DOC_TEXT, .text = s, .arena = p->arena };
	size_t at = 0;

	if (slice_find(s, SL("://")) < 0)
		return false;
	if (mask_credentials(&d) == MASKED_NOMEM)
		p->err = E_NOMEM;
	bool one = !memchr(s.p, ' ', s.n) && !memchr(s.p, '\n', s.n);
	for (size_t i = 0; i < d.n_spans && p->err == E_OK; i++) {
		struct slice part = slice_make(s.p + d.spans[i].off, d.spans[i].len);

		if (slice_starts(part, SL("-----BEGIN")))
			continue;
		learn(p, part, VARIETY_NAMED, MAX_DEPTH);
		if (one)
			clear_range(cost, at, d.spans[i].off);
		at = d.spans[i].off + d.spans[i].len;
	}
	if (one)
		clear_range(cost, at, s.n);
	return d.n_spans > 0;
}

static void learn_json(struct parts *p, struct slice s, enum variety_of of, unsigned depth)
{
	struct json j;
	enum variety_of here = of;

	if (depth >= MAX_DEPTH || s.n < 2 || !strchr("{[", s.p[0]))
		return;
	enum err e = json_parse(&j, s, p->arena, NULL);
	if (e == E_NOMEM)
		p->err = e;
	if (e != E_OK)
		return;
	for (uint32_t t = 1; t < j.n && p->err == E_OK; t++) {
		if (!json_is(&j, t, JSON_STRING))
			continue;
		struct slice text = json_string(&j, t, p->arena);
		if (!text.p)
			p->err = E_NOMEM;
		else if (j.tok[t].flags & JSON_NAME)
			here = more(VARIETY_VALUE, variety_by_name(text));
		else
			learn(p, text, here, depth + 1);
	}
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == ' ';
}

static struct slice unquote(struct slice s)
{
	if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		return slice_make(s.p + 1, s.n - 2);
	return s;
}

/* One `NAME=value` or `name: value`. */
static void learn_pair(struct parts *p, struct slice pair, unsigned depth)
{
	size_t n = 0;

	pair = slice_trim(pair);
	if (slice_starts(pair, SL("export ")))
		pair = slice_trim(slice_from(pair, 7));
	while (n < pair.n && is_name_char(pair.p[n]))
		n++;
	bool named = n > 0 && n < pair.n && (pair.p[n] == '=' || (pair.p[n] == ':' && !slice_starts(slice_from(pair, n), SL("://"))));
	if (named)
		learn(p, unquote(slice_trim(slice_from(pair, n + 1))), variety_by_name(slice_trim(slice_head(pair, n))), depth + 1);
}

/* Lines, or parts between semicolons. True: some were pairs. */
static void learn_pairs(struct parts *p, struct slice s, unsigned depth)
{
	char sep = memchr(s.p, '\n', s.n) ? '\n' : ';';
	struct slice rest = s;

	if (depth >= MAX_DEPTH || slice_starts(s, SL("-----BEGIN")) || !memchr(s.p, sep, s.n) || (!memchr(s.p, '=', s.n) && !memchr(s.p, ':', s.n)))
		return;
	while (rest.p && p->err == E_OK)
		learn_pair(p, slice_cut(&rest, sep), depth);
}

static void learn(struct parts *p, struct slice s, enum variety_of of, unsigned depth)
{
	s = slice_trim(slice_head(s, MAX_VALUE));
	if (p->err != E_OK || s.n < VARIETY_MIN_BYTES)
		return;
	uint16_t *cost = arena_array(p->arena, s.n, sizeof *cost);
	if (!cost) {
		p->err = E_NOMEM;
		return;
	}
	learn_json(p, s, of, depth);
	learn_pairs(p, s, depth);
	if (p->err != E_OK || !variety_is_worth(s, of, cost))
		return;
	bool address = slice_find(slice_head(s, 40), SL("://")) > 0 && !memchr(s.p, ' ', s.n);
	/* What was cut out of an address is not cut again. */
	if (depth < MAX_DEPTH && !learn_credentials(p, s, cost) && address)
		return; /* no password in it: everybody may name it */
	clear_jwt_header(s, cost);
	clear_pem(s, cost);
	if (p->err == E_OK)
		p->err = fingerprints_add_forms(p->prints, s, cost, p->path, p->expires_ms, p->now_ms, p->arena);
}

enum err fingerprints_learn(struct fingerprints *f, struct slice value, struct slice path, enum variety_of of, uint64_t expires_ms,
	uint64_t now_ms, struct arena *a)
{
	struct parts p = { .prints = f, .path = path, .expires_ms = expires_ms, .now_ms = now_ms, .arena = a };

	learn(&p, value, of, 0);
	return p.err;
}
