/*
 * The two header fields that name media types (RFC 9110 §8.3, §12.5.1), as far as MCP needs them. Pure.
 */
#ifndef NARROWGATE_PROXY_MEDIA_H
#define NARROWGATE_PROXY_MEDIA_H

#include "base/slice.h"

enum { MEDIA_JSON = 1, MEDIA_EVENT_STREAM = 2 };

/* Which of the two types an Accept value takes; wildcards count, `q=0` takes nothing. Several lines are or-ed. */
unsigned media_accepted(struct slice accept);

/* Whether a Content-Type is application/json: any case, any parameter, but no charset other than utf-8. */
bool media_is_json(struct slice content_type);

#endif
