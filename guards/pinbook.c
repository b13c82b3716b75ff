#include "guards/pinbook.h"

#include "base/table.h"
#include "base/wipe.h"
#include "guards/pin_text.h"

#define RESOURCES_PER_TOOL 16                /* resources may be as many as secrets */
#define TEXT_BYTES         ((size_t)64 << 10) /* longer definitions are pinned by digest alone */
#define ALL_TEXT_BYTES     ((size_t)4 << 20)
#define SCRATCH_BYTES      ((size_t)64 << 20)
#define UNTOLD_BYTES       ((size_t)16 << 10)
#define PAGES              16

struct sight {
	unsigned char first[DIGEST_BYTES]; /* the pin, where nothing is accepted */
	unsigned char shown[DIGEST_BYTES]; /* last */
	unsigned char told[DIGEST_BYTES];  /* the operator was told of that one */
	uint32_t marks[PIN_MEMBERS];       /* of the first */
	uint64_t page;                     /* where it was shown last */
	bool is_told;
	struct slice text;                 /* the first; empty: not kept. Owned. */
};

/* A page on which all was as it is pinned. */
struct page {
	bool used;
	enum pin_kind kind;
	unsigned char bytes[DIGEST_BYTES], pins[DIGEST_BYTES];
};

struct pinbook {
	struct table *sights[N_PIN_KINDS];
	size_t max;                        /* per kind */
	size_t text_bytes;
	bool full[N_PIN_KINDS];
	struct page pages[PAGES];
	size_t next_page;
	uint64_t n_pages;                  /* read so far */
	struct buf untold;                 /* lines */
	size_t told;                       /* bytes of them */
	unsigned long left_out;
};

static void free_sight(void *arg)
{
	struct sight *s = arg;

	wipe_free((void *)(uintptr_t)s->text.p);
	wipe_free(s);
}

struct pinbook *pinbook_create(size_t max_tools)
{
	struct pinbook *b = wipe_calloc(1, sizeof *b);
	bool made = b != NULL;

	if (!b)
		return NULL;
	b->max = max_tools;
	buf_init(&b->untold, UNTOLD_BYTES);
	for (int k = 0; k < N_PIN_KINDS; k++)
		made &= (b->sights[k] = table_create(k == PIN_RESOURCE ? RESOURCES_PER_TOOL * max_tools : max_tools, free_sight)) != NULL;
	if (made)
		return b;
	pinbook_free(b);
	return NULL;
}

void pinbook_free(struct pinbook *b)
{
	if (!b)
		return;
	for (int k = 0; k < N_PIN_KINDS; k++)
		table_free(b->sights[k]);
	buf_finish(&b->untold);
	wipe_free(b);
}

/* --- what it is pinned as ----------------------------------------------------------------------------------------------- */

static bool same(const unsigned char a[DIGEST_BYTES], const unsigned char b[DIGEST_BYTES])
{
	return memcmp(a, b, DIGEST_BYTES) == 0;
}

/* NULL: nothing is pinned. */
static const unsigned char *pinned(const struct pin *pin, const struct sight *s)
{
	return pin ? pin->is.digest : s ? s->first : NULL;
}

enum pin_state pinbook_state(const struct pinbook *b, const struct pins *accepted, enum pin_kind kind, struct slice name)
{
	const struct sight *s = table_get(b->sights[kind], name, 0);

	if (!s)
		return b->full[kind] && !pins_find(accepted, kind, name) ? PIN_FULL : PIN_UNSEEN;
	return same(s->shown, pinned(pins_find(accepted, kind, name), s)) ? PIN_SAME : PIN_CHANGED;
}

bool pinbook_agrees(const struct pinbook *b, const struct pins *accepted, enum pin_kind kind, const struct definition *d)
{
	const unsigned char *pin = pinned(pins_find(accepted, kind, d->name), table_get(b->sights[kind], d->name, 0));

	return pin && same(pin, d->digest);
}

/* --- pages that are known ------------------------------------------------------------------------------------------------ */

static struct page page_of(const struct pins *accepted, enum pin_kind kind, struct slice bytes)
{
	struct page p = { .used = true, .kind = kind };

	digest_sha256(bytes, p.bytes);
	if (accepted)
		memcpy(p.pins, pins_digest(accepted), DIGEST_BYTES);
	return p;
}

static bool knows(const struct pinbook *b, const struct page *p)
{
	for (size_t i = 0; i < PAGES; i++)
		if (b->pages[i].used && b->pages[i].kind == p->kind && same(b->pages[i].bytes, p->bytes) && same(b->pages[i].pins, p->pins))
			return true;
	return false;
}

bool pinbook_knows_page(const struct pinbook *b, const struct pins *accepted, enum pin_kind kind, struct slice bytes)
{
	struct page p = page_of(accepted, kind, bytes);

	return knows(b, &p);
}

/* Something is shown as it was not: what came before says nothing any more. */
static void forget_pages(struct pinbook *b)
{
	memset(b->pages, 0, sizeof b->pages);
}

/* --- telling ------------------------------------------------------------------------------------------------------------- */

/* Takes over the text of a line, and ends it. */
static void put_line(struct pinbook *b, struct buf *line)
{
	struct slice s = slice_head(buf_slice(line), PINBOOK_LINE_BYTES);

	while (s.n && s.n < line->n && ((unsigned char)line->p[s.n] & 0xC0) == 0x80)
		s.n--;
	if (line->failed != E_OK || buf_reserve(&b->untold, s.n + 1) != E_OK) {
		b->left_out++;
	} else {
		buf_add(&b->untold, s);
		buf_add_char(&b->untold, '\n');
	}
	buf_finish(line);
}

static void begin_line(struct buf *line, enum pin_kind kind, struct slice name)
{
	buf_init(line, 16 * PINBOOK_LINE_BYTES);
	buf_add_fmt(line, "%s ", pin_row(kind)->word);
	pin_add_name(line, kind, name);
	buf_add(line, SL(": "));
}

static void tell_change(struct pinbook *b, const struct pin *pin, const struct sight *s, enum pin_kind kind, const struct definition *d,
	struct arena *a)
{
	struct buf line;

	begin_line(&line, kind, d->name);
	pin_add_change(&line, kind, pin ? pin->is.marks : s->marks, pin ? pin->is.text : s->text, d, a);
	buf_add(&line, SL("; withheld until it is accepted"));
	put_line(b, &line);
}

static void tell_return(struct pinbook *b, enum pin_kind kind, struct slice name)
{
	struct buf line;

	begin_line(&line, kind, name);
	buf_add(&line, SL("it is what it is pinned as: it passes again"));
	put_line(b, &line);
}

static void tell_full(struct pinbook *b, enum pin_kind kind)
{
	struct buf line;

	if (b->full[kind])
		return;
	b->full[kind] = true;
	buf_init(&line, PINBOOK_LINE_BYTES);
	buf_add_fmt(&line, "more than %zu names of the kind %s: further ones are withheld", table_count(b->sights[kind]), pin_row(kind)->word);
	put_line(b, &line);
}

struct slice pinbook_tell(struct pinbook *b)
{
	struct slice rest = slice_from(buf_slice(&b->untold), b->told), line = slice_cut(&rest, '\n');

	b->told += line.n + (line.n > 0);
	if (line.n)
		return line;
	b->told = 0;
	buf_clear(&b->untold);
	if (!b->left_out)
		return SL("");
	buf_add_fmt(&b->untold, "%lu more changes of definitions are not told here\n", b->left_out);
	b->left_out = 0;
	b->told = b->untold.n;
	return slice_head(buf_slice(&b->untold), b->untold.n - (b->untold.n > 0));
}

/* --- learning ------------------------------------------------------------------------------------------------------------ */

static void keep_text(struct pinbook *b, struct sight *s, struct slice text)
{
	char *copy = text.n > TEXT_BYTES || b->text_bytes + text.n > ALL_TEXT_BYTES ? NULL : wipe_malloc(text.n);

	if (!copy)
		return;
	memcpy(copy, text.p, text.n);
	s->text = slice_make(copy, text.n);
	b->text_bytes += text.n;
}

/* The first sight of a name. E_FULL, E_NOMEM. */
static enum err pin_first(struct pinbook *b, enum pin_kind kind, const struct definition *d, struct sight **out)
{
	struct sight *s = wipe_calloc(1, sizeof *s);

	*out = s;
	if (!s)
		return E_NOMEM;
	memcpy(s->first, d->digest, DIGEST_BYTES);
	memcpy(s->marks, d->marks, sizeof s->marks);
	enum err e = table_put(b->sights[kind], d->name, s, 0, 0);

	if (e != E_OK)
		wipe_free(s);
	else if (kind != PIN_RESOURCE)
		keep_text(b, s, d->text);
	return e;
}

static void compare(struct pinbook *b, const struct pin *pin, struct sight *s, enum pin_kind kind, const struct definition *d, struct arena *a)
{
	if (same(d->digest, pinned(pin, s))) {
		if (s->is_told)
			tell_return(b, kind, d->name);
		s->is_told = false;
	} else if (!s->is_told || !same(s->told, d->digest)) {
		tell_change(b, pin, s, kind, d, a);
		memcpy(s->told, d->digest, DIGEST_BYTES);
		s->is_told = true;
	}
}

/* *clean: it is what it is pinned as. E_NOMEM. */
static enum err learn_one(struct pinbook *b, const struct pins *accepted, enum pin_kind kind, const struct definition *d, bool *clean, struct arena *a)
{
	struct sight *s = table_get(b->sights[kind], d->name, 0);
	enum err e = s ? E_OK : pin_first(b, kind, d, &s);

	*clean = e == E_OK && pinbook_agrees(b, accepted, kind, d);
	if (e == E_FULL)
		tell_full(b, kind);
	if (e != E_OK)
		return e == E_FULL ? E_OK : e;
	if (s->page == b->n_pages)
		return E_OK; /* another of that name stands before it */
	s->page = b->n_pages;
	if (!same(s->shown, d->digest)) {
		memcpy(s->shown, d->digest, DIGEST_BYTES);
		forget_pages(b);
	}
	compare(b, pins_find(accepted, kind, d->name), s, kind, d, a);
	return E_OK;
}

static enum err learn_page(struct pinbook *b, const struct pins *accepted, enum pin_kind kind, const struct json *j, uint32_t array, bool *clean)
{
	enum err e = E_OK;
	struct arena a;

	*clean = true;
	arena_init(&a, SCRATCH_BYTES);
	for (uint32_t t = json_first(j, array); e == E_OK && t < j->tok[array].next; t = j->tok[t].next) {
		struct definition d;
		bool one = false;

		e = definition_read(kind, j, t, &d, &a);
		if (e == E_OK)
			e = learn_one(b, accepted, kind, &d, &one, &a);
		else if (e != E_NOMEM)
			e = E_OK; /* nothing can be called by it: the guard leaves it out */
		*clean &= one;
		arena_reset(&a);
	}
	arena_finish(&a);
	return e;
}

enum err pinbook_learn(struct pinbook *b, const struct pins *accepted, enum pin_kind kind, const struct json *j, uint32_t array)
{
	struct page page = page_of(accepted, kind, json_raw(j, array));
	bool clean;

	if (knows(b, &page))
		return E_OK;
	b->n_pages++;
	enum err e = learn_page(b, accepted, kind, j, array, &clean);

	if (e == E_OK && clean) {
		b->pages[b->next_page] = page;
		b->next_page = (b->next_page + 1) % PAGES;
	}
	return e;
}
