#include "guards/lines.h"

/* Bytes of `1.` or `12)`, or 0. */
static size_t number_bullet(struct slice s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n && n < s.n && memchr(".)", s.p[n], 2) ? n + 1 : 0;
}

struct slice lines_item(struct slice line)
{
	struct slice rest = slice_trim(line);
	size_t n = 0;

	if (slice_starts(rest, SL("\xe2\x80\xa2")))
		n = 3;
	else if (rest.n && memchr("-*+", rest.p[0], 3))
		n = 1;
	else
		n = number_bullet(rest);
	if (n == 0 || n >= rest.n || rest.p[n] != ' ')
		return SL("");
	rest = slice_trim(slice_from(rest, n));
	for (n = 0; n < rest.n && !memchr(" \t,:(", rest.p[n], 5);)
		n++;
	rest = slice_head(rest, n);
	while (rest.n && memchr("`*\"'", rest.p[0], 4))
		rest = slice_from(rest, 1);
	while (rest.n && memchr("`*\"'", rest.p[rest.n - 1], 4))
		rest.n--;
	return rest;
}

static size_t line_start(struct slice s, size_t at)
{
	while (at > 0 && s.p[at - 1] != '\n')
		at--;
	return at;
}

static size_t next_line(struct slice s, size_t at)
{
	const char *nl = at < s.n ? memchr(s.p + at, '\n', s.n - at) : NULL;
	return nl ? (size_t)(nl - s.p) + 1 : s.n;
}

static enum err cut_line(struct doc *d, size_t start, size_t end)
{
	size_t from = line_start(d->text, start), to = next_line(d->text, end > start ? end - 1 : start);
	return doc_replace(d, from, to - from, SL(""));
}

/* What stands between the lines of the list. */
static enum err judge_gap(struct lines *l, size_t from, size_t to)
{
	enum err e = E_OK;

	for (size_t at = from; at < to && e == E_OK;) {
		size_t end = next_line(l->doc->text, at);
		end = end < to ? end : to;
		struct slice line = slice_make(l->doc->text.p + at, end - at);
		if (l->gap_outside(l->ctx, line)) {
			e = cut_line(l->doc, at, end);
			l->cut += lines_item(line).n > 0;
		}
		at = end;
	}
	return e;
}

static enum err correct_count(struct lines *l)
{
	const struct regex *re = l->out->count_line;
	struct doc *d = l->doc;
	size_t start, end, a, b;
	uint64_t n = 0;
	bool overrun = false;

	if (!re || l->cut == 0 || !regex_match(re, d->text, 0, &start, &end, &overrun))
		return E_OK;
	if (!regex_group(re, "n", &a, &b) || b - a > 15)
		return E_OK;
	for (size_t i = a; i < b; i++) {
		if (d->text.p[i] < '0' || d->text.p[i] > '9')
			return E_OK;
		n = 10 * n + (uint64_t)(d->text.p[i] - '0');
	}
	struct slice with = arena_fmt(d->arena, "%llu", (unsigned long long)(n > l->cut ? n - l->cut : 0));
	return with.p ? doc_replace(d, a, b - a, with) : E_NOMEM;
}

enum err lines_filter(struct lines *l)
{
	const struct regex *re = l->out->line;
	struct slice text = l->doc->text;
	size_t at = 0, start, end, a, b;
	bool overrun = false;
	enum err e = E_OK;

	while (e == E_OK && at <= text.n && regex_match(re, text, at, &start, &end, &overrun)) {
		if (regex_group(re, l->group, &a, &b) && l->outside(l->ctx, slice_make(text.p + a, b - a))) {
			e = cut_line(l->doc, start, end);
			l->cut++;
		}
		if (e == E_OK)
			e = judge_gap(l, at, start);
		at = end > at ? end : at + 1;
	}
	if (overrun)
		return E_INVALID;
	if (e == E_OK)
		e = judge_gap(l, at, text.n);
	return e == E_OK ? correct_count(l) : e;
}
