#include "proxy/tcp_listen.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/log.h"

#define BACKLOG 1024

static bool fail(struct buf *why, struct slice address, const char *text)
{
	buf_clear(why);
	buf_add_fmt(why, "cannot listen on %.*s: %s", SL_ARG(address), text);
	return false;
}

static struct tcp_listener *next_listener(struct tcp_server *server)
{
	struct tcp_listener *l = &server->listeners[server->n_listeners++];

	l->server = server;
	l->uv.handle.data = l;
	return l;
}

static int start_listening(struct tcp_listener *l, uv_connection_cb on_connection)
{
	int e = uv_listen(&l->uv.stream, BACKLOG, on_connection);

	l->listening = e == 0;
	return e;
}

/* --- TCP ---------------------------------------------------------------------------------------------------------- */

static int open_tcp(struct tcp_server *server, const struct sockaddr_storage *sa, uv_connection_cb on_connection)
{
	struct tcp_listener *l = next_listener(server);
	int e = uv_tcp_init(server->loop, &l->uv.tcp);

	if (e)
		return e;
	l->open = true;
	server->open_handles++;
	e = uv_tcp_bind(&l->uv.tcp, (const struct sockaddr *)sa, 0);
	return e ? e : start_listening(l, on_connection);
}

static int bound_port(const struct tcp_listener *l)
{
	struct sockaddr_storage sa;
	int n = sizeof(sa);

	if (uv_tcp_getsockname(&l->uv.tcp, (struct sockaddr *)&sa, &n))
		return 0;
	return ntohs(sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&sa)->sin6_port : ((struct sockaddr_in *)&sa)->sin_port);
}

/* Both loopbacks on one port; a machine without IPv6 has only one. */
static bool open_localhost(struct tcp_server *server, struct slice address, int port, uv_connection_cb on_connection, struct buf *why)
{
	struct sockaddr_storage sa;
	int e;

	uv_ip4_addr("127.0.0.1", port, (struct sockaddr_in *)&sa);
	e = open_tcp(server, &sa, on_connection);
	if (e)
		return fail(why, address, uv_strerror(e));
	uv_ip6_addr("::1", bound_port(&server->listeners[server->n_listeners - 1]), (struct sockaddr_in6 *)&sa);
	e = open_tcp(server, &sa, on_connection);
	if (e == UV_EADDRNOTAVAIL || e == UV_EAFNOSUPPORT) {
		log_warn("listen", "no IPv6 loopback on this machine: %.*s is 127.0.0.1 only", SL_ARG(address));
		return true;
	}
	return e ? fail(why, address, uv_strerror(e)) : true;
}

static bool read_port(struct slice text, int *port)
{
	*port = 0;
	if (text.n == 0 || text.n > 5)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		*port = *port * 10 + (text.p[i] - '0');
	}
	return *port < 65536;
}

/* The part in front of the last colon without brackets, and the port behind it. */
static bool read_address(struct slice address, char host[64], int *port)
{
	const char *colon = address.n ? memrchr(address.p, ':', address.n) : NULL;
	struct slice h;

	if (!colon || !read_port(slice_from(address, (size_t)(colon - address.p) + 1), port))
		return false;
	h = slice_head(address, (size_t)(colon - address.p));
	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = slice_make(h.p + 1, h.n - 2);
	else if (h.n && memchr(h.p, ':', h.n))
		return false;
	if (h.n == 0 || h.n >= 64)
		return false;
	memcpy(host, h.p, h.n);
	host[h.n] = '\0';
	return true;
}

static bool open_address(struct tcp_server *server, struct slice address, uv_connection_cb on_connection, struct buf *why)
{
	struct sockaddr_storage sa;
	char host[64];
	int port, e;

	if (!read_address(address, host, &port))
		return fail(why, address, "want host:port, [v6]:port or unix:/path");
	if (strcmp(host, "localhost") == 0)
		return open_localhost(server, address, port, on_connection, why);
	if (uv_ip4_addr(host, port, (struct sockaddr_in *)&sa) && uv_ip6_addr(host, port, (struct sockaddr_in6 *)&sa))
		return fail(why, address, "the host must be an IP address or localhost");
	e = open_tcp(server, &sa, on_connection);
	return e ? fail(why, address, uv_strerror(e)) : true;
}

/* --- unix sockets ------------------------------------------------------------------------------------------------- */

/* A socket file that nobody answers on is left from a process that died. Anything else at that path stays. */
static void remove_stale(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	memcpy(sa.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) && errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

static bool open_unix(struct tcp_server *server, struct slice address, uv_connection_cb on_connection, struct buf *why)
{
	struct slice path = slice_from(address, 5);
	struct tcp_listener *l;
	char name[sizeof(l->path)];
	int e;

	if (path.n == 0 || path.n >= sizeof(name) || memchr(path.p, '\0', path.n))
		return fail(why, address, "the path is empty or too long");
	memcpy(name, path.p, path.n);
	name[path.n] = '\0';
	remove_stale(name);
	l = next_listener(server);
	e = uv_pipe_init(server->loop, &l->uv.pipe, 0);
	if (e)
		return fail(why, address, uv_strerror(e));
	l->open = true;
	server->open_handles++;
	mode_t before = umask(0177); /* the file is never open to others, not even for a moment */
	e = uv_pipe_bind(&l->uv.pipe, name);
	umask(before);
	if (e)
		return fail(why, address, uv_strerror(e));
	memcpy(l->path, name, sizeof(name));
	e = start_listening(l, on_connection);
	return e ? fail(why, address, uv_strerror(e)) : true;
}

/* --- outside ------------------------------------------------------------------------------------------------------ */

bool tcp_listen_all(struct tcp_server *server, uv_connection_cb on_connection, struct buf *why)
{
	const struct tcp_config *config = &server->config;

	/* two for each: localhost is both loopbacks */
	server->listeners = calloc(2 * config->n_addresses + 1, sizeof(*server->listeners));
	if (!server->listeners)
		return fail(why, SL("any address"), err_text(E_NOMEM));
	if (config->n_addresses == 0)
		return fail(why, SL("any address"), "none is configured");
	for (size_t i = 0; i < config->n_addresses; i++) {
		struct slice a = config->addresses[i];

		if (!(slice_starts(a, SL("unix:")) ? open_unix : open_address)(server, a, on_connection, why))
			return false;
	}
	return true;
}

void tcp_listen_close(struct tcp_server *server, uv_close_cb on_closed)
{
	for (size_t i = 0; i < server->n_listeners; i++) {
		struct tcp_listener *l = &server->listeners[i];

		if (!l->open)
			continue;
		l->open = false;
		l->listening = false;
		uv_close(&l->uv.handle, on_closed);
	}
}

static bool is_loopback(const struct sockaddr_storage *sa)
{
	const struct in6_addr *a;

	if (sa->ss_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *)sa)->sin_addr.s_addr) >> 24) == 127;
	if (sa->ss_family != AF_INET6)
		return false;
	a = &((const struct sockaddr_in6 *)sa)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

bool tcp_peer_is_local(const uv_tcp_t *tcp)
{
	struct sockaddr_storage sa;
	int n = sizeof(sa);

	return uv_tcp_getpeername(tcp, (struct sockaddr *)&sa, &n) == 0 && is_loopback(&sa);
}

bool tcp_peer_is_ourselves(const uv_pipe_t *pipe, unsigned *uid)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);
	uv_os_fd_t fd;

	*uid = (unsigned)-1;
	if (uv_fileno((const uv_handle_t *)pipe, &fd) || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) || n != sizeof(peer))
		return false;
	*uid = peer.uid;
	return peer.uid == geteuid() || peer.uid == 0;
}

void tcp_server_describe(const struct tcp_server *server, struct buf *out)
{
	for (size_t i = 0; i < server->n_listeners; i++) {
		const struct tcp_listener *l = &server->listeners[i];
		struct sockaddr_storage sa;
		int n = sizeof(sa);
		char host[64] = "";

		if (!l->listening)
			continue;
		if (out->n)
			buf_add(out, SL(", "));
		if (l->path[0]) {
			buf_add_fmt(out, "unix:%s", l->path);
		} else if (uv_tcp_getsockname(&l->uv.tcp, (struct sockaddr *)&sa, &n) == 0) {
			uv_ip_name((const struct sockaddr *)&sa, host, sizeof(host));
			buf_add_fmt(out, sa.ss_family == AF_INET6 ? "[%s]:%d" : "%s:%d", host, bound_port(l));
		}
	}
}
