#include "proxy/service.h"

#include <signal.h>
#include "base/log.h"

static void on_terminate(uv_signal_t *signal, int number)
{
	struct service *s = signal->data;

	(void)number;
	if (s->terminating)
		service_finish(s);
	else
		service_terminate(s);
}

static void on_hangup(uv_signal_t *signal, int number)
{
	struct service *s = signal->data;

	(void)number;
	if (s->ops->hangup && !s->terminating)
		s->ops->hangup(s);
}

/* What was cut gets its error: that much time is left for it to be sent. */
#define CUT_MS 1000

static void on_deadline(uv_timer_t *timer)
{
	struct service *s = timer->data;

	if (!s->ops->cut || s->cut) {
		service_finish(s);
		return;
	}
	s->cut = true;
	log_warn("serve", "the drain period is over: what is still in flight is cut");
	uv_timer_start(timer, on_deadline, CUT_MS, 0);
	s->ops->cut(s);
}

static void watch_signal(struct service *s, uv_signal_t *handle, uv_signal_cb cb, int number)
{
	uv_signal_init(s->loop, handle);
	handle->data = s;
	uv_signal_start(handle, cb, number);
	uv_unref((uv_handle_t *)handle);
}

void service_init(struct service *s, const struct service_ops *ops, uint64_t drain_ms)
{
	s->ops = ops;
	s->drain_ms = drain_ms;
	s->loop = &s->own_loop;
	uv_loop_init(s->loop);
	uv_timer_init(s->loop, &s->deadline);
	s->deadline.data = s;
	watch_signal(s, &s->term, on_terminate, SIGTERM);
	watch_signal(s, &s->interrupt, on_terminate, SIGINT);
	watch_signal(s, &s->hangup, on_hangup, SIGHUP);
}

void service_terminate(struct service *s)
{
	if (s->terminating)
		return;
	s->terminating = true;
	uv_timer_start(&s->deadline, on_deadline, s->drain_ms, 0);
	s->ops->terminate(s);
}

void service_finish(struct service *s)
{
	if (s->finished)
		return;
	s->finished = s->terminating = true;
	uv_close((uv_handle_t *)&s->deadline, NULL);
	uv_close((uv_handle_t *)&s->term, NULL);
	uv_close((uv_handle_t *)&s->interrupt, NULL);
	uv_close((uv_handle_t *)&s->hangup, NULL);
	s->ops->finish(s);
}

int service_run(struct service *s)
{
	uv_run(s->loop, UV_RUN_DEFAULT);
	return uv_loop_close(s->loop) == 0 ? 0 : 1;
}

struct slice service_address(const struct listen_address *a, struct arena *arena)
{
	if (a->path.n)
		return arena_fmt(arena, "unix:%.*s", SL_ARG(a->path));
	bool v6 = a->host.n && memchr(a->host.p, ':', a->host.n);

	return arena_fmt(arena, v6 ? "[%.*s]:%u" : "%.*s:%u", SL_ARG(a->host), a->port);
}

static void log_policy(const struct agent_config *a)
{
	struct buf text;
	struct slice rest;

	buf_init(&text, 1 << 20);
	policy_print(a->policy, &text);
	rest = buf_slice(&text);
	log_info("policy", "agent %.*s, profile %.*s", SL_ARG(a->name), SL_ARG(a->policy->profile));
	while (rest.n) {
		struct slice line = slice_cut(&rest, '\n');

		if (line.n)
			log_info("policy", "  %.*s", SL_ARG(line));
	}
	buf_finish(&text);
}

void service_log_policies(const struct config *c)
{
	for (size_t i = 0; i < c->n_agents; i++)
		log_policy(&c->agents[i]);
	for (size_t i = 0; i < c->n_absent_guards; i++)
		log_warn("policy", "not in this version: %.*s", SL_ARG(c->absent_guards[i]));
}
