/*
 * narrowgate check --accept: what each vault shows now becomes what its pins file says.
 */
#ifndef NARROWGATE_PROXY_ACCEPT_H
#define NARROWGATE_PROXY_ACCEPT_H

#include "policy/config.h"

/*
 * Reads every upstream that names a pins file, writes that file, and prints what is new and what changed. The exit status: 0; 1 when a
 * vault could not be read or a file not be written, which is said on stderr (its file stays as it was); 2 when none names one.
 */
int accept_all(struct config *);

#endif
