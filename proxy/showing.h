/*
 * All that a vault shows in its lists, read by ourselves for an operator who is to accept it (narrowgate check --accept): the vault is
 * reached as it is while serving, with its credential, its process, its TLS. Descriptions are read, never a value.
 */
#ifndef NARROWGATE_PROXY_SHOWING_H
#define NARROWGATE_PROXY_SHOWING_H

#include <uv.h>
#include "policy/config.h"

#define SHOWING_MAX 20000 /* definitions of one vault */

struct shown {
	enum pin_kind kind;
	struct definition is;
};

struct showing {
	struct shown *v;      /* in the order the vault shows them; of two of one name the first */
	size_t n;
	struct arena arena;   /* holds it all */
};

/* Runs a loop of its own to the end. False with a text in *why (static, or in the arena). showing_finish is due in either case. */
bool showing_read(struct showing *, struct config *, const struct upstream_config *, struct slice *why);
void showing_finish(struct showing *);

#endif
