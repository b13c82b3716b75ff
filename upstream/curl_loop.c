#include "upstream/curl_loop.h"

#include <stdlib.h>

/* One socket while libcurl works on it. */
struct watch {
	uv_poll_t poll;
	struct curl_loop *owner;
	curl_socket_t fd;
};

void curl_loop_hold(struct curl_loop *l)
{
	l->n_open++;
}

void curl_loop_release(struct curl_loop *l)
{
	if (--l->n_open == 0 && l->closing)
		l->closed(l->ctx);
}

static void tell_ends(struct curl_loop *l)
{
	struct CURLMsg *m;
	int left;

	while (!l->closing && (m = l->curl->multi_info_read(l->multi, &left)) != NULL)
		if (m->msg == CURLMSG_DONE)
			l->done(l->owner, m->easy_handle, m->data.result);
}

static void on_watch_closed(uv_handle_t *h)
{
	struct watch *w = h->data;
	struct curl_loop *l = w->owner;

	free(w);
	curl_loop_release(l);
}

static void on_watch(uv_poll_t *h, int status, int events)
{
	struct watch *w = h->data;
	struct curl_loop *l = w->owner;
	int what = status < 0 ? CURL_CSELECT_ERR : 0;
	int running;

	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	l->curl->multi_socket_action(l->multi, w->fd, what, &running);
	tell_ends(l);
}

static struct watch *watch_create(struct curl_loop *l, curl_socket_t fd)
{
	struct watch *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	if (uv_poll_init_socket(l->loop, &w->poll, fd) != 0) {
		free(w);
		return NULL;
	}
	w->poll.data = w;
	w->owner = l;
	w->fd = fd;
	curl_loop_hold(l);
	l->curl->multi_assign(l->multi, fd, w);
	return w;
}

/* CURLMOPT_SOCKETFUNCTION. An error from here would kill the multi handle for good; unwatched, a transfer times out. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *userp, void *socketp)
{
	struct curl_loop *l = userp;
	struct watch *w = socketp;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			l->curl->multi_assign(l->multi, fd, NULL);
			uv_close((uv_handle_t *)&w->poll, on_watch_closed);
		}
		return 0;
	}
	if (!w)
		w = watch_create(l, fd);
	if (w)
		uv_poll_start(&w->poll,
			(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_watch);
	return 0;
}

static void on_timer(uv_timer_t *h)
{
	struct curl_loop *l = h->data;
	int running;

	l->curl->multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	tell_ends(l);
}

/* CURLMOPT_TIMERFUNCTION. */
static int on_curl_timer(CURLM *multi, long ms, void *userp)
{
	struct curl_loop *l = userp;

	(void)multi;
	if (ms < 0)
		uv_timer_stop(&l->timer);
	else if (!l->closing)
		uv_timer_start(&l->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

bool curl_loop_init(struct curl_loop *l, const struct curl_api *curl, uv_loop_t *loop, void (*done)(void *owner, CURL *, CURLcode), void *owner)
{
	*l = (struct curl_loop){ .curl = curl, .loop = loop, .done = done, .owner = owner, .n_open = 1 };
	l->multi = curl->multi_init();
	if (!l->multi)
		return false;
	uv_timer_init(loop, &l->timer);
	l->timer.data = l;
	curl->multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl->multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
	curl->multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl->multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
	return true;
}

static void on_timer_closed(uv_handle_t *h)
{
	curl_loop_release(h->data);
}

void curl_loop_close(struct curl_loop *l, void (*closed)(void *ctx), void *ctx)
{
	l->closing = true;
	l->closed = closed;
	l->ctx = ctx;
	l->curl->multi_cleanup(l->multi);
	l->multi = NULL;
	uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}
