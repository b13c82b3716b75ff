/*
 * What the process gives up before it reads a secret.
 */
#ifndef NARROWGATE_PROXY_HARDEN_H
#define NARROWGATE_PROXY_HARDEN_H

#include <stdbool.h>

/*
 * No core dumps, not dumpable, SIGPIPE ignored, hostile variables of the environment dropped, wiping allocators in
 * OpenSSL and libcurl. First thing in main, before either library is used. False when a library does not start.
 */
bool harden_process(void);

#endif
