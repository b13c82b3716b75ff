/*
 * Where an address lies: what a vault's metadata names must not make narrowgate call this machine or the network behind it
 * (MCP "Authorization", security considerations: SSRF).
 */
#ifndef NARROWGATE_UPSTREAM_ADDRESS_H
#define NARROWGATE_UPSTREAM_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* ADDRESS_INSIDE: private, link-local, shared, multicast, reserved, or none of IP (RFC 6890, RFC 4193). */
enum address_kind { ADDRESS_PUBLIC, ADDRESS_LOOPBACK, ADDRESS_INSIDE };

/* IPv4 inside an IPv6 address (mapped, NAT64, 6to4) is judged as IPv4. */
enum address_kind address_kind(const struct sockaddr *);

#endif
