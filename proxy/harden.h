/*
 * What the process gives up before it reads a secret.
 */
#ifndef NARROWGATE_PROXY_HARDEN_H
#define NARROWGATE_PROXY_HARDEN_H

#include <stdbool.h>

/*
 * No core dumps, not dumpable, SIGPIPE ignored, hostile variables of the environment dropped, a wiping allocator in OpenSSL
 * (libcurl, which is loaded later, gets it from upstream/curl_api.h). First thing in main. False when OpenSSL takes none.
 */
bool harden_process(void);

#endif
