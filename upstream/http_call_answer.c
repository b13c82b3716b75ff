#include "upstream/http_call_inside.h"

#include "base/wipe.h"
#include "mcp/rpc.h"

#define LINGER_MS 250
#define LINGER_BYTES (64 * 1024)
#define READS_PER_ROUND 16 /* of VAULT_READ_BYTES each; then the others get their turn */

static bool wanted(const struct http_call *c)
{
	return c->owner && c->state != CALL_ENDED;
}

static void see_head(struct http_call *c)
{
	if (c->head_seen || !c->answer.head_done)
		return;
	c->head_seen = true;
	http_on_head(c);
	if (c->answer.session.n && c->answer.status < 300 && wanted(c) && c->sink.session)
		c->sink.session(c->sink.ctx);
}

static void on_stream(void *ctx)
{
	struct http_call *c = ctx;

	see_head(c);
	if (wanted(c) && c->sink.stream)
		c->sink.stream(c->sink.ctx);
}

/* Beside a 4xx, only a JSON-RPC error is a message; anything else is some gateway's business. */
static bool is_error(struct http_call *c, struct slice json)
{
	struct arena *arena = &c->http->vault->scratch;
	struct rpc rpc;
	bool yes = rpc_parse(&rpc, json, arena, NULL) == E_OK && rpc.kind == RPC_ERROR;

	arena_reset(arena);
	return yes;
}

static bool on_message(void *ctx, struct slice json)
{
	struct http_call *c = ctx;

	see_head(c);
	if (!wanted(c) || (c->answer.status >= 400 && !is_error(c, json)))
		return true;
	if (c->sink.message)
		c->sink.message(c->sink.ctx, json);
	return !c->paused;
}

static void on_mark(void *ctx, const struct sse_mark *mark, bool alone)
{
	struct http_call *c = ctx;

	if (wanted(c) && c->sink.mark)
		c->sink.mark(c->sink.ctx, mark, alone);
}

static void on_named(void *ctx, struct slice type, struct slice data)
{
	struct http_call *c = ctx;

	if (wanted(c) && c->named)
		c->named(c->sink.ctx, type, data);
}

static void conclude(struct http_call *c)
{
	struct http_conversation *owner = c->owner;

	if (c->state == CALL_ENDED)
		return;
	http_call_mark_ended(c, c->answer.outcome, c->answer.status);
	if (owner)
		http_on_outcome(owner, &c->end, buf_slice(&c->answer.challenge));
}

/* The end is told, but the answer goes on: lets it run out, if that is soon. */
static void linger(struct http_call *c)
{
	if (!c->answer.keep || !c->sent_all || c->lingered > LINGER_BYTES)
		http_call_drop_wire(c);
	else
		http_call_limit(c, LINGER_MS);
}

static void settle(struct http_call *c, enum http_answer_state state, struct slice rest)
{
	struct http_answer *a = &c->answer;

	see_head(c);
	if (a->decided && state != HTTP_ANSWER_HELD)
		conclude(c);
	switch (state) {
	case HTTP_ANSWER_MORE:
		if (c->state == CALL_ENDED)
			linger(c);
		break;
	case HTTP_ANSWER_HELD:
		if (!http_answer_hold(a, rest))
			http_call_finish(c, UP_BROKEN, a->status);
		break;
	case HTTP_ANSWER_DONE:
		if (a->keep && c->sent_all && !rest.n)
			http_call_return_wire(c);
		else
			http_call_drop_wire(c);
		break;
	case HTTP_ANSWER_FAILED:
		http_call_drop_wire(c);
		break;
	}
}

static void digest(struct http_call *c, struct slice bytes)
{
	struct http_answer_sink sink = { on_stream, on_message, c, on_mark, on_named };
	enum http_answer_state state = http_answer_feed(&c->answer, &bytes, &sink);

	settle(c, state, bytes);
}

static void hear_end(struct http_call *c, bool clean)
{
	struct http_answer_sink sink = { on_stream, on_message, c, on_mark, on_named };

	if (clean || c->answer.complete)
		settle(c, http_answer_end(&c->answer, &sink), SL(""));
	else if (c->state == CALL_ENDED)
		http_call_drop_wire(c);
	else
		http_call_finish(c, UP_BROKEN, c->answer.status);
}

/* Reads what is there. TLS may hold decrypted bytes that no event will announce: so on until there is nothing. */
void http_call_receive(struct http_call *c)
{
	struct http_vault *h = c->http;
	char *to = h->vault->read_buffer;
	size_t n;

	for (int i = 0; i < READS_PER_ROUND && c->wire && !c->paused; i++) {
		enum wire_io io = wire_recv(c->wire, to, VAULT_READ_BYTES, &n);

		if (io == WIRE_AGAIN)
			return;
		if (io != WIRE_OK) {
			hear_end(c, io == WIRE_EOF);
			return;
		}
		if (c->state == CALL_ENDED)
			c->lingered += n;
		digest(c, slice_make(to, n));
		wipe(to, n);
		if (!h->pool.connector.tls && n < VAULT_READ_BYTES)
			return; /* a short read: the socket is empty */
	}
	if (c->wire && !c->paused)
		turn_add(&c->http->vault->turn, &c->task);
}

void http_call_go_on(struct http_call *c)
{
	if (c->paused || !c->wire)
		return;
	http_call_watch(c);
	if (http_answer_holds(&c->answer))
		digest(c, http_answer_unhold(&c->answer));
	if (c->wire && !http_answer_holds(&c->answer))
		http_call_receive(c);
}
