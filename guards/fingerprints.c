#include "guards/fingerprints_inside.h"

#include <endian.h>
#include "base/digest.h"
#include "base/locked.h"
#include "base/wipe.h"

#define MAX_PATH 200
#define PART (1u << 31)     /* in a piece's ref: a fragment */
#define FORM_SHIFT 24       /* of a fragment: its form; below: the value's number */
#define ID_MASK ((1u << FORM_SHIFT) - 1)
#define MIN_SLOTS 64
#define WORK_A_BYTE 32      /* bytes compared for each byte scanned … */
#define WORK_FREE (1u << 20) /* … and in any case */

struct key {
	uint64_t sip[2];
	uint64_t odd;       /* an anchor is the upper half of its bytes times this */
};

struct piece {
	uint32_t anchor;
	uint32_t ref;       /* PART, a form and a value's number; or the number of a whole. 0: free */
	uint64_t tag;
};

struct whole {
	uint32_t id, n, anchor;
	uint8_t form;
};

struct value {
	uint64_t expires_ms; /* 0: free */
	uint64_t tag;        /* of its bare text */
	char *path;
	size_t path_n;
};

struct fingerprints {
	struct key *key;
	struct piece *slots;
	uint32_t n_slots, n_pieces; /* n_slots: a power of two */
	uint64_t *map;              /* two bits a piece in one of its words */
	unsigned map_shift;
	size_t n_map;
	struct whole *wholes;       /* from 1 */
	uint32_t n_wholes, cap_wholes;
	struct value *values;       /* from 1 */
	uint32_t n_values, cap_values;
	size_t max_values, max_pieces;
	bool signs;
};

const char *value_form_word(enum value_form f)
{
	static const char *const words[N_VALUE_FORMS] = { "plain", "reversed", "rot13", "hex", "base64", "base32", "base64-twice", "utf-16" };

	return words[f];
}

/* --- memory ---------------------------------------------------------------------------------------------------------- */

struct fingerprints *fingerprints_create(size_t max_values, size_t max_pieces)
{
	struct fingerprints *f = wipe_calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->key = locked_alloc(sizeof *f->key);
	if (!f->key) {
		wipe_free(f);
		return NULL;
	}
	digest_random(f->key, sizeof *f->key);
	f->key->odd |= 1;
	f->max_values = max_values;
	f->max_pieces = max_pieces;
	return f;
}

void fingerprints_free(struct fingerprints *f)
{
	if (!f)
		return;
	for (uint32_t i = 1; i <= f->n_values; i++)
		wipe_free(f->values[i].path);
	wipe_free(f->values);
	wipe_free(f->wholes);
	wipe_free(f->slots);
	wipe_free(f->map);
	locked_free(f->key, sizeof *f->key);
	wipe_free(f);
}

static inline uint32_t anchor_of(uint64_t odd, const char *eight)
{
	uint64_t v;

	memcpy(&v, eight, sizeof v);
	return (uint32_t)((le64toh(v) * odd) >> 32);
}

/* The first says no mostly, the second says most of the rest. */
static inline bool map_first(uint64_t word, uint32_t anchor)
{
	return word >> (anchor & 63) & 1;
}
static inline bool map_second(uint64_t word, uint32_t anchor)
{
	return word >> (anchor >> 6 & 63) & 1;
}

static void put_piece(struct fingerprints *f, struct piece p)
{
	uint32_t mask = f->n_slots - 1, at = p.anchor & mask;

	while (f->slots[at].ref)
		at = (at + 1) & mask;
	f->slots[at] = p;
	f->map[p.anchor >> f->map_shift] |= (uint64_t)1 << (p.anchor & 63) | (uint64_t)1 << (p.anchor >> 6 & 63);
	f->n_pieces++;
}

/* Makes tables of that many slots and puts every piece into them that `keep` (or NULL: all) says stays. */
static enum err rebuild(struct fingerprints *f, uint32_t slots, const uint32_t *keep_whole, const bool *keep_value)
{
	struct piece *old = f->slots, *fresh = wipe_calloc(slots, sizeof *fresh);
	uint32_t n = f->n_slots;
	size_t words = slots / 4;
	uint64_t *map = wipe_calloc(words, sizeof *map);

	if (!fresh || !map) {
		wipe_free(fresh);
		wipe_free(map);
		return E_NOMEM;
	}
	wipe_free(f->map);
	f->slots = fresh;
	f->n_slots = slots;
	f->n_pieces = 0;
	f->map = map;
	f->n_map = words;
	f->map_shift = 32 - (unsigned)__builtin_ctzl(words);
	for (uint32_t i = 0; i < n; i++) {
		struct piece p = old[i];

		if (!p.ref)
			continue;
		if (keep_value && !(p.ref & PART ? keep_value[p.ref & ID_MASK] : keep_whole[p.ref] != 0))
			continue;
		if (keep_value && !(p.ref & PART))
			p.ref = keep_whole[p.ref];
		put_piece(f, p);
	}
	wipe_free(old);
	return E_OK;
}

/* Drops what has expired. */
static enum err drop_expired(struct fingerprints *f, uint64_t now_ms)
{
	bool *keep = wipe_calloc(f->n_values + 1, sizeof *keep), any = false;
	uint32_t *moved = wipe_calloc(f->n_wholes + 1, sizeof *moved), n = 0;
	enum err e = keep && moved ? E_OK : E_NOMEM;

	for (uint32_t i = 1; e == E_OK && i <= f->n_values; i++) {
		keep[i] = f->values[i].expires_ms > now_ms;
		any |= !keep[i] && f->values[i].expires_ms;
	}
	if (e == E_OK && any) {
		for (uint32_t i = 1; i <= f->n_wholes; i++)
			moved[i] = keep[f->wholes[i].id] ? ++n : 0;
		e = rebuild(f, f->n_slots, moved, keep);
	}
	for (uint32_t i = 1; e == E_OK && any && i <= f->n_wholes; i++)
		if (moved[i])
			f->wholes[moved[i]] = f->wholes[i];
	for (uint32_t i = 1; e == E_OK && any && i <= f->n_values; i++)
		if (!keep[i]) {
			wipe_free(f->values[i].path);
			f->values[i] = (struct value){ 0 };
		}
	if (e == E_OK && any)
		f->n_wholes = n;
	wipe_free(keep);
	wipe_free(moved);
	return e;
}

static enum err grow(void **array, uint32_t *cap, uint32_t need, size_t size)
{
	uint32_t more = *cap ? 2 * *cap : 64;
	void *p;

	if (need < *cap)
		return E_OK;
	p = wipe_realloc(*array, more * size);
	if (!p)
		return E_NOMEM;
	*array = p;
	*cap = more;
	return E_OK;
}

enum err fingerprints_reserve(struct fingerprints *f, size_t n, uint64_t now_ms)
{
	uint32_t slots = f->n_slots ? f->n_slots : MIN_SLOTS;

	if (f->n_pieces + n > f->max_pieces) {
		enum err e = drop_expired(f, now_ms);
		if (e != E_OK || f->n_pieces + n > f->max_pieces)
			return e != E_OK ? e : E_FULL;
	}
	while ((f->n_pieces + n) * 4 > (size_t)slots * 3)
		slots *= 2;
	return slots > f->n_slots ? rebuild(f, slots, NULL, NULL) : E_OK;
}

/* --- values ---------------------------------------------------------------------------------------------------------- */

static uint64_t tag_of(const struct fingerprints *f, struct slice s)
{
	return digest_sip(f->key->sip, s);
}

/* A value by its bare text. Found by a walk: only asked when an answer is learnt. */
static struct value *find_value(struct fingerprints *f, uint64_t tag)
{
	for (uint32_t i = 1; i <= f->n_values; i++)
		if (f->values[i].expires_ms && f->values[i].tag == tag)
			return &f->values[i];
	return NULL;
}

bool fingerprints_renew(struct fingerprints *f, struct slice bare, uint64_t expires_ms)
{
	struct value *v = find_value(f, tag_of(f, bare));

	if (v && v->expires_ms < expires_ms)
		v->expires_ms = expires_ms;
	return v != NULL;
}

static uint32_t free_value(const struct fingerprints *f)
{
	for (uint32_t i = 1; i <= f->n_values; i++)
		if (!f->values[i].expires_ms)
			return i;
	return 0;
}

static struct slice cut_path(struct slice path)
{
	size_t n = path.n < MAX_PATH ? path.n : MAX_PATH;

	while (n < path.n && n > 0 && ((unsigned char)path.p[n] & 0xC0) == 0x80)
		n--;
	return slice_head(path, n);
}

enum err fingerprints_begin(struct fingerprints *f, struct slice bare, struct slice path, uint64_t expires_ms, uint64_t now_ms, uint32_t *id)
{
	uint32_t at = 0;
	enum err e;

	if (f->n_values >= f->max_values) {
		e = drop_expired(f, now_ms);
		at = e == E_OK ? free_value(f) : 0;
		if (!at)
			return e != E_OK ? e : E_FULL;
	}
	e = at ? E_OK : grow((void **)&f->values, &f->cap_values, f->n_values + 1, sizeof *f->values);
	if (e != E_OK)
		return e;
	path = cut_path(path);
	char *copy = wipe_malloc(path.n + 1);
	if (!copy)
		return E_NOMEM;
	if (path.n)
		memcpy(copy, path.p, path.n);
	copy[path.n] = 0;
	if (!at)
		at = ++f->n_values;
	f->values[at] = (struct value){ .expires_ms = expires_ms, .tag = tag_of(f, bare), .path = copy, .path_n = path.n };
	*id = at;
	return E_OK;
}

void fingerprints_add_part(struct fingerprints *f, uint32_t id, enum value_form form, const char *bare)
{
	put_piece(f, (struct piece){ .anchor = anchor_of(f->key->odd, bare + SPAN_ANCHOR), .tag = tag_of(f, slice_make(bare, SPAN)),
		.ref = PART | (uint32_t)form << FORM_SHIFT | id });
}

enum err fingerprints_add_whole(struct fingerprints *f, uint32_t id, enum value_form form, struct slice bare, size_t anchor)
{
	enum err e = grow((void **)&f->wholes, &f->cap_wholes, f->n_wholes + 1, sizeof *f->wholes);

	if (e != E_OK)
		return e;
	f->wholes[++f->n_wholes] = (struct whole){ .id = id, .n = (uint32_t)bare.n, .anchor = (uint32_t)anchor, .form = (uint8_t)form };
	put_piece(f, (struct piece){ .anchor = anchor_of(f->key->odd, bare.p + anchor), .tag = tag_of(f, bare), .ref = f->n_wholes });
	return E_OK;
}

void fingerprints_undo(struct fingerprints *f, uint32_t id)
{
	f->values[id].expires_ms = 1;
	f->values[id].tag = 0;
}

void fingerprints_mark_signs(struct fingerprints *f)
{
	f->signs = true;
}

/* --- scanning -------------------------------------------------------------------------------------------------------- */

struct scan {
	const struct fingerprints *f;
	struct slice text;
	uint64_t now_ms;
	bool (*each)(void *ctx, const struct value_found *);
	void *ctx;
	size_t work;
	enum err err;
};

/* The piece as it would stand around the anchor at `at`; false when it does not fit there or is another text. */
static bool is_there(struct scan *s, const struct piece *p, size_t at, struct value_found *out)
{
	const struct fingerprints *f = s->f;
	bool part = (p->ref & PART) != 0;
	const struct whole *w = part ? NULL : &f->wholes[p->ref];
	size_t before = part ? SPAN_ANCHOR : w->anchor, n = part ? SPAN : w->n;
	const struct value *v = &f->values[part ? p->ref & ID_MASK : w->id];

	if (at < before || n > s->text.n - (at - before) || v->expires_ms <= s->now_ms)
		return false;
	if (n > s->work) {
		s->err = E_TOO_BIG;
		return false;
	}
	s->work -= n;
	if (tag_of(f, slice_make(s->text.p + at - before, n)) != p->tag)
		return false;
	*out = (struct value_found){ .path = slice_make(v->path, v->path_n), .part = part, .from = at - before, .to = at - before + n,
		.form = (enum value_form)(part ? p->ref >> FORM_SHIFT & 0x7F : w->form) };
	return true;
}

static bool look(struct scan *s, size_t at, uint32_t anchor)
{
	const struct fingerprints *f = s->f;
	uint32_t mask = f->n_slots - 1;
	struct value_found found;

	for (uint32_t i = anchor & mask; f->slots[i].ref; i = (i + 1) & mask) {
		if (f->slots[i].anchor == anchor && is_there(s, &f->slots[i], at, &found) && !s->each(s->ctx, &found))
			return false;
		if (s->err != E_OK || s->work-- == 0) {
			s->err = E_TOO_BIG;
			return false;
		}
	}
	return true;
}

/* The anchors that begin in [from, to). False: nobody wants more. */
static bool scan_range(struct scan *s, size_t from, size_t to)
{
	/* Of locals the compiler knows that nothing changes them. */
	const uint64_t odd = s->f->key->odd, *map = s->f->map;
	const char *p = s->text.p + from, *end = s->text.p + to;
	unsigned shift = s->f->map_shift;

	for (; p < end; p++) {
		uint32_t anchor = anchor_of(odd, p);
		uint64_t word = map[anchor >> shift];

		if (__builtin_expect(map_first(word, anchor), 0) && map_second(word, anchor) && !look(s, (size_t)(p - s->text.p), anchor))
			return false;
	}
	return true;
}

enum err fingerprints_scan(const struct fingerprints *f, struct slice text, uint64_t now_ms,
	bool (*each)(void *ctx, const struct value_found *), void *ctx, struct arena *arena)
{
	struct scan s = { .f = f, .text = text, .now_ms = now_ms, .each = each, .ctx = ctx, .work = WORK_A_BYTE * text.n + WORK_FREE };
	size_t end = text.n < ANCHOR ? 0 : text.n - ANCHOR + 1;

	for (size_t at = 0, next; at < end && f->n_pieces; at = next) {
		next = end - at > ARENA_STEP_BYTES ? at + ARENA_STEP_BYTES : end;
		if (!scan_range(&s, at, next))
			break;
		if (next < end)
			arena_worked(arena, ARENA_STEP_BYTES);
	}
	return s.err;
}

bool fingerprints_empty(const struct fingerprints *f)
{
	return f->n_pieces == 0;
}

bool fingerprints_want_signs(const struct fingerprints *f)
{
	return f->signs;
}

size_t fingerprints_values(const struct fingerprints *f)
{
	size_t n = 0;

	for (uint32_t i = 1; i <= f->n_values; i++)
		n += f->values[i].expires_ms != 0;
	return n;
}

size_t fingerprints_pieces(const struct fingerprints *f)
{
	return f->n_pieces;
}

size_t fingerprints_bytes(const struct fingerprints *f)
{
	size_t n = sizeof *f + f->n_slots * sizeof *f->slots + f->n_map * sizeof *f->map + f->cap_wholes * sizeof *f->wholes +
		f->cap_values * sizeof *f->values;

	for (uint32_t i = 1; i <= f->n_values; i++)
		n += f->values[i].path ? f->values[i].path_n + 1 : 0;
	return n;
}
