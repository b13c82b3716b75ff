#include "proxy/batch.h"

#include <stdlib.h>
#include "base/wipe.h"
#include "mcp/rpc.h"

enum { MAX_MESSAGES = 64, ARENA_BYTES = 32 * 1024 * 1024 };
#define MAX_ANSWER_BYTES (64u * 1024 * 1024) /* of all answers together */

struct batch;

struct member {
	struct reply reply; /* first */
	struct batch *batch;
	struct ask ask;     /* lent to its exchange, as long as that may look at it */
	bool done;
};

struct batch {
	struct exchange_base base; /* first: what the outer reply is told goes to all members */
	struct reply *outer;       /* NULL: nobody waits */
	struct buf answers;        /* as JSON, with commas */
	bool lines;                /* stdio: answers are one line, whatever comes before them */
	bool streaming;
	size_t open;               /* members, and who is still handing them on */
	size_t n;
	struct member members[];
};

bool batch_is(struct slice body)
{
	for (size_t i = 0; i < body.n; i++)
		if (body.p[i] != ' ' && body.p[i] != '\t' && body.p[i] != '\r' && body.p[i] != '\n')
			return body.p[i] == '[';
	return false;
}

/* --- the answer ----------------------------------------------------------------------------------------------------- */

static void batch_free(struct batch *b)
{
	buf_finish(&b->answers);
	wipe_free(b);
}

static void give(struct batch *b, struct reply *r)
{
	struct buf all;

	if (!b->answers.n && !b->answers.failed) {
		r->ops->accepted(r); /* the end of the stream, or nothing to answer */
		return;
	}
	buf_init(&all, MAX_ANSWER_BYTES + 2);
	buf_add_char(&all, '[');
	buf_add(&all, buf_slice(&b->answers));
	buf_add_char(&all, ']');
	if (all.failed || b->answers.failed)
		r->ops->fail(r, 500, SL(""));
	else
		r->ops->answer(r, buf_slice(&all));
	buf_finish(&all);
}

static void close_one(struct batch *b)
{
	struct reply *r = b->outer;

	if (--b->open)
		return;
	if (r) {
		r->exchange = NULL;
		give(b, r);
	}
	batch_free(b);
}

static struct member *of(struct reply *r)
{
	return (struct member *)(void *)r;
}

static void finish(struct member *m)
{
	m->reply.exchange = NULL;
	m->done = true;
	close_one(m->batch);
}

static void add_answer(struct batch *b, struct slice json)
{
	if (!b->outer || !json.n)
		return;
	if (b->streaming) {
		b->outer->ops->message(b->outer, json);
		return;
	}
	if (b->answers.n)
		buf_add_char(&b->answers, ',');
	buf_add(&b->answers, json);
}

/* --- what members are told ------------------------------------------------------------------------------------------ */

static void reply_stream(struct reply *r)
{
	struct batch *b = of(r)->batch;

	if (b->streaming || b->lines || !b->outer)
		return;
	b->outer->ops->stream(b->outer);
	b->streaming = true;
	if (!b->answers.n)
		return;
	/* Those that were there first, as one event. */
	struct buf first;
	buf_init(&first, MAX_ANSWER_BYTES + 2);
	buf_add_char(&first, '[');
	buf_add(&first, buf_slice(&b->answers));
	if (buf_add_char(&first, ']') == E_OK)
		b->outer->ops->message(b->outer, buf_slice(&first));
	buf_finish(&first);
	buf_finish(&b->answers);
	buf_init(&b->answers, MAX_ANSWER_BYTES);
}

static void reply_message(struct reply *r, struct slice json)
{
	struct batch *b = of(r)->batch;

	reply_stream(r);
	if (b->outer)
		b->outer->ops->message(b->outer, json);
}

static void reply_answer(struct reply *r, struct slice json)
{
	add_answer(of(r)->batch, json);
	finish(of(r));
}

static void reply_accepted(struct reply *r)
{
	finish(of(r));
}

static void reply_fail(struct reply *r, int status, struct slice json)
{
	(void)status; /* others of the array may have gone well */
	add_answer(of(r)->batch, json);
	finish(of(r));
}

static bool reply_full(struct reply *r)
{
	struct batch *b = of(r)->batch;

	return b->outer && b->outer->ops->full(b->outer);
}

static void reply_session(struct reply *r, struct slice id)
{
	struct batch *b = of(r)->batch;

	if (b->outer && !b->streaming)
		b->outer->ops->session(b->outer, id);
}

static const struct reply_ops reply_ops = {
	.stream = reply_stream,
	.message = reply_message,
	.answer = reply_answer,
	.accepted = reply_accepted,
	.fail = reply_fail,
	.full = reply_full,
	.session = reply_session,
};

/* --- what the outer reply tells ------------------------------------------------------------------------------------- */

static void on_gone(struct exchange *x)
{
	struct batch *b = (struct batch *)(void *)x;

	b->outer = NULL;
	b->open++; /* it stays until all have been told */
	for (size_t i = 0; i < b->n; i++) {
		struct member *m = &b->members[i];

		if (m->done)
			continue;
		exchange_gone(&m->reply);
		finish(m);
	}
	close_one(b);
}

static void on_drained(struct exchange *x)
{
	struct batch *b = (struct batch *)(void *)x;

	b->open++;
	for (size_t i = 0; i < b->n; i++)
		if (!b->members[i].done)
			exchange_drained(&b->members[i].reply);
	close_one(b);
}

/* --- taking it apart ------------------------------------------------------------------------------------------------ */

static const char *check(const struct json *j, struct arena *arena, struct slice *parts, size_t *n)
{
	struct rpc rpc;
	bool answers = false, others = false;

	*n = 0;
	for (uint32_t t = json_first(j, 0); t < j->tok[0].next; t = j->tok[t].next) {
		if (*n == MAX_MESSAGES)
			return "a batch of more than 64 messages";
		parts[*n] = json_source(j, t);
		if (rpc_parse(&rpc, parts[(*n)++], arena, NULL) != E_OK)
			return "a batch with something that is no message";
		if (rpc.kind == RPC_REQUEST && slice_eq(rpc.method_name, SL("initialize")))
			return "initialize is no part of a batch";
		answers = answers || rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR;
		others = others || rpc.kind == RPC_REQUEST || rpc.kind == RPC_NOTIFICATION;
	}
	if (!*n)
		return "an empty batch";
	return answers && others ? "a batch with answers between requests" : NULL;
}

static void hand_on(struct front *front, const struct ask *ask, struct batch *b, const struct slice *parts)
{
	b->open++;
	for (size_t i = 0; i < b->n; i++) {
		struct member *m = &b->members[i];

		if (b->outer) {
			m->ask = *ask;
			m->ask.body = parts[i];
			m->ask.last_event_id = SL("");
			front->ops->post(front, &m->ask, &m->reply);
		} else if (!m->done) {
			finish(m);
		}
	}
	close_one(b);
}

static struct batch *create(const struct ask *ask, struct reply *outer, size_t n)
{
	static const struct exchange_ops ops = { .gone = on_gone, .drained = on_drained };
	struct batch *b = wipe_calloc(1, sizeof *b + n * sizeof(struct member));

	if (!b)
		return NULL;
	b->base.ops = &ops;
	b->outer = outer;
	b->lines = ask->stdio;
	b->n = b->open = n;
	buf_init(&b->answers, MAX_ANSWER_BYTES);
	for (size_t i = 0; i < n; i++)
		b->members[i] = (struct member){ .reply = { .ops = &reply_ops }, .batch = b };
	outer->exchange = (struct exchange *)(void *)b;
	return b;
}

const char *batch_post(struct front *front, const struct ask *ask, struct reply *outer)
{
	struct slice parts[MAX_MESSAGES];
	struct arena arena;
	struct json j;
	struct batch *b;
	const char *why;
	size_t n;

	arena_init(&arena, ARENA_BYTES);
	struct slice body = arena_dup(&arena, ask->body); /* the asker's bytes may go while its messages are handed on */
	if (!body.p || json_parse(&j, body, &arena, NULL) != E_OK)
		why = "a batch that could not be read";
	else
		why = check(&j, &arena, parts, &n);
	b = why ? NULL : create(ask, outer, n);
	if (b)
		hand_on(front, ask, b, parts);
	arena_finish(&arena);
	return why || b ? why : "out of memory";
}
