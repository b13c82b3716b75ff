#include "upstream/address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct block4 {
	uint32_t net;
	unsigned bits;
};

/* RFC 6890 and its successors: all that is not globally reachable. */
static const struct block4 inside4[] = {
	{ 0x00000000, 8 }, { 0x0A000000, 8 }, { 0x64400000, 10 }, { 0xA9FE0000, 16 }, { 0xAC100000, 12 }, { 0xC0000000, 24 },
	{ 0xC0000200, 24 }, { 0xC0A80000, 16 }, { 0xC6120000, 15 }, { 0xC6336400, 24 }, { 0xCB007100, 24 }, { 0xE0000000, 3 },
};

static enum address_kind kind4(uint32_t a)
{
	if (a >> 24 == 127)
		return ADDRESS_LOOPBACK;
	for (size_t i = 0; i < sizeof inside4 / sizeof *inside4; i++)
		if ((a ^ inside4[i].net) >> (32 - inside4[i].bits) == 0)
			return ADDRESS_INSIDE;
	return ADDRESS_PUBLIC;
}

static uint32_t word_at(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static enum address_kind kind6(const unsigned char *p)
{
	static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF }, nat64[12] = { 0x00, 0x64, 0xFF, 0x9B }, zero[15];

	if (memcmp(p, zero, 15) == 0)
		return p[15] == 1 ? ADDRESS_LOOPBACK : ADDRESS_INSIDE;
	if (memcmp(p, mapped, 12) == 0 || memcmp(p, nat64, 12) == 0)
		return kind4(word_at(p + 12));
	if (p[0] == 0x20 && p[1] == 0x02)
		return kind4(word_at(p + 2));
	/* Global unicast is 2000::/3, but for documentation (2001:db8::/32) and what is not for the world (2001::/23). */
	if (p[0] >> 5 != 1 || word_at(p) == 0x20010DB8 || word_at(p) >> 9 == 0x20010000u >> 9)
		return ADDRESS_INSIDE;
	return ADDRESS_PUBLIC;
}

enum address_kind address_kind(const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&in, sa, sizeof in);
		return kind4(ntohl(in.sin_addr.s_addr));
	case AF_INET6:
		memcpy(&in6, sa, sizeof in6);
		return kind6(in6.sin6_addr.s6_addr);
	default:
		return ADDRESS_INSIDE;
	}
}
