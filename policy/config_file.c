#include "policy/config.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MAX_FILE_BYTES ((size_t)4 << 20)

/* Reads to the end or to the limit; the file's size is not asked for, since a pipe has none and a file may grow. */
static enum err read_all(int fd, struct buf *b)
{
	for (;;) {
		enum err e = buf_reserve(b, 4096);

		if (e != E_OK)
			return e;
		ssize_t n = read(fd, b->p + b->n, 4096);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return E_IO;
		if (n == 0)
			return E_OK;
		b->n += (size_t)n;
		if (b->n > MAX_FILE_BYTES)
			return E_TOO_BIG;
	}
}

enum err config_read_file(const char *path, struct arena *arena, struct slice *out)
{
	struct buf b;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return E_IO;
	buf_init(&b, MAX_FILE_BYTES + 8192);
	enum err e = read_all(fd, &b);

	close(fd);
	if (e == E_OK) {
		*out = arena_dup(arena, buf_slice(&b));
		if (!out->p)
			e = E_NOMEM;
	}
	buf_finish(&b);
	return e;
}
