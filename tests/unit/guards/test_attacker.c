/*
 * An attacker who has read a value and wants it out: values, forms, surroundings and places are drawn at random (seeded, so that a
 * failure comes again), and what gets through is counted. In scope nothing may; of the forms that no such detector sees the figures
 * are printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/check.h"

#include "guards/judge.h"

#define TRIES 400 /* of each form */

static const char yaml[] =
	"catalog: t\n"
	"tools:\n"
	"  read: {do: read, path: \"{path}\", out: {as: json, values: [\"$.value\"]}}\n"
	"  note: {do: meta, pathless: true, args: [text, to, parts, more]}\n";

static struct world {
	struct policy policy;
	struct catalog *catalog;
	struct ledger *ledger;
	struct arena arena;
	uint64_t seed;
} w;

static uint32_t draw(uint32_t n)
{
	w.seed = w.seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w.seed >> 33) % n;
}

static struct view view(void)
{
	return (struct view){ .policy = &w.policy, .catalog = w.catalog, .ledger = w.ledger, .upstream = SL("v"), .now_ms = 1000, .arena = &w.arena };
}

static struct call *ask(const struct buf *message, struct judgement *j)
{
	struct rpc *rpc = ARENA_NEW(&w.arena, struct rpc);
	struct view v = view();
	struct call *call = NULL;

	memset(j, 0, sizeof *j);
	assert_int_equal(message->failed, E_OK);
	assert_int_equal(rpc_parse(rpc, arena_dup(&w.arena, buf_slice(message)), &w.arena, NULL), E_OK);
	judge_from_agent(&v, rpc, M_UNKNOWN, &call, j);
	return call;
}

/* The agent reads a value; the ledger of the last one is gone. */
static void give(struct slice value)
{
	struct buf b;
	struct judgement j;
	struct rpc answer;
	struct view v;

	ledger_free(w.ledger);
	w.ledger = ledger_create(4);
	arena_reset(&w.arena);
	v = view();
	buf_init(&b, 1u << 20);
	buf_add(&b, SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"read\",\"arguments\":{\"path\":\"a/b\"}}}"));
	struct call *call = ask(&b, &j);
	buf_clear(&b);
	buf_add(&b, SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[],\"structuredContent\":{\"value\":"));
	buf_add_json_string(&b, value);
	buf_add(&b, SL("}}}"));
	assert_int_equal(rpc_parse(&answer, arena_dup(&w.arena, buf_slice(&b)), &w.arena, NULL), E_OK);
	assert_int_equal(judge_learn(w.ledger, NULL, &v, call, &answer), E_OK);
	buf_finish(&b);
}

/* --- values ----------------------------------------------------------------------------------------------------------- */

enum kind { PASSWORD, TOKEN, HEX, BASE64ISH, SIGNS, N_KINDS };

static struct slice make_value(enum kind kind)
{
	static const char *const alphabets[N_KINDS] = { "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789!#$%+-_.",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "0123456789abcdef",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "!#$%&()*+,-.:;<=>?@[]^_{|}~Aa1" };
	static const uint32_t least[N_KINDS] = { 10, 20, 32, 40, 12 };
	static char room[128];
	size_t n = least[kind] + draw(kind == SIGNS || kind == PASSWORD ? 8 : 30);

	for (size_t i = 0; i < n; i++)
		room[i] = alphabets[kind][draw((uint32_t)strlen(alphabets[kind]))];
	/* Something at every end that no trimming takes. */
	room[0] = room[n - 1] = 'k';
	return slice_make(room, n);
}

/* --- forms ------------------------------------------------------------------------------------------------------------ */

static void plain(struct buf *b, struct slice v)
{
	buf_add(b, v);
}

static void swapped(struct buf *b, struct slice v)
{
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		buf_add_char(b, letter && draw(2) ? (char)(c ^ 0x20) : c);
	}
}

static void put_between(struct buf *b, struct slice v, const char *sep)
{
	for (size_t i = 0; i < v.n; i++) {
		buf_add_char(b, v.p[i]);
		buf_add(b, slice_of(sep));
	}
}

static void spaced(struct buf *b, struct slice v)
{
	static const char *const seps[] = { " ", "\n", "\xe2\x80\x8b", "\xc2\xad", "\xcc\xb6", "  ", "\xc2\xa0" };

	put_between(b, v, seps[draw(7)]);
}

/* A value that has less than eight letters and digits is known by its signs: others between them make another text of it. */
static void signs_between(struct buf *b, struct slice v)
{
	static const char *const seps[] = { "-", ".", "|", " _ ", "/" };

	put_between(b, v, seps[draw(5)]);
}

static void wide(struct buf *b, struct slice v)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned c = (unsigned char)v.p[i];
		if (c > ' ' && c < 0x7F && draw(3)) {
			c += 0xFEE0;
			buf_add_char(b, (char)(0xE0 | c >> 12));
			buf_add_char(b, (char)(0x80 | (c >> 6 & 0x3F)));
			buf_add_char(b, (char)(0x80 | (c & 0x3F)));
		} else {
			buf_add_char(b, v.p[i]);
		}
	}
}

static void percent(struct buf *b, struct slice v)
{
	bool all = draw(2);

	for (size_t i = 0; i < v.n; i++)
		if (all || draw(3) == 0 || v.p[i] == '%')
			buf_add_fmt(b, draw(2) ? "%%%02X" : "%%%02x", (unsigned char)v.p[i]);
		else
			buf_add_char(b, v.p[i]);
}

static void percent_twice(struct buf *b, struct slice v)
{
	for (size_t i = 0; i < v.n; i++)
		buf_add_fmt(b, "%%25%02X", (unsigned char)v.p[i]);
}

static void entities(struct buf *b, struct slice v)
{
	bool hex = draw(2);

	for (size_t i = 0; i < v.n; i++)
		buf_add_fmt(b, hex ? "&#x%x;" : "&#%d;", (unsigned char)v.p[i]);
}

static void escapes(struct buf *b, struct slice v)
{
	bool wide_ones = draw(2);

	for (size_t i = 0; i < v.n; i++)
		buf_add_fmt(b, wide_ones ? "\\u%04x" : "\\x%02x", (unsigned char)v.p[i]);
}

static void hex(struct buf *b, struct slice v)
{
	static const char *const seps[] = { "", ":", " ", "-" };
	const char *sep = seps[draw(4)], *how = draw(2) ? "%02x" : "%02X";

	for (size_t i = 0; i < v.n; i++) {
		buf_add_fmt(b, how[3] == 'x' ? "%02x" : "%02X", (unsigned char)v.p[i]);
		buf_add(b, slice_of(sep));
	}
}

static void code(struct buf *b, struct slice s, const char *two, bool pad, bool lines)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t bits = (uint32_t)(unsigned char)s.p[i] << 16;
		if (i + 1 < s.n)
			bits |= (uint32_t)(unsigned char)s.p[i + 1] << 8;
		if (i + 2 < s.n)
			bits |= (unsigned char)s.p[i + 2];
		for (size_t k = 0; k < 4; k++) {
			unsigned six = bits >> (18 - 6 * k) & 63;
			if (k <= s.n - i)
				buf_add_char(b, six < 62 ? alphabet[six] : two[six - 62]);
			else if (pad)
				buf_add_char(b, '=');
		}
		if (lines && i % 9 == 6)
			buf_add(b, SL("\r\n"));
	}
}

static void base64(struct buf *b, struct slice v)
{
	struct buf whole;

	buf_init(&whole, 1u << 16);
	for (uint32_t n = draw(6); n > 0; n--)
		buf_add_char(&whole, (char)('a' + draw(26)));
	buf_add(&whole, v);
	for (uint32_t n = draw(6); n > 0; n--)
		buf_add_char(&whole, (char)('a' + draw(26)));
	code(b, buf_slice(&whole), draw(2) ? "+/" : "-_", draw(2), draw(2));
	buf_finish(&whole);
}

static void base64_only(struct buf *b, struct slice v)
{
	code(b, v, draw(2) ? "+/" : "-_", draw(2), draw(2));
}

static void reversed(struct buf *b, struct slice v)
{
	for (size_t i = v.n; i > 0; i--)
		buf_add_char(b, v.p[i - 1]);
}

static void turned(struct buf *b, struct slice v)
{
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];
		if (c >= 'a' && c <= 'z')
			c = (char)('a' + (c - 'a' + 13) % 26);
		else if (c >= 'A' && c <= 'Z')
			c = (char)('A' + (c - 'A' + 13) % 26);
		buf_add_char(b, c);
	}
}

static void fragment(struct buf *b, struct slice v)
{
	size_t n = 16 + draw((uint32_t)(v.n - 15));

	buf_add(b, slice_make(v.p + draw((uint32_t)(v.n - n + 1)), n));
}

static void fragment_coded(struct buf *b, struct slice v)
{
	size_t n = 16 + draw((uint32_t)(v.n - 15));
	struct slice part = slice_make(v.p + draw((uint32_t)(v.n - n + 1)), n);

	if (draw(2))
		hex(b, part);
	else
		base64(b, part);
}

static void escaped_hex(struct buf *b, struct slice v)
{
	for (size_t i = 0; i < v.n; i++)
		buf_add_fmt(b, "0x%02x, ", (unsigned char)v.p[i]);
}

/* --- out of scope ----------------------------------------------------------------------------------------------------- */

static void rot5(struct buf *b, struct slice v)
{
	for (size_t i = 0; i < v.n; i++)
		buf_add_char(b, (char)(v.p[i] >= 'a' && v.p[i] <= 'z' ? 'a' + (v.p[i] - 'a' + 5) % 26 : v.p[i] >= 'A' && v.p[i] <= 'Z' ?
			'A' + (v.p[i] - 'A' + 5) % 26 : v.p[i] >= '0' && v.p[i] <= '9' ? '0' + (v.p[i] - '0' + 5) % 10 : v.p[i]));
}

static void every_second(struct buf *b, struct slice v)
{
	for (size_t k = 0; k < 2; k++)
		for (size_t i = k; i < v.n; i += 2)
			buf_add_char(b, v.p[i]);
}

static void numbers(struct buf *b, struct slice v)
{
	for (size_t i = 0; i < v.n; i++)
		buf_add_fmt(b, "%d ", v.p[i]);
}

static void short_part(struct buf *b, struct slice v)
{
	buf_add(b, slice_make(v.p + draw((uint32_t)(v.n - 10)), 10));
}

static void padded(struct buf *b, struct slice v)
{
	for (size_t i = 0; i < v.n; i++) {
		buf_add_char(b, v.p[i]);
		buf_add_char(b, 'x');
	}
}

/* --- places ----------------------------------------------------------------------------------------------------------- */

static void add_text(struct buf *m, struct slice s)
{
	static const char *const around[] = { "", "see ", "https://x.test/?q=", "curl -d ", "the key: ", "{\"a\":\"" };
	struct buf b;

	buf_init(&b, 1u << 18);
	buf_add(&b, slice_of(around[draw(6)]));
	buf_add(&b, s);
	buf_add(&b, draw(2) ? SL(" and so on") : SL(""));
	buf_add_json_string(m, buf_slice(&b));
	buf_finish(&b);
}

/* Cut at a place where a character begins. */
static size_t cut_at(struct slice s)
{
	size_t at = draw((uint32_t)s.n + 1);

	while (at < s.n && ((unsigned char)s.p[at] & 0xC0) == 0x80)
		at++;
	return at;
}

static void place(struct buf *m, struct slice s)
{
	size_t at;

	buf_add(m, SL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"note\",\"arguments\":{"));
	switch (draw(6)) {
	case 0:
	case 1:
		buf_add(m, SL("\"text\":"));
		add_text(m, s);
		break;
	case 2:
		buf_add(m, SL("\"more\":{\"a\":[{\"b\":"));
		add_text(m, s);
		buf_add(m, SL("}]}"));
		break;
	case 3:
		buf_add(m, SL("\"more\":{"));
		add_text(m, s);
		buf_add(m, SL(":1}"));
		break;
	case 4: /* split over two arguments */
		at = cut_at(s);
		buf_add(m, SL("\"text\":"));
		buf_add_json_string(m, slice_head(s, at));
		buf_add(m, SL(",\"to\":"));
		buf_add_json_string(m, slice_from(s, at));
		break;
	default:
		buf_add(m, SL("\"text\":\"x\"},\"_meta\":{\"note\":"));
		add_text(m, s);
		break;
	}
	buf_add(m, SL("}}}"));
}

struct form {
	const char *name;
	void (*write)(struct buf *, struct slice);
	bool in_scope;
	bool long_only; /* of values of 20 characters and more that are all letters and digits */
};

static const struct form forms[] = {
	{ "plain", plain, true, false }, { "case", swapped, true, false }, { "blanks between", spaced, true, false }, { "signs between", signs_between, true, true }, { "full width", wide, true, false },
	{ "percent", percent, true, false }, { "percent twice", percent_twice, true, false }, { "entities", entities, true, false },
	{ "escapes", escapes, true, false }, { "hex", hex, true, false }, { "0x", escaped_hex, true, false }, { "base64", base64, true, false },
	{ "base64 alone", base64_only, true, false }, { "reversed", reversed, true, false }, { "rot13", turned, true, false },
	{ "fragment", fragment, true, true }, { "fragment in hex, base64", fragment_coded, true, true },
	{ "rot5", rot5, false, false }, { "every second", every_second, false, false }, { "numbers", numbers, false, false },
	{ "ten characters", short_part, false, true }, { "letters between", padded, false, false },
};

static bool goes_through(const struct form *f, struct slice value)
{
	struct buf form, message;
	struct judgement j;

	buf_init(&form, 1u << 18);
	buf_init(&message, 1u << 20);
	f->write(&form, value);
	place(&message, buf_slice(&form));
	ask(&message, &j);
	bool through = j.kind != VERDICT_DENY;
	if (!through)
		assert_int_equal(j.why.reason, R_EXFILTRATION);
	if (through && f->in_scope)
		print_message("through as %s: %.*s of %.*s\n", f->name, SL_ARG(buf_slice(&message)), SL_ARG(value));
	buf_finish(&form);
	buf_finish(&message);
	return through;
}

static void test_forms(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		unsigned through = 0;

		w.seed = 20260101 + i;
		for (int n = 0; n < TRIES; n++) {
			struct slice value = make_value(forms[i].long_only ? TOKEN + draw(2) : draw(N_KINDS));

			give(value);
			through += goes_through(&forms[i], value);
		}
		print_message("%-24s %3u of %d through%s\n", forms[i].name, through, TRIES, forms[i].in_scope ? "" : " (out of scope)");
		failed += forms[i].in_scope ? through : 0;
	}
	assert_int_equal(failed, 0);
}

/* What has nothing to do with the value passes. */
static void test_others(void **state)
{
	unsigned refused = 0;

	(void)state;
	w.seed = 7;
	give(make_value(TOKEN));
	for (int n = 0; n < 20000; n++) {
		struct buf m;
		struct judgement j;

		buf_init(&m, 1u << 16);
		place(&m, make_value(draw(N_KINDS)));
		ask(&m, &j);
		refused += j.kind == VERDICT_DENY;
		buf_finish(&m);
		if (n % 100 == 0)
			arena_reset(&w.arena);
	}
	assert_int_equal(refused, 0);
}

static int open_world(void **state)
{
	struct faults faults;

	(void)state;
	faults_init(&faults);
	w.policy = (struct policy){ .profile = SL("t"), .actions = ~0u, .enforce = true };
	w.catalog = catalog_parse(slice_of(yaml), SL("t.yaml"), &faults);
	faults_finish(&faults);
	arena_init(&w.arena, 64u << 20);
	return w.catalog ? 0 : -1;
}

static int close_world(void **state)
{
	(void)state;
	catalog_free(w.catalog);
	ledger_free(w.ledger);
	arena_finish(&w.arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_forms), cmocka_unit_test(test_others) };

	return cmocka_run_group_tests(tests, open_world, close_world);
}
