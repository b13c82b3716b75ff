#include "upstream/turn.h"

#include <stddef.h>

static void unlink_task(struct task *t)
{
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->next = t->prev = NULL;
}

/* Runs what is queued now. What the tasks add comes in the next round: the loop gets to its sockets in between. */
static void run(struct turn *t)
{
	struct task *mark = &t->mark;

	if (t->queue.next == &t->queue) {
		uv_idle_stop(&t->idle); /* all that was queued has been taken out again */
		return;
	}
	mark->prev = t->queue.prev;
	mark->next = &t->queue;
	mark->prev->next = mark->next->prev = mark;
	while (t->queue.next != mark) {
		struct task *first = t->queue.next;

		unlink_task(first);
		first->run(first);
	}
	unlink_task(mark);
	if (t->queue.next == &t->queue)
		uv_idle_stop(&t->idle);
}

static void on_idle(uv_idle_t *h)
{
	(void)h;
}

static void on_prepare(uv_prepare_t *h)
{
	run(h->data);
}

static void on_check(uv_check_t *h)
{
	run(h->data);
}

void turn_init(struct turn *t, uv_loop_t *loop)
{
	*t = (struct turn){ .n_open = 3 };
	t->queue.next = t->queue.prev = &t->queue;
	/* None of these calls can fail. */
	uv_idle_init(loop, &t->idle);
	uv_prepare_init(loop, &t->prepare);
	uv_check_init(loop, &t->check);
	t->idle.data = t->prepare.data = t->check.data = t;
	uv_prepare_start(&t->prepare, on_prepare);
	uv_check_start(&t->check, on_check);
	uv_unref((uv_handle_t *)&t->prepare);
	uv_unref((uv_handle_t *)&t->check);
}

static void on_closed(uv_handle_t *h)
{
	struct turn *t = h->data;

	if (--t->n_open == 0)
		t->closed(t->ctx);
}

void turn_close(struct turn *t, void (*closed)(void *ctx), void *ctx)
{
	t->closed = closed;
	t->ctx = ctx;
	uv_close((uv_handle_t *)&t->idle, on_closed);
	uv_close((uv_handle_t *)&t->prepare, on_closed);
	uv_close((uv_handle_t *)&t->check, on_closed);
}

void turn_add(struct turn *t, struct task *task)
{
	if (task->next)
		return;
	task->prev = t->queue.prev;
	task->next = &t->queue;
	task->prev->next = task->next->prev = task;
	uv_idle_start(&t->idle, on_idle);
}

void turn_remove(struct task *task)
{
	if (task->next)
		unlink_task(task);
}
