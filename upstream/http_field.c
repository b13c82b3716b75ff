#include "upstream/http_field.h"

enum { FIELD_OTHER = -1, FIELD_NAMING = -2 };

static bool is_type(struct slice value, struct slice type)
{
	struct slice rest = value;

	return slice_eq_nocase(slice_trim(slice_cut(&rest, ';')), type);
}

static bool take_type(struct http_answer *a, struct slice value)
{
	if (is_type(value, SL("application/json")))
		a->type = HTTP_TYPE_JSON;
	else if (is_type(value, SL("text/event-stream")))
		a->type = HTTP_TYPE_EVENTS;
	else
		a->type = HTTP_TYPE_OTHER;
	return true;
}

static bool take_encoding(struct http_answer *a, struct slice value)
{
	a->encoded = value.n && !slice_eq_nocase(value, SL("identity"));
	return true;
}

/* Any other coding, or a chain of them, leaves in doubt where the body ends. */
static bool take_transfer(struct http_answer *a, struct slice value)
{
	a->chunked = true;
	return slice_eq_nocase(value, SL("chunked"));
}

/* Visible ASCII (MCP "Session Management"): it goes back in a header of ours. */
static bool take_session(struct http_answer *a, struct slice value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < 0x21 || value.p[i] > 0x7E)
			return false;
	return buf_add(&a->session, value) == E_OK;
}

/* What a credential lacks (RFC 6750 §3): a hint. */
static bool take_challenge(struct http_answer *a, struct slice value)
{
	if (!a->challenge.n)
		buf_add(&a->challenge, value);
	return true;
}

/* `Keep-Alive: timeout=5, max=100`: a hint, so what cannot be read is no error. */
static bool take_keep_alive(struct http_answer *a, struct slice value)
{
	struct slice rest = value;
	uint64_t seconds = 0;

	while (rest.p) {
		struct slice item = slice_trim(slice_cut(&rest, ','));

		if (!slice_eq_nocase(slice_head(item, 8), SL("timeout=")))
			continue;
		for (size_t i = 8; i < item.n && item.p[i] >= '0' && item.p[i] <= '9' && seconds < 3600; i++)
			seconds = seconds * 10 + (uint64_t)(item.p[i] - '0');
	}
	a->keep_alive_ms = seconds * 1000;
	return true;
}

static const struct row {
	struct slice name;
	bool once; /* a second one would leave in doubt which is meant */
	bool hint; /* one that is too long says nothing, instead of spoiling the answer */
	bool (*take)(struct http_answer *, struct slice value);
} rows[] = {
	{ { "content-type", 12 }, true, false, take_type },
	{ { "content-encoding", 16 }, true, false, take_encoding },
	{ { "transfer-encoding", 17 }, true, false, take_transfer },
	{ { "mcp-session-id", 14 }, true, false, take_session },
	{ { "keep-alive", 10 }, false, true, take_keep_alive },
	{ { "www-authenticate", 16 }, false, true, take_challenge },
};

#define N_ROWS ((int)(sizeof rows / sizeof *rows))

static int find(struct slice name)
{
	for (int i = 0; i < N_ROWS; i++)
		if (slice_eq_nocase(name, rows[i].name))
			return i;
	return FIELD_OTHER;
}

void http_field_name(struct http_answer *a, struct slice piece)
{
	if (a->field != FIELD_NAMING) {
		a->field = FIELD_NAMING;
		a->name_n = a->value_n = 0;
	}
	if (a->name_n + piece.n <= HTTP_NAME_MAX)
		memcpy(a->name + a->name_n, piece.p, piece.n);
	a->name_n += piece.n;
}

/* The name is complete once its value begins, or ends empty. */
static void settle(struct http_answer *a)
{
	if (a->field == FIELD_NAMING)
		a->field = a->name_n <= HTTP_NAME_MAX ? find(slice_make(a->name, a->name_n)) : FIELD_OTHER;
}

bool http_field_value(struct http_answer *a, struct slice piece)
{
	settle(a);
	if (a->field == FIELD_OTHER)
		return true;
	if (a->value_n + piece.n > HTTP_VALUE_MAX) {
		bool hint = rows[a->field].hint;

		a->field = FIELD_OTHER;
		return hint;
	}
	memcpy(a->value + a->value_n, piece.p, piece.n);
	a->value_n += piece.n;
	return true;
}

bool http_field_take(struct http_answer *a)
{
	settle(a);
	if (a->field == FIELD_OTHER)
		return true;
	const struct row *row = &rows[a->field];
	unsigned bit = 1u << a->field;

	a->field = FIELD_OTHER;
	if (row->once && (a->seen & bit))
		return false;
	a->seen |= bit;
	return row->take(a, slice_trim(slice_make(a->value, a->value_n)));
}

void http_field_reset(struct http_answer *a)
{
	a->field = FIELD_OTHER;
	a->type = HTTP_TYPE_NONE;
	a->encoded = a->chunked = false;
	a->keep_alive_ms = 0;
	a->seen = 0;
	a->name_n = a->value_n = 0;
	buf_clear(&a->session);
	buf_clear(&a->challenge);
}
