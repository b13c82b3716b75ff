/* The pieces of one secret: itself and the forms in which it may be written, each bare. */
#include "guards/fingerprints_inside.h"

#include "base/bare.h"
#include "base/base64.h"

#define SHORT_BYTES 512        /* values up to here have fragments in every form, as short as FINGERPRINTS_FRAGMENT */
#define MANY_PARTS 4096        /* fragments of one form of one value, at most */
#define MIN_AVERAGE 20         /* a fragment is kept when its bytes cost 2.5 bits each … */
#define MIN_OF_RANDOM 12       /* … or 1.5 where the value is one word with … */
#define RANDOM_AVERAGE 22      /* … 2.75 bits each */
#define PLAIN_STEP (FINGERPRINTS_FRAGMENT - SPAN + 1)
#define LONG_STEP 40

/* A form as it will stand in a bare text. */
struct written {
	enum value_form form;
	struct slice text;       /* bare */
	const uint32_t *src;     /* of each of its bytes: the byte of the value it comes from */
	size_t step;             /* between the beginnings of fragments; 0: none */
};

#define MAX_WRITTEN 16

struct forms {
	struct slice value;
	uint32_t *sum;           /* costs of the bytes before each byte */
	struct written v[MAX_WRITTEN];
	size_t n;
	size_t pieces;
	uint32_t average;        /* what a byte of a fragment costs at least */
	struct arena *arena;
};

/* --- encodings: text, and the byte each character comes from -------------------------------------------------------- */

struct encoding {
	char *p;
	uint32_t *src;
	size_t n;
};

static enum err encoding_init(struct encoding *e, size_t n, struct arena *a)
{
	*e = (struct encoding){ .p = arena_alloc_raw(a, n + 1), .src = arena_array(a, n + 1, sizeof *e->src) };
	return e->p && e->src ? E_OK : E_NOMEM;
}

static void encoding_put(struct encoding *e, char c, size_t src)
{
	e->p[e->n] = c;
	e->src[e->n++] = (uint32_t)src;
}

/* RFC 4648: of groups of bits; the characters that come wholly from the value when `before` bytes stand before it. */
static void encode_bits(struct encoding *e, struct slice s, unsigned bits, size_t before, const char *alphabet)
{
	size_t from = (before * 8 + bits - 1) / bits, to = (before + s.n) * 8 / bits;

	for (size_t c = from; c < to; c++) {
		unsigned v = 0;

		for (size_t b = c * bits; b < (c + 1) * bits; b++) {
			unsigned byte = (unsigned char)s.p[b / 8 - before];
			v = v << 1 | (byte >> (7 - b % 8) & 1);
		}
		encoding_put(e, alphabet[v], c * bits / 8 - before);
	}
}

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base32_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Adds the form of an encoding, bared. */
static enum err add_encoding(struct forms *f, enum value_form form, const struct encoding *e, size_t step)
{
	struct bare b;
	enum err err = bare_init(&b, e->n, false, true, f->arena);

	if (err == E_OK)
		err = bare_add(&b, slice_make(e->p, e->n));
	if (err != E_OK)
		return err;
	for (size_t i = 0; i < b.n; i++)
		b.at[i] = e->src[b.at[i]];
	f->v[f->n++] = (struct written){ .form = form, .text = bare_text(&b), .src = b.at, .step = step };
	return E_OK;
}

static size_t step_of(const struct forms *f, size_t short_step)
{
	return f->value.n <= SHORT_BYTES ? short_step : LONG_STEP;
}

static enum err add_hex(struct forms *f)
{
	static const char digits[] = "0123456789abcdef";
	struct encoding e;
	enum err err = encoding_init(&e, 2 * f->value.n, f->arena);

	for (size_t i = 0; err == E_OK && i < f->value.n; i++) {
		unsigned char c = (unsigned char)f->value.p[i];
		encoding_put(&e, digits[c >> 4], i);
		encoding_put(&e, digits[c & 15], i);
	}
	return err == E_OK ? add_encoding(f, FORM_HEX, &e, step_of(f, 2 * FINGERPRINTS_FRAGMENT - SPAN)) : err;
}

static enum err add_base64(struct forms *f)
{
	enum err err = E_OK;

	for (size_t before = 0; before < 3 && err == E_OK; before++) {
		struct encoding e;

		err = encoding_init(&e, 2 * f->value.n + 8, f->arena);
		if (err != E_OK)
			break;
		encode_bits(&e, f->value, 6, before, base64_alphabet);
		err = add_encoding(f, FORM_BASE64, &e, step_of(f, PLAIN_STEP));
	}
	return err;
}

/* Forms of which only the whole is known, and only of short values. */
static enum err add_rare(struct forms *f)
{
	struct encoding e, wide;
	struct slice coded = base64_encode(f->value, f->arena);
	enum err err = coded.p ? E_OK : E_NOMEM;

	if (f->value.n > SHORT_BYTES)
		return E_OK;
	if (err == E_OK)
		err = encoding_init(&e, 2 * f->value.n + 8, f->arena);
	if (err == E_OK) {
		encode_bits(&e, f->value, 5, 0, base32_alphabet);
		err = add_encoding(f, FORM_BASE32, &e, 0);
	}
	if (err == E_OK)
		err = encoding_init(&e, 2 * coded.n + 8, f->arena);
	if (err == E_OK) {
		encode_bits(&e, coded, 6, 0, base64_alphabet);
		for (size_t i = 0; i < e.n; i++)
			e.src[i] = 0;
		err = add_encoding(f, FORM_TWICE, &e, 0);
	}
	for (size_t big = 0; big < 2 && err == E_OK; big++) {
		err = encoding_init(&wide, 2 * f->value.n, f->arena);
		if (err == E_OK)
			err = encoding_init(&e, 4 * f->value.n + 8, f->arena);
		for (size_t i = 0; err == E_OK && i < f->value.n; i++) {
			encoding_put(&wide, big ? '\0' : f->value.p[i], i);
			encoding_put(&wide, big ? f->value.p[i] : '\0', i);
		}
		if (err != E_OK)
			break;
		encode_bits(&e, slice_make(wide.p, wide.n), 6, 0, base64_alphabet);
		for (size_t i = 0; i < e.n; i++)
			e.src[i] = 0;
		err = add_encoding(f, FORM_UTF16, &e, 0);
	}
	return err;
}

/* --- the text itself ------------------------------------------------------------------------------------------------ */

static char rot13(char c)
{
	return c >= 'a' && c <= 'z' ? "nopqrstuvwxyzabcdefghijklm"[c - 'a'] : c;
}

/* Backwards by characters: what was UTF-8 stays it. */
static void reverse(const struct written *w, char *p, uint32_t *src)
{
	size_t n = w->text.n;

	for (size_t i = 0; i < n;) {
		size_t end = i + 1;

		while (end < n && ((unsigned char)w->text.p[end] & 0xC0) == 0x80)
			end++;
		for (size_t k = i; k < end; k++) {
			p[n - end + (k - i)] = w->text.p[k];
			src[n - end + (k - i)] = w->src[k];
		}
		i = end;
	}
}

static enum err add_turned(struct forms *f, const struct written *w, enum value_form form)
{
	size_t n = w->text.n;
	char *p = arena_alloc_raw(f->arena, n + 1);
	uint32_t *src = arena_array(f->arena, n + 1, sizeof *src);

	if (!p || !src)
		return E_NOMEM;
	if (form == FORM_REVERSED)
		reverse(w, p, src);
	for (size_t i = 0; form == FORM_ROT13 && i < n; i++) {
		p[i] = rot13(w->text.p[i]);
		src[i] = w->src[i];
	}
	f->v[f->n++] = (struct written){ .form = form, .text = slice_make(p, n), .src = src, .step = step_of(f, PLAIN_STEP) };
	return E_OK;
}

/* Long values have coarser fragments, so that one value is bounded. */
static size_t plain_step(size_t n)
{
	size_t step = n / MANY_PARTS;

	return step > PLAIN_STEP ? step : PLAIN_STEP;
}

static enum err add_plain(struct forms *f, bool signs)
{
	struct bare b;
	struct written *w = &f->v[f->n];
	enum err e = bare_init(&b, f->value.n, signs, true, f->arena);

	if (e == E_OK)
		e = bare_add(&b, f->value);
	if (e != E_OK)
		return e;
	*w = (struct written){ .form = FORM_PLAIN, .text = bare_text(&b), .src = b.at, .step = plain_step(b.n) };
	f->n++;
	e = add_turned(f, w, FORM_REVERSED);
	return e == E_OK ? add_turned(f, w, FORM_ROT13) : e;
}

/* --- pieces ---------------------------------------------------------------------------------------------------------- */

/* Whether the bytes a fragment comes from have enough variety. */
static bool is_rich(const struct forms *f, const struct written *w, size_t at)
{
	uint32_t low = w->src[at], high = w->src[at + SPAN - 1];

	if (low > high) {
		uint32_t t = low;
		low = high;
		high = t;
	}
	return f->sum[high + 1] - f->sum[low] >= f->average * (high + 1 - low);
}

/* The eight bytes that are least like others. */
static size_t best_anchor(const struct forms *f, const struct written *w, size_t n)
{
	size_t best = 0;
	uint32_t most = 0;

	for (size_t i = 0; i + ANCHOR <= n; i++) {
		uint32_t low = w->src[i], high = w->src[i + ANCHOR - 1];
		uint32_t cost = low <= high ? f->sum[high + 1] - f->sum[low] : f->sum[low + 1] - f->sum[high];

		if (cost > most) {
			most = cost;
			best = i;
		}
	}
	return best;
}

static size_t count_parts(const struct forms *f, const struct written *w)
{
	size_t n = 0;

	for (size_t i = 0; w->step && i + SPAN <= w->text.n; i += w->step)
		n += is_rich(f, w, i);
	return n;
}

static enum err add_pieces(struct fingerprints *prints, const struct forms *f, const struct written *w, uint32_t id)
{
	size_t n = w->text.n < WHOLE_MAX ? w->text.n : WHOLE_MAX;

	for (size_t i = 0; w->step && i + SPAN <= w->text.n; i += w->step)
		if (is_rich(f, w, i))
			fingerprints_add_part(prints, id, w->form, w->text.p + i);
	return n < ANCHOR ? E_OK :
		fingerprints_add_whole(prints, id, w->form, slice_head(w->text, n), best_anchor(f, w, n));
}

static bool is_one_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ')
			return false;
	return true;
}

static enum err make_forms(struct forms *f, const uint16_t *cost, bool *signs)
{
	enum err e = E_OK;

	f->sum = arena_array(f->arena, f->value.n + 1, sizeof *f->sum);
	if (!f->sum)
		return E_NOMEM;
	for (size_t i = 0; i < f->value.n; i++)
		f->sum[i + 1] = f->sum[i] + cost[i];
	f->average = is_one_word(f->value) && f->sum[f->value.n] >= RANDOM_AVERAGE * f->value.n ? MIN_OF_RANDOM : MIN_AVERAGE;
	e = add_plain(f, false);
	*signs = e == E_OK && f->v[0].text.n < VARIETY_MIN_BYTES;
	if (*signs) { /* too little is left without its signs */
		f->n = 0;
		e = add_plain(f, true);
	}
	if (e == E_OK)
		e = add_hex(f);
	if (e == E_OK)
		e = add_base64(f);
	if (e == E_OK)
		e = add_rare(f);
	for (size_t i = 0; i < f->n; i++)
		f->pieces += count_parts(f, &f->v[i]) + 1;
	return e;
}

enum err fingerprints_add_forms(struct fingerprints *prints, struct slice text, const uint16_t *cost, struct slice path, uint64_t expires_ms,
	uint64_t now_ms, struct arena *a)
{
	struct forms f = { .value = text, .arena = a };
	bool signs;
	uint32_t id = 0;
	enum err e = make_forms(&f, cost, &signs);

	if (e != E_OK || f.v[0].text.n < ANCHOR)
		return e;
	if (fingerprints_renew(prints, f.v[0].text, expires_ms))
		return E_OK;
	e = fingerprints_reserve(prints, f.pieces, now_ms);
	if (e == E_OK)
		e = fingerprints_begin(prints, f.v[0].text, path, expires_ms, now_ms, &id);
	if (e != E_OK)
		return e;
	for (size_t i = 0; i < f.n && e == E_OK; i++)
		e = add_pieces(prints, &f, &f.v[i], id);
	if (e != E_OK)
		fingerprints_undo(prints, id);
	else if (signs)
		fingerprints_mark_signs(prints);
	return e;
}
