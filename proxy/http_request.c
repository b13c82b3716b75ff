#include "proxy/http_request.h"

#include "proxy/media.h"

static const struct slice field_names[FIELD_COUNT] = {
#define X(name, text) { "" text, sizeof(text) - 1 },
	HTTP_FIELDS(X)
#undef X
};

static bool has(const struct http_request *r, enum http_field f)
{
	return r->seen & 1u << f;
}

static enum http_progress refuse(struct http_request *r, int status, const char *why)
{
	r->status = status;
	r->why = why;
	return READ_BAD;
}

/* --- what llhttp calls; the head is fed in one go, so no piece ever comes in two ---------------------------------- */

static struct http_request *of(llhttp_t *parser)
{
	return parser->data;
}

static struct http_span span_of(const struct http_request *r, const char *at, size_t n)
{
	return (struct http_span){ (uint32_t)(at - r->base), (uint32_t)n };
}

static int on_url(llhttp_t *parser, const char *at, size_t n)
{
	of(parser)->target = span_of(of(parser), at, n);
	return 0;
}

/* Length and last letter leave one candidate at most, nearly always none. */
static enum http_field find_field(struct slice name)
{
	char last = name.n ? (char)(name.p[name.n - 1] | 0x20) : '\0';

	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (name.n == field_names[i].n && last == field_names[i].p[name.n - 1] && slice_eq_nocase(name, field_names[i]))
			return (enum http_field)i;
	return FIELD_OTHER;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t n)
{
	struct http_request *r = of(parser);
	enum http_field f = find_field(slice_make(at, n));

	r->current = f;
	if (f == FIELD_OTHER)
		return 0;
	if (has(r, f))
		r->twice |= 1u << f;
	r->seen |= 1u << f;
	r->field[f] = (struct http_span){ 0, 0 };
	return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t n)
{
	struct http_request *r = of(parser);
	struct slice value = slice_trim(slice_make(at, n));

	if (r->current == FIELD_OTHER)
		return 0;
	r->field[r->current] = span_of(r, value.p, value.n);
	if (r->current == FIELD_ACCEPT)
		r->accepted |= (uint8_t)media_accepted(value);
	return 0;
}

/* Whatever follows the head is counted here, not by llhttp. */
static int on_headers_complete(llhttp_t *parser)
{
	of(parser)->announced = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_url = on_url,
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
};

/* --- lines: what must hold before llhttp reads them --------------------------------------------------------------- */

static bool is_version(struct slice v)
{
	return v.n == 8 && slice_starts(v, SL("HTTP/")) && v.p[5] >= '0' && v.p[5] <= '9' && v.p[6] == '.' && v.p[7] >= '0' &&
	       v.p[7] <= '9';
}

static bool is_path(struct slice target)
{
	if (target.n == 0 || target.p[0] != '/')
		return false;
	for (size_t i = 0; i < target.n; i++)
		if (target.p[i] < 0x21 || target.p[i] > 0x7E)
			return false;
	return true;
}

static enum http_progress check_request_line(struct http_request *r, struct slice line)
{
	struct slice version = line;
	struct slice method = slice_cut(&version, ' ');
	struct slice target = slice_cut(&version, ' ');

	if (!is_version(version))
		return refuse(r, 400, "the request line is malformed");
	if (method.n == 0 || !is_path(target))
		return refuse(r, 400, "the request target must be a path");
	if (!slice_eq(version, SL("HTTP/1.1")))
		return refuse(r, 505, "only HTTP/1.1 is spoken here");
	return READ_MORE;
}

/* One line with its CR, without its LF. READ_HEAD: it is the empty one. */
static enum http_progress check_line(struct http_request *r, struct slice line)
{
	if (line.n == 0 || line.p[line.n - 1] != '\r')
		return refuse(r, 400, "a line of the head does not end in CRLF");
	line.n--;
	if (line.n && memchr(line.p, '\r', line.n))
		return refuse(r, 400, "a bare CR in the head");
	if (r->lines == 0)
		return check_request_line(r, line);
	if (line.n == 0)
		return READ_HEAD;
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return refuse(r, 400, "a folded header field");
	if (line.p[0] == ':')
		return refuse(r, 400, "a header field without a name");
	if (r->lines > r->limits->max_fields)
		return refuse(r, 431, "too many header fields");
	return READ_MORE;
}

static enum http_progress scan_lines(struct http_request *r, const struct buf *in)
{
	const char *lf;

	while (r->scanned < in->n && (lf = memchr(in->p + r->scanned, '\n', in->n - r->scanned))) {
		size_t end = (size_t)(lf - in->p);
		enum http_progress p;

		if (end >= r->limits->max_head_bytes)
			return refuse(r, 431, "the head is too big");
		p = check_line(r, slice_make(in->p + r->line, end - r->line));
		r->scanned = (uint32_t)end + 1;
		if (p != READ_MORE)
			return p;
		r->line = r->scanned;
		r->lines++;
	}
	if (in->n >= r->limits->max_head_bytes)
		return refuse(r, 431, "the head is too big");
	r->scanned = (uint32_t)in->n;
	return READ_MORE;
}

/* --- the head as a whole ------------------------------------------------------------------------------------------ */

static enum http_verb verb_of(const llhttp_t *parser)
{
	switch (parser->method) {
	case HTTP_GET:
		return VERB_GET;
	case HTTP_HEAD:
		return VERB_HEAD;
	case HTTP_POST:
		return VERB_POST;
	case HTTP_DELETE:
		return VERB_DELETE;
	default:
		return VERB_OTHER;
	}
}

static bool read_length(struct slice text, size_t *out)
{
	size_t n = 0;

	if (text.n == 0 || text.n > 18)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (size_t)(text.p[i] - '0');
	}
	*out = n;
	return true;
}

static enum http_progress check_framing(struct http_request *r, const struct buf *in)
{
	if (has(r, FIELD_TRANSFER_ENCODING)) {
		if (has(r, FIELD_CONTENT_LENGTH))
			return refuse(r, 400, "Content-Length beside Transfer-Encoding");
		if (!slice_eq_nocase(http_request_field(r, in, FIELD_TRANSFER_ENCODING), SL("chunked")) ||
			!(r->parser.flags & F_CHUNKED)) /* llhttp sees another coding in `chunked` and a tab */
			return refuse(r, 400, "a transfer coding other than chunked");
		r->chunked = true;
	} else if (has(r, FIELD_CONTENT_LENGTH)) {
		if (!read_length(http_request_field(r, in, FIELD_CONTENT_LENGTH), &r->content_length) ||
			r->content_length != r->parser.content_length)
			return refuse(r, 400, "Content-Length is not a number");
	}
	if ((r->chunked || r->content_length) && r->verb != VERB_POST && r->verb != VERB_OTHER)
		return refuse(r, 400, "a body with a method that has none");
	return READ_HEAD;
}

static enum http_progress check_expectation(struct http_request *r, const struct buf *in)
{
	bool fits = r->content_length <= r->limits->max_body_bytes;

	if (has(r, FIELD_EXPECT)) {
		if (!fits || !slice_eq_nocase(http_request_field(r, in, FIELD_EXPECT), SL("100-continue")))
			return refuse(r, 417, "this expectation cannot be met");
		r->expects_continue = r->chunked || r->content_length;
	}
	return fits ? READ_HEAD : refuse(r, 413, "the body is too big");
}

static enum http_progress check_head(struct http_request *r, const struct buf *in)
{
	enum http_progress p;

	if (r->twice & ~(1u << FIELD_ACCEPT))
		return refuse(r, 400, "a header field appears twice");
	if (http_request_field(r, in, FIELD_HOST).n == 0)
		return refuse(r, 400, "the Host header field is missing");
	if (has(r, FIELD_UPGRADE))
		return refuse(r, 400, "Upgrade is not offered");
	p = check_framing(r, in);
	return p == READ_HEAD ? check_expectation(r, in) : p;
}

static enum http_progress read_head(struct http_request *r, const struct buf *in)
{
	enum llhttp_errno e;

	r->base = in->p;
	r->parser.data = r;
	e = llhttp_execute(&r->parser, in->p, r->scanned);
	r->base = NULL;
	if (e == HPE_INVALID_METHOD)
		return refuse(r, 405, "this method is not known");
	if (!r->announced || e != HPE_PAUSED)
		return refuse(r, 400, "the head is malformed");
	r->head_bytes = r->scanned;
	r->verb = (uint8_t)verb_of(&r->parser);
	r->keep_alive = !(r->parser.flags & F_CONNECTION_CLOSE);
	return check_head(r, in);
}

/* --- the body ----------------------------------------------------------------------------------------------------- */

static enum http_progress read_chunks(struct http_request *r, struct buf *in)
{
	char *body = in->p + r->head_bytes;
	char *raw = body + r->body_bytes;
	size_t n = in->n - r->head_bytes - r->body_bytes, used;
	enum err e = http_chunks_feed(&r->chunks, body, &r->body_bytes, r->limits->max_body_bytes, raw, n, &used, &r->whole);

	if (e == E_TOO_BIG)
		return refuse(r, 413, "the body is too big");
	if (e != E_OK)
		return refuse(r, 400, "the chunked coding is malformed");
	memmove(body + r->body_bytes, raw + used, n - used);
	in->n = r->head_bytes + r->body_bytes + (n - used);
	return r->whole ? READ_DONE : READ_MORE;
}

static enum http_progress read_body(struct http_request *r, struct buf *in)
{
	if (r->whole)
		return READ_DONE;
	if (r->chunked)
		return read_chunks(r, in);
	r->body_bytes = in->n - r->head_bytes < r->content_length ? in->n - r->head_bytes : r->content_length;
	r->whole = r->body_bytes == r->content_length;
	return r->whole ? READ_DONE : READ_MORE;
}

/* --- outside ------------------------------------------------------------------------------------------------------ */

void http_request_init(struct http_request *r, const struct http_limits *limits)
{
	*r = (struct http_request){ .limits = limits };
	llhttp_init(&r->parser, HTTP_REQUEST, &settings);
}

void http_request_reset(struct http_request *r)
{
	http_request_init(r, r->limits);
}

enum http_progress http_request_feed(struct http_request *r, struct buf *in)
{
	enum http_progress p;

	if (r->status)
		return READ_BAD;
	if (r->head_bytes)
		return read_body(r, in);
	p = scan_lines(r, in);
	return p == READ_HEAD ? read_head(r, in) : p;
}

size_t http_request_wants(const struct http_request *r)
{
	return r->head_bytes && !r->chunked ? r->head_bytes + r->content_length : 0;
}

size_t http_request_bytes(const struct http_request *r)
{
	return r->head_bytes + r->body_bytes;
}

struct slice http_request_field(const struct http_request *r, const struct buf *in, enum http_field f)
{
	if (!has(r, f))
		return (struct slice){ NULL, 0 };
	return slice_make(in->p + r->field[f].off, r->field[f].len);
}

struct slice http_request_fields(const struct http_request *r, const struct buf *in)
{
	struct slice lines = slice_make(in->p, r->head_bytes);

	slice_cut(&lines, '\n');
	return lines.n > 2 ? slice_head(lines, lines.n - 2) : SL("");
}

struct slice http_request_target(const struct http_request *r, const struct buf *in)
{
	return slice_make(in->p + r->target.off, r->target.len);
}

struct slice http_request_body(const struct http_request *r, const struct buf *in)
{
	return slice_make(in->p + r->head_bytes, r->body_bytes);
}
