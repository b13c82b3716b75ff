#include "proxy/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "guards/pin_text.h"
#include "proxy/showing.h"

#define MAX_FILE_BYTES ((size_t)4 << 20) /* no more is read (config_read_file) */
#define MAX_LINE_BYTES 16384

/* One pin of the file to be written. */
struct line {
	enum pin_kind kind;
	struct slice name, text;
};

struct lines {
	struct line *v;
	size_t n;
};

/* --- what is told ---------------------------------------------------------------------------------------------------------- */

static void begin(struct buf *out, const char *word, enum pin_kind kind, struct slice name)
{
	buf_init(out, MAX_LINE_BYTES);
	buf_add_fmt(out, "  %s: %s ", word, pin_row(kind)->word);
	pin_add_name(out, kind, name);
}

static void end(struct buf *out)
{
	printf("%.*s\n", SL_ARG(buf_slice(out)));
	buf_finish(out);
}

static void tell(const char *word, enum pin_kind kind, struct slice name, const char *more)
{
	struct buf out;

	begin(&out, word, kind, name);
	buf_add_fmt(&out, "%s", more);
	end(&out);
}

static void tell_change(const struct pin *old, const struct shown *now, struct arena *a)
{
	struct buf out;

	begin(&out, "changed", now->kind, now->is.name);
	buf_add(&out, SL(": "));
	pin_add_change(&out, now->kind, old->is.marks, old->is.text, &now->is, a);
	end(&out);
}

/* --- old and new ------------------------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int order = x->kind != y->kind ? (int)x->kind - (int)y->kind : n ? memcmp(x->name.p, y->name.p, n) : 0;

	return order ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static bool is_shown(const struct showing *s, const struct pin *pin)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].kind == pin->kind && slice_eq(s->v[i].is.name, pin->is.name))
			return true;
	return false;
}

/* What is accepted and not shown now may come back, and must then be what it was; resources are data, and go. */
static void keep_old(struct lines *l, const struct pins *old, const struct showing *s)
{
	for (size_t i = 0; i < pins_count(old); i++) {
		const struct pin *p = pins_at(old, i);

		if (is_shown(s, p))
			continue;
		if (p->kind == PIN_RESOURCE) {
			tell("gone", p->kind, p->is.name, "");
			continue;
		}
		tell("kept", p->kind, p->is.name, ", which is not shown now");
		l->v[l->n++] = (struct line){ p->kind, p->is.name, p->is.text };
	}
}

static void take_shown(struct lines *l, const struct pins *old, struct showing *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct shown *now = &s->v[i];
		const struct pin *before = pins_find(old, now->kind, now->is.name);

		if (!before)
			tell("new", now->kind, now->is.name, "");
		else if (memcmp(before->is.digest, now->is.digest, DIGEST_BYTES) != 0)
			tell_change(before, now, &s->arena);
		l->v[l->n++] = (struct line){ now->kind, now->is.name, now->is.text };
	}
}

static void write_lines(struct buf *out, const struct upstream_config *u, const struct lines *l, bool resources)
{
	buf_clear(out);
	buf_add_fmt(out, "# What the vault `%.*s` may show, a line each: written by narrowgate check --accept, read with the configuration.\n",
		SL_ARG(u->name));
	for (size_t i = 0; i < l->n; i++)
		if (resources || l->v[i].kind != PIN_RESOURCE)
			pins_add_line(out, l->v[i].kind, l->v[i].text);
}

/* What is to be written must be readable. */
static bool is_readable(struct slice text, struct slice file)
{
	struct faults faults;

	faults_init(&faults);
	struct pins *p = pins_parse(text, file, &faults);

	pins_free(p);
	faults_finish(&faults);
	return p != NULL;
}

static bool make_text(struct buf *out, const struct upstream_config *u, struct showing *s)
{
	struct lines l = { .v = arena_array(&s->arena, s->n + pins_count(u->pins) + 1, sizeof *l.v) };

	if (!l.v)
		return false;
	take_shown(&l, u->pins, s);
	keep_old(&l, u->pins, s);
	qsort(l.v, l.n, sizeof *l.v, by_name);
	write_lines(out, u, &l, true);
	if (out->failed == E_TOO_BIG) {
		printf("  its resources are left out, since the file would be over %zu MiB: they are pinned at first sight\n", MAX_FILE_BYTES >> 20);
		write_lines(out, u, &l, false);
	}
	return out->failed == E_OK && is_readable(buf_slice(out), u->pins_path);
}

/* --- the file --------------------------------------------------------------------------------------------------------------- */

static bool write_all(int fd, struct slice s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		s = slice_from(s, (size_t)n);
	}
	return fsync(fd) == 0;
}

/* The name beside it under which it is written first. NULL: no memory. */
static char *beside(const char *path)
{
	size_t n = strlen(path) + sizeof ".XXXXXX";
	char *out = malloc(n);

	if (out)
		snprintf(out, n, "%s.XXXXXX", path);
	return out;
}

/* Whoever may read the old one may read the new one; a first one is its owner's. */
static bool replace(const char *path, struct slice text)
{
	char *temporary = beside(path);
	int fd = temporary ? mkostemp(temporary, O_CLOEXEC) : -1;
	struct stat old;

	bool ok = fd >= 0 && (stat(path, &old) != 0 || fchmod(fd, old.st_mode & 0777) == 0) && write_all(fd, text);
	if (fd >= 0 && close(fd) != 0)
		ok = false;
	ok = ok && rename(temporary, path) == 0;
	int error = errno;
	if (fd >= 0 && !ok)
		unlink(temporary);
	free(temporary);
	errno = error;
	return ok;
}

/* Where the file really is: a link stays one. */
static bool write_file(const char *path, struct slice text)
{
	char *real = realpath(path, NULL);
	bool ok = replace(real ? real : path, text);
	int error = errno;

	free(real);
	errno = error;
	return ok;
}

static bool complain(const struct upstream_config *u, struct slice why)
{
	fprintf(stderr, "narrowgate: upstream %.*s: %.*s; its pins file was not written\n", SL_ARG(u->name), SL_ARG(why));
	return false;
}

static bool write_pins(const struct upstream_config *u, struct showing *s)
{
	struct buf text;

	buf_init(&text, MAX_FILE_BYTES);
	bool ok = make_text(&text, u, s);
	if (!ok)
		complain(u, SL("what it shows does not fit into a pins file"));
	else if (!(ok = write_file(u->pins_path.p, buf_slice(&text))))
		complain(u, slice_of(strerror(errno)));
	else
		printf("  written: %.*s\n", SL_ARG(u->pins_path));
	buf_finish(&text);
	return ok;
}

static bool accept_one(struct config *config, const struct upstream_config *u)
{
	struct showing s;
	struct slice why;
	bool ok = showing_read(&s, config, u, &why);

	if (ok) {
		printf("upstream %.*s shows %zu definitions\n", SL_ARG(u->name), s.n);
		ok = write_pins(u, &s);
	} else {
		complain(u, why);
	}
	showing_finish(&s);
	return ok;
}

int accept_all(struct config *config)
{
	bool ok = true;
	size_t n = 0;

	for (size_t i = 0; i < config->n_upstreams; i++) {
		const struct upstream_config *u = &config->upstreams[i];

		if (!u->pins_path.n) {
			printf("upstream %.*s names no pins file: left out\n", SL_ARG(u->name));
			continue;
		}
		n++;
		ok &= accept_one(config, u);
	}
	if (!n)
		fprintf(stderr, "narrowgate: no upstream names a pins file: add `pins: FILE` to it\n");
	return !n ? 2 : ok ? 0 : 1;
}
