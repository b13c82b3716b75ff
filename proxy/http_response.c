#include "proxy/http_response.h"

#define CHUNK_DIGITS 8
#define CHUNK_LINE (CHUNK_DIGITS + 2)

static const struct {
	int status;
	struct slice text;
} statuses[] = {
#define ROW(status, text) { status, { "" text, sizeof(text) - 1 } }
	ROW(200, "OK"),
	ROW(202, "Accepted"),
	ROW(204, "No Content"),
	ROW(400, "Bad Request"),
	ROW(401, "Unauthorized"),
	ROW(403, "Forbidden"),
	ROW(404, "Not Found"),
	ROW(405, "Method Not Allowed"),
	ROW(406, "Not Acceptable"),
	ROW(408, "Request Timeout"),
	ROW(409, "Conflict"),
	ROW(413, "Content Too Large"),
	ROW(415, "Unsupported Media Type"),
	ROW(417, "Expectation Failed"),
	ROW(429, "Too Many Requests"),
	ROW(431, "Request Header Fields Too Large"),
	ROW(500, "Internal Server Error"),
	ROW(502, "Bad Gateway"),
	ROW(503, "Service Unavailable"),
	ROW(504, "Gateway Timeout"),
	ROW(505, "HTTP Version Not Supported"),
#undef ROW
};

struct slice http_status_text(int status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return SL("Unknown");
}

static bool is_visible(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7E)
			return false;
	return true;
}

static void add_number(struct buf *out, size_t n)
{
	char text[24];
	size_t at = sizeof(text);

	do
		text[--at] = (char)('0' + n % 10);
	while ((n /= 10));
	buf_add(out, slice_make(text + at, sizeof(text) - at));
}

static void add_field(struct buf *out, struct slice name, struct slice value)
{
	if (value.n == 0)
		return;
	buf_add(out, name);
	buf_add(out, value);
	buf_add(out, SL("\r\n"));
}

static void add_status_line(struct buf *out, int status)
{
	if (status == 200) {
		buf_add(out, SL("HTTP/1.1 200 OK\r\n"));
		return;
	}
	buf_add(out, SL("HTTP/1.1 "));
	add_number(out, (size_t)status);
	buf_add_char(out, ' ');
	buf_add(out, http_status_text(status));
	buf_add(out, SL("\r\n"));
}

static void add_body_fields(struct buf *out, const struct http_head *h)
{
	add_field(out, SL("Content-Type: "), h->content_type);
	if (h->events) {
		buf_add(out, SL("Cache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n"));
	} else if (h->status != 204) {
		buf_add(out, SL("Content-Length: "));
		add_number(out, h->length);
		buf_add(out, SL("\r\n"));
	}
}

enum err http_write_head(struct buf *out, const struct http_head *h)
{
	size_t before = out->n;

	if (!is_visible(h->session))
		return E_INVALID;
	add_status_line(out, h->status);
	add_body_fields(out, h);
	add_field(out, SL("Mcp-Session-Id: "), h->session);
	add_field(out, SL("Allow: "), h->allow);
	add_field(out, SL("WWW-Authenticate: "), h->status == 401 ? SL("Bearer") : SL("")); /* RFC 9110, 15.5.2 */
	add_field(out, SL("Date: "), h->date);
	if (h->close)
		buf_add(out, SL("Connection: close\r\n"));
	buf_add(out, SL("\r\n"));
	if (out->failed)
		out->n = before;
	return out->failed;
}

size_t http_chunk_begin(struct buf *out)
{
	size_t at = out->n;

	buf_add(out, SL("00000000\r\n"));
	return at;
}

void http_chunk_end(struct buf *out, size_t begun_at)
{
	static const char digits[] = "0123456789abcdef";
	size_t n;

	buf_add(out, SL("\r\n"));
	if (out->failed)
		return;
	n = out->n - begun_at - CHUNK_LINE - 2;
	for (size_t i = CHUNK_DIGITS; i-- > 0; n >>= 4)
		out->p[begun_at + i] = digits[n & 15];
}

enum err http_write_last_chunk(struct buf *out)
{
	return buf_add(out, SL("0\r\n\r\n"));
}
