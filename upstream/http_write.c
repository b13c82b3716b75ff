#include "upstream/http_write.h"

#include <stdlib.h>

#ifndef NARROWGATE_VERSION
#error "the build says which version this is"
#endif

#define MAX_HEAD_BYTES (64 * 1024)

/* --- the configured parts ----------------------------------------------------------------------------------------- */

struct url_parts {
	char *scheme, *host, *port, *path, *query, *user, *fragment;
};

static void url_free(const struct curl_api *curl, struct url_parts *u)
{
	curl->free(u->scheme);
	curl->free(u->host);
	curl->free(u->port);
	curl->free(u->path);
	curl->free(u->query);
	curl->free(u->user);
	curl->free(u->fragment);
}

static bool plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] > 0x7E)
			return false;
	return true;
}

static const char *url_read(const struct curl_api *curl, struct url_parts *out, struct slice url)
{
	char *z = strndup(url.p, url.n);
	CURLU *u = curl->url();
	bool parsed = z && u && curl->url_set(u, CURLUPART_URL, z, CURLU_DISALLOW_USER) == CURLUE_OK;

	if (parsed) {
		curl->url_get(u, CURLUPART_SCHEME, &out->scheme, 0);
		curl->url_get(u, CURLUPART_HOST, &out->host, 0);
		curl->url_get(u, CURLUPART_PORT, &out->port, CURLU_NO_DEFAULT_PORT);
		curl->url_get(u, CURLUPART_PATH, &out->path, 0);
		curl->url_get(u, CURLUPART_QUERY, &out->query, 0);
		curl->url_get(u, CURLUPART_USER, &out->user, 0);
		curl->url_get(u, CURLUPART_FRAGMENT, &out->fragment, 0);
	}
	curl->url_cleanup(u);
	free(z);
	if (!parsed || !out->scheme || !out->host || !out->path)
		return "the URL is not valid (names in it are written in ASCII, without user or password)";
	if (!slice_eq(slice_of(out->scheme), SL("http")) && !slice_eq(slice_of(out->scheme), SL("https")))
		return "the URL is neither http nor https";
	return out->user || out->fragment ? "the URL holds a user or a fragment" : NULL;
}

static void add_head(struct buf *b, const char *verb, const struct url_parts *u)
{
	buf_add_fmt(b, "%s %s%s%s HTTP/1.1\r\nHost: %s%s%s\r\nUser-Agent: narrowgate/" NARROWGATE_VERSION "\r\n"
		"Accept-Encoding: identity\r\n", verb, u->path, u->query ? "?" : "", u->query ? u->query : "", u->host,
		u->port ? ":" : "", u->port ? u->port : "");
}

static bool is_token(struct slice s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && (c == 0 || !strchr(others, c)))
			return false;
	}
	return s.n > 0;
}

static bool is_value(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7F)
			return false;
	return true;
}

/* Fields that this file or the connection decides; a second one would contradict them. */
static bool is_ours(struct slice name)
{
	static const char *const ours[] = { "host", "content-length", "transfer-encoding", "connection", "keep-alive",
		"upgrade", "te", "trailer", "expect", "content-type", "content-encoding", "accept", "accept-encoding",
		"user-agent", "mcp-session-id", "mcp-protocol-version", "traceparent", "last-event-id" };

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (slice_eq_nocase(name, slice_of(ours[i])))
			return true;
	return false;
}

static const char *add_configured(struct buf *b, const struct vault_config *conf)
{
	for (size_t i = 0; i < conf->n_headers; i++) {
		struct upstream_header h = conf->headers[i];

		if (!is_token(h.name))
			return "a configured header has a name that is no token";
		if (!is_value(h.value))
			return "a configured header's value holds a control character";
		if (is_ours(h.name) || slice_eq_nocase(h.name, conf->credential_header))
			return "a configured header is one that narrowgate sets itself";
		buf_add(b, h.name);
		buf_add(b, SL(": "));
		buf_add(b, h.value);
		buf_add(b, SL("\r\n"));
	}
	return NULL;
}

static const char *check_credential(const struct vault_config *conf)
{
	if (conf->credential_from == SECRET_SOURCE_NONE)
		return NULL;
	if (!is_token(conf->credential_header) || is_ours(conf->credential_header) ||
		!is_value(conf->credential_prefix))
		return "the credential's header cannot be used";
	return NULL;
}

bool http_heads_init(struct http_heads *h, const struct curl_api *curl, const struct vault_config *conf, const char **why)
{
	struct url_parts u = { 0 };

	buf_init(&h->post, MAX_HEAD_BYTES);
	buf_init(&h->get, MAX_HEAD_BYTES);
	buf_init(&h->delete, MAX_HEAD_BYTES);
	*why = plain(conf->url) ? url_read(curl, &u, conf->url) : "the URL holds a character that must be written as %XX";
	if (!*why)
		*why = check_credential(conf);
	if (!*why) {
		add_head(&h->post, "POST", &u);
		buf_add(&h->post,
			SL("Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"));
		*why = add_configured(&h->post, conf);
	}
	if (!*why) {
		add_head(&h->get, "GET", &u);
		buf_add(&h->get, SL("Accept: text/event-stream\r\n"));
		add_configured(&h->get, conf);
		add_head(&h->delete, "DELETE", &u);
		add_configured(&h->delete, conf);
	}
	url_free(curl, &u);
	if (!*why && (h->post.failed || h->get.failed || h->delete.failed))
		*why = "the configured headers are too long";
	return !*why;
}

bool http_heads_post_to(struct http_heads *h, const struct http_heads *from, struct slice target)
{
	struct slice post = buf_slice(&from->post), line = SL("POST ");
	const char *version = memchr(post.p + line.n, ' ', post.n - line.n);

	*h = *from;
	buf_init(&h->post, MAX_HEAD_BYTES);
	buf_add(&h->post, line);
	buf_add(&h->post, target);
	return buf_add(&h->post, slice_from(post, (size_t)(version - post.p))) == E_OK;
}

void http_heads_finish(struct http_heads *h)
{
	buf_finish(&h->post);
	buf_finish(&h->get);
	buf_finish(&h->delete);
}

/* --- one request -------------------------------------------------------------------------------------------------- */

static void add_field(struct buf *out, struct slice name, struct slice value)
{
	if (!value.n)
		return;
	buf_add(out, name);
	buf_add(out, value);
	buf_add(out, SL("\r\n"));
}

/* Ends the head; only a POST has a body. The number is written by hand: printf is a quarter of this function's time. */
static void add_length(struct buf *out, size_t n)
{
	char digits[24];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	buf_add(out, SL("Content-Length: "));
	buf_add(out, slice_make(digits + at, sizeof digits - at));
	buf_add(out, SL("\r\n"));
}

enum err http_write(struct buf *out, const struct http_heads *h, enum http_verb verb, struct slice credential,
	struct slice session, const struct upstream_request *r)
{
	const struct buf *head = verb == HTTP_VERB_POST ? &h->post : verb == HTTP_VERB_GET ? &h->get : &h->delete;

	if (!is_value(r->version) || !is_value(r->traceparent) || !is_value(r->last_event_id))
		return E_INVALID;
	/* One allocation at most: 256 covers the names of the fields below. */
	if (buf_reserve(out, head->n + credential.n + session.n + r->version.n + r->traceparent.n + r->last_event_id.n +
		r->mirror.n + r->body.n + 256) != E_OK)
		return out->failed;
	buf_add(out, buf_slice(head));
	buf_add(out, credential);
	add_field(out, SL("MCP-Protocol-Version: "), r->version);
	add_field(out, SL("Mcp-Session-Id: "), session);
	add_field(out, SL("traceparent: "), r->traceparent);
	buf_add(out, r->mirror);
	add_field(out, SL("Last-Event-ID: "), r->last_event_id);
	if (verb == HTTP_VERB_POST)
		add_length(out, r->body.n);
	buf_add(out, SL("\r\n"));
	if (verb == HTTP_VERB_POST)
		buf_add(out, r->body);
	return out->failed;
}
