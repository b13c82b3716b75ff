#include "proxy/endpoint.h"

#include <stdlib.h>
#include "mcp/era.h"
#include "mcp/rpc.h"
#include "proxy/endpoint_reply.h"
#include "proxy/endpoint_sse.h"
#include "proxy/media.h"

#define REFUSED (-32000)             /* what the SDKs' own servers say with a status that refuses the request's form */
#define UNSUPPORTED_VERSION (-32022) /* MCP: its data names what is supported, and dual-era clients read it */
#define METHODS "GET, POST, DELETE"

struct endpoint {
	struct http_handler handler; /* first */
	struct http_server *http;
	struct front *front;
	struct browser_rules *rules;
	struct sse_sessions *sse;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static struct endpoint *of(struct http_handler *h)
{
	return (struct endpoint *)(void *)h;
}

static struct endpoint_reply *reply_of(struct http_conn *conn)
{
	return http_conn_state(conn);
}

/* --- paths -------------------------------------------------------------------------------------------------------- */

static bool is_name(struct slice s)
{
	if (s.n == 0 || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
			return false;
	}
	return true;
}

/* What is served under the last part of a path, and how. */
enum service { SERVE_MCP, SERVE_SSE, SERVE_MESSAGES };
static const struct {
	struct slice path;
	unsigned verbs;
	struct slice allow;
} services[] = {
	[SERVE_MCP] = { { "/mcp", 4 }, 1u << VERB_GET | 1u << VERB_POST | 1u << VERB_DELETE, { METHODS, sizeof(METHODS) - 1 } },
	[SERVE_SSE] = { { "/sse", 4 }, 1u << VERB_GET, { "GET", 3 } },
	[SERVE_MESSAGES] = { { "/messages", 9 }, 1u << VERB_POST, { "POST", 4 } },
};
#define N_SERVICES (sizeof(services) / sizeof(*services))

struct place {
	enum service service;
	struct slice upstream; /* empty: none named */
	struct slice query;    /* of SERVE_MESSAGES */
};

/*
 * /mcp or /NAME/mcp, exactly, and the same of the others; anything decoded, normalised or with a query (the messages' alone
 * have one) is another path.
 */
static bool read_path(struct slice target, struct place *out)
{
	struct slice rest = target, path = slice_cut(&rest, '?');

	*out = (struct place){ .upstream = SL(""), .query = rest };
	for (size_t i = 0; i < N_SERVICES; i++) {
		struct slice end = services[i].path;

		out->service = (enum service)i;
		if (!slice_ends(path, end) || (i != SERVE_MESSAGES && path.n != target.n))
			continue;
		if (path.n == end.n)
			return true;
		out->upstream = slice_make(path.p + 1, path.n - end.n - 1);
		return path.p[0] == '/' && is_name(out->upstream);
	}
	return false;
}

static enum service service_of(struct http_conn *conn)
{
	struct place place;

	read_path(http_conn_target(conn), &place);
	return place.service;
}

/* --- the head: what is refused before a body is read -------------------------------------------------------------- */

static bool refuse(struct http_conn *conn, int status, struct slice text)
{
	endpoint_refuse(conn, status, REFUSED, text, SL(""), SL(""));
	return false;
}

static bool check_caller(const struct endpoint *ep, struct http_conn *conn)
{
	if (!browser_host_allowed(ep->rules, http_conn_field(conn, FIELD_HOST)))
		return refuse(conn, 403, SL("Forbidden: this Host is not served here"));
	if (!browser_origin_allowed(ep->rules, http_conn_field(conn, FIELD_ORIGIN)))
		return refuse(conn, 403, SL("Forbidden: this Origin is not allowed"));
	if (!browser_site_allowed(http_conn_field(conn, FIELD_SEC_FETCH_SITE)))
		return refuse(conn, 403, SL("Forbidden: a request from another site"));
	return true;
}

static bool check_path(const struct endpoint *ep, struct http_conn *conn)
{
	struct place place;

	if (!read_path(http_conn_target(conn), &place) || !ep->front->ops->has_upstream(ep->front, place.upstream))
		return refuse(conn, 404, SL("Not Found: MCP is served on /mcp"));
	if (!(services[place.service].verbs & 1u << http_conn_verb(conn))) {
		endpoint_refuse(conn, 405, REFUSED, SL("Method Not Allowed"), SL(""), services[place.service].allow);
		return false;
	}
	return true;
}

static bool check_media(struct http_conn *conn)
{
	struct slice encoding = http_conn_field(conn, FIELD_CONTENT_ENCODING);
	unsigned both = MEDIA_JSON | MEDIA_EVENT_STREAM;

	if (encoding.n && !slice_eq_nocase(encoding, SL("identity")))
		return refuse(conn, 415, SL("Unsupported Media Type: the body must not be encoded"));
	if (http_conn_verb(conn) == VERB_POST) {
		if (!media_is_json(http_conn_field(conn, FIELD_CONTENT_TYPE)))
			return refuse(conn, 415, SL("Unsupported Media Type: Content-Type must be application/json"));
		if (service_of(conn) == SERVE_MCP && (http_conn_accepted(conn) & both) != both)
			return refuse(conn, 406, SL("Not Acceptable: Accept must name application/json and text/event-stream"));
	}
	if (http_conn_verb(conn) == VERB_GET && !(http_conn_accepted(conn) & MEDIA_EVENT_STREAM))
		return refuse(conn, 406, SL("Not Acceptable: Accept must name text/event-stream"));
	return true;
}

static bool is_visible(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7E)
			return false;
	return true;
}

static bool refuse_version(struct http_conn *conn, struct slice version)
{
	struct buf text, data;

	buf_init(&text, 512);
	buf_init(&data, 512);
	buf_add_fmt(&text, "Bad Request: unsupported protocol version (supported: %.*s)", SL_ARG(era_list()));
	era_unsupported(&data, is_visible(version) ? version : SL(""), ERA_ANY);
	endpoint_refuse(conn, 400, UNSUPPORTED_VERSION, buf_slice(&text), data.failed ? SL("") : buf_slice(&data), SL(""));
	buf_finish(&text);
	buf_finish(&data);
	return false;
}

static bool check_mcp(struct http_conn *conn)
{
	struct slice version = http_conn_field(conn, FIELD_MCP_PROTOCOL_VERSION);
	struct slice session = http_conn_field(conn, FIELD_MCP_SESSION_ID);

	/* With a body, the front refuses it: it knows the message's id, and whether the two agree. */
	if (version.p && !era_find(version) && (http_conn_verb(conn) != VERB_POST || !is_visible(version) || !version.n))
		return refuse_version(conn, version);
	if (version.p && era_find(version) && !era_find(version)->handshake && service_of(conn) != SERVE_MCP)
		return refuse(conn, 400, SL("Bad Request: this revision is not spoken over HTTP+SSE: use /mcp"));
	if (version.p && era_find(version) && !era_find(version)->handshake && http_conn_verb(conn) != VERB_POST) {
		endpoint_refuse(conn, 405, RPC_INVALID_REQUEST, SL("Method Not Allowed: this revision has POST alone"), SL(""), SL("POST"));
		return false;
	}
	if (session.p && (session.n == 0 || !is_visible(session)))
		return refuse(conn, 400, SL("Bad Request: Mcp-Session-Id is malformed"));
	return true;
}

static bool on_head(struct http_handler *h, struct http_conn *conn)
{
	return check_caller(of(h), conn) && check_path(of(h), conn) && check_media(conn) && check_mcp(conn);
}

/* --- the request -------------------------------------------------------------------------------------------------- */

/* W3C Trace Context, version 00: anything else is not passed on. */
static struct slice traceparent_of(struct http_conn *conn)
{
	struct slice t = http_conn_field(conn, FIELD_TRACEPARENT);

	if (t.n != 55 || t.p[2] != '-' || t.p[35] != '-' || t.p[52] != '-' || !slice_starts(t, SL("00")))
		return SL("");
	for (size_t i = 0; i < t.n; i++)
		if (!(t.p[i] >= '0' && t.p[i] <= '9') && !(t.p[i] >= 'a' && t.p[i] <= 'f') && t.p[i] != '-')
			return SL("");
	return t;
}

static void fill_ask(struct ask *ask, struct http_conn *conn)
{
	struct place place;

	read_path(http_conn_target(conn), &place);
	ask->upstream = place.upstream;
	ask->body = http_conn_body(conn);
	ask->session = http_conn_field(conn, FIELD_MCP_SESSION_ID);
	ask->version = http_conn_field(conn, FIELD_MCP_PROTOCOL_VERSION);
	ask->mcp_method = http_conn_field(conn, FIELD_MCP_METHOD);
	ask->mcp_name = http_conn_field(conn, FIELD_MCP_NAME);
	ask->fields = http_conn_fields(conn);
	ask->authorization = http_conn_field(conn, FIELD_AUTHORIZATION);
	ask->traceparent = traceparent_of(conn);
	ask->last_event_id = http_conn_field(conn, FIELD_LAST_EVENT_ID);
	ask->local = http_conn_local(conn);
	ask->names = http_conn_names(conn, &ask->n_names);
}

static void open_sse(struct endpoint *ep, struct endpoint_reply *er)
{
	struct front *front = ep->front;

	if (!front->ops->admit || front->ops->admit(front, &er->ask, &er->reply))
		er->sse = sse_session_open(ep->sse, er->conn, &er->ask);
}

static void post_sse(struct endpoint *ep, struct endpoint_reply *er)
{
	struct sse_session *session;
	struct place place;

	read_path(http_conn_target(er->conn), &place);
	switch (sse_session_find(ep->sse, place.query, &er->ask, &session)) {
	case SSE_FOUND:
		sse_session_post(session, er->conn, &er->ask);
		break;
	case SSE_NO_KEY:
		refuse(er->conn, 400, SL("Bad Request: sessionId is missing: open a stream with GET /sse"));
		break;
	case SSE_UNKNOWN:
		refuse(er->conn, 404, SL("Session not found"));
		break;
	}
}

static void on_request(struct http_handler *h, struct http_conn *conn)
{
	struct endpoint_reply *er = reply_of(conn);
	struct front *front = of(h)->front;
	enum service service = service_of(conn);

	endpoint_reply_init(er, conn);
	fill_ask(&er->ask, conn);
	if (service == SERVE_SSE) {
		open_sse(of(h), er);
		return;
	}
	if (service == SERVE_MESSAGES) {
		post_sse(of(h), er);
		return;
	}
	switch (http_conn_verb(conn)) {
	case VERB_GET:
		front->ops->listen(front, &er->ask, &er->reply);
		break;
	case VERB_DELETE:
		front->ops->end_session(front, &er->ask, &er->reply);
		break;
	case VERB_POST:
	case VERB_HEAD: /* refused with the head, like every other */
	case VERB_OTHER:
		front->ops->post(front, &er->ask, &er->reply);
		break;
	}
}

static void on_refuse(struct http_handler *h, struct http_conn *conn, int status, const char *why)
{
	int code = status >= 500 && status != 505 ? RPC_INTERNAL_ERROR : RPC_INVALID_REQUEST;

	(void)h;
	endpoint_refuse(conn, status, code, slice_of(why), SL(""), status == 405 ? SL(METHODS) : SL(""));
}

static void on_gone(struct http_handler *h, struct http_conn *conn)
{
	struct endpoint_reply *er = reply_of(conn);
	struct sse_session *session = er->sse;

	(void)h;
	er->sse = NULL;
	if (session)
		sse_session_gone(session);
	else
		exchange_gone(&er->reply);
}

static void on_drained(struct http_handler *h, struct http_conn *conn)
{
	(void)h;
	if (reply_of(conn)->sse)
		sse_session_drained(reply_of(conn)->sse);
	else
		exchange_drained(&reply_of(conn)->reply);
}

static void on_silent(struct http_handler *h, struct http_conn *conn)
{
	(void)h;
	if (reply_of(conn)->sse)
		sse_session_silent(reply_of(conn)->sse);
	else
		endpoint_reply_silent(reply_of(conn));
}

/* A GET stream never ends by itself; one that carries answers ends behind them. */
static void on_drain(struct http_handler *h, struct http_conn *conn)
{
	(void)h;
	if (http_conn_verb(conn) != VERB_GET)
		return;
	if (reply_of(conn)->sse) {
		sse_session_drain(reply_of(conn)->sse);
		return;
	}
	exchange_gone(&reply_of(conn)->reply);
	endpoint_reply_end(reply_of(conn));
}

static const struct http_handler_ops handler_ops = {
	.state_bytes = sizeof(struct endpoint_reply),
	.head = on_head,
	.request = on_request,
	.refuse = on_refuse,
	.gone = on_gone,
	.drained = on_drained,
	.silent = on_silent,
	.drain = on_drain,
};

/* --- outside ------------------------------------------------------------------------------------------------------ */

static void free_endpoint(struct endpoint *ep)
{
	browser_rules_free(ep->rules);
	sse_sessions_free(ep->sse);
	free(ep);
}

bool endpoint_set_browser_rules(struct endpoint *ep, const struct browser_config *config, struct slice *bad)
{
	struct browser_rules *rules = browser_rules_create(config, bad);

	if (!rules)
		return false;
	browser_rules_free(ep->rules);
	ep->rules = rules;
	return true;
}

struct endpoint *endpoint_create(const struct endpoint_config *config, uv_loop_t *loop, struct front *front, struct buf *why)
{
	struct endpoint *ep = calloc(1, sizeof(*ep));
	struct slice bad = { NULL, 0 };

	if (!ep) {
		buf_add(why, slice_of(err_text(E_NOMEM)));
		return NULL;
	}
	ep->handler.ops = &handler_ops;
	ep->front = front;
	ep->sse = sse_sessions_create(front);
	if (!ep->sse) {
		buf_add(why, slice_of(err_text(E_NOMEM)));
		free_endpoint(ep);
		return NULL;
	}
	if (!endpoint_set_browser_rules(ep, &config->browser, &bad)) {
		buf_add_fmt(why, "allowed_origins: `%.*s` is not scheme://host[:port]", SL_ARG(bad));
		free_endpoint(ep);
		return NULL;
	}
	ep->http = http_server_create(&config->http, loop, &ep->handler, why);
	if (!ep->http) {
		free_endpoint(ep);
		return NULL;
	}
	return ep;
}

void endpoint_set_filter(struct endpoint *ep, struct tcp_filter *filter)
{
	http_server_set_filter(ep->http, filter);
}

void endpoint_drain(struct endpoint *ep, void (*drained)(void *ctx), void *ctx)
{
	http_server_drain(ep->http, drained, ctx);
}

static void on_http_closed(void *ctx)
{
	struct endpoint *ep = ctx;
	void (*closed)(void *) = ep->closed;
	void *closed_ctx = ep->closed_ctx;

	free_endpoint(ep);
	if (closed)
		closed(closed_ctx);
}

void endpoint_close(struct endpoint *ep, void (*closed)(void *ctx), void *ctx)
{
	ep->closed = closed;
	ep->closed_ctx = ctx;
	http_server_close(ep->http, on_http_closed, ep);
}

void endpoint_describe(const struct endpoint *ep, struct buf *out)
{
	http_server_describe(ep->http, out);
}

size_t endpoint_connections(const struct endpoint *ep)
{
	return http_server_connections(ep->http);
}
