#include "upstream/oauth_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json.h"

/* --- reading ------------------------------------------------------------------------------------------------------ */

static const char *read_whole(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* it may name a FIFO */
	struct stat st;
	ssize_t n = 1;

	if (fd < 0)
		return errno == ENOENT ? "there is no token file" : "the token file cannot be opened";
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return "the token file is not a regular file";
	}
	while (n != 0 && buf_reserve(out, 4096) == E_OK) {
		n = read(fd, out->p + out->n, 4096);
		if (n < 0 && errno != EINTR)
			break;
		out->n += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	return n != 0 || out->failed ? "the token file cannot be read, or is over 64 KiB" : NULL;
}

static bool take(const struct json *j, struct slice name, struct arena *a, struct slice *out)
{
	uint32_t tok = json_member(j, 0, name);

	*out = json_is(j, tok, JSON_STRING) ? json_string(j, tok, a) : SL("");
	return out->n > 0;
}

static const char *parse(struct slice text, struct arena *a, struct oauth_stored *out)
{
	struct json j;

	if (json_parse(&j, text, a, NULL) != E_OK || !json_is(&j, 0, JSON_OBJECT))
		return "the token file is no JSON object";
	take(&j, SL("client_secret"), a, &out->client_secret);
	take(&j, SL("scope"), a, &out->scope);
	if (!take(&j, SL("issuer"), a, &out->issuer) || !take(&j, SL("resource"), a, &out->resource) || !take(&j, SL("client_id"), a, &out->client_id) ||
		!take(&j, SL("refresh_token"), a, &out->refresh_token))
		return "the token file lacks its issuer, resource, client_id or refresh_token: log in again";
	return NULL;
}

const char *oauth_store_read(const char *path, struct arena *a, struct oauth_stored *out)
{
	struct buf text;

	*out = (struct oauth_stored){ 0 };
	buf_init(&text, OAUTH_STORE_MAX_BYTES + 4096);
	const char *why = read_whole(path, &text);
	if (!why && !slice_trim(buf_slice(&text)).n)
		why = "the token file is empty: log in again";
	if (!why)
		why = parse(arena_dup(a, buf_slice(&text)), a, out);
	buf_finish(&text);
	return why;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static void add(struct buf *b, const char *name, struct slice value)
{
	if (!value.n)
		return;
	buf_add_fmt(b, "%s\n  \"%s\": ", b->n == 1 ? "" : ",", name);
	buf_add_json_string(b, value);
}

static bool write_all(int fd, struct slice s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno != EINTR)
			return false;
		s = slice_from(s, n > 0 ? (size_t)n : 0);
	}
	return true;
}

/* Each directory above the file that is not there. */
static void make_directories(const char *path)
{
	char *z = strdup(path);

	for (char *at = z ? strchr(z + 1, '/') : NULL; at; at = strchr(at + 1, '/')) {
		*at = 0;
		mkdir(z, 0700); /* what is wrong will show when the file is made */
		*at = '/';
	}
	free(z);
}

static const char *put(const char *path, struct slice text)
{
	struct buf name;
	const char *why = NULL;

	buf_init(&name, 8192);
	buf_add_fmt(&name, "%s.%ld", path, (long)getpid());
	buf_add_char(&name, 0);
	unlink(name.p); /* left over from a process of the same number */
	int fd = name.failed ? -1 : open(name.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		why = "the token file cannot be written";
	} else {
		bool ok = write_all(fd, text) && fsync(fd) == 0;

		ok &= close(fd) == 0;
		if (!ok || rename(name.p, path) != 0) {
			unlink(name.p);
			why = "the token file cannot be written";
		}
	}
	buf_finish(&name);
	return why;
}

const char *oauth_store_write(const char *path, const struct oauth_stored *s)
{
	struct buf text;
	const char *why = "out of memory";

	buf_init(&text, OAUTH_STORE_MAX_BYTES);
	buf_add_char(&text, '{');
	add(&text, "issuer", s->issuer);
	add(&text, "resource", s->resource);
	add(&text, "client_id", s->client_id);
	add(&text, "client_secret", s->client_secret);
	add(&text, "scope", s->scope);
	add(&text, "refresh_token", s->refresh_token);
	buf_add(&text, SL("\n}\n"));
	make_directories(path);
	if (!text.failed)
		why = put(path, buf_slice(&text));
	buf_finish(&text);
	return why;
}
