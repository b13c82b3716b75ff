#include "proxy/endpoint_sse.h"

#include <stdlib.h>
#include "base/digest.h"
#include "base/table.h"
#include "base/wipe.h"
#include "mcp/rpc.h"
#include "mcp/sse.h"
#include "proxy/endpoint_reply.h"

#define KEY_BYTES 16
#define KEY_CHARS (2 * KEY_BYTES)
#define MAX_SESSIONS 4096
#define MAX_POSTS 256 /* in flight in one session */
#define REFUSED (-32000)
#define QUERY "sessionId="

struct sse_sessions {
	struct front *front;
	struct table *by_key;
};

/* One message in flight: it outlives the POST that brought it. */
struct post {
	struct reply reply; /* first */
	struct sse_session *session;
	struct post *next;
	struct http_conn *conn; /* the POST, until it is answered */
	struct ask ask;
	bool done;
	size_t n;
	char bytes[];
};

enum ear { EAR_CLOSED, EAR_OPEN, EAR_NEVER };

struct sse_session {
	struct sse_sessions *all;
	struct http_conn *conn; /* the stream */
	struct post *posts;
	size_t n_posts;
	unsigned busy;          /* walks over `posts`: nothing is freed meanwhile */
	char key[KEY_CHARS + 1];
	struct buf upstream, authorization;
	char id[ENDPOINT_SESSION_CHARS]; /* what the front calls it */
	size_t id_n;
	struct reply listener;  /* for what the vault says by itself */
	struct ask listener_ask;
	enum ear ear;
	bool local;
	bool ends;              /* with what is in flight */
};

/* --- the stream --------------------------------------------------------------------------------------------------- */

static void add_event(struct sse_session *s, struct slice json)
{
	if (!s->conn || !json.n)
		return;
	sse_write_message(http_stream_chunk(s->conn), json);
	http_stream_chunk_end(s->conn);
}

static void add_endpoint(struct sse_session *s)
{
	struct buf *out = http_stream_chunk(s->conn);
	struct slice name = buf_slice(&s->upstream);

	buf_add_fmt(out, "event: endpoint\ndata: %s%.*s/messages?" QUERY "%s\n\n", name.n ? "/" : "", SL_ARG(name), s->key);
	http_stream_chunk_end(s->conn);
}

static bool is_full(struct sse_session *s)
{
	return s->conn && http_full(s->conn);
}

/* --- one message in flight ---------------------------------------------------------------------------------------- */

static void free_post(struct post *p)
{
	wipe(p->bytes, p->n);
	free(p);
}

static void sweep(struct sse_session *s)
{
	if (s->busy)
		return;
	for (struct post **at = &s->posts; *at;) {
		struct post *p = *at;

		if (!p->done) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free_post(p);
	}
}

/* The last answer of a stream that is to end. What is left of the session goes with the endpoint. */
static void end_stream(struct sse_session *s)
{
	if (!s->ends || s->n_posts || !s->conn)
		return;
	http_stream_end(s->conn);
	s->conn = NULL;
}

static void post_done(struct post *p)
{
	struct sse_session *s = p->session;

	p->reply.exchange = NULL;
	p->done = true;
	s->n_posts--;
	end_stream(s);
	sweep(s);
}

static struct post *post_of(struct reply *r)
{
	return (struct post *)(void *)r;
}

static void post_stream(struct reply *r)
{
	(void)r; /* the stream is there */
}

static void post_message(struct reply *r, struct slice json)
{
	add_event(post_of(r)->session, json);
}

static void post_answer(struct reply *r, struct slice json)
{
	struct post *p = post_of(r);

	add_event(p->session, json);
	post_done(p);
}

static void post_accepted(struct reply *r)
{
	post_done(post_of(r));
}

/* At once it is the POST that fails, later its answer on the stream. */
static void post_fail(struct reply *r, int status, struct slice json)
{
	struct post *p = post_of(r);
	const struct http_head h = { .status = status, .content_type = json.n ? SL("application/json") : SL("") };

	if (p->conn)
		http_respond(p->conn, &h, json);
	else
		add_event(p->session, json);
	p->conn = NULL;
	post_done(p);
}

static bool post_full(struct reply *r)
{
	return is_full(post_of(r)->session);
}

static void post_session(struct reply *r, struct slice id)
{
	struct sse_session *s = post_of(r)->session;

	s->id_n = id.n <= sizeof(s->id) ? id.n : 0;
	if (s->id_n)
		memcpy(s->id, id.p, s->id_n);
}

static const struct reply_ops post_ops = {
	.stream = post_stream,
	.message = post_message,
	.answer = post_answer,
	.accepted = post_accepted,
	.fail = post_fail,
	.full = post_full,
	.session = post_session,
};

static struct slice keep(char **at, struct slice s)
{
	char *to = *at;

	if (!s.p)
		return s;
	if (s.n)
		memcpy(to, s.p, s.n);
	*at += s.n;
	return slice_make(to, s.n);
}

static struct post *post_new(struct sse_session *s, struct http_conn *conn, const struct ask *ask)
{
	size_t n = ask->body.n + ask->version.n + ask->traceparent.n + s->id_n;
	struct post *p = s->n_posts < MAX_POSTS ? calloc(1, sizeof(*p) + n) : NULL;
	char *at;

	if (!p)
		return NULL;
	at = p->bytes;
	p->reply.ops = &post_ops;
	p->session = s;
	p->conn = conn;
	p->n = n;
	p->ask = (struct ask){
		.upstream = buf_slice(&s->upstream), .authorization = buf_slice(&s->authorization), .local = s->local };
	p->ask.body = keep(&at, ask->body);
	p->ask.version = keep(&at, ask->version);
	p->ask.traceparent = keep(&at, ask->traceparent);
	p->ask.session = keep(&at, slice_make(s->id, s->id_n));
	p->next = s->posts;
	s->posts = p;
	s->n_posts++;
	return p;
}

/* --- what the vault says by itself -------------------------------------------------------------------------------- */

static struct sse_session *heard_by(struct reply *r)
{
	return (struct sse_session *)(void *)((char *)r - offsetof(struct sse_session, listener));
}

static void ear_message(struct reply *r, struct slice json)
{
	add_event(heard_by(r), json);
}

/* The vault's stream has ended: the next message asks for another. */
static void ear_accepted(struct reply *r)
{
	r->exchange = NULL;
	heard_by(r)->ear = EAR_CLOSED;
}

static void ear_answer(struct reply *r, struct slice json)
{
	add_event(heard_by(r), json);
	ear_accepted(r);
}

/* It has none (405), or not now; an agent of this transport has no request that could be told. */
static void ear_fail(struct reply *r, int status, struct slice json)
{
	(void)json;
	r->exchange = NULL;
	heard_by(r)->ear = status == 405 ? EAR_NEVER : EAR_CLOSED;
}

static bool ear_full(struct reply *r)
{
	return is_full(heard_by(r));
}

static void ear_session(struct reply *r, struct slice id)
{
	(void)r;
	(void)id;
}

static const struct reply_ops ear_ops = {
	.stream = post_stream,
	.message = ear_message,
	.answer = ear_answer,
	.accepted = ear_accepted,
	.fail = ear_fail,
	.full = ear_full,
	.session = ear_session,
};

static struct ask ask_of(const struct sse_session *s)
{
	return (struct ask){ .upstream = buf_slice(&s->upstream), .authorization = buf_slice(&s->authorization), .local = s->local,
		.session = slice_make(s->id, s->id_n) };
}

static void open_ear(struct sse_session *s)
{
	struct front *front = s->all->front;

	if (s->ear != EAR_CLOSED || !s->id_n || s->ends)
		return;
	s->ear = EAR_OPEN;
	s->listener = (struct reply){ .ops = &ear_ops };
	s->listener_ask = ask_of(s);
	front->ops->listen(front, &s->listener_ask, &s->listener);
}

/* --- the session -------------------------------------------------------------------------------------------------- */

static void nothing(struct reply *r)
{
	(void)r;
}

static void nothing_json(struct reply *r, struct slice json)
{
	(void)r;
	(void)json;
}

static void nothing_status(struct reply *r, int status, struct slice json)
{
	(void)r;
	(void)status;
	(void)json;
}

static bool never_full(struct reply *r)
{
	(void)r;
	return false;
}

static const struct reply_ops deaf_ops = { .stream = nothing, .message = nothing_json, .answer = nothing_json, .accepted = nothing,
	.fail = nothing_status, .full = never_full, .session = nothing_json };

static void wipe_session(struct sse_session *s)
{
	buf_finish(&s->upstream);
	buf_finish(&s->authorization);
	wipe(s, sizeof(*s));
	free(s);
}

static void wipe_left(void *s)
{
	wipe_session(s);
}

static void session_free(struct sse_session *s)
{
	struct front *front = s->all->front;
	struct reply deaf = { .ops = &deaf_ops };
	struct ask ask = ask_of(s);

	table_take(s->all->by_key, slice_of(s->key));
	s->busy++;
	s->conn = NULL;
	for (struct post *p = s->posts; p; p = p->next) {
		if (!p->done)
			exchange_gone(&p->reply);
		p->done = true;
	}
	exchange_gone(&s->listener);
	s->busy--;
	sweep(s);
	if (s->id_n)
		front->ops->end_session(front, &ask, &deaf); /* answered before it returns */
	wipe_session(s);
}

static bool keep_caller(struct sse_session *s, const struct ask *ask)
{
	buf_init(&s->upstream, ask->upstream.n + 1);
	buf_init(&s->authorization, ask->authorization.n + 1);
	buf_add(&s->upstream, ask->upstream);
	buf_add(&s->authorization, ask->authorization);
	s->local = ask->local;
	return !s->upstream.failed && !s->authorization.failed;
}

static struct sse_session *session_new(struct sse_sessions *all, const struct ask *ask)
{
	struct sse_session *s = calloc(1, sizeof(*s));
	unsigned char random[KEY_BYTES];

	if (!s)
		return NULL;
	digest_random(random, sizeof(random));
	digest_hex(random, sizeof(random), s->key);
	wipe(random, sizeof(random));
	s->all = all;
	if (keep_caller(s, ask) && table_put(all->by_key, slice_of(s->key), s, 0, 0) == E_OK)
		return s;
	wipe_session(s);
	return NULL;
}

struct sse_session *sse_session_open(struct sse_sessions *all, struct http_conn *conn, const struct ask *ask)
{
	const struct http_head h = { .status = 200, .content_type = SL("text/event-stream"), .events = true };
	struct sse_session *s = session_new(all, ask);

	if (!s) {
		endpoint_refuse(conn, 503, RPC_INTERNAL_ERROR, SL("too many sessions are open"), SL(""), SL(""));
		return NULL;
	}
	if (!http_stream_begin(conn, &h)) {
		session_free(s);
		return NULL;
	}
	s->conn = conn;
	add_endpoint(s);
	return s;
}

enum sse_found sse_session_find(const struct sse_sessions *all, struct slice query, const struct ask *ask,
	struct sse_session **out)
{
	struct slice key = slice_starts(query, SL(QUERY)) ? slice_from(query, sizeof(QUERY) - 1) : SL("");
	struct sse_session *s = key.n == KEY_CHARS ? table_get(all->by_key, key, 0) : NULL;

	if (!key.n)
		return SSE_NO_KEY;
	if (!s || !slice_eq(buf_slice(&s->upstream), ask->upstream) ||
		!digest_equal(buf_slice(&s->authorization), ask->authorization))
		return SSE_UNKNOWN;
	*out = s;
	return SSE_FOUND;
}

void sse_session_post(struct sse_session *s, struct http_conn *conn, const struct ask *ask)
{
	const struct http_head accepted = { .status = 202 };
	struct front *front = s->all->front;
	struct post *p = post_new(s, conn, ask);

	if (!p) {
		endpoint_refuse(conn, 503, RPC_INTERNAL_ERROR, SL("too many messages are in flight"), SL(""), SL(""));
		return;
	}
	s->busy++;
	front->ops->post(front, &p->ask, &p->reply);
	if (p->conn)
		http_respond(p->conn, &accepted, SL(""));
	p->conn = NULL;
	open_ear(s);
	s->busy--;
	sweep(s);
}

void sse_session_drain(struct sse_session *s)
{
	s->ends = true;
	exchange_gone(&s->listener);
	end_stream(s);
}

void sse_session_drained(struct sse_session *s)
{
	s->busy++;
	for (struct post *p = s->posts; p; p = p->next)
		exchange_drained(&p->reply);
	exchange_drained(&s->listener);
	s->busy--;
	sweep(s);
}

void sse_session_silent(struct sse_session *s)
{
	if (!s->conn)
		return;
	buf_add(http_stream_chunk(s->conn), SL(": keep-alive\n\n"));
	http_stream_chunk_end(s->conn);
}

void sse_session_gone(struct sse_session *s)
{
	session_free(s);
}

struct sse_sessions *sse_sessions_create(struct front *front)
{
	struct sse_sessions *all = calloc(1, sizeof(*all));

	if (all && !(all->by_key = table_create(MAX_SESSIONS, wipe_left))) {
		free(all);
		return NULL;
	}
	if (all)
		all->front = front;
	return all;
}

void sse_sessions_free(struct sse_sessions *all)
{
	if (!all)
		return;
	table_free(all->by_key);
	free(all);
}
