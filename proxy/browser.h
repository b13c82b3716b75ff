/*
 * What tells a request of a web page from one of an agent: Origin, Host, Sec-Fetch-Site. A page can reach a loopback port by
 * rebinding a name or by a "simple" request; it cannot choose these three. Pure, but for the rules it owns.
 */
#ifndef NARROWGATE_PROXY_BROWSER_H
#define NARROWGATE_PROXY_BROWSER_H

#include "base/slice.h"

struct browser_rules;

struct browser_config {
	const struct slice *allowed_origins; /* scheme://host[:port], compared exactly; none: loopback origins, any port */
	size_t n_allowed_origins;
	const struct slice *allowed_hosts;   /* besides the loopback names: host (any port) or host:port */
	size_t n_allowed_hosts;
};

/* Copies what it is given. NULL when memory is out or an origin is not scheme://host[:port]; *bad then is that origin, or empty. */
struct browser_rules *browser_rules_create(const struct browser_config *, struct slice *bad);
void browser_rules_free(struct browser_rules *);

/* Whether a request with this Origin may go on. Absent (p == NULL) is fine; "null" and what is no origin are not. */
bool browser_origin_allowed(const struct browser_rules *, struct slice origin);
/* Whether Host names this server: localhost, 127.0.0.1, [::1] or an allowed host, with any port. */
bool browser_host_allowed(const struct browser_rules *, struct slice host);
/* Whether Sec-Fetch-Site (absent: p == NULL) is not that of another site. */
bool browser_site_allowed(struct slice sec_fetch_site);

#endif
