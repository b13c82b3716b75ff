/*
 * The file with the refresh token, into which a rotated one goes: JSON, mode 0600, replaced as a whole. It names the
 * issuer that gave the token, and the token is shown to no other.
 */
#ifndef NARROWGATE_UPSTREAM_OAUTH_STORE_H
#define NARROWGATE_UPSTREAM_OAUTH_STORE_H

#include "base/arena.h"

struct oauth_stored {
	struct slice issuer, resource;
	struct slice client_id, client_secret; /* secret empty: a public client */
	struct slice scope;                    /* as it was granted at the login */
	struct slice refresh_token;
};

#define OAUTH_STORE_MAX_BYTES (64 * 1024)

/* NULL, or what is wrong (static). The arena then holds secrets: finish it. */
const char *oauth_store_read(const char *path, struct arena *, struct oauth_stored *out);
/* Makes the directories that are missing, mode 0700. NULL, or what is wrong (static). */
const char *oauth_store_write(const char *path, const struct oauth_stored *);

#endif
