#include "upstream/web.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "base/wipe.h"
#include "upstream/address.h"

#define MAX_CHALLENGE_BYTES 8192

struct web {
	struct curl_api curl;
	struct curl_loop curls;
	char *ca, *proxy;          /* owned; NULL where not configured */
	struct web_call *first;
	void (*closed)(void *ctx);
	void *ctx;
};

struct web_call {
	struct web *web;
	struct web_call *next, *prev;
	CURL *easy;
	struct curl_slist *fields;
	enum web_reach reach;
	bool plain;                /* http: for loopback only */
	bool shut_out;             /* an address was refused */
	struct buf request, body, challenge;
	void (*done)(void *ctx, const struct web_answer *);
	void *ctx;
};

/* --- what libcurl asks -------------------------------------------------------------------------------------------- */

static bool may_reach(const struct web_call *f, const struct sockaddr *sa)
{
	enum address_kind kind = address_kind(sa);

	if (f->web->proxy && !f->plain) /* it is the address of the proxy, which the operator named */
		return true;
	if (f->plain && kind != ADDRESS_LOOPBACK)
		return false;
	return f->reach == WEB_ANYWHERE || kind == ADDRESS_PUBLIC || (kind == ADDRESS_LOOPBACK && f->reach == WEB_LOOPBACK_TOO);
}

/* CURLOPT_OPENSOCKETFUNCTION: the address that is really going to be called, whatever name led to it. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct web_call *f = ctx;

	(void)purpose;
	if (!may_reach(f, &to->addr)) {
		f->shut_out = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct web_call *f = ctx;

	return buf_add(&f->body, slice_make(p, size * n)) == E_OK ? size * n : 0;
}

static size_t on_field(char *p, size_t size, size_t n, void *ctx)
{
	struct web_call *f = ctx;
	struct slice line = slice_make(p, size * n), name = slice_cut(&line, ':');

	if (!line.p || !slice_eq_nocase(name, SL("www-authenticate")))
		return size * n;
	if (f->challenge.n)
		buf_add(&f->challenge, SL(", "));
	buf_add(&f->challenge, slice_trim(line)); /* what is over the bound is not needed */
	return size * n;
}

/* --- one exchange ------------------------------------------------------------------------------------------------- */

static void call_free(struct web_call *f)
{
	const struct curl_api *curl = &f->web->curl;

	if (f->easy) {
		if (f->web->curls.multi)
			curl->multi_remove_handle(f->web->curls.multi, f->easy);
		curl->easy_cleanup(f->easy);
	}
	curl->slist_free_all(f->fields);
	buf_finish(&f->request);
	buf_finish(&f->body);
	buf_finish(&f->challenge);
	free(f);
}

static void leave(struct web_call *f)
{
	if (f->prev)
		f->prev->next = f->next;
	else
		f->web->first = f->next;
	if (f->next)
		f->next->prev = f->prev;
}

void web_cancel(struct web_call *f)
{
	if (!f)
		return;
	leave(f);
	call_free(f);
}

static const char *failure_of(const struct web_call *f, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		return NULL;
	case CURLE_WRITE_ERROR:
		return "its answer is over 64 KiB";
	case CURLE_OPERATION_TIMEDOUT:
		return "it took over 10 seconds";
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return "its TLS certificate is not trusted";
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return "its address is no https URL";
	default:
		if (f->shut_out)
			return "its address lies on this machine or in a private network: where that is meant, say `private_addresses: true`";
		return "it cannot be reached";
	}
}

static void on_done(void *owner, CURL *easy, CURLcode code)
{
	struct web *o = owner;
	struct web_call *f = NULL;
	long status = 0;

	o->curl.easy_getinfo(easy, CURLINFO_PRIVATE, &f);
	o->curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	struct web_answer answer = { failure_of(f, code), (int)status, buf_slice(&f->body), buf_slice(&f->challenge) };

	leave(f);
	f->done(f->ctx, &answer);
	call_free(f);
}

static bool add_field(struct web_call *f, const char *name, struct slice value)
{
	struct buf line;

	buf_init(&line, 64 * 1024);
	buf_add_fmt(&line, "%s: %.*s", name, SL_ARG(value));
	buf_add_char(&line, 0);
	struct curl_slist *fields = line.failed ? NULL : f->web->curl.slist_append(f->fields, line.p);
	buf_finish(&line);
	if (fields)
		f->fields = fields;
	return fields;
}

static bool set_fields(struct web_call *f, const struct web_request *r)
{
	bool ok = add_field(f, "Accept", slice_of(r->accept ? r->accept : "application/json")) && add_field(f, "User-Agent", SL("narrowgate"));

	if (ok && r->content_type)
		ok = add_field(f, "Content-Type", slice_of(r->content_type)) && add_field(f, "Expect", SL(""));
	if (ok && r->authorization.n)
		ok = add_field(f, "Authorization", r->authorization);
	return ok;
}

static void set_options(struct web_call *f, const struct web_request *r)
{
	const struct web *o = f->web;
	const struct curl_api *curl = &o->curl;
	CURL *e = f->easy;

	curl->easy_setopt(e, CURLOPT_PRIVATE, f);
	curl->easy_setopt(e, CURLOPT_HTTPHEADER, f->fields);
	curl->easy_setopt(e, CURLOPT_PROTOCOLS_STR, f->plain ? "http" : "https");
	curl->easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl->easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl->easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)WEB_LIMIT_MS);
	curl->easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl->easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl->easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl->easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	if (o->ca) {
		curl->easy_setopt(e, CURLOPT_CAINFO, o->ca);
		curl->easy_setopt(e, CURLOPT_CAPATH, NULL);
	}
	/* Set even when empty: otherwise the environment decides. */
	curl->easy_setopt(e, CURLOPT_PROXY, o->proxy && !f->plain ? o->proxy : "");
	curl->easy_setopt(e, CURLOPT_NOPROXY, "");
	curl->easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl->easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
	curl->easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl->easy_setopt(e, CURLOPT_WRITEDATA, f);
	curl->easy_setopt(e, CURLOPT_HEADERFUNCTION, on_field);
	curl->easy_setopt(e, CURLOPT_HEADERDATA, f);
	if (r->content_type) {
		curl->easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		curl->easy_setopt(e, CURLOPT_POSTFIELDS, f->request.p);
	}
}

/* The URL ends in a NUL for libcurl, and the body follows: both live as long as the exchange. */
static bool set_target(struct web_call *f, const struct web_request *r)
{
	struct buf url;

	buf_init(&url, WEB_MAX_BYTES);
	buf_add(&url, r->url);
	buf_add_char(&url, 0);
	buf_add(&f->request, r->body);
	buf_add_char(&f->request, 0);
	bool ok = !url.failed && !f->request.failed && !memchr(r->url.p, 0, r->url.n);
	if (ok)
		ok = f->web->curl.easy_setopt(f->easy, CURLOPT_URL, url.p) == CURLE_OK;
	buf_finish(&url);
	return ok;
}

struct web_call *web_start(struct web *o, const struct web_request *r, void (*done)(void *ctx, const struct web_answer *), void *ctx)
{
	struct web_call *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	*f = (struct web_call){ .web = o, .reach = r->reach, .done = done, .ctx = ctx, .plain = slice_eq_nocase(slice_head(r->url, 5), SL("http:")) };
	buf_init(&f->request, WEB_MAX_BYTES);
	buf_init(&f->body, WEB_MAX_BYTES);
	buf_init(&f->challenge, MAX_CHALLENGE_BYTES);
	f->easy = o->curl.easy_init();
	if (!f->easy || !set_target(f, r) || !set_fields(f, r)) {
		call_free(f);
		return NULL;
	}
	set_options(f, r);
	if (o->curl.multi_add_handle(o->curls.multi, f->easy) != CURLM_OK) {
		call_free(f);
		return NULL;
	}
	f->next = o->first;
	if (f->next)
		f->next->prev = f;
	o->first = f;
	return f;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void web_free(struct web *o)
{
	curl_api_close(&o->curl);
	free(o->ca);
	free(o->proxy);
	free(o);
}

struct web *web_create(uv_loop_t *loop, const struct vault_config *conf, const char **why)
{
	struct web *o = calloc(1, sizeof *o);

	*why = "out of memory";
	if (!o)
		return NULL;
	if (!curl_api_open(&o->curl, why)) {
		free(o);
		return NULL;
	}
	*why = "out of memory";
	o->ca = conf->tls_ca.n ? strndup(conf->tls_ca.p, conf->tls_ca.n) : NULL;
	o->proxy = conf->proxy.n ? strndup(conf->proxy.p, conf->proxy.n) : NULL;
	if ((conf->tls_ca.n && !o->ca) || (conf->proxy.n && !o->proxy) || !curl_loop_init(&o->curls, &o->curl, loop, on_done, o)) {
		web_free(o);
		return NULL;
	}
	return o;
}

const struct curl_api *web_curl(const struct web *o)
{
	return &o->curl;
}

static void on_closed(void *ctx)
{
	struct web *o = ctx;
	void (*closed)(void *ctx) = o->closed;
	void *closed_ctx = o->ctx;

	web_free(o);
	closed(closed_ctx);
}

void web_close(struct web *o, void (*closed)(void *ctx), void *ctx)
{
	o->closed = closed;
	o->ctx = ctx;
	while (o->first)
		web_cancel(o->first);
	curl_loop_close(&o->curls, on_closed, o);
}
