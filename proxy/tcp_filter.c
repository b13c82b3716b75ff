#include "proxy/tcp_filter.h"

#include <stdlib.h>

#define CHUNK_BYTES ((size_t)64 * 1024)    /* given to the filter at a time */
#define MAX_WIRE_BYTES ((size_t)256 * 1024) /* of its own words for a peer that does not read, and one chunk */
#define LAST_WORDS_MS 2000                 /* for a refused peer to read them */

static bool is_unix(const struct tcp_conn *c)
{
	return c->uv.handle.type == UV_NAMED_PIPE;
}

bool tcp_filter_open(struct tcp_conn *c)
{
	struct tcp_filter *f = c->server->config.filter;

	if (!f || is_unix(c))
		return true;
	c->filtered = f->ops->create(f);
	return c->filtered != NULL;
}

void tcp_filter_free(struct tcp_conn *c)
{
	if (c->filtered)
		c->filtered->ops->free(c->filtered);
	c->filtered = NULL;
	buf_finish(&c->wire);
}

bool tcp_filter_keeps(const struct tcp_conn *c)
{
	struct tcp_filter *f = c->server->config.filter;

	if (!f || !c->filtered)
		return is_unix(c) || (!f && !c->filtered);
	return f->ops->vouches(f, c->filtered);
}

const struct san *tcp_peer_names(const struct tcp_conn *c, size_t *n)
{
	*n = 0;
	return c->filtered ? c->filtered->ops->names(c->filtered, n) : NULL;
}

/* --- in ----------------------------------------------------------------------------------------------------------- */

uv_buf_t tcp_filter_room(struct tcp_conn *c)
{
	struct tcp_server *server = c->server;

	if (!server->raw)
		server->raw = malloc(TCP_RAW_BYTES);
	if (!server->raw)
		c->broken = true;
	return uv_buf_init(server->raw, server->raw ? TCP_RAW_BYTES : 0);
}

static struct buf *wire_of(struct tcp_conn *c)
{
	if (!c->wire.p)
		buf_init(&c->wire, MAX_WIRE_BYTES);
	return &c->wire;
}

/* One look: as much as `in` has room for. */
static enum tcp_step read_some(struct tcp_conn *c, struct slice raw)
{
	enum tcp_step step;
	size_t before;

	if (!tcp_take_in(c))
		return STEP_BROKEN;
	before = c->in.n;
	step = c->filtered->ops->read(c->filtered, raw, &c->in, wire_of(c));
	if (c->wire.n)
		tcp_wait(c);
	if (c->in.n > c->in_high)
		c->in_high = c->in.n;
	if (c->in.n > before)
		c->server->ops->received(c);
	else if (step == STEP_FULL)
		tcp_pause(c); /* no room was made: the protocol will say when there is */
	else
		tcp_consume(c, 0);
	return step;
}

static void take_step(struct tcp_conn *c, enum tcp_step step)
{
	switch (step) {
	case STEP_MORE:
	case STEP_FULL:
		break;
	case STEP_EOF:
		c->eof = true;
		uv_read_stop(&c->uv.stream);
		if (c->server->ops->eof)
			c->server->ops->eof(c);
		else
			tcp_conn_close(c);
		break;
	case STEP_REFUSED:
		c->dead = true;
		c->deadline_ms = uv_now(c->server->loop) + LAST_WORDS_MS;
		tcp_wait(c);
		break;
	case STEP_BROKEN:
		tcp_conn_close(c);
		break;
	}
}

void tcp_filter_received(struct tcp_conn *c, size_t n)
{
	struct slice raw = slice_make(c->server->raw, n);
	enum tcp_step step;

	if (c->dead)
		return;
	do {
		step = read_some(c, raw);
		raw = SL("");
	} while (step == STEP_FULL && !c->paused && !c->closing);
	c->kept = step == STEP_FULL;
	if (!c->closing)
		take_step(c, step);
}

/* --- out ---------------------------------------------------------------------------------------------------------- */

/* What the filter has taken is dropped from the front of `out` once it is most of it: each byte is moved once at most. */
static void drop_done(struct tcp_conn *c)
{
	if (c->out_done < CHUNK_BYTES || c->out_done < c->out.n / 2)
		return;
	buf_consume(&c->out, c->out_done);
	c->out_done = 0;
}

bool tcp_filter_fill(struct tcp_conn *c)
{
	struct slice plain = slice_from(buf_slice(&c->out), c->out_done);

	if (plain.n && !c->dead && !c->broken) {
		c->out_done += c->filtered->ops->write(c->filtered, slice_head(plain, CHUNK_BYTES), wire_of(c));
		drop_done(c);
	}
	return c->wire.n || c->wire.failed;
}

void tcp_filter_end(struct tcp_conn *c)
{
	uv_buf_t all;

	if (c->writing || c->out.n > c->out_done)
		return;
	c->filtered->ops->end(c->filtered, wire_of(c));
	if (!c->wire.n)
		return;
	all = uv_buf_init(c->wire.p, (unsigned)c->wire.n);
	uv_try_write(&c->uv.stream, &all, 1);
	buf_clear(&c->wire);
}
