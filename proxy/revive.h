/*
 * A vault that forgot us (a child that died, a session that ended) is introduced to again: the agent's own initialize, under
 * an id of ours, its answer swallowed. Messages of the channel wait meanwhile; nothing that was sent before is sent again.
 */
#ifndef NARROWGATE_PROXY_REVIVE_H
#define NARROWGATE_PROXY_REVIVE_H

#include "proxy/channel.h"

/* Starts it on the channel's new trunk. False: no memory. */
bool revive_start(struct channel *);
/* Gives up when the vault has had its time. True when it did. */
bool revive_expire(struct trunk *, uint64_t now_ms);
/* Stops; nobody is told. */
void revive_cancel(struct trunk *);

#endif
