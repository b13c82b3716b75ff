/*
 * narrowgate's own tools/list: when a guard needs the vault's schema to judge an argument and the agent never listed.
 * It reads descriptions, never a value.
 */
#ifndef NARROWGATE_PROXY_FETCH_H
#define NARROWGATE_PROXY_FETCH_H

#include "proxy/trunk.h"

struct exchange;

/* Reads all pages of the trunk's tools/list into the backend's toolbook; `x` is told when done. One fetch serves all that wait. */
void fetch_tools(struct trunk *, struct exchange *x);
/* Gives up when the vault has had its time for a page. True when it did. */
bool fetch_expire(struct trunk *, uint64_t now_ms);
/* Stops; nobody is told. */
void fetch_cancel(struct trunk *);

#endif
