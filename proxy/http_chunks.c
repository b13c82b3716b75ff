#include "proxy/http_chunks.h"

#include <string.h>

enum { SIZE, SIZE_LF, DATA, DATA_CR, DATA_LF, END_CR, END_LF };

#define MAX_SIZE_DIGITS 8

void http_chunks_init(struct http_chunks *c)
{
	*c = (struct http_chunks){ .state = SIZE };
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One byte of the size line: a digit, or the CR behind at least one. */
static enum err size_byte(struct http_chunks *c, char byte, size_t room)
{
	int digit = hex_digit(byte);

	if (digit < 0) {
		if (byte != '\r' || c->digits == 0)
			return E_FRAMING;
		c->state = SIZE_LF;
		return c->left > room ? E_TOO_BIG : E_OK;
	}
	if (++c->digits > MAX_SIZE_DIGITS)
		return E_FRAMING;
	c->left = c->left << 4 | (uint32_t)digit;
	return E_OK;
}

/* One byte that can only be what the framing asks for. */
static enum err fixed_byte(struct http_chunks *c, char byte, bool *done)
{
	bool lf = c->state == SIZE_LF || c->state == DATA_LF || c->state == END_LF;

	if (byte != (lf ? '\n' : '\r'))
		return E_FRAMING;
	switch (c->state) {
	case SIZE_LF:
		c->state = c->left ? DATA : END_CR;
		break;
	case DATA_CR:
		c->state = DATA_LF;
		break;
	case DATA_LF:
		http_chunks_init(c);
		break;
	case END_CR:
		c->state = END_LF;
		break;
	default:
		*done = true;
	}
	return E_OK;
}

enum err http_chunks_feed(struct http_chunks *c, char *out, size_t *n_out, size_t max_bytes, const char *raw, size_t n,
	size_t *used, bool *done)
{
	size_t i = 0;
	enum err e = E_OK;

	*done = false;
	while (i < n && !*done && e == E_OK) {
		if (c->state == DATA) {
			size_t part = n - i < c->left ? n - i : c->left;

			memmove(out + *n_out, raw + i, part);
			*n_out += part;
			i += part;
			c->left -= (uint32_t)part;
			if (c->left == 0)
				c->state = DATA_CR;
		} else if (c->state == SIZE) {
			e = size_byte(c, raw[i++], max_bytes - *n_out);
		} else {
			e = fixed_byte(c, raw[i++], done);
		}
	}
	*used = i;
	return e;
}
