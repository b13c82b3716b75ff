/*
 * How an exchange answers whatever asked it: an HTTP response, a line on stdout. The reply copies what it is given.
 * After answer, accepted or fail the reply is done and must not be touched.
 */
#ifndef NARROWGATE_PROXY_REPLY_H
#define NARROWGATE_PROXY_REPLY_H

#include "base/slice.h"
#include "mcp/sse.h"

struct reply;

struct reply_ops {
	void (*stream)(struct reply *);                     /* the vault answers as a stream: so do we (headers go out now) */
	/*
	 * What the next message's event says beside it (NULL: nothing), valid until the next call; `alone`: an event without a
	 * message goes out with it now. Unset where there are no events.
	 */
	void (*mark)(struct reply *, const struct sse_mark *, bool alone);
	void (*message)(struct reply *, struct slice json); /* something before the answer: a notification, a request of the vault */
	void (*answer)(struct reply *, struct slice json);  /* the answer to the request; the end */
	void (*accepted)(struct reply *);                   /* there is no answer: notification or response taken (HTTP 202) */
	void (*fail)(struct reply *, int status, struct slice json); /* our own failure: an HTTP status where there is HTTP, with a JSON-RPC error as body */
	bool (*full)(struct reply *);                       /* more waits to be sent than is good: pause the vault; exchange_drained will tell */
	void (*session)(struct reply *, struct slice id);   /* a session id to hand out with the answer */
};

/* `exchange` is the asker's way back: it calls exchange_gone when the peer closes, exchange_drained when room is back. */
struct reply {
	const struct reply_ops *ops;
	struct exchange *exchange;
};

#endif
