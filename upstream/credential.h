/*
 * What proves us to a vault: one secret, read from a file or an environment variable, kept as the finished header line.
 * It is trimmed and bounded, and wiped when it is replaced; no error text and no log line ever holds a part of it.
 */
#ifndef NARROWGATE_UPSTREAM_CREDENTIAL_H
#define NARROWGATE_UPSTREAM_CREDENTIAL_H

#include <stdint.h>
#include "base/buf.h"
#include "upstream/upstream.h"

#define CREDENTIAL_MAX_BYTES (16 * 1024)

struct credential {
	enum secret_source from;
	char *source;           /* file path or variable name; owned, NUL-terminated */
	struct slice prefix;    /* "Authorization: Bearer "; owned */
	struct buf line;        /* prefix, secret and CRLF; empty: none is needed, or none is there */
	const char *fault;      /* static: why there is none; NULL when ready */
	uint64_t reread_ms;     /* when a 401 last made us read it again */
};

/* Reads nothing yet. False when memory is out; credential_finish may then still be called. */
bool credential_init(struct credential *, const struct vault_config *);
void credential_finish(struct credential *);
/* Reads it anew. False: missing, empty or unusable, and the old one is gone. */
bool credential_read(struct credential *);
/* The vault said 401: reads it again, in case it was changed, but not more often than once a second. */
void credential_rejected(struct credential *, uint64_t now_ms);
/* The secret that was read, without its header; empty: there is none. */
struct slice credential_secret(const struct credential *);
/* For one that is not read but given (SECRET_SOURCE_GIVEN). False: it cannot stand in a header, and what there was stays. */
bool credential_give(struct credential *, struct slice secret);
/* There is none any more; `fault` is static. */
void credential_drop(struct credential *, const char *fault);
/* Whether calls may go out: there is one, or none is needed. */
bool credential_ready(const struct credential *);

#endif
