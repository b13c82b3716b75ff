#include "upstream/child_process.h"

#include <signal.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/wipe.h"
#include "upstream/child_path.h"

#define EXIT_MS 2000    /* from the end of stdin to SIGTERM */
#define TERM_MS 2000    /* from SIGTERM to SIGKILL */
#define DRAIN_MS 200    /* from its exit to the end of its pipes, which grandchildren may hold open */

enum stage { STAGE_RUNS, STAGE_STDIN_CLOSED, STAGE_TERMINATED, STAGE_KILLED, STAGE_CLOSED };

struct child_process {
	struct child_vault *shared;
	const struct child_listener *listener; /* NULL: nobody listens */
	void *ctx;
	uv_process_t process;
	uv_pipe_t in, out, err;
	uv_timer_t timer;
	uv_shutdown_t shutdown;
	unsigned n_open;
	enum stage stage;
	bool spawned, exited, out_ended;
	bool unwanted;                  /* its owner has told it to end */
	size_t queued;                  /* bytes that wait to be written */
	struct ndjson_reader reader;
	struct child_log log;
};

/* Bytes on their way into the pipe. */
struct pending {
	uv_write_t req;
	struct child_process *process;
	size_t n;
	char bytes[];
};

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void on_handle_closed(uv_handle_t *h)
{
	struct child_process *p = h->data;
	struct child_vault *shared = p->shared;

	if (--p->n_open)
		return;
	ndjson_reader_finish(&p->reader);
	free(p);
	child_vault_less(shared);
}

static void close_handle(uv_handle_t *h)
{
	if (!uv_is_closing(h))
		uv_close(h, on_handle_closed);
}

static void close_all(struct child_process *p)
{
	if (p->stage == STAGE_CLOSED)
		return;
	p->stage = STAGE_CLOSED;
	child_log_end(&p->log, uv_now(p->timer.loop));
	if (p->spawned)
		close_handle((uv_handle_t *)&p->process);
	close_handle((uv_handle_t *)&p->in);
	close_handle((uv_handle_t *)&p->out);
	close_handle((uv_handle_t *)&p->err);
	close_handle((uv_handle_t *)&p->timer);
}

static void tell_gone(struct child_process *p, enum upstream_outcome why)
{
	const struct child_listener *listener = p->listener;

	p->listener = NULL;
	if (listener)
		listener->gone(p->ctx, why);
}

/* Its group, so that what it started goes with it. */
static void signal_group(struct child_process *p, int signum)
{
	uv_kill(-p->process.pid, signum);
}

static void on_timer(uv_timer_t *t)
{
	struct child_process *p = t->data;

	if (p->exited) { /* somebody else holds its pipes */
		signal_group(p, SIGTERM);
		tell_gone(p, UP_BROKEN);
		close_all(p);
	} else if (p->stage == STAGE_STDIN_CLOSED) {
		p->stage = STAGE_TERMINATED;
		signal_group(p, SIGTERM);
		uv_timer_start(t, on_timer, TERM_MS, 0);
	} else if (p->stage == STAGE_TERMINATED) {
		p->stage = STAGE_KILLED;
		signal_group(p, SIGKILL);
	}
}

static void on_process_exit(uv_process_t *h, int64_t status, int signum)
{
	struct child_process *p = h->data;

	p->exited = true;
	if (!p->unwanted)
		log_warn(p->shared->area, "it ended with status %d, signal %d", (int)status, signum);
	if (p->out_ended) {
		tell_gone(p, UP_BROKEN);
		close_all(p);
		return;
	}
	uv_timer_start(&p->timer, on_timer, DRAIN_MS, 0);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	struct child_process *p = req->handle->data;

	(void)status;
	close_handle((uv_handle_t *)&p->in);
}

static void begin_end(struct child_process *p)
{
	p->listener = NULL;
	if (p->stage != STAGE_RUNS)
		return;
	p->stage = STAGE_STDIN_CLOSED;
	if (uv_shutdown(&p->shutdown, (uv_stream_t *)&p->in, on_shutdown) != 0)
		close_handle((uv_handle_t *)&p->in);
	if (!p->exited)
		uv_timer_start(&p->timer, on_timer, EXIT_MS, 0);
}

void child_process_stop(struct child_process *p)
{
	p->unwanted = true;
	begin_end(p);
}

/* It cannot be talked to any more. */
static void give_up(struct child_process *p, enum upstream_outcome why)
{
	tell_gone(p, why);
	begin_end(p);
}

/* --- what it says ------------------------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *to)
{
	struct child_process *p = h->data;

	(void)suggested;
	*to = uv_buf_init(p->shared->vault->read_buffer, VAULT_READ_BYTES);
}

static bool on_line(void *ctx, struct slice line)
{
	struct child_process *p = ctx;

	if (p->listener)
		p->listener->line(p->ctx, line);
	return p->listener;
}

static void end_of_out(struct child_process *p)
{
	p->out_ended = true;
	uv_read_stop((uv_stream_t *)&p->out);
	if (p->listener)
		ndjson_end(&p->reader, on_line, p);
	if (p->exited) {
		tell_gone(p, UP_BROKEN);
		close_all(p);
	} else {
		give_up(p, UP_BROKEN); /* it lives on without a voice */
	}
}

static void on_out(uv_stream_t *s, ssize_t n, const uv_buf_t *from)
{
	struct child_process *p = s->data;
	size_t used;

	if (n < 0) {
		end_of_out(p);
		return;
	}
	if (p->listener && n > 0) {
		enum err e = ndjson_feed(&p->reader, slice_make(from->base, (size_t)n), &used, on_line, p);

		if (e != E_OK)
			give_up(p, e == E_TOO_BIG ? UP_TOO_BIG : UP_BROKEN);
	}
	wipe(from->base, (size_t)n);
}

static void on_err(uv_stream_t *s, ssize_t n, const uv_buf_t *from)
{
	struct child_process *p = s->data;

	if (n < 0) {
		uv_read_stop(s);
		return;
	}
	child_log_feed(&p->log, slice_make(from->base, (size_t)n), uv_now(s->loop));
	wipe(from->base, (size_t)n);
}

/* --- what it hears ------------------------------------------------------------------------------------------------ */

static void on_written(uv_write_t *req, int status)
{
	struct pending *w = req->data;

	(void)status; /* a broken pipe shows on stdout too */
	w->process->queued -= w->n;
	wipe(w->bytes, w->n);
	free(w);
}

static bool queue(struct child_process *p, struct slice rest)
{
	struct pending *w = malloc(sizeof *w + rest.n);

	if (!w)
		return false;
	*w = (struct pending){ .process = p, .n = rest.n };
	w->req.data = w;
	memcpy(w->bytes, rest.p, rest.n);
	uv_buf_t b = uv_buf_init(w->bytes, (unsigned)rest.n);
	if (uv_write(&w->req, (uv_stream_t *)&p->in, &b, 1, on_written) != 0) {
		free(w);
		return false;
	}
	p->queued += rest.n;
	return true;
}

enum upstream_outcome child_process_write(struct child_process *p, struct slice line)
{
	size_t most = 2 * p->shared->vault->max_message_bytes;
	uv_buf_t b = uv_buf_init((char *)(uintptr_t)line.p, (unsigned)line.n);
	int n = 0;

	if (p->stage != STAGE_RUNS || p->exited || p->queued > most || line.n > most - p->queued)
		return UP_UNREACHABLE;
	if (!p->queued)
		n = uv_try_write((uv_stream_t *)&p->in, &b, 1);
	if (n == UV_EAGAIN)
		n = 0;
	if (n < 0)
		return UP_UNREACHABLE;
	if ((size_t)n == line.n || queue(p, slice_from(line, (size_t)n)))
		return UP_DONE;
	if (n == 0)
		return UP_UNREACHABLE;
	child_process_stop(p);
	return UP_BROKEN;
}

/* --- the start ---------------------------------------------------------------------------------------------------- */

static void init_handles(struct child_process *p, uv_loop_t *loop)
{
	uv_pipe_init(loop, &p->in, 0);
	uv_pipe_init(loop, &p->out, 0);
	uv_pipe_init(loop, &p->err, 0);
	uv_timer_init(loop, &p->timer);
	p->in.data = p->out.data = p->err.data = p->timer.data = p->process.data = p;
	p->n_open = 4;
}

/* libuv's error. Also when it fails, the process handle is one that must be closed. */
static int spawn(struct child_process *p, const char *file)
{
	uv_stdio_container_t io[3] = {
		{ .flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&p->in },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->out },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->err },
	};
	uv_process_options_t options = {
		.exit_cb = on_process_exit,
		.file = file,
		.args = p->shared->args,
		.env = p->shared->env,
		.flags = UV_PROCESS_DETACHED, /* a group of its own: see signal_group */
		.stdio_count = 3,
		.stdio = io,
	};

	p->n_open++;
	p->spawned = true;
	return uv_spawn(p->timer.loop, &p->process, &options);
}

static bool start(struct child_process *p)
{
	char *file = child_path_find(p->shared->args[0], p->shared->env);
	int e = file ? spawn(p, file) : UV_ENOENT;

	free(file);
	if (e == 0)
		e = uv_read_start((uv_stream_t *)&p->out, on_alloc, on_out);
	if (e == 0)
		e = uv_read_start((uv_stream_t *)&p->err, on_alloc, on_err);
	if (e != 0)
		log_warn(p->shared->area, "it cannot be started: %s", uv_strerror(e));
	return e == 0;
}

struct child_process *child_process_start(struct child_vault *shared, const struct child_listener *listener, void *ctx)
{
	struct child_process *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->shared = shared;
	shared->n_live++;
	init_handles(p, shared->vault->loop);
	ndjson_reader_init(&p->reader, shared->vault->max_message_bytes);
	child_log_init(&p->log, shared->area);
	if (!start(p)) {
		if (p->spawned && uv_is_active((uv_handle_t *)&p->process))
			signal_group(p, SIGKILL);
		close_all(p);
		return NULL;
	}
	p->listener = listener;
	p->ctx = ctx;
	return p;
}
