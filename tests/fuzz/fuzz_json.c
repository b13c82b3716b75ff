/*
 * The reader and the splice. Of a text that is taken: the tape is sound, strings decode, the splice without edits gives
 * the same bytes, and with edits chosen from the text it gives the tree, and the number of bytes, that a simple model of
 * the edits expects.
 */
#include <stdio.h>
#include "base/json.h"
#include "base/utf8.h"
#include "json_tape.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_EDITS = 8 };

/* Kept from run to run, for speed; nothing but memory is kept. */
static struct arena arena;
static struct buf spliced, wanted, got;

/* --- the tape ----------------------------------------------------------------------------------------------------- */

static void check_string(const struct json *j, uint32_t t)
{
	struct slice s = json_string(j, t, &arena);
	uint8_t flags = j->tok[t].flags;

	REQUIRE(s.p && s.n <= j->tok[t].len);
	REQUIRE(utf8_valid(s));
	REQUIRE(utf8_is_ascii(s) == !(flags & JSON_NOT_ASCII));
	REQUIRE((memchr(json_raw(j, t).p, '\\', j->tok[t].len) != NULL) == !!(flags & JSON_ESCAPED));
	REQUIRE(json_string_eq(j, t, s));
	REQUIRE(s.n == 0 || !json_string_eq(j, t, slice_head(s, s.n - 1)));
	REQUIRE(!(flags & JSON_NAME) || !s.n || !memchr(s.p, 0, s.n));
	REQUIRE(!(flags & JSON_NAME) || !(flags & JSON_ESCAPED) || j->escaped_names);
}

static void check_container(const struct json *j, uint32_t t)
{
	bool object = json_is(j, t, JSON_OBJECT);
	struct slice raw = json_raw(j, t);
	uint32_t count = 0, end = 0;

	REQUIRE(raw.n >= 2 && raw.p[0] == (object ? '{' : '[') && raw.p[raw.n - 1] == (object ? '}' : ']'));
	for (uint32_t c = json_first(j, t); c < j->tok[t].next; c = j->tok[c].next) {
		bool name = object && count % 2 == 0;
		REQUIRE(!!(j->tok[c].flags & JSON_NAME) == name);
		REQUIRE(!name || json_member(j, t, json_string(j, c, &arena)) == c + 1);
		REQUIRE(j->tok[c].off > end);
		end = j->tok[c].off + j->tok[c].len;
		count++;
	}
	REQUIRE(end < j->tok[t].off + j->tok[t].len);
	REQUIRE(j->tok[t].count == (object ? count / 2 : count));
}

static void check_tape(const struct json *j)
{
	REQUIRE(j->n > 0 && j->tok[0].next == j->n);
	for (uint32_t t = 0; t < j->n; t++) {
		REQUIRE(j->tok[t].next > t && j->tok[t].next <= j->n);
		REQUIRE((size_t)j->tok[t].off + j->tok[t].len <= j->text.n);
		if (json_is(j, t, JSON_STRING))
			check_string(j, t);
		else if (json_is(j, t, JSON_ARRAY) || json_is(j, t, JSON_OBJECT))
			check_container(j, t);
		else
			REQUIRE(j->tok[t].len > 0 && j->tok[t].next == t + 1);
	}
}

/* --- a model of the edits ----------------------------------------------------------------------------------------- */

struct model {
	const struct json *j;
	struct json_edits edits;
	uint64_t random;
	int64_t growth; /* bytes that the edits add or take */
};

/* xorshift, seeded by the text: the same text always gives the same edits. */
static uint32_t pick(struct model *m, uint32_t below)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (uint32_t)(m->random >> 32) % below;
}

/* The edit that counts for a token: a member's removal stands with its name. */
static const struct json_edit *edit_of(const struct model *m, uint32_t tok)
{
	const struct json_edit *last = NULL;

	for (uint32_t i = 0; i < m->edits.n; i++) {
		const struct json_edit *e = &m->edits.v[i];
		bool removes = e->kind == JSON_EDIT_REMOVE;
		bool by_value = removes && e->tok == tok + 1 && (m->j->tok[tok].flags & JSON_NAME);
		bool of_name = removes && e->tok == tok && tok && (m->j->tok[tok - 1].flags & JSON_NAME);

		if (e->kind != JSON_EDIT_INSERT && (by_value || (e->tok == tok && !of_name)))
			last = e;
	}
	return last;
}

static size_t quoted_length(struct slice s)
{
	buf_clear(&spliced);
	REQUIRE(buf_add_json_string(&spliced, s) == E_OK);
	return spliced.n;
}

static void expect_raw(struct slice raw)
{
	struct json j;
	struct tape_dump d = { &j, &arena, DUMP_TEXT, false, &wanted };

	REQUIRE(json_parse(&j, raw, &arena, NULL) == E_OK);
	tape_dump(&d, 0);
}

static void expect_string(struct model *m, uint32_t t, struct slice s)
{
	dump_string(&wanted, s);
	m->growth += (int64_t)quoted_length(s) - (int64_t)json_source(m->j, t).n;
}

static void expect_name(struct model *m, uint32_t t)
{
	const struct json_edit *e = edit_of(m, t);

	if (e)
		expect_string(m, t, e->with);
	else if (m->j->tok[t].flags & JSON_ESCAPED)
		expect_string(m, t, json_string(m->j, t, &arena));
	else
		dump_string(&wanted, json_raw(m->j, t));
}

/* Inserts into the object; of those with one name the last counts. Returns how many. */
static uint32_t expect_inserts(struct model *m, uint32_t t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->edits.n; i++) {
		const struct json_edit *e = &m->edits.v[i];
		bool outdone = false;

		if (e->kind != JSON_EDIT_INSERT || e->tok != t)
			continue;
		for (uint32_t k = i + 1; k < m->edits.n; k++)
			outdone |= m->edits.v[k].kind == JSON_EDIT_INSERT && m->edits.v[k].tok == t &&
				   slice_eq(m->edits.v[k].name, e->name);
		if (outdone)
			continue;
		dump_string(&wanted, e->name);
		expect_raw(e->with);
		m->growth += (int64_t)(quoted_length(e->name) + 1 + e->with.n);
		n++;
	}
	return n;
}

static void expect_value(struct model *m, uint32_t t);

static bool is_removed(const struct model *m, uint32_t t)
{
	const struct json_edit *e = edit_of(m, t);
	return e && e->kind == JSON_EDIT_REMOVE;
}

static void expect_container(struct model *m, uint32_t t)
{
	const struct json *j = m->j;
	bool object = json_is(j, t, JSON_OBJECT);
	int64_t before = j->tok[t].count, after = 0;
	uint32_t value;

	dump_mark(&wanted, object ? '{' : '[');
	for (uint32_t c = json_first(j, t); c < j->tok[t].next; c = j->tok[value].next) {
		value = object ? c + 1 : c;
		if (is_removed(m, c)) {
			m->growth -= json_source(j, value).p + json_source(j, value).n - json_source(j, c).p;
			continue;
		}
		if (object)
			expect_name(m, c);
		expect_value(m, value);
		after++;
	}
	after += expect_inserts(m, t);
	dump_mark(&wanted, object ? '}' : ']');
	m->growth += (after ? after - 1 : 0) - (before ? before - 1 : 0); /* commas */
}

static void expect_value(struct model *m, uint32_t t)
{
	const struct json_edit *e = edit_of(m, t);
	struct tape_dump d = { m->j, &arena, DUMP_TEXT, false, &wanted };

	if (e && e->kind == JSON_EDIT_STRING) {
		expect_string(m, t, e->with);
	} else if (e) {
		expect_raw(e->with);
		m->growth += (int64_t)e->with.n - (int64_t)json_source(m->j, t).n;
	} else if (json_is(m->j, t, JSON_ARRAY) || json_is(m->j, t, JSON_OBJECT)) {
		expect_container(m, t);
	} else {
		tape_dump(&d, t);
	}
}

/* --- choosing edits ----------------------------------------------------------------------------------------------- */

/* A name that no object of the text has, so that no edit makes a duplicate. */
static struct slice new_name(struct model *m)
{
	char text[] = "new 00 \"";
	struct slice name = slice_make(text, sizeof(text) - 1);
	uint32_t n = pick(m, 100);

	text[4] = (char)('0' + n / 10);
	text[5] = (char)('0' + n % 10);
	for (uint32_t t = 0; t < m->j->n; t++)
		if ((m->j->tok[t].flags & JSON_NAME) && json_string_eq(m->j, t, name))
			return (struct slice){ NULL, 0 };
	for (uint32_t i = 0; i < m->edits.n; i++)
		if (slice_eq(m->edits.v[i].with, name) || slice_eq(m->edits.v[i].name, name))
			return (struct slice){ NULL, 0 };
	return arena_dup(&arena, name);
}

static void add_edit(struct model *m)
{
	static const struct slice strings[] = { { "", 0 }, { "plain", 5 }, { "q\"\\/", 4 }, { "\n\x01\0", 3 },
		{ "\xC3\xA9", 2 } };
	static const struct slice raws[] = { { "null", 4 }, { "[]", 2 }, { "{\"x\": [1,{}]}", 13 }, { "-1.50e3", 7 },
		{ "\"\\n\"", 4 } };
	uint32_t t = pick(m, m->j->n), which = pick(m, 5);
	const struct json_edit *last = m->edits.n ? &m->edits.v[m->edits.n - 1] : NULL;
	bool name = m->j->tok[t].flags & JSON_NAME;
	struct slice fresh = new_name(m);

	if (last && last->kind == JSON_EDIT_INSERT && pick(m, 4) == 0)
		REQUIRE(json_edit_insert(&m->edits, last->tok, last->name, raws[which]) == E_OK);
	else if (pick(m, 3) == 0 && t > 0)
		REQUIRE(json_edit_remove(&m->edits, t) == E_OK);
	else if (json_is(m->j, t, JSON_OBJECT) && fresh.p && pick(m, 2))
		REQUIRE(json_edit_insert(&m->edits, t, fresh, raws[which]) == E_OK);
	else if (name && fresh.p)
		REQUIRE(json_edit_string(&m->edits, t, fresh) == E_OK);
	else if (!name && pick(m, 2))
		REQUIRE(json_edit_string(&m->edits, t, strings[which]) == E_OK);
	else if (!name)
		REQUIRE(json_edit_raw(&m->edits, t, raws[which]) == E_OK);
}

/* --- the checks --------------------------------------------------------------------------------------------------- */

static void check_plain_splice(const struct json *j)
{
	struct json_edits none;

	json_edits_init(&none, &arena);
	buf_clear(&spliced);
	REQUIRE(json_splice(j, &none, &spliced) == E_OK);
	REQUIRE(j->escaped_names || slice_eq(buf_slice(&spliced), j->text));
}

static void check_edits(const struct json *j, uint64_t seed)
{
	struct model m = { .j = j, .random = seed | 1 };
	struct json after;
	struct tape_dump d = { &after, &arena, DUMP_TEXT, false, &got };

	json_edits_init(&m.edits, &arena);
	for (uint32_t n = pick(&m, MOST_EDITS + 1); n; n--)
		add_edit(&m);
	buf_clear(&wanted);
	buf_clear(&got);
	expect_value(&m, 0);
	buf_clear(&spliced);
	REQUIRE(json_splice(j, &m.edits, &spliced) == E_OK);
	REQUIRE((int64_t)spliced.n == (int64_t)j->text.n + m.growth);
	if (json_parse(&after, buf_slice(&spliced), &arena, NULL) == E_TOO_DEEP)
		return; /* a value put in at the bottom */
	REQUIRE(after.n > 0);
	tape_dump(&d, 0);
	REQUIRE(slice_eq(buf_slice(&wanted), buf_slice(&got)));
	buf_clear(&got); /* what was written anew stays as it is the next time */
	json_edits_init(&m.edits, &arena);
	REQUIRE(json_splice(&after, &m.edits, &got) == E_OK);
	REQUIRE(slice_eq(buf_slice(&got), buf_slice(&spliced)));
}

static uint64_t hash(const uint8_t *p, size_t n)
{
	uint64_t h = 0xCBF29CE484222325u;

	while (n--)
		h = (h ^ *p++) * 0x100000001B3u;
	return h ^ h >> 29;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0;
	struct json j;

	if (!arena.max_bytes) {
		arena_init(&arena, 1u << 26);
		buf_init(&spliced, 1u << 24);
		buf_init(&wanted, 1u << 24);
		buf_init(&got, 1u << 24);
	}
	arena_reset(&arena);
	if (json_parse(&j, slice_make((const char *)data, size), &arena, &at) != E_OK) {
		REQUIRE(j.n == 0 && at <= size);
		return 0;
	}
	check_tape(&j);
	check_plain_splice(&j);
	check_edits(&j, hash(data, size));
	return 0;
}
