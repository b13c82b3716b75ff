#include "tests/unit/upstream/fake.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/unit/check.h"

#define PATIENCE_MS 8000
#define SEEN_BYTES (8u << 20)

static void give_up(struct fake *f, const char *what)
{
	if (!f->broken)
		f->broken = what;
}

static void *run(void *ctx)
{
	struct fake *f = ctx;

	f->script(f);
	fake_close(f);
	return NULL;
}

void fake_start(struct fake *f, void (*script)(struct fake *), SSL_CTX *tls)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;

	*f = (struct fake){ .script = script, .tls = tls, .fd = -1 };
	f->seen = calloc(1, SEEN_BYTES);
	f->last = f->seen;
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(f->listener, 64), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&at, &n), 0);
	f->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
}

void fake_stop(struct fake *f)
{
	pthread_join(f->thread, NULL);
	close(f->listener);
	if (f->broken)
		print_error("the fake vault waited in vain: %s\nseen so far:\n%s\n", f->broken, f->seen);
	assert_null(f->broken);
}

void fake_free(struct fake *f)
{
	free(f->seen);
}

static bool ready(struct fake *f, int fd, const char *what)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (f->broken)
		return false;
	if ((f->ssl && SSL_pending(f->ssl)) || poll(&p, 1, PATIENCE_MS) == 1)
		return true;
	give_up(f, what);
	return false;
}

void fake_accept(struct fake *f)
{
	int one = 1;

	f->fd = -1;
	f->ssl = NULL;
	if (!ready(f, f->listener, "a connection"))
		return;
	f->fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
	setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	f->accepted++;
	if (!f->tls)
		return;
	f->ssl = SSL_new(f->tls);
	SSL_set_fd(f->ssl, f->fd);
	if (SSL_accept(f->ssl) != 1)
		fake_close(f);
}

static ssize_t get(struct fake *f, char *to, size_t max)
{
	if (f->fd < 0 || !ready(f, f->fd, "bytes"))
		return -1;
	return f->ssl ? SSL_read(f->ssl, to, (int)max) : recv(f->fd, to, max, 0);
}

void fake_request(struct fake *f)
{
	char *begin = f->seen + f->n_seen, *body = NULL;
	size_t due = 0;

	f->last = begin;
	while (!body || (size_t)(f->seen + f->n_seen - body) < due) {
		size_t room = SEEN_BYTES - f->n_seen - 1;
		ssize_t n = get(f, f->seen + f->n_seen, due || !body ? (room < 65536 ? room : 65536) : 1);

		if (n <= 0) {
			give_up(f, "a whole request");
			return;
		}
		f->n_seen += (size_t)n;
		f->seen[f->n_seen] = 0;
		body = strstr(begin, "\r\n\r\n");
		if (!body)
			continue;
		body += 4;
		const char *length = strstr(begin, "\r\nContent-Length: ");
		due = length ? strtoul(length + 18, NULL, 10) : 0;
	}
	f->requests++;
}

void fake_say_bytes(struct fake *f, const char *bytes, size_t n)
{
	while (n && f->fd >= 0) {
		ssize_t sent = f->ssl ? SSL_write(f->ssl, bytes, (int)n) : send(f->fd, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* the other side may hang up when it has heard enough */
		bytes += sent;
		n -= (size_t)sent;
	}
}

void fake_say(struct fake *f, const char *text)
{
	fake_say_bytes(f, text, strlen(text));
}

void fake_drip(struct fake *f, const char *text)
{
	for (; *text; text++) {
		fake_say_bytes(f, text, 1);
		usleep(200);
	}
}

void fake_answer(struct fake *f, const char *status, const char *fields, const char *body)
{
	char head[1024];

	snprintf(head, sizeof head, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, fields, strlen(body));
	char *all = malloc(strlen(head) + strlen(body) + 1);
	strcpy(all, head);
	strcat(all, body);
	fake_say(f, all);
	free(all);
}

void fake_json(struct fake *f, const char *body)
{
	fake_answer(f, "200 OK", "Content-Type: application/json\r\n", body);
}

void fake_step(struct fake *f, int step)
{
	__atomic_store_n(&f->step, step, __ATOMIC_SEQ_CST);
}

void fake_await_step(struct fake *f, int step)
{
	for (int i = 0; __atomic_load_n(&f->step, __ATOMIC_SEQ_CST) < step; i++) {
		if (i == PATIENCE_MS) {
			give_up(f, "a step of the test");
			return;
		}
		usleep(1000);
	}
}

void fake_close(struct fake *f)
{
	if (f->ssl) {
		SSL_shutdown(f->ssl);
		SSL_free(f->ssl);
	}
	if (f->fd >= 0)
		close(f->fd);
	f->ssl = NULL;
	f->fd = -1;
}

void fake_reset(struct fake *f)
{
	struct linger hard = { .l_onoff = 1 };

	SSL_free(f->ssl);
	f->ssl = NULL;
	setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(f->fd);
	f->fd = -1;
}

void fake_await_close(struct fake *f)
{
	char bin[4096];

	while (get(f, bin, sizeof bin) > 0)
		;
	fake_close(f);
}
