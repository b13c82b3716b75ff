#include "proxy/endpoint.h"

#include <stdlib.h>
#include "mcp/era.h"
#include "mcp/rpc.h"
#include "proxy/endpoint_reply.h"
#include "proxy/media.h"

#define REFUSED (-32000)             /* what the SDKs' own servers say with a status that refuses the request's form */
#define UNSUPPORTED_VERSION (-32022) /* MCP: its data names what is supported, and dual-era clients read it */
#define METHODS "GET, POST, DELETE"

struct endpoint {
	struct http_handler handler; /* first */
	struct http_server *http;
	struct front *front;
	struct browser_rules *rules;
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

/* /mcp or /NAME/mcp, exactly; anything decoded, normalised or with a query is another path. */
static bool read_path(struct slice target, struct slice *upstream)
{
	*upstream = SL("");
	if (slice_eq(target, SL("/mcp")))
		return true;
	if (!slice_starts(target, SL("/")) || !slice_ends(target, SL("/mcp")) || target.n < sizeof("/x/mcp") - 1)
		return false;
	*upstream = slice_make(target.p + 1, target.n - sizeof("//mcp") + 1);
	return is_name(*upstream);
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
	struct slice upstream;

	if (!read_path(http_conn_target(conn), &upstream) || !ep->front->ops->has_upstream(ep->front, upstream))
		return refuse(conn, 404, SL("Not Found: MCP is served on /mcp"));
	if (http_conn_verb(conn) == VERB_HEAD || http_conn_verb(conn) == VERB_OTHER) {
		endpoint_refuse(conn, 405, REFUSED, SL("Method Not Allowed"), SL(""), SL(METHODS));
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
		if ((http_conn_accepted(conn) & both) != both)
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
	read_path(http_conn_target(conn), &ask->upstream);
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

static void on_request(struct http_handler *h, struct http_conn *conn)
{
	struct endpoint_reply *er = reply_of(conn);
	struct front *front = of(h)->front;

	endpoint_reply_init(er, conn);
	fill_ask(&er->ask, conn);
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
	(void)h;
	exchange_gone(&reply_of(conn)->reply);
}

static void on_drained(struct http_handler *h, struct http_conn *conn)
{
	(void)h;
	exchange_drained(&reply_of(conn)->reply);
}

static void on_silent(struct http_handler *h, struct http_conn *conn)
{
	(void)h;
	endpoint_reply_silent(reply_of(conn));
}

/* A GET stream never ends by itself. */
static void on_drain(struct http_handler *h, struct http_conn *conn)
{
	(void)h;
	if (http_conn_verb(conn) != VERB_GET)
		return;
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
