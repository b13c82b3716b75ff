#include "upstream/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/wipe.h"

#define REREAD_MS 1000

static char *copy_z(struct slice s)
{
	char *z = malloc(s.n + 1);

	if (!z)
		return NULL;
	if (s.n)
		memcpy(z, s.p, s.n);
	z[s.n] = 0;
	return z;
}

static bool set_prefix(struct credential *c, struct slice header, struct slice scheme)
{
	struct buf b;

	buf_init(&b, header.n + scheme.n + 2);
	buf_add(&b, header);
	buf_add(&b, SL(": "));
	buf_add(&b, scheme);
	if (b.failed) {
		buf_finish(&b);
		return false;
	}
	c->prefix = buf_slice(&b); /* the memory is ours now; freed in credential_finish */
	return true;
}

bool credential_init(struct credential *c, const struct vault_config *conf)
{
	*c = (struct credential){ .from = conf->credential_from };
	buf_init(&c->line, conf->credential_header.n + conf->credential_prefix.n + CREDENTIAL_MAX_BYTES + 4);
	if (c->from == SECRET_SOURCE_NONE)
		return true;
	c->fault = c->from == SECRET_SOURCE_GIVEN ? "its token was not given yet" : "it was not read yet";
	c->source = copy_z(conf->credential_name);
	return c->source && set_prefix(c, conf->credential_header, conf->credential_prefix);
}

void credential_finish(struct credential *c)
{
	buf_finish(&c->line);
	free(c->source);
	free((void *)(uintptr_t)c->prefix.p);
}

/* A regular file of at most CREDENTIAL_MAX_BYTES into `out`, which holds one byte more. NULL, or what is wrong. */
static const char *read_file(const char *path, char *out, size_t *n)
{
	/* Not blocking: the path may name a FIFO, which is refused below. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t got = 1;

	if (fd < 0)
		return "the file cannot be opened";
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return "it is not a regular file";
	}
	for (*n = 0; *n <= CREDENTIAL_MAX_BYTES && got != 0; *n += got > 0 ? (size_t)got : 0) {
		got = read(fd, out + *n, CREDENTIAL_MAX_BYTES + 1 - *n);
		if (got < 0 && errno != EINTR)
			break;
	}
	close(fd);
	if (got < 0)
		return "the file cannot be read";
	return *n > CREDENTIAL_MAX_BYTES ? "it is over 16 KiB" : NULL;
}

static const char *read_env(const char *name, char *out, size_t *n)
{
	const char *value = getenv(name);

	if (!value)
		return "the variable is not set";
	*n = strlen(value);
	if (*n > CREDENTIAL_MAX_BYTES)
		return "it is over 16 KiB";
	memcpy(out, value, *n);
	return NULL;
}

/* A secret goes into a header line: a control character would end it. */
static const char *check(struct slice secret)
{
	if (!secret.n)
		return "it is empty";
	for (size_t i = 0; i < secret.n; i++)
		if ((unsigned char)secret.p[i] < 0x20 || secret.p[i] == 0x7F)
			return "it holds a control character";
	return NULL;
}

static void keep(struct credential *c, struct slice secret)
{
	buf_add(&c->line, c->prefix);
	buf_add(&c->line, secret);
	buf_add(&c->line, SL("\r\n"));
	if (c->line.failed) {
		c->fault = err_text(c->line.failed);
		buf_finish(&c->line);
	}
}

bool credential_read(struct credential *c)
{
	char bytes[CREDENTIAL_MAX_BYTES + 1];
	size_t n = 0;

	if (c->from == SECRET_SOURCE_NONE || c->from == SECRET_SOURCE_GIVEN)
		return !c->fault;
	c->fault = c->from == SECRET_SOURCE_FILE ? read_file(c->source, bytes, &n) : read_env(c->source, bytes, &n);
	struct slice secret = slice_trim(slice_make(bytes, n));
	if (!c->fault)
		c->fault = check(secret);
	buf_finish(&c->line); /* wiped, before the new one: never the older of two */
	if (!c->fault)
		keep(c, secret);
	wipe(bytes, n < sizeof bytes ? n : sizeof bytes);
	return !c->fault;
}

void credential_rejected(struct credential *c, uint64_t now_ms)
{
	if (c->reread_ms && now_ms - c->reread_ms < REREAD_MS)
		return;
	c->reread_ms = now_ms ? now_ms : 1;
	credential_read(c);
}

struct slice credential_secret(const struct credential *c)
{
	return c->line.n > c->prefix.n + 2 ? slice_make(c->line.p + c->prefix.n, c->line.n - c->prefix.n - 2) : SL("");
}

bool credential_give(struct credential *c, struct slice secret)
{
	if (check(secret) || secret.n > CREDENTIAL_MAX_BYTES)
		return false;
	buf_finish(&c->line);
	c->fault = NULL;
	keep(c, secret);
	return !c->fault;
}

void credential_drop(struct credential *c, const char *fault)
{
	buf_finish(&c->line);
	c->fault = fault;
}

bool credential_ready(const struct credential *c)
{
	return !c->fault;
}
