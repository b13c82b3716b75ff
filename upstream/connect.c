#include "upstream/connect.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/log.h"

/* --- dialing ------------------------------------------------------------------------------------------------------ */

static void wire_free(struct wire *w)
{
	const struct curl_api *curl = w->connector->curl;

	/* Out of the multi handle first: that closes the connection and ends libcurl's interest in the socket. */
	curl->multi_remove_handle(w->connector->curls.multi, w->easy);
	curl->easy_cleanup(w->easy);
	curl->share_cleanup(w->share);
	w->easy = NULL;
	w->share = NULL;
}

/* What a proxy says to CONNECT must not reach stdout, where libcurl would put it. */
static size_t discard(char *p, size_t size, size_t n, void *ctx)
{
	(void)p;
	(void)ctx;
	return size * n;
}

static void set_tls(const struct connector *c, CURL *e)
{
	const struct curl_api *curl = c->curl;

	curl->easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* and newer */
	curl->easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl->easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	if (c->ca) {
		curl->easy_setopt(e, CURLOPT_CAINFO, c->ca);
		curl->easy_setopt(e, CURLOPT_CA_CACHE_TIMEOUT, 0L); /* small, and may be rotated */
	}
	/* A directory of certificates would be trusted besides `ca`, and keeps libcurl from caching what it read. */
	if (c->ca || curl->version_info(CURLVERSION_NOW)->cainfo)
		curl->easy_setopt(e, CURLOPT_CAPATH, NULL);
	if (c->certificate)
		curl->easy_setopt(e, CURLOPT_SSLCERT, c->certificate);
	if (c->key)
		curl->easy_setopt(e, CURLOPT_SSLKEY, c->key);
}

static void set_options(const struct connector *c, struct wire *w)
{
	const struct curl_api *curl = c->curl;
	CURL *e = w->easy;

	curl->share_setopt(w->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
	curl->easy_setopt(e, CURLOPT_SHARE, w->share);
	curl->easy_setopt(e, CURLOPT_PRIVATE, w);
	curl->easy_setopt(e, CURLOPT_ERRORBUFFER, w->error);
	curl->easy_setopt(e, CURLOPT_URL, c->url);
	curl->easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	curl->easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); /* else ALPN picks h2 */
	curl->easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl->easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
	curl->easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	/* Set even when empty: otherwise the environment decides. */
	curl->easy_setopt(e, CURLOPT_PROXY, c->proxy ? c->proxy : "");
	curl->easy_setopt(e, CURLOPT_NOPROXY, "");
	curl->easy_setopt(e, CURLOPT_HTTPPROXYTUNNEL, c->proxy ? 1L : 0L);
	curl->easy_setopt(e, CURLOPT_WRITEFUNCTION, discard);
	curl->easy_setopt(e, CURLOPT_HEADERFUNCTION, discard);
	set_tls(c, e);
}

bool connector_dial(struct connector *c)
{
	struct wire *w = calloc(1, sizeof *w);

	if (!w)
		return false;
	w->connector = c;
	w->easy = c->curl->easy_init();
	w->share = c->curl->share_init();
	if (!w->easy || !w->share)
		goto fail;
	set_options(c, w);
	if (c->curl->multi_add_handle(c->curls.multi, w->easy) != CURLM_OK)
		goto fail;
	w->next = c->dialing;
	if (w->next)
		w->next->prev = w;
	c->dialing = w;
	curl_loop_hold(&c->curls);
	return true;
fail:
	c->curl->easy_cleanup(w->easy);
	c->curl->share_cleanup(w->share);
	free(w);
	return false;
}

static void leave_dialing(struct wire *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		w->connector->dialing = w->next;
	if (w->next)
		w->next->prev = w->prev;
	w->next = w->prev = NULL;
}

static void give_up(struct wire *w)
{
	struct connector *c = w->connector;

	leave_dialing(w);
	wire_free(w);
	free(w);
	curl_loop_release(&c->curls);
}

static enum upstream_outcome outcome_of(CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		return UP_DONE;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_CLIENTCERT:
		return UP_TLS;
	default:
		return UP_UNREACHABLE;
	}
}

static void on_wire_event(uv_poll_t *h, int status, int events)
{
	struct wire *w = h->data;

	if (status < 0) { /* the socket is in error: libuv has stopped the handle, and a read will say why */
		w->watched = 0;
		events = UV_READABLE;
	}
	w->on_event(w, events);
}

/* The connection stands: from now on its socket is watched for us. */
static bool adopt(struct wire *w)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (w->connector->curl->easy_getinfo(w->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
		return false;
	if (uv_poll_init_socket(w->connector->loop, &w->poll, fd) != 0)
		return false;
	w->plain = w->connector->tls ? CURL_SOCKET_BAD : fd;
	w->poll.data = w;
	w->polled = true;
	return true;
}

static void note_failure(struct wire *w, CURLcode code)
{
	struct connector *c = w->connector;

	if (code != CURLE_OK && code != c->failure)
		log_warn("upstream", "%s: %s", c->name ? c->name : "",
			w->error[0] ? w->error : c->curl->easy_strerror(code));
	c->failure = code;
}

static void finish_dial(struct wire *w, CURLcode code)
{
	struct connector *c = w->connector;
	enum upstream_outcome outcome = outcome_of(code);

	note_failure(w, code);
	if (outcome == UP_DONE && !adopt(w))
		outcome = UP_UNREACHABLE;
	if (outcome == UP_DONE) {
		leave_dialing(w);
		c->dialed(c->ctx, w, UP_DONE);
		return;
	}
	give_up(w);
	c->dialed(c->ctx, NULL, outcome);
}

static void on_dial_done(void *owner, CURL *easy, CURLcode code)
{
	struct connector *c = owner;
	struct wire *w = NULL;

	c->curl->easy_getinfo(easy, CURLINFO_PRIVATE, &w);
	finish_dial(w, code);
}

/* --- an established connection ------------------------------------------------------------------------------------ */

void wire_watch(struct wire *w, int events)
{
	if (events == w->watched)
		return;
	w->watched = events;
	if (events)
		uv_poll_start(&w->poll, events, on_wire_event);
	else
		uv_poll_stop(&w->poll);
}

static enum wire_io socket_failed(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? WIRE_AGAIN : WIRE_FAILED;
}

static enum wire_io curl_failed(CURLcode code)
{
	return code == CURLE_AGAIN ? WIRE_AGAIN : WIRE_FAILED;
}

/* Without TLS libcurl would do no more than this, after looking its connection up. */
enum wire_io wire_send(struct wire *w, struct slice bytes, size_t *n)
{
	*n = 0;
	if (w->plain == CURL_SOCKET_BAD) {
		CURLcode code = w->connector->curl->easy_send(w->easy, bytes.p, bytes.n, n);

		return code == CURLE_OK ? WIRE_OK : curl_failed(code);
	}
	ssize_t sent = send(w->plain, bytes.p, bytes.n, MSG_NOSIGNAL);
	if (sent < 0)
		return socket_failed();
	*n = (size_t)sent;
	return WIRE_OK;
}

enum wire_io wire_recv(struct wire *w, char *to, size_t max, size_t *n)
{
	*n = 0;
	if (w->plain == CURL_SOCKET_BAD) {
		CURLcode code = w->connector->curl->easy_recv(w->easy, to, max, n);

		if (code != CURLE_OK)
			return curl_failed(code);
		return *n ? WIRE_OK : WIRE_EOF;
	}
	ssize_t got = recv(w->plain, to, max, 0);
	if (got < 0)
		return socket_failed();
	*n = (size_t)got;
	return got ? WIRE_OK : WIRE_EOF;
}

static void on_wire_closed(uv_handle_t *h)
{
	struct wire *w = h->data;
	struct connector *c = w->connector;

	free(w);
	curl_loop_release(&c->curls);
}

void wire_close(struct wire *w)
{
	/* The handle first: libcurl closes the socket under it. */
	uv_close((uv_handle_t *)&w->poll, on_wire_closed);
	wire_free(w);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

/* False when memory is out; nothing configured is NULL, and fine. */
static bool copy_z(char **to, struct slice s)
{
	*to = s.n ? strndup(s.p, s.n) : NULL;
	return *to || !s.n;
}

static void free_config(struct connector *c)
{
	free(c->name);
	free(c->url);
	free(c->ca);
	free(c->certificate);
	free(c->key);
	free(c->proxy);
}

bool connector_init(struct connector *c, const struct curl_api *curl, uv_loop_t *loop, const struct vault_config *conf)
{
	*c = (struct connector){ .curl = curl, .loop = loop, .timeout_ms = conf->connect_timeout_ms };
	bool copied = copy_z(&c->name, conf->name) && copy_z(&c->url, conf->url) && copy_z(&c->ca, conf->tls_ca) &&
		copy_z(&c->certificate, conf->tls_certificate) && copy_z(&c->key, conf->tls_key) &&
		copy_z(&c->proxy, conf->proxy);

	if (!copied || !curl_loop_init(&c->curls, curl, loop, on_dial_done, c)) {
		free_config(c);
		return false;
	}
	c->tls = slice_eq_nocase(slice_head(conf->url, 6), SL("https:"));
	return true;
}

void connector_close(struct connector *c, void (*closed)(void *ctx), void *ctx)
{
	while (c->dialing)
		give_up(c->dialing);
	free_config(c);
	curl_loop_close(&c->curls, closed, ctx);
}
